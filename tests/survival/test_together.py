"""Several processes of the real command on one ledger at the same moment."""

import json
from collections import Counter
from pathlib import Path

from ledger.application.people import recipient_id
from tests.acts import numbers_of
from tests.survival.office import (
    BATCH,
    BUDGET,
    PEOPLE,
    TRANCHE,
    Ended,
    Office,
    Tail,
    nik,
    payments_csv,
    people_csv,
    propose,
)

PROCESSES = 8


def codes(told: list[Ended]) -> list[int]:
    return sorted(each.code for each in told)


def the_refused(told: list[Ended]) -> Ended:
    """The one process of two that was refused, the other having been served."""
    assert codes(told) == [0, 1], told
    return max(told, key=lambda each: each.code)


def test_a_batch_run_by_eight_processes_at_once_pays_each_tranche_once(office: Office) -> None:
    propose(office, range(1, PEOPLE + 1))

    told = office.at_once(*[("disburse", "run", BATCH)] * PROCESSES)

    assert codes(told) == [0] * PROCESSES, told
    assert all(f"{PEOPLE:,} payments" in each.out for each in told)
    office.assert_paid_once(count=PEOPLE, total=PEOPLE * TRANCHE)
    [executed] = office.events("BatchExecuted")
    assert (executed["count"], executed["total"], executed.get("refused", [])) == (PEOPLE, PEOPLE * TRANCHE, [])
    assert len(office.events("FundsSpent")) == 1
    office.assert_sound()

    size = office.size()
    again = office.done("disburse", "run", BATCH)
    assert f"{PEOPLE:,} of them before" in again.out
    assert office.size() == size


def test_sixteen_processes_with_overlapping_files_record_everything_once_and_a_reader_misses_nothing(
    office: Office,
) -> None:
    third = PEOPLE // 3
    propose(office, range(1, 2 * third + 1), batch_id="west")
    propose(office, range(third + 1, PEOPLE + 1), batch_id="east")
    starts = {"first.csv": PEOPLE + 1, "second.csv": PEOPLE + 401, "third.csv": PEOPLE + 801}
    files = [office.file(name, people_csv(range(start, start + 800))) for name, start in starts.items()]
    runs = [("disburse", "run", batch, "--rejects", f"run{n}.csv") for n, batch in enumerate(("west", "east") * 5)]
    imports = [("recipient", "import", file, "--rejects", f"import{n}.csv") for n, file in enumerate(files * 2)]

    with office.recorder() as recorder, Tail(recorder) as tail:
        told = office.at_once(*runs, *imports)

    assert len(told) == 16
    assert {each.code for each in told} == {0, 3}, told
    assert not any("locked" in each.err for each in told), told
    office.assert_paid_once(count=PEOPLE, total=PEOPLE * TRANCHE)
    registered = [each["recipient_id"] for each in office.events("RecipientRegistered")]
    assert sorted(registered) == [recipient_id(number) for number in range(1, PEOPLE + 1_601)]
    office.assert_sound()
    assert tail.grew > 1
    with office.recorder() as recorder:
        tail.assert_nothing_missed(recorder)


def test_people_imported_by_eight_processes_at_once_are_registered_once(office: Office) -> None:
    newcomers = range(PEOPLE + 1, PEOPLE + 2_001)
    file = office.file("people.csv", people_csv(newcomers))

    told = office.at_once(*[("recipient", "import", file, "-o", "json")] * PROCESSES)

    assert codes(told) == [0] * PROCESSES, told
    tallies = [json.loads(each.out) for each in told]
    assert all(each["taken"] + each["repeated"] == len(newcomers) and not each["refused"] for each in tallies)
    assert sum(each["taken"] for each in tallies) == len(newcomers)
    with office.opened() as ledger:
        found = numbers_of(ledger, [nik(number) for number in newcomers])
        assert sorted(found.values()) == list(newcomers)
    assert len(office.events("RecipientRegistered")) == PEOPLE + len(newcomers)
    assert len(office.events("FileProcessed")) == 1
    office.assert_sound()


def test_people_who_stand_in_two_files_imported_at_once_are_registered_through_one_of_them(office: Office) -> None:
    shared = range(PEOPLE + 501, PEOPLE + 1_001)
    first = office.file("first.csv", people_csv(range(PEOPLE + 1, PEOPLE + 1_001)))
    second = office.file("second.csv", people_csv(range(PEOPLE + 501, PEOPLE + 1_501)))

    told = office.at_once(*[("recipient", "import", each, "-o", "json") for each in (first, second)])

    tallies = [json.loads(each.out) for each in told]
    assert sum(each["taken"] for each in tallies) == 1_500
    refused = sum((Counter(each["refused"]) for each in tallies), Counter())
    assert refused == {"recipient_registered": len(shared)}
    assert [each.code for each in told] == [3 if each["refused"] else 0 for each in tallies]
    office.assert_sound()


