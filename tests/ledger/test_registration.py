import pytest

from ledger.application import registration
from ledger.application.chunks import Tally, finish_file
from ledger.application.ledger import Ledger
from ledger.application.placing import PlacingAhead
from ledger.application.registration import check_nik
from ledger.domain.errors import ValueInvalidError
from ledger.domain.event import RefusedRows
from ledger.domain.officer import RoleMissingError
from ledger.domain.recipient import RecipientRegistered, SharedAccount
from ledger.domain.request import FileProcessed
from ledger.files.tables import Row
from ledger.vault.person import Person
from ledger.vault.vault import AccountShared, Placed, Vault
from tests.acts import FILE_SHA256, SET_UP, SITI, Told, by, kept, log, nik, person, register

START = SET_UP
"""Events of the fixture's ledger."""
SOURCE = FILE_SHA256[:16]


def register_file(ledger: Ledger, *people: Row, told: Told, sha256: str = FILE_SHA256, **more: object) -> Tally:
    given = {"command": SITI, "category": "worker"} | more
    return registration.register(ledger, rows=people, file_sha256=sha256, on_reject=told, **given)  # type: ignore[arg-type]


def registered(number: int, commitment: str, **fields: object) -> RecipientRegistered:
    return RecipientRegistered(
        recipient_id=f"R{number:09}",
        commitment=commitment,
        **{"category": "worker"} | fields,  # type: ignore[arg-type]
    )


def test_a_file_registers_each_person_at_the_line_they_stand_in(ledger: Ledger) -> None:
    told = Told()
    tally = register_file(ledger, person(1, 2), person(2, 3, category="employer", region="32.73"), told=told)
    first, second = log(ledger, START)
    assert isinstance(first, RecipientRegistered)
    assert isinstance(second, RecipientRegistered)
    assert first == registered(1, first.commitment, source=f"{SOURCE}:2")
    assert second == registered(2, second.commitment, source=f"{SOURCE}:3", category="employer", region="32.73")
    assert first.commitment != second.commitment
    assert (tally.taken, tally.repeated, told.codes) == (2, 0, [])


def test_the_same_file_again_adds_nothing(ledger: Ledger) -> None:
    people = [person(1, 2), person(2, 3), person(1, 4), person(9, 5, nik="123")]
    for tally in (register_file(ledger, *people, told=Told()), register_file(ledger, *people, told=(told := Told()))):
        finish_file(ledger, SITI, tally, name="recipient-add", file_sha256=FILE_SHA256)
    assert (tally.taken, tally.repeated) == (0, 2)
    assert told.codes == [(4, "nik", "duplicate_in_file"), (5, "nik", "value_invalid")]
    assert told.rejects[0].reason == "the same recipient stands in line 2; only the first is taken"
    assert log(ledger, START)[2:] == [
        FileProcessed(
            command="recipient-add",
            file_sha256=FILE_SHA256,
            count=2,
            refused=(RefusedRows(code="duplicate_in_file", rows=1), RefusedRows(code="value_invalid", rows=1)),
        )
    ]


def test_a_person_known_from_another_file_is_refused(ledger: Ledger) -> None:
    register_file(ledger, person(1, 2), told=Told())
    told = Told()
    register_file(ledger, person(1, 2), person(2, 3), told=told, sha256="e" * 64)
    assert told.codes == [(2, "nik", "recipient_registered")]
    assert len(log(ledger, START)) == 2


def test_an_account_serves_a_second_recipient_only_for_a_reason(ledger: Ledger) -> None:
    told = Told()
    shared = {"account": "900777"}
    register_file(
        ledger, person(1, 2, **shared), person(2, 3, **shared), person(3, 4, **shared, shared_account="household"), told=told
    )  # fmt: skip
    assert told.codes == [(3, "account", "account_shared")]
    events = log(ledger, START)
    assert [event.shared_account for event in events if isinstance(event, RecipientRegistered)] == [
        None,
        SharedAccount.HOUSEHOLD,
    ]
    assert nik(2) not in ledger.vault.find([nik(2)])


def test_people_without_an_account_share_none(ledger: Ledger) -> None:
    told = Told()
    assert register_file(ledger, person(1, 2, account=""), person(2, 3, account=""), told=told).taken == 2


def test_an_interruption_between_vault_and_store_is_completed_by_the_next_run(ledger: Ledger) -> None:
    row = person(1, 2)
    [placed] = ledger.vault.place([(Person(*row.values[:5]), None)])
    assert isinstance(placed, Placed)
    assert log(ledger, START) == []
    assert register_file(ledger, row, told=Told()).taken == 1
    assert log(ledger, START) == [registered(1, placed.commitment, source=f"{SOURCE}:2")]
    assert ledger.vault.count() == 1


def test_a_category_comes_from_the_row_or_the_command_or_not_at_all(ledger: Ledger) -> None:
    told = Told()
    register_file(ledger, person(1, 2), person(2, 3, category="employer"), told=told, category="")
    assert told.codes == [(2, "category", "value_invalid")]
    assert ledger.vault.count() == 1


