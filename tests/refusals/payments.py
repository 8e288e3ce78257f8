"""Batches and payments."""

from pathlib import Path
from typing import Any

from ledger.application.aftercare import Step
from ledger.application.batches import list_path
from ledger.application.ledger import Ledger
from tests.acts import (  # fmt: skip
    PROGRAM,
    TRANCHE,
    approve,
    nik,
    pay,
    propose,
    propose_step,
    register,
    run,
    step,
    stop,
)
from tests.refusals.agreements import adopted
from tests.refusals.case import refusal

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


# Paid again or refunded on other officers' words


def returned(ledger: Ledger, folder: Path) -> Any:
    """An office whose rules bind, and the name of a payment that came back."""
    office = adopted(ledger, folder)
    [recipient_id] = register(ledger, 1, command=office.siti)
    batch_id = propose(ledger, [recipient_id], command=office.siti)
    approve(ledger, batch_id, command=office.budi)
    run(ledger, batch_id, command=office.siti)
    payment_id = f"{PROGRAM}/1/{recipient_id}"
    step(ledger, Step.RETURN, payment_id, command=office.siti)
    return office, payment_id


@refusal
def other_program(ledger: Ledger, folder: Path) -> Any:
    office, payment_id = returned(ledger, folder)
    other = "tkm-2020/1/R000000001"
    fields = {"payment_id": other, "program": PROGRAM}
    return fields, lambda: propose_step(
        ledger, Step.REISSUE, payment_id, other, command=office.siti, batch_id="again", on_reject=stop
    )


@refusal
def payment_moved(ledger: Ledger, folder: Path) -> Any:
    office, payment_id = returned(ledger, folder)
    propose_step(ledger, Step.REISSUE, payment_id, command=office.siti, batch_id="again")
    propose_step(ledger, Step.REISSUE, payment_id, command=office.siti, batch_id="once-more")
    for batch_id in ("again", "once-more"):
        approve(ledger, batch_id, command=office.budi)
    run(ledger, "again", command=office.budi)
    fields = {"payment_id": f"{payment_id}/2", "status": "reissued"}
    return fields, lambda: run(ledger, "once-more", command=office.budi, on_reject=stop)


@refusal
def payments_done(ledger: Ledger, folder: Path) -> Any:
    office, payment_id = returned(ledger, folder)
    propose_step(ledger, Step.REISSUE, payment_id, command=office.siti, batch_id="again")
    approve(ledger, "again", command=office.budi)
    run(ledger, "again", command=office.budi)
    fields = {"count": 1, "done": "paid again"}
    return fields, lambda: propose_step(ledger, Step.REISSUE, payment_id, command=office.siti, batch_id="once-more")
