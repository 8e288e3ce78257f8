"""Programs whose terms change, on the word of another officer."""

from typing import Any

import pytest

from ledger.application import (
    agreements,
    programs,
)
from ledger.domain.agreement import ActAgreed, ActProposed
from ledger.domain.batch import (
    BatchStateError,
)
from ledger.domain.event import Event
from ledger.domain.program import (
    ProgramAmended,
    ProgramBusyError,
    ProgramOpened,
    TranchePaidError,
)
from projections.reports.engine import Reports
from projections.reports.explain import explain
from tests.acts import NOW, approve, propose, run
from tests.ledger.bound import broken, since
from tests.ledger.signing import Office

R1, R2 = "R000000001", "R000000002"
BSU = "program/bsu-2020"


@pytest.fixture
def office(bound_office: Office) -> Office:
    return bound_office


def amend(office: Office, **changed: Any) -> agreements.Entries:
    return programs.amend(office.ledger, office.siti, program="bsu-2020", reason="decree 16", changed=changed)


def terms(office: Office) -> ProgramOpened:
    return office.ledger.view().program("bsu-2020").terms


def test_terms_change_with_the_word_of_another_officer(office: Office) -> None:
    before = terms(office)
    assert amend(office, schedule=(1_200_000, 600_000), ceiling=2_400_000).waiting == BSU
    assert terms(office) == before
    agreements.approve(office.ledger, office.budi, subject=BSU)
    assert terms(office) == before.model_copy(update={"schedule": (1_200_000, 600_000), "ceiling": 2_400_000})
    assert not amend(office, ceiling=2_400_000)  # as it is
    agreements_before = office.ledger.store.size()
    amend(office, ceiling=None)
    agreements.approve(office.ledger, office.budi, subject=BSU)
    assert since(office, agreements_before) == [ActProposed, ActAgreed, ProgramAmended]
    assert terms(office).ceiling is None
    assert broken(office) == {}


def test_a_tranche_that_was_paid_keeps_its_amount(office: Office) -> None:
    amend(office, schedule=(1_200_000, 600_000))
    agreements.approve(office.ledger, office.budi, subject=BSU)
    propose(office.ledger, [R1], command=office.siti, batch_id="october")
    approve(office.ledger, "october", command=office.budi)
    with pytest.raises(ProgramBusyError):
        amend(office, schedule=(1_200_000,))
    run(office.ledger, "october", command=office.siti)
    with pytest.raises(TranchePaidError):
        amend(office, schedule=(1_100_000, 700_000))
    amend(office, schedule=(1_200_000, 700_000))
    agreements.approve(office.ledger, office.budi, subject=BSU)
    propose(office.ledger, [(R1, "700000")], command=office.siti, tranche=2, batch_id="december")
    approve(office.ledger, "december", command=office.budi)
    run(office.ledger, "december", command=office.siti)
    with Reports(office.ledger.store) as reports:
        [balance] = reports.run("balances", as_of=NOW.date()).rows
        assert explain(reports, f"balances/{R1}/bsu-2020/entitled", as_of=NOW.date()).count == 3
    assert (balance["entitled"], balance["disbursed"], balance["outstanding"]) == (1_900_000, 1_900_000, 0)
    assert broken(office) == {}


def test_a_list_that_was_made_under_other_terms_is_not_approved(office: Office) -> None:
    propose(office.ledger, [R1], command=office.siti, batch_id="october")
    amend(office, categories=("nobody",))
    agreements.approve(office.ledger, office.budi, subject=BSU)
    with pytest.raises(BatchStateError) as refused:
        approve(office.ledger, "october", command=office.budi)
    assert "have changed since" in str(refused.value)


def test_a_change_that_does_not_fit_any_more_is_superseded(office: Office) -> None:
    amend(office, name="BSU 2020")
    propose(office.ledger, [R1], command=office.siti, batch_id="october")
    approve(office.ledger, "october", command=office.budi)
    with pytest.raises(ProgramBusyError):
        agreements.approve(office.ledger, office.budi, subject=BSU)
    run(office.ledger, "october", command=office.siti)
    agreements.approve(office.ledger, office.budi, subject=BSU)
    assert terms(office).name == "BSU 2020"
    assert broken(office) == {}


def test_terms_changed_by_one_officer_alone_are_found(office: Office) -> None:
    def decide(attempt: Any) -> list[Event]:
        attempt.officer()
        attempt.program("bsu-2020")
        return [ProgramAmended(program="bsu-2020", name="BSU", schedule=(9_000_000,), reason="mine")]

    office.ledger.carry_out(office.siti, decide)
    assert broken(office) == {"acts-agreed": ["ProgramAmended without an agreement"]}
