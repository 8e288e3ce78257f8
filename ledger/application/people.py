"""Who the recipients are that a file names."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from ledger.application.attempt import Attempt
from ledger.application.ledger import Ledger
from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.recipient import RecipientErased, RecipientRegistered, RecipientUnknownError, recipient_stream
from ledger.store.recorder import LedgerRecorder
from ledger.vault.person import require_agreeing
from ledger.vault.rows import NUMBER_MAX

if TYPE_CHECKING:
    from ledger.vault.examination import Known


class RecipientIndex:
    """Who the recipients named in a chunk's rows are: by the ledger's id, or by NIK through the vault."""

    def __init__(self, ledger: Ledger, attempt: Attempt, names: Iterable[str]) -> None:
        asked = set(names)
        niks = [name for name in asked if is_nik_shaped(name)]
        placed = ledger.vault.find(niks) if niks else {}
        self._ids = {nik: recipient_id(place.number) for nik, place in placed.items()}
        ids = {self._ids.get(name, name) for name in asked}
        self._registered: dict[str, RecipientRegistered] = {
            event.recipient_id: event
            for event in attempt.first(recipient_stream(each) for each in ids if each).values()
            if isinstance(event, RecipientRegistered)
        }
        for place in placed.values():
            if registered := self._registered.get(recipient_id(place.number)):
                require_agreeing(place.number, place.commitment, registered.commitment)

    def __getitem__(self, name: str) -> RecipientRegistered:
        """The registration of the recipient so named; raises `RecipientUnknownError`."""
        if (found := self.get(name)) is None:
            raise RecipientUnknownError()
        return found

    def get(self, name: str) -> RecipientRegistered | None:
        """The registration of the recipient so named, if there is one."""
        return self._registered.get(self._ids.get(name, name))


def require_whole_vault(ledger: Ledger) -> None:
    """Raise `IntegrityBrokenError` where the vault would give a number again, or has given one that nobody has.

    That is so of an older copy put back, of an empty vault in the place of the ledger's, and of a counter that was
    pushed on. Only the numbers beside the counter are looked at: an event that was forged far beyond stops nobody.
    """
    given = ledger.vault.rows.highest()
    last, following = (recipient_stream(recipient_id(number)) for number in (given, given + 1))
    registered = ledger.store.select_first([last, following])
    if following in registered:
        raise IntegrityBrokenError(
            f"the vault has given the numbers up to {given}, and {recipient_id(given + 1)} is registered: it is an older"
            " copy, or another's; put the ledger's own vault back"
        )
    if given and last not in registered and not any(ledger.vault.rows.people([given])):
        raise IntegrityBrokenError(
            f"the vault says that it has given the number {given}, and nobody has it; put a copy of the vault back, and run"
            " `salur check`"
        )


def recipient_id(number: int) -> str:
    """The recipient's id for a number of the vault; ids of one width keep the store's index in order."""
    return f"R{number:09d}"


_PREFIX = "recipient/R"
_DIGITS_FROM = len(_PREFIX)


def is_nik_shaped(text: str) -> bool:
    """Whether a text has the form of an Indonesian national id: sixteen digits."""
    return len(text) == 16 and text.isascii() and text.isdigit()


class RegisteredPeople:
    """What a store's events say of people."""

    def __init__(self, store: LedgerRecorder) -> None:
        self._store = store

    def last(self) -> int:
        """The highest number that is registered; 0 where none is."""
        found = self._store.last_stream(_PREFIX, recipient_stream(recipient_id(NUMBER_MAX)))
        if found is None:
            return 0
        digits = found.removeprefix(_PREFIX)
        # Where the name is no recipient's, whatever lies below it is looked at.
        return int(digits) if digits.isdecimal() else NUMBER_MAX

    def registered(self, first: int, last: int, limit: int) -> "dict[int, Known]":
        """Number → what they were registered with, of the numbers from one to another, both included; the first so many."""
        found = self._store.select_texts_between(
            recipient_stream(recipient_id(first)),
            recipient_stream(recipient_id(last)),
            RecipientRegistered.TOPIC,
            ("commitment", "shared_account"),
            limit=limit,
        )
        return {
            int(stream[_DIGITS_FROM:]): (commitment, shared)
            for stream, commitment, shared in found
            if stream and stream[_DIGITS_FROM:].isdecimal()
        }

    def erased(self, numbers: Collection[int]) -> set[int]:
        """Those of these people who are erased."""
        streams = self._store.select_streams(recipient_stream(recipient_id(number)) for number in numbers)
        return {
            int(stream.removeprefix(_PREFIX))
            for stream, rows in streams.items()
            if any(row.topic == RecipientErased.TOPIC for row in rows)
        }
