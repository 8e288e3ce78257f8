"""What an officer is told of a batch before they agree to it."""

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

import cli
from ledger.application import officers, registration
from ledger.application.attempt import Command
from ledger.application.batches import list_path, reject
from ledger.application.ledger import Ledger
from ledger.application.review import review, rows_of
from ledger.domain.batch import BatchListChangedError, BatchListMissingError
from ledger.domain.event import RefusedRows, Role
from ledger.files.rejects import Reject
from tests.acts import BUDI, SITI, TRANCHE, approve, by, now, person, propose, register, run, stop

PEOPLE = [f"R{number:09}" for number in range(1, 8)]


def later(ledger: Ledger, hours: int) -> None:
    ledger.now = lambda: now() + timedelta(hours=hours)


def test_the_figures_of_a_list(ledger: Ledger) -> None:
    register(ledger, 4)
    rows = [(PEOPLE[0], "300000"), (PEOPLE[1], ""), (PEOPLE[2], "500000"), (PEOPLE[3], "")]
    propose(ledger, rows, batch_id="october")

    found = review(ledger, "october")

    assert found.amounts == Counter({TRANCHE: 2, 300_000: 1, 500_000: 1})
    assert (found.count, found.total) == (4, 2 * TRANCHE + 800_000)
    assert (min(found.amounts), found.median, max(found.amounts)) == (300_000, 500_000, TRANCHE)
    assert (found.off_schedule, found.refused, found.before) == (2, (), None)
    assert found.first == [(PEOPLE[0], 300_000), (PEOPLE[1], TRANCHE), (PEOPLE[2], 500_000), (PEOPLE[3], TRANCHE)]
    assert list(rows_of(ledger, "october")) == found.first
    assert found.categories == Counter({"worker": 4})
    assert found.regions.total() == 4


def test_rows_that_were_left_out_are_told_by_reason(ledger: Ledger) -> None:
    register(ledger, 1)
    refused: list[Reject] = []
    propose(ledger, [PEOPLE[0], "R000000099"], batch_id="october", on_reject=lambda reject, _: refused.append(reject))
    assert review(ledger, "october").refused == (RefusedRows(code="recipient_unknown", rows=1),)
    assert len(refused) == 1


def test_people_who_are_also_in_another_open_batch_are_counted(ledger: Ledger) -> None:
    register(ledger, 7)
    propose(ledger, PEOPLE[:4], batch_id="one")
    propose(ledger, PEOPLE[2:6], batch_id="two")
    propose(ledger, PEOPLE[6:], batch_id="apart")
    assert review(ledger, "one").in_open_batches == {"two": 2}
    assert review(ledger, "two").in_open_batches == {"one": 2}
    assert review(ledger, "apart").in_open_batches == {}
    approve(ledger, "one")
    assert review(ledger, "two").in_open_batches == {"one": 2}
    run(ledger, "one")
    assert review(ledger, "two").in_open_batches == {}


def test_an_open_batch_whose_list_is_not_here_is_named(ledger: Ledger) -> None:
    register(ledger, 2)
    propose(ledger, PEOPLE[:1], batch_id="one")
    propose(ledger, PEOPLE[1:2], batch_id="two")
    list_path(ledger, "two").unlink()
    assert review(ledger, "one").lists_missing == ["two"]


def test_a_list_that_is_not_the_one_proposed_is_not_shown(ledger: Ledger) -> None:
    register(ledger, 1)
    path = list_path(ledger, propose(ledger, PEOPLE[:1], batch_id="october"))
    path.write_bytes(path.read_bytes().replace(b"R000000001", b"R000000002"))
    with pytest.raises(BatchListChangedError):
        review(ledger, "october")
    path.unlink()
    with pytest.raises(BatchListMissingError):
        review(ledger, "october")


def test_people_whom_the_maker_registered_since_the_batch_before(ledger: Ledger) -> None:
    register(ledger, 2)
    propose(ledger, PEOPLE[:2], batch_id="first")
    approve(ledger, "first")
    later(ledger, 1)
    register(ledger, 2, first=3)  # by siti, who makes the next list
    rows = [person(number) for number in (5, 6)]
    registration.register(ledger, rina_of(ledger), rows, file_sha256=None, category="worker", on_reject=stop)
    later(ledger, 2)
    propose(ledger, PEOPLE[:6], batch_id="second", tranche=2)

    found = review(ledger, "second")

    assert found.before is not None
    assert (found.before.batch_id, found.count - found.before.count) == ("first", 4)
    assert found.registered_by_maker == 2
    assert review(ledger, "first").before is None


def rina_of(ledger: Ledger) -> Command:
    """Rina, another maker than siti."""
    officers.enroll(ledger, BUDI, officer_id="rina", roles=(Role.MAKER,))
    return by("rina")


def test_a_batch_that_was_rejected_is_not_the_one_before(ledger: Ledger) -> None:
    register(ledger, 1)
    propose(ledger, PEOPLE[:1], batch_id="first")
    reject(ledger, BUDI, batch_id="first", reason="late")
    later(ledger, 1)
    propose(ledger, PEOPLE[:1], batch_id="second")
    assert review(ledger, "second").before is None


# At the prompt


def show(ledger: Ledger, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert cli.run(["--store", str(ledger.folder), "show", *words]) == cli.DONE
    return capsys.readouterr().out


def test_a_batch_is_shown_in_words_in_json_and_row_by_row(ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    register(ledger, 3)
    propose(ledger, PEOPLE[:3], batch_id="october", command=SITI)

    assert show(ledger, capsys, "batch/october", "-o", "csv").splitlines() == [
        "recipient_id,amount", *(f"{recipient},{TRANCHE}" for recipient in PEOPLE[:3])
    ]  # fmt: skip
    told = json.loads(show(ledger, capsys, "batch/october", "-o", "json"))
    assert (told["count"], told["total"], told["median"], told["off_schedule"]) == (3, 3 * TRANCHE, TRANCHE, 0)
    assert (told["maker"], told["before"], told["categories"]) == ("siti", None, {"worker": 3})
    words = show(ledger, capsys, "batch/october")
    assert f"{3 * TRANCHE:,}" in words
    assert "The first 3 of 3 rows" in words


def test_what_was_never_proposed_is_unknown(tmp_path: Path, ledger: Ledger) -> None:
    assert cli.run(["--store", str(ledger.folder), "show", "batch/none"]) == cli.REFUSED
    assert cli.run(["--store", str(ledger.folder), "show", "program/none"]) == cli.REFUSED
