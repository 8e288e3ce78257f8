"""For each law: rows that break one of its branches alone, and the nearest rows that keep it."""

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any

from tests.projections.law_rows import Row, row

SITI = row("OfficerEnrolled", officer_id="siti", roles=["maker"])
BUDI = row("OfficerEnrolled", officer_id="budi", roles=["checker"])
OFFICE = (SITI, BUDI)


def proposed(**values: Any) -> Row:
    return row(
        "BatchProposed",
        **{"batch_id": "b", "program": "p", "tranche": 1, "maker": "siti", "count": 2, "total": 9} | values,
    )


def approved(**values: Any) -> Row:
    return row("BatchApproved", **{"batch_id": "b", "program": "p", "checker": "budi"} | values)


def paid(**values: Any) -> Row:
    return row(
        "TrancheDisbursed",
        **{"batch_id": "b", "program": "p", "tranche": 1, "recipient_id": "R1", "amount": 5} | values,
    )


def revoked(officer_id: str) -> Row:
    return row("OfficerRevoked", officer_id=officer_id)


Case = tuple[str, Sequence[Row], list[str]]
"""What is tried, the events, and what the law then says."""

CHECKER_SITI = SITI | {"roles": ["checker"]}
NO_MAKER, NO_CHECKER = "siti was no maker in office at batch b", "budi was no checker in office at batch b"


def roles(officer_id: str, role: str) -> Row:
    return row("RolesChanged", officer_id=officer_id, roles=[role])


