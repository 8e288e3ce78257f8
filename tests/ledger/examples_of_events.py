"""One event of each class, with every field filled, as it stands in its golden file."""

from datetime import UTC, date, datetime
from typing import Any

from ledger.domain.agreement import ActAgreed, ActKind, ActProposed, ActRejected, PolicySet
from ledger.domain.batch import (
    BatchApproved,
    BatchCancelled,
    BatchExecuted,
    BatchProposed,
    BatchRejected,
    BatchRowsRefused,
)
from ledger.domain.destination import DestinationReopened
from ledger.domain.event import Event, Meta, RefusedRows, Role
from ledger.domain.goods import (
    DeliveryConfirmed,
    GoodsAidShipped,
    GoodsStocked,
    MaskAidShipped,
    StockAdjusted,
    StockIssued,
)
from ledger.domain.group import AccountabilityReported, GroupFunded, GroupJoined, ProposalTaken
from ledger.domain.log import LogBegun
from ledger.domain.officer import KeyAssigned, OfficerEnrolled, OfficerKeyReplaced, OfficerRevoked, RolesChanged
from ledger.domain.opening import LedgerEntrusted, LedgerOpened, RulesAdopted
from ledger.domain.payment import (
    ReturnReason,
    TrancheDisbursed,
    TrancheRefunded,
    TrancheReissued,
    TrancheReturned,
    TrancheReversed,
    TrancheSettled,
)
from ledger.domain.program import (
    BudgetSet,
    FundsRecovered,
    FundsReleased,
    FundsReserved,
    FundsSpent,
    Kind,
    ProgramAmended,
    ProgramClosed,
    ProgramOpened,
)
from ledger.domain.recipient import (
    Channel,
    DataDisclosed,
    ErasureRejected,
    ErasureRequested,
    RecipientErased,
    RecipientReferred,
    RecipientRegistered,
    SharedAccount,
    SupportReceived,
    TrainingAttended,
)
from ledger.domain.request import FileProcessed, ReferenceUsed

META = Meta(
    recorded_at=datetime(2020, 10, 15, 3, 0, 0, 1, tzinfo=UTC),
    effective_on=date(2020, 10, 14),
    by="siti",
    reference="letter 7",
    note="catatan élan",
)
META_OF_OPENING = Meta(recorded_at=datetime(2020, 10, 15, 3, 0, tzinfo=UTC), effective_on=date(2020, 10, 15))
SHA = "0123456789abcdef" * 4
PUBLIC_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
"""Of the first test vector of RFC 8032."""
LOG_KEY = "log.example/one+b50c71d9+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
"""The verifier key of a log that signs with it."""
ID, OTHER_ID = "R000000123", "R000000124"
PAYMENT: dict[str, Any] = {"program": "bsu-2020", "tranche": 1, "recipient_id": ID, "amount": 1_200_000}
HELD: dict[str, Any] = {"program": "bsu-2020", "amount": 1_200_000, "reserved_for": "batch b1"}
BATCH = {"batch_id": "b1", "program": "bsu-2020"}
GROUP: dict[str, Any] = {"program": "tkm-2020", "group_id": "g1"}
MASKS: dict[str, Any] = {"shipment_id": "m1", "item": "mask", "quantity": 700, "country": "HK"}
PAID_BEFORE = RefusedRows(code="already_paid", rows=1)

