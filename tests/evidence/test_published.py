"""What outsiders are given of the log: exactly the tiles of the specification, of a tree that was signed."""

import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.domain.errors import IntegrityBrokenError
from ledger.store.errors import FolderNotEmptyError
from ledger.transparency.log import Log, create_log
from ledger.transparency.notes import Note, checkpoint_of
from ledger.transparency.quorum import Required, RequiredWitness, publish, require_witnesses
from projections.audit.published import LogServer, export
from tests.logged import append, level_files, lines, turn


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def bundle(leaves: list[bytes]) -> bytes:
    """C2SP tlog-tiles, log entries: each with its length in two bytes before it."""
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def expected(leaves: list[bytes]) -> dict[str, bytes]:
    """The files of a log of these leaves, of 512 to 767 of them."""
    hashes, rest = level_files(leaves), len(leaves) - 512
    assert 0 < rest < 256
    return {
        "tile/0/000": hashes["level-0"][: 256 * 32],
        "tile/0/001": hashes["level-0"][256 * 32 : 512 * 32],
        f"tile/0/002.p/{rest}": hashes["level-0"][512 * 32 :],
        "tile/1/000.p/2": hashes["level-1"],
        "tile/entries/000": bundle(leaves[:256]),
        "tile/entries/001": bundle(leaves[256:512]),
        f"tile/entries/002.p/{rest}": bundle(leaves[512:]),
    }


def test_an_export_is_the_tiles_the_checkpoint_and_its_key(log: Log, folder: Path, tmp_path: Path) -> None:
    told: list[int] = []
    assert export(log, tmp_path / "out", told.append) == sum(told) == 700

    found = files(tmp_path / "out")

    assert found.pop("checkpoint") == str(log.note()).encode()
    assert found.pop("verifier-key") == f"{log.key}\n".encode()
    assert found == expected(lines(folder))


def test_an_export_goes_on_where_the_last_one_ended(log: Log, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(log, out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("00[01]")}
    append(folder, 700, 740)
    log.grow()
    append(folder, 740, 745)  # not yet signed, and so not given away

    assert export(log, out) == 740

    assert {path: path.stat().st_mtime_ns for path in times} == times
    found = files(out)
    assert expected(lines(folder)[:740]).items() <= found.items()
    assert checkpoint_of(Note.parse(found["checkpoint"]), log.key).size == 740
    # The partial tiles of the earlier size may stay, for those who are still reading by its checkpoint.
    assert found.keys() - expected(lines(folder)[:740]).keys() == {
        *("checkpoint", "verifier-key"),
        *("tile/0/002.p/188", "tile/entries/002.p/188"),
    }


def test_an_export_that_was_interrupted_is_completed(log: Log, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(log, out)
    whole = files(out)
    (out / "checkpoint").unlink()
    (out / "tile" / "entries" / "001").unlink()
    (out / "tile" / "0" / "001").write_bytes(b"half")
    shutil.rmtree(out / "tile" / "1")

    export(log, out)

    assert files(out) == whole


def test_an_export_never_mixes_two_logs(log: Log, tmp_path: Path) -> None:
    out = tmp_path / "out"
    other = create_log(tmp_path / "other", log.recorder)
    other.grow()
    export(other, out)
    with pytest.raises(FolderNotEmptyError):
        export(log, out)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").touch()
    with pytest.raises(FolderNotEmptyError):
        export(log, tmp_path / "letters")


def test_an_export_of_a_log_that_went_back_is_refused(log: Log, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(log.folder, tmp_path / "older")
    append(folder, 700, 710)
    log.grow()
    export(log, tmp_path / "out")
    with pytest.raises(IntegrityBrokenError, match="does not continue"):
        export(Log(tmp_path / "older", log.recorder), tmp_path / "out")


# The server


@pytest.fixture
def url(log: Log) -> Iterator[str]:
    with LogServer(("127.0.0.1", 0), log) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.url()
        server.shutdown()
        thread.join()


def get(url: str, method: str = "GET") -> tuple[int, bytes, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:  # noqa: S310  # our own server
            return answer.status, answer.read(), answer.headers["Cache-Control"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b"", ""


def test_the_server_offers_what_an_export_holds(log: Log, folder: Path, url: str) -> None:
    for path, content in expected(lines(folder)).items():
        assert get(url + path) == (200, content, "public, max-age=31536000, immutable")
        assert get(url + path, "HEAD")[:2] == (200, b"")
    assert get(url + "checkpoint") == (200, str(log.note()).encode(), "no-cache")
    assert get(url + "verifier-key")[1] == f"{log.key}\n".encode()


def test_the_server_offers_nothing_else(url: str) -> None:
    for path in ("", "key", "level-0", "lock", "tile/0/002", "tile/0/002.p/189", "tile/1/000", "tile/2/000.p/1"):
        assert get(url + path)[0] == 404
    for path in ("tile/0/../key", "%2e%2e/ledger.json", "tile/entries/003.p/1", "tile/63/000", "checkpoint/"):
        assert get(url + path)[0] == 404
    assert get(url + "checkpoint", "POST")[0] == 501


def test_the_server_follows_the_log_and_keeps_the_old_partial_tiles(log: Log, folder: Path, url: str) -> None:
    before = get(url + "tile/0/002.p/188")
    append(folder, 700, 800)
    assert get(url + "tile/0/002")[0] == 404  # recorded, but not signed
    log.grow()
    assert get(url + "tile/0/002")[0] == 200
    assert get(url + "tile/0/002.p/188") == before


def test_the_server_tells_of_damage_and_goes_on(log: Log, url: str, capfd: pytest.CaptureFixture[str]) -> None:
    turn(log.folder / "checkpoint", 8 * 50)
    assert get(url + "checkpoint")[0] == 500
    assert "checkpoint" in capfd.readouterr().err
    turn(log.folder / "checkpoint", 8 * 50)
    assert get(url + "checkpoint")[0] == 200


def test_the_server_offers_what_is_published_where_witnesses_are_required(
    log: Log, folder: Path, url: str, witnesses: list[RequiredWitness]
) -> None:
    require_witnesses(log, Required(tuple(witnesses), 3))
    assert get(url + "checkpoint")[0] == 404
    assert get(url + "tile/0/001")[0] == 404
    note = publish(log).note
    append(folder, 700, 800)
    log.grow()
    assert get(url + "checkpoint")[1] == str(note).encode()
    assert get(url + "tile/0/002.p/188")[0] == 200
    assert get(url + "tile/0/002.p/189")[0] == 404
