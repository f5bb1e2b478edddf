"""The gate from end to end, on a branch that is made worse."""

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from harness.adapters.docker.engine import RUN_LABEL
from harness.cli.flags import Flags
from harness.cli.wiring import make_gate_options, open_session
from harness.model.errors import RegressionError
from harness.verbs.gate import GateResult, gate

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[2]
LEVEL = 200


@pytest.fixture
def checkout(client: docker.DockerClient, tmp_path: Path) -> Path:
    """Clone this repository, so that its own results and worktrees are not touched."""
    del client
    folder = tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


def _gate(checkout: Path, *branch_env: str) -> GateResult:
    typed = {
        "repo": str(checkout),
        "base": "HEAD",
        "box": "docker",
        "branch_env": list(branch_env),
        "quick": True,
        "pairs": "2",
    }
    flags = Flags(typed=typed)
    options = replace(make_gate_options(flags), quick_level=LEVEL)
    with open_session(flags, io.StringIO()) as (world, request):
        return gate(world, request, options, count=None)


def test_gate_fires_for_one_thread_a_session(checkout: Path, client: docker.DockerClient) -> None:
    """One more thread in each session is found exactly, and only the results stay."""
    gated = _gate(checkout, "SCALE_INJECT_THREADS=1")
    assert f"peak-threads 1 → {1 + LEVEL}, +{LEVEL}" in gated.verdict.headline
    with pytest.raises(RegressionError):
        gated.check()
    (folder,) = (path for path in (checkout / "results").iterdir() if path.name[:2] == "20")
    assert (folder / "summary.md").read_text() == gated.summary
    assert (folder / "table.md").read_text() == gated.document
    assert (
        client.containers.list(
            all=True, filters={"label": f"{RUN_LABEL}={gated.comparison.run.run_id}"}
        )
        == []
    )
    worktrees = ["git", "-C", str(checkout), "worktree", "list"]
    listed = subprocess.run(worktrees, capture_output=True, text=True, check=True).stdout
    assert len(listed.splitlines()) == 1


def test_gate_fires_for_a_session_that_fails(checkout: Path) -> None:
    """A failing session ends a level; a repeat confirms it."""
    gated = _gate(checkout, f"SCALE_INJECT_FAILING={LEVEL}")
    assert gated.verdict.headline == (
        f"regressed: capacity at least {LEVEL} → below {LEVEL}, the branch is bound by failing sessions"
    )
