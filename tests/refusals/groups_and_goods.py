"""Groups, goods, destinations, and what is asked about the ledger."""

from datetime import date
from pathlib import Path
from typing import Any

from ledger.application import destinations, goods, grants, services
from ledger.application.ledger import Ledger
from ledger.domain.errors import LedgerError
from ledger.files.rejects import Reject
from ledger.files.tables import Row
from ledger.transparency.log import create_log
from projections.reports.engine import Reports
from projections.reports.explain import PROOFS_MAX, explain
from tests.acts import (  # fmt: skip
    PAPERS,
    PROGRAM,
    SET_UP,
    SITI,
    fund,
    members,
    nik,
    register,
    stop,
)
from tests.refusals.case import refusal

# Groups


@refusal
def group_unknown(ledger: Ledger, folder: Path) -> Any:
    fund(ledger, *members("garut-1", *register(ledger, 1)))
    fields = {"program": "tkm-2020", "group_id": "garut-2", "nearest": " (did you mean garut-1?)"}
    return fields, lambda: grants.account(ledger, SITI, program="tkm-2020", group_id="garut-2", report_ref="LPJ 1")


@refusal
def group_already_funded(ledger: Ledger, folder: Path) -> Any:
    rows = members("g1", *register(ledger, 1))
    fund(ledger, *rows)
    other = grants.Terms(amount="1", proposal="P 1", decree="SK 1", decree_on="2020-09-01")
    return {"program": "tkm-2020", "group_id": "g1"}, lambda: fund(ledger, *rows, terms=other)


@refusal
def grants_made(ledger: Ledger, folder: Path) -> Any:
    rows = members("g1", *register(ledger, 1))
    fund(ledger, *rows)
    asked = grants.GrantList("tkm-2020", PAPERS, "a" * 64)
    return {"count": 1}, lambda: grants.propose(ledger, SITI, rows, asked=asked, on_reject=stop)


@refusal
def proposal_taken(ledger: Ledger, folder: Path) -> Any:
    one, other = register(ledger, 2)
    fund(ledger, *members("G1", one))
    again = [row._replace(values=("G2", *row.values[1:])) for row in members("G1", other)]
    return {"proposal_ref": "P G1", "group_id": "G1", "program": "tkm-2020"}, lambda: fund(ledger, *again)


@refusal
def papers_missing(ledger: Ledger, folder: Path) -> Any:
    rows = members("g1", *register(ledger, 1), proposal="")
    return {"group_id": "g1", "paper": "proposal"}, lambda: fund(ledger, *rows, terms=grants.Terms(amount="1"))


@refusal
def decree_outside_fiscal_year(ledger: Ledger, folder: Path) -> Any:
    rows = members("g1", *register(ledger, 1))
    terms = grants.Terms(amount="1", proposal="P 1", decree="SK 1", decree_on="2021-01-04")
    fields = {"group_id": "g1", "decree_on": "2021-01-04", "fiscal_year": 2020}
    return fields, lambda: fund(ledger, *rows, terms=terms)


@refusal
def roster_invalid(ledger: Ledger, folder: Path) -> Any:
    rows = members("g1", *register(ledger, 1), nik(2), nik(3))

    def stop_at_the_group(reject: Reject, error: LedgerError | None) -> None:
        if reject.code == "roster_invalid":
            stop(reject, error)

    return {"group_id": "g1", "bad_members": 2}, lambda: fund(ledger, *rows, on_reject=stop_at_the_group)


@refusal
def member_elsewhere(ledger: Ledger, folder: Path) -> Any:
    recipients = register(ledger, 2)
    fund(ledger, *members("g1", *recipients))
    fields = {"program": "tkm-2020", "group_id": "g1"}

    def stop_at_the_member(reject: Reject, error: LedgerError | None) -> None:
        if reject.field == "recipient":
            stop(reject, error)

    return fields, lambda: fund(ledger, *members("g2", recipients[0]), on_reject=stop_at_the_member)


@refusal
def report_given(ledger: Ledger, folder: Path) -> Any:
    fund(ledger, *members("g1", *register(ledger, 1)))
    report = {"program": "tkm-2020", "group_id": "g1"}
    grants.account(ledger, SITI, **report, report_ref="LPJ 1")
    return {"group_id": "g1", "report_ref": "LPJ 1"}, lambda: grants.account(ledger, SITI, **report, report_ref="LPJ 2")


# Goods and destinations


