"""No name, national id, account, phone or address leaves the vault, whatever becomes of its row."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.application import destinations, goods, grants, officers, programs, registration, services
from ledger.application.aftercare import Step
from ledger.application.ledger import Ledger
from ledger.domain.errors import IntegrityBrokenError, LedgerError
from ledger.domain.recipient import RecipientRegistered
from ledger.files.rejects import Reject, RejectsFile
from ledger.files.tables import Row, open_table
from tests.acts import (  # fmt: skip
    BUDI,
    FILE_SHA256,
    PAPERS,
    PROGRAM,
    SITI,
    Told,
    approve,
    by,
    fund,
    held,
    log,
    members,
    pay,
    person,
    propose,
    register,
    run,
    step,
)

NIK, OTHER_NIK = "0000000101909876", "0000004101909877"
CANARY: dict[str, Any] = {
    "nik": NIK,
    "name": "Kenari Kuningsari",
    "account": "8877665544332211",
    "phone": "081298765432",
    "address": "Jalan Melati Tak Ada 77",
}
CANARIES = [*CANARY.values(), OTHER_NIK, CANARY["phone"].lstrip("0")]


def leaks(text: str | bytes) -> list[str]:
    content = text.encode() if isinstance(text, str) else text
    return [canary for canary in CANARIES if canary.encode() in content]


def files_that_tell(folder: Path) -> dict[str, list[str]]:
    found = {path.name: leaks(path.read_bytes()) for path in folder.rglob("*") if path.is_file()}
    assert {"events.db", "vault.db", "vault.key", "ledger.json"} <= set(found)
    return {name: canaries for name, canaries in found.items() if canaries}


def people_file(path: Path) -> Path:
    """Rows that are good, and rows refused for each reason, in each of which a person's data stands."""
    good = list(CANARY.values())
    rows = [
        ["nik", "name", "account", "phone", "address", "category", "region", "shared_account"],
        [*good, "worker", "32.73", ""],
        [*good, "worker", "32.73", ""],
        [OTHER_NIK, *good[1:], "worker", "", ""],
        [NIK + "0", *good[1:], "worker", "", ""],
        [OTHER_NIK, *good[1:], CANARY["name"], "", ""],
        [OTHER_NIK, *good[1:], CANARY["phone"], "", ""],
        [OTHER_NIK, *good[1:], f"x{NIK}", "", ""],
        [OTHER_NIK, *good[1:], "worker", NIK, ""],
        [OTHER_NIK, *good[1:], "worker", "", CANARY["address"]],
        [CANARY["name"], *good[1:], "worker", "", ""],
        ["", *good[1:], "worker", "", ""],
        good,
    ]
    path.write_text("".join(";".join(row) + "\n" for row in rows))
    return path


def test_nothing_of_a_person_leaves_the_vault_when_a_file_is_registered(ledger: Ledger, tmp_path: Path) -> None:
    errors: list[LedgerError] = []
    path = people_file(tmp_path / "people.csv")
    with (
        open_table(path, registration.FIELDS, {}) as table,
        RejectsFile(ledger.folder / "people.rejects.csv") as rejects,
    ):

        def on_reject(reject: Reject, error: LedgerError | None) -> None:
            rejects.add(reject)
            errors.extend([error] if error else [])

        tally = registration.register(ledger, SITI, table.rows(), file_sha256=table.sha256, on_reject=on_reject)
    assert tally.taken == 1
    assert tally.refused == {
        "account_shared": 1,
        "duplicate_in_file": 1,
        "row_incomplete": 1,
        "value_invalid": 7,
        "value_missing": 1,
    }
    assert leaks(str([(str(error), vars(error)) for error in errors])) == []
    assert (ledger.folder / "vault.db-wal").stat().st_size > 0
    assert files_that_tell(ledger.folder) == {}
    ledger.close()
    assert files_that_tell(ledger.folder) == {}


def place_canary(ledger: Ledger) -> str:
    row = person(1, **CANARY)
    registration.register(ledger, SITI, [row], file_sha256=FILE_SHA256, category="worker", on_reject=Told())
    event = log(ledger)[-1]
    assert isinstance(event, RecipientRegistered)
    return event.recipient_id


