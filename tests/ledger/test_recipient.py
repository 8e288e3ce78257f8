import pytest

from ledger.domain.event import Event
from ledger.domain.program import Kind
from ledger.domain.recipient import (
    Channel,
    DataDisclosed,
    ErasureRejected,
    ErasureRequested,
    Recipient,
    RecipientReferred,
    RecipientRegistered,
    ReferredElsewhereError,
    SupportReceived,
    TrainingAttended,
    attend,
    evolve,
    refer,
    support,
)

ID = "R000000001"
REGISTERED = RecipientRegistered(recipient_id=ID, commitment="0" * 64, category="worker")
REFERRED = RecipientReferred(recipient_id=ID, scheme="kartu-prakerja", channel=Channel.BP2MI)
TRAINED = TrainingAttended(recipient_id=ID, program="tkm", session_id="s1", group_id="g1")
HELPED = SupportReceived(recipient_id=ID, program="inkubasi", kind=Kind.INCUBATION)


def recipient(*events: Event) -> Recipient:
    state: Recipient | None = None
    for event in (REGISTERED, *events):
        state = evolve(state, event)
    assert state
    return state


def test_a_person_is_referred_to_a_scheme_once_and_through_one_channel() -> None:
    assert refer(recipient(), scheme="kartu-prakerja", channel=Channel.BP2MI) == [REFERRED]
    assert refer(recipient(REFERRED), scheme="kartu-prakerja", channel=Channel.BP2MI) == []
    with pytest.raises(ReferredElsewhereError) as refused:
        refer(recipient(REFERRED), scheme="kartu-prakerja", channel=Channel.P3MI)
    assert refused.value.channel == "bp2mi"


def test_a_person_may_be_referred_to_several_schemes() -> None:
    other = REFERRED.model_copy(update={"scheme": "pkh", "channel": Channel.P3MI})
    assert refer(recipient(REFERRED), scheme="pkh", channel=Channel.P3MI) == [other]


def test_a_session_is_attended_once() -> None:
    assert attend(recipient(), program="tkm", session_id="s1", group_id="g1") == [TRAINED]
    assert attend(recipient(TRAINED), program="tkm", session_id="s1") == []
    elsewhere = TrainingAttended(recipient_id=ID, program="jps", session_id="s1")
    assert attend(recipient(TRAINED), program="jps", session_id="s1") == [elsewhere]


def test_the_same_help_is_recorded_once() -> None:
    assert support(recipient(), program="inkubasi", kind=Kind.INCUBATION) == [HELPED]
    assert support(recipient(HELPED), program="inkubasi", kind=Kind.INCUBATION) == []
    other = HELPED.model_copy(update={"kind": Kind.COMPANION})
    assert support(recipient(HELPED), program="inkubasi", kind=Kind.COMPANION) == [other]


@pytest.mark.parametrize(
    "event",
    [
        ErasureRejected(recipient_id=ID, checker="budi", reason="still to be paid"),
        DataDisclosed(recipient_id=ID, reason="asked"),
    ],
)
def test_what_a_person_had_stays_known_whatever_is_asked_about_their_data(event: Event) -> None:
    asked = ErasureRequested(recipient_id=ID, maker="siti", reason="asked", legal_basis="UU 27/2022")
    after = recipient(REFERRED, TRAINED, HELPED, asked, event)
    assert refer(after, scheme="kartu-prakerja", channel=Channel.BP2MI) == []
    assert attend(after, program="tkm", session_id="s1") == []
    assert support(after, program="inkubasi", kind=Kind.INCUBATION) == []
