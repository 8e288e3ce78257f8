"""What officers with keys record is signed, and whoever holds the lines of the log finds what is not."""

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.application import destinations, goods, grants, officers, privacy, programs, registration
from ledger.application.aftercare import Step
from ledger.application.attempt import Sign
from ledger.application.disbursement import reject, run
from ledger.application.ledger import Ledger
from ledger.application.moving import Move
from ledger.domain.batch import BatchApproved, BatchProposed
from ledger.domain.errors import SameOfficerError
from ledger.domain.event import Event, Meta, Role
from ledger.domain.goods import GoodsAidShipped
from ledger.domain.officer import (
    KeyAssigned,
    KeyForeignError,
    KeyTakenError,
    OfficerEnrolled,
    OfficerKeyReplaced,
    OfficerRevokedError,
)
from ledger.domain.opening import LedgerEntrusted
from ledger.domain.payment import TrancheDisbursed
from ledger.domain.program import BudgetSet, FundsReleased, Kind, ProgramOpened
from ledger.domain.recipient import ErasureRequested, RecipientErased
from ledger.domain.registry import EVENT_CLASSES, SIGNED_TOPICS
from ledger.domain.request import FileProcessed
from ledger.store.entries import Entry, line_of, to_row
from ledger.store.signed import split, with_signature
from ledger.transparency.errors import KeyMissingError
from ledger.transparency.signatures import is_genuine, text_to_sign
from projections.audit.check import check
from projections.laws.law import Law
from projections.laws.signatures import Signatures
from tests.acts import LETTER, NOW, approve, by, entries, fund, members, person, propose, step, stop
from tests.ledger.signing import Office, keys_in


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.ledger.close()


def paid(office: Office) -> str:
    """Register two people and pay them; returns the batch's id."""
    rows = [person(number) for number in (1, 2)]
    registration.register(office.ledger, office.siti, rows, file_sha256=None, category="worker", on_reject=stop)
    batch_id = propose(office.ledger, ["R000000001", "R000000002"], command=office.siti)
    approve(office.ledger, batch_id, command=office.budi)
    run(office.ledger, office.siti, batch_id=batch_id, on_reject=stop)
    return batch_id


def law_of(ledger: Ledger) -> Law:
    [law] = [law for law in check(ledger.store) if law.name == "signatures-valid"]
    return law


def breaches(office: Office) -> list[tuple[str, str]]:
    return [(breach.stream, breach.detail) for breach in law_of(office.ledger).broken]


def others_broken(office: Office) -> set[str]:
    return {law.name for law in check(office.ledger.store) if not law.holds} - {"signatures-valid"}


# Signing


def test_every_decision_of_an_officer_with_a_key_bears_their_signature(office: Office) -> None:
    paid(office)
    privacy.request_erasure(office.ledger, office.siti, recipient_id="R000000002", **LETTER)
    privacy.approve_erasure(office.ledger, office.budi, recipient_id="R000000002")
    keys = {each: office.public_key(each) for each in ("siti", "budi")}
    for entry in entries(office.ledger, since=1):
        if not entry.event.IS_SIGNED:
            assert entry.signature is None
            continue
        unsigned, signature = split(line_of(to_row(entry)))
        assert signature == entry.signature
        text = text_to_sign(office.ledger.fingerprint, unsigned)
        assert is_genuine(keys[entry.meta.by or ""], text, signature or ""), entry.event.TOPIC
    assert {type(entry.event) for entry in entries(office.ledger) if entry.signature} >= {
        OfficerEnrolled, LedgerEntrusted, KeyAssigned, BudgetSet, BatchProposed, BatchApproved,
        ErasureRequested, RecipientErased,
    }  # fmt: skip
    assert law_of(office.ledger).broken == []


def test_the_fingerprint_is_the_hash_of_the_first_line_of_the_log(office: Office) -> None:
    [told] = b"".join(office.ledger.store.lines(until=1)).splitlines()
    line = told.replace(b'"log_index":0,', b"")
    assert office.ledger.fingerprint == hashlib.sha256(line).hexdigest()


def test_what_is_answered_is_what_was_stored(office: Office) -> None:
    [answered] = programs.set_budget(office.ledger, office.siti, program="bsu-2020", budget=7)
    assert [answered] == entries(office.ledger)[-1:]
    assert answered.signature


