"""Every refusal, provoked through the real code: what it says, and that nothing has changed."""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from ledger.application import destinations, goods, grants, officers, privacy, programs, registration, services
from ledger.application.aftercare import Step
from ledger.application.attempt import Attempt
from ledger.application.creation import create
from ledger.application.disbursement import list_path, reject
from ledger.application.folder import SETTINGS, require_ledger
from ledger.application.ledger import TRIES, Ledger
from ledger.application.moving import Move
from ledger.domain.batch import BatchStateError
from ledger.domain.errors import LedgerError
from ledger.domain.event import Role
from ledger.domain.money import AMOUNT_MAX, Currency, default_decimals
from ledger.domain.opening import LedgerOpened
from ledger.domain.program import BudgetSet, Kind, ProgramOpened
from ledger.files.amounts import parse_amount
from ledger.files.dates import parse_date
from ledger.files.rejects import Reject
from ledger.files.tables import Field, Row, open_table
from ledger.store.server import Database, checked_address
from ledger.store.sqlite import LOCK_TIMEOUT_S
from ledger.transparency.keys import Keys
from ledger.transparency.log import Log, create_log
from ledger.transparency.notes import COSIGNATURE, verifier_key
from ledger.transparency.quorum import Required, RequiredWitness, publish, published, require_witnesses
from ledger.transparency.witness import Witness, create_witness
from projections.audit.figures import ROWS_BYTES_MAX
from projections.audit.figures import publish as publish_figures
from projections.relation.archive import Archive
from projections.reports.engine import Reports
from projections.reports.explain import PROOFS_MAX, explain
from tests.acts import (  # fmt: skip
    BUDI,
    NOW,
    PROGRAM,
    SET_UP,
    SITI,
    TRANCHE,
    approve,
    by,
    entries,
    erase,
    fund,
    kept,
    members,
    nik,
    now,
    pay,
    person,
    propose,
    register,
    run,
    step,
    stop,
)
from tests.ledger.examples_of_events import PUBLIC_KEY
from tests.rooms import refusals

Case = Callable[[Ledger, Path], tuple[dict[str, Any], Callable[[], object]]]
CASES: dict[str, Case] = {}
"""Code of a refusal → what prepares it, and gives the fields to be expected and the act to be refused."""

RUPIAH = Currency("IDR", 0)
FIELDS = (Field("nik", required=True, identifier=True), Field("name"))
OTHER_TERMS = ProgramOpened(program=PROGRAM, name="Other", kind=Kind.CASH, fiscal_year=2020)


def refusal(case: Case) -> Case:
    CASES[case.__name__] = case
    return case


BY_CODE = {cls.code: cls for cls in refusals()}
ON_A_SERVER = {"database_empty", "database_taken", "rights_missing", "store_timeout"}
"""Refusals that only a PostgreSQL server gives; they are provoked in `tests/postgres`."""


@pytest.mark.parametrize("code", sorted(BY_CODE.keys() - ON_A_SERVER))
def test_a_refusal_tells_its_fields_and_changes_nothing(ledger: Ledger, tmp_path: Path, code: str) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    fields, act = CASES[code](ledger, folder)
    before = kept(ledger)
    with pytest.raises(BY_CODE[code]) as refused:
        act()
    assert {name: getattr(refused.value, name) for name in fields} == fields
    assert vars(refused.value).keys() <= fields.keys()
    if code == "contended":  # the rivals went on meanwhile, and only they
        assert [entry.meta.by for entry in entries(ledger, since=SET_UP)] == ["siti"] * TRIES
    else:
        assert kept(ledger) == before


def test_every_code_is_permanent_in_form_and_used_once() -> None:
    assert len(BY_CODE) == len(refusals())
    assert [code for code in BY_CODE if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code)] == []


