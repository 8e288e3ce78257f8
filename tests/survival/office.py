"""An office at work: a ledger's folder, files on a desk beside it, and real processes of the real command."""

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self, cast

from ledger.application import agreements, batches, disbursement, officers, programs, registration
from ledger.application.attempt import Attempt, Command
from ledger.application.creation import create
from ledger.application.ledger import Ledger
from ledger.application.people import recipient_id
from ledger.domain.event import Role
from ledger.domain.opening import LedgerOpened
from ledger.domain.program import Kind, Program, ProgramOpened
from ledger.domain.recipient import RecipientRegistered
from ledger.files.rejects import Reject
from ledger.files.tables import Row
from ledger.store.entries import to_entry
from ledger.store.recorder import LedgerRecorder
from ledger.store.sqlite import LedgerFactory
from ledger.transparency.keys import Keys
from projections.audit.check import check

PEOPLE = 6_000
TRANCHE = 1_200_000
BUDGET = 4 * PEOPLE * TRANCHE
TODAY = date(2020, 8, 27)
BATCH = "bsu-1"
SALUR = str(Path(sys.executable).with_name("salur"))
WAIT_S = 120
"""For a process that should have ended by itself; no test is about how long it takes."""


def nik(number: int) -> str:
    """A national id that has the right form and belongs to nobody: there is no province 99."""
    day, serial = divmod(number, 10_000)
    return f"990101{day % 28 + 1:02}{day // 28 + 1:02}80{serial:04}"


def people_csv(numbers: Iterable[int]) -> str:
    lines = [f"{nik(number)},Orang {number},{7_000_000_000 + number},worker\n" for number in numbers]
    return "nik,name,account,category\n" + "".join(lines)


def payments_csv(numbers: Iterable[int], amount: int | str = "") -> str:
    return "recipient,amount\n" + "".join(f"{recipient_id(number)},{amount}\n" for number in numbers)


@dataclass(frozen=True)
class Ended:
    """A process that ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The code in brackets of the last sentence on standard error."""
        return self.err.rpartition("Refused [")[2].partition("]")[0]


