"""Acts that need other officers' words: proposed, agreed to, and recorded with the last word.

`record` is the way in for whatever needs words. Until the ledger's rules are adopted it records the act at once. Then it
proposes: the request in its canonical form, and the act that it gives today. With the last word the request is decided
anew, over what the ledger holds then. If the same act comes out, its events are appended in the same transaction as the
word; if not, the proposal is superseded.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ledger.application.attempt import Attempt, Command
from ledger.application.given import built, require_texts
from ledger.application.ledger import Ledger
from ledger.application.requests import Request
from ledger.domain import agreement as agreements
from ledger.domain import officer as officers
from ledger.domain.agreement import (
    LAPSE_DAYS,
    WITH_AMOUNTS,
    ActKind,
    ActProposed,
    ActRejected,
    Agreement,
    AgreementDecidedError,
    AgreementUnknownError,
    KeyNeededError,
    OfficersTooFewError,
    PolicySet,
    ProposerNeededError,
    agreement_stream,
    policy_stream,
)
from ledger.domain.errors import Said, ValueInvalidError
from ledger.domain.event import Event, Role
from ledger.domain.money import AMOUNT_MAX
from ledger.domain.officer import Officer, OfficerKeyReplaced, OfficerRevokedError, RolesChanged, officer_stream
from ledger.domain.opening import EDITION, LEDGER_STREAM, RulesAdopted, RulesNotAdoptedError
from ledger.store.entries import Entry
from ledger.transparency.merkle import leaf_hash, root_of

Decide = Callable[[Attempt], list[Event]]
Build = Callable[[Ledger, dict[str, Any]], "Act"]


@dataclass(frozen=True)
class Act:
    """Something that needs other officers' words, as its command asks for it."""

    kind: ActKind
    subject: str
    request: Request
    decide: Decide
    """The events of the act, from what the ledger holds; whoever acts is not looked at."""
    amount: int = 0
    """In minor units, or units of an item, where that decides how many words are needed."""
    alongside: Callable[[Attempt], int] = lambda _: 0
    """The amounts of acts recorded the same day that count together with it, so that splitting gains nothing."""
    role: Role | None = None
    """The role of whoever asks for it; None for any officer in office."""
    about: str | None = None
    """The officer whom the act concerns, and who has no word about it."""
    may_recover: bool = False
    """Whether holders of recovery keys may propose it and agree to it among themselves."""
    if_rejected: Callable[[Attempt, str], list[Event]] = lambda *_: []
    """Attempt, reason → what is recorded beside the rejection where the act waits as a proposal of its own as well."""
    around: "Callable[[GiveWord, Command], Entries] | None" = None
    """Carries out the word of a command where more than events must change with the last one, or nothing at all."""


ACTS: dict[str, Build] = {}
"""Command → how its act is made again from the inputs of the request."""


def act_of(command: str) -> Callable[[Build], Build]:
    """Let a function make the acts of a command again."""

    def known(build: Build) -> Build:
        ACTS[command] = build
        return build

    return known


class Entries(list[Entry]):
    """What a command recorded; where it proposed an act, the subject under which that waits."""

    waiting: str | None = None
    left: Sequence[str] = ()
    """What only somebody else can do to make the act whole, and who."""


GiveWord = Callable[[Command], Entries]


# Proposing


def record(ledger: Ledger, command: Command, act: Act) -> Entries:
    """Record an act at once, or propose it where the rules of the ledger ask for other officers' words."""
    waiting: str | None = None

    def decide(attempt: Attempt) -> list[Event]:
        nonlocal waiting
        waiting = None
        attempt.officer(act.role, may_recover=act.may_recover)
        if act.kind in (ActKind.BATCHES, ActKind.GOODS):
            require_adopted(attempt)
        events = act.decide(attempt)
        if not events or not rules_bind(attempt):
            if events:
                attempt.officer(act.role)  # before the rules bind there is nothing to recover
            return events
        waiting = act.subject
        return proposing(attempt, act, events)

    entries = Entries(ledger.carry_out(command, decide, request=act.request))
    entries.waiting = waiting
    return entries


def proposing(attempt: Attempt, act: Act, events: Sequence[Event]) -> list[Event]:
    """What proposes an act with these events; nothing where the same act waits already."""
    proposed = _proposal(attempt, act, events)
    return agreements.propose(_agreement(attempt, act.subject), proposed=proposed, today=attempt.today)


