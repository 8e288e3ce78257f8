from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from ledger.application import programs
from ledger.application.creation import create
from ledger.application.ledger import Ledger
from ledger.domain.errors import EffectiveInFutureError
from ledger.domain.opening import LedgerOpened
from tests.acts import NOW, PROGRAM, SET_UP, TODAY, by, entries, kept

JAKARTA = timezone(timedelta(hours=7))


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.moment = NOW

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(ledger: Ledger, clock: Clock) -> Iterator[Ledger]:
    opened = Ledger(ledger.folder, now=clock)
    yield opened
    opened.close()


def set_budget(ledger: Ledger, budget: int, **said: object) -> None:
    programs.set_budget(ledger, by("budi", **said), program=PROGRAM, budget=budget)


def test_an_event_is_recorded_at_the_instant_the_clock_tells(timed: Ledger, clock: Clock) -> None:
    for minute in range(3):
        clock.moment = NOW + timedelta(minutes=minute, microseconds=minute)
        set_budget(timed, minute)
    told = [entry.meta.recorded_at for entry in entries(timed, SET_UP)]
    assert told == [NOW + timedelta(minutes=minute, microseconds=minute) for minute in range(3)]


def test_an_instant_is_kept_in_utc_wherever_the_clock_hangs(timed: Ledger, clock: Clock, tmp_path: Path) -> None:
    clock.moment = datetime(2020, 10, 15, 10, 0, tzinfo=JAKARTA)
    set_budget(timed, 1)
    opened = LedgerOpened(name="New", currency="IDR", decimals=0)
    new = create(tmp_path / "new", by(None), opened=opened, now=clock)
    for ledger in (timed, new):
        line = b"".join(ledger.store.lines()).splitlines()[-1]
        assert b'"recorded_at":"2020-10-15T03:00:00Z"' in line
    new.close()


def test_a_clock_that_runs_backwards_does_not_change_the_order(timed: Ledger, clock: Clock) -> None:
    set_budget(timed, 1)
    clock.moment = NOW - timedelta(days=1)
    set_budget(timed, 2, effective_on=TODAY - timedelta(days=1))
    assert [entry.meta.recorded_at for entry in entries(timed, SET_UP)] == [NOW, NOW - timedelta(days=1)]


def test_the_business_date_is_the_officers_and_may_lie_in_the_past(timed: Ledger) -> None:
    set_budget(timed, 1, effective_on=date(2020, 9, 1))
    [entry] = entries(timed, SET_UP)
    assert (entry.meta.effective_on, entry.meta.recorded_at) == (date(2020, 9, 1), NOW)


def test_a_business_date_in_the_future_is_refused_unless_it_is_meant(timed: Ledger, clock: Clock) -> None:
    clock.moment = datetime(2020, 10, 15, 12, 0).astimezone(UTC)  # noon of this machine's own day
    set_budget(timed, 1, effective_on=date(2020, 10, 15))
    tomorrow = date(2020, 10, 16)
    before = kept(timed)
    for dry_run in (False, True):
        with pytest.raises(EffectiveInFutureError) as refused:
            set_budget(timed, 2, effective_on=tomorrow, dry_run=dry_run)
        assert (refused.value.effective_on, refused.value.today) == ("2020-10-16", "2020-10-15")
    assert kept(timed) == before
    set_budget(timed, 2, effective_on=tomorrow, allow_future=True)
    assert entries(timed, SET_UP + 1)[0].meta.effective_on == tomorrow


def test_who_when_and_why_stand_with_every_event_of_a_command(timed: Ledger) -> None:
    set_budget(timed, 1, reference="letter 7", note="after the audit")
    event, reference = entries(timed, SET_UP)
    assert event.meta == reference.meta
    assert (event.meta.by, event.meta.reference, event.meta.note) == ("budi", "letter 7", "after the audit")
