"""Registering recipients: the person into the vault, the fact that they are registered into the ledger.

The vault decides who is the same person and who shares an account; the stream `recipient/<id>` decides that a person
is registered once. The vault is written first: an interruption between the two leaves a person with a number and no
event, and the next run of the same file completes it.
"""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from functools import lru_cache
from operator import itemgetter

from stdnum.exceptions import ValidationError as NikError
from stdnum.id import nik as nik_number

from ledger.application import Attempt, Command, Ledger
from ledger.errors import (
    AccountSharedError,
    DuplicateInFileError,
    LedgerError,
    RecipientRegisteredError,
    ValueInvalidError,
)
from ledger.events import RecipientRegistered, Role, SharedAccount, recipient_stream
from ledger.intake import Field, Row
from ledger.rejects import Reject
from ledger.rows import Chunk, OnProgress, OnReject, Tally, built, in_chunks, is_nik_shaped, recipient_id
from ledger.store import Series
from ledger.vault import AccountShared, Person, Placed

FIELDS = (
    Field("nik", ("nik", "no nik", "nomor induk kependudukan", "national id"), required=True, identifier=True),
    Field("name", ("name", "nama", "nama lengkap", "full name"), required=True),
    Field("account", ("account", "rekening", "no rekening", "nomor rekening", "bank account"), identifier=True),
    Field("phone", ("phone", "telepon", "no hp", "hp"), identifier=True),
    Field("address", ("address", "alamat")),
    Field("category", ("category", "kategori")),
    Field("region", ("region", "wilayah", "kode wilayah"), identifier=True),
    Field("shared_account", ("shared account", "rekening bersama")),
)
SOURCE_DIGITS = 16
NO_COMMITMENT = "0" * 64


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

    def fill(attempt: Attempt, rows: list[Row], chunk: Chunk) -> None:
        attempt.officer(Role.MAKER)
        readable = _readable(rows, category, chunk)
        placed = ledger.vault.place([(person, shared) for _, person, _, _, shared in readable])
        ids = {recipient_id(each.number) for each in placed if isinstance(each, Placed)}
        known = attempt.first_of_sorted([recipient_stream(each) for each in sorted(ids)]) if ids else {}
        lines: dict[str, int] = {}
        fresh: list[_Fresh] = []
        for (row, _, row_category, region, shared), place in zip(readable, placed, strict=True):
            try:
                if isinstance(place, AccountShared):
                    raise AccountSharedError()
                chosen_id = recipient_id(place.number)
                before = known.get(recipient_stream(chosen_id))
                source = f"{prefix}{row.line}" if prefix else None
                if isinstance(before, RecipientRegistered) and (source is None or before.source != source):
                    raise _known(before, prefix)
                if chosen_id in lines or place.is_rehearsed:
                    first = f"line {lines[chosen_id]}" if chosen_id in lines else "an earlier line"
                    raise DuplicateInFileError(first=first)
            except LedgerError as error:
                field = "account" if isinstance(error, AccountSharedError) else "nik"
                chunk.refuse(row, error, field=field, text=row.values[2 if field == "account" else 0])
                continue
            lines[chosen_id] = row.line
            if before is None:
                fresh.append((chosen_id, place.commitment, row_category, region, shared, source))
            else:
                chunk.take([])
        chunk.tally.taken = len(fresh)
        chunk.series = list(_series(fresh))

    with ledger.vault.rehearsal() if command.dry_run else nullcontext():
        return in_chunks(ledger, command, rows, fill, on_reject=on_reject, on_progress=on_progress)


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


_Readable = tuple[Row, Person, str, str | None, SharedAccount | None]


def _readable(rows: list[Row], category: str, chunk: Chunk) -> list[_Readable]:
    """The rows whose values have the right form; the others are refused before the vault hears of them."""
    readable: list[_Readable] = []
    for row in rows:
        nik, name, account, phone, address, row_category, region, shared = row.values
        try:
            check_nik(nik)
            checked = _checked(row_category or category, region, shared)
        except ValueInvalidError as error:
            texts = {"nik": nik, "category": row_category, "region": region, "shared_account": shared}
            chunk.refuse(row, error, field=error.field, text=texts[error.field])
        else:
            readable.append((row, Person(nik, name, account, phone, address), *checked))
    return readable


def check_nik(text: str) -> None:
    """Refuse what cannot be an Indonesian national id: 16 digits with a date of birth in them.

    The region in it is not checked: published lists lack regencies that exist.
    """
    if not is_nik_shaped(text):
        raise ValueInvalidError(field="nik", problem="a national id (NIK) has 16 digits")
    if not _has_birth_date(text[6:12]):
        raise ValueInvalidError(field="nik", problem="there is no date of birth in digits 7 to 12")


@lru_cache(maxsize=100_000)
def _has_birth_date(digits: str) -> bool:
    """Whether six digits are a day (plus 40 for women), month and year; kept, for many are born on one day."""
    try:
        nik_number.get_birth_date(f"000000{digits}0001")
    except NikError:
        return False
    return True


@lru_cache(maxsize=4096)
def _checked(category: str, region: str, shared: str) -> tuple[str, str | None, SharedAccount | None]:
    if not category:
        raise ValueInvalidError(field="category", problem="missing; add a column or give --category")
    try:
        reason = SharedAccount(shared) if shared else None
    except ValueError:
        known = ", ".join(SharedAccount)
        raise ValueInvalidError(field="shared_account", problem=f"the reason is one of {known}") from None
    made = built(
        RecipientRegistered,
        recipient_id=recipient_id(0),
        commitment=NO_COMMITMENT,
        category=category,
        region=region or None,
        shared_account=reason,
    )
    return made.category, made.region, made.shared_account
