"""Random sequences of commands by two to five officers under random policies, held against a model of who agreed.

A command may be refused; nothing is said about that here. Whatever is recorded must have its words: distinct officers, in
office with the key and roles with which they gave them, neither the one who proposed nor the one it is about, as many as
the policies ask. The model is told of each event as it is recorded, and knows nothing of the program's own rules.

`python -m tests.ledger.random_offices --sequences 10000` plays so many.
"""

import shutil
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.application import (
    aftercare,
    agreements,
    batches,
    disbursement,
    goods,
    grants,
    officers,
    programs,
    registration,
)
from ledger.application.aftercare import Step
from ledger.application.attempt import Command
from ledger.application.creation import create
from ledger.application.ledger import Ledger
from ledger.domain.agreement import ActAgreed, ActKind, ActProposed, ActRejected, PolicySet
from ledger.domain.batch import BatchApproved, BatchCancelled, BatchProposed
from ledger.domain.errors import LedgerError
from ledger.domain.event import Event, Role
from ledger.domain.goods import MaskAidShipped, StockAdjusted, StockIssued
from ledger.domain.group import GroupFunded
from ledger.domain.officer import OfficerEnrolled, OfficerKeyReplaced, OfficerRevoked, RolesChanged
from ledger.domain.opening import LedgerOpened
from ledger.domain.payment import TrancheDisbursed, TrancheRefunded, TrancheReissued, TrancheReversed
from ledger.domain.program import BudgetSet, Kind, ProgramAmended, ProgramClosed, ProgramOpened
from ledger.files.tables import Row
from ledger.store.entries import Entry
from ledger.transparency.keys import Keys
from projections.audit.check import check
from projections.reports.engine import Reports
from tests.acts import NOW, TODAY, entries, members, person, stop

NAMES = ("ana", "budi", "citra", "dewi", "eko")
ROLES = ((Role.MAKER,), (Role.CHECKER,), (Role.MAKER, Role.CHECKER), (Role.CHECKER,), (Role.MAKER,))
"""Of the officers, in order: two of them can adopt the rules."""
PEOPLE = 8
TRANCHE = 100
KINDS = (ActKind.BATCHES, ActKind.PROGRAMS, ActKind.OFFICERS, ActKind.GOODS, ActKind.POLICY)
OF_BATCHES: dict[type[Event], str] = {GroupFunded: "grants", TrancheReissued: "reissues", TrancheRefunded: "refunds"}
OF_KIND: dict[type[Event], ActKind] = {
    BudgetSet: ActKind.PROGRAMS, ProgramOpened: ActKind.PROGRAMS, ProgramAmended: ActKind.PROGRAMS,
    ProgramClosed: ActKind.PROGRAMS, OfficerEnrolled: ActKind.OFFICERS, OfficerRevoked: ActKind.OFFICERS,
    RolesChanged: ActKind.OFFICERS, OfficerKeyReplaced: ActKind.OFFICERS, PolicySet: ActKind.POLICY,
    BatchApproved: ActKind.BATCHES, BatchCancelled: ActKind.BATCHES, MaskAidShipped: ActKind.GOODS,
    StockAdjusted: ActKind.GOODS,
}  # fmt: skip


@dataclass
class Waiting:
    """An act that was proposed, and who agreed to it so far."""

    proposed: ActProposed
    words: set[str] = field(default_factory=set)


