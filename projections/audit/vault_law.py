"""The law of the vault: what it holds of each person is what was registered, and both indexes lead to them alone.

It can be examined only where the vault and its key are at hand; where they are not, that is said.
"""

from collections.abc import Iterator
from contextlib import closing

from ledger.application.folder import VAULT, Place
from ledger.application.people import RegisteredPeople, recipient_id
from ledger.domain.recipient import recipient_stream
from ledger.store.errors import RightsMissingError
from ledger.store.recorder import LedgerRecorder
from ledger.vault.errors import VaultKeyError, VaultOlderError
from ledger.vault.examination import Examination
from projections.laws.law import BREACHES_MAX, Breach, Law, OnProgress

NAME = "vault-true"
SENTENCE = "The vault holds of each person what was registered, and its indexes lead to them alone."
_UNSHOWN = "That the vault holds what was registered, and that nobody is in it twice, is not shown: {why}."


def check_vault(
    place: Place, store: LedgerRecorder, *, may_be_away: bool, on_progress: OnProgress = lambda _: None
) -> tuple[Law, str | None]:
    """The law, and a sentence where it could not be examined; an auditor's copy may be without the vault."""
    law = Law(NAME, SENTENCE)
    if place.database is None and not (place.folder / VAULT).exists():
        people = RegisteredPeople(store)
        if not may_be_away and people.last():
            law.breach(Breach(None, VAULT, "the vault is missing; put a copy of it back"))
            return law, None
        return law, _UNSHOWN.format(why="there is no vault here") if people.last() else None
    try:
        vault = place.vault(reading=True)
    except VaultOlderError:
        return law, _UNSHOWN.format(why="it is of an earlier version; `salur vault upgrade` brings it over")
    except RightsMissingError:
        return law, _UNSHOWN.format(why="this login may not read it")
    except VaultKeyError as error:
        if place.vault_key.exists():
            law.breach(Breach(None, VAULT, f"{error}; or another vault was put in the place of the ledger's"))
            return law, None
        return law, _UNSHOWN.format(why="its key is not at hand")
    with closing(vault):
        for breach, is_notice in _breaches(Examination(vault, RegisteredPeople(store), on_progress), store, law):
            (law.notice if is_notice else law.breach)(breach)
    return law, None


def _breaches(examination: Examination, store: LedgerRecorder, law: Law) -> Iterator[tuple[Breach, bool]]:
    for finding in examination.findings():
        if finding.number is None:
            yield Breach(None, VAULT, finding.detail), finding.is_notice
        else:
            stream = recipient_stream(recipient_id(finding.number))
            place = _place(store, stream) if law.broken_count < BREACHES_MAX else None
            yield Breach(place, stream, finding.detail), finding.is_notice
    law.checked = examination.people


def _place(store: LedgerRecorder, stream: str) -> int | None:
    return store.position(stream, 1) if store.select_events(stream, limit=1) else None
