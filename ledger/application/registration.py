"""Registering recipients: the person into the vault, the fact that they are registered into the ledger.

The vault decides who is the same person and who shares an account; the stream `recipient/<id>` decides that a person
is registered once. The vault is written first: an interruption between the two leaves a person with a number and no
event, and the next run of the same file completes it.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, nullcontext
from functools import lru_cache
from operator import itemgetter

from stdnum.exceptions import ValidationError as NikError
from stdnum.id import nik as nik_number

from ledger.application.attempt import Attempt, Command
from ledger.application.chunks import Chunk, OnProgress, OnReject, Tally, batched, in_chunks, without_trace
from ledger.application.given import built
from ledger.application.ledger import Ledger
from ledger.application.people import is_nik_shaped, recipient_id, require_whole_vault
from ledger.application.placing import PlacingAhead
from ledger.domain.errors import LedgerError, Said, ValueInvalidError
from ledger.domain.event import Role
from ledger.domain.recipient import (
    AccountSharedError,
    DuplicateInFileError,
    RecipientRegistered,
    RecipientRegisteredError,
    SharedAccount,
    recipient_stream,
)
from ledger.files.rejects import Reject
from ledger.files.tables import Field, Row
from ledger.store.entries import Series
from ledger.vault.person import Person, require_agreeing
from ledger.vault.vault import AccountShared, Placed

FIELDS = (
    Field("nik", ("nik", "no nik", "nomor induk kependudukan", "national id"), required=True, identifier=True),
    Field("name", ("name", "nama", "nama lengkap", "full name"), required=True),
    Field("account", ("account", "rekening", "no rekening", "nomor rekening", "bank account"), identifier=True),
    Field("phone", ("phone", "telepon", "no hp", "hp"), identifier=True),
    Field("address", ("address", "alamat")),
    Field("category", ("category", "kategori")),
    Field("region", ("region", "wilayah", "kode wilayah"), identifier=True),
    Field("shared_account", ("shared account", "rekening bersama")),
    Field("bank", ("bank", "kode bank", "nama bank", "bank code")),
)
CHUNK_ROWS = 100_000
"""Larger than other chunks: hashes lie at random places of the vault, and a chunk visits them once, in order."""
AHEAD_ROWS = 20_000
"""A file with a chunk of at least this many has its people placed by a second process; it takes a moment to start."""
SOURCE_DIGITS = 16
NO_COMMITMENT = "0" * 64

_Checked = tuple[str, str | None, SharedAccount | None]
"""Category, region, and why the account may be shared."""


def register(
    ledger: Ledger,
    command: Command,
    rows: Iterable[Row | Reject],
    *,
    file_sha256: str | None,
    category: str = "",
    on_reject: OnReject,
    on_progress: OnProgress = lambda _: None,
) -> Tally:
    """Register the people of a file (rows as in `FIELDS`); `category` serves rows that name none.

    A row that this file registered before is passed over; a person known from elsewhere is refused.
    """
    prefix = f"{file_sha256[:SOURCE_DIGITS]}:" if file_sha256 else None
    chunk_read = _ReadChunk([], "")

    def fill(attempt: Attempt, _: list[Row], chunk: Chunk) -> None:
        attempt.officer(Role.MAKER)
        for row, error, field, text in chunk_read.refused:
            chunk.refuse(row, error, field=field, text=text)
        placed = chunk_read.placed or ledger.vault.place(chunk_read.people)
        chunk_read.placed = None  # a second attempt finds the people where they are then
        known = _registered(attempt, placed)
        lines: dict[str, int] = {}
        fresh: list[_Fresh] = []
        for (row, values), place in zip(chunk_read.readable, placed, strict=True):
            if isinstance(place, AccountShared):
                chunk.refuse(row, AccountSharedError(), field="account", text=row.values[2])
                continue
            chosen_id = recipient_id(place.number)
            source = f"{prefix}{row.line}" if prefix else None
            if (before := known.get(chosen_id)) and (source is None or before.source != source):
                chunk.refuse(row, _known(before, prefix), field="nik", text=row.values[0])
            elif chosen_id in lines or place.is_rehearsed:
                first = f"line {lines[chosen_id]}" if chosen_id in lines else "an earlier line"
                chunk.refuse(row, DuplicateInFileError(first=first), field="nik", text=row.values[0])
            elif before:
                lines[chosen_id] = row.line
                chunk.take([])
            else:
                lines[chosen_id] = row.line
                fresh.append((chosen_id, place.commitment, *values, source))
        chunk.tally.taken = len(fresh)
        chunk.series = list(_series(fresh))

    def chunks(rows: Iterable[Row | Reject]) -> Iterator[list[Row | Reject]]:
        nonlocal chunk_read
        for chunk_read in _read_ahead(ledger, rows, category, may_place=not command.dry_run):
            yield chunk_read.part

    require_whole_vault(ledger)
    with ledger.vault.rehearsal() if command.dry_run else nullcontext():
        return in_chunks(ledger, command, rows, fill, on_reject=on_reject, on_progress=on_progress, chunks=chunks)


class _ReadChunk:
    """Rows of a file, those of the right form apart from the others, and where their people stand once that is known."""

    def __init__(self, part: list[Row | Reject], category: str) -> None:
        self.part = part
        self.placed: list[Placed | AccountShared] | None = None
        self.readable: list[tuple[Row, _Checked]] = []
        self.people: list[tuple[Person, SharedAccount | None]] = []
        self.refused: list[tuple[Row, ValueInvalidError, str, str]] = []
        for row in part:
            if isinstance(row, Row):
                nik, name, account, phone, address, row_category, region, shared, bank = row.values
                try:
                    check_nik(nik)
                    checked = _checked(row_category or category, region, shared)
                except ValueInvalidError as error:
                    texts = {"nik": nik, "category": row_category, "region": region, "shared_account": shared}
                    self.refused.append((row, without_trace(error), error.field, texts[error.field]))
                else:
                    self.readable.append((row, checked))
                    self.people.append((Person(nik, name, account, phone, address, bank), checked[2]))


def _read_ahead(
    ledger: Ledger, rows: Iterable[Row | Reject], category: str, *, may_place: bool
) -> Iterator[_ReadChunk]:
    """The chunks of a file; where there is more than one, each is placed while the one before is registered."""
    with ExitStack() as stack:
        ahead: PlacingAhead | None = None
        before: _ReadChunk | None = None
        for part in batched(rows, CHUNK_ROWS):
            read = _ReadChunk(part, category)
            if ahead is None and may_place and AHEAD_ROWS <= len(part) == CHUNK_ROWS:
                ahead = stack.enter_context(closing(PlacingAhead(ledger.folder)))
            if before and ahead:
                before.placed = ahead.take()
            if ahead:
                ahead.hand_over(read.people)
            if before:
                yield before
            before = read
        if before:
            before.placed = ahead.take() if ahead else None
            yield before


def _registered(attempt: Attempt, placed: list[Placed | AccountShared]) -> dict[str, RecipientRegistered]:
    """Recipient → their registration, of those placed who are registered; with the data that the vault holds of them."""
    places = {recipient_id(each.number): each for each in placed if isinstance(each, Placed)}
    found = attempt.first(map(recipient_stream, places))
    known = {event.recipient_id: event for event in found.values() if isinstance(event, RecipientRegistered)}
    for chosen_id, registered in known.items():
        place = places[chosen_id]
        require_agreeing(place.number, place.commitment, registered.commitment)
    return known


def _known(before: RecipientRegistered, prefix: str | None) -> LedgerError:
    if prefix and before.source and before.source.startswith(prefix):
        return DuplicateInFileError(first=f"line {before.source.removeprefix(prefix)}")
    return RecipientRegisteredError(recipient_id=before.recipient_id)


_Fresh = tuple[str, str, str, str | None, SharedAccount | None, str | None]
"""The values of a `RecipientRegistered`, in the order of its fields."""


def _series(fresh: list[_Fresh]) -> Iterator[Series]:
    """The registrations as series, one for each set of fields that are filled: its bytes differ in values only."""
    names = tuple(RecipientRegistered.model_fields)
    filled: dict[tuple[bool, ...], list[_Fresh]] = {}
    for values in fresh:
        filled.setdefault(tuple(value is not None for value in values), []).append(values)
    for places, rows in filled.items():
        pick = [place for place, is_filled in enumerate(places) if is_filled]
        example = built(RecipientRegistered, **dict(zip(names, rows[0], strict=True)))
        streams = [recipient_stream(values[0]) for values in rows]
        yield Series(example, tuple(names[place] for place in pick), streams, [itemgetter(*pick)(row) for row in rows])


def check_nik(text: str) -> None:
    """Refuse what cannot be an Indonesian national id: 16 digits with a date of birth in them.

    The region in it is not checked: published lists lack regencies that exist.
    """
    if not is_nik_shaped(text):
        raise ValueInvalidError(field="nik", problem=Said("a national id (NIK) has 16 digits"))
    if not _has_birth_date(text[6:12]):
        raise ValueInvalidError(field="nik", problem=Said("there is no date of birth in digits 7 to 12"))


@lru_cache(maxsize=100_000)
def _has_birth_date(digits: str) -> bool:
    """Whether six digits are a day (plus 40 for women), month and year; kept, for many are born on one day."""
    try:
        nik_number.get_birth_date(f"000000{digits}0001")
    except NikError:
        return False
    return True


@lru_cache(maxsize=4096)
def _checked(category: str, region: str, shared: str) -> _Checked:
    if not category:
        raise ValueInvalidError(field="category", problem=Said("missing; add a column or give --category"))
    try:
        reason = SharedAccount(shared) if shared else None
    except ValueError:
        known = ", ".join(SharedAccount)
        raise ValueInvalidError(
            field="shared_account", problem=Said("the reason is one of {known}", known=known)
        ) from None
    made = built(
        RecipientRegistered,
        recipient_id=recipient_id(0),
        commitment=NO_COMMITMENT,
        category=category,
        region=region or None,
        shared_account=reason,
    )
    return made.category, made.region, made.shared_account
