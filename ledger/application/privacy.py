"""A person's rights: to be forgotten, on the word of two officers, and to know what is held of them.

Erasing takes the person's row out of the vault, and with it the salt of their commitment: what stays in the ledger is a
number and what happened to it. The event comes first, in the middle of the vault's transaction: whatever interrupts it,
nobody's data is gone that two officers did not agree on, and where the event stands and the row is still there, the
same command completes it and `salur check` names it.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ledger.application import agreements
from ledger.application.agreements import Act, Entries, GiveWord, act_of, proposing, rules_bind
from ledger.application.attempt import Attempt, Command
from ledger.application.batches import list_path
from ledger.application.given import require_texts
from ledger.application.ledger import Ledger
from ledger.application.people import recipient_id as id_of
from ledger.application.requests import Request
from ledger.domain import batch as batches
from ledger.domain import payment as payments
from ledger.domain import recipient as recipients
from ledger.domain.agreement import ActKind
from ledger.domain.batch import BatchProposed, Status
from ledger.domain.errors import IntegrityBrokenError, LedgerError
from ledger.domain.event import Event, Role
from ledger.domain.group import GroupJoined
from ledger.domain.payment import Payment
from ledger.domain.recipient import (
    DataDisclosed,
    ErasureNotRequestedError,
    ErasureRequested,
    RecipientErased,
    RecipientRegistered,
    RecipientUnknownError,
)
from ledger.store.entries import Entry
from ledger.store.errors import StoreLockedError
from ledger.vault.person import Person
from ledger.vault.vault import Opened


def recipient_named(ledger: Ledger, nik: str) -> str:
    """The id of the recipient with a national id; raises `RecipientUnknownError`."""
    if (placed := ledger.vault.find([nik]).get(nik)) is None:
        raise RecipientUnknownError()
    return id_of(placed.number)


def _number(recipient_id: str) -> int:
    """The number of a registered recipient in the vault."""
    return int(recipient_id[1:])


def _commitment(ledger: Ledger, recipient_id: str) -> str:
    """What the registration of a recipient committed to; raises `RecipientUnknownError`."""
    stream = recipients.recipient_stream(recipient_id)
    registered = ledger.view().first([stream]).get(stream)
    if not isinstance(registered, RecipientRegistered):
        raise RecipientUnknownError()
    return registered.commitment


# To be forgotten


def request_erasure(
    ledger: Ledger, command: Command, *, recipient_id: str, reason: str, legal_basis: str
) -> list[Entry]:
    """Ask that a person's data be erased."""
    require_texts(reason=reason, legal_basis=legal_basis)

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer(Role.MAKER)
        recipient = attempt.recipient(recipient_id)
        maker = command.by or ""
        events = recipients.request_erasure(recipient, maker=maker, reason=reason, legal_basis=legal_basis)
        if not recipient.erased and rules_bind(attempt):
            asked = ErasureRequested(recipient_id=recipient_id, maker=maker, reason=reason, legal_basis=legal_basis)
            asked = recipient.request or asked
            events += proposing(attempt, _erasure_of(ledger, recipient_id), [_erased_by(maker, asked)])
        return events

    inputs = {"recipient": recipient_id, "reason": reason, "legal_basis": legal_basis}
    return ledger.carry_out(command, decide, request=Request("recipient erase request", inputs))


def _erased_by(checker: str, asked: ErasureRequested) -> RecipientErased:
    return RecipientErased(
        recipient_id=asked.recipient_id, checker=checker, reason=asked.reason, legal_basis=asked.legal_basis
    )


def _subject(recipient_id: str) -> str:
    return f"recipient/{recipient_id}"


def _is_waiting(ledger: Ledger, recipient_id: str) -> bool:
    return any(each.proposed.subject == _subject(recipient_id) for each in agreements.waiting(ledger))


_APPROVE = "recipient erase approve"


@act_of(_APPROVE)
def _erasure(ledger: Ledger, inputs: dict[str, Any]) -> Act:
    return _erasure_of(ledger, inputs["recipient"])


