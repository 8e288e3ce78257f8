"""The demo reproduces the published figures of 2020, through the public commands, with people who do not exist."""

import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cli
from ledger.application.ledger import Ledger
from ledger.application.registration import check_nik
from seeds import case, files_2020
from seeds.demo import DEMO_STORE
from seeds.nation import POPULATION, Nation, Table

SCALE = 1_000
DEMO_SECONDS_MAX = 240
"""For a worker that waits while another one plays the demo."""


@dataclass(frozen=True)
class Demo:
    """A demo that has been played once for all tests."""

    folder: Path

    @property
    def printed(self) -> str:
        return (self.folder / "printed").read_text(encoding="utf-8")

    def salur(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Carry out a command in the demo's folder, which no test changes."""
        return salur(self.folder, "--store", DEMO_STORE, "--keys", f"{DEMO_STORE}-keys", *arguments)

    def report(self, *arguments: str) -> list[dict[str, Any]]:
        done = self.salur("report", *arguments, "-o", "json")
        assert done.returncode == cli.DONE, done.stderr
        try:
            rows: list[dict[str, Any]] = json.loads(done.stdout)
        except ValueError:
            pytest.fail(f"not JSON: {done}")
        return rows


def salur(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    program = [sys.executable, "-c", "from cli import main; main()", *arguments]
    return subprocess.run(program, cwd=folder, capture_output=True, text=True)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Demo:
    """The default demo; of several workers one plays it and the others wait for it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "demo"
    try:
        folder.mkdir()
    except FileExistsError:
        for _ in range(DEMO_SECONDS_MAX):
            if (folder / "printed").exists():
                return Demo(folder)
            time.sleep(1)
        pytest.fail("the demo did not come to its end")
    done = salur(folder, "demo")
    assert done.returncode == cli.DONE, done.stderr
    (folder / "printed.new").write_text(done.stdout, encoding="utf-8")
    (folder / "printed.new").rename(folder / "printed")
    return Demo(folder)


@pytest.fixture(scope="session")
def nation() -> Nation:
    return Nation(case.SEED)


# Figures


def test_the_figures_of_15_october_2020_come_out_to_the_last_digit(demo: Demo) -> None:
    programs = {row["program"]: row for row in demo.report("programs", "--as-of", "2020-10-15")}

    def total(column: str, *codes: str) -> int:
        return sum(programs[code][column] for code in codes)

    wages = programs["bsu-2020"]
    assert (wages["ceiling"], wages["recipients"], wages["disbursed"]) == (2_400_000, 11_950, 14_340_000_000)
    assert (total("groups", "tkm-2020"), total("people", "tkm-2020")) == (1_985, 39_700)
    works = ("pk-infra-2020", "pk-produktif")
    assert (total("groups", *works), total("people", *works)) == (1_091, 21_820)
    jobs = [code for code, row in programs.items() if row["parent"] == "jobs-2020"]
    assert (len(jobs), total("people", *jobs)) == (5, 327)


def test_the_groups_are_all_funded_by_2_october_2020(demo: Demo) -> None:
    rows = demo.report("groups", "--as-of", "2020-10-02")
    assert (sum(row["groups"] for row in rows), sum(row["people"] for row in rows)) == (3_076, 61_520)


def test_the_figure_of_january_2021_is_another_one(demo: Demo) -> None:
    first, second = demo.report("tranches", "--as-of", "2021-01-31")
    assert (first["payments"], first["disbursed"]) == (12_293, 12_293 * 1_200_000)
    # All batches but the first got tranche 2.
    assert (second["tranche"], second["payments"]) == (2, 11_950 - 2_484)


def test_a_batch_of_tranche_2_waits_for_its_checker(demo: Demo) -> None:
    waiting = {row["batch_id"]: row["status"] for row in demo.report("batches") if row["tranche"] == 2}
    assert waiting == {"bsu-2-1": "proposed", "bsu-2-2": "executed", "bsu-2-keliru": "cancelled"}
    [only] = json.loads(demo.salur("waiting", "--officer", "budi", "-o", "json").stdout)
    assert only["id"] == "batch/bsu-2-1"


def test_every_group_is_funded_on_the_words_of_two(demo: Demo) -> None:
    granted = {
        row["batch_id"]: (row["status"], row["paid_count"]) for row in demo.report("batches") if not row["tranche"]
    }
    assert granted == {
        "tkm-1": ("executed", 1_985), "pki-1": ("executed", 600), "pkp-1": ("executed", 491), "tkm-2": ("rejected", 0),
        "ulang-1": ("executed", 3), "setor-1": ("executed", 1),
    }  # fmt: skip


def test_a_third_officer_came_by_agreement(demo: Demo) -> None:
    told: list[dict[str, str]] = json.loads(demo.salur("history", "officer/dewi", "-o", "json").stdout)
    [enrolled] = [row for row in told if row["topic"] == "OfficerEnrolled.v1"]
    assert enrolled["agreement"] == "officer/dewi@1"


def test_masks_went_to_six_destinations_and_to_the_public(demo: Demo) -> None:
    shipped = {(row["item"], row["country"]) for row in demo.report("aid")}
    assert {country for item, country in shipped if item == "mask"} == {"HK", "TW", "MY", "SG", "KR", "BN", "ID"}
    assert {item for item, country in shipped if country == "ID"} == {
        "mask",
        "face-shield",
        "protective-suit",
        "wash-basin",
    }
    assert {country for item, country in shipped if item == "staple-package"} == {"MY", "SG", "BN"}


def test_people_are_referred_through_three_channels(demo: Demo) -> None:
    rows = demo.report("referrals")
    assert {row["channel"] for row in rows} == {"regional-government", "bp2mi", "p3mi"}
    assert {row["scheme"] for row in rows} == {"kartu-prakerja"}


def test_every_other_line_of_the_case_has_its_figure(demo: Demo) -> None:
    assert {row["decree_ref"] for row in demo.report("destinations")} == {"Kepmenaker 294/2020"}
    assert {row["program"] for row in demo.report("training")} == {"training-2020", "jobs-wirausaha"}
    helped = {row["program"]: row["people"] for row in demo.report("people")}
    assert all(helped[code] for code in ("pmi-infra", "pmi-produktif", "pmi-inkubasi", "pmi-teknologi", "pmi-tkm"))


def test_returns_and_refusals_leave_their_traces(demo: Demo) -> None:
    assert {"AC01", "AC04", "AC06"} <= {row["return_reason"] for row in demo.report("returns")}
    refused = {row["reason"] for row in demo.report("refusals")}
    assert {"already_paid", "category_not_eligible", "papers_missing", "account_shared"} <= refused
    (tranche,) = (row for row in demo.report("tranches") if row["tranche"] == 1)
    assert tranche["reissued"]
    assert tranche["refunded"]


def test_the_demos_ledger_keeps_every_law(demo: Demo) -> None:
    checked = demo.salur("check")
    assert checked.returncode == cli.DONE
    assert "Notice signatures-valid" not in checked.stderr  # both officers have keys, and signed all they decided


# What it prints


def test_the_demo_says_its_scale_and_what_is_invented(demo: Demo) -> None:
    assert "wage subsidy and job expansion at 1:1,000)" in demo.printed  # in each report's title
    assert "invented" in demo.printed.split("What this is")[1]
    assert "11,950" in demo.printed


def test_the_demo_prints_no_personal_number(demo: Demo) -> None:
    assert not re.findall(r"(?<![0-9])[0-9]{16}(?![0-9])", demo.printed)


def test_no_officer_proposes_and_approves(demo: Demo) -> None:
    assert all(row["maker"] == "sari" and row["checker"] in {"budi", None} for row in demo.report("batches"))


def test_what_the_demo_tells_to_try_works(demo: Demo) -> None:
    for _, arguments in case.NEXT:
        reads = not arguments.startswith("disburse")
        done = demo.salur(*arguments.split()) if reads else demo.salur(*arguments.split(), "--dry-run")
        if arguments.startswith("disburse run"):
            assert "[batch_state]" in done.stderr  # nobody has approved it here
        elif arguments.endswith("--officer sari"):
            assert "[role_missing]" in done.stderr
        else:
            assert done.returncode == cli.DONE, done.stderr


def test_the_case_is_a_shell_script() -> None:
    script = str(files("seeds").joinpath("case_2020.sh"))
    assert subprocess.run(["sh", "-n", script]).returncode == 0


# The ledger of an earlier demo


def test_only_a_demos_own_ledger_is_removed(tmp_path: Path) -> None:
    for name in ("Provincial ledger", case.DEMONSTRATION + "…)"):
        assert salur(tmp_path, "--store", name, "init", "--name", name).returncode == cli.DONE
    assert salur(tmp_path, "--store", "Provincial ledger", "demo").returncode == cli.REFUSED
    assert (tmp_path / "Provincial ledger" / "events.db").exists()

    ours = tmp_path / (case.DEMONSTRATION + "…)")
    (ours / "notes.txt").write_text("mine")
    assert salur(tmp_path, "--store", str(ours), "demo").returncode == cli.REFUSED
    assert (ours / "events.db").exists()

    (ours / "notes.txt").unlink()
    case.remove_demonstration(ours, tmp_path / "keys")
    assert list(ours.iterdir()) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([ours.name, "Provincial ledger"])


def test_an_interrupted_demo_goes_on_and_a_finished_one_starts_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        line
        for line in case.script()
        if re.search(
            r"init|enroll|rules|officer/dewi|(open|budget|program/)bsu-2020|pekerja-1|bsu-1-1|goods stock",
            line.replace(" bsu", "bsu"),
        )
    ]
    monkeypatch.setattr(case, "script", lambda: iter([*lines, "salur report programs -o json"]))
    carry_out, left = case.carry_out, len(lines) - 2

    def interrupted(*arguments: Any, **more: Any) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt
        carry_out(*arguments, **more)

    demo = ["--store", str(tmp_path / "ledger"), "demo", "--scale", "10000", "--files", str(tmp_path / "files")]
    monkeypatch.setattr(case, "carry_out", interrupted)
    assert cli.run(demo) == cli.INTERRUPTED
    with closing(Ledger(tmp_path / "ledger")) as ledger:
        first = [row.state for row in ledger.store.select_notifications(1, 10_000)]

    monkeypatch.setattr(case, "carry_out", carry_out)
    assert cli.run(demo) == cli.DONE
    with closing(Ledger(tmp_path / "ledger")) as ledger:
        whole = [row.state for row in ledger.store.select_notifications(1, 10_000)]
    assert whole[: len(first)] == first
    assert len(whole) > len(first)

    assert cli.run(demo) == cli.DONE
    with closing(Ledger(tmp_path / "ledger")) as ledger:
        anew = [row.topic for row in ledger.store.select_notifications(1, 10_000)]
        assert ledger.store.select_notifications(1, 1)[0].state != whole[0]
    assert len(anew) == len(whole)
    [keys_of_one] = (tmp_path / "ledger-keys").iterdir()  # those of the ledger that was removed are gone with it
    assert sorted(each.name for each in keys_of_one.iterdir()) == ["budi.pem", "dewi.pem", "sari.pem"]


# People and files


def crowds() -> Iterator[range]:
    starts = [
        files_2020.WORKERS,
        files_2020.CIVIL_SERVANTS,
        files_2020.TKM_MEMBERS,
        files_2020.WORKS_MEMBERS,
        files_2020.JOB_SEEKERS,
        files_2020.MIGRANTS,
        files_2020.STRANGERS,
    ]
    return (range(start, start + 15_000) for start in starts)


def test_no_nik_can_belong_to_anyone(nation: Nation) -> None:
    niks = [nik for crowd in crowds() for nik in nation.niks(crowd)]
    for nik in niks:
        check_nik(nik)
    assert {nik[:2] for nik in niks} == {"00"}  # no province has this code
    assert len(set(niks)) == len(niks)


def test_no_two_people_share_an_account_and_few_a_name_in_a_row(nation: Nation) -> None:
    people = [person for crowd in crowds() for person in nation.people(crowd)]
    assert len({person.account for person in people}) == len(people)
    assert all(one.name != other.name for one, other in pairwise(people))


def test_all_crowds_fit_into_the_nation() -> None:
    assert files_2020.WORKERS_PAID_LATER < files_2020.CIVIL_SERVANTS - files_2020.WORKERS
    assert files_2020.STRANGERS + files_2020.CIVIL_SERVANTS < POPULATION


def test_another_seed_is_another_nation(nation: Nation) -> None:
    assert list(nation.people(range(100))) != list(Nation(case.SEED + 1).people(range(100)))


@given(st.integers(1, 10_000))
def test_the_parts_add_up_and_none_is_empty_at_every_scale(scale: int) -> None:
    for sizes in (files_2020.BATCHES, tuple(files_2020.JOBS.values())):
        parts = list(files_2020._parts(sizes, scale, 0))
        assert sum(map(len, parts)) == sum(sizes) // scale
        assert all(parts)
        assert all(before.stop == after.start for before, after in pairwise(parts))


def test_the_published_sums_are_what_the_parts_add_up_to() -> None:
    assert sum(files_2020.BATCHES) == files_2020.WORKERS_PAID == 11_950_000
    assert sum(files_2020.JOBS.values()) == 327_013
    assert files_2020.INFRA_GROUPS + files_2020.PRODUCTIVE_GROUPS == 1_091


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        for table in files_2020.tables(Nation(case.SEED), SCALE):
            table.write(folder)
        digests.append({each.name: hashlib.sha256(each.read_bytes()).digest() for each in folder.iterdir()})
    assert digests[0] == digests[1]
    assert len(digests[0]) > 30


def test_a_complete_file_is_not_written_again(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("as it was")
    Table("people.csv", ("nik",), [("1",)]).write(tmp_path)
    assert (tmp_path / "people.csv").read_text() == "as it was"


def test_an_interrupted_file_leaves_nothing(tmp_path: Path) -> None:
    def rows() -> Iterator[tuple[str]]:
        yield ("1",)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Table("people.csv", ("nik",), rows()).write(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_comes_in_the_form_of_its_office(tmp_path: Path) -> None:
    Table("people.csv", ("nik", "nama"), [("1", "Awan")], delimiter=";", newline="\r\n", has_mark=True).write(tmp_path)
    assert (tmp_path / "people.csv").read_bytes() == b"\xef\xbb\xbfnik;nama\r\n1;Awan\r\n"