def stock_masks(ledger: Ledger, unit: str = "piece") -> None:
    goods.stock(ledger, SITI, item="mask", quantity=1000, unit=unit, origin="BLK Serang")


def ship_masks(ledger: Ledger, shipment_id: str = "m1", item: str = "mask", quantity: int = 700) -> None:
    goods.ship(ledger, SITI, shipment_id=shipment_id, item=item, quantity=quantity, country="HK")


@refusal
def item_unknown(ledger: Ledger, folder: Path) -> Any:
    stock_masks(ledger)
    fields = {"item": "masks", "nearest": " (did you mean mask?)"}
    return fields, lambda: ship_masks(ledger, item="masks")


@refusal
def unit_mismatch(ledger: Ledger, folder: Path) -> Any:
    stock_masks(ledger)
    return {"item": "mask", "unit": "piece", "given": "box"}, lambda: stock_masks(ledger, unit="box")


@refusal
def stock_insufficient(ledger: Ledger, folder: Path) -> Any:
    stock_masks(ledger)
    return {"item": "mask", "asked": 1001, "available": 1000}, lambda: ship_masks(ledger, quantity=1001)


@refusal
def shipment_exists(ledger: Ledger, folder: Path) -> Any:
    stock_masks(ledger)
    ship_masks(ledger)
    return {"shipment_id": "m1"}, lambda: ship_masks(ledger, quantity=1)


def deliver(ledger: Ledger, shipment_id: str, quantity: int | None) -> None:
    goods.deliver(ledger, SITI, shipment_id=shipment_id, quantity=quantity, proof_ref="POD 1")


@refusal
def shipment_unknown(ledger: Ledger, folder: Path) -> Any:
    stock_masks(ledger)
    ship_masks(ledger, "hk-1")
    fields = {"shipment_id": "hk-2", "nearest": " (did you mean hk-1?)"}
    return fields, lambda: deliver(ledger, "hk-2", 1)


@refusal
def delivery_exceeds_shipment(ledger: Ledger, folder: Path) -> Any:
    stock_masks(ledger)
    ship_masks(ledger)
    return {"shipment_id": "m1", "asked": 701, "open_quantity": 700}, lambda: deliver(ledger, "m1", 701)


@refusal
def destination_open(ledger: Ledger, folder: Path) -> Any:
    destinations.reopen(ledger, SITI, country="HK", decree_ref="294/2020")
    fields = {"country": "HK", "decree_ref": "294/2020"}
    return fields, lambda: destinations.reopen(ledger, SITI, country="hk", decree_ref="295/2020")


@refusal
def thing_unknown(ledger: Ledger, folder: Path) -> Any:
    return {"thing": "bsu-202", "nearest": " (did you mean bsu-2020?)"}, lambda: ledger.history("bsu-202")


@refusal
def log_size(ledger: Ledger, folder: Path) -> Any:
    import duckdb

    from projections.relation import relations as events

    def act() -> None:
        with duckdb.connect() as connection:
            events.load(connection, ledger.store)
            events.view(connection, date(2020, 12, 31), SET_UP + 1)

    return {"size": SET_UP, "asked": SET_UP + 1}, act


def explained(ledger: Ledger, figure: str) -> Any:
    with Reports(ledger.store) as reports:
        return explain(reports, figure, as_of=date(2020, 12, 31))


@refusal
def figure_unknown(ledger: Ledger, folder: Path) -> Any:
    fields = {
        "figure": "programs/bsu-202/disbursed",
        "problem": "programs has no row 'bsu-202'",
        "nearest": " (did you mean bsu-2020?)",
        "known": "bsu-2020, tkm-2020",
    }
    return fields, lambda: explained(ledger, "programs/bsu-202/disbursed")


@refusal
def proofs_too_many(ledger: Ledger, folder: Path) -> Any:
    rows = [Row(line, (recipient, "s1")) for line, recipient in enumerate(register(ledger, PROOFS_MAX + 1), start=2)]
    services.train(ledger, SITI, rows, program=PROGRAM, on_reject=stop)
    log = create_log(folder / "log", ledger.store)
    log.grow()

    def act() -> None:
        with Reports(ledger.store) as reports:
            found = explain(reports, f"training/{PROGRAM}/attendances", as_of=date(2020, 12, 31))
            found.prove(log, folder / "proofs", page=None)

    return {"asked": PROOFS_MAX + 1, "most": PROOFS_MAX}, act
