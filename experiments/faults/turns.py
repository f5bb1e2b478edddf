"""Two runs at once."""

from experiments.faults.kills import run_undisturbed
from experiments.faults.scenario import Findings, Lab
from experiments.faults.shape import frame
from experiments.faults.site import Running, Site


def wait_for_each_other(lab: Lab, found: Findings) -> None:
    """Start a second run, in another clone, during a run."""
    one, other, whole = _two(lab)
    first, second = _start_both(one, other)
    found.times += 1
    first.wait()
    _check_no_cell_yet(second, found)
    second.wait()
    for running, name in ((first, "first"), (second, "second")):
        found.check(running.code == 0, f"the {name}: {running.code}: {running.last_line}")
        found.check(frame(running.table) == whole, f"the {name} has another table")
    found.check(str(first.process.pid) in second.progress, "the message does not name the holder")
    found.happened.append("the second waits and names the holder; both tables as undisturbed")
    _end(found, one, other)


def refuse_to_wait(lab: Lab, found: Findings) -> None:
    """Start a second run with --no-wait during a run."""
    one, other, _ = _two(lab)
    first = one.compare().wait_for("C=20")
    second = other.compare("--no-wait").wait()
    found.times += 1
    found.check(second.code == 12, f"exit {second.code}: {second.last_line}")
    found.check(str(first.process.pid) in second.progress, f"no holder named: {second.last_line}")
    first.wait()
    found.check(first.code == 0, f"the first ended with {first.code}: {first.last_line}")
    found.happened.append("exit 12 with the name of the holder; the first continues to its end")
    _end(found, one, other)


def go_on_after_a_kill(lab: Lab, found: Findings) -> None:
    """Kill the run that holds the lock while another run waits."""
    one, other, whole = _two(lab)
    first, second = _start_both(one, other)
    first.kill()
    found.times += 1
    second.wait()
    found.check(second.code == 0, f"the waiting run ended with {second.code}: {second.last_line}")
    found.check(frame(second.table) == whole, "the waiting run has another table")
    found.happened.append("the waiting run starts at once")
    found.lost.append("the cell of the killed run")
    one.clean()
    _end(found, one, other)


def _two(lab: Lab) -> tuple[Site, Site, str]:
    one, other = lab.site("one"), lab.site("other")
    whole = run_undisturbed(one).frame
    assert other.invoke("build", "--base", "HEAD~1").wait().code == 0, "the builds failed"
    return one, other, whole


def _start_both(one: Site, other: Site) -> tuple[Running, Running]:
    first = one.compare().wait_for("C=20")
    return first, other.compare().wait_for("waiting for")


def _check_no_cell_yet(second: Running, found: Findings) -> None:
    """Check that the second run measured nothing during the first."""
    found.check("C=20" not in second.progress, "the second did not wait for the first's end")


def _end(found: Findings, *sites: Site) -> None:
    if not found.lost:
        found.lost.append("nothing")
    for site in sites:
        found.check_left(site)