def rules_bind(attempt: Attempt) -> bool:
    """Whether two officers have adopted the rules."""
    return _adopted(attempt) is not None


def require_adopted(attempt: Attempt) -> None:
    """Refuse to let money or goods leave a ledger that awaits the adoption of its rules; older ledgers go on without."""
    if attempt.ledger.opened.rules_edition is not None and not rules_bind(attempt):
        raise RulesNotAdoptedError()


def _adopted(attempt: Attempt) -> RulesAdopted | None:
    def evolve(adopted: RulesAdopted | None, event: Event) -> RulesAdopted | None:
        return event if isinstance(event, RulesAdopted) else adopted

    return attempt.load(LEDGER_STREAM, evolve)


def _proposal(attempt: Attempt, act: Act, events: Sequence[Event]) -> ActProposed:
    text = _act_json(events)
    kind = ActKind.RECOVERY if officers.is_recovery(attempt.named_officer(attempt.command.by or "")) else act.kind
    needed = _words_needed(attempt, kind, act)
    _require_enough(attempt, needed, without=act.about, proposer=attempt.command.by, role=_role_of(kind))
    return built(
        ActProposed,
        subject=act.subject,
        proposer=attempt.command.by or "",
        kind=kind,
        request=act.request.canonical(_no_person).decode(),
        act=text,
        act_sha256=hashlib.sha256(text.encode()).hexdigest(),
        words=needed,
        lapses_on=attempt.today + timedelta(days=LAPSE_DAYS),
    )


def _act_json(events: Sequence[Event]) -> str:
    said = [agreements.said_of(each) for each in events]
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _no_person(_: bytes) -> str:
    raise TypeError("no act that needs words holds a person's data yet")


def _agreement(attempt: Attempt, subject: str) -> Agreement | None:
    return attempt.load(agreement_stream(subject), agreements.evolve)


def _words_needed(attempt: Attempt, kind: ActKind, act: Act) -> int:
    rules = attempt.load(policy_stream(kind), agreements.evolve_policy)
    together = act.alongside(attempt) if any(rules or ()) else 0
    return agreements.words_needed(rules, act.amount + together)


def _role_of(kind: ActKind) -> Role:
    """The role of those who have a word on acts of a kind."""
    return Role.RECOVERY if kind is ActKind.RECOVERY else Role.CHECKER


def _require_enough(
    attempt: Attempt,
    needed: int,
    *,
    without: str | None,
    proposer: str | None = None,
    role: Role = Role.CHECKER,
    stays: bool = False,
) -> None:
    """Refuse what too few officers could agree to: so many with a word, and one more who proposes.

    An officer `without` whom it must do loses the word, and unless they stay in another role, office.
    """
    known = [each for each in _officers(attempt) if officers.is_recovery(each) == (role is Role.RECOVERY)]
    in_office = [each for each in known if not each.is_revoked and (stays or each.officer_id != without)]
    able = [each for each in in_office if each.officer_id not in (proposer, without) and _has_word(each, role)]
    if len(able) < needed or len(in_office) <= needed:
        raise OfficersTooFewError(needed=needed, left=len(able))


def _officers(attempt: Attempt) -> list[Officer]:
    return list(attempt.load_range("officer/", officers.evolve).values())


def _has_word(officer: Officer, role: Role) -> bool:
    return not officer.is_revoked and officer.public_key is not None and role in officer.roles


def require_enough_left(attempt: Attempt, *, without: str, stays: bool = False) -> None:
    """Refuse an act after which the officers left could agree to nothing more, once the rules are adopted.

    `stays` where the officer keeps another role than that of a checker.
    """
    if not rules_bind(attempt) or officers.is_recovery(attempt.named_officer(without)):
        return
    kinds = [kind for kind in ActKind if kind is not ActKind.RECOVERY]
    most = [attempt.load(policy_stream(kind), agreements.evolve_policy) for kind in kinds]
    needed = max(agreements.words_needed(rules, AMOUNT_MAX + 1) for rules in most)
    _require_enough(attempt, needed, without=without, stays=stays)


# Deciding


def approve(ledger: Ledger, command: Command, *, subject: str) -> Entries:
    """Give one's word to the act that waits for a subject; with the last word it is recorded."""
    act = act_again(ledger, _waiting(ledger.view(), subject))

    def give(command: Command) -> Entries:
        return _give_word(ledger, command, subject)

    entries = act.around(give, command) if act.around else give(command)
    if entries and isinstance(first := entries[0].event, ActRejected) and not command.dry_run:
        raise AgreementDecidedError(subject=subject, outcome=first.cause)
    return entries


