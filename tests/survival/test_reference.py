"""The same command line given twice under one reference."""

import pytest

from ledger.application.people import recipient_id
from tests.survival.office import BATCH, Office, nik, payments_csv, people_csv

COMMANDS = {
    "officer": ("officer", "enroll", "rina", "--role", "maker", "--without-key"),
    "revocation": ("officer", "revoke", "tari", "--reason", "moved"),
    "program": (
        "program",
        "open",
        "new",
        "--name",
        "New",
        "--kind",
        "cash",
        "--tranche",
        "500",
        "--fiscal-year",
        "2020",
    ),
    "budget": ("program", "budget", "bsu", "999000000000"),
    "stock": ("goods", "stock", "mask", "100", "--unit", "piece", "--from", "Koperasi"),
    "shipment": ("goods", "ship", "rice", "10", "--shipment", "hk-9", "--to", "HK"),
    "delivery": ("goods", "deliver", "hk-1", "--proof", "BA-7"),
    "destination": ("destination", "reopen", "HK", "--decree", "SK-294"),
    "person": ("recipient", "register", "--nik", nik(999), "--name", "Orang", "--category", "worker"),
    "people": ("recipient", "import", "people.csv"),
    "proposal": ("disburse", "propose", "payments.csv", "--program", "bsu", "--tranche", "2"),
    "single payment": ("disburse", "one", recipient_id(1), "--program", "bsu", "--tranche", "2"),
    "approval": ("disburse", "approve", "bsu-later", "--officer", "budi"),
    "rejection": ("disburse", "reject", "bsu-later", "--reason", "wrong", "--officer", "budi"),
    "run": ("disburse", "run", BATCH),
    "groups": ("group", "fund", "groups.csv", "--program", "jps"),
    "group report": ("group", "report", "tani", "--program", "jps", "--report", "LPJ-1"),
    "referral": ("referral", "record", recipient_id(1), "--to", "kartu-prakerja", "--channel", "bp2mi"),
    "support": ("support", "record", recipient_id(1), "--program", "bsu", "--kind", "companion"),
    "erasure asked for": (
        "recipient",
        "erase",
        "request",
        recipient_id(1),
        "--reason",
        "asked",
        "--legal-basis",
        "UU 27/2022",
    ),
    "erasure": ("recipient", "erase", "approve", recipient_id(2), "--officer", "budi"),
    "erasure refused": ("recipient", "erase", "reject", recipient_id(2), "--reason", "late", "--officer", "budi"),
    "disclosure": ("recipient", "disclose", recipient_id(1), "--reason", "asked"),
    "training": ("training", "record", recipient_id(1), "--program", "bsu", "--session", "s-1"),
    "closing": ("program", "close", "jps", "--reason", "done"),
}


@pytest.mark.parametrize("what", COMMANDS)
def test_a_command_given_twice_under_one_reference_is_recorded_once(what: str, desk: Office) -> None:
    header = "group,recipient,amount,proposal,decree,decree_on\n"
    papers = ",10000000,P-1,SK-1,2020-07-01\n"
    desk.file("people.csv", people_csv(range(241, 246)))
    desk.file("payments.csv", payments_csv(range(1, 6)))
    desk.file("groups.csv", header + f"kopi,{recipient_id(1)}{papers}")
    if what in ("shipment", "delivery"):
        desk.done("goods", "stock", "rice", "50", "--unit", "package", "--from", "Bulog")
        desk.done("goods", "ship", "rice", "10", "--shipment", "hk-1", "--to", "HK")
    if what in ("erasure", "erasure refused"):
        desk.done("recipient", "erase", "request", recipient_id(2), "--reason", "asked", "--legal-basis", "UU 27/2022")
    if what == "group report":
        desk.done(
            "group", "fund", desk.file("tani.csv", header + f"tani,{recipient_id(2)}{papers}"), "--program", "jps"
        )
    before = desk.size()

    desk.done(*COMMANDS[what], "--reference", "letter 12")
    once = desk.log()
    again = desk.done(*COMMANDS[what], "--reference", "letter 12")

    assert len(once) > before
    assert desk.log() == once, again


def test_a_command_under_a_reference_is_not_carried_out_again_after_others(desk: Office) -> None:
    first = ("program", "budget", "bsu", "999000000000", "--reference", "DIPA rev 1")
    desk.done(*first)
    desk.done("program", "budget", "bsu", "998000000000")

    assert "Nothing new" in desk.done(*first).out
    assert desk.program().budget == 998_000_000_000


def test_a_reference_serves_one_request_only(desk: Office) -> None:
    desk.done("program", "budget", "bsu", "999000000000", "--reference", "DIPA")
    before = desk.log()

    told = desk.salur("program", "budget", "bsu", "998000000000", "--reference", "DIPA")

    assert (told.code, told.refusal) == (1, "reference_reused")
    assert desk.log() == before


def test_a_rehearsal_under_a_reference_leaves_it_free(desk: Office) -> None:
    command = ("goods", "stock", "mask", "100", "--unit", "piece", "--from", "Koperasi", "--reference", "delivery 7")
    before = desk.log()

    assert "Would record" in desk.done(*command, "--dry-run").out

    assert desk.log() == before
    desk.done(*command)
    assert len(desk.events("GoodsStocked")) == 1
