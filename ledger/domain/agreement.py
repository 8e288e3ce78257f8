"""An agreement: an act that one officer proposes and others agree to before it is recorded.

The *act* is the events that the last word will append, word for word. Its *subject* is the thing that it is about, such
as `program/aid-2026`; one act waits for a subject at a time. A *word* is one officer's signed consent to exactly that
act. A *policy* says how many words a kind of act needs, beside the one who proposes it.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from ledger.domain.errors import LedgerError, SameOfficerError
from ledger.domain.event import Event, Role, Stream
from ledger.domain.fields import BudgetAmount, OfficerId, Sha256, Subject, Text

WORDS_MAX = 9
LAPSE_DAYS = 30
"""So long a proposed act waits for its words."""

agreement_stream = Stream("agreement/{subject}", "two acts that wait for one thing")
policy_stream = Stream("policy/{kind}", "two policies for one kind of act at a time")

Json = Annotated[str, StringConstraints(min_length=2, max_length=30_000)]
"""A JSON text of values that events or commands have checked."""
Words = Annotated[int, Field(ge=1, le=WORDS_MAX)]


class ActKind(StrEnum):
    """The kinds of acts that need other officers' words."""

    BATCHES = "batches"
    PROGRAMS = "programs"
    OFFICERS = "officers"
    RECOVERY = "recovery"
    """An enrolment or a replaced key that rests on recovery keys, and not on officers."""
    GOODS = "goods"
    ERASURES = "erasures"
    POLICY = "policy"
    RULES = "rules"


WITH_AMOUNTS = (ActKind.BATCHES, ActKind.PROGRAMS, ActKind.GOODS)
"""The kinds whose acts have an amount: money, or units of an item."""


class _AgreementEvent(Event):
    STREAM = agreement_stream
    subject: Subject


class ActProposed(_AgreementEvent):
    """An officer proposes an act that others must agree to."""

    TOPIC = "ActProposed.v1"
    ROLE = None
    ACTOR = "proposer"
    proposer: OfficerId
    kind: ActKind
    request: Json
    """What the officer asked for, in its canonical form: the last word decides it anew."""
    act: Json
    """The events that the last word appends, a list of objects with topic and fields."""
    act_sha256: Sha256
    words: Words
    """How many other officers must agree, by the policy of this moment."""
    lapses_on: date

    @property
    def command(self) -> str:
        """The command that asked for it, without the program's name."""
        return str(json.loads(self.request)["command"])


class ActAgreed(_AgreementEvent):
    """An officer agrees to exactly the act that was proposed."""

    TOPIC = "ActAgreed.v1"
    ROLE = Role.CHECKER
    ACTOR = "checker"
    checker: OfficerId
    proposal: Annotated[int, Field(ge=1)]
    """The version of the proposal in the stream."""
    act_sha256: Sha256
    is_last: bool
    """Whether the act is recorded with this word."""


class ActRejected(_AgreementEvent):
    """A proposed act is not recorded: somebody rejected or withdrew it, it lapsed, or it no longer fits."""

    TOPIC = "ActRejected.v1"
    ROLE = None  # a checker rejects, the proposer withdraws, and whoever comes upon it records that it lapsed
    ACTOR = "recorded_by"
    recorded_by: OfficerId
    proposal: Annotated[int, Field(ge=1)]
    cause: Literal["rejected", "withdrawn", "lapsed", "superseded"]
    reason: Text


class PolicySet(Event):
    """A kind of act needs so many words from an amount on."""

    TOPIC = "PolicySet.v1"
    AGREED = "policy"
    STREAM = policy_stream
    ROLE = None
    kind: ActKind
    above: BudgetAmount = 0
    """The words are needed for amounts above this one, in minor units; 0 for every act of the kind."""
    checkers: Words


class AgreementUnknownError(LedgerError):
    """No act waits, or ever waited, under that name."""

    code = "agreement_unknown"
    sentence = "nothing waits under {subject}; `salur waiting` lists what does"
    subject: str


class AgreementWaitingError(LedgerError):
    """Another act about the same thing waits for its words."""

    code = "agreement_waiting"
    sentence = "another act about {subject} waits; see it with `salur show {subject}`, and approve, reject or withdraw it first"
    subject: str


class AgreementDecidedError(LedgerError):
    """The act is decided already."""

    code = "agreement_decided"
    sentence = "{subject} was {outcome}; propose it again if it is still wanted"
    subject: str
    outcome: str


class AgreementNeededError(LedgerError):
    """The act needs other officers' words, which this command does not ask for."""

    code = "agreement_needed"
    sentence = "the rules of this ledger bind, and no officer does this alone; use `{command}`"
    command: str


class OfficersTooFewError(LedgerError):
    """Too few officers would be left to agree."""

    code = "officers_too_few"
    sentence = (
        "{needed} officers with a key and the role checker are needed beside the one who proposes, {left} would be left;"
        " enroll others first"
    )
    needed: int
    left: int


