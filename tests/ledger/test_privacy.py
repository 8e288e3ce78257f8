"""A person's rights: to be forgotten by the word of two officers, everywhere, and to know what is held of them."""

import hashlib
import json
import random
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ledger.application import officers, privacy, registration, services
from ledger.application.aftercare import Step
from ledger.application.ledger import Ledger
from ledger.application.moving import Move
from ledger.domain.errors import IntegrityBrokenError, LedgerError, SameOfficerError, ValueInvalidError
from ledger.domain.event import Role
from ledger.domain.officer import RoleMissingError
from ledger.domain.recipient import (
    DataDisclosed,
    ErasureRejected,
    ErasureRequested,
    RecipientErased,
    RecipientRegistered,
    RecipientUnknownError,
)
from ledger.files.tables import Row
from ledger.store.errors import StoreFailedError
from ledger.vault.errors import VaultKeyError
from ledger.vault.person import Person
from ledger.vault.rows import NewPerson
from projections.audit.check import check
from projections.relation.archive import Archive
from tests.acts import (  # fmt: skip
    BUDI,
    FILE_SHA256,
    LETTER,
    PROGRAM,
    SITI,
    Told,
    approve,
    by,
    entries,
    erase,
    fund,
    held,
    kept,
    log,
    members,
    nik,
    now,
    numbers_of,
    pay,
    person,
    propose,
    register,
    row_in_vault,
    run,
    step,
)

CANARY: dict[str, Any] = {
    "nik": "0000000101909876",
    "name": "Kenari Kuningsari",
    "account": "8877665544332211",
    "phone": "081298765432",
    "address": "Jalan Melati Tak Ada 77" + 300 * " RT 007" + " Ujung Kenari",
}


def place_canary(ledger: Ledger) -> str:
    """Register somebody unmistakable; their address is longer than a page of the database."""
    address = CANARY["address"] * 3
    row = person(1, **CANARY | {"address": address})
    registration.register(ledger, SITI, [row], file_sha256=FILE_SHA256, category="worker", on_reject=Told())
    event = log(ledger)[-1]
    assert isinstance(event, RecipientRegistered)
    return event.recipient_id


def traces(person: NewPerson) -> set[bytes]:
    """What of a person may lie in a file: the hashes, whole and by halves, and the sealed data, by pieces."""
    sealed = person.row.sealed
    hashes = [person.identity, *([person.account] if person.account else [])]
    return {
        *hashes,
        *(mac[8:] for mac in hashes),
        *(sealed[start : start + 32] for start in range(0, len(sealed) - 32, 500)),
        sealed[-32:],
    }


def files_with(folder: Path, needles: Iterable[bytes]) -> dict[str, int]:
    """File → how many of the byte strings are in it, of every file of a ledger with one."""
    contents = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    wanted = set(needles)
    counts = {name: sum(needle in content for needle in wanted) for name, content in contents.items()}
    return {name: count for name, count in counts.items() if count}


def test_an_erasure_is_asked_for_by_one_officer_and_agreed_to_by_another(ledger: Ledger) -> None:
    recipient_id = place_canary(ledger)
    asked = privacy.request_erasure(ledger, SITI, recipient_id=recipient_id, **LETTER)
    assert [entry.event for entry in asked] == [ErasureRequested(recipient_id=recipient_id, maker="siti", **LETTER)]
    assert held(ledger, 1) is not None
    erased = privacy.approve_erasure(ledger, BUDI, recipient_id=recipient_id)
    assert [entry.event for entry in erased] == [RecipientErased(recipient_id=recipient_id, checker="budi", **LETTER)]
    assert erased.left == []
    assert held(ledger, 1) is None
    assert ledger.vault.find([CANARY["nik"]]) == {}


