"""The records of all reports, and of the relations that they read. A new report is added here, beside its SQL."""

from ledger.console.columns import Column, Holds, Layout, column, columns
from projections.reports.record import Projection, Relation, Report

_RELATIONS = (
    Relation(name="schedules", keys=("program", "tranche"), columns=columns("program tranche amount")),
    Relation(
        name="offices",
        keys=("officer_id", "role", "since"),
        columns=columns(
            Column("officer_id", Holds.TEXT, "Officer", "Petugas"),
            Column("role", Holds.TEXT, "Role", "Peran"),
            Column("since", Holds.DIGITS, "Since event", "Sejak peristiwa"),
            Column("until", Holds.DIGITS, "Until event", "Sampai peristiwa"),
        ),
        is_read_alone=True,
    ),
    Relation(name="branches", keys=("program", "member"), columns=columns("program member"), is_read_alone=True),
    Relation(
        name="disbursements",
        keys=("program", "tranche", "recipient_id"),
        columns=columns(
            "program tranche recipient_id",
            Column("recipient", Holds.DIGITS, "Recipient's number", "Nomor penerima"),
            "stream amount batch_id disbursed_on state attempt disbursed returned reissued refunded returned_version",
            Column("last_version", Holds.DIGITS, "Last version", "Versi terakhir"),
        ),
    ),
    Relation(
        name="payments",
        keys=("program", "tranche", "recipient_id"),
        columns=columns(
            "program tranche recipient_id amount batch_id state attempt disbursed returned reissued refunded settled",
            "disbursed_on stream returned_version",
        ),
        is_read_alone=True,
    ),
    Relation(
        name="helped",
        keys=("program", "kind", "is_paid", "block"),
        columns=columns(
            "program kind",
            Column("is_paid", Holds.FLAG, "By a payment", "Dengan pembayaran"),
            Column("block", Holds.DIGITS, "Block of 32 people", "Blok 32 orang"),
            Column("people", Holds.DIGITS, "People as bits", "Orang sebagai bit"),
        ),
    ),
    Relation(
        name="postings",
        keys=("log_index", "posting"),
        columns=columns("log_index posting event effective_on account commodity quantity stream"),
        is_by_event=True,
        is_read_alone=True,
    ),
)

_REPORTS = (
    Report(
        name="programs",
        tells="One line a program: budget, reserved, disbursed, returned, refunded, people.",
        keys=("program",),
        columns=columns(
            "program parent name kind budget ceiling reserved disbursed returned refunded recipients groups people",
            "available fiscal_year is_closed disbursed_in_all groups_in_all people_in_all",
        ),
        not_sums={"ceiling": "it is a term that the program was opened with"},
        layout=Layout(parent="parent", more=columns("used")),
    ),
    Report(
        name="tranches",
        tells="One line a tranche: payments and what became of them.",
        keys=("program", "tranche"),
        columns=columns("program tranche amount payments disbursed returned reissued settled refunded open_returns"),
        not_sums={"amount": "it is a term of the program's schedule"},
    ),
    Report(
        name="balances",
        tells="One line a recipient and program: entitled, disbursed, outstanding.",
        keys=("recipient_id", "program"),
        columns=columns("recipient_id program entitled disbursed returned outstanding refunded"),
    ),
    Report(
        name="groups",
        tells="Group grants by program, with the accountability reports (LPJ) still owed.",
        keys=("program",),
        columns=columns("program groups people funded reports_due reports_overdue reports_given"),
    ),
    Report(
        name="aid",
        tells="Goods shipped and delivered, by item and destination.",
        keys=("item", "country"),
        columns=columns("item country", column("quantity").added_up(), "shipments delivered in_transit unit"),
        layout=Layout(one_of="item"),
    ),
    Report(
        name="people",
        tells="People helped, by program and kind of help.",
        keys=("program", "kind"),
        columns=columns("program kind people"),
    ),
    Report(
        name="returns",
        tells="Returned payments still open, oldest first.",
        keys=("payment_id",),
        columns=columns(
            "payment_id program tranche recipient_id",
            column("amount").added_up(),
            "return_reason returned_on age_days",
        ),
        not_sums={"age_days": "it is the distance between two dates"},
    ),
    Report(
        name="refusals",
        tells="Rows refused, by command and reason.",
        keys=("command", "program", "reason"),
        columns=columns("command program reason rows"),
    ),
    Report(
        name="referrals",
        tells="People referred to other schemes, by channel.",
        keys=("scheme", "channel"),
        columns=columns("scheme channel people"),
    ),
    Report(
        name="training",
        tells="Sessions held and people reached, by program.",
        keys=("program",),
        # A group may be trained by several programs.
        columns=columns("program sessions people attendances", column("groups").not_added_up()),
    ),
    Report(
        name="destinations",
        tells="Countries reopened for placement.",
        keys=("country",),
        columns=columns("country decree_ref reopened_on"),
    ),
    Report(
        name="batches",
        tells="Batches, who proposed and who approved them.",
        keys=("batch_id",),
        columns=columns(
            "batch_id program tranche status maker checker count total refused paid_count paid_total proposed_on"
        ),
    ),
    Report(
        name="trial-balance",
        tells="Debits, credits and balance of every account.",
        keys=("account", "commodity"),
        columns=columns("account commodity debit credit balance"),
        layout=Layout(one_of="commodity"),
    ),
    Report(
        name="journal",
        tells="Every posting, as a journal that hledger reads.",
        keys=("log_index", "posting"),
        columns=columns("log_index posting event effective_on description account commodity quantity decimals"),
        is_by_event=True,
    ),
)

RELATIONS: dict[str, Relation] = {each.name: each for each in _RELATIONS}
"""Relations by name; each reads only those before it."""
REPORTS: dict[str, Report] = {each.name: each for each in _REPORTS}
"""Reports by name, in the order of the help."""
PROJECTIONS: dict[str, Projection] = {**RELATIONS, **REPORTS}


def read_alone() -> list[str]:
    """The reports, and the relations that tell something without one, by name."""
    return sorted([*REPORTS, *(name for name, each in RELATIONS.items() if each.is_read_alone)])
