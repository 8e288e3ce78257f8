"""A `--reference` stands for one request: whatever input decides what is recorded, another one is another request."""

import json
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

import cli
from ledger.application.requests import Request
from tests.acts import nik, older_ledger
from tests.rooms import commands

KEY_A, KEY_B = "A" * 43 + "=", "A" * 42 + "E="


def papers(proposal: str) -> tuple[str, ...]:
    given = ("--amount", "1000", "--decree", "SK 1", "--decree-on", "2020-03-01", "--region", "32.73")
    return (*given, "--proposal", proposal)


ALSO: dict[str, tuple[str, ...] | list[str]] = {"date_order": ["--date-order", "dmy"], "decimal": ["--decimal", ","]}

CASES: dict[str, tuple[tuple[str, ...], dict[str, tuple[str, ...] | list[str]]]] = {
    "officer enroll": (
        ("tari", "--role", "maker", "--public-key", KEY_A),
        {
            "officer_id": ("rina", "--role", "maker", "--public-key", KEY_A),
            "roles": ("tari", "--role", "checker", "--public-key", KEY_A),
            "public_key": ("tari", "--role", "maker", "--public-key", KEY_B),
            "without_key": ("tari", "--role", "maker", "--without-key"),
        },
    ),
    "officer replace-key": (
        ("agus", "--public-key", KEY_B, "--reason", "lost"),
        {
            "officer_id": ("siti", "--public-key", KEY_B, "--reason", "lost"),
            "public_key": ("agus", "--public-key", "B" * 42 + "A=", "--reason", "lost"),
            "reason": ("agus", "--public-key", KEY_B, "--reason", "stolen"),
        },
    ),
    "officer role": (
        ("agus", "--give", "checker", "--reason", "decree 5"),
        {
            "officer_id": ("siti", "--give", "checker", "--reason", "decree 5"),
            "given": ["--give", "maker"],
            "taken": ["--take", "maker"],
            "reason": ["--reason", "decree 6"],
        },
    ),
    "officer revoke": (
        ("agus", "--reason", "moved"),
        {"officer_id": ("budi", "--reason", "moved"), "reason": ("agus", "--reason", "died")},
    ),
    "program open": (
        ("new", "--name", "New", "--kind", "cash", "--fiscal-year", "2020"),
        {
            "code": ("other", "--name", "New", "--kind", "cash", "--fiscal-year", "2020"),
            "name": ("new", "--name", "Newer", "--kind", "cash", "--fiscal-year", "2020"),
            "kind": ("new", "--name", "New", "--kind", "training", "--fiscal-year", "2020"),
            "fiscal_year": ("new", "--name", "New", "--kind", "cash", "--fiscal-year", "2021"),
            "parent": ["--parent", "bsu"],
            "ceiling": ["--ceiling", "1000"],
            "tranches": ["--tranche", "1000"],
            "legal_basis": ["--legal-basis", "UU 1"],
            "categories": ["--category", "worker"],
            "report_due_days": ["--report-due-days", "30"],
        },
    ),
    "program amend": (
        ("spare", "--name", "Spare", "--reason", "decree 16"),
        {
            "code": ("jps2", "--name", "Spare", "--reason", "decree 16"),
            "name": ["--name", "Other"],
            "ceiling": ["--ceiling", "5000"],
            "tranches": ["--tranche", "500"],
            "legal_basis": ["--legal-basis", "decree 16"],
            "categories": ["--category", "worker"],
            "report_due_days": ["--report-due-days", "30"],
            "reason": ["--reason", "decree 17"],
        },
    ),
    "program budget": (("bsu", "5000000"), {"code": ("jps", "5000000"), "amount": ("bsu", "5000001")}),
    "program close": (
        ("spare", "--reason", "done"),
        {"code": ("jps", "--reason", "done"), "reason": ("spare", "--reason", "late")},
    ),
    "recipient register": (
        ("--nik", nik(90), "--name", "Ana", "--category", "worker"),
        {
            "nik": ("--nik", nik(91), "--name", "Ana", "--category", "worker"),
            "name": ("--nik", nik(90), "--name", "Ani", "--category", "worker"),
            "category": ("--nik", nik(90), "--name", "Ana", "--category", "pmi"),
            "account": ["--account", "77"],
            "bank": ["--bank", "BNI"],
            "phone": ["--phone", "77"],
            "address": ["--address", "Jl. 1"],
            "region": ["--region", "32.73"],
            "shared_account": ["--shared-account", "household"],
        },
    ),
    "recipient import": (
        ("more.csv", "--category", "worker"),
        {
            "file": ("most.csv", "--category", "worker"),
            "category": ("more.csv", "--category", "pmi"),
            "column_map": ["--map", "phone=name"],
            **ALSO,
        },
    ),
    "recipient erase request": (
        ("R000000001", "--reason", "asked", "--legal-basis", "UU 27"),
        {
            "recipient_id": ("R000000002", "--reason", "asked", "--legal-basis", "UU 27"),
            "reason": ("R000000001", "--reason", "told", "--legal-basis", "UU 27"),
            "legal_basis": ("R000000001", "--reason", "asked", "--legal-basis", "UU 28"),
        },
    ),
    "recipient erase reject": (
        ("R000000003", "--reason", "late"),
        {"recipient_id": ("R000000004", "--reason", "late"), "reason": ("R000000003", "--reason", "early")},
    ),
    "recipient erase approve": (("R000000004",), {"recipient_id": ("R000000005",)}),
    "recipient disclose": (
        ("R000000001", "--reason", "asked"),
        {"recipient_id": ("R000000002", "--reason", "asked"), "reason": ("R000000001", "--reason", "told")},
    ),
    "disburse propose": (
        ("pay.csv", "--program", "bsu", "--tranche", "2"),
        {
            "file": ("pay2.csv", "--program", "bsu", "--tranche", "2"),
            "code": ("pay.csv", "--program", "bsu2", "--tranche", "2"),
            "tranche": ("pay.csv", "--program", "bsu", "--tranche", "1"),
            "batch_id": ["--batch", "other"],
            "column_map": ["--map", "amount=other"],
        },
    ),
    "disburse one": (
        ("R000000001", "--program", "bsu", "--tranche", "2", "--amount", "1000"),
        {
            "recipient_id": ("R000000002", "--program", "bsu", "--tranche", "2", "--amount", "1000"),
            "amount": ("R000000001", "--program", "bsu", "--tranche", "2", "--amount", "999"),
            "code": ("R000000001", "--program", "bsu2", "--tranche", "2", "--amount", "1000"),
            "tranche": ("R000000001", "--program", "bsu", "--tranche", "1", "--amount", "1000"),
            "batch_id": ["--batch", "other"],
        },
    ),
    "disburse approve": (("waits",), {"batch_id": ("waits-too",)}),
    "disburse reject": (
        ("waits-too", "--reason", "wrong"),
        {"batch_id": ("waits", "--reason", "wrong"), "reason": ("waits-too", "--reason", "late")},
    ),
    "disburse cancel": (
        ("off", "--reason", "wrong list"),
        {
            "batch_id": ("off-too", "--reason", "wrong list"),
            "reason": ("off", "--reason", "right list"),
        },
    ),
    "disburse run": (("ready",), {"batch_id": ("ready-too",)}),
    "payment settle": (("paid.csv",), {"payment": ("paid2.csv",), "column_map": ["--map", "reason=other"], **ALSO}),
    "payment return": (
        ("bsu/1/R000000009", "--reason", "AC04"),
        {"payment": ("bsu/1/R000000010", "--reason", "AC04"), "reason": ("bsu/1/R000000009", "--reason", "AC01")},
    ),
    "payment refund": (
        ("bsu/1/R000000010", "--treasury-ref", "NTPN 1"),
        {
            "payment": ("bsu/1/R000000009", "--treasury-ref", "NTPN 1"),
            "treasury_ref": ("bsu/1/R000000010", "--treasury-ref", "NTPN 2"),
        },
    ),
    "payment reverse": (
        ("bsu/1/R000000011", "--reason", "never left"),
        {
            "payment": ("bsu/1/R000000012", "--reason", "never left"),
            "reason": ("bsu/1/R000000011", "--reason", "wrong list"),
        },
    ),
    "payment reissue": (("bsu/1/R000000013",), {"payment": ("bsu/1/R000000014",)}),
    "group fund": (
        ("tani", "--program", "jps", "--member", "R000000001", *papers("P tani")),
        {
            "group": ("ikan", "--program", "jps", "--member", "R000000001"),
            "members": ["--member", "R000000002"],
            "code": ("tani", "--program", "jps2", "--member", "R000000001"),
            "amount": ["--amount", "999"],
            "proposal": ["--proposal", "P 2"],
            "decree": ["--decree", "SK 2"],
            "decree_on": ["--decree-on", "2020-03-02"],
            "region": ["--region", "32.74"],
            **ALSO,
        },
    ),
    "group propose": (
        ("padi", "--program", "jps", "--member", "R000000005", *papers("P padi")),
        {
            "group": (
                "ikan",
                "--program",
                "jps",
                "--member",
                "R000000005",
                *papers("P padi"),
            ),
            "members": ["--member", "R000000006"],
            "code": (
                "padi",
                "--program",
                "jps2",
                "--member",
                "R000000005",
                *papers("P padi"),
            ),
            "amount": ["--amount", "999"],
            "proposal": ["--proposal", "P 2"],
            "decree": ["--decree", "SK 2"],
            "decree_on": ["--decree-on", "2020-03-02"],
            "region": ["--region", "32.74"],
            "batch_id": ["--batch", "other"],
            **ALSO,
        },
    ),
    "group report": (
        ("kopi", "--program", "jps", "--report", "LPJ 1"),
        {
            "group": ("tani", "--program", "jps", "--report", "LPJ 1"),
            "code": ("kopi", "--program", "jps2", "--report", "LPJ 1"),
            "report_ref": ("kopi", "--program", "jps", "--report", "LPJ 2"),
        },
    ),
    "goods stock": (
        ("rice", "10", "--unit", "package", "--from", "Bulog"),
        {
            "item": ("soap", "10", "--unit", "package", "--from", "Bulog"),
            "quantity": ("rice", "11", "--unit", "package", "--from", "Bulog"),
            "unit": ("rice", "10", "--unit", "piece", "--from", "Bulog"),
            "origin": ("rice", "10", "--unit", "package", "--from", "BLK"),
        },
    ),
    "goods write-off": (
        ("mask", "2", "--cause", "loss", "--reason", "letter 5"),
        {
            "item": ("rice", "2", "--cause", "loss", "--reason", "letter 5"),
            "quantity": ("mask", "3", "--cause", "loss", "--reason", "letter 5"),
            "cause": ["--cause", "damage"],
            "reason": ["--reason", "letter 6"],
        },
    ),
    "goods ship": (
        ("mask", "5", "--shipment", "s-2", "--to", "HK"),
        {
            "item": ("rice", "5", "--shipment", "s-2", "--to", "HK"),
            "quantity": ("mask", "6", "--shipment", "s-2", "--to", "HK"),
            "shipment_id": ("mask", "5", "--shipment", "s-3", "--to", "HK"),
            "country": ("mask", "5", "--shipment", "s-2", "--to", "TW"),
            "region": ["--region", "32.73"],
            "program": ["--program", "bsu"],
            "partner": ["--partner", "BP2MI"],
        },
    ),
    "goods deliver": (
        ("s-1", "--proof", "BA 1", "--quantity", "2"),
        {
            "shipment_id": ("s-2", "--proof", "BA 1", "--quantity", "2"),
            "proof_ref": ("s-1", "--proof", "BA 2", "--quantity", "2"),
            "quantity": ("s-1", "--proof", "BA 1", "--quantity", "1"),
        },
    ),
    "destination reopen": (
        ("HK", "--decree", "SK 1"),
        {"country": ("TW", "--decree", "SK 1"), "decree_ref": ("HK", "--decree", "SK 2")},
    ),
    "training record": (
        ("--group", "kopi", "--program", "jps", "--session", "s-1"),
        {
            "who": ("R000000001", "--program", "jps", "--session", "s-1"),
            "code": ("--group", "kopi", "--program", "bsu", "--session", "s-1", "--group-program", "jps"),
            "session_id": ("--group", "kopi", "--program", "jps", "--session", "s-2"),
            "group_id": ("--group", "tani", "--program", "jps", "--session", "s-1"),
            "group_program": ["--group-program", "bsu"],
        },
    ),
    "support record": (
        ("R000000001", "--program", "bsu", "--kind", "companion"),
        {
            "who": ("R000000002", "--program", "bsu", "--kind", "companion"),
            "code": ("R000000001", "--program", "jps", "--kind", "companion"),
            "kind": ("R000000001", "--program", "bsu", "--kind", "digital"),
        },
    ),
    "referral record": (
        ("R000000001", "--to", "prakerja", "--channel", "bp2mi"),
        {
            "who": ("R000000002", "--to", "prakerja", "--channel", "bp2mi"),
            "scheme": ("R000000001", "--to", "pkh", "--channel", "bp2mi"),
            "channel": ("R000000001", "--to", "prakerja", "--channel", "p3mi"),
        },
    ),
}
"""Command → what it is given first, and input → what is given instead, or in a list what is given beside it.

In this order they are carried out in one ledger.
"""
BY_BUDI = {"disburse approve", "disburse reject", "recipient erase approve", "recipient erase reject"}
BY_BUDI |= {"payment reissue", "payment reverse"}