APPROVED_BY_TWO: list[Case] = [
    ("kept", [*OFFICE, proposed(), approved(), paid()], []),
    ("maker's role given before", [BUDI, CHECKER_SITI, roles("siti", "maker"), proposed(), approved(), paid()], []),
    (
        "maker's role given later",
        [BUDI, CHECKER_SITI, proposed(), roles("siti", "maker"), approved(), paid()],
        [NO_MAKER],
    ),
    ("maker's role taken before", [*OFFICE, roles("siti", "checker"), proposed(), approved(), paid()], [NO_MAKER]),
    ("maker's role taken later", [*OFFICE, proposed(), roles("siti", "checker"), approved(), paid()], []),
    ("checker's role taken", [*OFFICE, proposed(), roles("budi", "maker"), approved(), paid()], [NO_CHECKER]),
    ("no batch", [*OFFICE, approved(), paid()], ["no batch b was proposed"]),
    ("no batch named", [*OFFICE, proposed(), approved(), paid(batch_id=None)], ["no batch (none) was proposed"]),
    ("program", [*OFFICE, proposed(), approved(), paid(program="q")], ["batch b is for another program or tranche"]),
    ("tranche", [*OFFICE, proposed(), approved(), paid(tranche=2)], ["batch b is for another program or tranche"]),
    ("grants", [*OFFICE, proposed(tranche=None), approved(), paid()], ["batch b is for another program or tranche"]),
    ("not approved", [*OFFICE, proposed(), paid()], ["batch b was not approved before"]),
    ("approved later", [*OFFICE, proposed(), paid(), approved()], ["batch b was not approved before"]),
    ("approved before proposed", [*OFFICE, approved(), proposed(), paid()], ["batch b was not approved before"]),
    ("another approved", [*OFFICE, proposed(), approved(batch_id="c"), paid()], ["batch b was not approved before"]),
    (
        "one officer",
        [
            row("OfficerEnrolled", officer_id="siti", roles=["maker", "checker"]),
            proposed(),
            approved(checker="siti"),
            paid(),
        ],
        ["siti proposed and approved batch b"],
    ),
    ("no maker", [BUDI, proposed(), approved(), paid()], ["siti was no maker in office at batch b"]),
    ("maker later", [BUDI, proposed(), SITI, approved(), paid()], ["siti was no maker in office at batch b"]),
    (
        "maker revoked",
        [*OFFICE, revoked("siti"), proposed(), approved(), paid()],
        ["siti was no maker in office at batch b"],
    ),
    ("maker revoked afterwards", [*OFFICE, proposed(), revoked("siti"), approved(), paid()], []),
    ("another revoked", [*OFFICE, revoked("agus"), proposed(), approved(), paid()], []),
    (
        "maker is a checker",
        [SITI | {"roles": ["checker"]}, BUDI, proposed(), approved(), paid()],
        ["siti was no maker in office at batch b"],
    ),
    ("no checker", [SITI, proposed(), approved(), paid()], ["budi was no checker in office at batch b"]),
    ("checker later", [SITI, proposed(), approved(), BUDI, paid()], ["budi was no checker in office at batch b"]),
    (
        "checker revoked",
        [*OFFICE, proposed(), revoked("budi"), approved(), paid()],
        ["budi was no checker in office at batch b"],
    ),
    ("checker revoked afterwards", [*OFFICE, proposed(), approved(), revoked("budi"), paid()], []),
    (
        "checker revoked twice",
        [*OFFICE, revoked("budi"), proposed(), approved(), revoked("budi"), paid()],
        ["budi was no checker in office at batch b"],
    ),
    (
        "maker revoked twice",
        [*OFFICE, revoked("siti"), proposed(), revoked("siti"), approved(), paid()],
        ["siti was no maker in office at batch b"],
    ),
    (
        "checker is a maker",
        [SITI, BUDI | {"roles": ["maker"]}, proposed(), approved(), paid()],
        ["budi was no checker in office at batch b"],
    ),
    (
        "rejected",
        [*OFFICE, proposed(), approved(), row("BatchRejected", batch_id="b"), paid()],
        ["batch b was rejected"],
    ),
    ("another rejected", [*OFFICE, proposed(), approved(), row("BatchRejected", batch_id="c"), paid()], []),
    (
        "called off before",
        [*OFFICE, proposed(), approved(), row("BatchCancelled", batch_id="b"), paid()],
        ["batch b was called off before"],
    ),
    ("called off afterwards", [*OFFICE, proposed(), approved(), paid(), row("BatchCancelled", batch_id="b")], []),
    ("another called off", [*OFFICE, proposed(), approved(), row("BatchCancelled", batch_id="c"), paid()], []),
    ("approved twice", [*OFFICE, proposed(), approved(), paid(), approved()], []),
    ("approved again by the maker", [*OFFICE, proposed(), approved(), paid(), approved(checker="siti")], []),
    (
        "approved first by nobody in office",
        [*OFFICE, proposed(), approved(checker="zara"), approved(), paid()],
        ["zara was no checker in office at batch b"],
    ),
]
BATCHES_KEPT: list[Case] = [
    ("nothing paid", [proposed()], []),
    ("as proposed", [proposed(total=10), paid(), paid()], []),
    ("one too many", [proposed(count=1, total=10), paid(), paid()], ["2 payments of 10 paid, 1 of 10 proposed"]),
    ("too much", [proposed(), paid(), paid()], ["2 payments of 10 paid, 2 of 9 proposed"]),
    ("of another batch", [proposed(), paid(), paid(batch_id="c")], []),
    ("executed", [proposed(), paid(), row("BatchExecuted", batch_id="b", count=1, total=5)], []),
    ("called off", [proposed(), paid(), row("BatchCancelled", batch_id="b", count=1, total=5)], []),
    (
        "called off as fewer",
        [proposed(), paid(), row("BatchCancelled", batch_id="b", count=0, total=5)],
        ["1 payments of 5 paid, executed as 0 of 5"],
    ),
    (
        "executed as fewer",
        [proposed(), paid(), row("BatchExecuted", batch_id="b", count=0, total=5)],
        ["1 payments of 5 paid, executed as 0 of 5"],
    ),
    (
        "executed as less",
        [proposed(), paid(), row("BatchExecuted", batch_id="b", count=1, total=4)],
        ["1 payments of 5 paid, executed as 1 of 4"],
    ),
    ("executed and nothing paid", [proposed(), row("BatchExecuted", batch_id="b", count=0, total=0)], []),
    (
        "executed as paid, nothing paid",
        [proposed(), row("BatchExecuted", batch_id="b", count=0, total=1)],
        ["0 payments of 0 paid, executed as 0 of 1"],
    ),
    (
        "executed as some, nothing paid",
        [proposed(), row("BatchExecuted", batch_id="b", count=1, total=0)],
        ["0 payments of 0 paid, executed as 1 of 0"],
    ),
    ("another executed", [proposed(), paid(), row("BatchExecuted", batch_id="c", count=7, total=7)], []),
]
TERMS = row("ProgramOpened", program="p", schedule=[5, 4], ceiling=9, fiscal_year=2020)
OTHER = row("ProgramOpened", program="q", schedule=[5, 4], ceiling=1, fiscal_year=2021)
AMENDED = row("ProgramAmended", program="p", schedule=[5, 1, 2], ceiling=9)
GRANT_OF_9 = row("GroupFunded", program="p", group_id="g", amount=9)
CEILINGS_KEPT: list[Case] = [
    ("at the tranche and the ceiling", [TERMS, OTHER, paid(), paid(tranche=2, amount=4)], []),
    ("over the tranche", [TERMS, paid(tranche=2, amount=5)], ["5 paid, the tranche is 4"]),
    ("no such tranche", [TERMS, paid(tranche=3, amount=1)], ["the program has no such tranche"]),
    ("under other terms since", [TERMS, paid(tranche=2, amount=4), AMENDED, paid(tranche=3, amount=2)], []),
    ("over what the terms say since", [TERMS, AMENDED, paid(tranche=2, amount=4)], ["4 paid, the tranche is 1"]),
    ("before other terms", [TERMS, paid(tranche=3, amount=2), AMENDED], ["the program has no such tranche"]),
    ("over the ceiling of other terms", [TERMS, AMENDED | {"ceiling": 4}, paid()], ["5 in all, the ceiling is 4"]),
    ("a group before other terms", [TERMS, GRANT_OF_9, AMENDED | {"ceiling": 4}], []),
    ("a group under other terms", [TERMS, AMENDED | {"ceiling": 4}, GRANT_OF_9], ["9 granted, the ceiling is 4"]),
    ("no such program", [TERMS, paid(program="r", amount=1)], ["the program has no such tranche"]),
    ("over the ceiling", [TERMS | {"ceiling": 8}, paid(), paid(tranche=2, amount=4)], ["9 in all, the ceiling is 8"]),
    ("each below", [TERMS | {"ceiling": 8}, paid(), paid(tranche=2, amount=4, recipient_id="R2")], []),
    (
        "each program",
        [TERMS | {"ceiling": 8}, OTHER | {"ceiling": 8}, paid(), paid(program="q", tranche=2, amount=4)],
        [],
    ),
    (
        "reversed before",
        [TERMS | {"ceiling": 8}, paid(), paid() | {"event": "TrancheReversed"}, paid(tranche=2, amount=4)],
        [],
    ),
    (
        "paid again after a reversal",
        [
            TERMS | {"ceiling": 8},
            paid(),
            paid() | {"event": "TrancheReversed"},
            paid(tranche=2, amount=4),
            paid() | {"event": "TrancheReissued", "after": "reversal"},
        ],
        ["9 in all, the ceiling is 8"],
    ),
    (
        "paid again after a return",
        [TERMS | {"ceiling": 5}, paid(), paid() | {"event": "TrancheReissued", "after": "return"}],
        [],
    ),
    ("no ceiling", [TERMS | {"ceiling": None}, paid(), paid(tranche=2, amount=4)], []),
    ("granted", [TERMS, OTHER, row("GroupFunded", program="p", amount=9)], []),
    (
        "granted too much",
        [TERMS, OTHER | {"ceiling": 99}, row("GroupFunded", program="p", amount=10)],
        ["10 granted, the ceiling is 9"],
    ),
    ("granted by nothing", [TERMS, row("GroupFunded", program="r", amount=1)], ["the program was never opened"]),
]
ASKED = row("ErasureRequested", recipient_id="R1", maker="siti")
ERASED = row("RecipientErased", recipient_id="R1", checker="budi")
ERASED_BY_TWO: list[Case] = [
    ("kept", [*OFFICE, ASKED, ERASED], []),
    ("not asked for", [*OFFICE, ERASED], ["no erasure of R1 waited for a decision"]),
    (
        "asked for another",
        [*OFFICE, ASKED | {"recipient_id": "R2"}, ERASED],
        ["no erasure of R1 waited for a decision"],
    ),
    (
        "rejected",
        [*OFFICE, ASKED, row("ErasureRejected", recipient_id="R1"), ERASED],
        ["no erasure of R1 waited for a decision"],
    ),
    ("asked again after a rejection", [*OFFICE, ASKED, row("ErasureRejected", recipient_id="R1"), ASKED, ERASED], []),
    ("another rejected", [*OFFICE, ASKED, row("ErasureRejected", recipient_id="R2"), ERASED], []),
    ("twice", [*OFFICE, ASKED, ERASED, ASKED, ERASED], ["R1 was erased before"]),
    ("two people", [*OFFICE, ASKED, ERASED, ASKED | {"recipient_id": "R2"}, ERASED | {"recipient_id": "R2"}], []),
    (
        "one officer",
        [row("OfficerEnrolled", officer_id="siti", roles=["maker", "checker"]), ASKED, ERASED | {"checker": "siti"}],
        ["siti asked for and approved the erasure"],
    ),
    ("no maker", [BUDI, ASKED, ERASED], ["siti was no maker in office"]),
    ("maker later", [BUDI, ASKED, SITI, ERASED], ["siti was no maker in office"]),
    ("maker is a checker", [SITI | {"roles": ["checker"]}, BUDI, ASKED, ERASED], ["siti was no maker in office"]),
    ("maker revoked", [*OFFICE, revoked("siti"), ASKED, ERASED], ["siti was no maker in office"]),
    ("maker revoked afterwards", [*OFFICE, ASKED, revoked("siti"), ERASED], []),
    ("no checker", [SITI, ASKED, ERASED], ["budi was no checker in office"]),
    ("checker later", [SITI, ASKED, ERASED, BUDI], ["budi was no checker in office"]),
    ("checker is a maker", [SITI, BUDI | {"roles": ["maker"]}, ASKED, ERASED], ["budi was no checker in office"]),
    ("checker revoked", [*OFFICE, ASKED, revoked("budi"), ERASED], ["budi was no checker in office"]),
    ("checker revoked afterwards", [*OFFICE, ASKED, ERASED, revoked("budi")], []),
]


