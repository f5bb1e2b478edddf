"""The ends of cells in every real box: its caps, and kills."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest
from msgspec import structs

from harness.adapters.host.owner import own_run_id
from harness.model.nouns import Caps, Load, Outcome, Side
from harness.outcome.observation import Observation
from harness.outcome.rules import decide
from harness.verbs.ports import Build, CellSpec
from tests.hosts.box_sides import BoxSide
from tests.hosts.docker_side import make_box_tree

RUN_ID = own_run_id()
CAPS = Caps(cpus=0.5, memory_bytes=64 << 20, pids=64, timeout_s=60.0)
Run = Callable[..., Observation]


@pytest.fixture(scope="module")
def build(real_side: BoxSide) -> Build:
    """Build the tree whose probe ends as its arm says."""
    base_image = real_side.box.find_base_image("")
    return real_side.box.build(make_box_tree("cells"), base_image=base_image, side=Side.BRANCH)


def _order(arm: str, caps: Caps, run_id: str = RUN_ID) -> CellSpec:
    return CellSpec(
        run_id=run_id, arm=arm, level=5, load=Load(turns=1), caps=caps, environment={"TOGGLE": "1"}
    )


@pytest.fixture
def run(real_side: BoxSide, build: Build) -> Iterator[Run]:
    """Return what runs one cell; when the test is over, nothing of it is there."""

    def run_it(arm: str, *, caps: Caps = CAPS) -> Observation:
        return real_side.box.run_cell(build, _order(arm, caps), lambda _: None)

    yield run_it
    assert real_side.box.reap(RUN_ID)
    assert real_side.box.reap(RUN_ID) == []


def _outcome(seen: Observation, caps: Caps = CAPS) -> tuple[Outcome, str]:
    return decide(seen, caps, 5)


def _running(words: str) -> list[int]:
    """Return the processes of this machine whose command line holds these words."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if words in " ".join(process.cmdline()):
                found.append(process.pid)
    return found


def _holds(side: BoxSide, *names: str) -> bool:
    return set(names) <= set(side.box.describe("").holds)


def test_cell_holds_its_caps(real_side: BoxSide, run: Run) -> None:
    """Each cap that the box says it holds is what was asked for, read from inside."""
    seen = run("caps")
    caps = seen.output.caps
    assert caps is not None
    assert seen.holds == real_side.box.describe("").holds
    if _holds(real_side, "cpus", "memory", "pids"):
        assert (caps.cpus, caps.memory_bytes, caps.pids) == (0.5, 64 << 20, 64)
    if _holds(real_side, "network"):
        assert caps.network == ("lo",)
    assert _outcome(seen) == (Outcome.OK, "")


def test_box_without_an_engine_says_what_it_does_not_hold(real_side: BoxSide) -> None:
    """A watchdog holds no cap for certain, and each that is loose is told."""
    info = real_side.box.describe("")
    assert _holds(real_side, "cpus", "memory", "pids") == (real_side.kind != "watchdog")
    told = " ".join(info.warnings).lower()
    assert all(word in told for word in ("memory", "cpu", "swap")) == (
        real_side.kind == "watchdog"
    )
    assert ("network" in told) != _holds(real_side, "network")


@pytest.mark.parametrize("cpus", [0.29, 4 / 3, 1.1])
def test_cell_holds_odd_caps(real_side: BoxSide, run: Run, cpus: float) -> None:
    """Odd CPU shares and memory sizes are enforced too."""
    caps = structs.replace(CAPS, cpus=cpus, memory_bytes=(64 << 20) + 1)
    seen = run("caps", caps=caps)
    assert seen.output.caps is not None
    if _holds(real_side, "cpus"):
        assert seen.output.caps.cpus == pytest.approx(cpus, abs=1e-5)
    assert _outcome(seen, caps) == (Outcome.OK, "")


def test_cell_is_given_its_order(real_side: BoxSide, run: Run) -> None:
    """A cell has its arguments and environment, and no package or right of the host."""
    worker_exit = run("caps").output.worker_exit
    assert worker_exit is not None
    evidence = dict(worker_exit.evidence)
    uid, capabilities = evidence.pop("uid"), evidence.pop("capabilities")
    cpus = evidence.pop("affinity")
    assert evidence == {
        "arguments": ["caps", "5", "1", "200", "50", "5"],
        "toggle": "1",
        "open-files": 20_000,
        "python": [],
    }
    assert cpus == (1 if real_side.kind == "watchdog" else os.cpu_count())
    if _holds(real_side, "network"):  # the same words take both away
        assert capabilities == "CapEff:\t0000000000000000"
    assert uid in ({65534} if real_side.kind == "docker" else {65534, os.getuid(), 0})


