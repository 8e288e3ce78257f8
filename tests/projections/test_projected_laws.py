from datetime import datetime, timedelta
from typing import Any

import pytest

from ledger.domain.batch import BatchApproved, BatchProposed
from ledger.domain.event import Role
from ledger.domain.goods import DeliveryConfirmed, GoodsStocked, MaskAidShipped
from ledger.domain.group import GroupJoined
from ledger.domain.officer import OfficerEnrolled, OfficerRevoked
from ledger.domain.payment import TrancheRefunded, TrancheReissued, TrancheReversed
from ledger.domain.program import FundsReserved, ProgramClosed
from ledger.domain.recipient import RecipientErased
from ledger.domain.registry import EVENT_CLASSES
from projections.audit.check import check
from projections.laws.law import BREACHES_MAX, Law, law_names, law_sql, verdicts
from projections.relation.database import database
from projections.relation.relations import empty_log
from tests.projections.book_of_events import SHA, START, Book, list_sha256, opened, paid, person, step


def broken(book: Any) -> dict[str, Law]:
    return {law.name: law for law in check(book.recorder) if not law.holds}


def test_every_law_holds_in_a_ledger_kept_by_the_rules(case: Book) -> None:
    laws = check(case.recorder)
    assert {law.name: law.broken for law in laws if not law.holds} == {}
    assert [law.name for law in laws] == ["readable", "signatures-valid", "acts-exact", "archive-true", *law_names()]
    assert [law.name for law in laws if not law.checked] == [
        "acts-exact",
        "archive-true",
        "acts-agreed",
        "delivered-by-another",
        "erased-is-gone",
        "umbrellas-kept",
    ]
    # Its officers have no keys, and came on nobody's word.
    assert [law.name for law in laws if law.notices] == ["signatures-valid", "acts-exact"]


def test_every_law_says_what_it_demands(case: Book) -> None:
    assert all(law.sentence.endswith(".") and len(law.sentence) < 200 for law in check(case.recorder))


def test_an_empty_ledger_breaks_no_law(book: Book) -> None:
    assert broken(book) == {}


def test_every_event_has_a_stream_in_the_law_of_streams(case: Book) -> None:
    text = law_sql("streams-named")
    assert [cls.__name__ for cls in EVENT_CLASSES.values() if f"'{cls.TOPIC.removesuffix('.v1')}'" not in text] == []


def test_an_event_that_cannot_be_read_is_named(case: Book) -> None:
    case.tamper("TrancheDisbursed", amount="much")
    [law] = broken(case).values()
    assert (law.name, law.broken[0].stream) == ("readable", "payment/bsu/1/R000000003")
    assert "version 1" in law.broken[0].detail


@pytest.mark.parametrize("state", [b"", b"{", b"[]", b"\xff\xfe", b'{"a":\n1}', b"null", "text", 10**12])
def test_a_row_that_is_no_event_at_all_does_not_stop_the_examination(case: Book, state: Any) -> None:
    case.execute("UPDATE stored_events SET state=? WHERE topic='BatchApproved.v1'", state)
    law = broken(case)["readable"]
    assert (law.broken_count, law.checked) == (2, case.size)
    assert (law.broken[0].stream, "version 2" in law.broken[0].detail) == ("batch/b1", True)


def test_bytes_that_this_program_never_wrote_are_found(case: Book) -> None:
    case.execute("UPDATE stored_events SET state=replace(CAST(state AS TEXT), ',', ', ') WHERE originator_id='ledger'")
    assert broken(case)["readable"].broken[0].log_index == 0


def test_an_event_taken_out_of_the_log_is_found(case: Book) -> None:
    case.execute("DELETE FROM stored_events WHERE topic='TrancheSettled.v1'")
    assert set(broken(case)) == {"log-contiguous"}


def test_a_gap_in_a_stream_is_found(case: Book) -> None:
    case.execute("UPDATE stored_events SET originator_version=9 WHERE topic='TrancheSettled.v1'")
    assert set(broken(case)) == {"streams-contiguous"}


def test_an_event_in_a_stream_not_its_own_is_found(case: Book) -> None:
    case.execute("UPDATE stored_events SET originator_id='destination/MY' WHERE topic='DestinationReopened.v1'")
    law = broken(case)["streams-named"]
    assert [breach.detail for breach in law.broken] == ["belongs to destination/HK"]