def test_asking_and_agreeing_again_records_nothing(ledger: Ledger) -> None:
    [recipient_id] = register(ledger, 1)
    privacy.request_erasure(ledger, SITI, recipient_id=recipient_id, **LETTER)
    assert privacy.request_erasure(ledger, SITI, recipient_id=recipient_id, **LETTER) == []
    privacy.approve_erasure(ledger, BUDI, recipient_id=recipient_id)
    before = kept(ledger)
    assert privacy.approve_erasure(ledger, BUDI, recipient_id=recipient_id) == []
    assert privacy.request_erasure(ledger, SITI, recipient_id=recipient_id, **LETTER) == []
    assert kept(ledger) == before


def test_who_asked_for_an_erasure_cannot_agree_to_it(ledger: Ledger) -> None:
    officers.enroll(ledger, SITI, officer_id="agus", roles=(Role.MAKER, Role.CHECKER))
    [recipient_id] = register(ledger, 1)
    privacy.request_erasure(ledger, by("agus"), recipient_id=recipient_id, **LETTER)
    before = kept(ledger)
    with pytest.raises(SameOfficerError, match=f"the erasure of {recipient_id}"):
        privacy.approve_erasure(ledger, by("agus"), recipient_id=recipient_id)
    with pytest.raises(RoleMissingError):
        privacy.approve_erasure(ledger, SITI, recipient_id=recipient_id)
    assert kept(ledger) == before
    assert held(ledger, 1) is not None


def test_a_request_is_rejected_by_a_checker_or_withdrawn_by_its_maker_and_may_be_made_again(ledger: Ledger) -> None:
    [recipient_id] = register(ledger, 1)
    for officer in (BUDI, SITI):
        assert len(privacy.request_erasure(ledger, SITI, recipient_id=recipient_id, **LETTER)) == 1
        [entry] = privacy.reject_erasure(ledger, officer, recipient_id=recipient_id, reason="who is it?")
        assert entry.event == ErasureRejected(recipient_id=recipient_id, checker=officer.by or "", reason="who is it?")
    assert privacy.reject_erasure(ledger, BUDI, recipient_id=recipient_id, reason="again") == []
    assert held(ledger, 1) is not None


def test_a_rehearsed_erasure_erases_nobody(ledger: Ledger) -> None:
    [recipient_id] = register(ledger, 1)
    privacy.request_erasure(ledger, SITI, recipient_id=recipient_id, **LETTER)
    before = kept(ledger)
    assert len(privacy.approve_erasure(ledger, by("budi", dry_run=True), recipient_id=recipient_id)) == 1
    assert kept(ledger) == before


@pytest.mark.parametrize("field", LETTER)
def test_no_personal_number_stands_in_the_reason_or_the_legal_basis(ledger: Ledger, field: str) -> None:
    [recipient_id] = register(ledger, 1)
    with pytest.raises(ValueInvalidError) as refused:
        privacy.request_erasure(ledger, SITI, recipient_id=recipient_id, **LETTER | {field: f"of {nik(1)}"})
    assert refused.value.field == field
    assert nik(1) not in str(refused.value)


def test_nothing_of_an_erased_person_is_left_in_any_file(ledger: Ledger) -> None:
    recipient_id = place_canary(ledger)
    others = register(ledger, 30, first=2)
    pay(ledger, [recipient_id, *others[:5]])
    step(ledger, Step.RETURN, f"{PROGRAM}/1/{recipient_id}")
    fund(ledger, *members("g1", recipient_id, *others[:2]))
    services.train(ledger, SITI, [Row(2, (CANARY["nik"], "s1"))], program="tkm-2020", on_reject=Told())
    Archive(ledger.folder / "archive", ledger.store, segment_events=5).seal()
    needles = traces(row_in_vault(ledger, int(recipient_id[1:])))
    assert {"vault.db", "vault.db-wal"} & set(files_with(ledger.folder, needles)), "they are found where they are"

    erase(ledger, recipient_id)

    readable = [text.encode() for text in CANARY.values()]
    assert files_with(ledger.folder, [*needles, *readable]) == {}
    ledger.close()
    assert files_with(ledger.folder, [*needles, *readable]) == {}


