"""A hostile branch, compared with the real tool and a real engine."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from harness.adapters.docker.engine import RUN_LABEL
from harness.adapters.git.git import Git
from tests.builders.checkout import Checkout
from tests.subjects.hostile_checkout import (
    Trap,
    add_links,
    add_submodule,
    set_filters,
    set_hooks,
    set_programs,
)
from tests.subjects.hostile_runtime import BOMB, ESCAPES, FORGERY, LIAR, TITLE, USURPER

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[2]
BENCH = ("Dockerfile", "harness/__init__.py", "harness/probe", "src/escapement")
LOAD = ("--levels=1", "--load=1 1 1 1", "--mem=512m", "--cpus=1", "--pids=200", "--timeout=30")
ACTED_ON = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of the tool.

    Args:
        code: Its exit code.
        said: Both its streams.
        folder: Of its results; None where it wrote none.
    """

    code: int
    said: str
    folder: Path | None

    def texts(self) -> dict[str, str]:
        """Return everything that was written or printed, by its name."""
        files = self.folder.rglob("*") if self.folder else ()
        written = {path.name: path.read_text() for path in files if path.is_file()}
        return {**written, "the terminal": self.said}

    @property
    def logs(self) -> str:
        """All that the cells printed, as it was kept."""
        return "".join(
            text
            for name, text in self.texts().items()
            if name.endswith((".out", ".err", ".log", ".txt"))
        )

    @property
    def table(self) -> str:
        """The table that is pasted."""
        return self.texts()["table.md"]


@pytest.fixture(autouse=True)
def volumes_gone(client: docker.DockerClient) -> Iterator[None]:
    """See that no volume is left that belongs to nobody."""
    before = _loose_volumes(client)
    yield
    assert _loose_volumes(client) <= before


def _loose_volumes(client: docker.DockerClient) -> set[str]:
    return {str(volume.id) for volume in client.volumes.list(filters={"dangling": "true"})}


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    """Give a program that notes that it was run."""
    return Trap.make(tmp_path / "trap")


@pytest.fixture
def checkout(client: docker.DockerClient, tmp_path: Path, git_alone: Path) -> Checkout:
    """Give a repository with this bench and runtime on main, on a branch of its own."""
    del client, git_alone
    made = Checkout(tmp_path / "checkout")
    for name in BENCH:
        source, target = ROOT / name, made.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    made.write(".gitignore", "results/\n")
    made.git("init", "--quiet", "--initial-branch=main")
    made.commit("the bench")
    made.git("switch", "--quiet", "--create", "feature")
    return made


def _run(checkout: Checkout, temporary: Path, *words: str) -> Ended:
    """Run a verb of the tool under test on another checkout."""
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        "TMPDIR": str(temporary),
    }
    done = subprocess.run(
        [sys.executable, "-m", "invoke", *words, f"--repo={checkout.root}", "--box=docker", *LOAD],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=240,
    )
    results = checkout.root / "results"
    folders = [path for path in results.glob("20*") if path.is_dir()]
    said = (done.stdout + done.stderr).decode()
    return Ended(done.returncode, said, folders[0] if folders else None)


def _spoil(checkout: Checkout, code: str) -> None:
    """Have the branch's runtime do something as it is imported."""
    path = checkout.root / "src/escapement/__init__.py"
    path.write_text(f"{path.read_text()}\n{code}")


def _assert_is_data(ended: Ended) -> None:
    """Output and files hold no control characters, and one document."""
    for name, text in ended.texts().items():
        found = ACTED_ON.search(text)
        assert found is None, f"{name}: {text[max(0, found.start() - 80) : found.end() + 20]!r}"
    if ended.folder is None:
        return
    assert "<script>" not in ended.table
    assert ended.table.count("</details>") == ended.table.count("<details>")
    assert not re.search(r"(?<!\\)\*\*(b\*\*|bold)", ended.table)
    for rows in _tables(ended.table):
        columns = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
        assert len(columns) == 1, rows


def _tables(document: str) -> Sequence[Sequence[str]]:
    blocks = [block.splitlines() for block in re.split(r"\n(?!\|)", document)]
    return [rows for block in blocks if len(rows := [row for row in block if row[:1] == "|"]) > 1]


