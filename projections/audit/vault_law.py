"""The law of the vault: what it holds of each person is what was registered, and both indexes lead to them alone.

It can be examined only where the vault and its key are at hand; where they are not, that is said.
"""

import gc
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import cast

from ledger.application.folder import VAULT, Place
from ledger.application.people import RegisteredPeople, recipient_id
from ledger.domain.errors import IntegrityBrokenError
from ledger.domain.recipient import recipient_stream
from ledger.store.errors import RightsMissingError
from ledger.store.recorder import LedgerRecorder
from ledger.vault.errors import VaultKeyError, VaultNewerError, VaultOlderError
from ledger.vault.examination import SPAN_PEOPLE, Examination, Finding, Part
from ledger.vault.vault import Vault
from projections.laws.law import BREACHES_MAX, Breach, Law, OnProgress
from projections.relation.spans import in_spans

NAME = "vault-true"
SENTENCE = "The vault holds of each person what was registered, and its indexes lead to them alone."
_UNSHOWN = "That the vault holds what was registered, and that nobody is in it twice, is not shown: {why}."


def check_vault(
    place: Place,
    store: LedgerRecorder,
    *,
    is_audit: bool,
    events: Place | None = None,
    on_progress: OnProgress = lambda _: None,
) -> tuple[Law, str | None]:
    """The law, and a sentence where it could not be examined.

    An auditor's copy may be without the vault, and nothing is written beside it. `events` is where other processes read
    the store, if it is not where the vault is.
    """
    law = Law(NAME, SENTENCE)
    if place.database is None and not place.vault_file.exists():
        people = RegisteredPeople(store)
        if not is_audit and people.last():
            law.breach(Breach(None, VAULT, "the vault is missing; put a copy of it back"))
            return law, None
        return law, _UNSHOWN.format(why="there is no vault here") if people.last() else None
    try:
        vault = place.vault(reading=is_audit or place.is_only_read)
    except (IntegrityBrokenError, VaultNewerError) as error:
        law.breach(Breach(None, VAULT, str(error)))
        return law, None
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
        try:
            _examine(vault, _Examined(place, events or place, is_audit), store, law, on_progress)
        except IntegrityBrokenError as error:
            law.breach(Breach(None, VAULT, str(error)))
    return law, None


def _examine(vault: Vault, source: "_Examined", store: LedgerRecorder, law: Law, on_progress: OnProgress) -> None:
    """Look through the vault, a long one in several processes, and tell the law what was found."""
    examination = Examination(vault, RegisteredPeople(store))
    last, parts = examination.last(), []
    spans = list(examination.spans(last))
    # As many as there may be people in them: a number far beyond the others makes no vault long.
    size = len(spans) * SPAN_PEOPLE
    for part in in_spans(source, size, _part, on_progress, spans=spans):
        parts.append(replace(part, findings=[]))
        law.checked += part.people
        _tell(law, part.findings, store)
    _tell(law, examination.rest(parts, last), store)


@dataclass(frozen=True)
class _Examined:
    """A ledger whose vault is examined in spans of numbers."""

    place: Place
    events: Place
    is_audit: bool

    @contextmanager
    def opened(self) -> Iterator[Examination]:
        """The examination, on a vault and a store of its own."""
        vault = self.place.vault(reading=self.is_audit or self.place.is_only_read)
        factory = self.events.factory(read_only=self.is_audit)
        with closing(vault), closing(factory):
            yield Examination(vault, RegisteredPeople(cast("LedgerRecorder", factory.application_recorder())))


def _part(examination: Examination, first: int, end: int) -> Part:
    """The people whose numbers come after the first so many, up to another."""
    # No objects here hold each other, and Python's search for such takes an eighth of the time.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return examination.people(first + 1, end)
    finally:
        if was_enabled:
            gc.enable()


def _tell(law: Law, findings: Iterable[Finding], store: LedgerRecorder) -> None:
    for finding in findings:
        if finding.number is None:
            breach = Breach(None, VAULT, finding.detail)
        else:
            stream = recipient_stream(recipient_id(finding.number))
            breach = Breach(_place(store, stream) if law.broken_count < BREACHES_MAX else None, stream, finding.detail)
        (law.notice if finding.is_notice else law.breach)(breach)


def _place(store: LedgerRecorder, stream: str) -> int | None:
    return store.position(stream, 1) if store.select_events(stream, limit=1) else None