EXAMPLES: tuple[Event, ...] = (
    LedgerOpened(name="Kemnaker 2020", currency="IDR", decimals=0),
    ReferenceUsed(used="letter 7", request_sha256=SHA),
    FileProcessed(
        command="recipient-add",
        file_sha256=SHA,
        count=9,
        refused=(RefusedRows(code="value_invalid", rows=2),),
        program="bsu-2020",
    ),
    LedgerEntrusted(officer_id="agus"),
    LogBegun(verifier_key=LOG_KEY),
    RulesAdopted(edition=1, events_adopted=12, root=SHA),
    ActProposed(
        subject="program/tkm-2020",
        proposer="siti",
        kind=ActKind.PROGRAMS,
        request='{"command":"program close","inputs":{"program":"tkm-2020","reason":"year-end"}}',
        act='[{"program":"tkm-2020","reason":"year-end","topic":"ProgramClosed.v1"}]',
        act_sha256=SHA,
        words=1,
        lapses_on=date(2020, 11, 14),
    ),
    ActAgreed(subject="program/tkm-2020", checker="budi", proposal=1, act_sha256=SHA, is_last=True),
    ActRejected(subject="program/tkm-2020", recorded_by="budi", proposal=1, cause="rejected", reason="too early"),
    PolicySet(kind=ActKind.OFFICERS, above=10_000_000_000, checkers=2),
    OfficerEnrolled(officer_id="agus", roles=(Role.CHECKER, Role.MAKER)),
    RolesChanged(officer_id="siti", roles=(Role.CHECKER, Role.MAKER), reason="decree 5"),
    OfficerRevoked(officer_id="agus", reason="moved"),
    OfficerKeyReplaced(officer_id="agus", public_key=PUBLIC_KEY, reason="lost"),
    KeyAssigned(public_key=PUBLIC_KEY, officer_id="agus"),
    ProgramOpened(
        program="tkm-2020",
        parent="jps",
        name="Tenaga Kerja Mandiri",
        kind=Kind.GROUP_GRANT,
        ceiling=40_000_000,
        schedule=(30_000_000, 10_000_000),
        fiscal_year=2020,
        legal_basis="Permenaker 1/2020",
        categories=("worker", "family"),
        report_due_days=90,
    ),
    ProgramAmended(
        program="bsu-2020",
        name="Bantuan Subsidi Upah",
        ceiling=2_400_000,
        schedule=(1_200_000, 1_200_000),
        legal_basis="Permenaker 16/2020",
        categories=("worker",),
        report_due_days=60,
        reason="decree 16",
    ),
    BudgetSet(program="bsu-2020", budget=2**53 - 1, previous=0),
    FundsReserved(**HELD),
    FundsReleased(**HELD),
    FundsSpent(**HELD),
    FundsRecovered(**HELD | {"reserved_for": "reversed payments"}),
    ProgramClosed(program="bsu-2020", reason="year-end"),
    RecipientRegistered(
        recipient_id=ID,
        commitment=SHA,
        category="worker",
        region="32.73",
        shared_account=SharedAccount.NO_BANK_NEARBY,
        source="0123456789abcdef:2",
    ),
    RecipientReferred(recipient_id=ID, scheme="kartu-prakerja", channel=Channel.REGIONAL_GOVERNMENT),
    TrainingAttended(recipient_id=ID, program="tkm-2020", session_id="s1", group_id="g1"),
    SupportReceived(recipient_id=ID, program="tkm-2020", kind=Kind.INCUBATION),
    ErasureRequested(recipient_id=ID, maker="siti", reason="letter of the person", legal_basis="UU 27/2022 art. 8"),
    ErasureRejected(recipient_id=ID, checker="budi", reason="still to be paid"),
    RecipientErased(recipient_id=ID, checker="budi", reason="letter of the person", legal_basis="UU 27/2022 art. 8"),
    DataDisclosed(recipient_id=ID, reason="letter of the person"),
    BatchProposed(
        batch_id=BATCH["batch_id"],
        program=BATCH["program"],
        tranche=1,
        maker="siti",
        file_sha256=SHA,
        rows_sha256=SHA[::-1],
        count=2,
        total=2_400_000,
        refused=(PAID_BEFORE, RefusedRows(code="recipient_unknown", rows=3)),
    ),
    BatchApproved(**BATCH, checker="budi"),
    BatchCancelled(**BATCH, count=1, total=600, reason="wrong list"),
    BatchRejected(**BATCH, checker="budi", reason="late"),
    BatchRowsRefused(**BATCH, block=3, lines=("R000000123,1200000", "R000000124,1200000")),
    BatchExecuted(**BATCH, count=1, total=1_200_000, refused=(PAID_BEFORE,)),
    TrancheDisbursed(**PAYMENT, batch_id="b1"),
    TrancheSettled(**PAYMENT, attempt=1),
    TrancheReturned(**PAYMENT, attempt=1, return_reason=ReturnReason.CLOSED_ACCOUNT, recorded_by="siti"),
    TrancheReissued(**PAYMENT, attempt=2, after="return"),
    TrancheRefunded(**PAYMENT, treasury_ref="NTPN 1"),
    TrancheReversed(**PAYMENT, reason="wrong list"),
    GroupFunded(
        **GROUP,
        amount=40_000_000,
        members=(ID, OTHER_ID),
        proposal_ref="P 1",
        decree_ref="SK 1",
        decree_on=date(2020, 9, 1),
        report_due_on=date(2021, 1, 13),
        region="32.73",
    ),
    GroupJoined(**GROUP, recipient_id=ID),
    ProposalTaken(**GROUP, proposal_key=SHA),
    AccountabilityReported(**GROUP, report_ref="LPJ 1"),
    GoodsStocked(item="mask", quantity=1000, unit="piece", origin="BLK Serang"),
    StockIssued(item="mask", quantity=700, shipment_id="m1"),
    StockAdjusted(item="mask", quantity=5, cause="damage", reason="wet"),
    MaskAidShipped(**MASKS, program="masker-pmi", region="32.73", partner="BPJS Ketenagakerjaan"),
    GoodsAidShipped(
        shipment_id="r1",
        item="rice-5kg",
        quantity=20,
        country="TW",
        program="bahan-pokok",
        region="32.73",
        partner="KDEI",
    ),
    DeliveryConfirmed(**MASKS, proof_ref="POD 1"),
    DestinationReopened(country="HK", decree_ref="Kepmenaker 294/2020"),
)
