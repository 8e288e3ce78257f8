"""A witness, as a process of its own asked over HTTP, cosigns one history of a log whatever it is asked."""

import http.client
import re
import socket
import stat
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.domain.errors import IntegrityBrokenError, ValueInvalidError
from ledger.store.errors import FolderNotEmptyError
from ledger.transparency import witness_server
from ledger.transparency.errors import LogKnownError, WitnessExistsError, WitnessMissingError
from ledger.transparency.merkle import EMPTY_ROOT
from ledger.transparency.notes import COSIGNATURE, Checkpoint, Note, VerifierKey, cosign, sign, verifier_key
from ledger.transparency.witness import Witness, create_witness
from tests.logged import root_of, turn
from tests.witnessing import History, ask, clock, history, proof_of, request, serving, witness_of

SALUR = Path(sys.executable).with_name("salur")
NAME = "witness.example/one"
SIZE_TYPE = "text/x.tlog.size"
numbers = count()


@contextmanager
def process_of(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """`salur log witness serve`, its address, and what to kill."""
    serve: list[str | Path] = [SALUR, "log", "witness", "serve", folder, "--port", "0"]
    with subprocess.Popen(serve, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        drained = threading.Thread(target=process.stderr.read)
        drained.start()
        try:
            yield said.split()[-1], process
        finally:
            process.kill()
            process.wait()
            drained.join()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return witness_of(tmp_path_factory.mktemp("witness") / "one", NAME).folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with process_of(folder) as (address, _):
        yield address


@pytest.fixture
def log(folder: Path) -> History:
    """A log of 40 events that the running witness has known from just now."""
    known = history(f"log.example/{next(numbers)}")
    Witness(folder).add_log(known.verifier_key, now=clock)
    return known


def cosigned(folder: Path, history: History, size: int, body: bytes) -> None:
    """The answer is one line with the witness's true cosignature of that checkpoint."""
    assert body.startswith("— ".encode())
    assert body.count(b"\n") == 1
    note = Note.parse(str(history.note(size)).encode() + body)
    assert note.text == history.note(size).text
    note.require(Witness(folder).key)


def test_a_history_that_goes_on_is_cosigned_step_by_step(folder: Path, url: str, log: History) -> None:
    before = 0
    for size in (1, 2, 3, 3, 8, 21, 32, 40, 40):
        status, _, body = ask(url, log.request(before, size))
        assert status == 200
        cosigned(folder, log, size, body)
        before = size
    assert (log.verifier_key, Checkpoint(log.origin, 40, root_of(log.leaves))) in Witness(folder).logs()


def test_openssl_verifies_a_cosignature_as_the_documents_say(
    folder: Path, url: str, log: History, tmp_path: Path
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "evidence.md").read_text(encoding="utf-8")
    [block] = re.findall(r"<!-- cosignature -->\n```sh\n(.*?)```", page, re.DOTALL)
    _, _, body = ask(url, log.request(0, 40))
    (tmp_path / "checkpoint").write_bytes(str(log.note(40)).encode() + body)
    (tmp_path / "witness-key").write_text((folder / "verifier-key").read_text())

    def openssl() -> str:
        return subprocess.run(["bash", "-c", block], cwd=tmp_path, capture_output=True, text=True).stdout

    assert "Signature Verified Successfully" in openssl()
    first, second, rest = (tmp_path / "text").read_text().split("\n", 2)
    # C2SP tlog-cosignature, Ed25519 signed message
    assert (first, rest) == ("cosignature/v1", log.note(40).text)
    assert abs(int(second.removeprefix("time ")) - time.time()) < 60
    whole = (tmp_path / "checkpoint").read_bytes().splitlines(keepends=True)
    for line in (0, 1, 2):  # the log's name, its size and its root
        turn(tmp_path / "checkpoint", 8 * sum(map(len, whole[:line])))
        assert "Signature Verified Successfully" not in openssl()
        (tmp_path / "checkpoint").write_bytes(b"".join(whole))


def test_a_witness_that_was_killed_and_started_again_knows_what_it_cosigned(tmp_path: Path) -> None:
    log = history("log.example")
    folder = witness_of(tmp_path / "one", NAME, log.verifier_key).folder
    with process_of(folder) as (url, _):
        assert ask(url, log.request(0, 20))[0] == 200
    with process_of(folder) as (url, process):
        assert ask(url, log.request(0, 30)) == (409, SIZE_TYPE, b"20\n")
        assert ask(url, log.rewritten(10).request(20, 30))[0] == 422
        cosigned(folder, log, 30, ask(url, log.request(20, 30))[2])
        assert process.poll() is None


# What is never cosigned


@pytest.mark.parametrize("first", [0, 7, 19])
@pytest.mark.parametrize("size", [20, 21, 32, 40])
def test_a_rewritten_history_is_never_cosigned(folder: Path, url: str, log: History, first: int, size: int) -> None:
    assert ask(url, log.request(0, 20))[0] == 200
    other = log.rewritten(first)
    true_proof = proof_of(20, log.leaves[:size])
    for old_size in (0, 1, 19, 20, 21, size):
        for proof in ([], true_proof, proof_of(min(old_size, size) or size, other.leaves[:size])):
            status, _, body = ask(url, request(old_size, proof, str(other.note(size))))
            assert status in (400, 409, 422), (old_size, proof)
            assert "—".encode() not in body
    assert ask(url, other.request(20, size))[0] == (409 if size == 20 else 422)
    assert ask(url, log.request(20, 40))[0] == 200


def test_a_shorter_history_is_never_cosigned(url: str, log: History) -> None:
    assert ask(url, log.request(0, 20))[0] == 200
    for size in (0, 1, 10, 19):
        for old_size in (0, size, 20):
            assert ask(url, log.request(old_size, size))[0] in (400, 409)
    empty = sign(str(Checkpoint(log.origin, 0, EMPTY_ROOT)), log.origin, log.key)
    assert ask(url, request(0, [], str(empty))) == (409, SIZE_TYPE, b"20\n")


def test_an_empty_log_may_be_cosigned_but_not_with_the_root_of_something(url: str, log: History) -> None:
    of_something = Checkpoint(log.origin, 0, root_of([b"something"]))
    assert ask(url, request(0, [], str(sign(str(of_something), log.origin, log.key))))[0] == 409
    assert (
        ask(url, request(0, [], str(sign(str(Checkpoint(log.origin, 0, EMPTY_ROOT)), log.origin, log.key))))[0] == 200
    )
    assert ask(url, log.request(0, 40))[0] == 200


def test_eight_requests_at_once_leave_one_history(folder: Path, url: str) -> None:
    """Four sizes of one history and four of others, all of them next to the last one cosigned; to two processes."""
    with process_of(folder) as (second_url, _):
        for _ in range(10):
            log = history(f"log.example/{next(numbers)}")
            Witness(folder).add_log(log.verifier_key, now=clock)
            assert ask(url, log.request(0, 10))[0] == 200
            sizes = (20, 30, 30, 40)
            asked = [log.request(10, size) for size in sizes] + [log.rewritten(15).request(10, size) for size in sizes]
            start = threading.Barrier(len(asked))

            def asking(number: int, asked: list[bytes] = asked, start: threading.Barrier = start) -> tuple[int, bytes]:
                start.wait()
                status, _, body = ask((url, second_url)[number % 2], asked[number])
                return status, body

            with ThreadPoolExecutor(len(asked)) as pool:
                answers = list(pool.map(asking, range(len(asked))))

            assert [status for status, _ in answers].count(200) == 1
            [(_, last)] = [each for each in Witness(folder).logs() if each[0].name == log.origin]
            assert {body for status, body in answers if status == 409} == {b"%d\n" % last.size}
            assert {status for status, _ in answers} == {200, 409}


# What is asked wrongly


def wrong_requests(log: History) -> dict[str, tuple[int, bytes]]:
    good, note, root = log.request(20, 40), str(log.note(40)), b64encode(root_of(log.leaves)).decode()
    head, _, _ = good.decode().partition("\n\n")
    line = head.split("\n")[1]
    stranger, name = Ed25519PrivateKey.generate(), log.origin

    def signed(text: str) -> bytes:
        return request(20, [], str(sign(text, name, log.key)))

    return {
        "nothing": (400, b""),
        "no text": (400, b"\xff\xfe" + good),
        "no old size": (400, good.removeprefix(b"old 20\n")),
        "an empty old size": (400, good.replace(b"old 20", b"old ")),
        "a negative old size": (400, good.replace(b"old 20", b"old -1")),
        "an old size with a zero before it": (400, good.replace(b"old 20", b"old 020")),
        "an old size in other digits": (400, good.replace(b"old 20", "old ٢٠".encode())),
        "an old size beyond all": (400, good.replace(b"old 20", b"old " + b"9" * 30)),
        "another word": (400, good.replace(b"old 20", b"new 20")),
        "two spaces": (400, good.replace(b"old 20", b"old  20")),
        "line ends of another kind": (400, good.replace(b"\n", b"\r\n")),
        "a hash that is not base64": (400, good.replace(line.encode(), b"?" * 44)),
        "a hash with bits that say nothing": (400, good.replace(line.encode(), line[:-2].encode() + b"B=")),
        "a short hash": (400, request(20, [bytes(31)], note)),
        "64 hashes": (400, request(20, [bytes(32)] * 64, note)),
        "63 hashes": (422, request(20, [bytes(32)] * 63, note)),
        "no checkpoint": (400, head.encode() + b"\n\n"),
        "no empty line": (400, good.replace(b"\n\n", b"\n", 1)),
        "no signature": (400, good[: good.index("\n— ".encode())]),
        "a checkpoint without its last line end": (400, good[:-1]),
        "a size that is none": (400, signed(f"{name}\nforty\n{root}\n")),
        "a root that is none": (400, signed(f"{name}\n40\n{root[:-8]}\n")),
        "no root": (400, signed(f"{name}\n40\n")),
        "an old size over the checkpoint's": (400, request(41, [], note)),
        "an unknown log": (404, history("log.example/unknown").request(20, 40)),
        "another's signature": (403, History(name, log.leaves, stranger).request(20, 40)),
        "a signature of another text": (403, good.replace(b"\n40\n", b"\n39\n")),
        "a signature by another name": (403, request(20, [], str(sign(log.note(40).text, "other", log.key)))),
        "another old size": (409, log.request(19, 40)),
        "no old size yet": (409, log.request(0, 40)),
        "another root of the same size": (409, log.rewritten(3).request(20, 20)),
        "no proof": (422, request(20, [], note)),
        "half a proof": (422, request(20, proof_of(20, log.leaves)[:1], note)),
        "too much of a proof": (422, request(20, [*proof_of(20, log.leaves), bytes(32)], note)),
        "a proof of nothing new": (422, request(20, [bytes(32)], str(log.note(20)))),
    }


TOLD_THE_SIZE = {"another old size", "no old size yet"}
WRONG = sorted(wrong_requests(history("names")))


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_request_gets_its_status_and_changes_nothing(folder: Path, url: str, log: History, wrong: str) -> None:
    assert ask(url, log.request(0, 20))[0] == 200
    before = Witness(folder).logs()
    status, data = wrong_requests(log)[wrong]

    answered, kind, body = ask(url, data)

    assert answered == status
    assert (kind, body) == (SIZE_TYPE, b"20\n") if wrong in TOLD_THE_SIZE else kind == "text/plain"
    assert "—".encode() not in body
    assert body.endswith(b"\n")
    assert Witness(folder).logs() == before
    assert ask(url, log.request(20, 40))[0] == 200


def test_a_proof_is_refused_where_there_is_nothing_before(url: str, log: History) -> None:
    assert ask(url, request(0, [bytes(32)], str(log.note(40))))[0] == 422


def test_signatures_of_strangers_are_passed_over(folder: Path, url: str, log: History) -> None:
    note = log.note(40)
    stranger = sign(note.text, "stranger.example", Ed25519PrivateKey.generate())
    both = Note(note.text, (*stranger.signatures, *note.signatures))
    status, _, body = ask(url, request(0, [], str(both)))
    assert status == 200
    cosigned(folder, log, 40, body)


def test_only_the_one_call_is_answered(url: str, log: History) -> None:
    assert ask(url, log.request(0, 40), path="/")[0] == 404
    assert ask(url, log.request(0, 40), path="/add-checkpoint/")[0] == 404
    assert ask(url, b"", method="GET")[:2] == (501, "text/plain")
    assert ask(url, bytes(witness_server.REQUEST_BYTES_MAX + 1))[0] == 413


def test_a_connection_may_be_used_again(url: str, log: History) -> None:
    answers: list[int] = []
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)) as connection:
        for before, size in ((0, 20), (0, 20), (20, 40)):
            connection.request("POST", "/add-checkpoint", log.request(before, size))
            answer = connection.getresponse()
            answers.append(answer.status)
            answer.read()
    assert answers == [200, 409, 200]