def test_a_second_payment_of_a_tranche_is_found(case: Book) -> None:
    case.add(paid(2))
    law = broken(case)["paid-once"]
    assert [(breach.log_index, breach.detail) for breach in law.broken] == [(case.size - 1, "paid again")]


def test_a_step_that_does_not_follow_is_found(case: Book) -> None:
    case.add(step(TrancheRefunded, 1, treasury_ref="NTPN 2"))
    assert broken(case)["paid-once"].broken[0].detail == "TrancheRefunded follows TrancheSettled"


def test_a_step_of_another_amount_is_found(case: Book) -> None:
    case.tamper("TrancheRefunded", amount=599)
    assert broken(case)["paid-once"].broken[0].detail == "TrancheRefunded of 599, paid 600"


def test_money_moved_without_an_amount_is_found(case: Book) -> None:
    case.tamper("FundsReserved", amount=None)
    assert {"readable", "postings-balanced"} <= set(broken(case))


def test_more_reserved_than_the_budget_is_found(case: Book) -> None:
    case.add(FundsReserved(program="bsu", amount=99999, reserved_for="batch x"))
    law = broken(case)["budgets-kept"]
    assert [breach.log_index for breach in law.broken] == [case.size - 1]
    assert law.broken[0].detail.startswith("assets:available:bsu at -")


def test_more_paid_than_reserved_is_found_at_the_event_even_if_made_good_later(case: Book) -> None:
    case.add(step(TrancheReversed, 3, reason="x"), step(TrancheReissued, 3, attempt=3, after="reversal"))
    assert broken(case) == {}
    at = case.add(paid(6, batch_id="b1")) - 1
    case.add(FundsReserved(program="bsu", amount=600, reserved_for="late"))
    assert [breach.log_index for breach in broken(case)["budgets-kept"].broken] == [at]


def test_a_budget_that_misstates_the_one_before_is_found(case: Book) -> None:
    case.tamper("BudgetSet", nth=1, previous=8000)
    assert broken(case)["budgets-kept"].broken[0].detail == "names 8000 as the budget before, it was 9000"


def test_a_payment_over_its_tranche_is_found(case: Book) -> None:
    case.tamper("TrancheDisbursed", amount=601)
    assert broken(case)["ceilings-kept"].broken[0].detail == "601 paid, the tranche is 600"


def test_a_recipient_over_the_ceiling_is_found(case: Book) -> None:
    case.tamper("ProgramOpened", nth=2, ceiling=999)
    assert broken(case)["ceilings-kept"].broken[0].stream == "payment/bsu/2/R000000001"


def test_a_grant_over_the_ceiling_is_found(case: Book) -> None:
    case.tamper("GroupFunded", amount=5001)
    assert broken(case)["ceilings-kept"].broken[0].stream == "group/tkm/g1"


@pytest.mark.parametrize(
    ("topic", "nth", "fields", "detail"),
    [
        ("BatchApproved", 0, {"checker": "siti"}, "siti proposed and approved batch b1"),
        ("BatchApproved", 0, {"checker": "nobody"}, "nobody was no checker in office at batch b1"),
        ("BatchProposed", 0, {"maker": "nobody"}, "nobody was no maker in office at batch b1"),
        ("BatchProposed", 0, {"tranche": 2}, "batch b1 is for another program or tranche"),
        ("BatchApproved", 0, {"batch_id": "other"}, "batch b1 was not approved before"),
        ("TrancheDisbursed", 0, {"batch_id": "other"}, "no batch other was proposed"),
        ("OfficerEnrolled", 1, {"roles": ["maker"]}, "budi was no checker in office at batch b1"),
        ("BatchRejected", 0, {"batch_id": "b1"}, "batch b1 was rejected"),
    ],
)
def test_a_payment_that_two_officers_did_not_agree_on_is_found(
    case: Book, topic: str, nth: int, fields: dict[str, Any], detail: str
) -> None:
    case.tamper(topic, nth, **fields)
    assert broken(case)["approved-by-two"].broken[0].detail == detail


def test_a_batch_approved_by_a_revoked_officer_is_found(book: Book) -> None:
    book.add(
        opened(),
        OfficerEnrolled(officer_id="siti", roles=(Role.MAKER,)),
        OfficerEnrolled(officer_id="budi", roles=(Role.CHECKER,)),
        OfficerRevoked(officer_id="budi", reason="left"),
        BatchProposed(
            batch_id="b1",
            program="bsu",
            tranche=1,
            maker="siti",
            file_sha256=SHA,
            rows_sha256=list_sha256(1),
            count=1,
            total=600,
        ),
        BatchApproved(batch_id="b1", program="bsu", checker="budi"),
        person(1),
        paid(1),
    )
    assert broken(book)["approved-by-two"].broken[0].detail == "budi was no checker in office at batch b1"


