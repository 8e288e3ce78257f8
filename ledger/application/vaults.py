"""Keeping the vault: brought over from an earlier format, given other keys, and examined afterwards."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from ledger.application.folder import Place
from ledger.application.people import RegisteredPeople
from ledger.domain.errors import IntegrityBrokenError
from ledger.store.recorder import LedgerRecorder
from ledger.vault.examination import Examination, Finding
from ledger.vault.older import Older, older_tables
from ledger.vault.rotation import rotate as rotate_keys

UNFIT_TOLD = 20


@dataclass(frozen=True)
class Upgraded:
    """What became of a vault of an earlier format."""

    moved: int
    """People who were brought over by this call; 0 where nothing was left to do."""
    findings: tuple[Finding, ...]
    """What is in the vault afterwards and not as the events say, and whose accounts meet."""


def upgrade(
    place: Place, store: LedgerRecorder, *, as_it_is: bool = False, on_progress: Callable[[int], None] = lambda _: None
) -> Upgraded:
    """Bring the vault over to today's format; interrupted, the same call goes on, and nobody is lost.

    Raises `IntegrityBrokenError`, and changes nothing, where a row is not what was registered: what was changed would look
    like the ledger's own afterwards. `as_it_is` takes such rows along, and they are among the findings.
    """
    with closing(place.person_rows()) as rows:
        older = Older(older_tables(rows), place.vault_key)
        if not older.is_begun and not as_it_is:
            _require_as_registered(older, RegisteredPeople(store))
        moved = older.bring_over(on_progress)
    with closing(place.vault()) as vault:
        return Upgraded(moved, tuple(Examination(vault, RegisteredPeople(store)).findings()))


def _require_as_registered(older: Older, people: RegisteredPeople) -> None:
    unfit: list[str] = []
    for first, last, page in older.pages():
        known = people.registered(first, last, last - first + 1)
        for number, commitment in page:
            if commitment is None:
                unfit.append(f"R{number:09d} does not open with the vault's key")
            elif number in known and commitment != known[number][0]:
                unfit.append(f"R{number:09d} is not who was registered")
    if unfit:
        more = f" and {len(unfit) - UNFIT_TOLD} more" if len(unfit) > UNFIT_TOLD else ""
        raise IntegrityBrokenError(
            f"the vault was changed: {'; '.join(unfit[:UNFIT_TOLD])}{more}. Nothing was brought over: put a sound copy of the"
            " vault back, or give --as-it-is, after which `salur check` names these rows"
        )


def rotate(place: Place) -> int:
    """Give the vault new keys, and a new key file to the folder; returns the number of rows sealed anew."""
    with closing(place.vault()) as vault:
        return rotate_keys(vault, place.vault_key)
