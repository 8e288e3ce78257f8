"""The law of exact acts: what was recorded under an agreement is what its officers read when they agreed."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import date

from ledger.domain.agreement import ActAgreed, ActKind, ActProposed, PolicySet, said_of, words_needed
from ledger.domain.batch import BatchApproved, BatchCancelled, BatchProposed, ListKind, line_of
from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.event import Event
from ledger.domain.goods import StockAdjusted, StockIssued
from ledger.domain.group import GroupFunded
from ledger.domain.officer import OfficerEnrolled, OfficerKeyReplaced
from ledger.domain.opening import LedgerOpened
from ledger.domain.payment import TrancheRefunded, TrancheReissued
from ledger.domain.registry import EVENT_CLASSES
from ledger.store.entries import Entry, to_entry
from ledger.store.recorder import EventLog
from ledger.transparency.merkle import leaf_hash, root_of
from projections.laws.law import Breach, Law

SENTENCE = "What was recorded under an agreement is exactly the act that was proposed, whole and once."
PAGE_EVENTS = 5_000
FIRST_NAMED = 10
"""So many officers who came without an agreement are named."""
_WITH_THEM = ("KeyAssigned.v1", "FundsReserved.v1", "FundsSpent.v1", "FundsReleased.v1", "StockIssued.v1")
"""Topics of events that follow from an act and need no words of their own."""
ACT_TOPICS = (*_WITH_THEM, *(topic for topic, cls in EVENT_CLASSES.items() if cls.AGREED))
"""Topics of what may be part of an act; whatever of these bears an agreement is held against it."""
LISTED: dict[type[Event], ListKind] = {
    GroupFunded: ListKind.GRANTS,
    TrancheReissued: ListKind.REISSUES,
    TrancheRefunded: ListKind.REFUNDS,
}
"""What stands on the lists of batches, and on which; each is recorded when its batch is run."""
_TOPICS = (LedgerOpened.TOPIC, ActProposed.TOPIC, ActAgreed.TOPIC, BatchProposed.TOPIC, *ACT_TOPICS)


def check_acts(recorder: EventLog) -> Law:
    """Hold the events that bear an agreement against the acts that were proposed."""
    law = Law("acts-exact", SENTENCE)
    proposed: dict[str, Counter[str]] = {}
    begun: dict[str, tuple[int, str]] = {}
    lists = _Lists(law)
    alone = _Alone(law)
    policy = _Policy(law)
    for index, entry in _entries(recorder):
        event = entry.event
        alone.take(index, entry)
        policy.take(index, entry)
        if isinstance(event, ActProposed):
            proposed[f"{event.subject}@{entry.originator_version}"] = Counter(map(_canonical, json.loads(event.act)))
        elif isinstance(event, BatchProposed):
            lists.proposed[event.batch_id] = event
        elif kind := LISTED.get(type(event)):
            lists.take(index, entry, kind)
        elif name := entry.meta.agreement or "":
            if isinstance(event, BatchCancelled):
                lists.called_off.add(event.batch_id)
            law.checked += 1
            said = _canonical(said_of(event))
            begun.setdefault(name, (index, entry.originator_id))
            left = proposed.setdefault(name, Counter())
            left[said] -= 1
            if left[said] < 0:
                law.breach(Breach(index, entry.originator_id, f"is no part of the act {name}"))
    lists.close()
    alone.close()
    for name, (log_index, stream) in begun.items():
        if any(count > 0 for count in proposed[name].values()):
            law.breach(Breach(log_index, stream, f"the act {name} was recorded in part only"))
    return law


def _entries(recorder: EventLog) -> Iterator[tuple[int, Entry]]:
    """Log index and entry of each event that the law looks at, but for those that the law of what can be read names."""
    start = 1
    while page := recorder.page(start, PAGE_EVENTS, topics=_TOPICS):
        for stored in page:
            start = stored.id + 1
            with suppress(IntegrityBrokenError):
                yield stored.id - 1, to_entry(stored)


class _Alone:
    """Who came into office on nobody's word, or on that of recovery keys: no breach, and every audit says so."""

    def __init__(self, law: Law) -> None:
        self._law = law
        self._first: list[str] = []
        self._last: tuple[int, str] | None = None
        self._recovering: dict[str, str] = {}
        """Name of an agreement that rests on recovery keys → who proposed it."""

    def take(self, log_index: int, entry: Entry) -> None:
        """Look at an event; enrolments and replaced keys count."""
        event, name = entry.event, entry.meta.agreement
        if isinstance(event, LedgerOpened) and event.continues:
            detail = f"goes on for the ledger of fingerprint {event.continues}: ask what became of that"
            self._law.notice(Breach(log_index, entry.originator_id, detail))
        elif isinstance(event, ActProposed) and event.kind is ActKind.RECOVERY:
            self._recovering[f"{event.subject}@{entry.originator_version}"] = event.proposer
        elif isinstance(event, OfficerEnrolled | OfficerKeyReplaced) and name in self._recovering:
            detail = (
                f"rests on recovery keys, those of {self._recovering[name]} and of {entry.meta.by}: ask who used them"
            )
            self._law.notice(Breach(log_index, entry.originator_id, detail))
        elif isinstance(event, OfficerEnrolled) and name is None:
            self._first.append(event.officer_id)
            self._last = (log_index, entry.originator_id)

    def close(self) -> None:
        """Name those whom no agreement enrolled."""
        if self._last is None:
            return
        named = ", ".join(self._first[:FIRST_NAMED])
        more = len(self._first) - FIRST_NAMED
        detail = (
            f"in office without an agreement, from before the rules: {named}{f' and {more} more' if more > 0 else ''}"
        )
        self._law.notice(Breach(*self._last, detail))