class Office:
    """One ledger in `desk/ledger`; commands run with the desk as their working folder."""

    def __init__(self, desk: Path, *, folder: Path | None = None) -> None:
        self.desk = desk
        self.folder = folder or desk / "ledger"

    # Commands

    def start(self, *arguments: str, officer: str | None = "siti", **more: Any) -> "subprocess.Popen[str]":
        """Start one command; `more` is for the process, such as its standard input."""
        return subprocess.Popen(
            [SALUR, "--store", str(self.folder), *arguments],
            cwd=self.desk,
            env=self.environment(officer) | more.pop("env", {}),
            **({"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more),
            text=True,
        )

    def environment(self, officer: str | None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SALUR_", "LC_", "COV"))}
        spoken = {"SALUR_KEYS": "keys", "LANG": "C.UTF-8", "NO_COLOR": "1", "PYTHONWARNINGS": "error", "COLUMNS": "200"}
        return kept | spoken | ({"SALUR_OFFICER": officer} if officer else {})

    def salur(self, *arguments: str, officer: str | None = "siti", **more: Any) -> Ended:
        """Run one command to its end."""
        return ended(self.start(*arguments, officer=officer, **more))

    def done(self, *arguments: str, officer: str | None = "siti", **more: Any) -> Ended:
        """Run one command that must succeed."""
        told = self.salur(*arguments, officer=officer, **more)
        assert told.code == 0, told
        return told

    def at_once(self, *commands: Sequence[str], officers: Sequence[str] = ()) -> list[Ended]:
        """Run commands that all want to record at the same moment.

        They start behind a lock on the database, so that those who are there in time have all decided on the same
        state when it opens.
        """
        whose = officers or ["siti"] * len(commands)
        with self.locked():
            started = [self.start(*each, officer=who) for each, who in zip(commands, whose, strict=True)]
            time.sleep(0.7 + 0.1 * len(commands))
        return [ended(each) for each in started]

    @contextmanager
    def locked(self, name: str = "events.db") -> Iterator[None]:
        """Keep everybody else from writing."""
        with closing(sqlite3.connect(self.folder / name, isolation_level=None, timeout=60)) as database:
            database.execute("BEGIN IMMEDIATE")
            yield
            database.execute("ROLLBACK")

    def file(self, name: str, text: str | bytes) -> str:
        path = self.desk / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    # What is stored

    @contextmanager
    def opened(self) -> Iterator[Ledger]:
        with closing(Ledger(self.folder)) as ledger:
            yield ledger

    @contextmanager
    def recorder(self) -> Iterator[LedgerRecorder]:
        recorder = LedgerFactory(self.folder / "events.db").application_recorder()
        assert isinstance(recorder, LedgerRecorder)
        try:
            yield recorder
        finally:
            cast("Any", recorder).datastore.close()

    def log(self) -> list[tuple[str, int, str, dict[str, Any]]]:
        """Every event in order (stream, version, name, fields), without the instant of its recording, and what signs it."""
        with closing(sqlite3.connect(self.folder / "events.db")) as database:
            rows = database.execute(
                "SELECT originator_id, originator_version, topic, state FROM stored_events ORDER BY rowid"
            ).fetchall()
        found = []
        for stream, version, topic, state in rows:
            fields = json.loads(state)
            fields.pop("recorded_at")
            fields.pop("signature", None)
            found.append((stream, version, topic.partition(".")[0], fields))
        return found

    def events(self, name: str) -> list[dict[str, Any]]:
        return [fields for _, _, topic, fields in self.log() if topic == name]

    def size(self) -> int:
        with closing(sqlite3.connect(self.folder / "events.db")) as database:
            return int(database.execute("SELECT COUNT(*) FROM stored_events").fetchone()[0])

    def program(self, code: str = "bsu") -> Program:
        with self.opened() as ledger:
            return Attempt(ledger, Command(None, TODAY)).program(code)

    def assert_paid_once(self, *, count: int, total: int) -> None:
        """So many tranches were paid, each of them once, and the program's money says the same."""
        paid = self.events("TrancheDisbursed")
        assert len({(each["program"], each["tranche"], each["recipient_id"]) for each in paid}) == len(paid) == count
        assert sum(each["amount"] for each in paid) == total
        assert sum(each["amount"] for each in self.events("FundsSpent")) == total
        program = self.program()
        assert (program.reserved, program.spent, program.available) == (0, total, BUDGET - total)

    def assert_sound(self) -> None:
        """Every law of the ledger holds, and vault and ledger know the same people."""
        with self.recorder() as recorder:
            broken = [(law.name, law.broken[:3]) for law in check(recorder) if not law.holds]
        assert not broken
        with self.opened() as ledger:
            registered = {}
            for rows in ledger.store.select_streams(ledger.store.streams("recipient/")).values():
                event = to_entry(rows[0]).event
                assert isinstance(event, RecipientRegistered)
                registered[event.recipient_id] = event.commitment
            assert registered == dict(_commitments(ledger))

    def leftovers(self) -> list[str]:
        """Files in the ledger's folder that no ledger needs."""
        known = {"ledger.json", "events.db", "vault.db", "vault.key", "batches", "log"}
        found = [
            each.name
            for each in self.folder.iterdir()
            if each.name.removesuffix("-wal").removesuffix("-shm") not in known
        ]
        return found + [
            each.name for each in (self.folder / "batches").iterdir() if each.suffix not in (".csv", ".jsonl")
        ]


class Tail(threading.Thread):
    """Reads the log while others write it, each time from where it had come: as lines, and as notifications."""

    def __init__(self, store: LedgerRecorder) -> None:
        super().__init__()
        self._store, self._is_over = store, threading.Event()
        self.lines: list[bytes] = []
        self.notifications: list[int] = []
        self.grew = 0
        """How often it found something new."""

    def run(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._is_over.is_set()
            before = len(self.lines)
            self.lines += [line for block in self._store.lines(first=before) for line in block.splitlines()]
            found = self._store.select_notifications((self.notifications or [0])[-1] + 1, 1_000_000)
            self.notifications += [each.id for each in found]
            self.grew += len(self.lines) > before

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()

    def assert_nothing_missed(self, store: LedgerRecorder) -> None:
        """Each event was read once, in the order of the log."""
        size = store.size()
        assert [json.loads(line)["log_index"] for line in self.lines] == list(range(size))
        assert self.notifications == list(range(1, size + 1))
        assert b"".join(store.lines()).splitlines() == self.lines


def _commitments(ledger: Ledger) -> Iterator[tuple[str, str]]:
    """Recipient id → the commitment that the vault's data and salt open."""
    for row in ledger.vault.rows.page(0, 1_000_000):
        yield recipient_id(row.number), hashlib.sha256(ledger.vault.opened(row).salted).hexdigest()


def ended(process: "subprocess.Popen[str]") -> Ended:
    """Wait for a process; no end of one may look like a bug."""
    try:
        out, err = process.communicate(timeout=WAIT_S)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    found = Ended(process.returncode, out or "", err or "")
    assert "Traceback" not in found.err, found.err
    assert "Exception ignored" not in found.err, found.err
    return found


def killed_after(process: "subprocess.Popen[str]", delay_s: float) -> int:
    """Kill a process after a while; its exit code, which is that of a kill unless it was faster."""
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode


# Making one


def open_office(desk: Path, *, people: int = PEOPLE) -> Office:
    """A ledger with two programs, a maker (siti), two checkers (budi, tari) and registered people."""
    office = Office(desk)
    command = Command("siti", TODAY)
    create(
        office.folder,
        Command(None, TODAY),
        opened=LedgerOpened(name="Office", currency="IDR", decimals=0),
        now=lambda: datetime.now(UTC),
    ).close()
    with office.opened() as ledger:
        for officer_id, role in (("siti", Role.MAKER), ("budi", Role.CHECKER), ("tari", Role.CHECKER)):
            officers.enroll(ledger, command, officer_id=officer_id, roles=(role,))
        for terms in (
            ProgramOpened(program="bsu", name="Wages", kind=Kind.CASH, schedule=(TRANCHE, TRANCHE), fiscal_year=2020),
            ProgramOpened(program="jps", name="Jobs", kind=Kind.GROUP_GRANT, ceiling=40_000_000, fiscal_year=2020),
        ):
            programs.open_program(ledger, command, terms=terms)
        programs.set_budget(ledger, command, program="bsu", budget=BUDGET)
        programs.set_budget(ledger, command, program="jps", budget=100_000_000)
        rows = [
            Row(n, (nik(n), f"Orang {n}", str(7_000_000_000 + n), "", "", "worker", "", "", ""))
            for n in range(1, people + 1)
        ]
        registration.register(ledger, command, rows, file_sha256="0" * 64, on_reject=_unexpected)
    return office


def bind(office: Office, *, umbrella: int = 0) -> None:
    """Give the officers keys, which lie on the desk, and let two of them adopt the rules."""
    keys = Keys(office.desk / "keys", passphrase=lambda *_: b"")
    with office.opened() as ledger:
        for officer_id, giver in (("siti", "budi"), ("budi", "tari"), ("tari", "budi")):
            public_key = keys.make(ledger.fingerprint, officer_id)
            keys.keep(ledger.fingerprint, officer_id, None)
            officers.replace_key(
                ledger, signed(office, giver), officer_id=officer_id, public_key=public_key, reason="the first"
            )
        if umbrella:
            terms = ProgramOpened(program="all", name="All", kind=Kind.UMBRELLA, fiscal_year=2020)
            programs.open_program(ledger, signed(office, "siti"), terms=terms)
            programs.set_budget(ledger, signed(office, "siti"), program="all", budget=umbrella)
            for code in ("one", "two"):
                terms = ProgramOpened(program=code, parent="all", name=code, kind=Kind.CASH, fiscal_year=2020)
                programs.open_program(ledger, signed(office, "siti"), terms=terms)
        agreements.adopt_rules(ledger, signed(office, "siti"))
        agreements.approve(ledger, signed(office, "budi"), subject="rules")


def signed(office: Office, officer_id: str) -> Command:
    """A command of an officer whose key lies on the desk."""
    return Command(officer_id, TODAY, signer=Keys(office.desk / "keys", passphrase=lambda *_: b"").signer)


def propose(
    office: Office, numbers: Iterable[int], *, batch_id: str = BATCH, tranche: int = 1, approve: bool = True
) -> None:
    """Put people up for a tranche, and let a second officer agree."""
    with office.opened() as ledger:
        disbursement.propose(
            ledger,
            Command("siti", TODAY),
            [Row(n, (recipient_id(n), "")) for n in numbers],
            asked=disbursement.PaymentList("bsu", tranche, "1" * 64, batch_id),
            on_reject=_unexpected,
        )
        if approve:
            batches.approve(ledger, Command("budi", TODAY), batch_id=batch_id)


def _unexpected(reject: Reject, _: object) -> None:
    raise AssertionError(reject)