def test_every_refusal_says_what_can_be_done() -> None:
    """After a semicolon; two sentences have it in their `problem`, where each case says it in its own words."""
    without = [code for code, cls in BY_CODE.items() if ";" not in cls.sentence]
    # Of an identifier kept as a number, the first half is the reason and the second the remedy.
    assert sorted(without) == ["column_map", "value_invalid"]


def test_no_field_of_a_refusal_shows_a_number_that_may_be_a_persons() -> None:
    told = BY_CODE["group_unknown"](program=PROGRAM, group_id=nik(1), nearest="")
    assert vars(told)["group_id"] == "9{16}"
    assert nik(1) not in str(told)


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
def settings_unfit(ledger: Ledger, folder: Path) -> Any:
    (folder / SETTINGS).write_text(json.dumps({"salur": "ledger", "format": "1"}))
    problem = "format: Input should be a valid integer"
    return {"path": str(folder / SETTINGS), "problem": problem}, lambda: require_ledger(folder)


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


# Files


def given(folder: Path, content: str | bytes) -> Path:
    path = folder / "people.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path | None, column_map: dict[str, str] | None = None) -> list[Row | Reject]:
    with open_table(path, FIELDS, column_map or {}) as table:
        return list(table.rows())


def first_reject(path: Path) -> None:
    """Tell of the first row that cannot be read, in the words of its reject."""
    row = read(path)[0]
    assert isinstance(row, Reject)
    error = BY_CODE[row.code](**REJECTED[row.code])
    assert row.reason == str(error)
    raise error


REJECTED: dict[str, dict[str, Any]] = {
    "row_incomplete": {"found": 1, "expected": 2},
    "value_missing": {"field": "nik"},
    "identifier_as_number": {},
}


@refusal
def file_missing(ledger: Ledger, folder: Path) -> Any:
    path = folder / "people.csv"
    return {"path": str(path)}, lambda: read(path)


@refusal
def file_is_directory(ledger: Ledger, folder: Path) -> Any:
    return {"path": str(folder)}, lambda: read(folder)


@refusal
def file_empty(ledger: Ledger, folder: Path) -> Any:
    path = given(folder, "nik,name\n")
    return {"path": str(path)}, lambda: read(path)


@refusal
def file_binary(ledger: Ledger, folder: Path) -> Any:
    path = given(folder, b"nik,name\n\0\0\n")
    return {"path": str(path)}, lambda: read(path)


@refusal
def file_damaged(ledger: Ledger, folder: Path) -> Any:
    path = given(folder, 'nik,name\n1,"never closed\n')
    return {"path": str(path), "reason": "the row that begins in line 2: unexpected end of data"}, lambda: read(path)


@refusal
def sheet_sparse(ledger: Ledger, folder: Path) -> Any:
    book = Workbook()
    sheet = cast("Worksheet", book.active)
    for row in (["nik", "name"], ["1", "a"]):
        sheet.append(row)
    sheet["XFD1048576"] = "stray"
    path = folder / "people.xlsx"
    book.save(path)
    return {"path": str(path), "last_cell": "XFD1048576", "filled": 5}, lambda: read(path)


@refusal
def file_changed(ledger: Ledger, folder: Path) -> Any:
    path = given(folder, "nik,name\n1,a\n2,b\n")

    def act() -> None:
        with open_table(path, FIELDS, {}) as table:
            path.write_text("nik,name\n1,a\n")
            list(table.rows())

    return {"path": str(path)}, act


@refusal
def column_missing(ledger: Ledger, folder: Path) -> Any:
    path = given(folder, "number,name\n1,a\n")
    return {"path": str(path), "field": "nik", "columns": "number, name"}, lambda: read(path)


@refusal
def column_map(ledger: Ledger, folder: Path) -> Any:
    path = given(folder, "number,name\n1,a\n")
    problem = "there is no such column (did you mean number?); the columns are number, name"
    return {"given": "nik=numbr", "problem": problem}, lambda: read(path, {"nik": "numbr"})