def test_cell_that_eats_its_memory_is_oom(real_side: BoxSide, run: Run) -> None:
    """The kill is seen, and not taken for a crash."""
    seen = run("oom")
    assert seen.exit_code == 137
    outcome, reason = _outcome(seen)
    assert outcome is Outcome.OOM
    assert reason.startswith(f"out of memory at 64 MiB, {real_side.oom}")


def test_child_that_eats_the_memory_is_oom(real_side: BoxSide, run: Run) -> None:
    """A kill in the cell counts, even if its first process survives."""
    seen = run("child_oom")
    assert (seen.exit_code, _outcome(seen)[0]) == (0, Outcome.OOM)
    assert real_side.oom in _outcome(seen)[1]


def test_cell_without_threads_left_is_told(real_side: BoxSide, run: Run) -> None:
    """A refused thread names the exhausted resource, in a box that caps threads."""
    outcome, reason = _outcome(run("threads"))
    if _holds(real_side, "pids"):
        assert outcome is Outcome.THREADS
        assert reason.startswith("native threads ran out at ")
    else:
        assert outcome is Outcome.OK


def test_cell_that_hangs_is_killed_at_its_limit(run: Run) -> None:
    """Our own kill is told from the kernel's, and what was heard before it is kept."""
    caps = structs.replace(CAPS, cpus=float(os.cpu_count() or 1), timeout_s=8.0)
    seen = run("hang", caps=caps)
    assert (seen.timed_out, seen.oom_killed) == (True, False)
    assert 8.0 <= seen.wall_s < 60
    assert _outcome(seen, caps) == (
        Outcome.TIMEOUT_STALLED,
        "8.0 s timeout, stalled, 3 of 5 sessions done",
    )


def test_cell_that_crashes_keeps_its_exit_code_and_last_words(run: Run) -> None:
    """The last lines of standard error are kept exactly, after any amount of output."""
    seen = run("crash")
    assert (seen.exit_code, seen.stderr[-1]) == (3, "line 1099 é")
    assert len(seen.stderr) == 1000
    assert _outcome(seen) == (Outcome.CRASH, "exit code 3 without a RESULT")


def test_cell_without_a_result_is_a_crash(run: Run) -> None:
    """Exit code 0 alone proves nothing."""
    seen = run("silent")
    assert (seen.exit_code, seen.stdout) == (0, "all is well")
    assert _outcome(seen) == (Outcome.CRASH, "it exited 0 without a RESULT")


def test_cell_that_prints_without_end_has_its_result(run: Run) -> None:
    """Tens of megabytes before it do not hide the RESULT."""
    seen = run("chatty")
    assert _outcome(seen) == (Outcome.OK, "")
    assert len(seen.stdout) <= 33 << 20


def test_cell_that_prints_bytes_has_its_result(run: Run) -> None:
    """Output that is no text is data, and what is stored of it is text."""
    seen = run("bytes_")
    assert _outcome(seen) == (Outcome.OK, "")
    assert seen.stdout.encode().count(b"RESULT") == 2


def test_cell_may_write_to_its_scratch(run: Run) -> None:
    """There is a place for what sessions write, whoever they run as."""
    assert _outcome(run("writes")) == (Outcome.OK, "")


def test_cell_leaves_no_process_behind(run: Run) -> None:
    """Detached processes of a cell end with the cell."""
    assert _outcome(run("orphan")) == (Outcome.OK, "")
    assert _running("harness.probe orphan") == []


def test_cell_that_is_interrupted_runs_no_longer(real_side: BoxSide, build: Build) -> None:
    """Ctrl-C while a cell runs ends it, and what it wrote goes with its run."""

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    run_id = own_run_id()
    with pytest.raises(KeyboardInterrupt):
        real_side.box.run_cell(build, _order("slow", CAPS, run_id), interrupt)
    assert _running("harness.probe slow") == []
    assert len(real_side.box.reap(run_id)) == 1
    assert real_side.box.reap(run_id) == []
