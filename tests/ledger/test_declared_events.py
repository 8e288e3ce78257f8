"""What an event class declares is all that others need; what it leaves out is refused with what to write."""

import re
from pathlib import Path
from typing import ClassVar

import pytest

from ledger.application.ledger import Ledger
from ledger.domain.event import Event, Role, Stream
from ledger.domain.fields import ProgramCode, RecipientId, Slug
from ledger.domain.payment import payment_stream
from ledger.domain.registry import EVENT_CLASSES, STREAMS
from projections.laws.law import law_sql
from projections.relation.relations import FIELDS
from tests.acts import SITI, register

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "explanation" / "architecture.md"


def test_a_stream_is_named_by_the_values_of_its_form() -> None:
    assert payment_stream("bsu-2020", 1, "R000000001") == "payment/bsu-2020/1/R000000001"
    assert payment_stream.fields == ("program", "tranche", "recipient_id")
    assert Stream("ledger")() == "ledger"


def test_an_event_without_a_stream_a_signers_role_or_a_laws_demand_is_refused_with_what_to_write() -> None:
    with pytest.raises(TypeError) as refused:

        class VoucherIssued(Event):
            TOPIC: ClassVar[str] = "VoucherIssued.v1"
            program: ProgramCode
            recipient_id: RecipientId
            voucher_id: Slug

    words = str(refused.value)
    assert all(name in words for name in ("VoucherIssued", "STREAM = ", "ROLE = ", "NEEDS_OPEN", "NEEDS_ELIGIBLE"))


def test_every_form_of_a_stream_names_fields_that_each_of_its_events_has() -> None:
    for cls in EVENT_CLASSES.values():
        assert set(cls.STREAM.fields) <= set(cls.model_fields), cls
    kinds = [stream.kind for stream in STREAMS]
    assert len(set(kinds)) == len(kinds)


def test_whoever_an_event_names_as_acting_is_one_of_its_fields_and_an_officer_of_their_role() -> None:
    roles = {"maker": Role.MAKER, "checker": Role.CHECKER}
    for cls in EVENT_CLASSES.values():
        named: list[str | None] = [
            name for name in ("maker", "checker", "recorded_by", "proposer") if name in cls.model_fields
        ]
        assert cls.ACTOR in (named or [None, "officer_id"]), cls
        if cls.IS_SIGNED and cls.ACTOR in roles and not cls.__name__.endswith("Rejected"):
            assert cls.ROLE is roles[cls.ACTOR], cls


class Voucher(Event):
    """A test's own event, in a stream that is not named after the person it concerns."""

    TOPIC: ClassVar[str] = "Voucher.v1"
    STREAM: ClassVar[Stream] = Stream("voucher/{voucher_id}")
    ROLE = None
    voucher_id: Slug
    recipient_id: RecipientId


def test_a_new_event_is_in_the_history_of_its_thing_and_of_its_person(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EVENT_CLASSES, Voucher.TOPIC, Voucher)
    monkeypatch.setattr("ledger.application.ledger.STREAMS", (*STREAMS, Voucher.STREAM))
    one, two = register(ledger, 2)

    def issue(voucher_id: str, recipient_id: str) -> None:
        voucher = Voucher(voucher_id=voucher_id, recipient_id=recipient_id)

        def decide(attempt: object) -> list[Event]:
            attempt.officer()  # type: ignore[attr-defined]  # what matters of it here
            return [voucher]

        ledger.carry_out(SITI, decide)

    issue("va", one)
    issue("vb", two)
    assert [entry.originator_id for entry in ledger.history("va")] == ["voucher/va"]
    assert [entry.originator_id for entry in ledger.history(two)] == [f"recipient/{two}", "voucher/vb"]


def test_the_laws_know_the_events_that_demand_them() -> None:
    listed = re.findall(r"'(\w+)'", law_sql("closed-is-closed").partition("event IN (")[2])
    assert {"BudgetSet", "FundsReserved", "GroupFunded", "TrancheDisbursed"} <= set(listed)
    assert "IN ('TrancheDisbursed')" in law_sql("recipients-eligible")


def test_every_field_of_an_event_has_a_type_in_the_relation_that_follows_from_its_own() -> None:
    assert FIELDS["amount"] == "DECIMAL(18,0)"
    assert FIELDS["tranche"] == "INTEGER"
    assert FIELDS["members"] == "VARCHAR[]"
    assert FIELDS["schedule"] == "DECIMAL(18,0)[]"
    assert FIELDS["refused"] == "STRUCT(code VARCHAR, rows BIGINT)[]"
    assert FIELDS["decree_on"] == "DATE"
    assert set(FIELDS) == {"agreement"} | {name for cls in EVENT_CLASSES.values() for name in cls.model_fields}


def table_of_streams() -> str:
    """The docs' table: each form of a stream's name, its events, and what it makes impossible."""
    lines = ["| Stream | Events | What its uniqueness makes impossible |", "| --- | --- | --- |"]
    for stream in sorted(STREAMS, key=lambda each: each.form):
        events = ", ".join(cls.__name__ for cls in EVENT_CLASSES.values() if cls.STREAM is stream)
        lines.append(f"| `{stream.form}` | {events} | {stream.impossible} |")
    return "\n".join(lines) + "\n"


def test_the_docs_table_of_streams_is_the_one_that_the_events_declare() -> None:
    """Run with SALUR_WRITE_DOCS=1 it writes the table."""
    import os

    page = ARCHITECTURE.read_text(encoding="utf-8")
    before, start, rest = page.partition("<!-- streams -->\n")
    table, end, after = rest.partition("<!-- end of streams -->")
    assert start
    assert end
    if os.environ.get("SALUR_WRITE_DOCS"):
        ARCHITECTURE.write_text(before + start + table_of_streams() + end + after, encoding="utf-8")
        return
    assert table == table_of_streams()
