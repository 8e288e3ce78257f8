"""What people do in a hurry: each is answered by a code, a sentence and an exit code, and changes nothing."""

import json
import os
import shutil
import sqlite3
import subprocess
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ledger.application.people import recipient_id
from tests.survival.office import BATCH, SALUR, Ended, Office, nik, payments_csv, people_csv

REFUSED, USAGE, SOME_REJECTED, BROKEN = 1, 2, 3, 4


def assert_refused(told: Ended, code: str, *words: str) -> None:
    """Refused by that code, in one sentence that says what to do."""
    assert told.code == REFUSED, told
    assert told.refusal == code, told
    sentence = told.err.strip().rpartition("Refused [")[2].partition("]: ")[2]
    assert "\n" not in sentence
    assert "; " in sentence or code == "value_invalid", sentence
    for word in words:
        assert word in sentence
    assert not told.out


# The ledger's folder


@pytest.mark.parametrize(
    "command", [("report", "programs"), ("disburse", "run", BATCH), ("check",), ("history", "bsu")]
)
def test_a_folder_without_a_ledger_is_named_with_the_remedy(command: tuple[str, ...], tmp_path: Path) -> None:
    office = Office(tmp_path, folder=tmp_path / "nowhere")

    assert_refused(office.salur(*command), "ledger_missing", str(office.folder), "init", "--store")

    assert list(tmp_path.iterdir()) == []


