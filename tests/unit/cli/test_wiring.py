"""The request of a call, its adapters, and the cleanup after it."""

import io
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.adapters.git.repo import GitRepo
from harness.adapters.host.lock import Turn
from harness.adapters.host.owner import is_alive
from harness.cli import wiring
from harness.cli.flags import Flags
from harness.cli.parsing import parse_margin
from harness.cli.wiring import (
    find_turn,
    make_count,
    make_gate_options,
    make_request,
    open_session,
    publish,
)
from harness.model.errors import NoBoxError, RepoError, UsageError
from harness.model.nouns import Arm, Drive, Side
from tests.builders.checkout import Checkout
from tests.builders.model import make_run
from tests.fakes.fake_box import FakeBox
from tests.fakes.fake_progress import FakeProgress

Make = Callable[..., Checkout]
GATE = """
[tool.esc-bench.gate]
pairs = 4
[tool.esc-bench.gate.margins]
latency-infl = "7 %"
"""


class SessionBox(FakeBox):
    """A box that records its cleanup.

    Attributes:
        calls: The calls of the cleanup, in order.
        fails: Whether its engine is gone when the cleanup starts.
        is_interrupted: Whether a signal arrives during the cleanup.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.fails = self.is_interrupted = False

    @property
    def lock_name(self) -> str:
        """A lock that no other test process uses."""
        return f"test-{os.getpid()}"

    def reap(self, run_id: str | None = None) -> list[str]:
        """Record the call, or fail."""
        if self.is_interrupted:
            signal.raise_signal(signal.SIGTERM)
        self.calls.append(f"reap {run_id}")
        if self.fails:
            msg = "the engine is gone"
            raise NoBoxError(msg)
        return []

    def trim(self) -> list[str]:
        """Record the call."""
        self.calls.append("trim")
        return []

    def close(self) -> None:
        """Record the call."""
        self.calls.append("close")


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> SessionBox:
    """Return the box that every session opens."""
    opened = SessionBox()
    monkeypatch.setattr(wiring, "choose_box", lambda _wanted, _say: opened)
    return opened


def _flags(root: Path, **typed: object) -> Flags:
    return Flags(typed={"repo": str(root), "cpus": "1", **typed})


def test_request_has_the_environment_and_the_arm_of_each_side(tmp_path: Path) -> None:
    """--env and --arm apply to both sides; a flag of one side wins on that side."""
    flags = _flags(
        tmp_path,
        env=["A=both", "B=both"],
        base_env=["A=base"],
        branch_env=["C=branch"],
        arm="sc-ckpt",
        base_arm="hand",
    )
    assert make_request(flags).drives == {
        Side.BASE: Drive(arm=Arm.HAND, environment={"A": "base", "B": "both"}),
        Side.BRANCH: Drive(arm=Arm.SC_CKPT, environment={"A": "both", "B": "both", "C": "branch"}),
    }


def test_request_reads_the_defaults_of_the_checkout(tmp_path: Path) -> None:
    """The table of the checkout's root applies in each of its folders."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.esc-bench]\nlevels = [7]\ncpus = 1\n")
    (tmp_path / "src/deep").mkdir(parents=True)
    request = make_request(Flags(typed={"repo": str(tmp_path / "src/deep")}))
    assert request.plan.levels == (7,)


def test_gate_options_come_from_the_checkout(tmp_path: Path) -> None:
    """Margins come from the repository's pyproject.toml; `--pairs` wins over it."""
    checkout = Checkout.make(tmp_path / "checkout")
    checkout.write("pyproject.toml", GATE)
    options = make_gate_options(_flags(checkout.root, quick=True, strict=True))
    assert (options.pairs, options.is_quick, options.is_strict) == (4, True, True)
    assert options.margins["latency-infl"] == parse_margin("7 %", where="here")
    options = make_gate_options(_flags(checkout.root, pairs="6"))
    assert (options.pairs, options.is_quick, options.is_strict) == (6, False, False)


def test_gate_options_with_an_unreadable_margin_are_a_usage_error(tmp_path: Path) -> None:
    """The error names the place of the margin, before anything is built."""
    checkout = Checkout.make(tmp_path / "checkout")
    checkout.write("pyproject.toml", GATE.replace("7 %", "some"))
    with pytest.raises(UsageError, match=r"margins. latency-infl: 'some' is not a margin"):
        make_gate_options(_flags(checkout.root))


def test_count_is_none_with_no_costs(tmp_path: Path) -> None:
    """--no-costs skips the exact costs."""
    assert make_count(_flags(tmp_path), FakeProgress()) is not None
    assert make_count(_flags(tmp_path, no_costs=True), FakeProgress()) is None


