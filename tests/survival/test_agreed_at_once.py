"""Officers whose words, proposals and runs cross each other, each in a process of its own."""

from pathlib import Path

import pytest

from tests.survival.office import BATCH, TRANCHE, Ended, Office, bind

PAID = 200


@pytest.fixture
def bound(desk: Office) -> Office:
    """The small ledger, with rules that bind: batch `bsu-1` is approved and not run."""
    bind(desk, umbrella=100_000_000)
    return desk


def codes(told: list[Ended]) -> list[int]:
    return [each.code for each in told]


def order(office: Office, *names: str) -> list[str]:
    """The names of events that are among these, in the order of the log."""
    return [name for _, _, name, _ in office.log() if name in names]


def test_an_act_that_is_approved_and_withdrawn_at_once_is_one_of_both(bound: Office) -> None:
    bound.done("program", "budget", "jps", "7000000")

    told = bound.at_once(
        ("approve", "program/jps"), ("withdraw", "program/jps", "--reason", "a typing error"), officers=("budi", "siti")
    )

    assert sorted(codes(told)) == [0, 1], told
    assert len(bound.events("ActRejected")) == (told[1].code == 0)
    assert (bound.program("jps").budget == 7_000_000) == (told[0].code == 0)
    bound.assert_sound()


def test_two_last_words_at_once_record_the_act_once(bound: Office) -> None:
    bound.done("program", "budget", "jps", "7000000")
    before = len(bound.events("BudgetSet"))

    told = bound.at_once(("approve", "program/jps"), ("approve", "program/jps"), officers=("budi", "tari"))

    assert sorted(codes(told)) == [0, 1], told
    assert len(bound.events("BudgetSet")) == before + 1
    bound.assert_sound()


def test_a_batch_that_is_called_off_while_it_runs_pays_all_of_it_or_nothing_more(bound: Office) -> None:
    bound.done("disburse", "cancel", BATCH, "--reason", "wrong list")

    told = bound.at_once(("approve", f"batch/{BATCH}"), ("disburse", "run", BATCH), officers=("budi", "siti"))

    paid = len(bound.events("TrancheDisbursed"))
    cancelled, executed = bound.events("BatchCancelled"), bound.events("BatchExecuted")
    assert len(cancelled) + len(executed) == 1, told
    assert [each["count"] for each in (*cancelled, *executed)] == [paid]
    assert paid in (0, PAID), told
    program = bound.program()
    assert (program.reserved, program.spent) == (0, paid * TRANCHE)
    bound.assert_sound()


def test_a_word_of_an_officer_who_is_revoked_at_once_counts_only_before(bound: Office) -> None:
    bound.done("officer", "enroll", "dewi", "--role", "checker", "--no-passphrase")
    bound.done("approve", "officer/dewi", officer="budi")
    bound.done("program", "budget", "jps", "7000000")
    bound.done("officer", "revoke", "tari", "--reason", "left")
    before = len(bound.events("BudgetSet"))

    told = bound.at_once(("approve", "program/jps"), ("approve", "officer/tari"), officers=("tari", "budi"))

    assert told[1].code == 0, told
    assert len(bound.events("BudgetSet")) == before + (told[0].code == 0)
    if told[0].code == 0:
        assert order(bound, "BudgetSet", "OfficerRevoked")[-2:] == ["BudgetSet", "OfficerRevoked"]
    bound.assert_sound()


def test_an_officer_who_is_revoked_while_they_run_a_batch_pays_nothing_afterwards(bound: Office) -> None:
    bound.done("officer", "enroll", "dewi", "--role", "checker", "--no-passphrase")
    bound.done("approve", "officer/dewi", officer="budi")
    bound.done("officer", "revoke", "tari", "--reason", "left")

    told = bound.at_once(("disburse", "run", BATCH), ("approve", "officer/tari"), officers=("tari", "budi"))

    assert told[1].code == 0, told
    by_tari = [(name, fields.get("by")) for _, _, name, fields in bound.log()]
    revoked_at = by_tari.index(("OfficerRevoked", "budi"))
    assert all(by != "tari" for _, by in by_tari[revoked_at:])
    bound.done("disburse", "run", BATCH)
    bound.assert_paid_once(count=PAID, total=PAID * TRANCHE)
    bound.assert_sound()


def test_two_children_of_an_umbrella_do_not_both_take_what_is_left(bound: Office) -> None:
    for code in ("one", "two"):
        bound.done("program", "budget", code, "60000000")

    told = bound.at_once(("approve", "program/one"), ("approve", "program/two"), officers=("budi", "tari"))

    assert sorted(codes(told)) == [0, 1], told
    assert max(told, key=lambda each: each.code).refusal == "umbrella_exceeded"
    assert sum(bound.program(code).budget for code in ("one", "two")) == 60_000_000
    bound.assert_sound()


def test_the_same_act_proposed_by_two_processes_at_once_waits_once(bound: Office) -> None:
    told = bound.at_once(*[("program", "budget", "jps", "7000000")] * 4)
    assert codes(told) == [0] * 4, told
    assert len([each for each in bound.events("ActProposed") if each["subject"] == "program/jps"]) == 1
    bound.assert_sound()


def test_a_batch_of_reissues_run_by_four_processes_at_once_pays_each_once(bound: Office, tmp_path: Path) -> None:
    bound.done("disburse", "run", BATCH)
    names = [f"bsu/1/{each['recipient_id']}" for each in bound.events("TrancheDisbursed")[:40]]
    bound.file("back.csv", "payment\n" + "".join(f"{each}\n" for each in names))
    bound.done("payment", "return", "back.csv", "--reason", "AC04")
    bound.done("payment", "reissue", "back.csv", "--batch", "again")
    bound.done("approve", "batch/again", officer="budi")

    told = bound.at_once(*[("disburse", "run", "again")] * 4, officers=["budi"] * 4)

    assert codes(told) == [0] * 4, told
    assert len({each["recipient_id"] for each in bound.events("TrancheReissued")}) == 40
    assert len(bound.events("TrancheReissued")) == 40
    bound.assert_sound()