DECIDE_NOTHING = {"officer", "key_file", "allow_future", "reference", "note", "dry_run", "output", "rejects"}
DECIDE_NOTHING |= {"no_passphrase"}
"""Who asks, how they sign and what they are told; the same request by another officer is done already."""
ELSEWHERE = {"effective_on"}
"""The same in every command, and tested once."""
OF_A_FILE = {"column_map", "sheet", "date_order", "decimal"}
"""Tested where a command is given a file."""


OF_TWO = {"rules adopt", "policy set", "approve", "reject", "withdraw"}
"""They need officers with keys: `tests/ledger/test_agreements.py` varies their inputs."""

OF_A_BATCH = {"group run": "disburse run", "group cancel": "disburse cancel"}
"""The very commands of payments under another name."""

ONCE_RULES_BIND = {"payment reissue": {"batch_id"}, "payment refund": {"batch_id"}}
"""Refused before; the batches that they propose then are tested with those of payments."""

WRITES = {
    name.removeprefix("salur "): {str(each.name) for each in command.params}
    for name, command in commands()
    if any(each.name == "reference" for each in command.params)
}


def test_every_input_of_every_write_is_varied_here() -> None:
    assert WRITES.keys() == CASES.keys() | OF_TWO | OF_A_BATCH.keys()
    assert all(WRITES[name] == WRITES[same] for name, same in OF_A_BATCH.items())
    missing = {name: WRITES[name] - DECIDE_NOTHING - ELSEWHERE - OF_A_FILE - CASES[name][1].keys() for name in CASES}
    assert {name: inputs for name, inputs in missing.items() if inputs} == ONCE_RULES_BIND


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger in which each of the commands can be carried out."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("office")
        patch.chdir(folder)
        prepare()
    return folder