def test_a_step_that_another_writer_overtook_is_signed_anew(office: Office) -> None:
    rival = Ledger(office.folder, now=office.ledger.now)
    overtaken = False

    def now():  # type: ignore[no-untyped-def]
        nonlocal overtaken
        if len(instants) == 2 and not overtaken:
            overtaken = True
            programs.set_budget(rival, office.siti, program="bsu-2020", budget=5)
        instants.append(NOW + timedelta(seconds=len(instants)))
        return instants[-1]

    instants: list[object] = []
    office.ledger.now = now
    programs.set_budget(office.ledger, office.siti, program="bsu-2020", budget=6)
    rival.close()
    assert overtaken
    last = entries(office.ledger)[-1]
    assert isinstance(last.event, BudgetSet)
    assert (last.event.previous, last.event.budget) == (5, 6)
    assert law_of(office.ledger).holds


def test_without_their_key_nothing_is_recorded_in_an_officers_name(office: Office) -> None:
    before = office.ledger.store.size()
    acts: list[Callable[[], object]] = [
        lambda: programs.set_budget(office.ledger, by("siti"), program="bsu-2020", budget=7),
        lambda: programs.set_budget(office.ledger, by("siti", dry_run=True), program="bsu-2020", budget=7),
        lambda: officers.revoke(office.ledger, by("budi"), officer_id="siti", reason="moved"),
    ]
    for act in acts:
        with pytest.raises(KeyMissingError):
            act()
    assert office.ledger.store.size() == before


def test_a_chunk_of_a_file_is_refused_without_the_key_although_its_rows_are_not_signed(office: Office) -> None:
    office.keys.path(office.ledger.fingerprint, "siti").unlink()
    office.forget()
    with pytest.raises(KeyMissingError):
        paid(office)


def test_an_officer_cannot_act_with_the_key_of_another(office: Office) -> None:
    path = office.keys.path(office.ledger.fingerprint, "siti")
    path.with_name("budi.pem").replace(path)
    office.forget()
    with pytest.raises(KeyForeignError):
        programs.set_budget(office.ledger, office.siti, program="bsu-2020", budget=7)


def test_one_key_is_never_given_to_two_officers(office: Office) -> None:
    key = office.public_key("siti")
    new = office.new_key("agus")
    officers.enroll(office.ledger, office.siti, officer_id="agus", roles=(Role.CHECKER,), public_key=new)
    replacement = "A" * 43 + "="
    words = {"officer_id": "agus", "reason": "lost"}
    officers.replace_key(office.ledger, office.siti, public_key=replacement, **words)
    before = office.ledger.store.size()
    for taken in (key, new, replacement):
        with pytest.raises(KeyTakenError):
            officers.enroll(office.ledger, office.siti, officer_id="rina", roles=(Role.CHECKER,), public_key=taken)
    with pytest.raises(KeyTakenError):
        officers.replace_key(office.ledger, office.siti, public_key=new, **words)
    assert office.ledger.store.size() == before


def test_of_a_replaced_key_the_old_one_no_longer_signs_and_what_it_signed_stands(office: Office) -> None:
    batch_id = paid(office)
    path = office.keys.path(office.ledger.fingerprint, "budi")
    path.rename(path.with_name("old.pem"))
    office.forget()
    new = office.new_key("budi")
    words = {"officer_id": "budi", "public_key": new, "reason": "lost"}
    with pytest.raises(KeyForeignError):  # whoever has only a new key is not yet budi
        officers.replace_key(office.ledger, office.budi, **words)
    for _ in range(2):
        officers.replace_key(office.ledger, office.siti, **words)
    assert [entry.event for entry in office.ledger.history("budi")[-1:]] == [
        OfficerKeyReplaced(officer_id="budi", public_key=new, reason="lost")
    ]
    programs.set_budget(office.ledger, office.budi, program="bsu-2020", budget=90_000_000)
    law = law_of(office.ledger)
    assert law.holds
    assert [notice.detail for notice in law.notices] == ["siti gave budi another key: ask budi whether it is theirs"]
    with pytest.raises(SameOfficerError):
        officers.replace_key(office.ledger, office.budi, officer_id="budi", public_key="A" * 43 + "=", reason="again")
    path.unlink()
    path.with_name("old.pem").rename(path)
    office.forget()
    with pytest.raises(KeyForeignError):
        approve(office.ledger, batch_id, command=office.budi)


def test_what_a_revoked_officer_signed_before_stays_valid(office: Office) -> None:
    paid(office)
    officers.revoke(office.ledger, office.siti, officer_id="budi", reason="moved")
    assert law_of(office.ledger).holds
    with pytest.raises(OfficerRevokedError):
        programs.set_budget(office.ledger, office.budi, program="bsu-2020", budget=90_000_000)


