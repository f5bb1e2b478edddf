"""Which adapter stands for which port, and how what a person typed becomes a request."""

import os
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol, TextIO

from harness.adapters.console.lines import ConsoleProgress, append_summary, make_progress
from harness.adapters.counters.counted_run import CountedRuns
from harness.adapters.counters.local_sides import LocalSideFolders
from harness.adapters.counters.tools import CallgrindCounter, MemoryCounter, StraceCounter
from harness.adapters.docker.box import DockerBox
from harness.adapters.git.repo import GitRepo
from harness.adapters.host.facts import find_facts
from harness.adapters.host.lock import Turn, own_note, prune_locks, taken
from harness.adapters.host.owner import SystemClock, own_run_id
from harness.adapters.host.pyproject import read_defaults
from harness.adapters.host.signals import EndingSignals
from harness.adapters.local.box import LocalBox
from harness.adapters.local.enforcement import find_holdings, watchdog
from harness.adapters.results.store import FilesStore
from harness.cli.flags import Typed
from harness.cli.settings import Sources, parse_arm, parse_environment, settle, settle_gate
from harness.model.errors import HarnessError, NoBoxError, UsageError
from harness.model.nouns import OPEN_FILES, Caps, Side
from harness.model.request import AUTO, BOXES, Request
from harness.model.nouns import Drive
from harness.verbs.cost import CostRequest, Counting, count_both
from harness.verbs.doctor import can_run, doctor_text, examine
from harness.verbs.gate import GateOrder
from harness.verbs.ports import Box, Progress, Repo, Store, World


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


def make_counting(progress: Progress) -> Counting:
    """Give every counter there is, on local environments; the quickest comes first, and finds out which side cannot be counted."""
    sides = LocalSideFolders()
    runs = CountedRuns(confined=lambda: sides.confined)
    return Counting(
        counters=(MemoryCounter(runs), StraceCounter(runs), CallgrindCounter(runs)),
        sides=sides,
        progress=progress,
        now_s=time.monotonic,
    )


class OpenBox(Box, Protocol):
    """A box that holds on to something."""

    @property
    def lock_name(self) -> str:
        """What two runs would share, as the name of a lock: this machine, or an engine elsewhere."""

    def close(self) -> None:
        """Let go of it."""


def choose_box(wanted: str, say: Callable[[str], None]) -> OpenBox:
    """Open a box, and tell which it is, and why none of the better ones.

    Args:
        wanted: One of `BOXES`, or `AUTO` for the first of them that works.
        say: Is told.

    Raises:
        NoBoxError: It does not work here, or none does.
    """
    refused: list[str] = []
    box = open_box(wanted, say) if wanted != AUTO else _first_that_works(say, refused)
    info = box.describe("")
    why = f"; {'; '.join(refused)}" if refused else ""
    say(f"box    {info.box}, {info.engine}, cgroup {info.cgroup}{why}")
    return box


def _first_that_works(say: Callable[[str], None], refused: list[str]) -> OpenBox:
    """Open the best box that works, and note why those before it do not."""
    for kind in BOXES:
        try:
            return open_box(kind, say)
        except NoBoxError as error:
            refused.append(f"no {kind}: {error.what}")
    msg = "there is no box to run cells in"
    raise NoBoxError(msg, hint="`invoke doctor` tells what each box needs", tail=refused)


def open_every_box() -> Generator[OpenBox, None, None]:
    """Open each box that works here, for as long as it is looked at."""
    for kind in BOXES:
        try:
            box = open_box(kind, lambda _: None)
        except NoBoxError:
            continue
        try:
            yield box
        finally:
            box.close()


def open_box(kind: str, say: Callable[[str], None]) -> OpenBox:
    """Open a box of one kind.

    Raises:
        NoBoxError: It does not work here; it says why.
    """
    if kind == "docker":
        return DockerBox(say)
    if kind == "watchdog":
        return LocalBox(watchdog(), say)
    holdings, refused = find_holdings()
    for holding in holdings:
        try:
            return LocalBox(holding, say)
        except NoBoxError as error:
            refused.append(error.what)
    msg = "; ".join(refused)
    raise NoBoxError(msg, hint="`invoke doctor` tells what each box needs")