@dataclass
class Model:
    """What the events say of words, offices, policies and money; each is held against it as it comes."""

    roles: dict[str, set[Role]] = field(default_factory=dict)
    """Officer in office → their roles."""
    policies: dict[ActKind, dict[int, int]] = field(default_factory=dict)
    acts: dict[str, Waiting] = field(default_factory=dict)
    """Name of an agreement → its act."""
    batches: dict[str, BatchProposed] = field(default_factory=dict)
    approved: dict[str, str] = field(default_factory=dict)
    """Batch that may be run → the agreement it rests on."""
    of_day: Counter[tuple[str, date]] = field(default_factory=Counter)
    budgets: dict[str, int] = field(default_factory=dict)
    paid: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Recipient and tranche → times that money left, less reversals."""
    disbursed: Counter[str] = field(default_factory=Counter)

    def needed(self, kind: ActKind, amount: int) -> int:
        rules = self.policies.get(kind, {})
        return max([1, *(words for over, words in rules.items() if over == 0 or amount > over)])

    def take(self, entry: Entry) -> None:
        """One more event, once the rules bind."""
        event, day = entry.event, entry.meta.recorded_at.date()
        if isinstance(event, ActProposed):
            assert event.proposer in self.roles
            self.acts[f"{event.subject}@{entry.originator_version}"] = Waiting(event)
        elif isinstance(event, ActAgreed):
            act = self.acts[f"{event.subject}@{event.proposal}"]
            assert Role.CHECKER in self.roles[event.checker]
            assert event.checker != act.proposed.proposer
            act.words.add(event.checker)
        elif isinstance(event, ActRejected):
            del self.acts[f"{event.subject}@{event.proposal}"]
        elif type(event) in OF_KIND:
            self._agreed(entry, OF_KIND[type(event)], self._amount(event, day))
        self._moved(entry)
        if isinstance(event, BatchApproved):
            self.of_day[self.batches[event.batch_id].program, day] += self.batches[event.batch_id].total
        elif isinstance(event, StockIssued | StockAdjusted):
            self.of_day[event.item, day] += event.quantity

    def _amount(self, event: Event, day: date) -> int:
        match event:
            case BudgetSet():
                return event.budget
            case BatchApproved():
                batch = self.batches[event.batch_id]
                return batch.total + self.of_day[batch.program, day]
            case BatchCancelled():
                return self.batches[event.batch_id].total
            case MaskAidShipped():
                return self.of_day[event.item, day]  # its own goods left the stock just before
            case StockAdjusted():
                return event.quantity + self.of_day[event.item, day]
        return 0

    def _agreed(self, entry: Entry, kind: ActKind, amount: int) -> None:
        """The event rests on as many words as the policies of its proposal and of now ask for."""
        act = self.acts[entry.meta.agreement or ""]
        assert act.proposed.kind is kind
        needed = max(act.proposed.words, self.needed(kind, amount))
        assert len(act.words) >= needed, (entry.event, act.words, needed)
        about = getattr(entry.event, "officer_id", None)
        assert not act.words & {act.proposed.proposer, about}
        assert all(Role.CHECKER in self.roles[each] for each in act.words)

    def _moved(self, entry: Entry) -> None:
        event = entry.event
        match event:
            case OfficerEnrolled():
                self.roles[event.officer_id] = set(event.roles)
            case RolesChanged():
                self.roles[event.officer_id] = set(event.roles)
                self._lose_words(event.officer_id)
            case OfficerKeyReplaced():
                self._lose_words(event.officer_id)
            case OfficerRevoked():
                self._lose_words(event.officer_id)
                del self.roles[event.officer_id]
        self._held(entry)
        self._paid(event)

    def _held(self, entry: Entry) -> None:
        event = entry.event
        match event:
            case PolicySet():
                self.policies.setdefault(event.kind, {})[event.above] = event.checkers
            case BudgetSet():
                self.budgets[event.program] = event.budget
            case BatchProposed():
                self.batches[event.batch_id] = event
            case BatchApproved():
                self.approved[event.batch_id] = entry.meta.agreement or ""
            case BatchCancelled():
                del self.approved[event.batch_id]
            case TrancheDisbursed() | GroupFunded() | TrancheReissued() | TrancheRefunded():
                assert event.batch_id in self.approved, event
                assert self.batches[event.batch_id].kind == OF_BATCHES.get(type(event))

    def _paid(self, event: Event) -> None:
        match event:
            case TrancheDisbursed():
                self._pay(event.program, event.recipient_id, event.tranche, event.amount)
            case TrancheReissued() if event.after == "reversal":
                self._pay(event.program, event.recipient_id, event.tranche, event.amount)
            case TrancheReversed():
                self._pay(event.program, event.recipient_id, event.tranche, -event.amount)
            case GroupFunded():
                self.disbursed[event.program] += event.amount

    def _pay(self, program: str, recipient_id: str, tranche: int, amount: int) -> None:
        self.paid[recipient_id, f"{program}/{tranche}"] += 1 if amount > 0 else -1
        assert self.paid[recipient_id, f"{program}/{tranche}"] in (0, 1), "paid twice"
        self.disbursed[program] += amount

    def _lose_words(self, officer_id: str) -> None:
        for act in self.acts.values():
            act.words.discard(officer_id)


# The commands: officer, two small numbers


class Play:
    """A ledger, its officers, and what they do."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count, self.days = folder, count, 0
        self.keys = Keys(folder / "keys", passphrase=lambda *_: b"")
        self.ledger = Ledger(folder / "ledger", now=lambda: NOW + timedelta(days=self.days))
        self.model, self.seen, self.told = Model(), 0, dict[int, dict[str, tuple[int, int]]]()
        self.catch_up(is_bound=False)

    def by(self, number: int) -> Command:
        return Command(NAMES[number % self.count], TODAY + timedelta(days=self.days), signer=self.keys.signer)

    def catch_up(self, *, is_bound: bool = True) -> None:
        """Tell the model of what was recorded since."""
        for entry in entries(self.ledger, since=self.seen):
            self.seen += 1
            if is_bound:
                self.model.take(entry)
            elif isinstance(entry.event, OfficerEnrolled | BudgetSet):
                self.model._moved(entry)
        self.told[self.seen] = {code: (b, self.model.disbursed[code]) for code, b in self.model.budgets.items()}

    def step(self, name: str, officer: int, one: int, two: int) -> None:
        """Let an officer try something; what is refused changes nothing."""
        before = self.ledger.store.size()
        try:
            COMMANDS[name](self, self.by(self.apt(name, officer, one) if officer % 4 else officer), one, two)
        except LedgerError:
            # A chunk of a run that was recorded stands, and that an act does not fit any more is recorded.
            is_kept = {entry.event.TOPIC for entry in entries(self.ledger, since=before)} <= {ActRejected.TOPIC}
            assert is_kept or name == "run", name
        self.catch_up()

    def subjects(self) -> list[str]:
        return [each.proposed.subject for each in agreements.waiting(self.ledger)]

    def pick(self, number: int) -> str:
        waiting = self.subjects()
        return waiting[number % len(waiting)] if waiting else "program/bsu"

    def batch(self, number: int) -> str:
        known = sorted(self.model.approved if number % 4 else self.model.batches)
        return known[number % len(known)] if known else "none"

    def apt(self, name: str, officer: int, one: int) -> int:
        """An officer who may do it, where one is wanted: most of what strangers try is refused."""
        role = Role.CHECKER if name.startswith("approve") or (name == "run" and one % 2) else Role.MAKER
        act = next((each for each in agreements.waiting(self.ledger) if each.proposed.subject == self.pick(one)), None)
        out = {act.proposed.proposer, *act.words} if act and name.startswith("approve") else set()
        able = [n for n in range(self.count) if role in self.model.roles.get(NAMES[n], ()) and NAMES[n] not in out]
        return able[officer % len(able)] if able else officer


