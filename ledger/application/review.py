"""What an officer sees of a batch before they agree to it: its figures, and what in it is worth a question."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ledger.application import listed
from ledger.application.attempt import Attempt
from ledger.application.batches import genuine_list, list_path
from ledger.application.chunks import CHUNK_ROWS, OnProgress, batched
from ledger.application.disbursement import payments_in
from ledger.application.ledger import Ledger
from ledger.domain import batch as batches
from ledger.domain.batch import Batch, BatchProposed, Status, batch_stream
from ledger.domain.event import RefusedRows
from ledger.domain.group import GroupFunded
from ledger.domain.payment import PaymentRef
from ledger.domain.program import Program, tranche_amount
from ledger.domain.recipient import RecipientRegistered, recipient_stream
from ledger.store.entries import to_entry

FIRST_ROWS = 5
_OPEN = (Status.PROPOSED, Status.APPROVED)
_PAID = (Status.APPROVED, Status.EXECUTED)


@dataclass
class Review:
    """A payment list told in figures; amounts in minor units."""

    proposal: BatchProposed
    amounts: Counter[int] = field(default_factory=Counter)
    """Amount → payments of it."""
    regions: Counter[str] = field(default_factory=Counter)
    """Region → payments; people without one under `none`."""
    categories: Counter[str] = field(default_factory=Counter)
    first: list[tuple[str, int]] = field(default_factory=list)
    """The first rows: recipient or group, amount."""
    off_schedule: int = 0
    """Payments of another amount than the tranche's own."""
    registered_by_maker: int = 0
    """People whom the maker of the list registered since the program's batch before it."""
    in_open_batches: dict[str, int] = field(default_factory=dict)
    """Another batch that may still be paid → people who are in both; only of lists that are here."""
    lists_missing: list[str] = field(default_factory=list)
    """Other open batches that could not be compared, for their lists are not here."""
    before: BatchProposed | None = None
    """The program's batch before this one, of those that were approved."""

    @property
    def refused(self) -> tuple[RefusedRows, ...]:
        """Rows of the file that were left out, by reason."""
        return self.proposal.refused

    @property
    def count(self) -> int:
        """The payments on the list."""
        return self.amounts.total()

    @property
    def total(self) -> int:
        """The money on the list."""
        return sum(amount * payments for amount, payments in self.amounts.items())

    @property
    def median(self) -> int:
        """The amount in the middle; of an even number of payments the lower of the two."""
        place, passed = (self.count + 1) // 2, 0
        for amount, payments in sorted(self.amounts.items()):
            passed += payments
            if passed >= place:
                return amount
        return 0


def review(ledger: Ledger, batch_id: str, on_progress: OnProgress = lambda _: None) -> Review:
    """Read a batch's payment list; refuses one that is not here or not the one proposed."""
    view = ledger.view()
    batch = view.batch(batch_id)
    others = _others(view, batch)
    found = Review(batch.proposal)
    found.before, since = _before(ledger, batch, others)
    program = view.program(batch.proposal.program)
    for rows in batched(_told(ledger, batch), CHUNK_ROWS):
        _take(ledger, found, program, rows, since)
        on_progress(len(rows))
    for other in others:
        if other.status not in _OPEN or other.proposal.kind is not None or batch.proposal.kind is not None:
            continue
        if not list_path(ledger, other.batch_id).exists():
            found.lists_missing.append(other.batch_id)
        elif both := _in_both(ledger, batch, other):
            found.in_open_batches[other.batch_id] = both
    return found


def rows_of(ledger: Ledger, batch_id: str) -> Iterator[tuple[str, int]]:
    """Recipient and amount of every row of a batch's list; group or payment and amount where it is of such."""
    for name, _, amount in _told(ledger, ledger.view().batch(batch_id)):
        yield name, amount


def _told(ledger: Ledger, batch: Batch) -> Iterator[tuple[str, str, int]]:
    """Name, recipient (or none) and amount of every row."""
    if batch.proposal.kind is not None:
        for line in listed.lines_in(ledger, batch):
            if isinstance(line, GroupFunded):
                yield line.group_id, "", line.amount
            else:
                ref = PaymentRef(line.program, line.tranche, line.recipient_id)
                yield ref.payment_id, line.recipient_id, line.amount
        return
    with genuine_list(ledger, batch) as file:
        for row in payments_in(file):
            yield row.values[0], row.values[0], int(row.values[1])


def _others(view: Attempt, batch: Batch) -> list[Batch]:
    found = view.load_range("batch/", batches.evolve).values()
    return [each for each in found if each.batch_id != batch.batch_id]


def _before(ledger: Ledger, batch: Batch, others: list[Batch]) -> tuple[BatchProposed | None, datetime | None]:
    """The program's last approved batch that was proposed before this one, and when."""
    proposed_at = _proposed_at(ledger, batch)
    earlier = [
        (at, each.proposal)
        for each in others
        if each.proposal.program == batch.proposal.program and each.status in _PAID
        if (at := _proposed_at(ledger, each)) < proposed_at
    ]
    if not earlier:
        return None, None
    at, proposal = max(earlier, key=lambda each: each[0])
    return proposal, at


def _proposed_at(ledger: Ledger, batch: Batch) -> datetime:
    return ledger.load(batch_stream(batch.batch_id))[0].meta.recorded_at


def _take(
    ledger: Ledger, found: Review, program: Program, rows: list[tuple[str, str, int]], since: datetime | None
) -> None:
    proposal = found.proposal
    due = None if proposal.tranche is None else tranche_amount(program, proposal.tranche)
    registered = ledger.store.select_first(
        recipient_stream(recipient_id) for _, recipient_id, _ in rows if recipient_id
    )
    for name, recipient_id, amount in rows:
        found.amounts[amount] += 1
        found.off_schedule += due is not None and amount != due
        if len(found.first) < FIRST_ROWS:
            found.first.append((name, amount))
        if (stored := registered.get(recipient_stream(recipient_id))) is None:
            continue
        entry = to_entry(stored)
        if isinstance(entry.event, RecipientRegistered):
            found.regions[entry.event.region or "none"] += 1
            found.categories[entry.event.category] += 1
            is_new = since is None or entry.meta.recorded_at > since
            found.registered_by_maker += is_new and entry.meta.by == proposal.maker


def _in_both(ledger: Ledger, one: Batch, other: Batch) -> int:
    """How many people are on both lists, each read once: they are in order of recipient."""
    both = 0
    with genuine_list(ledger, one) as ours, genuine_list(ledger, other) as theirs:
        right = (row.values[0] for row in payments_in(theirs))
        candidate = next(right, None)
        for row in payments_in(ours):
            while candidate is not None and candidate < row.values[0]:
                candidate = next(right, None)
            both += candidate == row.values[0]
    return both
