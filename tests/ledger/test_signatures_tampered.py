"""Signatures that somebody with rights on the database made, moved or took away are named."""

import hashlib
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from ledger.application import officers, programs, registration
from ledger.application.attempt import Sign
from ledger.domain.batch import BatchApproved, BatchProposed
from ledger.domain.event import Event, Meta, Role
from ledger.domain.officer import (
    OfficerEnrolled,
)
from ledger.domain.payment import TrancheDisbursed
from ledger.domain.program import BudgetSet
from ledger.store.entries import Entry, line_of, to_row
from ledger.store.signed import split, with_signature
from ledger.transparency.signatures import text_to_sign
from projections.laws.signatures import Signatures
from tests.acts import NOW, person, propose, stop
from tests.ledger.signed_office import breaches, others_broken, paid
from tests.ledger.signing import Office


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