def goods(event: str, quantity: int, **values: Any) -> Row:
    return row(event, **{"item": "mask", "quantity": quantity, "shipment_id": "m1", "country": "HK"} | values)


GOODS_KEPT: list[Case] = [
    ("all shipped and delivered", [goods("GoodsStocked", 5), goods("MaskAidShipped", 5), goods("DeliveryConfirmed", 5)], []),
    ("masks over the stock", [goods("GoodsStocked", 5), goods("MaskAidShipped", 6)], ["1 more mask shipped than in stock"]),
    ("goods over the stock", [goods("GoodsStocked", 5), goods("GoodsAidShipped", 6)], ["1 more mask shipped than in stock"]),
    ("written off", [goods("GoodsStocked", 5), goods("StockAdjusted", 2), goods("MaskAidShipped", 3)], []),
    ("shipped after it was written off", [goods("GoodsStocked", 5), goods("StockAdjusted", 2), goods("MaskAidShipped", 4)], ["1 more mask shipped than in stock"]),
    ("too much written off", [goods("GoodsStocked", 5), goods("StockAdjusted", 6)], ["1 more mask written off than in stock"]),
    ("stocked later", [goods("MaskAidShipped", 6), goods("GoodsStocked", 6)], ["6 more mask shipped than in stock"]),
    ("another item in stock", [goods("GoodsStocked", 9, item="rice"), goods("MaskAidShipped", 6)], ["6 more mask shipped than in stock"]),
    ("delivered too much", [goods("GoodsStocked", 9), goods("MaskAidShipped", 5), goods("DeliveryConfirmed", 6)], ["1 more mask delivered than shipped"]),
    ("goods delivered", [goods("GoodsStocked", 9), goods("GoodsAidShipped", 5), goods("DeliveryConfirmed", 5)], []),
    ("delivered before", [goods("GoodsStocked", 9), goods("DeliveryConfirmed", 5), goods("MaskAidShipped", 5)], ["5 more mask delivered than shipped"]),
    *(
        (f"another {field}", [goods("GoodsStocked", 9), goods("MaskAidShipped", 5), goods("DeliveryConfirmed", 5, **{field: "other"})], [f"5 more {'other' if field == 'item' else 'mask'} delivered than shipped"])
        for field in ("shipment_id", "item", "country")
    ),
]  # fmt: skip
FUNDED = row(
    "GroupFunded",
    program="p",
    group_id="g",
    members=["R1", "R2"],
    proposal_ref="P 1",
    decree_ref="D",
    decree_on=date(2020, 5, 1),
)
JOINED = [row("GroupJoined", program="p", group_id="g", recipient_id=each) for each in ("R1", "R2")]
ONE_GROUP_EACH: list[Case] = [
    ("kept", [FUNDED, *JOINED], []),
    ("twice on the roster", [FUNDED | {"members": ["R1", "R1", "R2"]}, *JOINED], []),
    ("not on the roster", [FUNDED | {"members": ["R1"]}, *JOINED], ["R2 is not on the roster of group g"]),
    (
        "on another group's",
        [FUNDED | {"group_id": "h"}, *JOINED],
        ["R1 is not on the roster of group g", "R2 is not on the roster of group g"],
    ),
    (
        "on another program's",
        [FUNDED | {"program": "q"}, *JOINED],
        ["R1 is not on the roster of group g", "R2 is not on the roster of group g"],
    ),
    (
        "in two groups",
        [FUNDED, *JOINED, FUNDED | {"group_id": "h"}, JOINED[0] | {"group_id": "h"}],
        ["R1 joined a group of p before"],
    ),
    ("in a group of each program", [FUNDED, *JOINED, FUNDED | {"program": "q"}, JOINED[0] | {"program": "q"}], []),
]
IN_BATCH = FUNDED | {"batch_id": "b"}
TAKEN = row("ProposalTaken", program="p", group_id="g", proposal_key=hashlib.sha256(b"p 1").hexdigest())
GROUPS_PAPERED: list[Case] = [
    ("kept", [TERMS, OTHER, FUNDED, *JOINED], []),
    ("no program", [OTHER, FUNDED, *JOINED], ["the program was never opened"]),
    ("no proposal", [TERMS, FUNDED | {"proposal_ref": None}, *JOINED], ["no proposal"]),
    ("an empty proposal", [TERMS, FUNDED | {"proposal_ref": ""}, *JOINED], ["no proposal"]),
    ("no decree", [TERMS, FUNDED | {"decree_ref": None}, *JOINED], ["no decree"]),
    ("an empty decree", [TERMS, FUNDED | {"decree_ref": ""}, *JOINED], ["no decree"]),
    ("no date", [TERMS, FUNDED | {"decree_on": None}, *JOINED], ["no decree"]),
    ("another year", [TERMS, FUNDED | {"decree_on": date(2019, 12, 31)}, *JOINED], ["the decree is dated 2019-12-31, outside fiscal year 2020"]),
    ("no roster", [TERMS, FUNDED | {"members": []}], ["no roster"]),
    ("one not bound", [TERMS, FUNDED, JOINED[0]], ["1 members are not bound to the group"]),
    ("none bound", [TERMS, FUNDED], ["2 members are not bound to the group"]),
    ("bound to another group", [TERMS, FUNDED, JOINED[0], JOINED[1] | {"group_id": "h"}], ["1 members are not bound to the group"]),
    ("bound in another program", [TERMS, FUNDED, JOINED[0], JOINED[1] | {"program": "q"}], ["1 members are not bound to the group"]),
    ("one bound twice", [TERMS, FUNDED, JOINED[0], JOINED[0]], ["1 members are not bound to the group"]),
    ("two groups", [TERMS, FUNDED, *JOINED, FUNDED | {"group_id": "h", "members": ["R3"]}, row("GroupJoined", program="p", group_id="h", recipient_id="R3")], []),
    ("its own proposal", [TERMS, IN_BATCH, *JOINED, TAKEN], []),
    ("a proposal of another group", [TERMS, FUNDED, *JOINED, TAKEN | {"group_id": "h"}], ["proposal P 1 is that of group h"]),
    ("a proposal of another program's group", [TERMS, FUNDED, *JOINED, TAKEN | {"group_id": "h", "program": "q"}], []),
    ("a proposal that is not bound", [TERMS, IN_BATCH, *JOINED], ["proposal P 1 is not bound to the group"]),
]  # fmt: skip
PERSON = row("RecipientRegistered", recipient_id="R1", category="worker")
FOR_WORKERS = TERMS | {"categories": ["worker"]}
NOT_ELIGIBLE = "category worker is not among those of the program"
FOR_PMI = row("ProgramAmended", program="p", categories=["pmi"])
RECIPIENTS_ELIGIBLE: list[Case] = [
    ("kept", [PERSON, FOR_WORKERS, paid()], []),
    ("for all", [PERSON, TERMS, paid()], []),
    ("for none named", [PERSON, TERMS | {"categories": []}, paid()], []),
    ("not registered", [FOR_WORKERS, paid()], ["R1 was not registered before"]),
    ("registered later", [FOR_WORKERS, paid(), PERSON], ["R1 was not registered before"]),
    ("another registered", [PERSON | {"recipient_id": "R2"}, FOR_WORKERS, paid()], ["R1 was not registered before"]),
    ("no program", [PERSON, paid()], ["the program was not opened before"]),
    ("opened later", [PERSON, paid(), FOR_WORKERS], ["the program was not opened before"]),
    ("another opened", [PERSON, OTHER, paid()], ["the program was not opened before"]),
    ("another category", [PERSON, TERMS | {"categories": ["pmi"]}, paid()], [NOT_ELIGIBLE]),
    ("two categories", [PERSON, TERMS | {"categories": ["pmi", "worker"]}, paid()], []),
    ("paid again", [TERMS, paid() | {"event": "TrancheReissued"}], []),
    ("before other terms", [PERSON, FOR_WORKERS, paid(), FOR_PMI], []),
    ("after other terms", [PERSON, FOR_WORKERS, FOR_PMI, paid()], [NOT_ELIGIBLE]),
    ("other terms of another program", [PERSON, FOR_WORKERS, FOR_PMI | {"program": "q"}, paid()], []),
]


