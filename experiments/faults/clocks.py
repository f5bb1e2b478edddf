"""Steps of the wall clock during a run."""

from pathlib import Path

from experiments.faults.kills import check_readable, new_run, run_undisturbed
from experiments.faults.scenario import Findings, Lab
from experiments.faults.shape import frame
from experiments.faults.site import Running, Site
from harness.model.nouns import Outcome

_LONGEST_CELL_S = 30
_INJECTED = '''"""Time of day with an offset that a file holds."""
import datetime, pathlib, time
_file, _now, _time = pathlib.Path({file!r}), datetime.datetime.now, time.time
def _offset():
    return int(_file.read_text())
class _Stepped(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return _now(tz) + datetime.timedelta(seconds=_offset())
datetime.datetime = _Stepped
time.time = lambda: _time() + _offset()
'''


def step(lab: Lab, found: Findings) -> None:
    """Step the tool's clock an hour forward, then two hours back, between cells."""
    site = lab.site("clock")
    whole = run_undisturbed(site)
    offset = _inject(site, lab.folder)
    known = site.runs()
    running = site.compare()
    _step_at_cells(running, offset, (("C=20 +base", "+3600"), ("C=40 ", "-3600")))
    running.wait()
    found.times += 2
    found.check(running.code == 0, f"exit {running.code}: {running.last_line}")
    found.check(frame(running.table) == whole.frame, f"another table:\n{frame(running.table)}")
    folder = new_run(site, known)
    if found.check(folder is not None, "no run") and folder is not None:
        check_readable(site, folder, found, "")
        for cell in site.cells(folder)[0]:
            words = f"{cell.outcome}: {cell.reason}, {cell.wall_s:.0f} s"
            is_fine = cell.outcome is Outcome.OK and 0 < cell.wall_s < _LONGEST_CELL_S
            found.check(is_fine, words)
        stamps = [cell.started_at for cell in site.cells(folder)[0]]
        found.check(stamps != sorted(stamps), "the clock was not stepped")
    found.happened.append("the durations of cells did not change, the same table")
    found.lost.append("nothing")
    found.check_left(site)


def _step_at_cells(running: Running, offset: Path, steps: tuple[tuple[str, str], ...]) -> None:
    for text, words in steps:
        running.wait_for(text)
        new = offset.with_suffix(".new")
        new.write_text(words)
        new.replace(offset)  # the tool must not read an empty file


def _inject(site: Site, folder: Path) -> Path:
    """Add an offset to the tool's time of day; return the file of the offset.

    libfaketime 0.9.10 is not usable: Python 3.11 fails to sleep under it (EINVAL).
    """
    offset = folder / "offset"
    offset.write_text("+0")
    injected = folder / "injected"
    injected.mkdir()
    (injected / "sitecustomize.py").write_text(_INJECTED.format(file=str(offset)))
    root = site.checkout.root
    site.environment = {"PYTHONPATH": f"{injected}:{root}/src:{root}"}
    return offset
