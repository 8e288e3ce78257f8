"""A sample of what `python -m tests.ledger.random_offices` plays ten thousand times."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ledger.random_offices import POLICIES, STEPS, play


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.integers(2, 5), STEPS, POLICIES)
def test_nothing_moves_without_its_words_whoever_does_what(
    count: int, steps: list[tuple[str, int, int, int]], policies: list[tuple[int, int]]
) -> None:
    assert play(count, steps, policies)["agreement"] >= 2  # the rules themselves at least


def test_a_whole_office_day_moves_money_by_words() -> None:
    """A sequence worked out by hand, so that what random ones rarely reach is played each time."""
    steps = [
        ("propose", 0, 0, 3), ("approve", 1, 0, 0), ("run", 0, 0, 0),
        ("return", 0, 0, 0), ("reverse", 1, 1, 0),
        ("reissue", 0, 0, 0), ("approve", 1, 0, 0), ("run", 1, 1, 0),
        ("policy", 0, 0, 0), ("approve", 1, 0, 0),
        ("grants", 0, 1, 2), ("approve", 1, 0, 0), ("run", 0, 1, 0),
        ("stock", 0, 3, 0), ("ship", 0, 1, 1), ("approve", 1, 0, 0), ("next day", 0, 0, 0),
        ("enroll", 0, 1, 1), ("approve", 3, 0, 0), ("role", 0, 4, 2), ("approve", 1, 0, 0),
        ("propose", 0, 5, 1), ("approve", 1, 0, 0), ("cancel", 0, 1, 0), ("approve", 1, 0, 0),
    ]  # fmt: skip
    recorded = play(5, steps, figures=len(steps))
    assert {"payment", "group", "proposal", "shipment", "officer", "batch", "policy"} <= recorded.keys()