def salur(*words: str, officer: str = "siti") -> int:
    return cli.run(["--store", "ledger", "--keys", "keys", *words, "--officer", officer])


def done(*words: str, officer: str = "siti") -> None:
    assert salur(*words, officer=officer) == cli.DONE, words


def people(name: str, numbers: range) -> str:
    lines = [f"{nik(number)},Orang {number}\n" for number in numbers]
    Path(name).write_text("nik,name\n" + "".join(lines))
    return name


def payments(name: str, numbers: range, extra: str = "") -> str:
    lines = [f"R{number:09},1000,900{extra}\n" for number in numbers]
    Path(name).write_text("recipient,amount,other\n" + "".join(lines))
    return name


def prepare() -> None:
    older_ledger(Path("ledger"))  # without rules, each command is done on the word of whoever may

    done("officer", "enroll", "siti", "--role", "maker", "--without-key")
    for officer_id, role in (("budi", "checker"), ("agus", "maker")):
        done("officer", "enroll", officer_id, "--role", role, "--without-key")
    for code, kind in (
        ("bsu", "cash"),
        ("bsu2", "cash"),
        ("jps", "group-grant"),
        ("jps2", "group-grant"),
        ("spare", "cash"),
    ):
        terms = ("--name", code, "--kind", kind, "--fiscal-year", "2020", "--tranche", "1000", "--tranche", "1000")
        done("program", "open", code, *terms)
        if code != "spare":
            done("program", "budget", code, "1000000")
    done("recipient", "import", people("people.csv", range(1, 31)), "--category", "worker")
    people("more.csv", range(31, 33))
    people("most.csv", range(31, 34))
    payments("pay.csv", range(20, 25))
    payments("pay2.csv", range(20, 26))
    for batch_id, numbers in (
        ("ready", range(1, 4)), ("ready-too", range(4, 7)), ("waits", range(7, 8)), ("waits-too", range(8, 9)),
        ("paid", range(9, 20)), ("off", range(26, 28)), ("off-too", range(28, 30)),
    ):  # fmt: skip
        file = payments(f"{batch_id}-list.csv", numbers)
        done("disburse", "propose", file, "--program", "bsu", "--tranche", "1", "--batch", batch_id)
        if not batch_id.startswith("waits"):
            done("disburse", "approve", batch_id, officer="budi")
    done("disburse", "run", "paid")
    for number in (10, 13, 14):
        done("payment", "return", f"bsu/1/R{number:09}", "--reason", "AC04")
    for name, number in (("paid.csv", 15), ("paid2.csv", 16)):
        Path(name).write_text(f"payment,other\nbsu/1/R{number:09},x\n")
    for number in (3, 4, 5):
        done("recipient", "erase", "request", f"R{number:09}", "--reason", "asked", "--legal-basis", "UU 27")
    done(
        "group",
        "fund",
        "kopi",
        "--program",
        "jps",
        "--member",
        "R000000021",
        "--member",
        "R000000022",
        *papers("P kopi"),
    )
    done("goods", "stock", "mask", "100", "--unit", "piece", "--from", "BLK")
    done("goods", "ship", "mask", "10", "--shipment", "s-1", "--to", "HK")