def test_an_officer_without_a_key_is_reported_and_no_breach(office: Office) -> None:
    officers.enroll(office.ledger, office.siti, officer_id="agus", roles=(Role.MAKER,))
    programs.set_budget(office.ledger, by("agus"), program="bsu-2020", budget=90_000_000)
    assert entries(office.ledger)[-1].signature is None
    law = law_of(office.ledger)
    assert law.holds
    assert [notice.detail for notice in law.notices] == [
        "agus was enrolled without a key: what they record is not signed"
    ]


def test_keys_come_into_a_ledger_that_began_without_any(ledger: Ledger, tmp_path: Path) -> None:
    keys = keys_in(tmp_path / "keys")
    words = {"officer_id": "siti", "reason": "keys for all"}
    officers.replace_key(ledger, by("budi"), public_key=keys.make(ledger.fingerprint, "siti"), **words)
    with pytest.raises(KeyMissingError):
        programs.set_budget(ledger, by("siti"), program="bsu-2020", budget=7)
    programs.set_budget(ledger, by("siti", signer=keys.signer), program="bsu-2020", budget=7)
    law = law_of(ledger)
    assert law.holds
    assert [notice.detail for notice in law.notices] == [
        "siti was enrolled without a key: what they record is not signed",
        "budi was enrolled without a key: what they record is not signed",
        "siti was given a key by budi, who had none to sign that with",
    ]


def test_whatever_officers_decide_by_the_rules_keeps_the_law(office: Office) -> None:
    ledger, siti, budi = office.ledger, office.siti, office.budi
    recipients = ["R000000001", "R000000002"]
    paid(office)
    first, second = (f"bsu-2020/1/{each}" for each in recipients)
    step(ledger, Step.SETTLE, first, command=siti)
    step(ledger, Step.RETURN, first, command=siti)
    step(ledger, Step.REISSUE, first, command=budi)
    step(ledger, Step.REVERSE, second, command=budi)
    step(ledger, Step.REISSUE, second, command=budi)
    step(ledger, Step.RETURN, f"{second}/2", command=siti)
    step(ledger, Step.REFUND, f"{second}/2", command=siti)
    office.enroll("agus", Role.MAKER, Role.CHECKER)
    tkm = ProgramOpened(program="tkm-2020", name="TKM", kind=Kind.GROUP_GRANT, fiscal_year=2020)
    programs.open_program(ledger, budi, terms=tkm)
    programs.set_budget(ledger, budi, program="tkm-2020", budget=100_000_000)
    fund(ledger, *members("g1", *recipients), command=office.by("agus"))
    grants.account(ledger, siti, program="tkm-2020", group_id="g1", report_ref="LPJ 1")
    registration.register(ledger, siti, [person(3)], file_sha256=None, category="worker", on_reject=stop)
    for batch_id, officer in (("b2", siti), ("b3", budi)):  # withdrawn by its maker, rejected by a checker
        propose(ledger, ["R000000003"], command=siti, batch_id=batch_id)
        reject(ledger, officer, batch_id=batch_id, reason="late")
    erasure = {"recipient_id": "R000000003"}
    privacy.request_erasure(ledger, siti, **erasure, **LETTER)
    privacy.reject_erasure(ledger, siti, **erasure, reason="another person was meant")
    privacy.request_erasure(ledger, siti, **erasure, **LETTER)
    privacy.approve_erasure(ledger, budi, **erasure)
    privacy.disclose(ledger, siti, **erasure, reason="asked")
    goods.stock(ledger, siti, item="mask", quantity=9, unit="piece", origin="BLK")
    goods.ship(ledger, siti, shipment_id="m1", item="mask", quantity=9, country="HK")
    goods.deliver(ledger, siti, shipment_id="m1", quantity=None, proof_ref="POD 1")
    destinations.reopen(ledger, office.by("agus", reference="letter 7"), country="HK", decree_ref="294/2020")
    programs.close_program(ledger, budi, program="tkm-2020", reason="year-end")
    officers.revoke(ledger, budi, officer_id="budi", reason="leaves")  # says so themselves
    law = law_of(ledger)
    assert (law.broken, law.notices) == ([], [])
    assert {type(entry.event) for entry in entries(ledger) if entry.signature} == {
        EVENT_CLASSES[topic] for topic in SIGNED_TOPICS
    } - {GoodsAidShipped, FundsReleased, FileProcessed, OfficerKeyReplaced}


def test_a_copied_ledger_keeps_its_signatures(office: Office, tmp_path: Path) -> None:
    paid(office)
    Move(office.folder, tmp_path / "copy").carry_out()
    with closing(Ledger(tmp_path / "copy", now=office.ledger.now)) as copied:
        assert copied.fingerprint == office.ledger.fingerprint
        assert law_of(copied).holds


