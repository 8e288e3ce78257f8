import hashlib
import os
from collections.abc import Callable
from typing import Any

import pytest

from ledger.application import batches, chunks, goods, officers, programs
from ledger.application.batches import list_path, reject
from ledger.application.ledger import Ledger
from ledger.domain import batch as batches_of_the_domain
from ledger.domain.batch import (
    BatchApproved,
    BatchCancelled,
    BatchEmptyError,
    BatchExecuted,
    BatchExistsError,
    BatchListChangedError,
    BatchListMissingError,
    BatchProposed,
    BatchRejected,
    BatchRowsRefused,
    BatchStateError,
)
from ledger.domain.errors import LedgerError, ReferenceReusedError, SameOfficerError
from ledger.domain.event import RefusedRows, Role
from ledger.domain.officer import OfficerRevokedError, RoleMissingError
from ledger.domain.payment import TrancheDisbursed
from ledger.domain.program import (
    BudgetExceededError,
    FundsReleased,
    FundsReserved,
    FundsSpent,
    ProgramBusyError,
    ProgramClosedError,
)
from ledger.domain.request import ReferenceUsed
from projections.audit.check import check
from tests.acts import (
    BUDI,
    FILE_SHA256,
    PROGRAM,
    SITI,
    TRANCHE,
    Told,
    approve,
    by,
    kept,
    log,
    nik,
    pay,
    propose,
    register,
    run,
)


def list_of(*recipients: str, amount: int = TRANCHE) -> bytes:
    return ("recipient_id,amount\n" + "".join(f"{each},{amount}\n" for each in recipients)).encode()


def disbursed(recipient_id: str, batch_id: str, amount: int = TRANCHE) -> TrancheDisbursed:
    return TrancheDisbursed(program=PROGRAM, tranche=1, recipient_id=recipient_id, amount=amount, batch_id=batch_id)


def money(cls: type[FundsReserved | FundsSpent | FundsReleased], amount: int, batch_id: str) -> object:
    return cls(program=PROGRAM, amount=amount, reserved_for=f"batch {batch_id}")


def test_what_two_officers_agree_on_is_what_is_paid(ledger: Ledger) -> None:
    one, two = register(ledger, 2)
    since = len(log(ledger))
    # Not in order, one by NIK and one amount as officers write it.
    batch_id = propose(ledger, [two, (nik(1), "Rp1.000.000,-")])
    payment_list = f"recipient_id,amount\n{one},1000000\n{two},1200000\n".encode()
    rows_sha256 = hashlib.sha256(payment_list).hexdigest()
    assert batch_id == f"bsu-2020-1-{rows_sha256[:8]}"
    assert list_path(ledger, batch_id).read_bytes() == payment_list
    approve(ledger, batch_id)
    run(ledger, batch_id)
    assert log(ledger, since) == [
        BatchProposed(
            batch_id=batch_id,
            program=PROGRAM,
            tranche=1,
            maker="siti",
            file_sha256=FILE_SHA256,
            rows_sha256=rows_sha256,
            count=2,
            total=2_200_000,
        ),
        BatchApproved(batch_id=batch_id, program=PROGRAM, checker="budi"),
        money(FundsReserved, 2_200_000, batch_id),
        disbursed(one, batch_id, 1_000_000),
        disbursed(two, batch_id, 1_200_000),
        BatchExecuted(batch_id=batch_id, program=PROGRAM, count=2, total=2_200_000),
        money(FundsSpent, 2_200_000, batch_id),
    ]


def test_each_step_again_records_nothing(ledger: Ledger) -> None:
    recipients = register(ledger, 3)
    batch_id = propose(ledger, recipients)
    before = kept(ledger)
    assert propose(ledger, recipients) == batch_id
    assert kept(ledger) == before
    approve(ledger, batch_id)
    before = kept(ledger)
    approve(ledger, batch_id)
    assert kept(ledger) == before
    run(ledger, batch_id)
    before = kept(ledger)
    tally = run(ledger, batch_id)
    assert (tally.taken, tally.repeated, tally.total) == (0, 3, 3 * TRANCHE)
    assert kept(ledger) == before