def _propose(play: Play, by: Command, one: int, two: int) -> None:
    rows = [Row(n, (f"R{n:09}", "")) for n in range(1 + one % PEOPLE, 1 + min(PEOPLE, one % PEOPLE + 1 + two))]
    asked = disbursement.PaymentList("bsu", 1 + one % 2, "f" * 64, f"b{one}-{two}-{play.seen}")
    disbursement.propose(play.ledger, by, rows, asked=asked, on_reject=lambda *_: None)


def _grants(play: Play, by: Command, one: int, two: int) -> None:
    rows = members(f"G{one}", *(f"R{n:09}" for n in range(1, 2 + two)))
    terms = grants.Terms(amount=str(100 + one), decree="SK 1", decree_on="2020-09-01")
    asked = grants.GrantList("tkm", terms, "f" * 64, f"g{one}-{two}-{play.seen}")
    grants.propose(play.ledger, by, rows, asked=asked, on_reject=lambda *_: None)


def _again(step: Step) -> Callable[[Play, Command, int, int], None]:
    def propose(play: Play, by: Command, one: int, two: int) -> None:
        rows = [Row(n, (f"bsu/{1 + one % 2}/R{n:09}", "", "NTPN 1")) for n in range(1, PEOPLE + 1)]
        batch_id = f"{step}-{play.seen}"
        aftercare.propose(
            play.ledger, by, rows, step=step, file_sha256="f" * 64, batch_id=batch_id, on_reject=lambda *_: None
        )

    return propose


