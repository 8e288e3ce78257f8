"""A decision holds only as long as nothing that it read has changed: otherwise it is taken again, on either store."""

from collections.abc import Sequence
from typing import Any

import pytest

from ledger.application import batches, officers, programs
from ledger.application.attempt import Attempt
from ledger.application.ledger import Ledger
from ledger.domain.batch import BatchStateError
from ledger.domain.event import Event
from ledger.domain.officer import OfficerRevokedError, officer_stream
from ledger.domain.payment import TrancheDisbursed
from ledger.domain.program import Kind, ProgramClosedError, ProgramOpened, UmbrellaExceededError, program_stream
from ledger.store.recorder import AppendCondition, Conflict
from tests.acts import BUDI, PROGRAM, SITI, approve, log, now, propose, register, run

ROW = ("thing/1", 1, "Thing.v1", b'{"number":1}')


def meanwhile(ledger: Ledger, act: Any) -> None:
    """Let another writer carry out an act after the next decision, before it is appended."""
    append = ledger.store.append
    waiting = [act]

    def later(*given: Any) -> None:
        if waiting:
            with_another = Ledger(ledger.folder, now=now)
            try:
                waiting.pop()(with_another)
            finally:
                with_another.close()
        append(*given)

    ledger.store.append = later  # type: ignore[assignment]  # the moment between a decision and its append


def test_a_payment_decided_before_a_revocation_is_not_stored_after_it(ledger: Ledger) -> None:
    approved = propose(ledger, register(ledger, 2))
    approve(ledger, approved)
    meanwhile(ledger, lambda other: officers.revoke(other, BUDI, officer_id="siti", reason="left"))

    with pytest.raises(OfficerRevokedError):
        run(ledger, approved)

    assert [event for event in log(ledger) if isinstance(event, TrancheDisbursed)] == []


def test_a_batch_called_off_while_it_is_run_pays_nobody_more(ledger: Ledger) -> None:
    batch_id = propose(ledger, register(ledger, 2))
    approve(ledger, batch_id)
    meanwhile(ledger, lambda other: batches.cancel(other, BUDI, batch_id=batch_id, reason="wrong list"))

    with pytest.raises(BatchStateError):
        run(ledger, batch_id)

    assert [event for event in log(ledger) if isinstance(event, TrancheDisbursed)] == []


def test_a_batch_run_while_it_is_called_off_is_counted_whole(ledger: Ledger) -> None:
    batch_id = propose(ledger, register(ledger, 2))
    approve(ledger, batch_id)
    meanwhile(ledger, lambda other: run(other, batch_id))

    with pytest.raises(BatchStateError, match="executed"):
        batches.cancel(ledger, BUDI, batch_id=batch_id, reason="wrong list")


def test_a_proposal_decided_before_its_program_was_closed_is_not_stored_after_it(ledger: Ledger) -> None:
    people = register(ledger, 1)
    meanwhile(ledger, lambda other: programs.close_program(other, BUDI, program=PROGRAM, reason="over"))

    with pytest.raises(ProgramClosedError):
        propose(ledger, people)


def test_a_decision_is_not_taken_again_for_what_it_did_not_read(ledger: Ledger) -> None:
    people = register(ledger, 1)
    tries = []
    decide = batches._decide_proposal

    def counted(ledger: Ledger, attempt: Attempt, proposal: Any) -> Sequence[Event]:
        tries.append(1)
        return decide(ledger, attempt, proposal)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "_decide_proposal", counted)
        meanwhile(ledger, lambda other: programs.set_budget(other, BUDI, program="tkm-2020", budget=50_000_000))
        propose(ledger, people)

    assert len(tries) == 1


def test_two_programs_of_one_umbrella_do_not_both_take_what_is_left(ledger: Ledger) -> None:
    for code, parent, kind in (("jps", None, Kind.UMBRELLA), ("one", "jps", Kind.CASH), ("two", "jps", Kind.CASH)):
        terms = ProgramOpened(program=code, parent=parent, name=code, kind=kind, fiscal_year=2020)
        programs.open_program(ledger, SITI, terms=terms)
    programs.set_budget(ledger, SITI, program="jps", budget=100)
    meanwhile(ledger, lambda other: programs.set_budget(other, BUDI, program="two", budget=60))

    with pytest.raises(UmbrellaExceededError):
        programs.set_budget(ledger, SITI, program="one", budget=60)


def test_an_attempt_names_what_it_read_and_does_not_write(ledger: Ledger) -> None:
    attempt = Attempt(ledger, SITI)
    attempt.officer()
    attempt.program(PROGRAM)
    attempt.first(["recipient/R000000001", "recipient/R000000002"])
    attempt.load_range("program/", lambda _, event: event)

    condition = attempt.condition([program_stream(PROGRAM)])

    assert condition.after == ledger.store.size()
    assert condition.streams == {
        officer_stream("siti"),
        "recipient/R000000001",
        "recipient/R000000002",
        program_stream("tkm-2020"),
    }
    assert condition.ranges == (("program/", "program/\U0010ffff"),)


def test_what_exists_of_a_first_event_cannot_change_and_is_no_condition(ledger: Ledger) -> None:
    [person] = register(ledger, 1)
    attempt = Attempt(ledger, SITI)
    found = attempt.first([f"recipient/{person}", "recipient/R000000009"])

    assert list(found) == [f"recipient/{person}"]
    assert attempt.condition([]).streams == {"recipient/R000000009"}


def test_a_range_holds_streams_that_are_not_there_yet(ledger: Ledger) -> None:
    terms = ProgramOpened(program="new-2020", name="New", kind=Kind.CASH, fiscal_year=2020)
    decided: list[list[str]] = []

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer()
        decided.append(list(attempt.load_range("program/", lambda _, event: event)))
        return [terms]

    meanwhile(
        ledger,
        lambda other: programs.open_program(
            other, BUDI, terms=terms.model_copy(update={"program": "other-2020", "name": "Other"})
        ),
    )
    ledger.carry_out(SITI, decide)

    assert [len(each) for each in decided] == [2, 3]


@pytest.mark.parametrize("streams", [frozenset({"officer/siti"}), frozenset({"nothing", "program/tkm-2020"})])
@pytest.mark.parametrize("ranges", [(), (("a", "b"),)])
def test_the_store_refuses_an_append_whose_condition_fails_whole(
    ledger: Ledger, streams: frozenset[str], ranges: tuple[tuple[str, str], ...]
) -> None:
    size = ledger.store.size()
    with pytest.raises(Conflict, match="has changed since"):
        ledger.store.append([ROW], AppendCondition(0, streams, ranges))
    assert ledger.store.size() == size
    ledger.store.append([ROW], AppendCondition(size, streams, ranges))
    assert ledger.store.size() == size + 1


def test_the_store_looks_at_the_ranges_of_a_condition_up_to_their_ends(ledger: Ledger) -> None:
    for first, last, fails in (
        ("officer/siti", "officer/sitj", True),
        ("officer/sith", "officer/siti", True),
        ("officer/siti\x01", "officer/sitj", False),
        ("officer/sita", "officer/sith", False),
    ):
        condition = AppendCondition(0, frozenset(), ((first, last),))
        size = ledger.store.size()
        if fails:
            with pytest.raises(Conflict):
                ledger.store.append([(f"thing/{size}", *ROW[1:])], condition)
        else:
            ledger.store.append([(f"thing/{size}", *ROW[1:])], condition)
        assert ledger.store.size() == size + (not fails)