def test_without_a_store_the_usual_folder_is_named(tmp_path: Path) -> None:
    environment = Office(tmp_path).environment("siti")
    done = subprocess.run([SALUR, "report", "programs"], cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert_refused(Ended(done.returncode, done.stdout, done.stderr), "ledger_missing", "salur-ledger")


def test_another_folder_is_not_taken_for_a_ledger(desk: Office) -> None:
    assert_refused(Office(desk.desk, folder=desk.folder / "batches").salur("check"), "ledger_missing")
    assert_refused(Office(desk.desk, folder=desk.folder / "events.db").salur("check"), "ledger_missing")


def test_a_ledger_of_a_newer_version_is_left_alone(desk: Office) -> None:
    (desk.folder / "ledger.json").write_text(json.dumps({"salur": "ledger", "format": 99}))
    before = desk.log()

    assert_refused(desk.salur("disburse", "run", BATCH), "ledger_newer", "99", "newer salur")

    assert desk.log() == before


def test_a_ledger_is_not_made_over_another_one(desk: Office) -> None:
    before = {path: path.read_bytes() for path in desk.folder.rglob("*") if path.is_file()}

    assert_refused(desk.salur("init"), "ledger_exists")

    assert {path: path.read_bytes() for path in desk.folder.rglob("*") if path.is_file()} == before


def test_a_ledger_is_not_made_among_other_files(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.folder.mkdir()
    (office.folder / "letter.txt").write_text("important")

    assert_refused(office.salur("init"), "folder_not_empty")
    assert [path.name for path in office.folder.iterdir()] == ["letter.txt"]

    file = Office(tmp_path, folder=office.folder / "letter.txt")
    assert_refused(file.salur("init"), "folder_not_empty")


# Files


def binary(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 40)


def cut_in_a_row(path: Path) -> None:
    path.write_text(people_csv(range(241, 251))[:-9] + '"')


def damaged_workbook(path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for line in people_csv(range(241, 261)).splitlines():
        sheet.append(line.split(","))
    book.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])


def foreign_archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing.csv": (lambda _: None, "file_missing"),
    "missing-folder.csv/people.csv": (lambda _: None, "file_missing"),
    "empty.csv": (Path.touch, "file_empty"),
    "header-only.csv": (lambda path: path.write_text("nik,name\n"), "file_empty"),
    "folder.csv": (Path.mkdir, "file_is_directory"),
    "binary.csv": (binary, "file_binary"),
    "picture.xlsx": (binary, "file_binary"),
    "letter.xlsx": (foreign_archive, "file_binary"),
    "cut.xlsx": (damaged_workbook, "file_damaged"),
    "column-missing.csv": (lambda path: path.write_text("number,name\n1,Orang\n"), "column_missing"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("command", [("recipient", "import"), ("disburse", "propose", "--program=bsu", "--tranche=2")])
def test_a_file_that_cannot_be_read_is_told(command: tuple[str, ...], name: str, desk: Office) -> None:
    make, code = FILES[name]
    make(desk.desk / name)
    before = desk.log()

    assert_refused(desk.salur(*command, name), code)

    assert desk.log() == before
    assert not list(desk.desk.glob("*.rejects.csv"))


def test_the_whole_rows_of_a_half_written_file_go_in_and_the_cut_one_is_named(desk: Office) -> None:
    text = people_csv(range(241, 251))
    cut = desk.file("people.csv", text[: text.rindex(",Orang")])

    told = desk.salur("recipient", "import", cut)

    assert told.code == SOME_REJECTED, told
    [reject] = (desk.desk / "people.rejects.csv").read_text().splitlines()[1:]
    assert reject.startswith("11,")
    assert "row_incomplete" in reject
    assert nik(250) not in reject
    desk.file("people.csv", text)
    desk.done("recipient", "register", "--nik", nik(250), "--name", "Orang 250", "--category", "worker")
    desk.assert_sound()


def test_a_file_cut_within_quotes_is_told_before_anything_is_taken_twice(desk: Office) -> None:
    cut_in_a_row(desk.desk / "people.csv")
    told = desk.salur("recipient", "import", "people.csv")

    assert told.code == SOME_REJECTED or told.refusal == "file_damaged", told
    desk.file("people.csv", people_csv(range(241, 251)))
    assert desk.salur("recipient", "import", "people.csv").code in (0, SOME_REJECTED)
    assert len(desk.events("RecipientRegistered")) == 250
    desk.assert_sound()


def test_rejects_that_cannot_be_written_are_told(desk: Office) -> None:
    file, before = desk.file("people.csv", "nik,name\n12,Orang\n"), desk.log()

    told = desk.salur("recipient", "import", file, "--category", "worker", "--rejects", "no-such-folder/rejects.csv")

    assert_refused(told, "store_failed", "no-such-folder")
    assert desk.log() == before


# Names


UNKNOWN = {
    "program_unknown": (("program", "show", "bsuu"), "did you mean bsu?"),
    "officer_unknown": (("disburse", "run", BATCH, "--officer", "sitti"), "did you mean siti?"),
    "batch_unknown": (("disburse", "run", "bsu-one"), "did you mean bsu-1?"),
    "payment_unknown": (("payment", "settle", f"bsu/1/{recipient_id(201)}"), f"did you mean {recipient_id(200)}?"),
    "group_unknown": (("group", "report", "kopi-2", "--program", "jps", "--report", "LPJ"), "did you mean kopi-1?"),
    "shipment_unknown": (("goods", "deliver", "hk1", "--proof", "BA"), "did you mean hk-1?"),
    "item_unknown": (("goods", "ship", "maks", "5", "--shipment", "hk-2", "--to", "HK"), "did you mean mask?"),
    "thing_unknown": (("history", "bsu-latter"), "did you mean bsu-later?"),
    "tranche_unknown": (("disburse", "propose", "pay.csv", "--program", "bsu", "--tranche", "3"), "1 to 2"),
    "recipient_unknown": (("disburse", "one", "R000999999", "--program", "bsu", "--tranche", "1"), "register"),
    "country_unknown": (("goods", "ship", "mask", "5", "--shipment", "hk-2", "--to", "XX"), "HK"),
}


@pytest.fixture
def furnished(desk: Office) -> Office:
    """With something of everything."""
    desk.done("disburse", "run", BATCH)
    desk.done("goods", "stock", "mask", "100", "--unit", "piece", "--from", "Koperasi")
    desk.done("goods", "ship", "mask", "10", "--shipment", "hk-1", "--to", "HK")
    papers = f"kopi-1,{recipient_id(1)},10000000,P-1,SK-1,2020-07-01\n"
    desk.file("groups.csv", "group,recipient,amount,proposal,decree,decree_on\n" + papers)
    desk.done("group", "fund", "groups.csv", "--program", "jps")
    desk.file("pay.csv", payments_csv([1]))
    return desk


def test_a_wrong_name_is_answered_with_the_nearest_right_one(furnished: Office) -> None:
    before = furnished.log()

    for code, (command, words) in UNKNOWN.items():
        assert_refused(furnished.salur(*command), code, words)

    assert furnished.log() == before


def test_a_wrong_command_or_option_is_a_usage_error(desk: Office) -> None:
    before = desk.log()

    for command in (
        ("disburs",),
        ("disburse", "pay"),
        ("disburse", "run"),
        ("report", "everything"),
        ("disburse", "run", BATCH, "--fast"),
        ("disburse", "run", BATCH, "--effective-on", "31/31/2020"),
        ("report", "programs", "--known-at", "yesterday"),
    ):
        told = desk.salur(*command)
        assert told.code == USAGE, told
        assert told.err

    assert desk.log() == before


# Steps out of order


def test_approving_twice_is_no_error_and_says_so(desk: Office) -> None:
    before = desk.log()

    told = desk.done("disburse", "approve", BATCH, officer="budi")

    assert "Nothing new" in told.out
    assert desk.log() == before


def test_a_batch_is_not_paid_before_it_is_approved(desk: Office) -> None:
    before = desk.log()

    assert_refused(desk.salur("disburse", "run", "bsu-later"), "batch_state", "salur disburse approve")

    assert desk.log() == before


def test_the_maker_of_a_batch_cannot_approve_it(desk: Office) -> None:
    before = desk.log()

    assert_refused(desk.salur("disburse", "approve", "bsu-later", officer="siti"), "role_missing", "checker")

    assert desk.log() == before


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda path: path.write_text(path.read_text().replace("1200000", "9200000", 1)), "batch_list_changed"),
        (lambda path: path.write_text(path.read_text() + f"{recipient_id(240)},1200000\n"), "batch_list_changed"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "batch_list_changed"),
        (lambda path: path.write_bytes(b""), "batch_list_changed"),
        (lambda path: path.write_bytes(os.urandom(100)), "batch_list_changed"),
        (Path.unlink, "batch_list_missing"),
    ],
)
def test_a_payment_list_that_is_not_the_approved_one_pays_nobody(
    change: Callable[[Path], object], code: str, desk: Office
) -> None:
    change(desk.folder / "batches" / f"{BATCH}.csv")
    before = desk.log()

    assert_refused(desk.salur("disburse", "run", BATCH), code, "propose")

    assert desk.log() == before
    desk.file("again.csv", payments_csv(range(1, 201)))
    desk.done("disburse", "propose", "again.csv", "--program", "bsu", "--tranche", "1", "--batch", BATCH)
    assert desk.log() == before
    desk.done("disburse", "run", BATCH)
    desk.assert_sound()