def _assert_left_nothing(
    client: docker.DockerClient, checkout: Checkout, temporary: Path, ended: Ended
) -> None:
    if ended.folder:
        stored = json.loads((ended.folder / "compare.json").read_text())
        run_id = stored["run"]["run_id"]
        ours = client.containers.list(all=True, filters={"label": f"{RUN_LABEL}={run_id}"})
        assert ours == []
    assert len(checkout.worktrees()) == 1
    assert list(temporary.iterdir()) == []
    names = {path.name for path in (checkout.root / "results").glob("*")}
    assert names == ({"index.md", ended.folder.name} if ended.folder else set())


def test_hostile_branch_is_compared_and_obeyed_in_nothing(
    client: docker.DockerClient, checkout: Checkout, trap: Trap, git_alone: Path
) -> None:
    """Traps of the checkout and of its runtime have no effect on the comparison."""
    add_links(checkout)
    _spoil(checkout, ESCAPES)
    add_submodule(checkout, trap)
    for make in (set_hooks, set_filters, set_programs):
        make(checkout, trap)
    for name in ("name", "email"):
        checkout.git("config", f"user.{name}", "tester@example.invalid")
    quiet = Git(checkout.root)
    quiet.run("commit", "--quiet", "--allow-empty", f"--message={TITLE}")
    before = quiet.run("status", "--porcelain", "--ignore-submodules=none")
    trap.sprung()
    ended = _run(checkout, git_alone, "compare", "--blocks=0", "--no-warm-up")
    assert trap.sprung() == ""
    assert ended.code == 0, ended.said
    _assert_is_data(ended)
    assert ended.table.count("| ok — ") == 2
    assert "xxx…" in ended.table
    assert ended.logs.count("HELD") > 14
    assert "ESCAPED" not in ended.logs
    assert quiet.run("status", "--porcelain", "--ignore-submodules=none") == before
    _assert_left_nothing(client, checkout, git_alone, ended)


@pytest.mark.parametrize(
    ("code", "exit_code", "said"),
    [(FORGERY, 0, "ok, "), (USURPER, 5, "exit code 143")],
    ids=["a second one", "the only one"],
)
def test_hostile_branch_forges_no_result(
    client: docker.DockerClient,
    checkout: Checkout,
    git_alone: Path,
    code: str,
    exit_code: int,
    said: str,
) -> None:
    """A forged RESULT is ignored; a runtime that kills its supervisor has none."""
    _spoil(checkout, code)
    checkout.commit("forge")
    ended = _run(checkout, git_alone, "ramp")
    assert ended.code == exit_code, ended.said
    assert said in ended.said
    assert "0.01×" not in ended.said
    assert len(ended.said) < 20_000
    _assert_is_data(ended)
    _assert_left_nothing(client, checkout, git_alone, ended)


def test_hostile_branch_stays_within_its_bounds(
    client: docker.DockerClient, checkout: Checkout, git_alone: Path
) -> None:
    """A fork bomb ends at the box's cap, and its last lines are printable."""
    _spoil(checkout, BOMB)
    checkout.commit("bomb")
    ended = _run(checkout, git_alone, "ramp")
    assert ended.code == 7, ended.said
    assert re.search(r"BOUND at 1\d\d by 11", ended.said)
    _assert_is_data(ended)
    _assert_left_nothing(client, checkout, git_alone, ended)


def test_hostile_branch_cannot_claim_what_was_not_seen(
    client: docker.DockerClient, checkout: Checkout, git_alone: Path
) -> None:
    """A probe that prints values which nothing can have measures nothing."""
    checkout.write("harness/probe/__main__.py", LIAR)
    checkout.commit("lie")
    ended = _run(checkout, git_alone, "ramp")
    assert ended.code == 5, ended.said
    assert "invalid" in ended.said
    _assert_is_data(ended)
    _assert_left_nothing(client, checkout, git_alone, ended)


def test_hostile_dockerfile_that_is_a_link_is_the_branchs_fault(
    client: docker.DockerClient, checkout: Checkout, git_alone: Path
) -> None:
    """A link out of the checkout is not followed, and nothing is built."""
    (checkout.root / "Dockerfile").unlink()
    (checkout.root / "Dockerfile").symlink_to("/etc/passwd")
    ended = _run(checkout, git_alone, "compare")
    assert ended.code == 7
    assert ended.said.splitlines()[-1].startswith("the branch's Dockerfile is a link")
    assert ended.folder is None
    assert "root:" not in ended.said
    del client