@refusal
def row_incomplete(ledger: Ledger, folder: Path) -> Any:
    return REJECTED["row_incomplete"], lambda: first_reject(given(folder, "nik,name\n1\n"))


@refusal
def value_missing(ledger: Ledger, folder: Path) -> Any:
    return REJECTED["value_missing"], lambda: first_reject(given(folder, "nik,name\n,a\n"))


@refusal
def identifier_as_number(ledger: Ledger, folder: Path) -> Any:
    return REJECTED["identifier_as_number"], lambda: first_reject(given(folder, "nik,name\n3.27302E+15,a\n"))


# Single values


@refusal
def value_invalid(ledger: Ledger, folder: Path) -> Any:
    problem = "holds a number of ten or more digits, which may be a person's; leave it out"
    reason = f"see {nik(1)}"
    return {"field": "reason", "problem": problem}, lambda: officers.revoke(
        ledger, SITI, officer_id="budi", reason=reason
    )


@refusal
def amount_invalid(ledger: Ledger, folder: Path) -> Any:
    return {"shape": "A{4}"}, lambda: parse_amount("sejuta"[:4], RUPIAH)


@refusal
def amount_ambiguous(ledger: Ledger, folder: Path) -> Any:
    return {"shape": "9.9{3}"}, lambda: parse_amount("0.500", RUPIAH)


@refusal
def amount_fraction(ledger: Ledger, folder: Path) -> Any:
    return {"shape": "9.9{2}", "currency": "IDR", "decimals": 0}, lambda: parse_amount("1.50", RUPIAH)


@refusal
def amount_not_positive(ledger: Ledger, folder: Path) -> Any:
    return {}, lambda: parse_amount("-1", RUPIAH)


@refusal
def amount_too_large(ledger: Ledger, folder: Path) -> Any:
    return {"largest": AMOUNT_MAX}, lambda: parse_amount(str(AMOUNT_MAX + 1), RUPIAH)


@refusal
def date_invalid(ledger: Ledger, folder: Path) -> Any:
    return {"shape": "9{4}-9{2}-9{2}"}, lambda: parse_date("2020-02-30", None)


@refusal
def date_ambiguous(ledger: Ledger, folder: Path) -> Any:
    return {"shape": "9{2}/9{2}/9{4}"}, lambda: parse_date("05/06/2020", None)


@refusal
def effective_in_future(ledger: Ledger, folder: Path) -> Any:
    tomorrow = by("budi", effective_on=date(2020, 10, 17))
    return {
        "effective_on": "2020-10-17",
        "today": NOW.astimezone().date().isoformat(),
    }, lambda: programs.set_budget(ledger, tomorrow, program=PROGRAM, budget=1)


@refusal
def currency_unknown(ledger: Ledger, folder: Path) -> Any:
    return {"currency": "RPH"}, lambda: default_decimals("RPH")


@refusal
def country_unknown(ledger: Ledger, folder: Path) -> Any:
    return {"country": "XX"}, lambda: destinations.reopen(ledger, SITI, country="XX", decree_ref="294/2020")


@refusal
def reference_reused(ledger: Ledger, folder: Path) -> Any:
    command = by("budi", reference="letter 7")
    programs.set_budget(ledger, command, program=PROGRAM, budget=7)
    return {"reference": "letter 7"}, lambda: programs.set_budget(ledger, command, program=PROGRAM, budget=8)


# Officers


@refusal
def officer_unknown(ledger: Ledger, folder: Path) -> Any:
    return {"officer_id": "sitti", "nearest": " (did you mean siti?)"}, lambda: register_as(ledger, "sitti")


def register_as(ledger: Ledger, officer_id: str, *rows: Row, **more: Any) -> None:
    registration.register(ledger, by(officer_id), rows or [person(1)], **{"file_sha256": None, "category": "worker", "on_reject": stop, **more})  # fmt: skip


@refusal
def officer_exists(ledger: Ledger, folder: Path) -> Any:
    roles = (Role.CHECKER,)
    return {"officer_id": "siti"}, lambda: officers.enroll(ledger, BUDI, officer_id="siti", roles=roles)