def after(event: str, **values: Any) -> Row:
    """A step of the payment that lies in one stream."""
    return paid(**{"stream": "payment/1"} | values) | {"event": event}


FIRST = paid(stream="payment/1")
PAID_ONCE: list[Case] = [
    ("once", [FIRST], []),
    ("each once", [FIRST, paid(stream="payment/2")], []),
    ("again", [FIRST, FIRST | {"version": 2}], ["paid again"]),
    ("as a later version", [FIRST | {"version": 2}], ["paid as version 2"]),
    ("a step alone", [after("TrancheSettled")], ["TrancheSettled without a payment"]),
    ("another amount", [FIRST, after("TrancheSettled", amount=4)], ["TrancheSettled of 4, paid 5"]),
    ("no amount", [FIRST, after("TrancheSettled", amount=None)], ["TrancheSettled of nothing, paid 5"]),
    ("no first amount", [FIRST | {"amount": None}], ["TrancheDisbursed of nothing, paid nothing"]),
]  # fmt: skip
FOLLOWS = {
    "TrancheSettled": {"TrancheDisbursed", "TrancheReissued"},
    "TrancheReversed": {"TrancheDisbursed", "TrancheReissued"},
    "TrancheReturned": {"TrancheDisbursed", "TrancheReissued", "TrancheSettled"},
    "TrancheRefunded": {"TrancheReturned"},
    "TrancheReissued after return": {"TrancheReturned"},
    "TrancheReissued after reversal": {"TrancheReversed"},
}
"""Step → what it may follow."""
REISSUED = row("TrancheReissued", stream="payment/1", after="return", officer="budi")
RETURNED = row("TrancheReturned", stream="payment/1", recorded_by="siti")
REISSUED_BY_ANOTHER: list[Case] = [
    ("another", [RETURNED, REISSUED], []),
    ("the same", [RETURNED, REISSUED | {"officer": "siti"}], ["siti recorded the return and paid again"]),
    ("nobody", [RETURNED, REISSUED | {"officer": None}], ["no officer named"]),
    ("agreed to", [RETURNED, REISSUED | {"officer": "siti", "agreement": "batch/b@1"}], []),
    ("of another payment", [RETURNED | {"stream": "payment/2"}, REISSUED | {"officer": "siti"}], []),
    ("after a reversal", [RETURNED, REISSUED | {"officer": "siti", "after": "reversal"}], []),
    (
        "of a later attempt",
        [RETURNED, REISSUED, RETURNED | {"recorded_by": "agus"}, REISSUED | {"officer": "agus"}],
        ["agus recorded the return and paid again"],
    ),
]
CLOSED = row("ProgramClosed", program="p")
CLOSED_IS_CLOSED: list[Case] = [
    ("before", [paid(), CLOSED], []),
    ("after", [CLOSED, paid()], ["TrancheDisbursed after the program was closed"]),
    ("another program", [CLOSED, paid(program="q")], []),
    ("closed twice", [CLOSED, paid(), CLOSED], ["TrancheDisbursed after the program was closed"]),
    (
        "again after a reversal",
        [CLOSED, row("TrancheReissued", program="p", after="reversal")],
        ["TrancheReissued after the program was closed"],
    ),
    ("again after a return", [CLOSED, row("TrancheReissued", program="p", after="return")], []),
]
NEED_OPEN = {"BudgetSet", "ProgramAmended", "FundsReserved", "TrancheDisbursed", "GroupFunded"}
"""The events that a closed program takes no more, beside a payment again after a reversal."""
ACT = row("ActProposed", subject="program/p", version=1, kind="programs", words=1, proposer="siti", act_sha256="a")
WORD = row("ActAgreed", subject="program/p", version=2, proposal=1, checker="budi", act_sha256="a")
RULES = (
    ACT | {"subject": "rules", "kind": "rules"},
    WORD | {"subject": "rules"},
    row("RulesAdopted", agreement="rules@1"),
)
DONE = row("BudgetSet", program="p", agreement="program/p@1")
NEW_KEY = row("OfficerKeyReplaced", officer_id="budi")
NEW_KEY_ALONE = "OfficerKeyReplaced without an agreement"
ALONE = "OfficerRevoked without an agreement"
NO_WORD = ["0 of 1 words were given"]
LISTED = (
    ACT | {"subject": "batch/b", "kind": "batches"},
    WORD | {"subject": "batch/b", "is_last": True},
)
GRANTED = row("GroupFunded", program="p", group_id="g", agreement="batch/b@1")
AWAITS = row("LedgerOpened", rules_edition=1)
ACTS_AGREED: list[Case] = [
    ("kept", [*RULES, ACT, WORD, DONE], []),
    ("before the rules", [DONE | {"agreement": None}, *RULES], []),
    ("no rules", [DONE | {"agreement": None}], []),
    ("alone", [*RULES, DONE | {"agreement": None}], ["BudgetSet without an agreement"]),
    ("rules of one", [row("RulesAdopted")], ["RulesAdopted without an agreement"]),
    ("not proposed", [*RULES, WORD, DONE], ["no act program/p@1 was proposed before"]),
    ("proposed later", [*RULES, DONE, ACT, WORD], ["no act program/p@1 was proposed before"]),
    (
        "another proposed",
        [*RULES, ACT | {"subject": "program/q"}, WORD, DONE],
        ["no act program/p@1 was proposed before"],
    ),
    ("a later proposal", [*RULES, ACT | {"version": 4}, WORD, DONE], ["no act program/p@1 was proposed before"]),
    ("another kind", [*RULES, ACT | {"kind": "officers"}, WORD, DONE], ["agreed to as officers, not as programs"]),
    ("no word", [*RULES, ACT, DONE], NO_WORD),
    ("a word later", [*RULES, ACT, DONE, WORD], NO_WORD),
    ("a word on another act", [*RULES, ACT, WORD | {"act_sha256": "b"}, DONE], NO_WORD),
    ("a word on another subject", [*RULES, ACT, WORD | {"subject": "program/q"}, DONE], NO_WORD),
    ("a word on another proposal", [*RULES, ACT, WORD | {"proposal": 2}, DONE], NO_WORD),
    ("the proposer's own word", [*RULES, ACT, WORD | {"checker": "siti"}, DONE], NO_WORD),
    ("of an officer revoked", [*RULES, ACT, WORD, revoked("budi"), DONE], [ALONE, *NO_WORD]),
    ("of an officer revoked afterwards", [*RULES, ACT, WORD, DONE, revoked("budi")], [ALONE]),
    ("under a key replaced since", [*RULES, ACT, WORD, NEW_KEY, DONE], [NEW_KEY_ALONE, *NO_WORD]),
    ("under a key replaced before", [NEW_KEY, *RULES, ACT, WORD, DONE], []),
    ("again under the new key", [*RULES, ACT, WORD, NEW_KEY, WORD, DONE], [NEW_KEY_ALONE]),
    ("another officer revoked", [*RULES, ACT, WORD, revoked("agus"), DONE], [ALONE]),
    (
        "after other roles",
        [*RULES, ACT, WORD, roles("budi", "maker"), DONE],
        ["RolesChanged without an agreement", *NO_WORD],
    ),
    ("by recovery keys", [*RULES, ACT | {"kind": "recovery"}, WORD, NEW_KEY | {"agreement": "program/p@1"}], []),
    (
        "money by recovery keys",
        [*RULES, ACT | {"kind": "recovery"}, WORD, DONE],
        ["agreed to as recovery, not as programs"],
    ),
    (
        "roles by recovery keys",
        [*RULES, ACT | {"kind": "recovery"}, WORD, roles("budi", "maker") | {"agreement": "program/p@1"}],
        ["agreed to as recovery, not as officers"],
    ),
    ("two of two", [*RULES, ACT | {"words": 2}, WORD, WORD | {"checker": "tari"}, DONE], []),
    ("one word twice", [*RULES, ACT | {"words": 2}, WORD, WORD, DONE], ["1 of 2 words were given"]),
    ("a payment", [*RULES, paid()], []),
    ("set up before awaited rules", [AWAITS, DONE | {"agreement": None}, *RULES], []),
    ("money before awaited rules", [AWAITS, GRANTED, *RULES], ["GroupFunded before the rules were adopted"]),
    ("awaited rules never adopted", [AWAITS, GRANTED], ["GroupFunded before the rules were adopted"]),
    ("a ledger before there were rules", [AWAITS | {"rules_edition": None}, GRANTED, *RULES], []),
    ("grants", [*RULES, *LISTED, GRANTED], []),
    ("grants run after an officer was revoked", [*RULES, *LISTED, revoked("budi"), GRANTED], [ALONE]),
    ("grants agreed to by an officer revoked", [*RULES, LISTED[0], revoked("budi"), *LISTED[1:], GRANTED], [ALONE]),
    (
        "grants after a word was lost",
        [
            *RULES,
            LISTED[0] | {"words": 2},
            LISTED[1] | {"is_last": False},
            revoked("budi"),
            LISTED[1] | {"checker": "tari"},
            GRANTED,
        ],
        [ALONE, "1 of 2 words were given"],
    ),
    ("grants without words", [*RULES, LISTED[0], GRANTED], NO_WORD),
    ("grants of one alone", [*RULES, GRANTED | {"agreement": None}], ["GroupFunded without an agreement"]),
]
SENT = row("MaskAidShipped", shipment_id="s", officer="budi", agreement="shipment/s@1")
SENDING = row("ActProposed", subject="shipment/s", version=1, proposer="siti")
ARRIVED = row("DeliveryConfirmed", shipment_id="s", officer="tari")
OWN = ["siti shipped and confirmed the delivery"]
DELIVERED_BY_ANOTHER: list[Case] = [
    ("kept", [row("RulesAdopted"), SENDING, SENT, ARRIVED], []),
    ("by who agreed", [row("RulesAdopted"), SENDING, SENT, ARRIVED | {"officer": "budi"}], []),
    ("by who proposed", [row("RulesAdopted"), SENDING, SENT, ARRIVED | {"officer": "siti"}], OWN),
    ("other goods", [row("RulesAdopted"), SENDING, SENT | {"event": "GoodsAidShipped"}, ARRIVED | {"officer": "siti"}], OWN),
    ("another proposal", [row("RulesAdopted"), SENDING | {"version": 2}, SENT, ARRIVED | {"officer": "siti"}], []),
    ("another shipment", [row("RulesAdopted"), SENDING, SENT | {"shipment_id": "t"}, ARRIVED | {"officer": "siti"}], []),
    ("sent before the rules", [SENT | {"agreement": None}, row("RulesAdopted"), ARRIVED | {"officer": "budi"}], ["budi shipped and confirmed the delivery"]),
    ("before the rules", [SENT | {"agreement": None}, ARRIVED | {"officer": "budi"}, row("RulesAdopted")], []),
    ("no rules", [SENT | {"agreement": None}, ARRIVED | {"officer": "budi"}], []),
]  # fmt: skip
UMBRELLA = row("ProgramOpened", program="u", kind="umbrella")
CHILD = row("ProgramOpened", program="p", parent="u", kind="cash")
TWIN = row("ProgramOpened", program="q", parent="u", kind="cash")
FOREIGN = row("ProgramOpened", program="r", kind="cash")
FAMILY = (UMBRELLA, CHILD, TWIN, FOREIGN, row("RulesAdopted"))