def test_a_request_must_tell_its_length(url: str) -> None:
    for header in ("X: y", "Content-Length: -1", "Content-Length: ten", "Transfer-Encoding: chunked"):
        assert said_to(url, f"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n") == b"HTTP/1.1 411"
    assert (
        said_to(url, f"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: {'9' * 5_000}\r\n\r\n")[-3:]
        == b"413"
    )


def said_to(url: str, text: str) -> bytes:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(text.encode())
        return connection.recv(1_000)[:12]


def test_a_slow_client_is_cut_off_and_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness_server, "CONNECTION_SECONDS_MAX", 4.0)
    monkeypatch.setattr(witness_server._Handler, "timeout", 2.0)
    log = history("log.example")
    with serving(witness_of(tmp_path / "one", NAME, log.verifier_key)) as url:
        host, port = url.removeprefix("http://").split(":")
        with (
            socket.create_connection((host, int(port)), timeout=10) as silent,
            socket.create_connection((host, int(port)), timeout=10) as dripping,
        ):
            silent.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 100\r\n\r\nold")
            began = time.monotonic()
            assert ask(url, log.request(0, 40))[0] == 200
            with suppress(OSError):  # whichever way the connection ends
                while time.monotonic() - began < 20:
                    dripping.sendall(b"x")
                    time.sleep(0.05)
            assert silent.recv(100) == b""
            assert time.monotonic() - began < 15


