import pytest

from ledger.application import services
from ledger.application.aftercare import Step
from ledger.application.ledger import Ledger
from ledger.domain.errors import ThingUnknownError
from ledger.domain.officer import OfficerUnknownError
from ledger.domain.program import ProgramUnknownError
from ledger.files.tables import Row
from tests.acts import PROGRAM, SITI, Told, entries, fund, members, pay, register, step


@pytest.fixture
def story(ledger: Ledger) -> Ledger:
    """Two people, paid, returned and paid again, in a group, trained."""
    one, two = register(ledger, 2)
    fund(ledger, *members("g1", one, two))
    pay(ledger, [one, two])
    step(ledger, Step.RETURN, f"{PROGRAM}/1/{one}")
    services.train(ledger, SITI, [Row(2, (one, "s1"))], program="tkm-2020", on_reject=Told())
    step(ledger, Step.REISSUE, f"{PROGRAM}/1/{one}")
    pay(ledger, [one], tranche=2)
    return ledger


def told(ledger: Ledger, thing: str) -> list[str]:
    found = ledger.history(thing)
    assert [entry for entry in entries(ledger) if entry in found] == found, "in the order of the log"
    return [type(entry.event).__name__ for entry in found]


def test_the_history_of_a_person_tells_all_that_happened_to_them_in_order(story: Ledger) -> None:
    assert told(story, "R000000001") == [
        "RecipientRegistered",
        "GroupJoined",
        "TrancheDisbursed",
        "TrancheReturned",
        "TrainingAttended",
        "TrancheReissued",
        "TrancheDisbursed",
    ]
    assert told(story, "R000000002") == ["RecipientRegistered", "GroupJoined", "TrancheDisbursed"]


def test_a_payment_is_found_by_the_name_of_each_of_its_attempts(story: Ledger) -> None:
    events = ["TrancheDisbursed", "TrancheReturned", "TrancheReissued"]
    assert told(story, f"{PROGRAM}/1/R000000001") == events
    assert told(story, f"{PROGRAM}/1/R000000001/2") == events


@pytest.mark.parametrize(
    ("thing", "events"),
    [
        ("siti", ["OfficerEnrolled"]),
        ("g1", ["GroupFunded"]),
        ("tkm-2020/g1", ["GroupFunded"]),
        ("tkm-2020", ["ProgramOpened", "BudgetSet", "FundsReserved", "FundsSpent"]),
        ("ledger", ["LedgerOpened", "LedgerEntrusted"]),
    ],
)
def test_other_things_are_found_by_their_names(story: Ledger, thing: str, events: list[str]) -> None:
    assert told(story, thing) == events


def test_what_is_not_there_is_refused_with_the_nearest_name(ledger: Ledger) -> None:
    with pytest.raises(ThingUnknownError) as refused:
        ledger.history("bsu2020")
    assert refused.value.nearest == " (did you mean bsu-2020?)"
    with pytest.raises(ThingUnknownError) as refused:
        ledger.history("something else")
    assert refused.value.nearest == ""


def test_the_nearest_name_is_of_the_same_kind_of_thing(ledger: Ledger) -> None:
    from ledger.application.attempt import Attempt

    attempt = Attempt(ledger, SITI)
    with pytest.raises(OfficerUnknownError) as officer:
        attempt.named_officer("bsu-202")
    assert officer.value.nearest == ""
    with pytest.raises(ProgramUnknownError) as program:
        attempt.program("bsu-202")
    assert program.value.nearest == " (did you mean bsu-2020?)"
