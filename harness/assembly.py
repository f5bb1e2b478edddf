"""Which adapter stands for which port, and how what a person typed becomes a request."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TextIO

from harness.adapters.box_choice import choose_box, open_every_box
from harness.adapters.console_progress import ConsoleProgress, make_progress
from harness.adapters.counter_choice import make_counting
from harness.adapters.ending_signals import EndingSignals
from harness.adapters.files_store import FilesStore
from harness.adapters.git_repo import GitRepo
from harness.adapters.host_facts import find_facts
from harness.adapters.machine_lock import Turn, own_note, prune_locks, taken
from harness.adapters.owner import own_run_id
from harness.adapters.pyproject_file import read_defaults
from harness.adapters.step_summary import append_summary
from harness.adapters.system_clock import SystemClock
from harness.config import AUTO, Sources, parse_arm, parse_environment, settle
from harness.cost_run import CostRequest, Counting, count_both
from harness.doctor import can_run, examine
from harness.errors import HarnessError, UsageError
from harness.gate import GateOrder
from harness.gate_settings import settle_gate
from harness.model import OPEN_FILES, Caps, Drive, Side
from harness.ports import Box, Progress, Repo, Store
from harness.report import doctor_text
from harness.typed import Typed
from harness.world import Request, World


def find_turn(given: Mapping[str, object]) -> Turn:
    """Return what a task does while another run has the machine, by its flags `--no-wait` and `--dry-run`."""
    if given.get("dry_run"):
        return Turn.NEEDS_NONE
    return Turn.GIVE_UP if given.get("no_wait") else Turn.WAIT


def make_request(typed: Typed) -> Request:
    """Settle what was typed, before anything is reached or made.

    Raises:
        UsageError: Some of it cannot be used.
    """
    both = parse_environment(typed.env, where="--env")
    arm = parse_arm(typed.arm, where="--arm")
    root = _checkout(typed.repo)
    sources = Sources(
        flags=typed.flags,
        environ=os.environ,
        invoke=typed.invoke,
        pyproject=read_defaults(root),
        host_cpus=os.cpu_count() or 1,
    )
    settings = settle(sources)
    if typed.resume is not None:  # in the kind of box that it was measured in, and in no other
        settings = replace(settings, box=open_store(root).load(typed.resume)[0].box.box)
    return Request(
        settings=settings,
        base=typed.base,
        main=typed.main,
        drives={
            Side.BASE: Drive(
                arm=parse_arm(typed.base_arm, where="--base-arm") if typed.base_arm else arm,
                environment=both | parse_environment(typed.base_env, where="--base-env"),
            ),
            Side.BRANCH: Drive(
                arm=parse_arm(typed.branch_arm, where="--branch-arm") if typed.branch_arm else arm,
                environment=both | parse_environment(typed.branch_env, where="--branch-env"),
            ),
        },
        resume=typed.resume,
    )


def make_cost_request(typed: Typed) -> CostRequest:
    """Settle what was typed for a count.

    Raises:
        UsageError: Some of it cannot be used.
    """
    request = make_request(typed)
    return CostRequest(
        base=request.base, main=request.main, drives=request.drives, load=request.settings.load
    )


def make_gate_order(
    typed: Typed, progress: Progress, *, is_quick: bool, is_strict: bool, counts: bool
) -> GateOrder:
    """Settle how a gate is to decide.

    Args:
        typed: What was typed; of it `--pairs` counts.
        progress: Is told of what is counted.
        is_quick: One level with pairs and no ladder.
        is_strict: Whether what is inconclusive fails.
        counts: Whether exact costs are counted at all.

    Raises:
        UsageError: `[tool.esc-bench.gate]` cannot be used.
    """
    table = read_defaults(_checkout(typed.repo)).get("gate")
    counting = make_counting(progress)
    return GateOrder(
        settings=settle_gate(table, pairs=typed.flags.get("pairs") or ""),
        is_quick=is_quick,
        is_strict=is_strict,
        count=partial(count_both, counting) if counts else None,
    )


def publish(summary: str, progress: Progress) -> None:
    """Append a summary to the job's, where this is a job of GitHub Actions, and tell of it."""
    told = append_summary(os.environ, summary)
    if told:
        progress.say(told)