@refusal
def officer_revoked(ledger: Ledger, folder: Path) -> Any:
    officers.revoke(ledger, BUDI, officer_id="siti", reason="moved")
    return {"officer_id": "siti"}, lambda: register(ledger, 1)


@refusal
def role_missing(ledger: Ledger, folder: Path) -> Any:
    return {"officer_id": "budi", "role": "maker"}, lambda: register_as(ledger, "budi")


@refusal
def same_officer(ledger: Ledger, folder: Path) -> Any:
    both = (Role.MAKER, Role.CHECKER)
    officers.enroll(ledger, SITI, officer_id="agus", roles=both)
    batch_id = propose(ledger, register(ledger, 1), command=by("agus"))
    return {"officer_id": "agus", "thing": f"batch {batch_id}"}, lambda: approve(ledger, batch_id, command=by("agus"))


SIGNING = ("0123456789abcdef" * 4, "siti")


def keys_with_a_file(folder: Path, passphrase: bytes | None = None) -> tuple[Keys, Path, str]:
    """Keys in a folder with the key of siti in it, its file, and the public key."""
    keys = Keys(folder, passphrase=lambda _: b"kopi")
    public_key = keys.make(*SIGNING)
    return Keys(folder, passphrase=lambda _: b"kopi"), keys.keep(*SIGNING, passphrase), public_key


@refusal
def key_missing(ledger: Ledger, folder: Path) -> Any:
    keys, path, public_key = keys_with_a_file(folder)
    path.unlink()
    return {"officer_id": "siti", "path": str(path)}, lambda: keys.signer(*SIGNING, public_key)


@refusal
def key_locked(ledger: Ledger, folder: Path) -> Any:
    keys, path, public_key = keys_with_a_file(folder, b"teh")
    fields = {"path": str(path), "problem": "another passphrase, or a damaged file"}
    return fields, lambda: keys.signer(*SIGNING, public_key)


@refusal
def key_unreadable(ledger: Ledger, folder: Path) -> Any:
    keys, path, public_key = keys_with_a_file(folder)
    path.write_text("-----BEGIN PRIVATE KEY-----\n")
    return {"path": str(path)}, lambda: keys.signer(*SIGNING, public_key)


@refusal
def key_foreign(ledger: Ledger, folder: Path) -> Any:
    keys, _, _ = keys_with_a_file(folder)
    return {"officer_id": "siti"}, lambda: keys.signer(*SIGNING, PUBLIC_KEY)


@refusal
def key_taken(ledger: Ledger, folder: Path) -> Any:
    enrolled: dict[str, Any] = {"roles": (Role.MAKER,), "public_key": PUBLIC_KEY}
    officers.enroll(ledger, SITI, officer_id="agus", **enrolled)
    return {"officer_id": "agus"}, lambda: officers.enroll(ledger, SITI, officer_id="rina", **enrolled)


# Programs


@refusal
def program_unknown(ledger: Ledger, folder: Path) -> Any:
    fields = {"program": "bsu-2021", "nearest": " (did you mean bsu-2020?)"}
    return fields, lambda: programs.set_budget(ledger, BUDI, program="bsu-2021", budget=1)


@refusal
def program_exists(ledger: Ledger, folder: Path) -> Any:
    return {"program": PROGRAM}, lambda: programs.open_program(ledger, SITI, terms=OTHER_TERMS)


@refusal
def program_too_deep(ledger: Ledger, folder: Path) -> Any:
    opened = OTHER_TERMS.model_copy(update={"program": "level-1"})
    programs.open_program(ledger, SITI, terms=opened)
    for level in range(2, 10):
        opened = opened.model_copy(update={"program": f"level-{level}", "parent": opened.program})
        if level <= 8:
            programs.open_program(ledger, SITI, terms=opened)
    fields = {"program": "level-9", "parent": "level-8", "levels_max": 8}
    return fields, lambda: programs.open_program(ledger, SITI, terms=opened)