def _give_word(ledger: Ledger, command: Command, subject: str) -> Entries:
    waiting: str | None = None

    def decide(attempt: Attempt) -> list[Event]:
        nonlocal waiting
        waiting = None
        agreement = _waiting(attempt, subject)
        kind = agreement.proposed.kind
        checker = attempt.officer(_role_of(kind), may_recover=True)
        if checker.public_key is None:
            raise KeyNeededError(officer_id=checker.officer_id)
        act = act_again(ledger, agreement)
        given = {
            officer_id
            for officer_id, version in zip(agreement.words, agreement.words_at, strict=True)
            if _counts(attempt, agreement, officer_id, version)
        }
        needed = max(agreement.proposed.words, _words_needed(attempt, kind, act))
        is_last = len(given) + 1 >= needed
        words = agreements.agree(agreement, checker=checker.officer_id, about=act.about, given=given, is_last=is_last)
        if not words:
            return []
        if attempt.today > agreement.proposed.lapses_on:
            return [agreements.lapsed(agreement, recorded_by=checker.officer_id)]
        _require_in_office(attempt, agreement.proposed.proposer)
        events = act.decide(attempt)
        if _act_json(events) != agreement.proposed.act:
            return [_superseded(agreement, checker.officer_id)]
        if not is_last:
            waiting = subject
            return words
        attempt.under(agreement.id, _proposed_on(ledger, agreement), events)
        return [*words, *events]

    entries = Entries(ledger.carry_out(command, decide, request=Request("approve", {"id": subject})))
    entries.waiting = waiting
    return entries


def _waiting(attempt: Attempt, subject: str) -> Agreement:
    if (found := _agreement(attempt, subject)) is None:
        raise AgreementUnknownError(subject=subject)
    return found


def _require_in_office(attempt: Attempt, officer_id: str) -> None:
    if attempt.named_officer(officer_id).is_revoked:
        raise OfficerRevokedError(officer_id=officer_id)


def _counts(attempt: Attempt, agreement: Agreement, officer_id: str, version: int) -> bool:
    """Whether a word given before still counts: its officer holds office, with key and roles of then, at the last word."""
    if not _has_word(attempt.named_officer(officer_id), _role_of(agreement.proposed.kind)):
        return False
    store, stream = attempt.ledger.store, agreement_stream(agreement.proposed.subject)
    office = attempt.ledger.load(officer_stream(officer_id))
    changes = [each.originator_version for each in office if isinstance(each.event, OfficerKeyReplaced | RolesChanged)]
    return not changes or store.position(officer_stream(officer_id), changes[-1]) < store.position(stream, version)


def _proposed_on(ledger: Ledger, agreement: Agreement) -> date:
    return ledger.load(agreement_stream(agreement.proposed.subject))[agreement.proposal - 1].meta.effective_on


def _superseded(agreement: Agreement, officer_id: str) -> ActRejected:
    return ActRejected(
        subject=agreement.proposed.subject,
        proposal=agreement.proposal,
        recorded_by=officer_id,
        cause="superseded",
        reason="decided anew, the request gives another act",
    )


def act_again(ledger: Ledger, agreement: Agreement) -> Act:
    """The act that a proposal asks for, made again from its request."""
    from ledger.application import batches as _batches  # noqa: F401  # they say how acts are made again
    from ledger.application import goods as _goods  # noqa: F401
    from ledger.application import officers as _officers  # noqa: F401
    from ledger.application import privacy as _privacy  # noqa: F401
    from ledger.application import programs as _programs  # noqa: F401

    request = json.loads(agreement.proposed.request)
    return ACTS[request["command"]](ledger, request["inputs"])


def reject(ledger: Ledger, command: Command, *, subject: str, reason: str, is_withdrawn: bool = False) -> list[Entry]:
    """Refuse the act that waits for a subject: a checker rejects it, its proposer withdraws it."""
    require_texts(reason=reason)

    def decide(attempt: Attempt) -> list[Event]:
        agreement = _waiting(attempt, subject)
        is_own = agreement.proposed.proposer == command.by
        if is_withdrawn and not is_own:
            raise ProposerNeededError(subject=subject, proposer=agreement.proposed.proposer)
        officer = attempt.officer(None if is_own else Role.CHECKER, may_recover=is_own)
        events = agreements.reject(agreement, officer_id=officer.officer_id, reason=reason)
        return [*events, *(act_again(ledger, agreement).if_rejected(attempt, reason) if events else ())]

    return ledger.carry_out(command, decide, request=Request("reject", {"id": subject, "reason": reason}))