def test_a_file_proposed_by_two_processes_at_once_is_one_batch(office: Office) -> None:
    file = office.file("august.csv", payments_csv(range(1, 3_001)))
    command = ("disburse", "propose", file, "--program", "bsu", "--tranche", "1")

    told = office.at_once(command, command)

    assert codes(told) == [0, 0], told
    assert sorted(each.out.split(" batch")[0] for each in told) == ["Already proposed:", "Proposed"]
    [proposed] = office.events("BatchProposed")
    office.done("disburse", "approve", proposed["batch_id"], officer="budi")
    office.done("disburse", "run", proposed["batch_id"])
    office.assert_paid_once(count=3_000, total=3_000 * TRANCHE)
    assert not office.leftovers()


def test_a_batch_approved_by_two_officers_at_once_holds_its_money_once(desk: Office) -> None:
    before = desk.program().reserved
    approve = ("disburse", "approve", "bsu-later")

    told = desk.at_once(approve, approve, officers=["budi", "tari"])

    assert codes(told) == [0, 0], told
    assert sum("Nothing new" in each.out for each in told) == 1
    assert len([each for each in desk.events("BatchApproved") if each["batch_id"] == "bsu-later"]) == 1
    assert desk.program().reserved - before == 40 * TRANCHE
    desk.assert_sound()


def test_a_batch_approved_and_rejected_at_once_is_one_of_both(desk: Office) -> None:
    told = desk.at_once(
        ("disburse", "approve", "bsu-later"),
        ("disburse", "reject", "bsu-later", "--reason", "wrong month"),
        officers=["budi", "tari"],
    )

    assert the_refused(told).refusal == "batch_state"
    assert len(desk.events("BatchRejected")) + len(desk.events("BatchApproved")) == 2
    desk.assert_sound()


def test_two_batches_over_the_same_people_run_at_once_pay_each_tranche_once(office: Office) -> None:
    half = PEOPLE // 2
    propose(office, range(1, half + 1_001), batch_id="west")
    propose(office, range(half - 999, PEOPLE + 1), batch_id="east")
    assert office.program().reserved == (PEOPLE + 2_000) * TRANCHE

    runs = [("disburse", "run", batch, "--rejects", f"{batch}-{n}.csv") for n in (1, 2) for batch in ("west", "east")]
    told = office.at_once(*runs)

    office.assert_paid_once(count=PEOPLE, total=PEOPLE * TRANCHE)
    executed = {each["batch_id"]: each for each in office.events("BatchExecuted")}
    refused = {name: sum(each["rows"] for each in batch.get("refused", [])) for name, batch in executed.items()}
    assert sum(refused.values()) == 2_000
    assert sum(batch["count"] for batch in executed.values()) == PEOPLE
    for command, each in zip(runs, told, strict=True):
        told_rows = refused[command[2]]
        # A process that comes after the other has finished the batch has nothing left to refuse.
        assert each.code in ((0, 3) if told_rows else (0,)), each
        if each.code == 3:
            rejects = (office.desk / command[4]).read_text().splitlines()
            assert len(rejects) == told_rows + 1
            assert all(",already_paid," in line for line in rejects[1:])
    assert any(each.code == 3 for each in told)
    office.assert_sound()


def test_two_groups_funded_at_once_cannot_share_a_member(desk: Office) -> None:
    header = "group,recipient,amount,proposal,decree,decree_on\n"
    for name, members in (("kopi", (1, 2, 3)), ("teh", (3, 4, 5))):
        papers = f",10000000,P-{name},SK-1,2020-07-01\n"
        rows = [f"{name},{recipient_id(n)}{papers}" for n in members]
        desk.file(f"{name}.csv", header + "".join(rows))

    told = desk.at_once(*[("group", "fund", f"{name}.csv", "--program", "jps") for name in ("kopi", "teh")])

    assert codes(told) == [0, 3], told
    [funded] = desk.events("GroupFunded")
    loser = "teh" if funded["group_id"] == "kopi" else "kopi"
    rejects = (desk.desk / f"{loser}.rejects.csv").read_text()
    assert "member_elsewhere" in rejects
    assert "roster_invalid" in rejects
    assert len(desk.events("GroupJoined")) == 3
    program = desk.program("jps")
    assert (program.reserved, program.spent) == (0, 10_000_000)
    desk.assert_sound()


def test_the_same_groups_funded_by_two_processes_at_once_get_their_grants_once(desk: Office) -> None:
    rows = [f"g{n // 4},{recipient_id(n + 1)},5000000,P-{n // 4},SK-1,2020-07-01\n" for n in range(40)]
    desk.file("groups.csv", "group,recipient,amount,proposal,decree,decree_on\n" + "".join(rows))
    command = ("group", "fund", "groups.csv", "--program", "jps", "-o", "json")

    told = desk.at_once(command, command)

    assert codes(told) == [0, 0], told
    assert sorted(json.loads(each.out)["taken"] for each in told) == [0, 10]
    assert len(desk.events("GroupFunded")) == 10
    assert desk.program("jps").spent == 50_000_000
    desk.assert_sound()


