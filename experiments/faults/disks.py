"""Full disks: the engine's during a build and during a cell, and that of results/."""

from experiments.faults.engine_faults import check_ended, check_resume
from experiments.faults.kills import check_readable, new_run
from experiments.faults.namespaces import run
from experiments.faults.scenario import Findings, Lab
from harness.model.nouns import Outcome

_DISK_MB = 1200  # the base image, once as a file and once unpacked, and some builds
_STATE = ("--arm", "sc-ckpt")
_STATE_LOAD = ("--levels", "20,40", "--load", "2 20 5 2 0 4000")  # 4 MB per session
_ROOM_KB = 64


def fill_in_build(lab: Lab, found: Findings) -> None:
    """Leave a build almost no disk space."""
    with lab.small_engine("small-build", _DISK_MB).running(lab.base_image) as engine:
        site = lab.site("full-build", engine)
        for number, leave_kb in enumerate((200, 1000, 1600)):
            site.change(f"Change {number}")
            engine.fill(leave_kb)
            running = site.compare().wait()
            found.times += 1
            check_ended(running, found, {11})
            found.check(
                "full" in running.progress or "space" in running.progress, running.last_line
            )
            found.check_left(site)
            engine.empty()
        after = site.compare().wait()
        found.check(after.code == 0, f"with free space, exit {after.code}: {after.last_line}")
        found.lost.append("the build")
        found.check_left(site)


def fill_in_scratch(lab: Lab, found: Findings) -> None:
    """Leave too little disk space for the checkpoints of the sessions."""
    with lab.small_engine("small-scratch", _DISK_MB).running(lab.base_image) as engine:
        site = lab.site("full-scratch", engine)
        assert site.invoke("build", "--base", "HEAD~1").wait().code == 0, "the builds failed"
        engine.fill(24_000)  # enough for the check with one session
        running = site.compare(*_STATE, load=_STATE_LOAD).wait()
        found.times += 1
        check_ended(running, found, {5, 12})
        for folder in site.runs():
            for cell in site.cells(folder)[0]:
                found.check(cell.outcome is Outcome.INVALID, f"{cell.outcome}: {cell.reason}")
                found.happened.append(f"{cell.outcome}: {cell.reason[:80]}")
        found.lost.append("the cells without disk space")
        engine.empty()
        found.check_left(site)


def fill_results(lab: Lab, found: Findings) -> None:
    """Put results/ on a tiny disk, enlarge it later, and resume."""
    site = lab.site("full-results")
    site.checkout.git("rm", "-r", "--quiet", "results")
    site.checkout.git("commit", "--quiet", "--message", "No results of others")
    site.change("A change")
    site.results.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", f"size={_ROOM_KB}k", "tmpfs", str(site.results))
    try:
        running = site.compare().wait()
        found.times += 1
        check_ended(running, found, {5})
        found.check_left(site)
        folder = new_run(site, [])
        if found.check(folder is not None, "nothing was kept") and folder is not None:
            check_readable(site, folder, found, "")
            found.happened.append(f"{len(site.cells(folder)[0])} cells kept")
        run("mount", "-o", "remount,size=64m", str(site.results))
        check_resume(site, found)
        found.lost.append("the cell that could not be written")
        found.check_left(site)
    finally:
        run("umount", str(site.results))