@refusal
def program_closed(ledger: Ledger, folder: Path) -> Any:
    recipients = register(ledger, 1)
    programs.close_program(ledger, BUDI, program=PROGRAM, reason="year-end")
    return {"program": PROGRAM}, lambda: propose(ledger, recipients)


@refusal
def program_busy(ledger: Ledger, folder: Path) -> Any:
    approve(ledger, propose(ledger, register(ledger, 2)))
    fields = {"program": PROGRAM, "reserved": 2 * TRANCHE}
    return fields, lambda: programs.close_program(ledger, BUDI, program=PROGRAM, reason="year-end")


@refusal
def schedule_over_ceiling(ledger: Ledger, folder: Path) -> Any:
    terms = OTHER_TERMS.model_copy(update={"program": "new", "ceiling": 10, "schedule": (6, 5)})
    fields = {"program": "new", "total": 11, "ceiling": 10}
    return fields, lambda: programs.open_program(ledger, SITI, terms=terms)


@refusal
def budget_exceeded(ledger: Ledger, folder: Path) -> Any:
    programs.set_budget(ledger, BUDI, program=PROGRAM, budget=TRANCHE)
    batch_id = propose(ledger, register(ledger, 2))
    return {"program": PROGRAM, "asked": 2 * TRANCHE, "available": TRANCHE}, lambda: approve(ledger, batch_id)


@refusal
def budget_below_committed(ledger: Ledger, folder: Path) -> Any:
    pay(ledger, register(ledger, 1))
    fields = {"program": PROGRAM, "committed": TRANCHE, "budget": TRANCHE - 1}
    return fields, lambda: programs.set_budget(ledger, BUDI, program=PROGRAM, budget=TRANCHE - 1)


# Recipients


@refusal
def recipient_unknown(ledger: Ledger, folder: Path) -> Any:
    return {}, lambda: propose(ledger, [nik(1)])


@refusal
def recipient_registered(ledger: Ledger, folder: Path) -> Any:
    [recipient_id] = register(ledger, 1)
    return {"recipient_id": recipient_id}, lambda: register(ledger, 1)


@refusal
def recipient_erased(ledger: Ledger, folder: Path) -> Any:
    [recipient_id] = register(ledger, 1)
    erase(ledger, recipient_id)
    return {"recipient_id": recipient_id}, lambda: privacy.reject_erasure(
        ledger, BUDI, recipient_id=recipient_id, reason="late"
    )


@refusal
def erasure_not_requested(ledger: Ledger, folder: Path) -> Any:
    [recipient_id] = register(ledger, 1)
    return {"recipient_id": recipient_id}, lambda: privacy.approve_erasure(ledger, BUDI, recipient_id=recipient_id)


@refusal
def account_shared(ledger: Ledger, folder: Path) -> Any:
    register(ledger, 1)
    return {}, lambda: register_as(ledger, "siti", person(2, account=person(1).values[2]))


@refusal
def category_not_eligible(ledger: Ledger, folder: Path) -> Any:
    recipients = register(ledger, 1, category="civil-servant")
    fields = {"program": PROGRAM, "category": "civil-servant", "categories": "worker"}
    return fields, lambda: propose(ledger, recipients)


@refusal
def duplicate_in_file(ledger: Ledger, folder: Path) -> Any:
    recipients = register(ledger, 1)
    return {"first": "line 2"}, lambda: propose(ledger, [*recipients, nik(1)])


@refusal
def already_referred(ledger: Ledger, folder: Path) -> Any:
    [recipient_id] = register(ledger, 1)

    def refer(channel: str) -> None:
        row = Row(1, (recipient_id, "kartu-prakerja", channel))
        services.refer(ledger, SITI, [row], on_reject=stop)

    refer("bp2mi")
    fields = {"recipient_id": recipient_id, "scheme": "kartu-prakerja", "channel": "bp2mi"}
    return fields, lambda: refer("p3mi")


