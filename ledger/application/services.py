"""Help other than money: training, support of other kinds, and referrals to other schemes."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from ledger.application.attempt import Attempt, Command
from ledger.application.chunks import Chunk, OnProgress, OnReject, Tally, in_chunks
from ledger.application.given import built, one_of, require_fit
from ledger.application.ledger import Ledger
from ledger.application.people import RecipientIndex
from ledger.domain import program as programs
from ledger.domain import recipient as recipients
from ledger.domain.errors import Said, ValueInvalidError
from ledger.domain.event import Event, Role
from ledger.domain.fields import GroupId
from ledger.domain.program import Kind
from ledger.domain.recipient import Channel, Recipient, RecipientReferred, TrainingAttended, recipient_stream
from ledger.files.rejects import Reject
from ledger.files.tables import Field, Row

PERSON = Field("recipient", ("recipient", "recipient id", "penerima", "nik"), required=True, identifier=True)
TRAINING_FIELDS = (PERSON, Field("session", ("session", "session id", "sesi")))
SUPPORT_FIELDS = (PERSON, Field("kind", ("kind", "jenis")))
REFERRAL_FIELDS = (
    PERSON,
    Field("scheme", ("scheme", "skema", "program tujuan")),
    Field("channel", ("channel", "jalur")),
)

W = TypeVar("W", Kind, Channel)
Decide = Callable[[Recipient, Row], list[Event]]


def train(
    ledger: Ledger,
    command: Command,
    rows: Iterable[Row | Reject],
    *,
    program: str,
    session_id: str = "",
    group_id: str | None = None,
    on_reject: OnReject,
    on_progress: OnProgress = lambda _: None,
) -> Tally:
    """Record who attended a session of a program's training (rows as in `TRAINING_FIELDS`)."""
    if group_id is not None:
        require_fit(GroupId, group_id=group_id)

    def decide(recipient: Recipient, row: Row) -> list[Event]:
        session = row.values[1] or session_id
        if not session:
            raise ValueInvalidError(field="session", problem=Said("missing; add a column or give --session"))
        built(TrainingAttended, recipient_id=recipient.recipient_id, program=program, session_id=session)
        return recipients.attend(recipient, program=program, session_id=session, group_id=group_id)

    return _record(
        ledger, command, rows, TRAINING_FIELDS, program, decide, on_reject=on_reject, on_progress=on_progress
    )


def members_of(ledger: Ledger, program: str, group_id: str, command: Command) -> list[Row]:
    """A row for each member of a group, for a session that the whole group attended."""
    group = Attempt(ledger, command).group(program, group_id)
    return [Row(line, (member, "")) for line, member in enumerate(group.grant.members, start=1)]


def support(
    ledger: Ledger,
    command: Command,
    rows: Iterable[Row | Reject],
    *,
    program: str,
    kind: str = "",
    on_reject: OnReject,
    on_progress: OnProgress = lambda _: None,
) -> Tally:
    """Record whom a program helped in another way (rows as in `SUPPORT_FIELDS`); by default in the program's own."""
    own = Attempt(ledger, command).program(program).terms.kind

    def decide(recipient: Recipient, row: Row) -> list[Event]:
        return recipients.support(recipient, program=program, kind=_word(Kind, row.values[1] or kind or own, "kind"))

    return _record(ledger, command, rows, SUPPORT_FIELDS, program, decide, on_reject=on_reject, on_progress=on_progress)


def refer(
    ledger: Ledger,
    command: Command,
    rows: Iterable[Row | Reject],
    *,
    scheme: str = "",
    channel: str = "",
    on_reject: OnReject,
    on_progress: OnProgress = lambda _: None,
) -> Tally:
    """Record who was referred to another scheme, and through whom (rows as in `REFERRAL_FIELDS`)."""

    def decide(recipient: Recipient, row: Row) -> list[Event]:
        through = _word(Channel, row.values[2] or channel, "channel")
        made = built(
            RecipientReferred,
            recipient_id=recipient.recipient_id,
            scheme=row.values[1] or scheme,
            channel=through,
        )
        return recipients.refer(recipient, scheme=made.scheme, channel=through)

    return _record(ledger, command, rows, REFERRAL_FIELDS, None, decide, on_reject=on_reject, on_progress=on_progress)


def _record(
    ledger: Ledger,
    command: Command,
    rows: Iterable[Row | Reject],
    fields: Sequence[Field],
    program: str | None,
    decide: Decide,
    *,
    on_reject: OnReject,
    on_progress: OnProgress,
) -> Tally:
    def fill(attempt: Attempt, rows: list[Row], chunk: Chunk) -> None:
        attempt.officer(Role.MAKER)
        terms = attempt.program(program) if program else None
        if terms:
            programs.require_open(terms)
        people = RecipientIndex(ledger, attempt, (row.values[0] for row in rows))
        ids = {found.recipient_id for row in rows if (found := people.get(row.values[0]))}
        states = attempt.load_many([recipient_stream(each) for each in sorted(ids)], recipients.evolve)

        def decided(row: Row) -> list[Event]:
            stream = people[row.values[0]].stream
            recipient = states[stream]
            if terms:
                programs.require_eligible(terms, recipient.category)
            events = decide(recipient, row)
            for event in events:
                states[stream] = recipients.evolve(recipient, event) or recipient
            return events

        chunk.each(rows, fields, decided)

    return in_chunks(ledger, command, rows, fill, on_reject=on_reject, on_progress=on_progress)


def _word(words: type[W], text: str, field: str) -> W:
    try:
        return words(text.strip().lower())
    except ValueError:
        raise ValueInvalidError(field=field, problem=one_of(words, text)) from None
