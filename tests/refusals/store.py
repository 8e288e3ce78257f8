"""The ledger's folder, its database, its log and its archive."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.application import programs
from ledger.application.attempt import Attempt
from ledger.application.creation import begin_log, create
from ledger.application.folder import SETTINGS, Place, require_ledger, write_settings
from ledger.application.ledger import Ledger
from ledger.application.moving import Move
from ledger.application.vaults import rotate
from ledger.domain.opening import LedgerOpened
from ledger.domain.program import BudgetSet, Kind, ProgramOpened
from ledger.store.server import Database, checked_address
from ledger.store.sqlite import LOCK_TIMEOUT_S
from ledger.transparency.log import Log, create_log
from ledger.transparency.notes import COSIGNATURE, verifier_key
from ledger.transparency.quorum import Required, RequiredWitness, publish, published, require_witnesses
from ledger.transparency.witness import Witness, create_witness
from projections.audit.figures import ROWS_BYTES_MAX
from projections.audit.figures import publish as publish_figures
from projections.relation.archive import Archive
from projections.reports.engine import Reports
from tests.acts import (  # fmt: skip
    BUDI,
    PROGRAM,
    SET_UP,
    SITI,
    TRANCHE,
    approve,
    by,
    now,
    propose,
    register,
    run,
)
from tests.refusals.case import refusal

# The ledger's folder and its database


@refusal
def ledger_missing(ledger: Ledger, folder: Path) -> Any:
    return {"folder": str(folder)}, lambda: Ledger(folder)


@refusal
def ledger_exists(ledger: Ledger, folder: Path) -> Any:
    opened = LedgerOpened(name="Again", currency="USD", decimals=2)
    return {"folder": str(ledger.folder)}, lambda: create(ledger.folder, by(None), opened=opened, now=now)


@refusal
def folder_not_empty(ledger: Ledger, folder: Path) -> Any:
    (folder / "letter.txt").touch()
    opened = LedgerOpened(name="New", currency="IDR", decimals=0)
    return {"folder": str(folder)}, lambda: create(folder, by(None), opened=opened, now=now)


@refusal
def ledger_newer(ledger: Ledger, folder: Path) -> Any:
    (folder / SETTINGS).write_text(json.dumps({"salur": "ledger", "format": 2}))
    return {"folder": str(folder), "found": 2, "known": 1}, lambda: require_ledger(folder)


@refusal
def owners_group(ledger: Ledger, folder: Path) -> Any:
    opened = LedgerOpened(name="B", currency="IDR", decimals=0)
    fields = {"group": "no-such-group", "problem": "there is none of that name"}
    return fields, lambda: create(folder / "b", by(None), opened=opened, now=now, group="no-such-group")


@refusal
def settings_unfit(ledger: Ledger, folder: Path) -> Any:
    (folder / SETTINGS).write_text(json.dumps({"salur": "ledger", "format": "1"}))
    problem = "format: Input should be a valid integer"
    return {"path": str(folder / SETTINGS), "problem": problem}, lambda: require_ledger(folder)


@refusal
def settings_of_another(ledger: Ledger, folder: Path) -> Any:
    other = create(folder / "other", by(None), opened=LedgerOpened(name="B", currency="IDR", decimals=0), now=now)
    named = other.fingerprint[:16]
    other.close()
    shutil.copy(folder / "other" / SETTINGS, ledger.folder / SETTINGS)
    fields = {"named": named, "found": ledger.fingerprint[:16]}
    return fields | {"path": str(ledger.folder / SETTINGS)}, lambda: Ledger(ledger.folder)


@contextmanager
def pragma(ledger: Ledger, statement: str, undo: str) -> Iterator[None]:
    """A setting of the ledger's own connection to its database."""
    with cast("Any", ledger.store).datastore.transaction(commit=False) as cursor:
        cursor.execute(statement)
    try:
        yield
    finally:
        with cast("Any", ledger.store).datastore.transaction(commit=False) as cursor:
            cursor.execute(undo)