# Batches and payments


@refusal
def tranche_unknown(ledger: Ledger, folder: Path) -> Any:
    recipients = register(ledger, 1)
    return {"program": PROGRAM, "tranche": 3, "last": 2}, lambda: propose(ledger, recipients, tranche=3)


@refusal
def ceiling_exceeded(ledger: Ledger, folder: Path) -> Any:
    [recipient_id] = register(ledger, 1)
    fields = {"program": PROGRAM, "asked": str(TRANCHE + 1), "ceiling": TRANCHE}
    return fields, lambda: propose(ledger, [(recipient_id, str(TRANCHE + 1))])


@refusal
def already_paid(ledger: Ledger, folder: Path) -> Any:
    [recipient_id] = register(ledger, 1)
    batch_id = pay(ledger, [recipient_id])
    fields = {"payment_id": f"{PROGRAM}/1/{recipient_id}", "batch_id": batch_id}
    return fields, lambda: propose(ledger, [recipient_id])


@refusal
def batch_unknown(ledger: Ledger, folder: Path) -> Any:
    propose(ledger, register(ledger, 1), batch_id="october-1")
    fields = {"batch_id": "october-2", "nearest": " (did you mean october-1?)"}
    return fields, lambda: approve(ledger, "october-2")


@refusal
def batch_exists(ledger: Ledger, folder: Path) -> Any:
    first, second = register(ledger, 2)
    propose(ledger, [first], batch_id="october")
    fields = {"batch_id": "october", "status": "proposed"}
    return fields, lambda: propose(ledger, [second], batch_id="october")


@refusal
def batch_empty(ledger: Ledger, folder: Path) -> Any:
    return {"refused": 2}, lambda: propose(ledger, [nik(1), nik(2)], on_reject=lambda *_: None)


@refusal
def batch_state(ledger: Ledger, folder: Path) -> Any:
    batch_id = propose(ledger, register(ledger, 1))
    remedy = "another officer must approve it first: `salur disburse approve`"
    return {"batch_id": batch_id, "status": "proposed", "remedy": remedy}, lambda: run(ledger, batch_id)


@pytest.mark.parametrize("act", ["approve", "run"])
def test_a_rejected_batch_is_neither_approved_nor_run(ledger: Ledger, act: str) -> None:
    batch_id = propose(ledger, register(ledger, 1))
    reject(ledger, BUDI, batch_id=batch_id, reason="late")
    before = kept(ledger)
    with pytest.raises(BatchStateError) as refused:
        (approve if act == "approve" else run)(ledger, batch_id)
    assert refused.value.status == "rejected"
    assert kept(ledger) == before


@refusal
def batch_list_changed(ledger: Ledger, folder: Path) -> Any:
    batch_id = propose(ledger, register(ledger, 2))
    approve(ledger, batch_id)
    path = list_path(ledger, batch_id)
    path.write_text(path.read_text().replace("1200000", "1200001", 1))
    return {"batch_id": batch_id, "what": "its SHA-256"}, lambda: run(ledger, batch_id)


@refusal
def batch_list_missing(ledger: Ledger, folder: Path) -> Any:
    batch_id = propose(ledger, register(ledger, 2))
    approve(ledger, batch_id)
    list_path(ledger, batch_id).unlink()
    return {"path": str(list_path(ledger, batch_id))}, lambda: run(ledger, batch_id)


@refusal
def payment_unknown(ledger: Ledger, folder: Path) -> Any:
    pay(ledger, register(ledger, 1))
    fields = {"payment_id": f"{PROGRAM}/1/R000000002", "nearest": " (did you mean R000000001?)"}
    return fields, lambda: step(ledger, Step.SETTLE, f"{PROGRAM}/1/R000000002")