@contextmanager
def open_world(
    repo: str | None = None,
    *,
    box: str = AUTO,
    turn: Turn = Turn.WAIT,
    stream: TextIO | None = None,
) -> Iterator[World]:
    """Give the adapters for as long as the block runs: git, a box, results/ of the checkout, a console.

    Args:
        repo: A folder of the checkout; None for the current one.
        box: Which one, or `AUTO`.
        turn: What to do while another run has the machine.
        stream: Where progress goes as plain lines; by default it is standard error, so that standard output holds the table alone, and on a
            terminal a live view.

    Raises:
        RepoError: There is no checkout.
        NoBoxError: There is no such box here, or it is taken.
        KeyboardInterrupt: A signal ended the run; what it made is removed.
    """
    progress = ConsoleProgress(stream) if stream else make_progress(sys.stderr)
    run_id, clock = own_run_id(), SystemClock()
    with (
        EndingSignals(progress.say) as signals,
        closing(GitRepo(Path(repo or "."))) as git_repo,
        closing(choose_box(box, progress.say)) as opened,
        taken(opened.lock_name, own_note(git_repo.root, clock.utc_stamp()), turn, progress.say),
    ):
        try:
            yield World(
                run_id=run_id,
                box=opened,
                repo=git_repo,
                store=open_store(git_repo.root),
                clock=clock,
                progress=progress,
            )
        finally:
            signals.end()
            if turn is not Turn.NEEDS_NONE:
                _remove_own(run_id, git_repo, opened, progress)


def _remove_own(run_id: str, repo: Repo, box: Box, progress: Progress) -> None:
    """Remove what an interruption left of a run; what cannot be removed is told, and must not take the result with it."""
    for remove in (partial(repo.prune, run_id), partial(box.reap, run_id), box.trim):
        try:
            remove()
        except HarnessError as error:
            progress.say(f"{error}; `invoke clean` removes what is left")


@contextmanager
def open_leftovers(
    repo: str | None = None,
) -> Iterator[tuple[Repo, Iterator[Box], Store, Callable[[], list[str]]]]:
    """Give git of a checkout, each box that works here, its results/ and what removes locks, for as long as the block runs.

    Raises:
        RepoError: There is no checkout.
    """
    with closing(GitRepo(Path(repo or "."))) as git_repo, closing(open_every_box()) as boxes:
        yield git_repo, boxes, open_store(git_repo.root), prune_locks


@contextmanager
def open_counting(
    repo: str | None = None, *, stream: TextIO | None = None
) -> Iterator[tuple[Counting, Repo, str]]:
    """Give what exact costs need, which is no engine: the counters, git, and the id of the run, for as long as the block runs.

    Args:
        repo: A folder of the checkout; None for the current one.
        stream: Where progress goes; standard error by default.

    Raises:
        RepoError: There is no checkout.
    """
    progress = ConsoleProgress(stream) if stream else make_progress(sys.stderr)
    with EndingSignals(progress.say), closing(GitRepo(Path(repo or "."))) as git_repo:
        yield make_counting(progress), git_repo, own_run_id()


def examine_host(repo: str | None = None) -> tuple[str, bool]:
    """Look at this host, from a checkout; return what it is good for, as text, and whether anything can be run here."""
    folder = _checkout(repo)
    facts = find_facts(folder)
    findings = examine(facts, box_cpus=Caps().cpus, open_files=OPEN_FILES)
    return doctor_text(findings, can_run=can_run(facts)), can_run(facts)


def open_store(root: Path) -> Store:
    """Give the results of a checkout."""
    return FilesStore(root / "results")


def _checkout(repo: str | None) -> Path:
    """Return the root of the checkout, for its defaults; a folder outside of one stands for itself.

    Raises:
        UsageError: There can be no folder of that name.
    """
    try:
        folder = Path(repo or ".").resolve()
        around = (
            candidate
            for candidate in (folder, *folder.parents)
            if os.path.lexists(candidate / ".git")
        )
        return next(around, folder)
    except (OSError, ValueError, RuntimeError) as error:
        msg = f"--repo: {repo!r} is no folder: {error}"
        raise UsageError(msg, hint="name a folder of a checkout") from error