# Reading


def waiting(ledger: Ledger) -> list[Agreement]:
    """The acts that wait for words, in order of their subjects."""
    view = ledger.view()
    found = view.load_range("agreement/", agreements.evolve)
    return [each for each in found.values() if each.outcome is None]


def is_known(ledger: Ledger, subject: str) -> bool:
    """Whether an act was ever proposed for a subject."""
    return _agreement(ledger.view(), subject) is not None


def shown(ledger: Ledger, subject: str) -> Agreement:
    """The act proposed last for a subject; raises `AgreementUnknownError`."""
    return _waiting(ledger.view(), subject)


def policies(ledger: Ledger) -> dict[ActKind, dict[int, int]]:
    """Kind of act → amount → words needed above it."""
    view = ledger.view()
    return {kind: view.load(policy_stream(kind), agreements.evolve_policy) or {0: 1} for kind in ActKind}


# Rules and policies


@act_of("rules adopt")
def _adopt_again(ledger: Ledger, inputs: dict[str, Any]) -> Act:
    return _adoption(ledger, inputs["edition"], inputs["log_size"])


def adopt_rules(ledger: Ledger, command: Command) -> Entries:
    """Propose that the rules bind from here on, with all that is set up; another officer agrees."""
    view = ledger.view()
    agreement = view.load(agreement_stream("rules"), agreements.evolve)
    size = ledger.store.size()
    if agreement and agreement.outcome is None:  # proposed again, it is the same proposal
        size = int(json.loads(agreement.proposed.request)["inputs"]["log_size"])
    act = _adoption(ledger, EDITION, size)

    def decide(attempt: Attempt) -> list[Event]:
        attempt.officer()
        if not (events := act.decide(attempt)):
            return []
        return proposing(attempt, act, events)

    entries = Entries(ledger.carry_out(command, decide, request=Request("rules adopt", {"edition": EDITION})))
    entries.waiting = None if rules_bind(ledger.view()) else act.subject
    return entries


def _set_up() -> list[str]:
    """Topics of what is adopted with the rules: officers, programs and policies."""
    from ledger.domain.registry import EVENT_CLASSES

    kinds = (ActKind.OFFICERS, ActKind.PROGRAMS, ActKind.POLICY)
    return [topic for topic, cls in EVENT_CLASSES.items() if cls.AGREED in kinds]


def _adoption(ledger: Ledger, edition: int, log_size: int) -> Act:
    def decide(attempt: Attempt) -> list[Event]:
        if _adopted(attempt):
            return []
        # What was set up since the proposal nobody has seen: that is another act.
        for kind in ("officer/", "program/", policy_stream("")):
            attempt.watch(kind)
        size = ledger.store.size() if ledger.store.page(log_size + 1, 1, topics=_set_up()) else log_size
        hashes = (leaf_hash(line) for lines in ledger.store.leaves(until=size) for line in lines)
        return [RulesAdopted(edition=edition, events_adopted=size, root=root_of(hashes).hex())]

    request = Request("rules adopt", {"edition": edition, "log_size": log_size})
    return Act(ActKind.RULES, "rules", request, decide)


def set_policy(ledger: Ledger, command: Command, *, kind: str, over: int, checkers: int) -> Entries:
    """Let acts of a kind need so many words above an amount."""
    return record(ledger, command, _policy(ledger, {"kind": kind, "above": over, "checkers": checkers}))


@act_of("policy set")
def _policy(ledger: Ledger, inputs: dict[str, Any]) -> Act:
    del ledger
    kind = ActKind(inputs["kind"]) if inputs["kind"] in set(ActKind) else inputs["kind"]
    given = built(PolicySet, kind=kind, above=inputs.get("above", 0), checkers=inputs["checkers"])
    if given.above and given.kind not in WITH_AMOUNTS:
        raise ValueInvalidError(field="over", problem=Said("acts of this kind have no amount; leave it out"))

    def decide(attempt: Attempt) -> list[Event]:
        known = attempt.load(policy_stream(given.kind), agreements.evolve_policy) or {}
        if known.get(given.above) == given.checkers:
            return []
        _require_enough(attempt, given.checkers, without=None, role=_role_of(given.kind))
        return [given]

    return Act(ActKind.POLICY, f"policy/{given.kind}", Request("policy set", inputs), decide)
