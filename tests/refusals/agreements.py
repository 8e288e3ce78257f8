"""Acts that need other officers' words."""

from pathlib import Path
from typing import Any

from ledger.application import agreements, grants, officers, programs
from ledger.application.ledger import Ledger
from ledger.domain.event import Role
from tests.acts import PAPERS, approve, members, propose, register, stop
from tests.ledger.signing import Office
from tests.refusals.case import refusal

BSU = "program/bsu-2020"


def adopted(ledger: Ledger, folder: Path) -> Office:
    """The ledger with officers who have keys, and adopted rules."""
    office = Office.on(ledger, folder)
    agreements.adopt_rules(ledger, office.siti)
    agreements.approve(ledger, office.budi, subject="rules")
    return office


def propose_budget(ledger: Ledger, office: Office, budget: int = 7) -> Any:
    return programs.set_budget(ledger, office.siti, program="bsu-2020", budget=budget)


@refusal
def agreement_unknown(ledger: Ledger, folder: Path) -> Any:
    office = adopted(ledger, folder)
    return {"subject": BSU}, lambda: agreements.approve(ledger, office.budi, subject=BSU)


@refusal
def agreement_waiting(ledger: Ledger, folder: Path) -> Any:
    office = adopted(ledger, folder)
    propose_budget(ledger, office)
    return {"subject": BSU}, lambda: propose_budget(ledger, office, 8)


@refusal
def agreement_decided(ledger: Ledger, folder: Path) -> Any:
    office = adopted(ledger, folder)
    propose_budget(ledger, office)
    agreements.reject(ledger, office.budi, subject=BSU, reason="too little")
    decided = {"subject": BSU, "outcome": "rejected"}
    return decided, lambda: agreements.approve(ledger, office.budi, subject=BSU)


@refusal
def officers_too_few(ledger: Ledger, folder: Path) -> Any:
    office = adopted(ledger, folder)
    act = lambda: officers.revoke(ledger, office.siti, officer_id="budi", reason="left")  # noqa: E731
    return {"needed": 1, "left": 0}, act


@refusal
def proposer_needed(ledger: Ledger, folder: Path) -> Any:
    office = adopted(ledger, folder)
    propose_budget(ledger, office)
    named = {"subject": BSU, "proposer": "siti"}
    return named, lambda: agreements.reject(ledger, office.budi, subject=BSU, reason="x", is_withdrawn=True)


@refusal
def key_needed(ledger: Ledger, folder: Path) -> Any:
    office = adopted(ledger, folder)
    officers.enroll(ledger, office.siti, officer_id="agus", roles=(Role.CHECKER,))
    agreements.approve(ledger, office.budi, subject="officer/agus")
    propose_budget(ledger, office)
    return {"officer_id": "agus"}, lambda: agreements.approve(ledger, office.by("agus"), subject=BSU)


@refusal
def agreement_needed(ledger: Ledger, folder: Path) -> Any:
    office = adopted(ledger, folder)
    roster, terms = members("G1", "R000000001"), PAPERS
    fund = lambda: grants.fund(  # noqa: E731
        ledger, office.siti, roster, program="tkm-2020", terms=terms, on_reject=stop
    )
    return {"command": "salur group propose"}, fund


@refusal
def rules_not_adopted(ledger: Ledger, folder: Path) -> Any:
    batch_id = propose(ledger, register(ledger, 1))
    # As it is in a ledger that was opened since there are rules.
    ledger.opened = ledger.opened.model_copy(update={"rules_edition": 1})
    return {}, lambda: approve(ledger, batch_id)


@refusal
def roles_unfit(ledger: Ledger, folder: Path) -> Any:
    office = adopted(ledger, folder)
    roles = (Role.MAKER, Role.RECOVERY)
    fields = {"officer_id": "agus", "roles": "maker and recovery"}
    return fields, lambda: officers.enroll(ledger, office.siti, officer_id="agus", roles=roles)