def test_nothing_of_the_erased_is_left_in_a_vault_whose_pages_were_split_by_many(ledger: Ledger) -> None:
    register(ledger, 4_000)
    chosen = random.Random(7).sample(range(1, 4_001), 25)
    needles = set[bytes]()
    for number in chosen:
        needles |= traces(row_in_vault(ledger, number))
        erase(ledger, f"R{number:09}")
    assert files_with(ledger.folder, needles) == {}


def test_a_reader_who_may_still_see_the_erased_is_waited_for_and_told(ledger: Ledger) -> None:
    [recipient_id, _] = register(ledger, 2)
    privacy.request_erasure(ledger, SITI, recipient_id=recipient_id, **LETTER)
    ledger.vault.rows.database.execute("PRAGMA busy_timeout=1")  # type: ignore[attr-defined]
    with closing(sqlite3.connect(ledger.folder / "vault.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM person").fetchone()
        erased = privacy.approve_erasure(ledger, BUDI, recipient_id=recipient_id)
        assert [type(entry.event).__name__ for entry in erased] == ["RecipientErased"]
        [left] = erased.left
        assert left.startswith(f"still to be overwritten: the row of {recipient_id} is deleted")
        assert "somebody reads the vault" in left
        assert broken(ledger) == [], "the row is gone for everybody who asks from now on"
    assert privacy.approve_erasure(ledger, BUDI, recipient_id=recipient_id).left == []


def test_an_erasure_that_the_vault_cannot_complete_is_told_as_recorded(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    [recipient_id] = register(ledger, 1)
    privacy.request_erasure(ledger, SITI, recipient_id=recipient_id, **LETTER)

    def undone(work: Any) -> None:
        with ledger.vault.rows.rehearsal():
            work()
        raise StoreFailedError(reason="disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(ledger.vault.rows, "alone", undone)
        with pytest.raises(IntegrityBrokenError, match="is recorded as erased, and is still in the vault"):
            privacy.approve_erasure(ledger, BUDI, recipient_id=recipient_id)

    assert broken(ledger) == [f"{recipient_id} is erased, and still in the vault"]
    assert privacy.approve_erasure(ledger, BUDI, recipient_id=recipient_id).left == []
    assert broken(ledger) == []


def test_without_the_vaults_key_nothing_is_recorded_nor_erased(ledger: Ledger) -> None:
    [recipient_id] = register(ledger, 1)
    privacy.request_erasure(ledger, SITI, recipient_id=recipient_id, **LETTER)
    key = (ledger.folder / "vault.key").rename(ledger.folder / "elsewhere.key")
    before = b"".join(ledger.store.lines())
    with closing(Ledger(ledger.folder, now=now)) as other:
        with pytest.raises(VaultKeyError):
            privacy.approve_erasure(other, BUDI, recipient_id=recipient_id)
        with pytest.raises(VaultKeyError):
            privacy.disclose(other, SITI, recipient_id=recipient_id, reason="asked")
    assert b"".join(ledger.store.lines()) == before
    key.rename(ledger.folder / "vault.key")
    assert held(ledger, 1) is not None


def broken(ledger: Ledger) -> list[str]:
    laws = check(ledger.store, absent=ledger.place.absent_people)
    return [breach.detail.partition(";")[0] for law in laws for breach in law.broken]


def test_an_erasure_that_stopped_before_the_vault_is_named_and_completed_by_the_same_command(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    [recipient_id, other_id] = register(ledger, 2)
    privacy.request_erasure(ledger, SITI, recipient_id=recipient_id, **LETTER)
    assert broken(ledger) == []

    append = ledger.store.append

    def append_and_end(*given: Any) -> None:
        append(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ledger.store, "append", append_and_end)
        with pytest.raises(KeyboardInterrupt):
            privacy.approve_erasure(ledger, BUDI, recipient_id=recipient_id)
    assert broken(ledger) == [f"{recipient_id} is erased, and still in the vault"]
    assert privacy.approve_erasure(ledger, BUDI, recipient_id=recipient_id) == []
    assert broken(ledger) == []
    assert held(ledger, 1) is None
    ledger.vault.rows.alone(lambda: ledger.vault.rows.remove(2))
    assert broken(ledger) == [f"{other_id} is not erased, and not in the vault"]


def test_an_auditor_without_the_vault_examines_the_other_laws(ledger: Ledger, tmp_path: Path) -> None:
    erase(ledger, *register(ledger, 1))
    ledger.close()
    copy = tmp_path / "copy"
    shutil.copytree(ledger.folder, copy, ignore=shutil.ignore_patterns("vault.*"))
    with closing(Ledger(copy, now=now)) as audited:
        assert audited.place.absent_people() == []
        assert broken(audited) == []


def test_an_erased_person_registers_again_as_somebody_new_and_their_account_is_free(ledger: Ledger) -> None:
    first = place_canary(ledger)
    erase(ledger, first)
    second = place_canary(ledger)
    assert (first, second) == ("R000000001", "R000000002")
    assert numbers_of(ledger, [CANARY["nik"]]) == {CANARY["nik"]: 2}
    assert broken(ledger) == []


def test_the_commitment_of_an_erased_person_cannot_be_opened_by_who_knows_their_data(ledger: Ledger) -> None:
    erase(ledger, place_canary(ledger))
    place_canary(ledger)
    first, second = (event.commitment for event in log(ledger) if isinstance(event, RecipientRegistered))
    data = json.dumps(CANARY | {"address": CANARY["address"] * 3}, ensure_ascii=False, separators=(",", ":"))
    assert first != second, "the same data under another salt"
    assert hashlib.sha256(data.encode()).hexdigest() not in (first, second)


def test_an_erasure_blocks_no_payment_that_was_agreed_on(ledger: Ledger) -> None:
    recipient_id = place_canary(ledger)
    [other] = register(ledger, 1, first=2)
    pay(ledger, [recipient_id])
    step(ledger, Step.RETURN, f"{PROGRAM}/1/{recipient_id}")
    batch_id = propose(ledger, [recipient_id, other], tranche=2)
    approve(ledger, batch_id)
    assert privacy.open_matters(ledger, recipient_id) == [
        f"payment {PROGRAM}/1/{recipient_id} is returned",
        f"batch {batch_id} is not run to its end",
    ]
    erase(ledger, recipient_id)
    assert run(ledger, batch_id).taken == 2
    step(ledger, Step.REFUND, f"{PROGRAM}/1/{recipient_id}")
    assert privacy.open_matters(ledger, recipient_id) == [f"payment {PROGRAM}/2/{recipient_id} is disbursed"]
    assert broken(ledger) == []


# Copies


def test_a_copy_never_brings_the_erased_back(ledger: Ledger, tmp_path: Path) -> None:
    first = place_canary(ledger)
    register(ledger, 3, first=2)
    copy = tmp_path / "copy"
    Move(ledger.folder, copy).carry_out()
    needles = traces(row_in_vault(ledger, int(first[1:]))) | traces(row_in_vault(ledger, 4))
    assert files_with(copy, needles)
    erase(ledger, first)
    erase(ledger, "R000000004")
    assert Move(ledger.folder, copy).carry_out().people == 2
    assert files_with(copy, needles) == {}
    assert Move(ledger.folder, tmp_path / "new").carry_out().people == 2
    for folder in (copy, tmp_path / "new"):
        with closing(Ledger(folder, now=now)) as copied:
            assert broken(copied) == []
            assert register(copied, 1, first=9) == ["R000000005"]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_copy_leaves_out_whose_erasure_is_recorded_and_not_complete(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    chosen = register(ledger, 3)[number - 1]
    copy = tmp_path / "copy"
    Move(ledger.folder, copy).carry_out()
    monkeypatch.setattr(ledger.vault.rows, "remove", lambda _: None)
    erase(ledger, chosen)
    for folder in (copy, tmp_path / "new"):
        assert Move(ledger.folder, folder).carry_out().people == 2
        with closing(Ledger(folder, now=now)) as copied:
            assert broken(copied) == []


# To know


def test_a_disclosure_tells_all_that_is_held_and_is_recorded_first(ledger: Ledger) -> None:
    recipient_id = place_canary(ledger)
    fund(ledger, *members("g1", recipient_id))
    pay(ledger, [recipient_id])
    batch_id = propose(ledger, [recipient_id], tranche=2)
    held = privacy.disclose(ledger, SITI, recipient_id=recipient_id, reason="asked in person")
    assert held is not None
    name, account, phone, address = (CANARY[each] for each in ("name", "account", "phone", "address"))
    assert held.person == Person(CANARY["nik"], name, account, phone, address * 3)
    assert held.held is not None
    assert hashlib.sha256(held.held.salted).hexdigest() == held.registered.commitment
    assert held.programs == [PROGRAM, "tkm-2020"]
    assert held.groups == ["tkm-2020/g1"]
    assert {name: state.status for name, state in held.payments.items()} == {f"{PROGRAM}/1/{recipient_id}": "disbursed"}
    assert held.batches == [batch_id]
    assert (held.request, held.erased) == (None, None)
    assert [type(entry.event).__name__ for entry in held.history] == [
        "RecipientRegistered",
        "GroupJoined",
        "TrancheDisbursed",
        "DataDisclosed",
    ]
    last = entries(ledger)[-1]
    assert (last.event, last.meta.by) == (DataDisclosed(recipient_id=recipient_id, reason="asked in person"), "siti")
    readable = [text.encode() for text in CANARY.values()]
    assert files_with(ledger.folder, readable) == {}


def test_a_disclosure_after_the_erasure_tells_who_erased_and_nothing_of_the_person(ledger: Ledger) -> None:
    recipient_id = place_canary(ledger)
    erase(ledger, recipient_id)
    held = privacy.disclose(ledger, SITI, recipient_id=recipient_id, reason="asked again")
    assert held is not None
    assert held.person is None
    assert held.request is not None
    assert held.erased is not None
    assert (held.request.maker, held.erased.meta.by) == ("siti", "budi")


def test_each_disclosure_is_recorded_and_nothing_is_shown_without(ledger: Ledger) -> None:
    recipient_id = place_canary(ledger)
    for _ in range(2):
        assert privacy.disclose(ledger, SITI, recipient_id=recipient_id, reason="asked") is not None
    once = by("siti", reference="letter 9")
    assert privacy.disclose(ledger, once, recipient_id=recipient_id, reason="asked") is not None
    before = kept(ledger)
    assert privacy.disclose(ledger, once, recipient_id=recipient_id, reason="asked") is None
    assert privacy.disclose(ledger, by("siti", dry_run=True), recipient_id=recipient_id, reason="asked") is None
    assert kept(ledger) == before
    assert sum(isinstance(event, DataDisclosed) for event in log(ledger)) == 3


@pytest.mark.parametrize("recipient_id", ["R000000009", nik(1), "siti", ""])
def test_nobody_unknown_is_erased_or_disclosed(ledger: Ledger, recipient_id: str) -> None:
    register(ledger, 1)
    before = kept(ledger)
    for act in (
        lambda: privacy.request_erasure(ledger, SITI, recipient_id=recipient_id, **LETTER),
        lambda: privacy.approve_erasure(ledger, BUDI, recipient_id=recipient_id),
        lambda: privacy.disclose(ledger, SITI, recipient_id=recipient_id, reason="asked"),
        lambda: privacy.recipient_named(ledger, nik(2)),
    ):
        with pytest.raises(LedgerError) as refused:
            act()
        assert isinstance(refused.value, RecipientUnknownError)
    assert kept(ledger) == before
