"""A connection that breaks: what was recorded is never refused, what was not is never said to be, nothing is paid twice."""

import re
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import monotonic

import psycopg
import pytest

import cli
from ledger.application import programs
from ledger.application.folder import Place, write_settings
from ledger.application.ledger import Ledger
from ledger.domain.errors import AnswerLostError
from ledger.store.errors import StoreLockedError, StoreTimeoutError, StoreUnreachableError
from ledger.store.postgres import PostgresLedgerFactory
from ledger.store.postgres_tables import TURN
from ledger.store.recorder import Conflict
from ledger.store.server import Database
from projections.audit.check import check
from tests.acts import PROGRAM, SITI, approve, entries, now, propose, register, run
from tests.postgres.server import OFFICER, Home, Line, Server

COMMIT = rb"COMMIT(?!TED)"  # and not the level that a transaction begins with


def once(pattern: bytes, *, times: int = 1) -> Callable[[bytes], bool]:
    """Says yes to the first messages with these bytes in them."""
    left = times

    def is_cut(data: bytes) -> bool:
        nonlocal left
        if re.search(pattern, data) and left:
            left -= 1
            return True
        return False

    return is_cut


def ledger_behind(line: Line, home: Home) -> Ledger:
    write_settings(Place(home.folder, line.address(home.name)))
    return Ledger(home.folder, now=now)


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALUR_DATABASE_TIMEOUT", "1")
    monkeypatch.setattr("ledger.store.server.MARGIN_S", 0)


@pytest.mark.parametrize("silent", [False, True])
def test_a_commit_whose_answer_is_lost_is_found_recorded(server: Server, home: Home, *, silent: bool) -> None:
    with (
        closing(Line(server, is_cut=once(COMMIT), silent=silent)) as line,
        closing(ledger_behind(line, home)) as ledger,
    ):
        size = ledger.store.size()
        recorded = programs.set_budget(ledger, SITI, program=PROGRAM, budget=90_000_000)
        assert line.cuts == 1
        assert [each.event for each in recorded] == [each.event for each in entries(ledger, size)]
        assert ledger.store.size() == size + 1