@refusal
def payment_state(ledger: Ledger, folder: Path) -> Any:
    [recipient_id] = register(ledger, 1)
    pay(ledger, [recipient_id])
    payment_id = f"{PROGRAM}/1/{recipient_id}"
    fields = {"payment_id": payment_id, "status": "disbursed", "needed": "returned", "step": "refunded"}
    return fields, lambda: step(ledger, Step.REFUND, payment_id)


# Groups


@refusal
def group_unknown(ledger: Ledger, folder: Path) -> Any:
    fund(ledger, *members("garut-1", *register(ledger, 1)))
    fields = {"program": "tkm-2020", "group_id": "garut-2", "nearest": " (did you mean garut-1?)"}
    return fields, lambda: grants.account(ledger, SITI, program="tkm-2020", group_id="garut-2", report_ref="LPJ 1")


@refusal
def group_already_funded(ledger: Ledger, folder: Path) -> Any:
    rows = members("g1", *register(ledger, 1))
    fund(ledger, *rows)
    other = grants.Terms(amount="1", proposal="P 1", decree="SK 1", decree_on="2020-09-01")
    return {"program": "tkm-2020", "group_id": "g1"}, lambda: fund(ledger, *rows, terms=other)


@refusal
def papers_missing(ledger: Ledger, folder: Path) -> Any:
    rows = members("g1", *register(ledger, 1))
    return {"group_id": "g1", "paper": "proposal"}, lambda: fund(ledger, *rows, terms=grants.Terms(amount="1"))


@refusal
def decree_outside_fiscal_year(ledger: Ledger, folder: Path) -> Any:
    rows = members("g1", *register(ledger, 1))
    terms = grants.Terms(amount="1", proposal="P 1", decree="SK 1", decree_on="2021-01-04")
    fields = {"group_id": "g1", "decree_on": "2021-01-04", "fiscal_year": 2020}
    return fields, lambda: fund(ledger, *rows, terms=terms)


@refusal
def roster_invalid(ledger: Ledger, folder: Path) -> Any:
    rows = members("g1", *register(ledger, 1), nik(2), nik(3))

    def stop_at_the_group(reject: Reject, error: LedgerError | None) -> None:
        if reject.code == "roster_invalid":
            stop(reject, error)

    return {"group_id": "g1", "bad_members": 2}, lambda: fund(ledger, *rows, on_reject=stop_at_the_group)


@refusal
def member_elsewhere(ledger: Ledger, folder: Path) -> Any:
    recipients = register(ledger, 2)
    fund(ledger, *members("g1", *recipients))
    fields = {"program": "tkm-2020", "group_id": "g1"}

    def stop_at_the_member(reject: Reject, error: LedgerError | None) -> None:
        if reject.field == "recipient":
            stop(reject, error)

    return fields, lambda: fund(ledger, *members("g2", recipients[0]), on_reject=stop_at_the_member)


@refusal
def report_given(ledger: Ledger, folder: Path) -> Any:
    fund(ledger, *members("g1", *register(ledger, 1)))
    report = {"program": "tkm-2020", "group_id": "g1"}
    grants.account(ledger, SITI, **report, report_ref="LPJ 1")
    return {"group_id": "g1", "report_ref": "LPJ 1"}, lambda: grants.account(ledger, SITI, **report, report_ref="LPJ 2")


# Goods and destinations


def stock_masks(ledger: Ledger, unit: str = "piece") -> None:
    goods.stock(ledger, SITI, item="mask", quantity=1000, unit=unit, origin="BLK Serang")


def ship_masks(ledger: Ledger, shipment_id: str = "m1", item: str = "mask", quantity: int = 700) -> None:
    goods.ship(ledger, SITI, shipment_id=shipment_id, item=item, quantity=quantity, country="HK")


@refusal
def item_unknown(ledger: Ledger, folder: Path) -> Any:
    stock_masks(ledger)
    fields = {"item": "masks", "nearest": " (did you mean mask?)"}
    return fields, lambda: ship_masks(ledger, item="masks")


