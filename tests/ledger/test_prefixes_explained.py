"""Every figure of random histories is the sum of what their events contribute to it."""

from datetime import date
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from projections.reports.engine import Reports
from tests.explained import assert_explained
from tests.ledger.test_model import Officers

ALWAYS = date(9999, 12, 31)


class Explained(Officers):
    """Officers whose figures are explained at several sizes of the log."""

    def teardown(self) -> None:
        try:
            with Reports(self.ledger.store) as reports:
                size = self.ledger.store.size()
                for known_at in {size, size * 2 // 3, size // 3}:
                    reports.ask(assert_explained, as_of=ALWAYS, known_at=known_at)
        finally:
            super().teardown()


def test_every_figure_of_random_histories_is_the_sum_of_its_events(folder_of_2020: Path) -> None:
    run_state_machine_as_test(
        type("TheOfficers", (Explained,), {"made": folder_of_2020}),
        settings=settings(
            max_examples=4,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
