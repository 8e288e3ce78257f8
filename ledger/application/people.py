"""Who the recipients are that a file names."""

from collections.abc import Iterable

from ledger.application.attempt import Attempt
from ledger.application.ledger import Ledger
from ledger.domain.recipient import RecipientRegistered, RecipientUnknownError, recipient_stream


class RecipientIndex:
    """Who the recipients named in a chunk's rows are: by the ledger's id, or by NIK through the vault."""

    def __init__(self, ledger: Ledger, attempt: Attempt, names: Iterable[str]) -> None:
        asked = set(names)
        niks = [name for name in asked if is_nik_shaped(name)]
        numbers = ledger.vault.find(niks) if niks else {}
        self._ids = {nik: recipient_id(number) for nik, number in numbers.items()}
        ids = {self._ids.get(name, name) for name in asked}
        self._registered: dict[str, RecipientRegistered] = {
            event.recipient_id: event
            for event in attempt.first(recipient_stream(each) for each in ids if each).values()
            if isinstance(event, RecipientRegistered)
        }

    def __getitem__(self, name: str) -> RecipientRegistered:
        """The registration of the recipient so named; raises `RecipientUnknownError`."""
        if (found := self.get(name)) is None:
            raise RecipientUnknownError()
        return found

    def get(self, name: str) -> RecipientRegistered | None:
        """The registration of the recipient so named, if there is one."""
        return self._registered.get(self._ids.get(name, name))


def recipient_id(number: int) -> str:
    """The recipient's id for a number of the vault; ids of one width keep the store's index in order."""
    return f"R{number:09d}"


def is_nik_shaped(text: str) -> bool:
    """Whether a text has the form of an Indonesian national id: sixteen digits."""
    return len(text) == 16 and text.isascii() and text.isdigit()
