"""The adapters behind the ports, opened for one call and cleaned up after it."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TextIO

from harness.adapters.console.lines import ConsoleProgress, append_summary, make_progress
from harness.adapters.counters.local_sides import LocalSideFolders
from harness.adapters.counters.runner import CountingRunner
from harness.adapters.counters.tools import CallgrindCounter, MemoryCounter, StraceCounter
from harness.adapters.git.repo import GitRepo, find_git_fact
from harness.adapters.host.facts import find_facts
from harness.adapters.host.lock import Turn, machine_lock, own_note, prune_locks
from harness.adapters.host.owner import own_run_id, utc_stamp
from harness.adapters.host.pyproject import read_defaults
from harness.adapters.host.signals import EndingSignals
from harness.adapters.results.store import FilesStore
from harness.cli.boxes import choose_box, find_box_facts, open_every_box
from harness.cli.flags import DRY_RUN, NO_COSTS, NO_WAIT, REPO, Flags
from harness.cli.settings import settle, settle_gate
from harness.model.errors import HarnessError, NoBoxError, UsageError
from harness.model.nouns import OPEN_FILES, Caps
from harness.model.request import GateOptions, Request
from harness.verbs.cost import CountCosts, count_both
from harness.verbs.doctor import can_run, doctor_text, examine
from harness.verbs.housekeeping import Render, clean, show_run
from harness.verbs.ports import Box, CounterSet, Progress, Repo, Store, World


def make_request(flags: Flags) -> Request:
    """Return the request of a call, before anything is opened.

    Raises:
        UsageError: A setting cannot be used.
    """
    root = _find_root(flags[REPO])
    request = settle(replace(flags, pyproject=read_defaults(root)), host_cpus=os.cpu_count() or 1)
    if request.resume is not None:  # in the kind of box that it was measured in
        request = replace(request, box=open_store(root).load(request.resume)[0].box.box)
    return request


def make_gate_options(flags: Flags) -> GateOptions:
    """Return the options of a gate.

    Raises:
        UsageError: `[tool.esc-bench.gate]` cannot be used.
    """
    return settle_gate(replace(flags, pyproject=read_defaults(_find_root(flags[REPO]))))


def make_count(flags: Flags, progress: Progress) -> CountCosts | None:
    """Return a function that counts exact costs; None with `--no-costs`."""
    return None if flags[NO_COSTS] else partial(count_both, _make_counters(progress))


def find_turn(flags: Flags) -> Turn:
    """Return what a call does while another run uses the machine."""
    if flags[DRY_RUN]:
        return Turn.NEEDS_NONE
    return Turn.GIVE_UP if flags[NO_WAIT] else Turn.WAIT


@contextmanager
def open_session(flags: Flags, stream: TextIO | None = None) -> Iterator[tuple[World, Request]]:
    """Open the adapters of a call, and remove afterwards whatever the call left.

    Args:
        flags: Settled before anything is opened.
        stream: Receives progress as plain lines. By default progress goes to standard error, on a terminal as a live view.

    Raises:
        UsageError: A setting cannot be used.
        RepoError: There is no checkout.
        NoBoxError: There is no such box here, or another run uses it.
        KeyboardInterrupt: A signal ended the call.
    """
    request, turn = make_request(flags), find_turn(flags)
    progress = _make_progress(stream)
    run_id = own_run_id()
    with (
        EndingSignals(progress.say) as signals,
        closing(GitRepo(Path(flags[REPO] or "."))) as repo,
        closing(choose_box(request.box, progress.say)) as box,
        machine_lock(box.lock_name, own_note(repo.root, utc_stamp()), turn, progress.say),
    ):
        try:
            yield (
                World(
                    run_id=run_id,
                    box=box,
                    repo=repo,
                    store=open_store(repo.root),
                    utc_stamp=utc_stamp,
                    progress=progress,
                ),
                request,
            )
        finally:
            signals.end()
            if turn is not Turn.NEEDS_NONE:
                _clean_up(run_id, repo, box, progress)


@contextmanager
def open_counting(flags: Flags) -> Iterator[tuple[CounterSet, Repo, str, Request]]:
    """Open what exact costs need, without a box: counters, git, and the id of the run.

    Raises:
        UsageError: A setting cannot be used.
        RepoError: There is no checkout.
    """
    request, progress = make_request(flags), _make_progress(None)
    with EndingSignals(progress.say), closing(GitRepo(Path(flags[REPO] or "."))) as repo:
        yield _make_counters(progress), repo, own_run_id(), request


def remove_leftovers(flags: Flags) -> str:
    """Remove leftovers of killed runs in every box; return a line for each.

    Raises:
        RepoError: There is no checkout.
    """
    with (
        closing(GitRepo(Path(flags[REPO] or "."))) as repo,
        closing(open_every_box()) as boxes,
    ):
        return clean(repo, boxes, open_store(repo.root), prune_locks)


def show_stored(root: Path, folder: str, renderers: Mapping[str, Render]) -> str:
    """Return the table of a run that is stored in a checkout; see `show_run`."""
    return show_run(open_store(root), folder, renderers)


def examine_host(flags: Flags) -> str:
    """Return what this host can run, as text; print it first if no box works.

    Raises:
        NoBoxError: No box works here.
    """
    folder = _find_root(flags[REPO])
    facts = find_facts(folder, find_box_facts(), find_git_fact(folder))
    findings = examine(facts, box_cpus=Caps().cpus, open_files=OPEN_FILES)
    text = doctor_text(findings, can_run=can_run(facts))
    if not can_run(facts):
        print(text)  # noqa: T201  # the error is the last line
        msg = "no box works here"
        raise NoBoxError(msg, hint="see above for what each box needs")
    return text


def open_store(root: Path) -> Store:
    """Return the results of a checkout."""
    return FilesStore(root / "results")


def publish(summary: str, progress: Progress) -> None:
    """Append a summary to the job's, if this is a job of GitHub Actions."""
    message = append_summary(os.environ, summary)
    if message:
        progress.say(message)


def _make_progress(stream: TextIO | None) -> Progress:
    return ConsoleProgress(stream) if stream else make_progress(sys.stderr)


def _make_counters(progress: Progress) -> CounterSet:
    """Return every counter; the quickest is first, so that a bad side fails early."""
    sides = LocalSideFolders()
    runs = CountingRunner(confined=lambda: sides.confined)
    return CounterSet(
        counters=(MemoryCounter(runs), StraceCounter(runs), CallgrindCounter(runs)),
        sides=sides,
        progress=progress,
        now_s=time.monotonic,
    )


def _clean_up(run_id: str, repo: Repo, box: Box, progress: Progress) -> None:
    """Remove what a run left; report an error instead of hiding the result."""
    progress.say("removing what the run wrote")
    for remove in (partial(repo.prune, run_id), partial(box.reap, run_id), box.trim):
        try:
            remove()
        except HarnessError as error:
            progress.say(f"{error}; `invoke clean` removes what is left")


def _find_root(repo: str | None) -> Path:
    """Return the root of the checkout around a folder, or the folder itself.

    Raises:
        UsageError: No folder can have that name.
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