def _take(step: Step) -> Callable[[Play, Command, int, int], None]:
    def take(play: Play, by: Command, one: int, two: int) -> None:
        row = Row(1, (f"bsu/{1 + two % 2}/R{1 + one % PEOPLE:09}", "AC04", ""))
        aftercare.change(play.ledger, by, step, [row], on_reject=stop)

    return take


def _enroll(play: Play, by: Command, one: int, two: int) -> None:
    name = f"new-{one}"
    key = play.keys.public_key(play.ledger.fingerprint, name) or play.keys.make(play.ledger.fingerprint, name)
    officers.enroll(play.ledger, by, officer_id=name, roles=ROLES[two % 5], public_key=key)


def _policy(play: Play, by: Command, one: int, two: int, checkers: int) -> None:
    kind, over = KINDS[one % 5], (0, 150, 300)[two % 3]
    agreements.set_policy(play.ledger, by, kind=kind, over=over, checkers=checkers)


COMMANDS: dict[str, Callable[[Play, Command, int, int], Any]] = {
    "approve": lambda play, by, one, _: agreements.approve(play.ledger, by, subject=play.pick(one)),
    "reject": lambda play, by, one, _: agreements.reject(play.ledger, by, subject=play.pick(one), reason="no"),
    "withdraw": lambda play, by, one, _: agreements.reject(
        play.ledger, by, subject=play.pick(one), reason="no", is_withdrawn=True
    ),
    "budget": lambda play, by, one, two: programs.set_budget(
        play.ledger, by, program=("bsu", "tkm")[two % 2], budget=400 * (one + 1)
    ),
    "amend": lambda play, by, one, _: programs.amend(
        play.ledger, by, program="bsu", reason="decree", changed={"schedule": (TRANCHE, TRANCHE + one)}
    ),
    "open": lambda play, by, one, _: programs.open_program(
        play.ledger, by, terms=ProgramOpened(program=f"p{one}", name="New", kind=Kind.CASH, fiscal_year=2020)
    ),
    "close": lambda play, by, one, _: programs.close_program(play.ledger, by, program=f"p{one}", reason="over"),
    "enroll": _enroll,
    "revoke": lambda play, by, one, _: officers.revoke(
        play.ledger, by, officer_id=NAMES[one % play.count], reason="left"
    ),
    "role": lambda play, by, one, two: officers.change_roles(
        play.ledger,
        by,
        officer_id=NAMES[one % play.count],
        given=ROLES[two % 5],
        taken=[each for each in (Role.MAKER, Role.CHECKER) if each not in ROLES[two % 5]],
        reason="decree",
    ),
    "policy": lambda play, by, one, two: _policy(play, by, one, two, 1 + one % 2),
    "two words": lambda play, by, one, two: _policy(play, by, one, two, 2),
    "propose": _propose,
    "grants": _grants,
    "run": lambda play, by, one, _: batches.run(
        play.ledger, by, batch_id=play.batch(one), on_reject=lambda *_: None
    ),
    "cancel": lambda play, by, one, _: batches.cancel(play.ledger, by, batch_id=play.batch(one), reason="wrong"),
    "return": _take(Step.RETURN),
    "reverse": _take(Step.REVERSE),
    "reissue": _again(Step.REISSUE),
    "refund": _again(Step.REFUND),
    "stock": lambda play, by, one, _: goods.stock(
        play.ledger, by, item="mask", quantity=100 * (one + 1), unit="piece", origin="BLK"
    ),
    "ship": lambda play, by, one, two: goods.ship(
        play.ledger, by, shipment_id=f"s{two}-{play.seen}", item="mask", quantity=60 + one, country="HK"
    ),
    "write off": lambda play, by, one, _: goods.write_off(
        play.ledger, by, item="mask", quantity=60 + one, cause="loss", reason="letter"
    ),
    "next day": lambda play, *_: setattr(play, "days", play.days + 1),
}  # fmt: skip
STEPS = st.lists(
    st.tuples(
        st.sampled_from([*sorted(COMMANDS), *["approve", "propose", "run", "approve"] * 4]),
        st.integers(0, 4),
        st.integers(0, 7),
        st.integers(0, 5),
    ),
    min_size=10,
    max_size=45,
)


