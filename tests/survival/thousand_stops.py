"""Kills the import of people and the run of a batch at random moments, again and again, on one growing ledger.

`python -m tests.survival.thousand_stops [--store sqlite|postgresql] [--stops N] [--seed S]`. A command is carried out
by a process of its own, forked from one that has everything loaded, so that its time is that of its work and not of
its start. It is killed with SIGKILL after a random part of the time that it takes undisturbed; it writes down after
each transaction how long the log was when that was acknowledged. After each kill the log must hold what was
acknowledged and what it held before, and the same command, given again, must complete the work to the right figures.
"""

import contextlib
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cli
from ledger.application import agreements, batches, chunks, disbursement, listed, officers, programs, registration
from ledger.application.attempt import Command
from ledger.application.creation import create
from ledger.application.ledger import Ledger
from ledger.application.people import recipient_id
from ledger.domain.event import Role
from ledger.domain.money import AMOUNT_MAX
from ledger.domain.opening import LedgerOpened
from ledger.domain.program import Kind, ProgramOpened
from ledger.files.tables import Row
from ledger.transparency.keys import Keys
from projections.audit.check import check
from tests.postgres.server import Server
from tests.survival.acknowledged import write_down
from tests.survival.office import people_csv

LOADED = [
    "cli",
    "ledger.commands.agreement",
    "ledger.commands.disburse",
    "ledger.commands.payment",
    "ledger.commands.recipient",
    "ledger.application.aftercare",
    "ledger.application.disbursement",
    "ledger.store.postgres",
    "ledger.vault.postgres",
    "ledger.application.registration",
]
PEOPLE_MAX = 2_800_000
"""As many as there are invented ids."""
PEOPLE_A_FILE = 240
CHUNK_ROWS = 20
TRANCHE = 1_200_000
COMMAND = Command("siti", date(2020, 8, 27))


@dataclass
class Stops:
    """What was done so far."""

    killed: Counter[str] = field(default_factory=Counter)
    """Command → how often it was stopped."""
    too_fast: int = 0
    """How often a command came to its end before it was killed."""
    within: int = 0
    """How often a kill left some, and not all, of a command's events."""
    checked: int = 0
    """How often every law was examined."""