def _erasure_of(ledger: Ledger, recipient_id: str) -> Act:
    return Act(
        ActKind.ERASURES,
        _subject(recipient_id),
        Request(_APPROVE, {"recipient": recipient_id}),
        lambda attempt: _approved(attempt, recipient_id),
        if_rejected=lambda attempt, reason: _rejected(attempt, recipient_id, reason),
        around=partial(_within_vault, ledger, recipient_id),
    )


def _approved(attempt: Attempt, recipient_id: str) -> list[Event]:
    return recipients.approve_erasure(attempt.recipient(recipient_id), checker=attempt.command.by or "")


def _rejected(attempt: Attempt, recipient_id: str, reason: str) -> list[Event]:
    officer_id = attempt.command.by or ""
    return recipients.reject_erasure(attempt.recipient(recipient_id), checker=officer_id, reason=reason)


def reject_erasure(ledger: Ledger, command: Command, *, recipient_id: str, reason: str) -> list[Entry]:
    """Leave a person's data where it is: any checker, or the maker who withdraws the request."""
    require_texts(reason=reason)
    if _is_waiting(ledger, recipient_id):
        return agreements.reject(ledger, command, subject=_subject(recipient_id), reason=reason)

    def decide(attempt: Attempt) -> list[Event]:
        recipient = attempt.recipient(recipient_id)
        is_own = recipient.request is not None and command.by == recipient.request.maker
        attempt.officer(None if is_own else Role.CHECKER)
        return _rejected(attempt, recipient_id, reason)

    inputs = {"recipient": recipient_id, "reason": reason}
    return ledger.carry_out(command, decide, request=Request("recipient erase reject", inputs))


def approve_erasure(ledger: Ledger, command: Command, *, recipient_id: str) -> Entries:
    """Agree to an erasure and carry it out; carried out again, it completes one that was interrupted.

    Once the rules of the ledger bind, it is one of as many words as the policy asks for.
    """
    recipient = ledger.view().recipient(recipient_id)
    if rules_bind(ledger.view()) and recipient.request and not recipient.erased:
        if not _is_waiting(ledger, recipient_id):  # asked for before the rules, or lapsed
            raise ErasureNotRequestedError(recipient_id=recipient_id)
        return agreements.approve(ledger, command, subject=_subject(recipient_id))

    def give(command: Command) -> Entries:
        def decide(attempt: Attempt) -> list[Event]:
            attempt.officer(Role.CHECKER)
            return _approved(attempt, recipient_id)

        return Entries(ledger.carry_out(command, decide, request=Request(_APPROVE, {"recipient": recipient_id})))

    return _within_vault(ledger, recipient_id, give, command)


def _within_vault(ledger: Ledger, recipient_id: str, give: GiveWord, command: Command) -> Entries:
    """Give a word; the last one is recorded while the person's row is taken out of the vault, and only then."""
    # A rehearsal comes first: the officer is asked for the passphrase before the vault is locked.
    entries = give(replace(command, dry_run=True))
    is_last = any(isinstance(entry.event, RecipientErased) for entry in entries)
    if command.dry_run or not (is_last or ledger.view().recipient(recipient_id).erased):
        return entries if command.dry_run else give(command)
    number = _number(recipient_id)
    entries = Entries()

    def work() -> None:
        ledger.vault.rows.remove(
            number
        )  # the vault deletes first, but commits last: what the vault refuses is not recorded
        entries.extend(give(command))

    try:
        ledger.vault.rows.alone(work)
    except LedgerError as error:
        if not entries:
            raise
        raise IntegrityBrokenError(
            f"{recipient_id} is recorded as erased, and is still in the vault ({error.code});"
            " give the same command again, and it completes the erasure"
        ) from error
    entries.left = _still_to_be_overwritten(ledger, recipient_id)
    return entries


def _still_to_be_overwritten(ledger: Ledger, recipient_id: str) -> list[str]:
    """Overwrite the deleted row; where that must wait, say so: the erasure is recorded, and no refusal undoes it."""
    try:
        return ledger.vault.rows.forget()
    except LedgerError as error:
        why = "somebody reads the vault" if isinstance(error, StoreLockedError) else error.code
        where = f"the row of {recipient_id} is deleted, and its bytes are still in the vault's files ({why})"
        return [f"still to be overwritten: {where}; give the same command again when nobody else uses the vault"]


# To know


