"""A verifier built on Go's own packages for logs, which know nothing of Salur, believes a true export and no other."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ledger.application.folder import LOG
from ledger.transparency.log import Log
from projections.audit.published import export
from tests.logged import append, recorder_of, turn

SOURCE = Path(__file__).parents[2] / "projections" / "audit" / "verifier"
PACKAGES = Path("/usr/share/gocode")
"""Where Debian's golang-golang-x-mod-dev puts its sources."""

pytestmark = pytest.mark.skipif(
    shutil.which("go") is None or not (PACKAGES / "src/golang.org/x/mod/sumdb/tlog").exists(),
    reason="golang-go and golang-golang-x-mod-dev are not installed: no verifier of others to ask",
)


@pytest.fixture(scope="session")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    room = tmp_path_factory.mktemp("verifier")
    program = room / "verifier"
    environment = {"GO111MODULE": "off", "GOPATH": str(PACKAGES), "GOFLAGS": "", "GOCACHE": str(room / "cache")}
    done = subprocess.run(
        ["go", "build", "-o", str(program), "."],
        cwd=SOURCE,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return program


def verified(verifier: Path, folder: Path, key: Path, *earlier: Path) -> tuple[bool, str]:
    done = subprocess.run([verifier, folder, key, *earlier], capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def exported(log: Log, folder: Path, tmp_path: Path) -> Path:
    """An export of 1,300 events, beside the checkpoints of earlier sizes and the key."""
    for size in (701, 768, 1_025, 1_300):
        shutil.copy(log.folder / "checkpoint", tmp_path / f"earlier-{log.checkpoint().size}")
        append(folder, log.checkpoint().size, size)
        log.grow()
    export(log, tmp_path / "out")
    shutil.copy(log.folder / "verifier-key", tmp_path / "trusted")
    return tmp_path / "out"


def test_go_verifies_every_entry_and_every_earlier_checkpoint(verifier: Path, exported: Path) -> None:
    earlier = sorted(exported.parent.glob("earlier-*"))

    is_good, said = verified(verifier, exported, exported.parent / "trusted", *earlier)

    assert is_good, said
    assert "1300 entries and 4 earlier checkpoints verified" in said


def test_go_finds_a_turned_bit_in_any_file_of_an_export(verifier: Path, exported: Path) -> None:
    paths = [path for path in exported.rglob("*") if path.is_file() and path.name != "verifier-key"]
    assert len(paths) == 1 + 6 + 6 + 1
    for path in paths:
        for part in (0.0, 0.37, 0.999):
            bit = int(8 * path.stat().st_size * part)
            turn(path, bit)
            is_good, said = verified(verifier, exported, exported.parent / "trusted")
            assert not is_good, (path, bit, said)
            turn(path, bit)
    assert verified(verifier, exported, exported.parent / "trusted")[0]


def test_go_finds_that_another_history_was_signed_before(
    verifier: Path, exported: Path, made: Path, tmp_path: Path
) -> None:
    """The same key over other events: what an operator could show to somebody else."""
    other = Path(shutil.copytree(made, tmp_path / "other"))
    append(other, 5_000, 5_100)
    recorder = recorder_of(other)
    Log(other / LOG, recorder).grow()
    recorder.datastore.close()  # type: ignore[attr-defined]

    is_good, said = verified(verifier, exported, tmp_path / "trusted", other / LOG / "checkpoint")

    assert not is_good
    assert "checkpoint" in said