class Desk:
    """A ledger, its files, and the processes that work on it."""

    def __init__(self, folder: Path, chance: random.Random, *, database: str | None = None) -> None:
        self.folder, self.chance, self.people = folder, chance, 0
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(LOADED)
        self._usual_s: dict[str, float] = {}
        opened = LedgerOpened(name="Office", currency="IDR", decimals=0)
        now = datetime.now(UTC)
        with closing(
            create(folder / "ledger", Command(None, now.date()), opened=opened, now=lambda: now, database=database)
        ) as ledger:
            keys = Keys(folder / "keys", passphrase=lambda *_: b"")
            self.siti, self.budi = (
                Command(officer_id, COMMAND.effective_on, signer=keys.signer) for officer_id in ("siti", "budi")
            )
            for officer_id, role in (("siti", Role.MAKER), ("budi", Role.CHECKER)):
                key = keys.make(ledger.fingerprint, officer_id)
                keys.keep(ledger.fingerprint, officer_id, None)
                officers.enroll(ledger, self.siti, officer_id=officer_id, roles=(role,), public_key=key)
            terms = ProgramOpened(program="bsu", name="Wages", kind=Kind.CASH, schedule=(TRANCHE,), fiscal_year=2020)
            programs.open_program(ledger, self.siti, terms=terms)
            programs.set_budget(ledger, self.siti, program="bsu", budget=min(AMOUNT_MAX, PEOPLE_MAX * TRANCHE))
            agreements.adopt_rules(ledger, self.siti)
            agreements.approve(ledger, self.budi, subject="rules")

    def newcomers(self) -> tuple[Path, list[str]]:
        """A file of people who are new to the ledger, and the ids they are to get."""
        numbers = range(self.people + 1, self.people + PEOPLE_A_FILE + 1)
        self.people += PEOPLE_A_FILE
        path = self.folder / "people.csv"
        path.write_text(people_csv(numbers))
        return path, [recipient_id(number) for number in numbers]

    def approved(self, ids: list[str]) -> str:
        """A batch of these people, to be run."""
        batch_id = f"b-{self.people}"
        lines = [Row(line, (each, "")) for line, each in enumerate(ids, 2)]
        with closing(Ledger(self.folder / "ledger")) as ledger:
            disbursement.propose(
                ledger, self.siti, lines, asked=disbursement.PaymentList("bsu", 1, "1" * 64, batch_id), on_reject=_raise
            )  # fmt: skip
            batches.approve(ledger, self.budi, batch_id=batch_id)
        return batch_id

    def log(self, first: int = 0) -> list[bytes]:
        with closing(Ledger(self.folder / "ledger")) as ledger:
            return [line for block in ledger.store.lines(first=first) for line in block.splitlines()]

    def carry_out(self, *arguments: str, officer: str = "siti", kill_after_s: float | None = None) -> tuple[int, int]:
        """Carry out a command; its exit code, and the size of the log that it last saw acknowledged."""
        where = ["--store", str(self.folder / "ledger"), "--keys", str(self.folder / "keys")]
        command = [*where, *arguments, "--officer", officer, "-o", "json"]
        seen = self.folder / "acknowledged"
        seen.write_bytes(b"")
        process = self._processes.Process(
            target=work, args=(command, self.folder, self.people // PEOPLE_A_FILE % 4 == 2)
        )
        process.start()
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            process.kill()
        process.join()
        code = process.exitcode
        process.close()
        said = (self.folder / "err").read_text() if (self.folder / "err").exists() else ""
        assert "Traceback" not in said, said
        assert code == 0 or (code == -signal.SIGKILL and kill_after_s is not None), (code, said)
        told = seen.read_bytes().split()
        return code, int(told[-1]) if told else 0

    def stop(self, stops: Stops, kind: str, *arguments: str, officer: str = "siti") -> list[dict[str, Any]]:
        """Kill a command somewhere and give it again; the events it recorded in all."""
        before = self.size()
        kill_after_s = self.chance.uniform(0.0, self._usual_s.get(kind, 0.3))
        code, acknowledged = self.carry_out(*arguments, officer=officer, kill_after_s=kill_after_s)
        stops.killed[kind] += code < 0
        stops.too_fast += code >= 0
        left = self.log(before)
        assert before + len(left) >= acknowledged, (kind, acknowledged, before, len(left))
        self.assert_nothing_twice(left)
        started = time.monotonic()
        self.carry_out(*arguments, officer=officer)
        if not left:  # so it ran from the beginning, undisturbed
            self._usual_s[kind] = time.monotonic() - started
        whole = self.log(before)
        assert whole[: len(left)] == left, kind
        self.assert_nothing_twice(whole)
        stops.within += 0 < len(left) < len(whole)
        return [json.loads(line) for line in whole]

    def size(self) -> int:
        """How many events there are."""
        with closing(Ledger(self.folder / "ledger")) as ledger:
            return ledger.store.size()

    def assert_nothing_twice(self, lines: list[bytes]) -> None:
        places = [(each["stream"], each["version"]) for each in map(json.loads, lines)]
        assert len(set(places)) == len(places)

    def assert_sound(self) -> None:
        """Every law of the ledger holds."""
        with closing(Ledger(self.folder / "ledger")) as ledger:
            assert [law.name for law in check(ledger.store) if not law.holds] == []


def _raise(reject: object, _: object) -> None:
    raise AssertionError(reject)


def work(arguments: list[str], folder: Path, is_ahead: bool) -> None:
    """Carry out a command line in this process, and write down each transaction once it is acknowledged."""
    for module in (chunks, registration, disbursement, listed):
        module.CHUNK_ROWS = CHUNK_ROWS  # type: ignore[attr-defined]
    # Of every fourth import, a second process places the people; it outlives a kill by as long as it needs to notice.
    registration.AHEAD_ROWS = CHUNK_ROWS if is_ahead else CHUNK_ROWS + 1
    os.chdir(folder)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    write_down(Path("acknowledged"))
    code = cli.run(arguments)
    sys.stdout.flush()
    os._exit(code)


def stop_often(desk: Desk, *, stops: int, check_every: int = 100) -> Stops:
    """Stop imports and runs in turn, so often, and hold every figure against what it must be."""
    done = Stops()
    while done.killed.total() < stops:
        path, ids = desk.newcomers()
        recorded = desk.stop(done, "import", "recipient", "import", str(path))
        registered = [each for each in recorded if each["topic"] == "RecipientRegistered.v1"]
        assert sorted(each["recipient_id"] for each in registered) == ids
        assert len([each for each in recorded if each["topic"] == "FileProcessed.v1"]) == 1

        recorded = desk.stop(done, "run", "disburse", "run", desk.approved(ids))
        paid = [each for each in recorded if each["topic"] == "TrancheDisbursed.v1"]
        assert sorted(each["recipient_id"] for each in paid) == ids
        assert {each["amount"] for each in paid} == {TRANCHE}
        [executed] = [each for each in recorded if each["topic"] == "BatchExecuted.v1"]
        assert (executed["count"], executed["total"]) == (len(ids), len(ids) * TRANCHE)

        paid_again(desk, done, ids[:60])

        if done.killed.total() // check_every >= done.checked + 1:
            desk.assert_sound()
            done.checked += 1
            print(f"{done.killed.total()} kills", file=sys.stderr)
    desk.assert_sound()
    with closing(Ledger(desk.folder / "ledger")) as ledger:
        assert ledger.vault.count() == desk.people
    done.checked += 1
    return done


def paid_again(desk: Desk, done: Stops, ids: list[str]) -> None:
    """Pay what came back again: the proposal, the word on it and the run are each killed somewhere."""
    path, batch_id = desk.folder / "back.csv", f"again-{desk.people}"
    path.write_text("payment\n" + "".join(f"bsu/1/{each}\n" for each in ids))
    desk.carry_out("payment", "return", str(path), "--reason", "AC04")
    recorded = desk.stop(done, "proposal", "payment", "reissue", str(path), "--batch", batch_id)
    assert [each["topic"] for each in recorded] == ["BatchProposed.v1", "ActProposed.v1"]
    recorded = desk.stop(done, "word", "approve", f"batch/{batch_id}", officer="budi")
    assert [each["topic"] for each in recorded] == ["ActAgreed.v1", "BatchApproved.v1"]
    recorded = desk.stop(done, "run again", "disburse", "run", batch_id, officer="budi")
    assert sorted(each["recipient_id"] for each in recorded if each["topic"] == "TrancheReissued.v1") == ids


@contextlib.contextmanager
def database_of(store: str) -> Iterator[str | None]:
    """An empty PostgreSQL database, or none."""
    if store == "sqlite":
        yield None
    else:
        with Server.started() as server:
            yield server.address(server.new_database())


def main() -> None:
    parser = ArgumentParser(
        description="Kill the import of people, the run of batches, and what officers agree to, at random moments."
    )
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--stops", type=int, default=1000, help="how many kills (1000)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    started = time.monotonic()
    with TemporaryDirectory(prefix="stops-") as folder, database_of(given.store) as database:
        desk = Desk(Path(folder), random.Random(given.seed), database=database)
        done = stop_often(desk, stops=given.stops)
        size = desk.size()
    kinds = ", ".join(f"{count} of {kind}" for kind, count in sorted(done.killed.items()))
    print(
        f"{given.store}: {done.killed.total()} kills ({kinds}), {done.within} of them between the first and the last"
        f" event of a command; {done.too_fast} commands were faster. {size:,} events, no acknowledged one lost, none"
        f" twice, every rerun complete; all laws examined {done.checked} times; {time.monotonic() - started:.0f} s."
    )


if __name__ == "__main__":
    main()