def test_a_person_named_by_their_national_id_is_paid_under_the_ledgers_id(ledger: Ledger) -> None:
    recipient_id = place_canary(ledger)
    told = Told()
    batch_id = propose(ledger, [NIK, OTHER_NIK, (NIK, CANARY["phone"]), (NIK, CANARY["account"])], on_reject=told)
    approve(ledger, batch_id)
    run(ledger, batch_id)
    fund(ledger, *members("g1", NIK))
    fund(ledger, *members("g1", NIK, OTHER_NIK), on_reject=told)
    services.train(ledger, SITI, [Row(2, (NIK, "s1")), Row(3, (OTHER_NIK, "s1"))], program="tkm-2020", on_reject=told)
    assert [reject.code for reject in told.rejects] == [
        "recipient_unknown",
        "ceiling_exceeded",
        "ceiling_exceeded",
        "roster_invalid",
        "recipient_unknown",
        "recipient_unknown",
    ]
    assert leaks(str(told.rejects)) == []
    assert files_that_tell(ledger.folder) == {}
    assert recipient_id in str(log(ledger)[-1])


REFUSED: dict[str, Callable[[Ledger], object]] = {
    "a payment": lambda ledger: step(ledger, Step.SETTLE, f"{NIK}/1"),
    "a batch": lambda ledger: approve(ledger, NIK),
    "a new batch": lambda ledger: propose(ledger, register(ledger, 1), batch_id=NIK),
    "a group": lambda ledger: grants.account(ledger, SITI, program="tkm-2020", group_id=NIK, report_ref="LPJ 1"),
    "a new group": lambda ledger: fund(ledger, *members(NIK, *register(ledger, 1))),
    "a program": lambda ledger: programs.set_budget(ledger, BUDI, program=NIK, budget=1),
    "an officer": lambda ledger: officers.revoke(ledger, by(NIK), officer_id="siti", reason="moved"),
    "a thing": lambda ledger: ledger.history(NIK),
    "a shipment": lambda ledger: goods.deliver(ledger, SITI, shipment_id=NIK, quantity=1, proof_ref="POD 1"),
    "a country": lambda ledger: destinations.reopen(ledger, SITI, country=NIK, decree_ref="294/2020"),
    "a decree": lambda ledger: destinations.reopen(ledger, SITI, country="HK", decree_ref=f"SK {NIK}"),
    "a reason": lambda ledger: programs.close_program(ledger, BUDI, program=PROGRAM, reason=f"see {NIK}"),
    "a note": lambda ledger: programs.close_program(
        ledger, by("budi", note=CANARY["phone"]), program=PROGRAM, reason="year-end"
    ),
    "a reference": lambda ledger: programs.close_program(
        ledger, by("budi", reference=CANARY["account"]), program=PROGRAM, reason="year-end"
    ),
    "an item": lambda ledger: goods.stock(
        ledger, SITI, item=f"x{NIK}", quantity=1, unit="piece", origin="BLK Serang"
    ),
    "a proof": lambda ledger: step(ledger, Step.REVERSE, paid(ledger), reason=f"account {CANARY['account']}"),
    "an amount": lambda ledger: fund(ledger, Row(2, ("g1", *register(ledger, 1), "Rp" + NIK, "P", "S", "", "")), terms=PAPERS),
}  # fmt: skip


def paid(ledger: Ledger) -> str:
    [recipient_id] = register(ledger, 1)
    pay(ledger, [recipient_id])
    return f"{PROGRAM}/1/{recipient_id}"


@pytest.mark.parametrize("place", REFUSED)
def test_a_persons_number_typed_in_any_place_is_refused_and_not_repeated(ledger: Ledger, place: str) -> None:
    with pytest.raises(LedgerError) as refused:
        REFUSED[place](ledger)
    assert leaks(str(refused.value)) == []
    assert leaks(str(vars(refused.value))) == []
    assert files_that_tell(ledger.folder) == {}


def test_broken_integrity_tells_no_persons_data(ledger: Ledger) -> None:
    place_canary(ledger)
    held(ledger, 1)
    import sqlite3

    database = sqlite3.connect(ledger.folder / "vault.db")
    with database:
        database.execute("UPDATE person SET sealed=zeroblob(200)")
    database.close()
    with pytest.raises(IntegrityBrokenError) as found:
        held(ledger, 1)
    assert leaks(str(found.value)) == []
