"""Crashes, stops and hangs of the engine during a run."""

import threading
import time
from collections.abc import Callable

from experiments.faults.kills import check_readable, new_run
from experiments.faults.scenario import Findings, Lab
from experiments.faults.site import LEVELS, Running, Site
from harness.model.nouns import Outcome

LONGER = (
    *LEVELS,
    "--load",
    "1 20 40 20",
)  # cells of almost a second, long enough for a fault
_CELL = 6  # number of the cell, after checks and warm-up
_BOUND_S = 240
_PAUSE_S = 40


def crash_in_build(lab: Lab, found: Findings) -> None:
    """Kill the engine during a build, and start it again."""
    site = lab.site("crash-build")
    for number in range(3):
        site.change(f"Change {number}")
        running = site.compare().wait_for("building esc-bench:tree")
        running.runs_for(lab.moments.uniform(0.1, 1.5))
        _restart(lab)
        found.times += 1
        check_ended(running.wait(_BOUND_S), found, {0, 11, 12})
    check_next_run(site, found)
    found.lost.append("the build")
    found.check_left(site)


def crash_in_start(lab: Lab, found: Findings) -> None:
    """Kill the engine after it created a cell's container, and start it again."""
    _crash_at(lab, found, "create", lambda: 0.0)


def crash_in_cell(lab: Lab, found: Findings) -> None:
    """Kill the engine during a cell, and start it again."""
    _crash_at(lab, found, "start", lambda: lab.moments.uniform(0.1, 0.8))


def vanish_in_cell(lab: Lab, found: Findings) -> None:
    """Kill the engine during a cell, and start it only after the run has ended."""
    site = lab.site("vanish")
    running = at_cell(site, "start", 0.3, site.engine.kill)
    found.times += 1
    try:
        running.wait(_BOUND_S)
        found.happened.append(
            f"exit {running.code} after {running.seconds:.0f} s, partial results"
        )
        found.check(running.code == 12, f"ended with {running.code}: {running.last_line}")
        folder = new_run(site, [])
        if found.check(folder is not None, "no partial results") and folder is not None:
            check_readable(site, folder, found, "")
    finally:
        site.engine.start()
    check_outcomes(site, found)
    found.lost.append("the cell that ran")
    found.check_left_after_clean(site)
    check_resume(site, found)


def hang_in_cell(lab: Lab, found: Findings) -> None:
    """Pause the engine during a cell, beyond the timeout of short calls."""
    site = lab.site("hang")

    def pause_for_a_while() -> None:
        site.engine.pause()
        timer = threading.Timer(_PAUSE_S, site.engine.unpause)
        timer.start()

    running = at_cell(site, "start", 0.3, pause_for_a_while)
    found.times += 1
    running.wait(_BOUND_S)
    check_ended(running, found, {0, 5, 12})
    check_outcomes(site, found)
    found.lost.append("the cell that ran")
    found.check_left(site)


def _crash_at(lab: Lab, found: Findings, kind: str, wait_s: Callable[[], float]) -> None:
    site = lab.site(f"crash-{kind}")
    for _ in range(3):
        running = at_cell(site, kind, wait_s(), lambda: _restart(lab))
        found.times += 1
        check_ended(running.wait(_BOUND_S), found, {0, 5, 12})
    check_outcomes(site, found)
    found.lost.append("the running cell, which is retried")
    found.check_left(site)


def at_cell(site: Site, kind: str, wait_s: float, fault: Callable[[], None]) -> Running:
    """Start a run, and inject a fault after an event of a cell's container."""
    with site.engine.events(kind) as events:
        time.sleep(0.3)  # the listener does not report that it is ready
        running = site.compare(load=LONGER)
        came = sum(1 for _ in zip(range(_CELL), events, strict=False))
        if came < _CELL or not running.runs_for(wait_s):
            msg = f"no run to inject the fault into: {came} containers, exit {running.code}"
            raise AssertionError(msg)
        fault()
    return running


def _restart(lab: Lab) -> None:
    lab.engine.kill()
    time.sleep(1)
    lab.engine.start()


def check_ended(running: Running, found: Findings, codes: set[int]) -> None:
    """Check the exit code, and that an error is one line without a traceback."""
    found.happened.append(f"exit {running.code}")
    found.check(running.code in codes, f"ended with {running.code}: {running.last_line}")
    if running.code:
        found.check(_is_one_clear_line(running), f"no clear line: {running.progress[-600:]}")


def _is_one_clear_line(running: Running) -> bool:
    return "Traceback" not in running.progress and bool(running.last_line)


def check_outcomes(site: Site, found: Findings) -> None:
    """Check that each cell is ok or invalid: the fault is not blamed on the subject."""
    for folder in site.runs():
        if check_readable(site, folder, found, ""):
            for cell in site.cells(folder)[0]:
                words = f"{cell.outcome}: {cell.reason}"
                found.check(cell.outcome in {Outcome.OK, Outcome.INVALID}, words)
                if cell.outcome is Outcome.INVALID:
                    found.happened.append(f"invalid: {cell.reason[:60]}")


def check_next_run(site: Site, found: Findings) -> None:
    """Check that the next run is undisturbed."""
    after = site.compare().wait()
    found.check(after.code == 0, f"the next run ended with {after.code}: {after.last_line}")


def check_resume(site: Site, found: Findings) -> None:
    """Check that the last run can be resumed to its end."""
    for folder in site.runs()[-1:]:
        done = site.resume(folder).wait()
        if found.check(done.code == 0, f"--resume ended with {done.code}: {done.last_line}"):
            found.happened.append("resumed to its end")
