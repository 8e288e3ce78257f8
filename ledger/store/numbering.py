"""Whether a store's events are numbered from 1 on without a gap, as far as a few looks show.

A row that somebody numbers 2^62 would send whoever reads from the last event to the highest number through so many
numbers, and the next event would be stored behind it. So whoever asks for the size of a store, or appends to it, first
looks at some numbers that must be there: the one before the highest, and every power of two below it. And no database
holds more events than it has room for, which bounds the work of whoever goes through the numbers.

A gap that these looks miss is found where events are read one after the other: each reader counts.
"""

from ledger.domain.errors import IntegrityBrokenError

EVENT_BYTES_MIN = 16
"""No stored event takes less room, its entry in the index included."""
_REMEDY = (
    "nothing is written on top of that: keep a copy of the database as it is for the auditor, restore one from before,"
    " and run `salur check`"
)


def looked_for(highest: int) -> list[int]:
    """The numbers below the highest that are looked for."""
    powers = [1 << place for place in range(highest.bit_length()) if 1 << place < highest]
    return sorted({*powers, highest - 1} - {0}) if highest > 1 else []


def require_numbered(*, lowest: int | None, highest: int | None, found: int, size_bytes: int) -> int:
    """The number of events, which is the highest number.

    `found` says how many of the numbers `looked_for` are there. Raises `IntegrityBrokenError` where numbers are missing.
    """
    if lowest is None or highest is None:
        return 0
    if lowest < 1:
        raise IntegrityBrokenError(
            f"the store holds an event numbered {lowest}, and this program numbers events from 1 on; {_REMEDY}"
        )
    if highest > size_bytes // EVENT_BYTES_MIN:
        raise IntegrityBrokenError(
            f"the store holds an event numbered {highest:,}, and its {size_bytes:,} bytes have no room for so many;"
            f" {_REMEDY}"
        )
    if found != len(looked_for(highest)):
        raise IntegrityBrokenError(
            f"the store holds an event numbered {highest:,}, and events before it are missing; {_REMEDY}"
        )
    return highest


def require_all(*, events: int, first: int, end: int) -> None:
    """Raise `IntegrityBrokenError` unless as many events were read from an index up to another as there must be."""
    if events != end - first:
        raise IntegrityBrokenError(f"events {first} to {end - 1} are not all in the store; run `salur check`")