def log() -> list[tuple[str, bytes]]:
    with closing(sqlite3.connect("ledger/events.db")) as database:
        return database.execute("SELECT originator_id, state FROM stored_events ORDER BY rowid").fetchall()


def test_a_request_that_differs_in_one_input_is_another_request(
    office: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(office)
    for name, (given, others) in CASES.items():
        officer = "budi" if name in BY_BUDI else "siti"
        reference = ("--reference", f"letter {name}")

        assert salur(*name.split(), *given, *reference, officer=officer) == cli.DONE, (name, capsys.readouterr().err)

        recorded = log()
        assert f"reference/letter {name}" in dict(recorded), name
        for what, other in others.items():
            words = [*given, *other] if isinstance(other, list) else other
            capsys.readouterr()
            assert salur(*name.split(), *words, *reference, officer=officer) == cli.REFUSED, (name, what)
            assert "[reference_reused]" in capsys.readouterr().err, (name, what)
        assert salur(*name.split(), *given, *reference, officer=officer) == cli.DONE, name
        assert log() == recorded, name


def test_the_business_date_belongs_to_the_request_if_it_was_given(
    office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(office)
    command = ("goods", "stock", "soap", "10", "--unit", "piece", "--from", "BLK", "--reference", "letter of March")
    assert salur(*command, "--effective-on", "2020-03-01") == cli.DONE
    recorded = log()

    assert salur(*command, "--effective-on", "2020-03-02") == cli.REFUSED
    assert salur(*command) == cli.REFUSED
    assert salur(*command, "--effective-on", "2020-03-01") == cli.DONE

    assert log() == recorded


def test_no_hash_of_a_person_is_stored_that_anybody_could_compute(
    office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A NIK is one of few: whoever reads a plain hash of it finds it by trying all."""
    import hashlib

    monkeypatch.chdir(office)
    before = len(log())
    person = ("--nik", nik(80), "--name", "Dewi", "--account", "123", "--category", "worker")
    assert salur("recipient", "register", *person, "--reference", "desk 80") == cli.DONE
    assert salur("disburse", "one", nik(80), "--program", "bsu", "--tranche", "2", "--amount", "1000") == cli.DONE

    stored = b"".join(state for _, state in log()[before:])

    def plain(request: Request) -> str:
        return request.digest(lambda personal: hashlib.sha256(personal).hexdigest())

    personal = {"nik": nik(80), "name": "Dewi", "account": "123"}
    guessed = [
        plain(Request("recipient register", {"category": "worker"}, personal)),
        plain(Request("recipient register", {"category": "worker", **personal})),
        hashlib.sha256(f"{nik(80)},1000\n".encode()).hexdigest(),
    ]
    assert [each for each in guessed if each.encode() in stored] == []


def test_the_canonical_form_is_one_object_of_what_was_given() -> None:
    """Worked out by hand: keys sorted, no blanks, UTF-8, nothing that was not given, personal inputs as their hash."""
    inputs = {"treasury_ref": "", "reason": "Übung", "on": date(2020, 3, 1), "budget": 0, "parent": None, "map": {}}
    request = Request("payment refund", inputs, {"nik": nik(1), "phone": ""})

    told = request.canonical(lambda personal: {b'{"nik":"%s"}' % nik(1).encode(): "keyed"}[personal])

    assert (
        told
        == (
            '{"command":"payment refund","inputs":{"budget":0,"on":"2020-03-01","reason":"Übung"},"personal":"keyed"}'
        ).encode()
    )
    assert json.loads(told)["inputs"]["budget"] == 0


def test_a_reference_of_the_version_before_is_refused_and_nothing_is_done_twice(
    office: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its digest was made otherwise, so nobody can tell whether the request is the same: it is not carried out."""
    monkeypatch.chdir(office)
    command = ("goods", "stock", "rope", "10", "--unit", "piece", "--from", "BLK", "--reference", "letter of 2019")
    assert salur(*command) == cli.DONE
    with closing(sqlite3.connect("ledger/events.db")) as database:
        database.execute(
            "UPDATE stored_events SET state=json_set(CAST(state AS TEXT), '$.request_sha256', ?)"
            " WHERE originator_id='reference/letter of 2019'",
            ("0" * 64,),
        )
        database.execute(
            "UPDATE stored_events SET state=CAST(state AS BLOB) WHERE originator_id='reference/letter of 2019'"
        )
        database.commit()
    recorded = log()

    assert salur(*command) == cli.REFUSED
    assert "[reference_reused]" in capsys.readouterr().err

    assert log() == recorded
