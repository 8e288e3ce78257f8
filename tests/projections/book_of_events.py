"""A ledger written event by event, without the rules of the write side, so that tests may break them."""

import hashlib
import json
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from ledger.domain.batch import BatchApproved, BatchExecuted, BatchProposed, BatchRejected
from ledger.domain.destination import DestinationReopened
from ledger.domain.event import Event, Meta, RefusedRows, Role
from ledger.domain.goods import DeliveryConfirmed, GoodsAidShipped, GoodsStocked, MaskAidShipped, StockIssued
from ledger.domain.group import AccountabilityReported, GroupFunded, GroupJoined
from ledger.domain.officer import OfficerEnrolled, OfficerRevoked
from ledger.domain.opening import LedgerOpened, RulesAdopted
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
    SupportReceived,
    TrainingAttended,
)
from ledger.domain.request import FileProcessed, ReferenceUsed
from ledger.store.entries import Entry, to_stored_event
from ledger.store.recorder import LedgerRecorder
from ledger.store.sqlite import LedgerFactory

START = datetime(2020, 9, 1, 8, 0, tzinfo=UTC)
SHA = "0" * 64


class Book:
    """Appends events to a real SQLite file; each is recorded a minute after the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recorder = cast("LedgerRecorder", LedgerFactory(path).application_recorder())
        self.versions: dict[str, int] = {}
        self.moment = START
        self.size = 0

    def add(self, *events: Event, on: str = "2020-10-01", by: str | None = "siti", at: datetime | None = None) -> int:
        """Append events; returns the size of the log after them."""
        rows = []
        for event in events:
            self.moment += timedelta(minutes=1)
            meta = Meta(recorded_at=at or self.moment, effective_on=date.fromisoformat(on), by=by)
            version = self.versions[event.stream] = self.versions.get(event.stream, 0) + 1
            rows.append(to_stored_event(Entry(event.stream, version, meta, event)))
        self.recorder.insert_events(rows)
        self.size += len(rows)
        return self.size

    def close(self) -> None:
        """Close the file; it can be read by others then."""
        cast("Any", self.recorder).datastore.close()

    def execute(self, statement: str, *values: object) -> None:
        """Change the database behind the ledger's back."""
        database = sqlite3.connect(self.path)
        with database:
            database.execute(statement, values)
        database.close()

    def tamper(self, topic: str, nth: int = 0, **fields: Any) -> None:
        """Change fields of the nth event of a topic; a field that is None is taken out."""
        database = sqlite3.connect(self.path)
        with database:
            rowid, state = database.execute(
                "SELECT rowid, state FROM stored_events WHERE topic=? ORDER BY rowid LIMIT 1 OFFSET ?",
                (topic + ".v1", nth),
            ).fetchone()
            stored = json.loads(state) | fields
            stored = {key: value for key, value in stored.items() if value is not None}
            database.execute(
                "UPDATE stored_events SET state=? WHERE rowid=?",
                (json.dumps(stored, separators=(",", ":")).encode(), rowid),
            )
        database.close()


def opened(currency: str = "IDR", decimals: int = 0) -> LedgerOpened:
    return LedgerOpened(name="Kemnaker 2020", currency=currency, decimals=decimals)


def person(number: int, category: str = "worker") -> RecipientRegistered:
    return RecipientRegistered(recipient_id=f"R{number:09}", commitment=SHA, category=category)


def paid(number: int, tranche: int = 1, amount: int = 600, batch_id: str = "b1") -> TrancheDisbursed:
    return TrancheDisbursed(
        program="bsu", tranche=tranche, recipient_id=f"R{number:09}", amount=amount, batch_id=batch_id
    )


def step(cls: Any, number: int, tranche: int = 1, amount: int = 600, **fields: Any) -> Any:
    return cls(program="bsu", tranche=tranche, recipient_id=f"R{number:09}", amount=amount, **fields)


def list_sha256(*numbers: int, amount: int = 600) -> str:
    text = "recipient_id,amount\n" + "".join(f"R{number:09},{amount}\n" for number in sorted(numbers))
    return hashlib.sha256(text.encode()).hexdigest()


