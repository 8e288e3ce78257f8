"""The officers of a log, with each key they held and for how long, as files that openssl reads."""

import base64
import csv
import io
from dataclasses import dataclass

from ledger.domain.officer import OfficerEnrolled, OfficerKeyReplaced, OfficerRevoked
from ledger.store.entries import to_event
from ledger.store.recorder import EventLog

_ED25519 = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes of an Ed25519 key in its DER form (RFC 8410)."""
_TOPICS = (OfficerEnrolled.TOPIC, OfficerKeyReplaced.TOPIC, OfficerRevoked.TOPIC)
_PAGE = 1_000
COLUMNS = ("officer", "roles", "public_key", "from_event", "until_event", "pem")


@dataclass
class Tenure:
    """An officer with one key."""

    officer: str
    roles: str
    public_key: str | None
    from_event: int
    until_event: int | None = None
    """At which the key was replaced or the officer revoked."""


def pem(public: bytes) -> bytes:
    """An Ed25519 public key as openssl reads it."""
    return b"-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(_ED25519 + public) + b"\n-----END PUBLIC KEY-----\n"


def tenures(log: EventLog) -> list[Tenure]:
    """Who held which key from which event on, in order of the log."""
    found: list[Tenure] = []
    newest: dict[str, Tenure] = {}
    start: int | None = 1
    while start is not None:
        page = log.page(start, _PAGE, topics=_TOPICS)
        for stored in page:
            event, index = to_event(stored), int(stored.id) - 1
            if not isinstance(event, OfficerEnrolled | OfficerKeyReplaced | OfficerRevoked):
                continue
            before = newest.get(event.officer_id)
            if before is not None:
                before.until_event = index if before.until_event is None else before.until_event
            if isinstance(event, OfficerRevoked):
                continue
            roles = " ".join(event.roles) if isinstance(event, OfficerEnrolled) else before.roles if before else ""
            newest[event.officer_id] = Tenure(event.officer_id, roles, event.public_key, index)
            found.append(newest[event.officer_id])
        start = int(page[-1].id) + 1 if page else None
    return found


def officers_files(log: EventLog) -> dict[str, bytes]:
    """Path → content: the list of officers, and each key."""
    files: dict[str, bytes] = {}
    table = io.StringIO(newline="")
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(COLUMNS)
    for each in tenures(log):
        path = ""
        if each.public_key is not None:
            path = f"officers/{each.officer}-{each.from_event}.pem"
            files[path] = pem(base64.b64decode(each.public_key))
        until = "" if each.until_event is None else each.until_event
        rows.writerow((each.officer, each.roles, each.public_key or "", each.from_event, until, path))
    return {"officers.csv": table.getvalue().encode(), **files}