class ProposerNeededError(LedgerError):
    """Only the officer who proposed an act withdraws it."""

    code = "proposer_needed"
    sentence = "{proposer} proposed {subject}, and only they withdraw it; reject it with `salur reject`"
    subject: str
    proposer: str


class KeyNeededError(LedgerError):
    """An officer without a key has no word."""

    code = "key_needed"
    sentence = "officer {officer_id} has no key, and an act is agreed to by signature; let another officer give them one with `salur officer replace-key`"
    officer_id: str


@dataclass(frozen=True)
class Agreement:
    """What the events of one subject say: the act proposed last, and what became of it."""

    proposed: ActProposed
    proposal: int
    """The version of that proposal in the stream."""
    version: int
    """The version of the last event in the stream."""
    words: tuple[str, ...] = ()
    """The officers who agreed, in order."""
    words_at: tuple[int, ...] = ()
    """The versions of their words in the stream, in the same order."""
    outcome: str | None = None
    """None while the act waits; else `agreed`, `rejected`, `withdrawn`, `lapsed` or `superseded`."""

    @property
    def id(self) -> str:
        """The agreement as the events of its act name it: the subject and the version of the proposal."""
        return f"{self.proposed.subject}@{self.proposal}"


def said_of(event: Event) -> dict[str, Any]:
    """An event as an act says it: its topic and fields, but for who acts, which is whoever has the last word."""
    fields = event.model_dump(mode="json", exclude_none=True, exclude={event.ACTOR} if event.ACTOR else None)
    return {"topic": event.TOPIC, **fields}


def evolve(agreement: Agreement | None, event: Event) -> Agreement | None:
    """The agreement after one more event."""
    version = agreement.version + 1 if agreement else 1
    match event:
        case ActProposed():
            return Agreement(event, version, version)
        case ActAgreed() if agreement:
            outcome = "agreed" if event.is_last else None
            words, at = (*agreement.words, event.checker), (*agreement.words_at, version)
            return replace(agreement, version=version, words=words, words_at=at, outcome=outcome)
        case ActRejected() if agreement:
            return replace(agreement, version=version, outcome=event.cause)
    return agreement


def evolve_policy(rules: dict[int, int] | None, event: Event) -> dict[int, int] | None:
    """Amount → words needed above it, after one more event."""
    return {**(rules or {}), event.above: event.checkers} if isinstance(event, PolicySet) else rules


def words_needed(rules: dict[int, int] | None, amount: int) -> int:
    """How many words an act of this amount needs; one where no policy says otherwise."""
    return max([1, *(words for over, words in (rules or {}).items() if over == 0 or amount > over)])


def propose(agreement: Agreement | None, *, proposed: ActProposed, today: date) -> list[Event]:
    """Put an act up for other officers' words; the same act again, while it waits, records nothing."""
    if agreement is None or agreement.outcome is not None:
        return [proposed]
    waiting = agreement.proposed
    if today > waiting.lapses_on:
        return [lapsed(agreement, recorded_by=proposed.proposer), proposed]
    if (waiting.request, waiting.act_sha256) != (proposed.request, proposed.act_sha256):
        raise AgreementWaitingError(subject=proposed.subject)
    return []


def lapsed(agreement: Agreement, *, recorded_by: str) -> ActRejected:
    """The act waited longer than acts may."""
    return ActRejected(
        subject=agreement.proposed.subject,
        proposal=agreement.proposal,
        recorded_by=recorded_by,
        cause="lapsed",
        reason=f"not agreed to by {agreement.proposed.lapses_on.isoformat()}",
    )


def agree(
    agreement: Agreement, *, checker: str, about: str | None, given: Collection[str], is_last: bool
) -> list[Event]:
    """Give a word; a second word of the same officer records nothing. `given` are the officers whose words count.

    Neither the one who proposed has a word, nor the one whom the act is about.
    """
    subject = agreement.proposed.subject
    if checker in given or (agreement.outcome == "agreed" and checker in agreement.words):
        return []
    require_waiting(agreement)
    if checker in (agreement.proposed.proposer, about):
        raise SameOfficerError(officer_id=checker, thing=f"the agreement about {subject}")
    return [
        ActAgreed(
            subject=subject,
            checker=checker,
            proposal=agreement.proposal,
            act_sha256=agreement.proposed.act_sha256,
            is_last=is_last,
        )
    ]


def reject(agreement: Agreement, *, officer_id: str, reason: str) -> list[Event]:
    """Refuse a proposed act; its proposer withdraws it so."""
    is_own = officer_id == agreement.proposed.proposer
    cause: Literal["withdrawn", "rejected"] = "withdrawn" if is_own else "rejected"
    if agreement.outcome == cause:
        return []
    require_waiting(agreement)
    return [
        ActRejected(
            subject=agreement.proposed.subject,
            proposal=agreement.proposal,
            recorded_by=officer_id,
            cause=cause,
            reason=reason,
        )
    ]


def require_waiting(agreement: Agreement) -> None:
    """Refuse to decide an act a second time."""
    if agreement.outcome is not None:
        raise AgreementDecidedError(subject=agreement.proposed.subject, outcome=agreement.outcome)
