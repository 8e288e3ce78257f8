"""What somebody with more rights than they should have might do to a ledger, or to an export of it, on purpose."""

import json
import shutil
import sqlite3
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.store.recorder import LedgerRecorder
from ledger.store.sqlite import LedgerFactory
from ledger.transparency.log import Log
from ledger.transparency.merkle import EMPTY_ROOT
from ledger.transparency.notes import Checkpoint, sign, verifier_key
from projections.audit.export import SUMS, sums
from tests.logged import execute

META = '{"recorded_at":"2026-11-22T05:00:00.000001Z","effective_on":"2026-11-22","by":"%s",'
PAID = '"program":"bsu","tranche":%d,"recipient_id":"%s","amount":%d,"batch_id":"%s"}'


@dataclass(frozen=True)
class Change:
    """What is done to an office; it returns whether the ledger or the export is then audited."""

    make: Callable[[Path], str]


def _sql(statements: str, *, is_taken_into_log: bool = False) -> Change:
    def make(office: Path) -> str:
        execute(office / "ledger", statements)
        if is_taken_into_log:
            _grow(office)
        return "ledger"

    return Change(make)


def _grow(office: Path) -> None:
    """What an operator with the log's key does: sign whatever is there."""
    recorder = LedgerFactory(office / "ledger" / "events.db").application_recorder()
    assert isinstance(recorder, LedgerRecorder)
    Log(office / "ledger" / "log", recorder).grow()
    recorder.datastore.close()  # type: ignore[attr-defined]


def _row(stream: str, version: int, topic: str, state: str) -> str:
    quoted = state.replace("'", "''")
    return f"INSERT INTO stored_events VALUES ('{stream}', {version}, '{topic}', CAST('{quoted}' AS BLOB));"


def _payment(tranche: int, recipient: str, batch_id: str, amount: int = 600) -> str:
    state = META % "siti" + PAID % (tranche, recipient, amount, batch_id)
    return _row(f"payment/bsu/{tranche}/{recipient}", 1, "TrancheDisbursed.v1", state)


def _without_log(office: Path) -> None:
    """What an operator with the log's key may also do: sign another history from its beginning."""
    log = office / "ledger" / "log"
    for path in log.glob("level-*"):
        path.unlink()
    key = Ed25519PrivateKey.from_private_bytes((log / "key").read_bytes())
    name = (log / "verifier-key").read_text().partition("+")[0]
    empty = Checkpoint(name, 0, EMPTY_ROOT)
    (log / "checkpoint").write_text(str(sign(str(empty), name, key)))
    _grow(office)


def _rewritten(statements: str) -> Change:
    def make(office: Path) -> str:
        execute(office / "ledger", statements)
        _without_log(office)
        return "ledger"

    return Change(make)


def _older(office: Path) -> str:
    """A copy of the whole folder from before the checkpoint that the auditor kept."""
    shutil.copytree(office / "ledger", office / "newer")
    with closing(sqlite3.connect(office / "ledger" / "events.db")) as database, database:
        database.execute("DELETE FROM stored_events WHERE rowid > 600")
    _without_log(office)
    return "ledger"


def _forged_approval(office: Path) -> str:
    """By somebody who has the database but not budi's key: a batch of their own, approved in his name."""
    execute(
        office / "ledger",
        _row("batch/mine", 1, "BatchProposed.v1", META % "siti" + _PROPOSED)
        + _row(
            "batch/mine", 2, "BatchApproved.v1", META % "budi" + '"batch_id":"mine","program":"bsu","checker":"budi"}'
        ),
    )
    return "ledger"


_ZERO = "0" * 64
_PROPOSED = (
    '"batch_id":"mine","program":"bsu","tranche":2,"maker":"siti",'
    f'"file_sha256":"{_ZERO}","rows_sha256":"{_ZERO}","count":1,"total":400,"refused":[]}}'
)


def _signed_by_another(office: Path) -> str:
    log = office / "ledger" / "log"
    name, size, root = (log / "checkpoint").read_text().split("\n")[:3]
    note = sign(f"{name}\n{size}\n{root}\n", name, Ed25519PrivateKey.generate())
    (log / "checkpoint").write_text(str(note))
    return "ledger"


def _other_key_throughout(office: Path) -> str:
    """Who has all files may put a key of their own beside a history of their own."""
    key = Ed25519PrivateKey.generate()
    log = office / "ledger" / "log"
    name = (log / "verifier-key").read_text().partition("+")[0]
    (log / "key").write_bytes(key.private_bytes_raw())
    (log / "verifier-key").write_text(f"{verifier_key(name, key)}\n")
    with closing(sqlite3.connect(office / "ledger" / "events.db")) as database, database:
        [(rowid, state)] = database.execute("SELECT rowid, state FROM stored_events WHERE topic='LogBegun.v1'")
        named = json.loads(state) | {"verifier_key": str(verifier_key(name, key))}
        changed = json.dumps(named, separators=(",", ":")).encode()
        database.execute("UPDATE stored_events SET state=? WHERE rowid=?", (changed, rowid))
    _without_log(office)
    return "ledger"


def _unused_bits(office: Path) -> str:
    """A signature's last digit has bits that many readers ignore."""
    path = office / "ledger" / "log" / "checkpoint"
    text = path.read_text()
    before, last = text.removesuffix("\n")[:-1], text.removesuffix("\n")[-1]
    if last == "=":
        before, last = text.removesuffix("=\n")[:-1], text.removesuffix("=\n")[-1]
        path.write_text(f"{before}{_next_digit(last)}=\n")
    else:
        path.write_text(f"{before}{_next_digit(last)}\n")
    return "ledger"


