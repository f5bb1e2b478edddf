"""Ends that only the real supervisor can tell apart, in every real box."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.adapters.host.owner import own_run_id
from harness.adapters.host.trees import read_tree
from harness.model.nouns import Caps, Load, Outcome, Side
from harness.model.tree import Entry, Tree
from harness.outcome.observation import Observation, evidence_of
from harness.outcome.rules import decide
from harness.verbs.ports import Build, CellSpec
from tests.hosts.box_sides import BoxSide
from tests.integration.probe_runs import FAKE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
RUN_ID = own_run_id()
CAPS = Caps(cpus=1.0, memory_bytes=128 << 20, pids=64, timeout_s=60.0)
LOAD = Load(turns=2, ttft_ms=1, tokens=1, tok_ms=1)
Run = Callable[..., Observation]

SUBJECT = """
import os, signal

def child_eats():
    child = os.fork()
    if child == 0:
        held = []
        while True:
            held.append(bytearray(b"x") * (4 << 20))
    os.waitpid(child, 0)

def forks():
    for _ in range(200):
        if os.fork() == 0:
            signal.pause()

def files():
    kept = []
    while True:
        kept.append(os.open("/dev/null", os.O_RDONLY))

def full():
    raise OSError(28, os.strerror(28), "/scratch/file")

def kills_itself():
    os.kill(os.getpid(), signal.SIGKILL)

def run(chart, *, session_id, **kwargs):
    globals()[os.environ["ENDING"]]()
    return SessionResult(session_id, "done", {"count": 2})
"""


@pytest.fixture(scope="module")
def build(real_side: BoxSide) -> Build:
    """Build the real probe around a subject that ends as its environment says."""
    fake = Entry(path="src/escapement/__init__.py", kind="file", content=(FAKE + SUBJECT).encode())
    own = [entry for entry in read_tree(ROOT).entries if not entry.path.startswith("src/")]
    tree = Tree(tuple(sorted([*own, fake], key=lambda entry: entry.path)))
    base_image = real_side.box.find_base_image("")
    return real_side.box.build(tree, base_image=base_image, side=Side.BRANCH)


@pytest.fixture
def run(real_side: BoxSide, build: Build) -> Iterator[Run]:
    """Return a function that runs one cell of one session, and clean up after it."""

    def run_it(ending: str, **environment: str) -> Observation:
        spec = CellSpec(
            run_id=RUN_ID,
            arm="sc-mem",
            level=1,
            load=LOAD,
            caps=CAPS,
            environment={"ENDING": ending, **environment},
        )
        return real_side.box.run_cell(build, spec, lambda _: None)

    yield run_it
    real_side.box.reap(RUN_ID)


def _outcome(seen: Observation) -> tuple[Outcome, str]:
    return decide(seen, CAPS, 1, load=LOAD, arm="sc-mem", attempt=1)


def test_child_that_is_killed_under_a_worker_that_lives_is_oom(
    real_side: BoxSide, run: Run
) -> None:
    """A whole RESULT does not hide a failure outside the sessions."""
    seen = run("child_eats")
    assert seen.output.result is not None, evidence_of(seen)
    outcome, reason = _outcome(seen)
    assert outcome is Outcome.OOM, (reason, evidence_of(seen))
    assert "a child of the worker was killed for memory: " in reason
    if "memory" in real_side.box.describe("").holds:
        worker_exit = seen.output.worker_exit
        assert worker_exit is not None
        assert (worker_exit.cause, worker_exit.signal, worker_exit.evidence["oom-kills"]) == (
            "oom",
            None,
            1,
        )


@pytest.mark.parametrize("virtual", ["1", "0"])
def test_process_that_cannot_be_started_is_threads(
    real_side: BoxSide, run: Run, virtual: str
) -> None:
    """Python's message is vague; the kernel's count names the exhausted resource."""
    if "pids" not in real_side.box.describe("").holds:
        return
    seen = run("forks", SCALE_VT=virtual)
    assert _outcome(seen) == (
        Outcome.THREADS,
        "processes ran out at the pids limit of 64, 1 of 1 sessions failed",
    ), evidence_of(seen)


def test_file_that_cannot_be_opened_is_fds(run: Run) -> None:
    """EMFILE is the process's own limit, which every box sets alike."""
    seen = run("files")
    outcome, reason = _outcome(seen)
    assert outcome is Outcome.FDS, (reason, evidence_of(seen))
    assert reason.startswith("open files ran out")


def test_file_that_cannot_be_written_is_invalid(run: Run) -> None:
    """A full disk is the host's."""
    assert _outcome(run("full")) == (
        Outcome.INVALID,
        "the disk that the cell writes to is full: No space left on device",
    )


def test_worker_that_is_killed_in_its_box_is_a_crash(run: Run) -> None:
    """Not for memory, and not from outside: its supervisor lived to tell."""
    outcome, reason = _outcome(run("kills_itself"))
    assert (outcome, reason) == (Outcome.CRASH, "killed by signal 9, not for memory")
