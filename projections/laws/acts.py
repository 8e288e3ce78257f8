"""The law of exact acts: what was recorded under an agreement is what its officers read when they agreed."""

import json
from collections import Counter

from ledger.domain.agreement import ActProposed, said_of
from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.registry import EVENT_CLASSES
from ledger.store.entries import to_entry
from ledger.store.recorder import EventLog
from projections.laws.law import Breach, Law

SENTENCE = "What was recorded under an agreement is exactly the act that was proposed, whole and once."
PAGE_EVENTS = 5_000
_WITH_THEM = ("KeyAssigned.v1", "FundsReserved.v1", "FundsSpent.v1", "FundsReleased.v1", "StockIssued.v1")
"""Topics of events that follow from an act and need no words of their own."""
_TOPICS = (ActProposed.TOPIC, *_WITH_THEM, *(topic for topic, cls in EVENT_CLASSES.items() if cls.AGREED))


def check_acts(recorder: EventLog) -> Law:
    """Hold the events that bear an agreement against the acts that were proposed."""
    law = Law("acts-exact", SENTENCE)
    proposed: dict[str, Counter[str]] = {}
    begun: dict[str, tuple[int, str]] = {}
    start = 1
    while page := recorder.page(start, PAGE_EVENTS, topics=_TOPICS):
        for stored in page:
            start = stored.id + 1
            try:
                entry = to_entry(stored)
            except IntegrityBrokenError:
                continue  # the law of what can be read names it
            if isinstance(entry.event, ActProposed):
                name = f"{entry.event.subject}@{entry.originator_version}"
                proposed[name] = Counter(map(_canonical, json.loads(entry.event.act)))
            elif name := entry.meta.agreement or "":
                law.checked += 1
                said = _canonical(said_of(entry.event))
                begun.setdefault(name, (stored.id - 1, entry.originator_id))
                left = proposed.setdefault(name, Counter())
                left[said] -= 1
                if left[said] < 0:
                    law.breach(Breach(stored.id - 1, entry.originator_id, f"is no part of the act {name}"))
    for name, (log_index, stream) in begun.items():
        if any(count > 0 for count in proposed[name].values()):
            law.breach(Breach(log_index, stream, f"the act {name} was recorded in part only"))
    return law


def _canonical(event: dict[str, object]) -> str:
    return json.dumps(event, sort_keys=True)
