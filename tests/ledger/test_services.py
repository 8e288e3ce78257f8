import pytest

from ledger.application import programs, services
from ledger.application.ledger import Ledger
from ledger.domain.errors import ValueInvalidError
from ledger.domain.group import GroupUnknownError
from ledger.domain.officer import RoleMissingError
from ledger.domain.program import Kind, ProgramClosedError
from ledger.domain.recipient import Channel, RecipientReferred, SupportReceived, TrainingAttended
from ledger.files.tables import Row
from tests.acts import BUDI, SITI, Told, by, fund, kept, log, members, nik, register

TKM = "tkm-2020"


def test_a_session_is_attended_by_each_person_once(ledger: Ledger) -> None:
    one, two = register(ledger, 2)
    since = len(log(ledger))
    rows = [Row(2, (one, "")), Row(3, (nik(2), "s2")), Row(4, (nik(1), "")), Row(5, (nik(9), ""))]
    for taken, repeated in ((2, 1), (0, 3)):
        told = Told()
        tally = services.train(ledger, SITI, rows, program=TKM, session_id="s1", on_reject=told)
        assert (tally.taken, tally.repeated) == (taken, repeated)
        assert told.codes == [(5, "recipient", "recipient_unknown")]
    assert log(ledger, since) == [
        TrainingAttended(recipient_id=one, program=TKM, session_id="s1"),
        TrainingAttended(recipient_id=two, program=TKM, session_id="s2"),
    ]


def test_a_whole_group_attends_a_session(ledger: Ledger) -> None:
    recipients = register(ledger, 2)
    fund(ledger, *members("g1", *recipients))
    since = len(log(ledger))
    rows = services.members_of(ledger, TKM, "g1", SITI)
    services.train(ledger, SITI, rows, program=TKM, session_id="s1", group_id="g1", on_reject=Told())
    assert log(ledger, since) == [
        TrainingAttended(recipient_id=each, program=TKM, session_id="s1", group_id="g1") for each in recipients
    ]
    with pytest.raises(GroupUnknownError):
        services.members_of(ledger, TKM, "g2", SITI)


def test_a_session_without_a_name_or_with_a_persons_number_is_refused(ledger: Ledger) -> None:
    [one] = register(ledger, 1)
    told = Told()
    services.train(ledger, SITI, [Row(2, (one, "")), Row(3, (one, nik(1)))], program=TKM, on_reject=told)
    assert [(reject.line, reject.code) for reject in told.rejects] == [(2, "value_invalid"), (3, "value_invalid")]
    assert nik(1) not in str(told.rejects)


def test_support_is_of_the_programs_own_kind_unless_said(ledger: Ledger) -> None:
    one, two = register(ledger, 2)
    since = len(log(ledger))
    rows = [Row(2, (one, "")), Row(3, (two, " Companion ")), Row(4, (two, "money"))]
    for _ in range(2):
        told = Told()
        services.support(ledger, SITI, rows, program=TKM, on_reject=told)
        assert [(reject.line, reject.code) for reject in told.rejects] == [(4, "value_invalid")]
    assert log(ledger, since) == [
        SupportReceived(recipient_id=one, program=TKM, kind=Kind.GROUP_GRANT),
        SupportReceived(recipient_id=two, program=TKM, kind=Kind.COMPANION),
    ]


def test_a_person_is_referred_once_through_one_channel(ledger: Ledger) -> None:
    [one] = register(ledger, 1)
    since = len(log(ledger))
    rows = [Row(2, (one, "", "")), Row(3, (one, "", "p3mi")), Row(4, (one, "pkh", "P3MI")), Row(5, (one, "", "post"))]
    for taken, repeated in ((2, 0), (0, 2)):
        told = Told()
        tally = services.refer(ledger, SITI, rows, scheme="kartu-prakerja", channel="bp2mi", on_reject=told)
        assert (tally.taken, tally.repeated) == (taken, repeated)
        assert [(reject.line, reject.code) for reject in told.rejects] == [
            (3, "already_referred"),
            (5, "value_invalid"),
        ]
    assert log(ledger, since) == [
        RecipientReferred(recipient_id=one, scheme="kartu-prakerja", channel=Channel.BP2MI),
        RecipientReferred(recipient_id=one, scheme="pkh", channel=Channel.P3MI),
    ]


def test_help_is_for_the_categories_of_its_program(ledger: Ledger) -> None:
    [servant] = register(ledger, 1, category="civil-servant")
    told = Told()
    services.support(ledger, SITI, [Row(2, (servant, ""))], program="bsu-2020", on_reject=told)
    assert told.codes == [(2, "recipient", "category_not_eligible")]


def test_services_are_a_makers_and_of_an_open_program(ledger: Ledger) -> None:
    [one] = register(ledger, 1)
    with pytest.raises(RoleMissingError):
        services.train(ledger, BUDI, [Row(2, (one, "s1"))], program=TKM, on_reject=Told())
    programs.close_program(ledger, BUDI, program=TKM, reason="year-end")
    before = kept(ledger)
    with pytest.raises(ProgramClosedError):
        services.train(ledger, SITI, [Row(2, (one, "s1"))], program=TKM, on_reject=Told())
    assert kept(ledger) == before


def test_a_group_named_by_a_persons_number_is_refused(ledger: Ledger) -> None:
    [one] = register(ledger, 1)
    with pytest.raises(ValueInvalidError) as refused:
        services.train(ledger, by("siti"), [Row(2, (one, "s1"))], program=TKM, group_id=nik(1), on_reject=Told())
    assert refused.value.field == "group_id"