def test_an_interrupted_run_goes_on_where_it_stopped(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 2)
    recipients = register(ledger, 5)
    batch_id = propose(ledger, recipients)
    approve(ledger, batch_id)
    since = len(log(ledger))

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batches.run(ledger, SITI, batch_id=batch_id, on_reject=Told(), on_progress=interrupt)
    assert log(ledger, since) == [disbursed(each, batch_id) for each in recipients[:2]]
    tally = run(ledger, batch_id)
    assert (tally.taken, tally.repeated) == (3, 2)
    assert log(ledger, since) == [
        *[disbursed(each, batch_id) for each in recipients],
        BatchExecuted(batch_id=batch_id, program=PROGRAM, count=5, total=5 * TRANCHE),
        money(FundsSpent, 5 * TRANCHE, batch_id),
    ]


def test_rows_that_another_batch_paid_meanwhile_are_refused_and_their_money_is_free(ledger: Ledger) -> None:
    one, two, three = register(ledger, 3)
    slow = propose(ledger, [one, two, three])
    approve(ledger, slow)
    fast = pay(ledger, [two])
    since = len(log(ledger))
    told = Told()
    tally = run(ledger, slow, on_reject=told)
    assert (tally.taken, tally.total) == (2, 2 * TRANCHE)
    assert told.codes == [(3, "recipient", "already_paid")]
    assert fast in told.rejects[0].reason
    assert log(ledger, since) == [
        BatchRowsRefused(batch_id=slow, program=PROGRAM, block=0, lines=(f"{two},{TRANCHE}",)),
        disbursed(one, slow),
        disbursed(three, slow),
        BatchExecuted(
            batch_id=slow,
            program=PROGRAM,
            count=2,
            total=2 * TRANCHE,
            refused=(RefusedRows(code="already_paid", rows=1),),
        ),
        money(FundsSpent, 2 * TRANCHE, slow),
        money(FundsReleased, TRANCHE, slow),
    ]