def test_a_rehearsal_tells_the_same_as_the_run_and_keeps_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "CHUNK_ROWS", 2)
    register(ledger, 1)
    people = [
        person(1, 2),
        person(2, 3, account="900777"),
        person(3, 4, account="900777"),
        person(2, 5),
        person(4, 6),
        person(4, 7),
        person(5, 8, nik="12"),
    ]
    before = kept(ledger)
    rehearsed = Told()
    tally = register_file(ledger, *people, told=rehearsed, command=by("siti", dry_run=True))
    assert kept(ledger) == before
    told = Told()
    assert register_file(ledger, *people, told=told) == tally
    assert rehearsed.codes == told.codes == [
        (2, "nik", "recipient_registered"),
        (4, "account", "account_shared"),
        (5, "nik", "duplicate_in_file"),
        (7, "nik", "duplicate_in_file"),
        (8, "nik", "value_invalid"),
    ]  # fmt: skip
    assert tally.taken == 2


def test_of_several_broken_rules_the_first_in_order_is_told(ledger: Ledger) -> None:
    """NIK, category, reason of a shared account, region; then account, then person, then file."""
    register(ledger, 2)
    account = person(1).values[2]
    people = [
        person(1, 2, nik="12", category="", shared_account="x", region="y"),
        person(1, 3, category="", shared_account="x", region="y"),
        person(1, 4, category="worker", shared_account="x", region="y"),
        person(1, 5, category="worker", region="y"),
        person(3, 6, category="worker", account=account),
        person(1, 7, category="worker"),
        person(4, 8, category="worker"),
        person(4, 9, category="worker", account=account),
    ]
    told = Told()
    register_file(ledger, *people, told=told, category="")
    assert told.codes == [
        (2, "nik", "value_invalid"),
        (3, "category", "value_invalid"),
        (4, "shared_account", "value_invalid"),
        (5, "region", "value_invalid"),
        (6, "account", "account_shared"),
        (7, "nik", "recipient_registered"),
        (9, "nik", "duplicate_in_file"),
    ]


def test_only_a_maker_registers_and_the_vault_hears_of_nobody_before(ledger: Ledger) -> None:
    with pytest.raises(RoleMissingError):
        register_file(ledger, person(1), told=Told(), command=by("budi"))
    assert ledger.vault.count() == 0


@pytest.mark.parametrize("text", [nik(1), "0000004101900001", "0000002902000001"])
def test_a_national_id_has_sixteen_digits_and_a_date_of_birth(text: str) -> None:
    check_nik(text)  # 41 is the first of the month of a woman's birth, and 2000 was a leap year


@pytest.mark.parametrize("text", ["", "123", nik(1) + "0", "000000010190000A", "0000003202900001", "0000000113900001"])
def test_anything_else_is_no_national_id(text: str) -> None:
    with pytest.raises(ValueInvalidError) as refused:
        check_nik(text)
    assert refused.value.field == "nik"
    assert text not in str(refused.value) or not text


def mixed() -> list[Row]:
    """People of three chunks of three rows: new ones, one known, one twice, two of one account, one unreadable."""
    return [
        person(2, 2),
        person(1, 3),
        person(3, 4, account="900777"),
        person(4, 5, account="900777"),
        person(2, 6),
        person(5, 7, nik="12"),
        person(6, 8),
    ]


@pytest.fixture
def second_process(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of three rows, placed by a second process; this one places nobody."""
    register(ledger, 1)
    monkeypatch.setattr(registration, "CHUNK_ROWS", 3)
    monkeypatch.setattr(registration, "AHEAD_ROWS", 1)
    monkeypatch.setattr(Vault, "place", lambda *_: pytest.fail("placed in this process"))


@pytest.mark.usefixtures("second_process")
def test_a_second_process_places_people_as_this_one_would(ledger: Ledger) -> None:
    told = Told()
    assert register_file(ledger, *mixed(), told=told).taken == 3
    assert [(reject.line, reject.code) for reject in told.rejects] == [
        (3, "recipient_registered"),
        (5, "account_shared"),
        (6, "duplicate_in_file"),
        (7, "value_invalid"),
    ]
    assert [event.recipient_id for event in log(ledger)[-3:] if isinstance(event, RecipientRegistered)] == [
        "R000000002",
        "R000000003",
        "R000000004",
    ]
    assert register_file(ledger, *mixed(), told=Told()).repeated == 3


def test_a_second_process_that_is_killed_leaves_its_work_to_this_one(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(PlacingAhead):
        def take(self) -> list[Placed | AccountShared] | None:
            self._process.kill()
            self._process.wait()
            return super().take()

    register(ledger, 1)
    monkeypatch.setattr(registration, "CHUNK_ROWS", 3)
    monkeypatch.setattr(registration, "AHEAD_ROWS", 1)
    monkeypatch.setattr(registration, "PlacingAhead", Killed)
    told = Told()
    assert register_file(ledger, *mixed(), told=told).taken == 3
    assert [reject.line for reject in told.rejects] == [3, 5, 6, 7]