def keep_case(book: Book) -> Book:
    """A small ledger in which every kind of event stands and every law holds.

    Programs: `jps` over `tkm` (grants), and `bsu` (cash, 600 and 400, ceiling 1,000, for category `worker`).
    Batch b1 pays persons 1 to 5 tranche 1: 1 is settled, 2 returned and open, 3 returned and reissued, 4 returned
    and refunded, 5 reversed and reissued. Batch b2 pays person 1 tranche 2, of 2 rows proposed; 1 refused when run.
    """
    book.add(opened(), by=None)
    book.add(
        OfficerEnrolled(officer_id="siti", roles=(Role.MAKER,)),
        OfficerEnrolled(officer_id="budi", roles=(Role.CHECKER,)),
        OfficerEnrolled(officer_id="agus", roles=(Role.CHECKER, Role.MAKER)),
    )
    book.add(
        ProgramOpened(program="jps", name="Jaring Pengaman Sosial", kind=Kind.UMBRELLA, fiscal_year=2020),
        ProgramOpened(
            program="tkm", parent="jps", name="Tenaga Kerja Mandiri", kind=Kind.GROUP_GRANT, ceiling=5000,
            fiscal_year=2020, report_due_days=30,
        ),
        ProgramOpened(
            program="bsu", name="Bantuan Subsidi Upah", kind=Kind.CASH, ceiling=1000, schedule=(600, 400),
            fiscal_year=2020, categories=("worker",),
        ),
        BudgetSet(program="bsu", budget=9000, previous=0),
        BudgetSet(program="bsu", budget=10000, previous=9000),
        BudgetSet(program="tkm", budget=20000, previous=0),
    )  # fmt: skip
    book.add(*(person(number) for number in range(1, 10)), on="2020-08-01")
    book.add(
        FileProcessed(
            command="recipient-add", file_sha256=SHA, count=9, refused=(RefusedRows(code="nik_invalid", rows=7),)
        ),
        FileProcessed(
            command="recipient-add", file_sha256=SHA, count=9, refused=(RefusedRows(code="nik_invalid", rows=2),)
        ),
        ReferenceUsed(used="letter 1", request_sha256=SHA),
    )
    _pay(book)
    _grant(book)
    _ship(book)
    book.add(
        RecipientReferred(recipient_id="R000000001", scheme="kartu-prakerja", channel=Channel.BP2MI),
        RecipientReferred(recipient_id="R000000002", scheme="kartu-prakerja", channel=Channel.BP2MI),
        RecipientReferred(recipient_id="R000000003", scheme="kartu-prakerja", channel=Channel.P3MI),
        TrainingAttended(recipient_id="R000000006", program="tkm", session_id="s1", group_id="g1"),
        TrainingAttended(recipient_id="R000000006", program="tkm", session_id="s2", group_id="g1"),
        TrainingAttended(recipient_id="R000000009", program="tkm", session_id="s1"),
        SupportReceived(recipient_id="R000000009", program="jps", kind=Kind.INCUBATION),
        OfficerRevoked(officer_id="agus", reason="moved"),
        ProgramClosed(program="jps", reason="year-end"),
    )
    _erase(book)
    return book


def _erase(book: Book) -> None:
    """Person 9 is erased when asked for a second time."""
    request = ErasureRequested(recipient_id="R000000009", maker="siti", reason="asked", legal_basis="UU 27/2022")
    book.add(request)
    book.add(ErasureRejected(recipient_id="R000000009", checker="budi", reason="which person?"), by="budi")
    book.add(DataDisclosed(recipient_id="R000000009", reason="asked"), request)
    book.add(
        RecipientErased(recipient_id="R000000009", checker="budi", reason="asked", legal_basis="UU 27/2022"),
        by="budi",
    )