def test_refused_rows_are_named_once_however_often_the_batch_is_run(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 2)
    monkeypatch.setattr(batches_of_the_domain, "BLOCK_LINES", 3)
    recipients = register(ledger, 7)
    slow = propose(ledger, recipients)
    approve(ledger, slow)
    pay(ledger, recipients[:5])

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batches.run(ledger, SITI, batch_id=slow, on_reject=Told(), on_progress=interrupt)
    run(ledger, slow, on_reject=Told())
    run(ledger, slow, on_reject=Told())
    named = [
        (event.block, line) for event in log(ledger) if isinstance(event, BatchRowsRefused) for line in event.lines
    ]
    assert sorted(named) == [(number // 3, f"{each},{TRANCHE}") for number, each in enumerate(recipients[:5])]
    assert all(law.holds and law.checked for law in check(ledger.store) if law.name == "lists-paid")


def test_a_batch_of_which_all_was_paid_meanwhile_ends_and_frees_its_money(ledger: Ledger) -> None:
    recipients = register(ledger, 2)
    slow = propose(ledger, recipients, batch_id="slow")
    approve(ledger, slow)
    for recipient in recipients:
        pay(ledger, [recipient])
    since = len(log(ledger))
    run(ledger, slow, on_reject=Told())
    lines = tuple(f"{each},{TRANCHE}" for each in recipients)
    assert log(ledger, since)[0] == BatchRowsRefused(batch_id=slow, program=PROGRAM, block=0, lines=lines)
    assert log(ledger, since)[2:] == [money(FundsReleased, 2 * TRANCHE, slow)]
    programs.close_program(ledger, BUDI, program=PROGRAM, reason="year-end")


def test_of_several_broken_rules_of_a_row_the_first_in_order_is_told(ledger: Ledger) -> None:
    """Recipient, category, amount, ceiling, paid before, twice in the file."""
    worker, paid = register(ledger, 2)
    [servant] = register(ledger, 1, first=3, category="civil-servant")
    pay(ledger, [paid])
    told = Told()
    propose(
        ledger,
        [
            (nik(9), "much"),
            (servant, "much"),
            (paid, "much"),
            (paid, "1200001"),
            (paid, ""),
            (worker, ""),
            (worker, "1200001"),
            (nik(1), ""),
        ],
        on_reject=told,
    )
    assert told.codes == [
        (2, "recipient", "recipient_unknown"),
        (3, "recipient", "category_not_eligible"),
        (4, "amount", "amount_invalid"),
        (5, "amount", "ceiling_exceeded"),
        (6, "recipient", "already_paid"),
        (8, "amount", "ceiling_exceeded"),
        (9, "recipient", "duplicate_in_file"),
    ]


def test_a_duplicate_is_found_across_chunks(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 1)
    [recipient] = register(ledger, 1)
    for command in (by("siti", dry_run=True), SITI):
        told = Told()
        propose(ledger, [recipient, recipient], on_reject=told, command=command)
        assert told.codes == [(3, "recipient", "duplicate_in_file")]


def test_a_proposal_tells_what_was_refused(ledger: Ledger) -> None:
    [recipient] = register(ledger, 1)
    propose(ledger, [recipient, nik(8), nik(9)], on_reject=Told())
    proposal = log(ledger)[-1]
    assert isinstance(proposal, BatchProposed)
    assert proposal.refused == (RefusedRows(code="recipient_unknown", rows=2),)


def test_the_maker_of_a_batch_cannot_approve_it_even_as_a_checker(ledger: Ledger) -> None:
    officers.enroll(ledger, SITI, officer_id="agus", roles=(Role.MAKER, Role.CHECKER))
    batch_id = propose(ledger, register(ledger, 1), command=by("agus"))
    before = kept(ledger)
    with pytest.raises(SameOfficerError):
        approve(ledger, batch_id, command=by("agus"))
    assert kept(ledger) == before
    approve(ledger, batch_id)


def test_only_a_maker_proposes_and_only_a_checker_approves(ledger: Ledger) -> None:
    recipients = register(ledger, 1)
    with pytest.raises(RoleMissingError):
        propose(ledger, recipients, command=BUDI)
    batch_id = propose(ledger, recipients)
    officers.enroll(ledger, SITI, officer_id="agus", roles=(Role.MAKER,))
    with pytest.raises(RoleMissingError):
        approve(ledger, batch_id, command=by("agus"))
    with pytest.raises(RoleMissingError):
        reject(ledger, by("agus"), batch_id=batch_id, reason="late")


@pytest.mark.parametrize("act", ["propose", "approve", "reject", "run"])
def test_a_revoked_officer_does_nothing_more(ledger: Ledger, act: str) -> None:
    one, two = register(ledger, 2)
    waiting = propose(ledger, [one])
    approved = propose(ledger, [two])
    approve(ledger, approved)
    for officer_id in ("budi", "siti"):
        officers.revoke(ledger, SITI, officer_id=officer_id, reason="moved")
    before = kept(ledger)
    acts: dict[str, Callable[[], object]] = {
        "propose": lambda: propose(ledger, [two]),
        "approve": lambda: approve(ledger, waiting),
        "reject": lambda: reject(ledger, BUDI, batch_id=waiting, reason="late"),
        "run": lambda: run(ledger, approved),
    }
    with pytest.raises(OfficerRevokedError):
        acts[act]()
    assert kept(ledger) == before


def test_a_batch_is_rejected_by_a_checker_or_withdrawn_by_its_maker(ledger: Ledger) -> None:
    one, two = register(ledger, 2)
    first, second = propose(ledger, [one]), propose(ledger, [two])
    since = len(log(ledger))
    for command, batch_id in ((BUDI, first), (SITI, second), (BUDI, first)):
        reject(ledger, command, batch_id=batch_id, reason="wrong list")
    assert log(ledger, since) == [
        BatchRejected(batch_id=first, program=PROGRAM, checker="budi", reason="wrong list"),
        BatchRejected(batch_id=second, program=PROGRAM, checker="siti", reason="wrong list"),
    ]
    with pytest.raises(BatchExistsError):
        propose(ledger, [one])
    assert propose(ledger, [one], batch_id="corrected") == "corrected"


def test_an_approved_batch_is_not_rejected(ledger: Ledger) -> None:
    batch_id = propose(ledger, register(ledger, 1))
    approve(ledger, batch_id)
    with pytest.raises(BatchStateError):
        reject(ledger, BUDI, batch_id=batch_id, reason="late")


def test_nothing_is_paid_of_a_list_that_changed_after_approval(ledger: Ledger) -> None:
    recipients = register(ledger, 2)
    batch_id = propose(ledger, recipients)
    approve(ledger, batch_id)
    before = kept(ledger)
    for content in (list_of(recipients[0]), list_of(*recipients, amount=TRANCHE + 1), b""):
        list_path(ledger, batch_id).write_bytes(content)
        with pytest.raises(BatchListChangedError):
            run(ledger, batch_id)
        assert kept(ledger) == before


def test_a_lost_list_is_restored_by_proposing_the_same_file(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(ledger.store), "fetch_list", lambda *_: iter(()))  # lost in the database as well
    recipients = register(ledger, 2)
    batch_id = propose(ledger, recipients)
    approve(ledger, batch_id)
    list_path(ledger, batch_id).unlink()
    before = kept(ledger)
    with pytest.raises(BatchListMissingError):
        run(ledger, batch_id)
    propose(ledger, recipients)
    assert kept(ledger) == before
    assert run(ledger, batch_id).taken == 2


def test_nothing_is_written_where_a_list_is_only_looked_for(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(ledger.store), "fetch_list", lambda *_: iter(()))  # lost in the database as well
    batch_id = propose(ledger, register(ledger, 1))
    list_path(ledger, batch_id).unlink()
    monkeypatch.setattr(batches, "Draft", lambda *_: pytest.fail("a file was made in a folder that may be read-only"))
    with pytest.raises(BatchListMissingError):
        approve(ledger, batch_id)


def test_the_lost_list_of_a_half_run_batch_is_restored_under_its_own_id(ledger: Ledger) -> None:
    recipients = register(ledger, 3)
    propose(ledger, recipients, batch_id="october")
    approve(ledger, "october")
    path = list_path(ledger, "october")
    content = path.read_bytes()
    paid = TrancheDisbursed(program=PROGRAM, tranche=1, recipient_id=recipients[1], amount=TRANCHE, batch_id="october")
    ledger.carry_out(SITI, lambda _: [paid])  # the run came this far
    path.unlink()

    propose(ledger, recipients, batch_id="october")

    assert path.read_bytes() == content
    tally = run(ledger, "october")
    assert (tally.taken, tally.repeated, tally.total) == (2, 1, 3 * TRANCHE)


def test_no_file_is_left_of_a_proposal_that_is_refused(ledger: Ledger) -> None:
    one, two = register(ledger, 2)
    propose(ledger, [one], batch_id="october")
    with pytest.raises(LedgerError):
        propose(ledger, [two], batch_id="october")
    with pytest.raises(BatchEmptyError):
        propose(ledger, [nik(9)], on_reject=Told())
    assert [path.name for path in ledger.batches_folder.iterdir()] == ["october.csv"]
    assert list_path(ledger, "october").read_bytes() == list_of(one)


def test_a_rehearsal_of_each_step_records_nothing(ledger: Ledger) -> None:
    recipients, rehearsed = register(ledger, 2), {"dry_run": True}
    before = kept(ledger)
    propose(ledger, recipients, command=by("siti", **rehearsed))
    assert kept(ledger) == before
    assert list(ledger.batches_folder.iterdir()) == []
    batch_id = propose(ledger, recipients)
    before = kept(ledger)
    approve(ledger, batch_id, command=by("budi", **rehearsed))
    assert kept(ledger) == before
    approve(ledger, batch_id)
    before = kept(ledger)
    assert run(ledger, batch_id, command=by("siti", **rehearsed)).taken == 2
    assert kept(ledger) == before


def test_two_batches_never_hold_more_than_the_budget(ledger: Ledger) -> None:
    one, two = register(ledger, 2)
    programs.set_budget(ledger, BUDI, program=PROGRAM, budget=2 * TRANCHE - 1)
    first, second = propose(ledger, [one]), propose(ledger, [two])
    approve(ledger, first)
    before = kept(ledger)
    with pytest.raises(BudgetExceededError) as refused:
        approve(ledger, second)
    assert (refused.value.asked, refused.value.available) == (TRANCHE, TRANCHE - 1)
    assert kept(ledger) == before
    programs.set_budget(ledger, BUDI, program=PROGRAM, budget=2 * TRANCHE)
    approve(ledger, second)


def test_a_program_closes_once_its_batches_are_done_and_then_pays_nothing(ledger: Ledger) -> None:
    one, two = register(ledger, 2)
    waiting = propose(ledger, [two])
    batch_id = propose(ledger, [one])
    approve(ledger, batch_id)
    with pytest.raises(ProgramBusyError):
        programs.close_program(ledger, BUDI, program=PROGRAM, reason="year-end")
    run(ledger, batch_id)
    programs.close_program(ledger, BUDI, program=PROGRAM, reason="year-end")
    before = kept(ledger)
    for act in (
        lambda: propose(ledger, [two], tranche=2),
        lambda: approve(ledger, waiting),
        lambda: programs.set_budget(ledger, BUDI, program=PROGRAM, budget=1),
    ):
        with pytest.raises(ProgramClosedError):
            act()
    assert kept(ledger) == before


def test_a_command_under_a_reference_is_carried_out_once(ledger: Ledger) -> None:
    one, two = register(ledger, 2)
    command = by("siti", reference="letter 7")
    since = len(log(ledger))
    batch_id = propose(ledger, [one], command=command)
    assert isinstance(log(ledger, since)[1], ReferenceUsed)
    before = kept(ledger)
    assert propose(ledger, [one], command=command) == batch_id
    assert kept(ledger) == before
    with pytest.raises(ReferenceReusedError):
        propose(ledger, [two], command=command)
    assert kept(ledger) == before


def test_under_a_reference_stock_arrives_once_and_without_one_each_time(ledger: Ledger) -> None:
    arrived: dict[str, Any] = {"item": "mask", "quantity": 10, "unit": "piece", "origin": "BLK Serang"}
    for command, events in ((SITI, 1), (SITI, 1), (by("siti", reference="DO 1"), 2), (by("siti", reference="DO 1"), 0)):
        assert len(goods.stock(ledger, command, **arrived)) == events


def test_each_tranche_of_a_person_is_paid_in_its_own_right(ledger: Ledger) -> None:
    recipients = register(ledger, 1)
    pay(ledger, recipients)
    pay(ledger, recipients, tranche=2)
    with pytest.raises(BatchEmptyError):
        propose(ledger, recipients, tranche=2, on_reject=Told())


@pytest.mark.parametrize("act", ["approve", "run"])
def test_a_rejected_batch_is_neither_approved_nor_run(ledger: Ledger, act: str) -> None:
    batch_id = propose(ledger, register(ledger, 1))
    reject(ledger, BUDI, batch_id=batch_id, reason="late")
    before = kept(ledger)
    with pytest.raises(BatchStateError) as refused:
        (approve if act == "approve" else run)(ledger, batch_id)
    assert refused.value.status == "rejected"
    assert kept(ledger) == before


def test_an_approved_batch_is_called_off_and_its_money_is_free_again(ledger: Ledger) -> None:
    people = register(ledger, 2)
    before = ledger.view().program(PROGRAM)
    batch_id = propose(ledger, people)
    approve(ledger, batch_id)
    since = len(log(ledger))

    batches.cancel(ledger, BUDI, batch_id=batch_id, reason="wrong list")

    assert log(ledger, since) == [
        BatchCancelled(batch_id=batch_id, program=PROGRAM, count=0, total=0, reason="wrong list"),
        money(FundsReleased, 2 * TRANCHE, batch_id),
    ]
    assert ledger.view().program(PROGRAM) == before
    assert batches.cancel(ledger, BUDI, batch_id=batch_id, reason="wrong list") == []
    for act in (approve, run):
        with pytest.raises(BatchStateError, match="cancelled"):
            act(ledger, batch_id)
    assert propose(ledger, people, batch_id="anew") == "anew"


def test_of_a_half_paid_batch_the_rest_is_called_off(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 2)
    batch_id = propose(ledger, register(ledger, 5))
    approve(ledger, batch_id)

    def stop_after_one_chunk(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batches.run(ledger, SITI, batch_id=batch_id, on_reject=Told(), on_progress=stop_after_one_chunk)
    since = len(log(ledger))
    batches.cancel(ledger, BUDI, batch_id=batch_id, reason="wrong list")
    assert log(ledger, since) == [
        BatchCancelled(batch_id=batch_id, program=PROGRAM, count=2, total=2 * TRANCHE, reason="wrong list"),
        money(FundsSpent, 2 * TRANCHE, batch_id),
        money(FundsReleased, 3 * TRANCHE, batch_id),
    ]
    assert all(law.holds for law in check(ledger.store))


@pytest.mark.parametrize("state", ["proposed", "rejected", "executed"])
def test_only_an_approved_batch_is_called_off(ledger: Ledger, state: str) -> None:
    batch_id = propose(ledger, register(ledger, 1))
    if state == "rejected":
        reject(ledger, BUDI, batch_id=batch_id, reason="late")
    if state == "executed":
        approve(ledger, batch_id)
        run(ledger, batch_id)
    with pytest.raises(BatchStateError, match=state):
        batches.cancel(ledger, BUDI, batch_id=batch_id, reason="wrong list")


def test_a_draft_that_a_killed_proposal_left_is_removed_by_a_later_one(ledger: Ledger) -> None:
    folder = ledger.batches_folder
    old, young = folder / ".killed.new", folder / ".at-work.new"
    for path in (old, young):
        path.write_text("recipient_id,amount\n")
    os.utime(old, (0, 0))
    batch_id = propose(ledger, register(ledger, 1))
    assert sorted(each.name for each in folder.iterdir()) == [".at-work.new", f"{batch_id}.csv"]
