"""One event of each class, with every field filled, as it stands in its golden file."""

from datetime import UTC, date, datetime

from ledger import events as e

META = e.Meta(
    recorded_at=datetime(2020, 10, 15, 3, 0, 0, 1, tzinfo=UTC),
    effective_on=date(2020, 10, 14),
    by="siti",
    reference="letter 7",
    note="catatan élan",
)
META_OF_OPENING = e.Meta(recorded_at=datetime(2020, 10, 15, 3, 0, tzinfo=UTC), effective_on=date(2020, 10, 15))
SHA = "0123456789abcdef" * 4
PUBLIC_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
"""Of the first test vector of RFC 8032."""
ID, OTHER_ID = "R000000123", "R000000124"
PAYMENT = {"program": "bsu-2020", "tranche": 1, "recipient_id": ID, "amount": 1_200_000}
HELD = {"program": "bsu-2020", "amount": 1_200_000, "reserved_for": "batch b1"}
BATCH = {"batch_id": "b1", "program": "bsu-2020"}
GROUP = {"program": "tkm-2020", "group_id": "g1"}
MASKS = {"shipment_id": "m1", "item": "mask", "quantity": 700, "country": "HK"}
PAID_BEFORE = e.RefusedRows(code="already_paid", rows=1)

EXAMPLES: tuple[e.Event, ...] = (
    e.LedgerOpened(name="Kemnaker 2020", currency="IDR", decimals=0),
    e.ReferenceUsed(used="letter 7", request_sha256=SHA),
    e.FileProcessed(
        command="recipient-add",
        file_sha256=SHA,
        count=9,
        refused=(e.RefusedRows(code="value_invalid", rows=2),),
        program="bsu-2020",
    ),
    e.LedgerEntrusted(officer_id="agus"),
    e.OfficerEnrolled(officer_id="agus", roles=(e.Role.CHECKER, e.Role.MAKER)),
    e.OfficerRevoked(officer_id="agus", reason="moved"),
    e.OfficerKeyReplaced(officer_id="agus", public_key=PUBLIC_KEY, reason="lost"),
    e.KeyAssigned(public_key=PUBLIC_KEY, officer_id="agus"),
    e.ProgramOpened(
        program="tkm-2020",
        parent="jps",
        name="Tenaga Kerja Mandiri",
        kind=e.Kind.GROUP_GRANT,
        ceiling=40_000_000,
        schedule=(30_000_000, 10_000_000),
        fiscal_year=2020,
        legal_basis="Permenaker 1/2020",
        categories=("worker", "family"),
        report_due_days=90,
    ),
    e.BudgetSet(program="bsu-2020", budget=2**53 - 1, previous=0),
    e.FundsReserved(**HELD),
    e.FundsReleased(**HELD),
    e.FundsSpent(**HELD),
    e.FundsRecovered(**HELD | {"reserved_for": "reversed payments"}),
    e.ProgramClosed(program="bsu-2020", reason="year-end"),
    e.RecipientRegistered(
        recipient_id=ID,
        commitment=SHA,
        category="worker",
        region="32.73",
        shared_account=e.SharedAccount.NO_BANK_NEARBY,
        source="0123456789abcdef:2",
    ),
    e.RecipientReferred(recipient_id=ID, scheme="kartu-prakerja", channel=e.Channel.REGIONAL_GOVERNMENT),
    e.TrainingAttended(recipient_id=ID, program="tkm-2020", session_id="s1", group_id="g1"),
    e.SupportReceived(recipient_id=ID, program="tkm-2020", kind=e.Kind.INCUBATION),
    e.ErasureRequested(recipient_id=ID, maker="siti", reason="letter of the person", legal_basis="UU 27/2022 art. 8"),
    e.ErasureRejected(recipient_id=ID, checker="budi", reason="still to be paid"),
    e.RecipientErased(recipient_id=ID, checker="budi", reason="letter of the person", legal_basis="UU 27/2022 art. 8"),
    e.DataDisclosed(recipient_id=ID, reason="letter of the person"),
    e.BatchProposed(
        **BATCH,
        tranche=1,
        maker="siti",
        file_sha256=SHA,
        rows_sha256=SHA[::-1],
        count=2,
        total=2_400_000,
        refused=(PAID_BEFORE, e.RefusedRows(code="recipient_unknown", rows=3)),
    ),
    e.BatchApproved(**BATCH, checker="budi"),
    e.BatchRejected(**BATCH, checker="budi", reason="late"),
    e.BatchExecuted(**BATCH, count=1, total=1_200_000, refused=(PAID_BEFORE,)),
    e.TrancheDisbursed(**PAYMENT, batch_id="b1"),
    e.TrancheSettled(**PAYMENT, attempt=1),
    e.TrancheReturned(**PAYMENT, attempt=1, return_reason=e.ReturnReason.CLOSED_ACCOUNT, recorded_by="siti"),
    e.TrancheReissued(**PAYMENT, attempt=2, after="return"),
    e.TrancheRefunded(**PAYMENT, treasury_ref="NTPN 1"),
    e.TrancheReversed(**PAYMENT, reason="wrong list"),
    e.GroupFunded(
        **GROUP,
        amount=40_000_000,
        members=(ID, OTHER_ID),
        proposal_ref="P 1",
        decree_ref="SK 1",
        decree_on=date(2020, 9, 1),
        report_due_on=date(2021, 1, 13),
        region="32.73",
    ),
    e.GroupJoined(**GROUP, recipient_id=ID),
    e.AccountabilityReported(**GROUP, report_ref="LPJ 1"),
    e.GoodsStocked(item="mask", quantity=1000, unit="piece", origin="BLK Serang"),
    e.StockIssued(item="mask", quantity=700, shipment_id="m1"),
    e.MaskAidShipped(**MASKS, program="masker-pmi", region="32.73", partner="BPJS Ketenagakerjaan"),
    e.GoodsAidShipped(
        shipment_id="r1",
        item="rice-5kg",
        quantity=20,
        country="TW",
        program="bahan-pokok",
        region="32.73",
        partner="KDEI",
    ),
    e.DeliveryConfirmed(**MASKS, proof_ref="POD 1"),
    e.DestinationReopened(country="HK", decree_ref="Kepmenaker 294/2020"),
)
