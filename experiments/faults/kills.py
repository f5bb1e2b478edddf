"""Kills of the tool with SIGKILL at random moments, and resumption of its runs."""

from dataclasses import dataclass
from pathlib import Path

from experiments.faults.scenario import Findings, Lab, kinds_of
from experiments.faults.shape import frame, measured_twice, places
from experiments.faults.site import Running, Site

_MOST_LINKS = 40
_START_S = 2.0  # until the first cell of a resumed run


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """A run without a fault."""

    duration_s: float
    cells: int
    frame: str
    folder: Path


def kill_often(lab: Lab, found: Findings) -> None:
    """Kill a run at each moment, and resume it."""
    site = lab.site("kills")
    whole = run_undisturbed(site)
    moments = sorted(lab.moments.uniform(0, whole.duration_s) for _ in range(lab.kills))
    for number, moment in enumerate(moments):
        if number % 4 == 3:  # these kills may hit a build
            site.change(f"Change {number}")
        at = f"killed after {moment:.2f} s: "
        known = site.runs()
        running = site.compare()
        if running.runs_for(moment):
            running.kill()
            found.times += 1
        kinds = site.left()
        folder = new_run(site, known)
        had = (
            len(site.cells(folder)[0]) if folder and check_readable(site, folder, found, at) else 0
        )
        folder = go_on(site, folder, found, at)
        if folder is not None:
            check_whole(site, folder, whole, found, at)
        found.happened.append("resumed" if had else "nothing measured yet, new run")
        found.lost.append("the running cell")
        after = kinds_of(site.left())
        found.check(after == "nothing", f"{at}the next run left {after}")
        found.left.append("something" if kinds else "nothing")
    found.happened = [
        f"{found.happened.count(word)} {word}" for word in dict.fromkeys(found.happened)
    ]
    found.happened.append(
        f"the same table as the undisturbed run ({whole.cells} cells, each once)"
    )
    found.lost = ["at most the running cell"]
    found.left = [f"{found.left.count('something')} times something; nothing after the next run"]


def kill_in_a_chain(lab: Lab, found: Findings) -> None:
    """Kill one run repeatedly until it completes."""
    site = lab.site("chain")
    whole = run_undisturbed(site)
    known = site.runs()
    folder: Path | None = None
    for _ in range(_MOST_LINKS):
        at = f"link {found.times + 1}: "
        running = site.compare() if folder is None else site.resume(folder)
        moment = _START_S + lab.moments.uniform(0, whole.duration_s / 3)
        before = site.cells(folder)[0] if folder else []
        if not running.runs_for(moment):
            found.check(running.code == 0, f"{at}ended with {running.code}: {running.last_line}")
            break
        running.kill()
        found.times += 1
        folder = folder or new_run(site, known)
        if folder is not None:
            if not check_readable(site, folder, found, at):
                break
            after = site.cells(folder)[0]
            found.check(after[: len(before)] == before, f"{at}earlier cells changed")
    if found.check(folder is not None, "no link measured anything") and folder is not None:
        check_whole(site, folder, whole, found, "after the chain: ")
    found.happened.append(
        f"one run, killed {found.times} times, the same table as the undisturbed run"
    )
    found.lost.append("at most the running cell, each time")
    found.check_left(site)


def run_undisturbed(site: Site) -> Undisturbed:
    """Build both sides, then run again for a reference of time and table."""
    _run_to_the_end(site)
    done = _run_to_the_end(site)
    (*_, folder) = site.runs()
    cells, _ = site.cells(folder)
    return Undisturbed(done.seconds, len(cells), frame(done.table), folder)


def _run_to_the_end(site: Site) -> Running:
    done = site.compare().wait()
    assert done.code == 0, f"the undisturbed run ended with {done.code}: {done.last_line}"
    return done


def new_run(site: Site, known: list[Path]) -> Path | None:
    """Return the folder of a new run, if there is one."""
    fresh = [folder for folder in site.runs() if folder not in known]
    return fresh[-1] if fresh else None


def check_readable(site: Site, folder: Path, found: Findings, at: str) -> bool:
    """Check that `report` reads the folder of a run."""
    reported = site.invoke("report", str(folder)).wait()
    return found.check(
        reported.code == 0, f"{at}`report` ended with {reported.code}: {reported.last_line}"
    )


def go_on(site: Site, folder: Path | None, found: Findings, at: str) -> Path | None:
    """Resume a run, or start a new one without a folder; return the folder."""
    known = site.runs()
    if folder is None:
        done = site.compare().wait()
        found.check(done.code == 0, f"{at}a new run ended with {done.code}: {done.last_line}")
        return new_run(site, known)
    before, is_complete = site.cells(folder)
    if is_complete:
        return folder
    done = site.resume(folder).wait()
    if not found.check(done.code == 0, f"{at}--resume ended with {done.code}: {done.last_line}"):
        return None
    after, _ = site.cells(folder)
    found.check(after[: len(before)] == before, f"{at}cells from before the kill changed")
    return folder


def check_whole(site: Site, folder: Path, whole: Undisturbed, found: Findings, at: str) -> None:
    """Check that a run is complete, with each cell once and the same table."""
    cells, is_complete = site.cells(folder)
    expected, _ = site.cells(whole.folder)
    found.check(is_complete, f"{at}the run is not complete")
    found.check(not measured_twice(cells), f"{at}measured twice: {measured_twice(cells)}")
    found.check(places(cells) == places(expected), f"{at}other cells than the undisturbed run")
    reported: Running = site.invoke("report", str(folder)).wait()
    found.check(
        frame(reported.table) == whole.frame,
        f"{at}another table than the undisturbed run:\n{frame(reported.table)}\n{whole.frame}",
    )