def test_the_last_goods_in_stock_are_shipped_once(desk: Office) -> None:
    desk.done("goods", "stock", "mask", "1000", "--unit", "piece", "--from", "Koperasi")

    told = desk.at_once(
        *[("goods", "ship", "mask", "600", "--shipment", each, "--to", "HK") for each in ("hk-1", "hk-2")]
    )

    assert the_refused(told).refusal == "stock_insufficient"
    assert len(desk.events("MaskAidShipped")) == 1
    desk.assert_sound()


def test_two_batches_approved_at_once_never_hold_more_than_the_budget(desk: Office) -> None:
    propose(desk, range(1, 31), batch_id="third", tranche=2, approve=False)
    desk.done("program", "budget", "bsu", str((200 + 60) * TRANCHE))

    told = desk.at_once(*[("disburse", "approve", each) for each in ("bsu-later", "third")], officers=["budi", "tari"])

    assert the_refused(told).refusal == "budget_exceeded"
    assert desk.program().available >= 0
    desk.assert_sound()


def test_a_budget_lowered_while_a_batch_is_approved_still_covers_it(desk: Office) -> None:
    told = desk.at_once(
        ("program", "budget", "bsu", str(230 * TRANCHE)),
        ("disburse", "approve", "bsu-later"),
        officers=["siti", "budi"],
    )

    assert the_refused(told).refusal in {"budget_below_committed", "budget_exceeded"}
    assert desk.program().available >= 0
    desk.assert_sound()


def test_two_budgets_set_at_once_follow_one_another(desk: Office) -> None:
    told = desk.at_once(*[("program", "budget", "bsu", str(BUDGET + more)) for more in (1, 2)])

    assert codes(told) == [0, 0], told
    _, first, second = (each for each in desk.events("BudgetSet") if each["program"] == "bsu")
    assert {first["budget"], second["budget"]} == {BUDGET + 1, BUDGET + 2}
    assert (first["previous"], second["previous"]) == (BUDGET, first["budget"])


def test_a_program_closed_while_its_batch_is_approved_owes_nothing(desk: Office) -> None:
    desk.done("disburse", "run", BATCH)

    told = desk.at_once(
        ("program", "close", "bsu", "--reason", "the year is over"),
        ("disburse", "approve", "bsu-later"),
        officers=["siti", "budi"],
    )

    assert the_refused(told).refusal in {"program_busy", "program_closed"}
    program = desk.program()
    assert program.is_closed == (program.reserved == 0)
    desk.assert_sound()


def test_a_returned_payment_is_paid_again_once_by_two_officers_at_once(desk: Office) -> None:
    desk.done("disburse", "run", BATCH)
    payment = f"bsu/1/{recipient_id(1)}"
    desk.done("payment", "return", payment, "--reason", "AC04")

    told = desk.at_once(*[("payment", "reissue", payment)] * 2, officers=["budi", "tari"])

    assert codes(told) == [0, 0], told
    assert sum("Nothing new" in each.out for each in told) == 1
    assert len(desk.events("TrancheReissued")) == 1
    desk.assert_sound()


def test_a_reference_used_by_two_processes_at_once_records_once(desk: Office) -> None:
    command = ("goods", "stock", "mask", "500", "--unit", "piece", "--from", "Koperasi", "--reference", "delivery 7")

    told = desk.at_once(command, command)

    assert codes(told) == [0, 0], told
    assert sum("Nothing new" in each.out for each in told) == 1
    assert len(desk.events("GoodsStocked")) == 1


def test_a_ledger_made_by_two_processes_at_once_is_one_ledger(tmp_path: Path) -> None:
    office = Office(tmp_path)

    processes = [office.start("init", officer=None) for _ in range(4)]
    told = [(process.communicate(timeout=60), process.returncode) for process in processes]

    assert any(code == 0 for _, code in told), told
    for (_, err), code in told:
        assert "Traceback" not in err, err
        assert code == 0 or "Refused [ledger_exists]" in err or "Refused [store_locked]" in err, err
    assert len(office.events("LedgerOpened")) == 1
    office.done("officer", "enroll", "siti", "--role", "maker", "--without-key")
    office.done("recipient", "register", "--nik", nik(1), "--name", "Orang 1", "--category", "worker")
    assert not office.leftovers()


def test_reports_are_read_while_a_batch_is_paid(office: Office) -> None:
    propose(office, range(1, PEOPLE + 1))

    told = office.at_once(("disburse", "run", BATCH), *[("report", "balances", "-o", "csv")] * 3)

    assert codes(told) == [0] * 4, told


def test_of_two_first_officers_at_once_one_is_the_first(tmp_path: Path) -> None:
    office = Office(tmp_path)
    assert office.salur("init").code == 0
    done = office.at_once(
        ["officer", "enroll", "siti", "--role", "maker", "--without-key"],
        ["officer", "enroll", "budi", "--role", "checker", "--without-key"],
        officers=("siti", "budi"),  # whoever comes late is not enrolled by the other
    )
    assert sorted(each.code for each in done) == [0, 1]
    [refused] = [each for each in done if each.code == 1]
    assert "[officer_unknown]" in refused.err
    with office.recorder() as recorder:
        assert len(recorder.streams("officer/")) == 1