def test_somebody_must_act(desk: Office) -> None:
    before = desk.log()

    told = desk.salur("disburse", "run", BATCH, officer=None)

    assert told.code == USAGE
    assert "--officer" in told.err
    assert desk.log() == before


def test_a_date_after_today_is_meant_or_refused(desk: Office) -> None:
    before = desk.log()
    later = ("disburse", "run", BATCH, "--effective-on", "2199-12-31")

    assert_refused(desk.salur(*later), "effective_in_future", "2199-12-31", "--allow-future")
    assert desk.log() == before

    desk.done(*later, "--allow-future")


# Damage


def damaged_at(path: Path, start: float, end: float) -> None:
    """Overwrite a part of a file, from one share of its length to another, by what was never there."""
    content = bytearray(path.read_bytes())
    here, there = int(len(content) * start), int(len(content) * end)
    content[here:there] = os.urandom(there - here)
    path.write_bytes(content)


@pytest.mark.parametrize(("start", "end"), [(0.0, 0.001), (0.0, 0.2), (0.2, 0.4), (0.45, 0.55), (0.7, 0.8), (0.9, 1.0)])
def test_a_damaged_database_is_never_taken_for_a_sound_one(start: float, end: float, desk: Office) -> None:
    desk.done("disburse", "run", BATCH)
    damaged_at(desk.folder / "events.db", start, end)

    told = desk.salur("check")

    assert told.code in (REFUSED, BROKEN), told
    assert told.refusal or "BROKEN" in told.err
    for command in (("report", "programs"), ("disburse", "run", BATCH), ("history", BATCH), ("report", "journal")):
        told = desk.salur(*command)
        assert told.code in (0, REFUSED, BROKEN), told