class _Policy:
    """How many words the policy of each moment asked for, by kind and amount; amounts of one day (UTC) count together."""

    def __init__(self, law: Law) -> None:
        self._law = law
        self._rules: dict[ActKind, dict[int, int]] = {}
        self._batches: dict[str, BatchProposed] = {}
        self._waiting: dict[str, tuple[ActProposed, int]] = {}
        """Subject → the last act proposed for it, and how many words it has."""
        self._of_day: Counter[tuple[str, date]] = Counter()
        """What counts together, and a day → the amounts recorded so far."""

    def take(self, log_index: int, entry: Entry) -> None:
        """Look at an event: an act asks for enough words, and is recorded with enough of them."""
        event, day = entry.event, entry.meta.recorded_at.date()
        match event:
            case PolicySet():
                self._rules.setdefault(event.kind, {})[event.above] = event.checkers
            case BatchProposed():
                self._batches[event.batch_id] = event
            case BatchApproved() if batch := self._batches.get(event.batch_id):
                self._of_day[f"batches of {batch.program}", day] += batch.total
            case StockIssued() | StockAdjusted():
                self._of_day[event.item, day] += event.quantity
            case ActProposed():
                self._waiting[event.subject] = (event, 0)
                self._require(log_index, entry, event, event.words, day)
            case ActAgreed() if event.subject in self._waiting:
                proposed, words = self._waiting[event.subject]
                self._waiting[event.subject] = (proposed, words + 1)
                if event.is_last:
                    self._require(log_index, entry, proposed, words + 1, day)

    def _require(self, log_index: int, entry: Entry, proposed: ActProposed, words: int, day: date) -> None:
        amount, together = self._amount(proposed)
        needed = words_needed(self._rules.get(proposed.kind), amount + self._of_day[together, day])
        if words < needed:
            detail = f"{words} of the {needed} words that the policy on {proposed.kind} asks for"
            self._law.breach(Breach(log_index, entry.originator_id, detail))

    def _amount(self, proposed: ActProposed) -> tuple[int, str]:
        """The amount of an act, and what it counts together with."""
        act = json.loads(proposed.act)
        if proposed.kind is ActKind.BATCHES and (batch := self._batches.get(proposed.subject.partition("/")[2])):
            is_approval = any(each["topic"] == BatchApproved.TOPIC for each in act)
            return batch.total, f"batches of {batch.program}" if is_approval else ""
        if proposed.kind is ActKind.GOODS:
            taken = [each for each in act if each["topic"] in (StockIssued.TOPIC, StockAdjusted.TOPIC)]
            return sum(each["quantity"] for each in taken), next((each["item"] for each in taken), "")
        return max((each.get("budget", 0) for each in act), default=0), ""


class _Lists:
    """What was recorded of batches, held against the lists that officers agreed to."""

    def __init__(self, law: Law) -> None:
        self._law = law
        self.proposed: dict[str, BatchProposed] = {}
        self.called_off: set[str] = set()
        self._recorded: dict[str, list[tuple[str, bytes]]] = {}
        """Batch → stream and hash of the line of each of its events."""

    def take(self, log_index: int, entry: Entry, kind: ListKind) -> None:
        """Look at an event of a list: one under an agreement lies in the batch that was agreed to."""
        event, name = entry.event, entry.meta.agreement
        batch_id, program = getattr(event, "batch_id", None), getattr(event, "program", None)
        if batch_id is None and name is None:
            return
        self._law.checked += 1
        batch = self.proposed.get(batch_id or "")
        detail = None
        if batch is None or batch.kind is not kind or batch.program != program:
            detail = f"is of no batch of {kind} in {program}"
        elif name and name.partition("@")[0] != f"batch/{batch_id}":
            detail = f"was agreed to as {name}, not in its batch"
        elif batch_id in self.called_off:
            detail = f"batch {batch_id} was called off before"
        else:
            hashed = leaf_hash(line_of(event).rstrip(b"\n"))
            self._recorded.setdefault(batch.batch_id, []).append((entry.originator_id, hashed))
        if detail:
            self._law.breach(Breach(log_index, entry.originator_id, detail))

    def close(self) -> None:
        """Compare each batch all lines of which were recorded with the root of its list."""
        for batch_id, recorded in self._recorded.items():
            batch = self.proposed[batch_id]
            root = root_of(hashed for _, hashed in sorted(recorded)).hex()
            if len(recorded) > batch.count or (len(recorded) == batch.count and root != batch.rows_root):
                stream = f"batch/{batch_id}"
                self._law.breach(Breach(None, stream, f"its {batch.kind} are not those of the list that was agreed to"))


def _canonical(event: dict[str, object]) -> str:
    return json.dumps(event, sort_keys=True)