def test_turn_follows_from_the_flags(tmp_path: Path) -> None:
    """A run waits for the machine, except with --no-wait; a dry run needs no lock."""
    assert find_turn(_flags(tmp_path)) is Turn.WAIT
    assert find_turn(_flags(tmp_path, no_wait=True)) is Turn.GIVE_UP
    assert find_turn(_flags(tmp_path, dry_run=True)) is Turn.NEEDS_NONE


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def number(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """Provide a signal that is not ignored, as some are under `nohup`."""
    before = signal.signal(request.param, signal.SIG_DFL)
    yield request.param
    signal.signal(request.param, before)


def test_session_cleans_up_after_a_signal(
    git_checkout: Make, box: SessionBox, number: signal.Signals
) -> None:
    """A signal cleans up as Ctrl-C does, and the old handlers return."""
    session = open_session(_flags(git_checkout().root), stream=io.StringIO())
    with pytest.raises(KeyboardInterrupt), session as (world, _):
        signal.raise_signal(number)
    assert box.calls == [f"reap {world.run_id}", "trim", "close"]
    assert signal.getsignal(number) is signal.SIG_DFL


def test_session_of_a_checkout_closes_its_box(git_checkout: Make, box: SessionBox) -> None:
    """Results go to the checkout's root; the box is closed after the block."""
    checkout = git_checkout()
    flags = _flags(checkout.root / "src")
    with open_session(flags, stream=io.StringIO()) as (world, request):
        writer = world.store.open_run(make_run(), "x")
        assert Path(writer.folder).parent == checkout.root / "results"
        assert is_alive(world.run_id)
        assert request == make_request(flags)
        assert box.calls == []
    assert box.calls == [f"reap {world.run_id}", "trim", "close"]


def test_session_removes_what_the_run_left(
    git_checkout: Make, box: SessionBox, git_alone: Path
) -> None:
    """The worktree of an interrupted checkout goes, though its owner is alive."""
    checkout = git_checkout()
    with open_session(_flags(checkout.root), stream=io.StringIO()) as (world, _):
        folder = git_alone / f"esc-bench-base-{world.run_id}-a1b2c3d4" / "tree"
        add = ("worktree", "add", "--quiet", "--detach", "--lock", "--reason", world.run_id)
        checkout.git(*add, str(folder))
    assert len(checkout.worktrees()) == 1
    assert not folder.parent.exists()
    assert box.calls == [f"reap {world.run_id}", "trim", "close"]


def test_dry_run_removes_nothing(git_checkout: Make, box: SessionBox) -> None:
    """A call that runs nothing leaves nothing behind."""
    stream = io.StringIO()
    with open_session(_flags(git_checkout().root, dry_run=True), stream=stream):
        pass
    assert (box.calls, stream.getvalue()) == (["close"], "")


def test_session_reports_a_failing_cleanup_and_continues_it(
    git_checkout: Make, box: SessionBox
) -> None:
    """The error is a progress line, the result stays, and the rest is removed."""
    box.fails, stream = True, io.StringIO()
    with open_session(_flags(git_checkout().root), stream=stream):
        result = "the table"
    assert result == "the table"
    assert stream.getvalue() == (
        "removing what the run wrote\nthe engine is gone; `invoke clean` removes what is left\n"
    )
    assert box.calls[1:] == ["trim", "close"]


def test_session_with_a_failing_cleanup_keeps_the_error_of_the_run(
    git_checkout: Make, box: SessionBox
) -> None:
    """The exit code is that of the run's own error."""
    box.fails, stream = True, io.StringIO()
    error = UsageError("the run failed")
    with (
        pytest.raises(UsageError, match="the run failed"),
        open_session(_flags(git_checkout().root), stream=stream),
    ):
        raise error
    assert stream.getvalue() == (
        "removing what the run wrote\nthe engine is gone; `invoke clean` removes what is left\n"
    )


def test_session_reports_a_worktree_that_cannot_be_removed(
    git_checkout: Make, box: SessionBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure of git does not keep the box from its cleanup."""
    stream = io.StringIO()

    def fail(_self: object, _run_id: str | None = None) -> list[str]:
        msg = "git worktree failed"
        raise RepoError(msg)

    monkeypatch.setattr(GitRepo, "prune", fail)
    with open_session(_flags(git_checkout().root), stream=stream) as (world, _):
        pass
    assert stream.getvalue() == (
        "removing what the run wrote\ngit worktree failed; `invoke clean` removes what is left\n"
    )
    assert box.calls == [f"reap {world.run_id}", "trim", "close"]


def test_session_lets_nothing_interrupt_its_cleanup(git_checkout: Make, box: SessionBox) -> None:
    """A signal that arrives during the cleanup is raised after it."""
    stream = io.StringIO()
    box.is_interrupted = True
    with (
        pytest.raises(KeyboardInterrupt),
        open_session(_flags(git_checkout().root), stream=stream),
    ):
        pass
    assert box.calls[1:] == ["trim", "close"]
    assert "\nSIGTERM: already ending" in stream.getvalue()


def test_publish_reports_the_summary_only_in_a_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gate on a developer's machine prints nothing about summaries."""
    progress = FakeProgress()
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    publish("## Gate\n", progress)
    assert progress.lines == []
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    publish("## Gate\n", progress)
    assert progress.lines == [f"the summary is appended to {tmp_path / 'summary.md'}"]