def _pay(book: Book) -> None:
    book.add(
        BatchProposed(
            batch_id="b1", program="bsu", tranche=1, maker="siti", file_sha256=SHA,
            rows_sha256=list_sha256(1, 2, 3, 4, 5), count=5, total=3000,
            refused=(RefusedRows(code="not_registered", rows=3), RefusedRows(code="duplicate", rows=1)),
        )
    )  # fmt: skip
    book.add(BatchApproved(batch_id="b1", program="bsu", checker="budi"), by="budi")
    book.add(FundsReserved(program="bsu", amount=3000, reserved_for="batch b1"), by="budi")
    # Not in order of recipient, as several processes may pay a batch at once.
    book.add(paid(3), paid(1), paid(2), paid(5), paid(4))
    book.add(
        BatchExecuted(batch_id="b1", program="bsu", count=5, total=3000),
        FundsSpent(program="bsu", amount=3000, reserved_for="batch b1"),
    )
    returned: dict[str, Any] = {"attempt": 1, "recorded_by": "siti"}
    book.add(step(TrancheSettled, 1, attempt=1), on="2020-10-02")
    book.add(
        step(TrancheReturned, 3, return_reason=ReturnReason.CLOSED_ACCOUNT, **returned),
        step(TrancheReturned, 4, return_reason=ReturnReason.CREDITOR_DECEASED, **returned),
        on="2020-10-03",
    )
    book.add(step(TrancheReturned, 2, return_reason=ReturnReason.INCORRECT_ACCOUNT, **returned), on="2020-10-05")
    book.add(step(TrancheReissued, 3, attempt=2, after="return"), on="2020-10-06", by="agus")
    book.add(step(TrancheRefunded, 4, treasury_ref="NTPN 1"), on="2020-10-07")
    book.add(
        step(TrancheReversed, 5, reason="wrong list"),
        FundsRecovered(program="bsu", amount=600, reserved_for="reversed payments"),
        on="2020-10-08",
    )
    book.add(
        FundsReserved(program="bsu", amount=600, reserved_for="reissued payments"),
        step(TrancheReissued, 5, attempt=2, after="reversal"),
        on="2020-10-09",
        by="agus",
    )
    book.add(
        BatchProposed(
            batch_id="b2", program="bsu", tranche=2, maker="agus", file_sha256=SHA,
            rows_sha256=list_sha256(1, 2, amount=400), count=2, total=800,
        ),
        on="2020-10-20", by="agus",
    )  # fmt: skip
    book.add(
        BatchApproved(batch_id="b2", program="bsu", checker="budi"),
        FundsReserved(program="bsu", amount=800, reserved_for="batch b2"),
        on="2020-10-20",
        by="budi",
    )
    book.add(
        paid(1, tranche=2, amount=400, batch_id="b2"),
        BatchExecuted(
            batch_id="b2", program="bsu", count=1, total=400, refused=(RefusedRows(code="already_paid", rows=1),)
        ),
        FundsSpent(program="bsu", amount=400, reserved_for="batch b2"),
        FundsReleased(program="bsu", amount=400, reserved_for="batch b2"),
        on="2020-10-21",
    )
    book.add(
        BatchProposed(
            batch_id="b3", program="bsu", tranche=2, maker="siti", file_sha256=SHA, rows_sha256=SHA, count=1, total=400
        ),
        on="2020-10-22",
    )
    book.add(BatchRejected(batch_id="b3", program="bsu", checker="budi", reason="late"), on="2020-10-22", by="budi")


def _grant(book: Book) -> None:
    papers: dict[str, Any] = {"proposal_ref": "P 1", "decree_ref": "SK 1", "decree_on": date(2020, 9, 1)}
    book.add(
        FundsReserved(program="tkm", amount=9000, reserved_for="groups of tkm"),
        GroupFunded(
            program="tkm", group_id="g1", amount=5000, members=("R000000006", "R000000007"),
            report_due_on=date(2020, 10, 10), **papers,
        ),
        GroupJoined(program="tkm", group_id="g1", recipient_id="R000000006"),
        GroupJoined(program="tkm", group_id="g1", recipient_id="R000000007"),
        GroupFunded(
            program="tkm", group_id="g2", amount=4000, members=("R000000008",),
            report_due_on=date(2020, 10, 31), **papers,
        ),
        GroupJoined(program="tkm", group_id="g2", recipient_id="R000000008"),
        FundsSpent(program="tkm", amount=9000, reserved_for="groups of tkm"),
    )  # fmt: skip
    book.add(AccountabilityReported(program="tkm", group_id="g2", report_ref="LPJ 1"), on="2020-10-12")


def _ship(book: Book) -> None:
    book.add(
        GoodsStocked(item="mask", quantity=1000, unit="piece", origin="BLK Serang"),
        GoodsStocked(item="rice-5kg", quantity=50, unit="bag", origin="Bulog"),
        StockIssued(item="mask", quantity=700, shipment_id="m1"),
        MaskAidShipped(shipment_id="m1", item="mask", quantity=700, country="HK"),
        StockIssued(item="mask", quantity=200, shipment_id="m2"),
        MaskAidShipped(shipment_id="m2", item="mask", quantity=200, country="HK"),
        StockIssued(item="rice-5kg", quantity=20, shipment_id="r1"),
        GoodsAidShipped(shipment_id="r1", item="rice-5kg", quantity=20, country="TW"),
        DeliveryConfirmed(shipment_id="m1", item="mask", quantity=600, country="HK", proof_ref="POD 1"),
        DestinationReopened(country="HK", decree_ref="Kepmenaker 294/2020"),
    )