def test_a_run_whose_every_second_commit_loses_its_answer_pays_each_once(
    server: Server, home: Home, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = propose(ledger, register(ledger, 60))
    approve(ledger, batch_id)
    monkeypatch.setattr("ledger.application.chunks.CHUNK_ROWS", 10)
    seen = 0

    def every_second_commit(data: bytes) -> bool:
        nonlocal seen
        is_commit = re.search(COMMIT, data) is not None
        seen += is_commit
        return is_commit and seen % 2 == 1

    with closing(Line(server, is_cut=every_second_commit)) as line, closing(ledger_behind(line, home)) as cut:
        tally = run(cut, batch_id)
        assert line.cuts >= 3
        assert (tally.taken, tally.repeated) == (60, 0)
        assert all(law.holds for law in check(cut.store))


def test_a_registration_whose_answers_are_lost_gives_each_person_one_number(server: Server, home: Home) -> None:
    seen: list[bytes] = []

    def is_cut(data: bytes) -> bool:  # the vault's commit, then the store's
        found = re.search(COMMIT, data)
        seen.extend([data] if found else [])
        return found is not None and len(seen) in (1, 3)

    with closing(Line(server, is_cut=is_cut)) as line, closing(ledger_behind(line, home)) as ledger:
        assert register(ledger, 5) == [f"R{number:09}" for number in range(1, 6)]
        assert (
            line.cuts,
            ledger.vault.count(),
            ledger.vault.rows.highest() + 1,
        ) == (2, 5, 6)
        assert all(law.holds for law in check(ledger.store))


def test_the_command_says_that_the_outcome_is_not_known(
    server: Server, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = threading.Event()

    def is_cut(data: bytes) -> bool:
        if re.search(COMMIT, data):
            gone.set()
        return gone.is_set()

    command = ["--store", str(home.folder), "program", "budget", PROGRAM, "90000000", "--officer", "siti"]
    with closing(Line(server, is_cut=is_cut)) as line:
        write_settings(Place(home.folder, line.address(home.name)))
        assert cli.run(command) == 5
    assert "NOT KNOWN whether this step was recorded" in capsys.readouterr().err
    write_settings(Place(home.folder, server.address(home.name, OFFICER)))
    assert cli.run(command) == 0
    assert capsys.readouterr().out == "Nothing new: this was already recorded.\n"


def test_what_was_cut_before_its_commit_is_recorded_once_by_the_next_attempt(server: Server, home: Home) -> None:
    with closing(Line(server, is_cut=once(b"COPY salur"))) as line, closing(ledger_behind(line, home)) as ledger:
        size = ledger.store.size()
        programs.set_budget(ledger, SITI, program=PROGRAM, budget=90_000_000)
        assert (line.cuts, ledger.store.size()) == (1, size + 1)


def test_a_reading_that_was_cut_is_done_again(server: Server, home: Home) -> None:
    with (
        closing(Line(server, is_cut=once(b"string_agg", times=2))) as line,
        closing(ledger_behind(line, home)) as ledger,
    ):
        assert len(b"".join(ledger.store.lines()).splitlines()) == ledger.store.size()
        assert line.cuts == 2


def test_an_outcome_that_cannot_be_asked_for_is_no_refusal(server: Server, home: Home, ledger: Ledger) -> None:
    """From the first COMMIT on, nothing comes back any more, whoever asks."""
    gone = False

    def is_cut(data: bytes) -> bool:
        nonlocal gone
        gone = gone or re.search(COMMIT, data) is not None
        return gone

    size = ledger.store.size()
    with closing(Line(server, is_cut=is_cut)) as line, closing(ledger_behind(line, home)) as cut:
        started = monotonic()
        with pytest.raises(AnswerLostError):
            programs.set_budget(cut, SITI, program=PROGRAM, budget=90_000_000)
        assert monotonic() - started < 10
    # It was recorded all the same, and the same command finds that.
    assert ledger.store.size() == size + 1
    assert programs.set_budget(ledger, SITI, program=PROGRAM, budget=90_000_000) == []


def test_a_conflict_with_another_writer_stays_one(ledger: Ledger) -> None:
    """Only who lost an answer takes a stored event for their own, however alike the two are."""
    row = ("program/x", 1, "BudgetSet.v1", b"{}")
    ledger.store.append([row])
    with pytest.raises(Conflict):
        ledger.store.append([row])


# Every wait has an end


def within(seconds: float, started: float) -> bool:
    return monotonic() - started < seconds


def test_a_lock_that_another_keeps_is_told_in_time(ledger: Ledger, home: Home, server: Server) -> None:
    with closing(psycopg.connect(server.address(home.name))) as other:
        other.execute(f"SELECT turn FROM {TURN} FOR UPDATE")
        started = monotonic()
        with pytest.raises(StoreLockedError):
            programs.set_budget(ledger, SITI, program=PROGRAM, budget=90_000_000)
        assert within(3, started)


def test_a_statement_that_takes_too_long_is_told_in_time(home: Home, server: Server) -> None:
    with closing(Database(server.address(home.name))) as database:
        started = monotonic()
        with pytest.raises(StoreTimeoutError, match="statement timeout"):
            database.read("SELECT pg_sleep(30)")
        assert within(3, started)


def test_a_line_that_falls_silent_is_told_in_time(server: Server, home: Home) -> None:
    with (
        closing(Line(server, is_cut=lambda data: b"MAX" in data, silent=True)) as line,
        closing(PostgresLedgerFactory(line.address(home.name))) as factory,
    ):
        started = monotonic()
        with pytest.raises(StoreUnreachableError, match="no answer within 1 s"):
            factory.application_recorder().size()
        assert within(5, started)


def test_a_server_that_takes_no_connection_is_told_in_time(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        host, port = deaf.getsockname()
        for address in (f"postgresql://{host}:{port}/x?sslmode=disable", f"postgresql:///x?host={tmp_path}"):
            started = monotonic()
            with pytest.raises(StoreUnreachableError):
                Database(address).read("SELECT 1")
            assert within(4, started)