# Its own files


def test_a_witness_whose_files_are_damaged_signs_nothing(folder: Path, url: str, log: History) -> None:
    assert ask(url, log.request(0, 20))[0] == 200
    [path] = [each for each in folder.glob("logs/*/checkpoint") if log.origin + "\n" in each.read_text()]
    good = path.read_bytes()
    witness = Witness(folder)
    # Between them is the log's signature, kept to show that it signed, and not needed.
    text, cosignature = good.index(b"\n\n"), good.rindex(b"\n", 0, -1)
    for bit in [*range(0, 8 * text, 5), *range(8 * cosignature, 8 * len(good), 5)]:
        turn(path, bit)
        with pytest.raises(IntegrityBrokenError):
            witness.add_checkpoint(log.request(20, 40), now=clock)
        turn(path, bit)
    for content in (b"", good[:-1], good[:50], str(log.note(20)).encode()):
        path.write_bytes(content)
        assert ask(url, log.request(0, 40)) == (500, "text/plain", b"this witness cannot sign now\n")
    path.unlink()
    assert ask(url, log.request(0, 40))[0] == 500
    path.write_bytes(good)
    assert ask(url, log.request(20, 40))[0] == 200


def test_the_checkpoint_of_another_log_does_not_stand_in(folder: Path, url: str, log: History) -> None:
    other = history(f"{log.origin}/other")
    Witness(folder).add_log(other.verifier_key, now=clock)
    assert ask(url, log.request(0, 20))[0] == 200
    place = {each.read_text().partition("\n")[0]: each for each in folder.glob("logs/*/checkpoint")}
    place[log.origin].write_bytes(place[other.origin].read_bytes())  # which is still empty
    assert ask(url, log.request(0, 40))[0] == 500