def crooked(book: Book) -> Book:
    """Steps recorded with dates in another order than they were taken in, and files read again and again."""
    program = ProgramOpened(
        program="bsu", parent="all", name="B", kind=Kind.CASH, fiscal_year=2020, schedule=(600, 400)
    )
    book.add(
        opened(), ProgramOpened(program="all", name="All", kind=Kind.UMBRELLA, fiscal_year=2020), program,
        BudgetSet(program="bsu", budget=9000, previous=0), BudgetSet(program="bsu", budget=7000, previous=9000),
    )  # fmt: skip
    book.add(*(person(number) for number in range(1, 5)))
    back: dict[str, Any] = {"return_reason": ReturnReason.CLOSED_ACCOUNT, "recorded_by": "siti"}
    book.add(paid(1), paid(2), on="2020-10-10")
    book.add(paid(3), paid(4), paid(3, tranche=2, amount=400), on="2020-10-02")
    book.add(step(TrancheSettled, 1, attempt=1), step(TrancheSettled, 3, attempt=1), on="2020-10-05")
    book.add(step(TrancheReturned, 1, attempt=1, **back), on="2020-10-03")
    book.add(step(TrancheReissued, 1, attempt=2, after="return"), on="2020-10-20")
    book.add(step(TrancheReturned, 1, attempt=2, **back), on="2020-10-04")
    book.add(step(TrancheReissued, 1, attempt=3, after="return"), step(TrancheSettled, 1, attempt=3), on="2020-10-06")
    book.add(step(TrancheReversed, 2, reason="wrong list"), step(TrancheReversed, 3, reason="w"), on="2020-10-04")
    book.add(step(TrancheReissued, 2, attempt=2, after="reversal"), on="2020-10-01")
    book.add(SupportReceived(recipient_id="R000000002", program="bsu", kind=Kind.COMPANION), on="2020-10-07")
    book.add(step(TrancheReversed, 4, reason="wrong list"), on="2020-10-08")
    papers: dict[str, Any] = {"proposal_ref": "P 1", "decree_ref": "SK 1", "decree_on": date(2020, 9, 1)}
    book.add(
        # A roster of which nobody joined, and somebody who joined where nobody was funded.
        GroupFunded(
            program="empty", group_id="g1", amount=1, members=("R000000001",), report_due_on=date(2020, 10, 10), **papers
        ),
        GroupJoined(program="lost", group_id="g2", recipient_id="R000000002"),
        AccountabilityReported(program="empty", group_id="g1", report_ref="LPJ 1"),
        AccountabilityReported(program="empty", group_id="g1", report_ref="LPJ 2"),
        # A bank that confirms one payment again and again.
        paid(4, tranche=2, amount=400), step(TrancheSettled, 4, tranche=2, amount=400, attempt=1),
        step(TrancheSettled, 4, tranche=2, amount=400, attempt=1),
    )  # fmt: skip
    for rows in ((5, 2), (1, 0), (0, 7)):
        refused = tuple(
            RefusedRows(code=code, rows=count) for code, count in zip(("a_code", "b_code"), rows, strict=True) if count
        )
        book.add(FileProcessed(command="recipient-add", file_sha256="0" * 64, count=9, refused=refused))
    return book


def break_laws(book: Book) -> Book:
    """The small ledger of `keep_case` with every law of its events broken, and rows without what they are told apart by."""
    keep_case(book)
    levels = [f"level-{level}" for level in range(1, 9)]
    book.add(
        *(
            ProgramOpened(program=code, parent=parent, name="N", kind=Kind.UMBRELLA, fiscal_year=2020)
            for parent, code in zip([None, *levels], levels, strict=False)
        ),
        GroupFunded(
            program="level-8", group_id="g3", amount=7, members=("R000000001",), proposal_ref="P", decree_ref="D",
            decree_on=date(2021, 1, 4), report_due_on=date(2021, 1, 4),
        ),
    )  # fmt: skip
    book.add(person(20), at=START + timedelta(seconds=1, microseconds=20_300))
    book.add(paid(2), paid(6), paid(7, batch_id="none"), paid(77), step(TrancheRefunded, 1, treasury_ref="NTPN 2"))
    book.add(ProgramClosed(program="bsu", reason="year-end"))
    book.add(RulesAdopted(edition=1, events_adopted=9, root=SHA), BudgetSet(program="tkm", budget=1, previous=20000))
    book.add(BudgetSet(program="level-1", budget=5, previous=0), BudgetSet(program="level-2", budget=6, previous=0))
    book.add(FundsReserved(program="bsu", amount=99_999, reserved_for="batch x"))
    book.add(RecipientErased(recipient_id="R000000009", checker="siti", reason="asked", legal_basis="UU 27/2022"))
    book.add(GroupJoined(program="tkm", group_id="g1", recipient_id="R000000001"))
    book.add(
        MaskAidShipped(shipment_id="m3", item="mask", quantity=101, country="MY"),
        DeliveryConfirmed(shipment_id="m1", item="mask", quantity=101, country="HK", proof_ref="POD 2"),
    )
    book.tamper("TrancheReissued", by="siti")
    book.tamper("BatchProposed", rows_sha256=SHA)
    book.tamper("FundsReserved", amount=None)
    book.tamper("MaskAidShipped", nth=1, country=None)
    book.tamper("RecipientReferred", nth=1, scheme=None)
    book.tamper("FileProcessed", command=None)
    book.tamper("DestinationReopened", country=None)
    book.execute("UPDATE stored_events SET originator_version=9 WHERE topic='TrancheSettled.v1'")
    book.execute("DELETE FROM stored_events WHERE topic='StockIssued.v1' AND originator_id='stock/rice-5kg'")
    return book
