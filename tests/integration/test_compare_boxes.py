"""A comparison from end to end in the boxes without an engine, on a real repository."""

import io
import subprocess
from pathlib import Path

import pytest

from harness.adapters.local.store import LocalStore
from harness.cli.flags import Flags
from harness.cli.wiring import open_session
from harness.verbs.compare import compare

ROOT = Path(__file__).parents[2]
TYPED = {"levels": "20,40", "load": "2 20 5 5", "mem": "512m"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Clone this repository, so that its own results and worktrees are not touched."""
    folder = tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("cgroup", marks=pytest.mark.cgroup),
        pytest.param("watchdog", marks=pytest.mark.watchdog),
    ],
)
def test_compare_needs_no_engine(
    checkout: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sides are built, run and compared; the table names the box."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    said = io.StringIO()
    flags = Flags(typed={"repo": str(checkout), "base": "HEAD", "box": kind, **TYPED})
    with open_session(flags, said) as (world, request):
        run_id = world.run_id
        table = compare(world, request)
    assert said.getvalue().startswith(f"box    {kind}, ")
    assert f"\n- Box: {kind}, " in table
    assert ("not enforced: cpus, memory, swap, pids" in table) == (kind == "watchdog")
    assert table.count("| ok — ") == 4  # two levels on each side
    (folder,) = (path for path in (checkout / "results").iterdir() if path.name[:2] == "20")
    assert (folder / "table.md").read_text() == table
    assert LocalStore().runs_of(run_id) == []
    listed = subprocess.run(
        ["git", "-C", str(checkout), "worktree", "list"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(listed.stdout.splitlines()) == 1


@pytest.mark.cgroup
def test_auto_takes_the_next_box_and_says_why(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an engine the box is a cgroup, and the first line says why."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    said = io.StringIO()
    with open_session(Flags(typed={"repo": str(checkout)}), said) as (world, _):
        assert world.box.describe("").box == "cgroup"
    line = said.getvalue().splitlines()[0]
    assert line.startswith("box    cgroup, no engine: ")
    assert "; no docker: no Docker engine answers at tcp://127.0.0.1:1" in line