def test_only_its_owner_can_read_the_key_and_no_other_key_signs(tmp_path: Path) -> None:
    log = history("log.example")
    witness = witness_of(tmp_path / "one", NAME, log.verifier_key)
    assert stat.S_IMODE((witness.folder / "key").stat().st_mode) == 0o600
    for content in (bytes(32), b"short"):
        (witness.folder / "key").write_bytes(content)
        with pytest.raises(IntegrityBrokenError, match="key"):
            witness.add_checkpoint(log.request(0, 40), now=clock)
    (witness.folder / "key").unlink()
    with pytest.raises(IntegrityBrokenError, match="key"):
        witness.add_checkpoint(log.request(0, 40), now=clock)


def test_a_witness_is_made_once_and_its_making_can_be_interrupted(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    made = create_witness(folder, name=NAME)
    assert made.key.kind == COSIGNATURE
    assert create_witness(folder, name=NAME).key == made.key
    with pytest.raises(WitnessExistsError):
        create_witness(folder, name="witness.example/two")
    (folder / "verifier-key").unlink()
    with pytest.raises(WitnessMissingError):
        Witness(folder)
    assert create_witness(folder, name=NAME).key == made.key
    made.add_log(history("log.example").verifier_key, now=clock)
    (folder / "verifier-key").unlink()
    with pytest.raises(IntegrityBrokenError):  # it would be another witness, were the name another
        create_witness(folder, name=NAME)
    (tmp_path / "letter.txt").touch()
    with pytest.raises(FolderNotEmptyError):
        create_witness(tmp_path, name=NAME)
    for name in ("", "two words", "with+plus"):
        with pytest.raises(ValueInvalidError):
            create_witness(tmp_path / "bad", name=name)


def test_a_log_is_known_by_one_key_for_good(tmp_path: Path) -> None:
    log = history("log.example")
    witness = witness_of(tmp_path / "one", NAME, log.verifier_key)
    assert witness.add_checkpoint(log.request(0, 20), now=clock).status == 200
    assert not witness.add_log(log.verifier_key, now=clock)
    assert witness.logs() == [(log.verifier_key, Checkpoint(log.origin, 20, root_of(log.leaves[:20])))]
    with pytest.raises(LogKnownError):
        witness.add_log(history("log.example").verifier_key, now=clock)
    with pytest.raises(ValueInvalidError):
        witness.add_log(VerifierKey("other.example", log.verifier_key.public, COSIGNATURE), now=clock)


def test_a_witness_says_when_it_saw_a_checkpoint(tmp_path: Path) -> None:
    log = history("log.example")
    witness = witness_of(tmp_path / "one", NAME, log.verifier_key)
    answer = witness.add_checkpoint(log.request(0, 20), now=clock)
    key = Ed25519PrivateKey.from_private_bytes((witness.folder / "key").read_bytes())
    assert verifier_key(NAME, key, COSIGNATURE) == witness.key
    # 15 October 2020, 03:00 UTC; Ed25519 signs one text in one way only.
    assert answer.body == str(cosign(log.note(20).text, NAME, key, time=1_602_730_800))