def budget(program: str, amount: int) -> Row:
    return row("BudgetSet", program=program, budget=amount)


UMBRELLAS_KEPT: list[Case] = [
    ("kept", [*FAMILY, budget("u", 10), budget("p", 4), budget("q", 6), budget("r", 99)], []),
    ("over", [*FAMILY, budget("u", 10), budget("p", 4), budget("q", 7)], ["the budgets under u add up to 11, its own is 10"]),
    ("lowered", [*FAMILY, budget("u", 11), budget("p", 4), budget("q", 7), budget("u", 10)], ["the budgets under u add up to 11, its own is 10"]),
    ("the latest counts", [*FAMILY, budget("u", 10), budget("p", 9), budget("p", 3), budget("q", 7)], []),
    ("no budget of its own", [*FAMILY, budget("p", 4), budget("q", 7)], []),
    ("taken back", [*FAMILY, budget("u", 10), budget("u", 0), budget("q", 11)], []),
    ("no umbrella", [UMBRELLA | {"kind": "cash"}, CHILD, row("RulesAdopted"), budget("u", 10), budget("p", 11)], []),
    ("before the rules", [UMBRELLA, CHILD, budget("u", 10), budget("p", 11), row("RulesAdopted")], []),
]  # fmt: skip
CASES = {
    "acts-agreed": ACTS_AGREED,
    "approved-by-two": APPROVED_BY_TWO,
    "batches-kept": BATCHES_KEPT,
    "ceilings-kept": CEILINGS_KEPT,
    "closed-is-closed": CLOSED_IS_CLOSED,
    "delivered-by-another": DELIVERED_BY_ANOTHER,
    "erased-by-two": ERASED_BY_TWO,
    "goods-kept": GOODS_KEPT,
    "groups-papered": GROUPS_PAPERED,
    "one-group-each": ONE_GROUP_EACH,
    "paid-once": PAID_ONCE,
    "recipients-eligible": RECIPIENTS_ELIGIBLE,
    "reissued-by-another": REISSUED_BY_ANOTHER,
    "umbrellas-kept": UMBRELLAS_KEPT,
}
EXAMINED = {
    "acts-agreed": (
        "BudgetSet",
        "GroupFunded",
        "RulesAdopted",
        "OfficerRevoked",
        "OfficerKeyReplaced",
        "RolesChanged",
    ),
    "approved-by-two": ("TrancheDisbursed",),
    "batches-kept": ("BatchProposed",),
    "ceilings-kept": ("TrancheDisbursed", "GroupFunded", "TrancheReissued after reversal"),
    "closed-is-closed": (*sorted(NEED_OPEN), "TrancheReissued after reversal"),
    "delivered-by-another": ("DeliveryConfirmed",),
    "erased-by-two": ("RecipientErased",),
    "goods-kept": ("MaskAidShipped", "GoodsAidShipped", "DeliveryConfirmed", "StockAdjusted"),
    "groups-papered": ("GroupFunded",),
    "one-group-each": ("GroupJoined",),
    "paid-once": ("TrancheDisbursed", *FOLLOWS),
    "recipients-eligible": ("TrancheDisbursed",),
    "reissued-by-another": ("TrancheReissued after return",),
}
"""Law → the events that it examines, each once."""