# Tampering, by somebody with rights on the database


def rewrite(office: Office, event: type[Event], change: Any, nth: int = 0) -> None:
    """Change the stored object of an event behind the ledger's back."""
    with closing(sqlite3.connect(office.folder / "events.db")) as database, database:
        rows = database.execute("SELECT rowid, state FROM stored_events WHERE topic=?", (event.TOPIC,)).fetchall()
        rowid, state = rows[nth]
        changed = change(state)
        assert changed != state
        database.execute("UPDATE stored_events SET state=? WHERE rowid=?", (changed, rowid))


def insert(office: Office, event: Event, officer_id: str, sign: Sign | None = None) -> None:
    """Store an event in an officer's name behind the ledger's back, unsigned or signed with whatever key."""
    with closing(sqlite3.connect(office.folder / "events.db")) as database, database:
        count = "SELECT COUNT(*) FROM stored_events WHERE originator_id=?"
        [(last,)] = database.execute(count, (event.stream,)).fetchall()
        meta = Meta(recorded_at=NOW, effective_on=NOW.date(), by=officer_id)
        entry = Entry(event.stream, last + 1, meta, event)
        if sign:
            text = text_to_sign(office.ledger.fingerprint, line_of(to_row(entry)))
            entry = replace(entry, signature=sign(text))
        database.execute("INSERT INTO stored_events VALUES (?,?,?,?)", to_row(entry))


def proposed(office: Office) -> BatchApproved:
    """A batch that waits for its checker; returns the approval that is not yet there."""
    rows = [person(number) for number in (1, 2)]
    registration.register(office.ledger, office.siti, rows, file_sha256=None, category="worker", on_reject=stop)
    batch_id = propose(office.ledger, ["R000000001", "R000000002"], command=office.siti)
    return BatchApproved(batch_id=batch_id, program="bsu-2020", checker="budi")


def test_a_forged_approval_is_named(office: Office) -> None:
    approval = proposed(office)
    insert(office, approval, "budi")
    assert breaches(office) == [(approval.stream, "not signed, and budi had a key")]
    assert others_broken(office) == set()  # no other law would find it


def test_an_approval_with_an_invented_signature_is_named(office: Office) -> None:
    approval = proposed(office)
    insert(office, approval, "budi", lambda _: "A" * 86 + "==")
    assert breaches(office) == [(approval.stream, "the signature is not that of budi over this event")]


def test_an_approval_signed_by_the_maker_is_named(office: Office) -> None:
    approval = proposed(office)
    sign = office.sign_as("siti")
    insert(office, approval, "siti", sign)
    assert breaches(office) == [(approval.stream, "recorded by siti in the name of budi")]


def test_an_approval_by_a_maker_of_a_role_that_does_not_permit_it_is_named(office: Office) -> None:
    approval = proposed(office).model_copy(update={"checker": "siti"})
    sign = office.sign_as("siti")
    insert(office, approval, "siti", sign)
    assert breaches(office) == [(approval.stream, "signed by siti, who was no checker")]


def test_a_signature_cut_off_is_named(office: Office) -> None:
    batch_id = paid(office)
    rewrite(office, BatchApproved, lambda state: split(state)[0])
    assert breaches(office) == [(f"batch/{batch_id}", "not signed, and budi had a key")]
    assert others_broken(office) == set()


def test_a_signature_of_another_ledger_is_named(office: Office) -> None:
    batch_id = paid(office)
    sign = office.sign_as("budi")
    rewrite(
        office,
        BatchApproved,
        lambda state: with_signature(
            split(state)[0],
            # The very same event, signed by the same budi, in a ledger of another fingerprint.
            sign(text_to_sign("0" * 64, line_of((f"batch/{batch_id}", 2, BatchApproved.TOPIC, split(state)[0])))),
        ),
    )
    assert breaches(office) == [(f"batch/{batch_id}", "the signature is not that of budi over this event")]


@pytest.mark.parametrize(
    ("event", "old", "new"),
    [
        (BatchProposed, b'"total":2400000', b'"total":2400001'),
        (BatchProposed, b'"tranche":1', b'"tranche":2'),
        (BudgetSet, b'"budget":100000000', b'"budget":900000000'),
        (BudgetSet, b'"effective_on":"2020-10-15"', b'"effective_on":"2020-10-14"'),
        (BudgetSet, b'"recorded_at":"2020-10-15T03:00:00Z"', b'"recorded_at":"2020-10-15T03:00:01Z"'),
    ],
)
def test_an_event_changed_after_it_was_signed_is_named(office: Office, event: type, old: bytes, new: bytes) -> None:
    paid(office)
    rewrite(office, event, lambda state: state.replace(old, new))
    assert breaches(office)[0][1] == "the signature is not that of siti over this event"


