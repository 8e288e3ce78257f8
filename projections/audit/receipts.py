"""A receipt: what proves one event to be in a log, standing alone, and what it says in words."""

import json
from dataclasses import dataclass
from typing import Any

from ledger.domain.errors import ProofFailedError
from ledger.domain.payment import PaymentRef, PaymentUnknownError, TrancheReissued, is_payment_id
from ledger.domain.registry import EVENT_CLASSES
from ledger.store.entries import to_event
from ledger.transparency.log import Log
from ledger.transparency.notes import Checkpoint, Proof, VerifierKey

_PLACE = ("stream", "version", "topic", "recorded_at", "effective_on", "by", "signature")


@dataclass(frozen=True)
class Receipt:
    """What a receipt that was verified shows."""

    index: int
    checkpoint: Checkpoint
    event: dict[str, Any]

    def words(self) -> list[str]:
        """It in sentences."""
        event, signed = self.event, self.checkpoint
        name = str(event["topic"]).partition(".")[0]
        cls = EVENT_CLASSES.get(str(event["topic"]))
        meaning = (
            (cls.__doc__ or "").strip().partition("\n")[0] if cls else "A kind of event this version does not know."
        )
        fields = [f"{key} {_told(value)}" for key, value in event.items() if key not in _PLACE]
        by = f" by {event['by']}" if event.get("by") else ""
        sentences = [
            f"Event {self.index} of the log {signed.origin} is {name}, version {event['version']} of {event['stream']}.",
            f"{meaning}",
            f"For {event['effective_on']}, recorded at {event['recorded_at']}{by}: {'; '.join(fields)}.",
            f"The log held {signed.size} events when it signed this, with the root {signed.root.hex()}.",
        ]
        if "signature" in event:
            sentences.append("The officer's own signature is in it; `salur audit verify` verifies it with their key.")
        return sentences


def _told(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def prove(log: Log, name: str) -> Proof:
    """The proof of an event named by its index, by stream and version, or as a payment or one of its later attempts."""
    return log.prove(_index_of_payment(log, name) if is_payment_id(name) else log.index_of(name))


def _index_of_payment(log: Log, name: str) -> int:
    wanted = PaymentRef.parse(name)
    for stored in log.recorder.select_events(wanted.stream):
        event = to_event(stored)
        attempt = event.attempt if isinstance(event, TrancheReissued) else 1
        if attempt == wanted.attempt:
            return log.recorder.position(wanted.stream, stored.originator_version)
    raise PaymentUnknownError(payment_id=name)


def verified(data: bytes, key: VerifierKey) -> Receipt:
    """What a receipt shows; raises `ProofFailedError` unless the holder of that key signed it."""
    proof = Proof.parse(data)
    if proof.extra is None:
        raise ProofFailedError("not a receipt: it does not hold the event's line")
    signed = proof.verify(proof.extra, key)
    try:
        event = json.loads(proof.extra)
        return Receipt(proof.index, signed, {**dict.fromkeys(_PLACE[:5]), **event})
    except (ValueError, TypeError):
        raise ProofFailedError("not a receipt: what it proves is no event") from None
