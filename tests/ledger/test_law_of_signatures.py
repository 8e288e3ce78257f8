"""The law of signatures, told of events one by one as their lines: who may record what, in whose name, with which key."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.domain.batch import BatchApproved, BatchExecuted, BatchProposed, BatchRejected
from ledger.domain.destination import DestinationReopened
from ledger.domain.event import Event, Meta, Role
from ledger.domain.goods import DeliveryConfirmed, GoodsAidShipped, GoodsStocked, MaskAidShipped, StockIssued
from ledger.domain.group import AccountabilityReported, GroupFunded
from ledger.domain.officer import OfficerEnrolled, OfficerKeyReplaced, OfficerRevoked
from ledger.domain.opening import LedgerEntrusted
from ledger.domain.payment import TrancheRefunded, TrancheReissued, TrancheReturned, TrancheReversed, TrancheSettled
from ledger.domain.program import BudgetSet
from ledger.domain.recipient import ErasureRejected, ErasureRequested, RecipientErased
from ledger.store.entries import Entry, line_of, to_row
from ledger.store.signed import with_signature
from ledger.transparency.signatures import is_genuine, text_to_sign
from projections.laws.signatures import Signatures, Verdict
from tests.ledger.examples_of_events import EXAMPLES, META

FINGERPRINT = "0f" * 32
EXAMPLE = {type(event): event for event in EXAMPLES}
NAMING = ("maker", "checker", "recorded_by", "officer_id")
"""The fields in which an event names the officer who acts."""


def key_of(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32))


def public_key(name: str) -> str:
    return b64encode(key_of(name).public_key().public_bytes_raw()).decode()


def line(event: Event, by: str, key: str | None) -> bytes:
    """An event as that officer records it, signed with the key of that name, if any."""
    unsigned = line_of(to_row(Entry(event.stream, 1, META.model_copy(update={"by": by}), event)))
    if key is None:
        return unsigned
    signature = key_of(key).sign(text_to_sign(FINGERPRINT, unsigned))
    return with_signature(unsigned, b64encode(signature).decode())


class Office:
    """The law, which has been told of agus (both roles), siti (maker), budi (checker) and tono, who has no key."""

    def __init__(self) -> None:
        self.law = Signatures(FINGERPRINT)
        both = (Role.MAKER, Role.CHECKER)
        for name, roles in (("agus", both), ("siti", (Role.MAKER,)), ("budi", (Role.CHECKER,))):
            enrolled = OfficerEnrolled(officer_id=name, roles=roles, public_key=public_key(name))
            assert self.signed(enrolled, "agus") == Verdict()
        self.signed(OfficerEnrolled(officer_id="tono", roles=both), "agus")

    def signed(self, event: Event, by: str, key: str | None = None) -> Verdict:
        return self.law.examine(line(event, by, key or by))

    def unsigned(self, event: Event, by: str) -> Verdict:
        return self.law.examine(line(event, by, None))


@pytest.fixture
def office() -> Office:
    return Office()


def in_the_name_of(officer_id: str, event: Event) -> Event:
    return event.model_copy(update={name: officer_id for name in NAMING if hasattr(event, name)})


@pytest.mark.parametrize(
    ("kind", "role", "other"),
    [
        (BatchProposed, "maker", "budi"),
        (BatchApproved, "checker", "siti"),
        (BatchRejected, "checker", "siti"),
        (ErasureRequested, "maker", "budi"),
        (RecipientErased, "checker", "siti"),
        (GroupFunded, "maker", "budi"),
        (AccountabilityReported, "maker", "budi"),
        (GoodsStocked, "maker", "budi"),
        (StockIssued, "maker", "budi"),
        (MaskAidShipped, "maker", "budi"),
        (GoodsAidShipped, "maker", "budi"),
        (DeliveryConfirmed, "maker", "budi"),
        (DestinationReopened, "maker", "budi"),
        (TrancheReturned, "maker", "budi"),
        (TrancheRefunded, "maker", "budi"),
        (TrancheReissued, "checker", "siti"),
        (TrancheReversed, "checker", "siti"),
    ],
)
def test_what_takes_a_role_is_recorded_in_that_role_only(
    office: Office, kind: type[Event], role: str, other: str
) -> None:
    [permitted] = {"siti", "budi"} - {other}
    for officer_id in (permitted, "agus"):
        assert office.signed(in_the_name_of(officer_id, EXAMPLE[kind]), officer_id) == Verdict()
    assert office.signed(in_the_name_of(other, EXAMPLE[kind]), other) == Verdict(
        f"signed by {other}, who was no {role}"
    )


def test_whoever_has_a_key_signs(office: Office) -> None:
    assert office.unsigned(EXAMPLE[BudgetSet], "siti") == Verdict("not signed, and siti had a key")


def test_what_is_signed_is_the_fingerprint_and_the_line() -> None:
    assert text_to_sign("0f", b"{}") == b"salur/signature/v1\n0f\n{}"


def test_what_is_no_key_or_no_signature_signed_nothing() -> None:
    text, good = b"text", b64encode(key_of("siti").sign(b"text")).decode()
    assert is_genuine(public_key("siti"), text, good)
    for key, signature in ((public_key("siti")[4:], good), ("A", good), (public_key("siti"), good[4:])):
        assert not is_genuine(key, text, signature)


def test_what_takes_no_role_is_recorded_in_any(office: Office) -> None:
    for officer_id in ("siti", "budi"):
        assert office.signed(EXAMPLE[BudgetSet], officer_id) == Verdict()
        assert office.signed(in_the_name_of(officer_id, EXAMPLE[ErasureRejected]), officer_id) == Verdict()


@pytest.mark.parametrize(
    "kind",
    [
        *(BatchProposed, BatchApproved, BatchRejected, ErasureRequested, ErasureRejected, RecipientErased),
        *(TrancheReturned, LedgerEntrusted),
    ],
)
def test_nobody_acts_in_the_name_of_another(office: Office, kind: type[Event]) -> None:
    assert office.signed(in_the_name_of("siti", EXAMPLE[kind]), "agus") == Verdict(
        "recorded by agus in the name of siti"
    )


def test_a_batch_is_withdrawn_by_its_maker_until_it_was_paid_or_rejected(office: Office) -> None:
    proposal, rejection = EXAMPLE[BatchProposed], in_the_name_of("siti", EXAMPLE[BatchRejected])
    for last in (rejection, EXAMPLE[BatchExecuted]):
        assert office.signed(proposal, "siti") == Verdict()
        assert office.signed(last, "siti") == Verdict()
        assert office.signed(rejection, "siti") == Verdict("signed by siti, who was no checker")


def test_a_batch_of_another_maker_is_not_withdrawn(office: Office) -> None:
    assert office.signed(in_the_name_of("agus", EXAMPLE[BatchProposed]), "agus") == Verdict()
    assert office.signed(in_the_name_of("siti", EXAMPLE[BatchRejected]), "siti") == Verdict(
        "signed by siti, who was no checker"
    )


def test_one_key_does_not_propose_and_approve(office: Office) -> None:
    assert office.signed(in_the_name_of("agus", EXAMPLE[BatchProposed]), "agus") == Verdict()
    assert office.signed(in_the_name_of("agus", EXAMPLE[BatchApproved]), "agus") == Verdict(
        "batch b1 was proposed and approved with one key"
    )
    assert office.signed(EXAMPLE[BatchApproved], "budi") == Verdict()


def test_a_proposal_that_is_a_breach_makes_nobody_its_maker(office: Office) -> None:
    assert office.signed(EXAMPLE[BatchProposed], "siti", "budi").breach
    assert office.signed(in_the_name_of("siti", EXAMPLE[BatchRejected]), "siti") == Verdict(
        "signed by siti, who was no checker"
    )


def test_another_key_is_another_officers_word_and_worth_a_question(office: Office) -> None:
    replaced = OfficerKeyReplaced(officer_id="budi", public_key=public_key("new"), reason="lost")
    assert office.signed(replaced, "budi") == Verdict("budi replaced their own key")
    assert office.signed(replaced, "siti") == Verdict(
        notice="siti gave budi another key: ask budi whether it is theirs"
    )
    assert office.signed(EXAMPLE[BudgetSet], "budi") == Verdict("signed with a key of budi that had been replaced")
    assert office.signed(EXAMPLE[BudgetSet], "budi", "new") == Verdict()
    assert office.signed(EXAMPLE[BudgetSet], "siti", "budi") == Verdict(
        "the signature is not that of siti over this event"
    )


def test_whoever_has_no_key_signs_nothing_and_is_told_of(office: Office) -> None:
    enrolled = OfficerEnrolled(officer_id="rina", roles=(Role.MAKER,))
    told = "rina was enrolled without a key: what they record is not signed"
    assert office.signed(enrolled, "siti") == Verdict(notice=told)
    assert office.unsigned(EXAMPLE[BudgetSet], "rina") == Verdict()
    assert office.signed(EXAMPLE[BudgetSet], "rina") == Verdict("bears a signature, and rina had no key")
    given = OfficerKeyReplaced(officer_id="rina", public_key=public_key("rina"), reason="keys for all")
    assert office.unsigned(given, "tono") == Verdict(
        notice="rina was given a key by tono, who had none to sign that with"
    )
    assert office.signed(EXAMPLE[BudgetSet], "rina") == Verdict()


def test_a_key_is_given_once_whoever_gives_it(office: Office) -> None:
    for kind, words in ((OfficerEnrolled, {"roles": (Role.MAKER,)}), (OfficerKeyReplaced, {"reason": "lost"})):
        given = kind(officer_id="rina", public_key=public_key("siti"), **words)
        breach = Verdict("gives rina a key that siti was given before")
        assert office.signed(given, "budi") == breach
        assert office.unsigned(given, "tono") == breach


def test_a_revoked_officer_signs_no_more_and_gets_no_other_key(office: Office) -> None:
    assert office.signed(OfficerRevoked(officer_id="siti", reason="moved"), "agus") == Verdict()
    assert office.signed(EXAMPLE[BudgetSet], "siti") == Verdict("signed by siti, who had been revoked")
    replaced = OfficerKeyReplaced(officer_id="siti", public_key=public_key("new"), reason="lost")
    assert office.signed(replaced, "agus").breach is None
    assert office.signed(EXAMPLE[BudgetSet], "siti", "new") == Verdict("signed by siti, who had been revoked")


def test_only_the_first_officer_enrolls_themselves() -> None:
    law = Signatures(FINGERPRINT)
    of_another = OfficerEnrolled(officer_id="siti", roles=(Role.MAKER,), public_key=public_key("siti"))
    assert law.examine(line(of_another, "agus", "siti")) == Verdict("recorded by agus, who was no officer")
    assert law.examine(line(EXAMPLE[BudgetSet], "siti", "siti")) == Verdict("recorded by siti, who was no officer")
    assert law.examine(line(of_another, "siti", "agus")) == Verdict("the signature is not that of siti over this event")
    assert law.examine(line(of_another, "siti", "siti")) == Verdict()
    second = OfficerEnrolled(officer_id="agus", roles=(Role.MAKER,), public_key=public_key("agus"))
    assert law.examine(line(second, "agus", "agus")) == Verdict("recorded by agus, who was no officer")


def test_what_nobody_is_said_to_have_recorded_is_a_breach(office: Office) -> None:
    meta = Meta(recorded_at=META.recorded_at, effective_on=META.effective_on)
    event = EXAMPLE[BudgetSet]
    assert office.law.examine(line_of(to_row(Entry(event.stream, 1, meta, event)))) == Verdict(
        "recorded by nobody, who was no officer"
    )


@pytest.mark.parametrize("told", [b"", b"{}", b"[]", b"7", b"\xff", b'{"stream":"a","version":1,"topic":"Thing.v1"}'])
def test_what_cannot_be_read_is_a_breach(office: Office, told: bytes) -> None:
    assert office.law.examine(told) == Verdict("cannot be read, so nobody can have signed it")


def test_what_is_not_signed_one_by_one_is_passed_over(office: Office) -> None:
    assert office.unsigned(EXAMPLE[TrancheSettled], "nobody") == Verdict()