@dataclass(frozen=True)
class Holdings:
    """All that a ledger holds of one person."""

    recipient_id: str
    held: Opened | None
    """What the vault holds, which agrees with the registration; nothing of a person who is erased."""
    registered: RecipientRegistered
    """What was registered of them; its commitment covers what the vault holds."""
    request: ErasureRequested | None
    """The request to erase the person, waiting or carried out."""
    erased: Entry | None
    """The event of their erasure."""
    programs: list[str]
    groups: list[str]
    """`program/group`."""
    payments: dict[str, Payment]
    """Payments by the name of their newest attempt."""
    batches: list[str]
    """Batches with the person on their list that are not run to their end."""
    history: list[Entry]

    @property
    def person(self) -> Person | None:
        """The person's data."""
        return self.held.person if self.held else None


def disclose(ledger: Ledger, command: Command, *, recipient_id: str, reason: str) -> Holdings | None:
    """Show all that is held of a person, after recording that it is shown.

    Nothing is shown where nothing is recorded: in a rehearsal, or under a reference used before.
    """
    require_texts(reason=reason)

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer()
        attempt.recipient(recipient_id)
        return [DataDisclosed(recipient_id=recipient_id, reason=reason)]

    # Opened before anything is recorded: without the key, or where the row is not what was registered, nothing is shown.
    commitment = _commitment(ledger, recipient_id)
    opened = ledger.vault.open(_number(recipient_id), commitment=commitment)
    request = Request("recipient disclose", {"recipient": recipient_id, "reason": reason})
    if not ledger.carry_out(command, decide, request=request) or command.dry_run:
        return None
    return _holdings(ledger, recipient_id, opened)


def open_matters(ledger: Ledger, recipient_id: str) -> list[str]:
    """What is under way for a person: payments not confirmed or returned, and payment lists not run to their end."""
    held = _holdings(ledger, recipient_id, None)
    under_way = (payments.Status.DISBURSED, payments.Status.REISSUED, payments.Status.RETURNED)
    return [
        *(
            f"payment {name} is {payment.status}"
            for name, payment in held.payments.items()
            if payment.status in under_way
        ),
        *(f"batch {batch_id} is not run to its end" for batch_id in held.batches),
    ]


def _holdings(ledger: Ledger, recipient_id: str, opened: Opened | None) -> Holdings:
    recipient = ledger.view().recipient(recipient_id)
    history = ledger.history(recipient_id)
    [registered] = [entry.event for entry in history if isinstance(entry.event, RecipientRegistered)]
    states: dict[str, Payment] = {}
    for entry in history:
        if entry.originator_id.startswith("payment/") and (
            state := payments.evolve(states.get(entry.originator_id), entry.event)
        ):
            states[entry.originator_id] = state
    joined = [entry.event for entry in history if isinstance(entry.event, GroupJoined)]
    erasures = [entry for entry in history if isinstance(entry.event, RecipientErased)]
    named = {program for entry in history if (program := getattr(entry.event, "program", None))}
    return Holdings(
        recipient_id=recipient_id,
        held=opened,
        registered=registered,
        request=recipient.request,
        erased=erasures[0] if erasures else None,
        programs=sorted(named),
        groups=[f"{event.program}/{event.group_id}" for event in joined],
        payments={state.ref.payment_id: state for state in states.values()},
        batches=[each.batch_id for each in _open_batches(ledger) if _is_listed(ledger, each, recipient_id)],
        history=history,
    )


def _open_batches(ledger: Ledger) -> list[BatchProposed]:
    """The batches that are proposed or approved, and may still be paid."""
    attempt = ledger.view()
    states = attempt.load_many(ledger.store.streams("batch/"), batches.evolve).values()
    return [state.proposal for state in states if state.status in (Status.PROPOSED, Status.APPROVED)]


def _is_listed(ledger: Ledger, proposal: BatchProposed, recipient_id: str) -> bool:
    """Whether a person stands on a batch's list, as far as the list lies in this folder."""
    try:
        with list_path(ledger, proposal.batch_id, proposal.kind).open("rb") as file:
            if proposal.kind is not None:  # among the members of a group
                return any(f'"{recipient_id}"'.encode() in line for line in file)
            start = f"{recipient_id},".encode()
            return any(line.startswith(start) for line in file)
    except FileNotFoundError:
        return False