def test_a_database_cut_short_is_never_taken_for_a_sound_one(desk: Office) -> None:
    desk.done("disburse", "run", BATCH)
    path = desk.folder / "events.db"
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])

    assert desk.salur("check").code in (REFUSED, BROKEN)
    assert desk.salur("report", "programs").code in (REFUSED, BROKEN)


@pytest.mark.parametrize("value", ["'{}'", "x'00ff'", "7", "NULL || 'text'", "x'7b7d'"])
def test_an_event_that_was_overwritten_is_never_taken_for_a_sound_one(value: str, desk: Office) -> None:
    with closing(sqlite3.connect(desk.folder / "events.db")) as database, database:
        value = value.replace("NULL || ", "")
        database.execute(
            f"UPDATE stored_events SET state={value} WHERE originator_id='program/bsu' AND originator_version=2"
        )

    assert desk.salur("check").code == BROKEN
    for command in (("program", "show", "bsu"), ("disburse", "approve", "bsu-later", "--officer", "budi")):
        told = desk.salur(*command)
        assert told.code in (REFUSED, BROKEN), told
        assert told.err


@pytest.mark.parametrize("damage", ["key missing", "key of another", "key cut", "vault missing", "vault damaged"])
def test_a_vault_that_does_not_open_is_told(damage: str, desk: Office) -> None:
    key, vault = desk.folder / "vault.key", desk.folder / "vault.db"
    file, before = desk.file("people.csv", people_csv(range(241, 251))), desk.log()
    match damage:
        case "key missing":
            key.unlink()
        case "key of another":
            key.write_bytes(os.urandom(32))
        case "key cut":
            key.write_bytes(key.read_bytes()[:16])
        case "vault missing":
            vault.unlink()
        case "vault damaged":
            damaged_at(vault, 0.0, 0.5)

    told = desk.salur("recipient", "import", file)

    if damage.startswith("key"):
        assert_refused(told, "vault_key", str(key))
    else:
        assert told.code in (REFUSED, BROKEN), told
        assert told.err
    assert desk.log() == before
    assert vault.exists() == (damage != "vault missing")
    assert desk.done("disburse", "run", BATCH), "money needs no personal data"


def test_a_ledger_without_its_events_is_told(desk: Office) -> None:
    (desk.folder / "events.db").unlink()

    for command in (("report", "programs"), ("disburse", "run", BATCH), ("check",)):
        told = desk.salur(*command)
        assert told.code in (REFUSED, BROKEN), told
        assert told.err


# A reader who goes away


@pytest.mark.parametrize(
    "command",
    [
        ("report", "programs"),
        ("report", "balances", "-o", "csv"),
        ("report", "journal"),
        ("history", BATCH),
        ("history", BATCH, "-o", "json"),
        ("check",),
        ("--help",),
    ],
)
def test_a_reader_who_goes_away_is_not_told_about_a_broken_pipe(command: tuple[str, ...], desk: Office) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        told = desk.salur(*command, stdout=writer)
    finally:
        os.close(writer)

    assert told.code == 0, told
    assert told.err in ("", "Every law holds.\n")


def test_a_payment_is_recorded_also_when_nobody_reads_what_is_said(desk: Office) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        told = desk.salur("disburse", "run", BATCH, stdout=writer)
    finally:
        os.close(writer)

    assert told.code == 0, told
    assert len(desk.events("BatchExecuted")) == 1


# Copies


def test_a_copy_of_the_folder_is_the_ledger(desk: Office, tmp_path: Path) -> None:
    copy = Office(tmp_path, folder=tmp_path / "copy")
    shutil.copytree(desk.folder, copy.folder)

    copy.done("disburse", "run", BATCH)

    copy.assert_sound()
    assert len(desk.log()) == len(copy.log()) - 200 - 2