def _next_digit(digit: str) -> str:
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return digits[digits.index(digit) ^ 1]


def _unused_bits_of_an_officer(office: Path) -> str:
    with closing(sqlite3.connect(office / "ledger" / "events.db")) as database, database:
        [(rowid, state)] = database.execute(
            "SELECT rowid, state FROM stored_events WHERE topic='BatchApproved.v1' ORDER BY rowid LIMIT 1"
        ).fetchall()
        signature = json.loads(state)["signature"]
        other = f"{signature[:-3]}{_next_digit(signature[-3])}=="
        changed = state.replace(signature.encode(), other.encode())
        database.execute("UPDATE stored_events SET state=? WHERE rowid=?", (changed, rowid))
    return "ledger"


def _relisted(change: Callable[[Path], object]) -> Change:
    def make(office: Path) -> str:
        change(office / "export")
        (office / "export" / SUMS).write_bytes(b"".join(sums(office / "export")))
        return "export"

    return Change(make)


def _longer_list(export: Path) -> None:
    with (export / "batches" / "october.csv").open("a") as file:
        file.write("R000000301,600\n")


def _shorter_journal(export: Path) -> None:
    path = export / "journal.hledger"
    path.write_text(path.read_text().rpartition("\n2026")[0])


def _other_officer_key(export: Path) -> None:
    path = next((export / "officers").glob("budi-*.pem"))
    body = b64encode(
        bytes.fromhex("302a300506032b6570032100") + Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    )
    path.write_bytes(b"-----BEGIN PUBLIC KEY-----\n" + body + b"\n-----END PUBLIC KEY-----\n")


def _two_histories(office: Path) -> str:
    """Another history of the same size, signed with the same key: one is shown to each of two people."""
    execute(
        office / "ledger",
        "UPDATE stored_events SET state=CAST(replace(CAST(state AS TEXT), '\"region\"', '\"regiom\"') AS BLOB) WHERE rowid=20;"
        " UPDATE stored_events SET state=CAST(replace(CAST(state AS TEXT), 'worker', 'farmer') AS BLOB) WHERE rowid=21",
    )
    _without_log(office)
    return "ledger"


CHANGES: dict[str, Change] = {
    "an amount changed in an event": _sql(
        "UPDATE stored_events SET state=CAST(replace(CAST(state AS TEXT), '\"amount\":600', '\"amount\":900') AS BLOB)"
        " WHERE originator_id='payment/bsu/1/R000000020'"
    ),
    "an event removed": _sql("DELETE FROM stored_events WHERE rowid=400"),
    "an event removed, the others numbered again": _sql(
        "DELETE FROM stored_events WHERE rowid=400; UPDATE stored_events SET rowid=rowid-1 WHERE rowid>400"
    ),
    "an event inserted, the others numbered again": _sql(
        "UPDATE stored_events SET rowid=rowid+100000 WHERE rowid>=400;"
        "UPDATE stored_events SET rowid=rowid-99999 WHERE rowid>=100000;"
        "INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state)"
        " SELECT 400, 'payment/bsu/2/R000000020', 1, topic, CAST(replace(CAST(state AS TEXT), '\"tranche\":1',"
        " '\"tranche\":2') AS BLOB) FROM stored_events WHERE originator_id='payment/bsu/1/R000000020'"
    ),
    "two events in another order": _sql(
        "UPDATE stored_events SET rowid=-1 WHERE rowid=500; UPDATE stored_events SET rowid=500 WHERE rowid=501;"
        "UPDATE stored_events SET rowid=501 WHERE rowid=-1"
    ),
    "the tail cut off, other events in its place": _sql(
        "DELETE FROM stored_events WHERE rowid>620;"
        + "".join(_payment(2, f"R00000{number:04}", "second", 400) for number in range(20, 28))
    ),
    "an old backup put back, signed anew with the log's key": Change(_older),
    "another history of one size, signed with the log's key": Change(_two_histories),
    "a history of one's own with a key of one's own": Change(_other_key_throughout),
    "an amount changed, and the whole log signed anew with its key": _rewritten(
        "UPDATE stored_events SET state=CAST(replace(CAST(state AS TEXT), '\"amount\":600', '\"amount\":500') AS BLOB)"
        " WHERE originator_id='payment/bsu/1/R000000020'"
    ),
    "a payment added to a batch, and taken into the log": _sql(
        _payment(1, "R000000301", "october"), is_taken_into_log=True
    ),
    "a payment added to a batch that has room, not yet in the log": _sql(_payment(1, "R000000301", "october")),
    "a payment of no batch, and taken into the log": _sql(
        _payment(2, "R000000020", "nobodys", 400), is_taken_into_log=True
    ),
    "a batch approved in an officer's name, without their key": Change(_forged_approval),
    "a checkpoint signed with another key": Change(_signed_by_another),
    "unused bits of the checkpoint's signature": Change(_unused_bits),
    "unused bits of an officer's signature": Change(_unused_bits_of_an_officer),
    "a row added to an exported payment list": _relisted(_longer_list),
    "a transaction left out of an exported journal": _relisted(_shorter_journal),
    "an officer's exported key replaced": _relisted(_other_officer_key),
    "a segment of columns left out of an export": _relisted(
        lambda export: next((export / "archive").iterdir()).unlink()
    ),
    "an entry's bundle left out of an export": _relisted(lambda export: (export / "log/tile/entries/001").unlink()),
    "an exported checkpoint of an earlier size": _relisted(
        lambda export: (export / "log/checkpoint").write_text(
            (export / "log/checkpoint").read_text().replace("630", "620")
        )
    ),
}
"""What is done → how."""