def test_an_event_moved_to_another_place_of_its_stream_is_named(office: Office) -> None:
    programs.set_budget(office.ledger, office.siti, program="bsu-2020", budget=7)
    with closing(sqlite3.connect(office.folder / "events.db")) as database, database:
        for old, new in ((2, 9), (3, 2), (9, 3)):
            database.execute(
                "UPDATE stored_events SET originator_version=? WHERE originator_id='program/bsu-2020'"
                " AND originator_version=?",
                (new, old),
            )
    assert len(breaches(office)) == 2


def test_a_key_replaced_in_an_enrolment_is_named_with_all_that_rests_on_it(office: Office) -> None:
    batch_id = paid(office)
    old = office.public_key("budi").encode()
    rewrite(office, OfficerEnrolled, lambda state: state.replace(old, b"A" * 43 + b"="), nth=1)
    assert breaches(office)[0] == ("officer/budi", "the signature is not that of siti over this event")
    assert (f"batch/{batch_id}", "recorded by budi, who was no officer") in breaches(office)


def test_an_officer_enrolled_by_nobody_is_named_and_may_do_nothing(office: Office) -> None:
    approval = proposed(office).model_copy(update={"checker": "maya"})
    insert(office, OfficerEnrolled(officer_id="maya", roles=(Role.CHECKER,)), "siti")
    insert(office, approval, "maya")
    assert breaches(office) == [
        ("officer/maya", "not signed, and siti had a key"),
        (approval.stream, "recorded by maya, who was no officer"),
    ]


def test_a_second_first_officer_is_named(office: Office) -> None:
    insert(office, OfficerEnrolled(officer_id="maya", roles=(Role.CHECKER,)), "maya")
    assert breaches(office) == [("officer/maya", "recorded by maya, who was no officer")]


def test_an_act_signed_with_a_key_that_was_replaced_is_named(office: Office) -> None:
    old = office.sign_as("budi")
    approval = proposed(office)
    officers.replace_key(office.ledger, office.siti, officer_id="budi", public_key="A" * 43 + "=", reason="stolen")
    insert(office, approval, "budi", old)
    assert breaches(office) == [(approval.stream, "signed with a key of budi that had been replaced")]


def test_an_act_signed_by_an_officer_who_was_revoked_is_named(office: Office) -> None:
    sign = office.sign_as("budi")
    approval = proposed(office)
    officers.revoke(office.ledger, office.siti, officer_id="budi", reason="moved")
    insert(office, approval, "budi", sign)
    assert breaches(office) == [(approval.stream, "signed by budi, who had been revoked")]


def test_one_key_of_two_officers_is_named(office: Office) -> None:
    """As a program without the rule would have let it in: maker and checker are one person with one key."""
    key = office.public_key("siti")
    enrolled = OfficerEnrolled(officer_id="maya", roles=(Role.CHECKER,), public_key=key)
    insert(office, enrolled, "siti", office.sign_as("siti"))
    assert breaches(office) == [("officer/maya", "gives maya a key that siti was given before")]


def test_a_payment_slipped_into_a_batch_is_found_by_the_laws_of_what_was_signed(office: Office) -> None:
    batch_id = paid(office)
    registration.register(office.ledger, office.siti, [person(3)], file_sha256=None, category="worker", on_reject=stop)
    slipped = TrancheDisbursed(
        program="bsu-2020", tranche=1, recipient_id="R000000003", amount=1_200_000, batch_id=batch_id
    )
    insert(office, slipped, "siti")
    assert breaches(office) == []  # payments are not signed one by one
    assert {"batches-kept", "lists-paid"} <= others_broken(office)


def test_whoever_has_only_the_lines_of_the_log_finds_the_same(office: Office) -> None:
    batch_id = paid(office)
    rewrite(office, BatchApproved, lambda state: split(state)[0])
    lines = [
        re.sub(rb'^\{"log_index":[0-9]+,', b"{", line) for line in b"".join(office.ledger.store.lines()).splitlines()
    ]
    signatures = Signatures(hashlib.sha256(lines[0]).hexdigest())
    breaches_of = {line: breach for line in lines if (breach := signatures.examine(line).breach)}
    [(line, breach)] = breaches_of.items()
    assert line.startswith(f'{{"stream":"batch/{batch_id}","version":2,'.encode())
    assert breach == "not signed, and budi had a key"