@refusal
def unit_mismatch(ledger: Ledger, folder: Path) -> Any:
    stock_masks(ledger)
    return {"item": "mask", "unit": "piece", "given": "box"}, lambda: stock_masks(ledger, unit="box")


@refusal
def stock_insufficient(ledger: Ledger, folder: Path) -> Any:
    stock_masks(ledger)
    return {"item": "mask", "asked": 1001, "available": 1000}, lambda: ship_masks(ledger, quantity=1001)


@refusal
def shipment_exists(ledger: Ledger, folder: Path) -> Any:
    stock_masks(ledger)
    ship_masks(ledger)
    return {"shipment_id": "m1"}, lambda: ship_masks(ledger, quantity=1)


def deliver(ledger: Ledger, shipment_id: str, quantity: int | None) -> None:
    goods.deliver(ledger, SITI, shipment_id=shipment_id, quantity=quantity, proof_ref="POD 1")


@refusal
def shipment_unknown(ledger: Ledger, folder: Path) -> Any:
    stock_masks(ledger)
    ship_masks(ledger, "hk-1")
    fields = {"shipment_id": "hk-2", "nearest": " (did you mean hk-1?)"}
    return fields, lambda: deliver(ledger, "hk-2", 1)


@refusal
def delivery_exceeds_shipment(ledger: Ledger, folder: Path) -> Any:
    stock_masks(ledger)
    ship_masks(ledger)
    return {"shipment_id": "m1", "asked": 701, "open_quantity": 700}, lambda: deliver(ledger, "m1", 701)


@refusal
def destination_open(ledger: Ledger, folder: Path) -> Any:
    destinations.reopen(ledger, SITI, country="HK", decree_ref="294/2020")
    fields = {"country": "HK", "decree_ref": "294/2020"}
    return fields, lambda: destinations.reopen(ledger, SITI, country="hk", decree_ref="295/2020")


@refusal
def thing_unknown(ledger: Ledger, folder: Path) -> Any:
    return {"thing": "bsu-202", "nearest": " (did you mean bsu-2020?)"}, lambda: ledger.history("bsu-202")


@refusal
def log_size(ledger: Ledger, folder: Path) -> Any:
    import duckdb

    from projections.relation import relations as events

    def act() -> None:
        with duckdb.connect() as connection:
            events.load(connection, ledger.store)
            events.view(connection, date(2020, 12, 31), SET_UP + 1)

    return {"size": SET_UP, "asked": SET_UP + 1}, act


def explained(ledger: Ledger, figure: str) -> Any:
    with Reports(ledger.store) as reports:
        return explain(reports, figure, as_of=date(2020, 12, 31))


@refusal
def figure_unknown(ledger: Ledger, folder: Path) -> Any:
    fields = {
        "figure": "programs/bsu-202/disbursed",
        "problem": "programs has no row 'bsu-202'",
        "nearest": " (did you mean bsu-2020?)",
        "known": "bsu-2020, tkm-2020",
    }
    return fields, lambda: explained(ledger, "programs/bsu-202/disbursed")


@refusal
def proofs_too_many(ledger: Ledger, folder: Path) -> Any:
    rows = [Row(line, (recipient, "s1")) for line, recipient in enumerate(register(ledger, PROOFS_MAX + 1), start=2)]
    services.train(ledger, SITI, rows, program=PROGRAM, on_reject=stop)
    log = create_log(folder / "log", ledger.store)
    log.grow()

    def act() -> None:
        with Reports(ledger.store) as reports:
            found = explain(reports, f"training/{PROGRAM}/attendances", as_of=date(2020, 12, 31))
            found.prove(log, folder / "proofs", page=None)

    return {"asked": PROOFS_MAX + 1, "most": PROOFS_MAX}, act


def test_every_refusal_is_provoked() -> None:
    assert sorted([*CASES, *ON_A_SERVER]) == sorted(BY_CODE)
