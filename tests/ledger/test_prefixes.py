"""What the reports say of any earlier point of the log is what was true then, whatever has happened since."""

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from projections.reports.engine import Reports
from tests.acts import PROGRAM, TRANCHE
from tests.ledger.test_model import GRANT, TKM, Model, Officers

ALWAYS = date(9999, 12, 31)
Figures = dict[str, Any]


def programs_of(model: Model) -> dict[str, Figures]:
    """Program → what the report of programs must say of it."""
    statuses = Counter(paid.status for paid in model.payments.values())
    cash = {
        "disbursed": TRANCHE * (len(model.payments) - statuses["reversed"]),
        "returned": TRANCHE * statuses["returned"],
        "refunded": TRANCHE * statuses["refunded"],
        "recipients": len({number for (_, number), paid in model.payments.items() if paid.status != "reversed"}),
        "groups": 0,
    }
    members = {number for roster in model.groups.values() for number in roster}
    grants = {"disbursed": GRANT * len(model.groups), "returned": 0, "refunded": 0, "recipients": 0}
    told = {
        PROGRAM: cash | {"people": cash["recipients"]},
        TKM: grants | {"groups": len(model.groups), "people": len(members)},
    }
    for code, money in model.money.items():
        told[code] |= {"budget": money.budget, "reserved": money.reserved, "is_closed": money.is_closed}
    return told


def tranches_of(model: Model) -> dict[int, Figures]:
    """Tranche → what the report of tranches must say of it."""
    told = {}
    for tranche in (1, 2):
        statuses = Counter(paid.status for (each, _), paid in model.payments.items() if each == tranche)
        payments = statuses.total() - statuses["reversed"]
        told[tranche] = {
            "payments": payments,
            "disbursed": TRANCHE * payments,
            "settled": TRANCHE * statuses["settled"],
            "open_returns": statuses["returned"],
        }
    return told


class Remembering(Officers):
    """Officers of whom it is remembered what was true at each size of the log."""

    def __init__(self) -> None:
        super().__init__()
        self.told_at: dict[int, tuple[dict[str, Figures], dict[int, Figures]]] = {}

    @invariant()
    def remember(self) -> None:
        if self.model.registered:
            self.told_at[self.ledger.store.size()] = (programs_of(self.model), tranches_of(self.model))

    def teardown(self) -> None:
        try:
            with Reports(self.ledger.store) as reports:
                for size, (programs, tranches) in self.told_at.items():
                    found = reports.run("programs", as_of=ALWAYS, known_at=size).rows
                    assert picked(found, "program", programs) == programs, size
                    found = reports.run("tranches", as_of=ALWAYS, known_at=size).rows
                    assert picked(found, "tranche", tranches) == tranches, size
        finally:
            super().teardown()


def picked(rows: list[Figures], key: str, wanted: dict[Any, Figures]) -> dict[Any, Figures]:
    """The wanted columns of the wanted rows."""
    return {row[key]: {column: row[column] for column in wanted[row[key]]} for row in rows if row[key] in wanted}


def test_reports_equal_the_models_state_at_every_prefix_of_random_histories(folder_of_2020: Path) -> None:
    run_state_machine_as_test(
        type("TheOfficers", (Remembering,), {"made": folder_of_2020}),
        settings=settings(
            max_examples=6,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