@refusal
def store_locked(ledger: Ledger, folder: Path) -> Any:
    def act() -> None:
        with closing(sqlite3.connect(ledger.folder / "events.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pragma(ledger, "PRAGMA busy_timeout=1", f"PRAGMA busy_timeout={LOCK_TIMEOUT_S * 1000}"):
                programs.set_budget(ledger, BUDI, program=PROGRAM, budget=1)

    return {}, act


@refusal
def store_failed(ledger: Ledger, folder: Path) -> Any:
    def act() -> None:
        with pragma(ledger, "PRAGMA query_only=ON", "PRAGMA query_only=OFF"):
            programs.set_budget(ledger, BUDI, program=PROGRAM, budget=1)

    return {"reason": "attempt to write a readonly database"}, act


@refusal
def disk_full(ledger: Ledger, folder: Path) -> Any:
    programs.set_budget(ledger, BUDI, program=PROGRAM, budget=500 * TRANCHE)
    batch_id = propose(ledger, register(ledger, 500))
    approve(ledger, batch_id)

    def act() -> None:
        with pragma(ledger, "PRAGMA max_page_count=1", "PRAGMA max_page_count=1073741823"):
            run(ledger, batch_id)

    return {}, act


@refusal
def segment_mismatch(ledger: Ledger, folder: Path) -> Any:
    archive = Archive(folder / "archive", ledger.store, segment_events=2)
    first, second, *_ = archive.seal()
    second.path.write_bytes(first.path.read_bytes())
    problem = "its events are not those that the store holds from 2 to 3"
    return {"segment": second.path.name, "problem": problem}, archive.segments


@refusal
def event_too_large(ledger: Ledger, folder: Path) -> Any:
    categories = tuple(f"category-{number:08}-and-its-kind" for number in range(2_000))
    terms = ProgramOpened(program="large", name="L", kind=Kind.CASH, fiscal_year=2020, categories=categories)
    act = partial(programs.open_program, ledger, SITI, terms=terms)
    return {"size_bytes_max": 65_535, "size_bytes": len(line_of(terms))}, act


def line_of(terms: ProgramOpened) -> bytes:
    """What the event would be in the log, an officer's words and instant in it."""
    place = {"stream": terms.stream, "version": 1, "topic": "ProgramOpened.v1"}
    said = {"recorded_at": "2020-10-15T03:00:00Z", "effective_on": "2020-10-15", "by": "siti"}
    stated = {**place, **said, **json.loads(terms.model_dump_json(exclude_none=True))}
    return json.dumps(stated, separators=(",", ":"), ensure_ascii=False).encode()


@refusal
def log_missing(ledger: Ledger, folder: Path) -> Any:
    return {"folder": str(ledger.folder)}, lambda: ledger.transparency_log


@refusal
def log_exists(ledger: Ledger, folder: Path) -> Any:
    create_log(folder / "log", ledger.store, origin="salur/one")
    fields = {"folder": str(folder / "log"), "origin": "salur/one"}
    return fields, lambda: create_log(folder / "log", ledger.store, origin="salur/two")


@refusal
def log_left_out(ledger: Ledger, folder: Path) -> Any:
    begin_log(ledger, SITI)
    write_settings(Place(ledger.folder))
    without = Ledger(ledger.folder, now=now)
    fields = {
        "origin": ledger.log_begun.origin if ledger.log_begun else "",
        "problem": f"the settings in {ledger.folder} name no log",
    }

    def act() -> None:
        with closing(without):
            programs.set_budget(without, BUDI, program=PROGRAM, budget=1)

    return fields, act


@refusal
def log_key(ledger: Ledger, folder: Path) -> Any:
    log = create_log(folder / "log", ledger.store)
    (folder / "log" / "key").write_bytes(bytes(32))
    return {"path": str(folder / "log" / "key"), "problem": "another one made this log"}, log.grow


@refusal
def not_in_log(ledger: Ledger, folder: Path) -> Any:
    log = create_log(folder / "log", ledger.store)
    log.grow()
    return {"size": SET_UP, "asked": SET_UP}, lambda: log.prove(SET_UP)


def requiring(ledger: Ledger, folder: Path) -> Log:
    """A log that requires a witness whom nobody can reach."""
    log = create_log(folder / "log", ledger.store, origin="salur/one")
    key = verifier_key("witness.example", Ed25519PrivateKey.generate(), COSIGNATURE)
    require_witnesses(log, Required((RequiredWitness(key, "http://127.0.0.1:1"),), 1))
    return log


@refusal
def checkpoint_unpublished(ledger: Ledger, folder: Path) -> Any:
    return {"origin": "salur/one"}, partial(published, requiring(ledger, folder))


@refusal
def quorum_missed(ledger: Ledger, folder: Path) -> Any:
    problem = "witness.example: it cannot be reached (Connection refused)"
    fields = {"cosigned": 0, "quorum": 1, "size": 0, "problems": problem}
    return fields, partial(publish, requiring(ledger, folder))


@refusal
def witness_missing(ledger: Ledger, folder: Path) -> Any:
    return {"folder": str(folder)}, lambda: Witness(folder)


@refusal
def witness_exists(ledger: Ledger, folder: Path) -> Any:
    create_witness(folder, name="witness.example/one")
    fields = {"folder": str(folder), "name": "witness.example/one"}
    return fields, lambda: create_witness(folder, name="witness.example/two")


@refusal
def log_known(ledger: Ledger, folder: Path) -> Any:
    witness = create_witness(folder / "witness", name="witness.example/one")
    one, other = (verifier_key("salur/one", Ed25519PrivateKey.generate()) for _ in range(2))
    witness.add_log(one, now=now)
    return {"origin": "salur/one"}, lambda: witness.add_log(other, now=now)


@refusal
def signer_elsewhere(ledger: Ledger, folder: Path) -> Any:
    log = create_log(folder / "log", ledger.store)
    log.grow()
    (folder / "log" / "key").unlink()

    def act() -> None:
        with Reports(ledger.store) as reports:
            publish_figures(reports, log, "programs", as_of=date(2020, 12, 31), checkpoint=log.note())

    return {"path": str(folder / "log" / "key")}, act


@refusal
def figures_too_large(ledger: Ledger, folder: Path) -> Any:
    rows = (
        f'{{"program":"bsu","tranche":1,"recipient_id":"R{number:09}","amount":600,"batch_id":"b1",'
        '"recorded_at":"2020-10-15T03:00:00.000000Z","effective_on":"2020-10-15","by":"siti"}'
        for number in range(40_000)
    )
    ledger.store.append(
        [(f"payment/bsu/1/R{at:09}", 1, "TrancheDisbursed.v1", row.encode()) for at, row in enumerate(rows)]
    )
    log = create_log(folder / "log", ledger.store)
    log.grow()

    def act() -> None:
        with Reports(ledger.store) as reports:
            publish_figures(reports, log, "balances", as_of=date(2020, 12, 31), checkpoint=log.note())

    return {"report": "balances", "size_bytes_max": ROWS_BYTES_MAX}, act


@refusal
def contended(ledger: Ledger, folder: Path) -> Any:
    def act() -> None:
        with closing(Ledger(ledger.folder, now=now)) as rival:
            budgets = iter(range(1, 1000))

            def decide(attempt: Attempt) -> list[BudgetSet]:
                budget = attempt.program("tkm-2020").budget
                programs.set_budget(rival, SITI, program="tkm-2020", budget=next(budgets))
                return [BudgetSet(program="tkm-2020", budget=0, previous=budget)]

            ledger.carry_out(BUDI, decide)

    return {"stream": "program/tkm-2020"}, act


def of_changed_vault(ledger: Ledger, folder: Path, statement: str) -> Callable[[], None]:
    """Registering somebody in a copy of the ledger whose vault a statement changed."""
    copy = folder / "copy"
    shutil.copytree(ledger.folder, copy)
    with closing(sqlite3.connect(copy / "vault.db")) as database, database:
        database.execute(statement)

    def act() -> None:
        with closing(Ledger(copy, now=now)) as other:
            register(other, 1)

    return act


@refusal
def vault_older(ledger: Ledger, folder: Path) -> Any:
    return {}, of_changed_vault(ledger, folder, "CREATE TABLE key_check (mac BLOB NOT NULL)")


@refusal
def vault_rotated(ledger: Ledger, folder: Path) -> Any:
    copy = folder / "copy"
    shutil.copytree(ledger.folder, copy)

    def act() -> None:
        with closing(Ledger(copy, now=now)) as other:
            assert other.vault.count() == 0
            rotate(other.place)
            register(other, 1)

    return {}, act


@refusal
def vault_newer(ledger: Ledger, folder: Path) -> Any:
    return {"found": 3, "known": 2}, of_changed_vault(ledger, folder, "UPDATE vault SET format=3")


@refusal
def vault_key(ledger: Ledger, folder: Path) -> Any:
    copy = folder / "copy"
    shutil.copytree(ledger.folder, copy)
    (copy / "vault.key").write_bytes(bytes(32))

    def act() -> None:
        with closing(Ledger(copy, now=now)) as other:
            register(other, 1)

    return {"path": str(copy / "vault.key")}, act


@refusal
def copy_differs(ledger: Ledger, folder: Path) -> Any:
    copy = folder / "copy"
    Move(ledger.folder, copy).carry_out()
    with closing(Ledger(copy, now=now)) as other:
        programs.set_budget(other, BUDI, program=PROGRAM, budget=1)
    programs.set_budget(ledger, BUDI, program=PROGRAM, budget=2)
    return {"folder": str(copy), "log_index": SET_UP}, lambda: Move(ledger.folder, copy).carry_out()


@refusal
def database_address(ledger: Ledger, folder: Path) -> Any:
    return {"problem": "it cannot be read"}, lambda: checked_address("salur")


@refusal
def password_in_argument(ledger: Ledger, folder: Path) -> Any:
    return {}, lambda: checked_address("postgresql://siti:secret@host/salur")


@refusal
def store_unreachable(ledger: Ledger, folder: Path) -> Any:
    socket = f'connection to server on socket "{folder}/.s.PGSQL.5432" failed: No such file or directory'
    address = f"postgresql:///salur?host={folder}&user=siti"
    return {"reason": socket}, lambda: Database(address).read("SELECT 1")