def test_a_batch_that_paid_more_than_proposed_is_found(case: Book) -> None:
    case.add(paid(6, batch_id="b1"))
    assert broken(case)["batches-kept"].broken[0].detail == "6 payments of 3600 paid, 5 of 3000 proposed"


def test_a_batch_that_says_it_paid_something_else_is_found(case: Book) -> None:
    case.tamper("BatchExecuted", nth=1, total=399)
    assert broken(case)["batches-kept"].broken[0].detail == "1 payments of 400 paid, executed as 1 of 399"


def test_a_payment_to_someone_not_on_the_approved_list_is_found(case: Book) -> None:
    case.execute("UPDATE stored_events SET originator_id='payment/bsu/1/R000000009' WHERE topic='TrancheSettled.v1'")
    case.tamper("BatchProposed", rows_sha256=list_sha256(1, 2, 3, 4, 6))
    assert broken(case)["lists-paid"].broken[0].stream == "batch/b1"


@pytest.mark.parametrize(
    ("topic", "nth", "fields", "detail"),
    [
        ("RecipientErased", 0, {"checker": "siti"}, "siti asked for and approved the erasure"),
        ("RecipientErased", 0, {"checker": "nobody"}, "nobody was no checker in office"),
        ("RecipientErased", 0, {"checker": "agus"}, "agus was no checker in office"),
        ("ErasureRequested", 1, {"maker": "nobody"}, "nobody was no maker in office"),
        ("ErasureRequested", 1, {"recipient_id": "R000000008"}, "no erasure of R000000009 waited for a decision"),
    ],
)
def test_an_erasure_that_two_officers_did_not_agree_on_is_found(
    case: Book, topic: str, nth: int, fields: dict[str, Any], detail: str
) -> None:
    case.tamper(topic, nth, **fields)
    assert broken(case)["erased-by-two"].broken[0].detail == detail


def test_a_person_erased_a_second_time_is_found(case: Book) -> None:
    case.add(
        RecipientErased(recipient_id="R000000009", checker="budi", reason="asked", legal_basis="UU 27/2022"),
    )
    assert broken(case)["erased-by-two"].broken[0].detail == "R000000009 was erased before"


@pytest.mark.parametrize(
    ("absent", "detail"),
    [
        ([(9, 999_999_999)], None),
        ([(10, 999_999_999)], "R000000009 is erased, and still in the vault"),
        ([(3, 3), (9, 999_999_999)], "R000000003 is not erased, and not in the vault"),
        ([(8, 999_999_999)], "R000000008 is not erased, and not in the vault"),
    ],
)
def test_who_is_in_the_vault_and_erased_or_neither_is_found(case: Book, absent: Any, detail: str) -> None:
    [law] = [law for law in check(case.recorder, absent=lambda: absent) if law.name == "erased-is-gone"]
    assert law.checked == 9
    assert [breach.detail.partition(";")[0] for breach in law.broken] == ([detail] if detail else [])


def test_a_payment_to_a_person_not_registered_is_found(case: Book) -> None:
    case.tamper("RecipientRegistered", nth=1, recipient_id="R000000077")
    assert broken(case)["recipients-eligible"].broken[0].detail == "R000000002 was not registered before"


def test_a_payment_to_a_person_of_another_category_is_found(case: Book) -> None:
    case.tamper("RecipientRegistered", nth=1, category="civil-servant")
    law = broken(case)["recipients-eligible"]
    assert [breach.detail for breach in law.broken] == ["category civil-servant is not among those of the program"]


def test_an_officer_who_paid_again_what_they_recorded_as_returned_is_found(case: Book) -> None:
    case.tamper("TrancheReissued", by="siti")
    assert broken(case)["reissued-by-another"].broken[0].detail == "siti recorded the return and paid again"


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"proposal_ref": None}, "no proposal"),
        ({"decree_ref": None}, "no decree"),
        ({"decree_on": "2021-01-04"}, "the decree is dated 2021-01-04, outside fiscal year 2020"),
        ({"members": []}, "no roster"),
        ({"members": ["R000000006", "R000000007", "R000000009"]}, "1 members are not bound to the group"),
    ],
)
def test_a_group_without_its_papers_is_found(case: Book, fields: dict[str, Any], detail: str) -> None:
    case.tamper("GroupFunded", **fields)
    assert broken(case)["groups-papered"].broken[0].detail == detail