POLICIES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=3)
"""Place of a kind of act, and of an amount over which it needs two words."""


@cache
def prepared(count: int) -> Path:
    """A ledger of so many officers whose rules bind."""
    folder = Path(mkdtemp(prefix="offices-"))
    keys = Keys(folder / "keys", passphrase=lambda *_: b"")

    def by(name: str) -> Command:
        return Command(name, TODAY, signer=keys.signer)

    opened = LedgerOpened(name="Office", currency="IDR", decimals=0, rules_edition=1)
    with closing(create(folder / "ledger", Command(None, TODAY), opened=opened, now=lambda: NOW)) as ledger:
        for name, roles in zip(NAMES[:count], ROLES, strict=False):
            key = keys.make(ledger.fingerprint, name)
            keys.keep(ledger.fingerprint, name, None)
            officers.enroll(ledger, by("ana"), officer_id=name, roles=roles, public_key=key)
        bsu = ProgramOpened(program="bsu", name="BSU", kind=Kind.CASH, schedule=(TRANCHE, TRANCHE), fiscal_year=2020)
        tkm = ProgramOpened(program="tkm", name="TKM", kind=Kind.GROUP_GRANT, fiscal_year=2020)
        for terms in (bsu, tkm):
            programs.open_program(ledger, by("ana"), terms=terms)
            programs.set_budget(ledger, by("ana"), program=terms.program, budget=2_000)
        rows = [person(number) for number in range(1, PEOPLE + 1)]
        registration.register(ledger, by("ana"), rows, file_sha256=None, category="worker", on_reject=stop)
        agreements.adopt_rules(ledger, by("ana"))
        agreements.approve(ledger, by("budi"), subject="rules")
    return folder


def play(
    count: int,
    steps: Sequence[tuple[str, int, int, int]],
    policies: Sequence[tuple[int, int]] = (),
    *,
    figures: int = 2,
) -> Counter[str]:
    """Play a sequence in a copy of a prepared ledger; returns how often something of each kind was recorded.

    `policies` ask for two words: kind of act and amount, by their places.
    """
    with TemporaryDirectory(prefix="office-", dir=prepared(count).parent) as name:
        shutil.copytree(prepared(count), name, dirs_exist_ok=True)
        office = Play(Path(name), count)
        with closing(office.ledger):
            for kind, over in policies:
                office.step("two words", 0, kind, over)
                for checker in (1, 2):
                    office.step("approve", 4 * checker, 0, 0)
            for step in steps:
                office.step(*step)
            assert [(law.name, law.broken[:2]) for law in check(office.ledger.store) if not law.holds] == []
            with Reports(office.ledger.store) as reports:
                for size in sorted(office.told)[-figures:]:
                    rows = reports.run("programs", as_of=date(9999, 12, 31), known_at=size).rows
                    found = {row["program"]: (row["budget"], row["disbursed"]) for row in rows}
                    assert {code: found[code] for code in office.told[size]} == office.told[size]
            return Counter(entry.originator_id.partition("/")[0] for entry in entries(office.ledger))


def main() -> None:
    parser = ArgumentParser(description="Random sequences of commands by two to five officers under random policies.")
    parser.add_argument("--sequences", type=int, default=10_000)
    wanted = parser.parse_args().sequences
    done, begun, recorded = 0, time.monotonic(), Counter[str]()

    @settings(max_examples=wanted, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(2, 5), STEPS, POLICIES)
    def sequences(count: int, steps: list[tuple[str, int, int, int]], policies: list[tuple[int, int]]) -> None:
        nonlocal done
        recorded.update(play(count, steps, policies))
        done += 1
        if done % 500 == 0:
            print(f"{done:,} sequences, {time.monotonic() - begun:.0f} s", file=sys.stderr)

    sequences()
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in recorded.most_common())
    print(f"{done:,} sequences in {time.monotonic() - begun:.0f} s; events by stream: {kinds}.")


if __name__ == "__main__":
    main()
