"""Batches and payments."""

from pathlib import Path
from typing import Any

from ledger.application.aftercare import Step
from ledger.application.disbursement import list_path
from ledger.application.ledger import Ledger
from tests.acts import (  # fmt: skip
    PROGRAM,
    TRANCHE,
    approve,
    nik,
    pay,
    propose,
    register,
    run,
    step,
)
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