def test_a_member_who_is_on_no_roster_is_found(case: Book) -> None:
    case.add(GroupJoined(program="tkm", group_id="g1", recipient_id="R000000001"))
    assert broken(case)["one-group-each"].broken[0].detail == "R000000001 is not on the roster of group g1"


def test_a_person_in_two_groups_of_a_program_is_found(case: Book) -> None:
    case.tamper("GroupFunded", nth=1, members=["R000000008", "R000000006"])
    case.add(GroupJoined(program="tkm", group_id="g2", recipient_id="R000000006"))
    assert broken(case)["one-group-each"].broken[0].detail == "R000000006 joined a group of tkm before"


def test_more_shipped_than_stocked_is_found(case: Book) -> None:
    case.add(MaskAidShipped(shipment_id="m3", item="mask", quantity=101, country="MY"))
    case.add(GoodsStocked(item="mask", quantity=500, unit="piece", origin="BLK Serang"))
    assert broken(case)["goods-kept"].broken[0].detail == "1 more mask shipped than in stock"


def test_more_delivered_than_shipped_is_found(case: Book) -> None:
    case.add(DeliveryConfirmed(shipment_id="m1", item="mask", quantity=101, country="HK", proof_ref="POD 2"))
    assert broken(case)["goods-kept"].broken[0].detail == "1 more mask delivered than shipped"


def test_money_reserved_in_a_closed_program_is_found(case: Book) -> None:
    case.add(ProgramClosed(program="bsu", reason="year-end"))
    assert broken(case) == {}
    case.add(FundsReserved(program="bsu", amount=1, reserved_for="batch x"))
    assert broken(case)["closed-is-closed"].broken[0].detail == "FundsReserved after the program was closed"


def test_a_clock_that_ran_backwards_is_a_notice_and_no_breach(case: Book) -> None:
    case.add(person(20), at=START)
    laws = {law.name: law for law in check(case.recorder)}
    assert laws["clock"].holds
    assert [notice.log_index for notice in laws["clock"].notices] == [case.size - 1]


def test_a_clock_set_back_a_little_is_not_noticed(book: Book) -> None:
    late: datetime = START + timedelta(seconds=120)
    book.add(opened(), at=late)
    book.add(person(1), at=START)
    assert [law.notices for law in check(book.recorder) if law.notices] == []


def test_the_order_of_the_log_is_examined_across_blocks_of_events_and_over_gaps() -> None:
    block, day = 2**20, "TIMESTAMP '2020-09-01 08:00:00'"
    later = {0: 0, 1: 600, block - 1: 1200, block: 100, 3 * block + 5: 1300, 3 * block + 6: 1000}
    rows = ", ".join(f"({index}, 's', {day} + INTERVAL {seconds} SECOND)" for index, seconds in later.items())
    with database() as connection:
        for statement in empty_log():
            connection.execute(statement)
        connection.execute(f"CREATE VIEW log AS SELECT * FROM (VALUES {rows}) AS rows(log_index, stream, recorded_at)")
        checked, _, first = verdicts(connection, law_sql("log-contiguous"))
        assert (checked, [(breach.log_index, breach.detail) for breach in first]) == (
            6,
            [
                (block - 1, "stands at place 2"),
                (block, "stands at place 3"),
                (3 * block + 5, "stands at place 4"),
                (3 * block + 6, "stands at place 5"),
            ],
        )
        checked, _, first = verdicts(connection, law_sql("clock"))
        assert (checked, [(breach.log_index, breach.detail) for breach in first]) == (
            6,
            [
                (block, "recorded at 2020-09-01 08:01:40, the event before at 2020-09-01 08:20:00"),
                (3 * block + 6, "recorded at 2020-09-01 08:16:40, the event before at 2020-09-01 08:21:40"),
            ],
        )


def test_of_many_breaches_the_first_are_kept_and_all_are_counted(case: Book) -> None:
    case.add(*(paid(number, batch_id="none") for number in range(100, 130)))
    law = broken(case)["approved-by-two"]
    assert (law.broken_count, len(law.broken)) == (30, BREACHES_MAX)
    assert law.broken[0].log_index == case.size - 30
