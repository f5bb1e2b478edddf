"""Hostile output of cells: a gigabyte, terminal escapes, markdown."""

import re
from pathlib import Path

from experiments.faults import payloads
from experiments.faults.engine_faults import check_ended
from experiments.faults.kills import new_run
from experiments.faults.scenario import Findings, Lab
from experiments.faults.site import Running
from harness.model.nouns import Outcome, Side

_MOST_RSS_MB = 500
_MOST_STORED_MB = 32
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MARKUP = re.compile(r"(?<!\\)<script")
_BETWEEN_CELLS = re.compile(r"(?<!\\)\|")


def print_a_gigabyte(lab: Lab, found: Findings) -> None:
    """Make each cell of the branch print a gigabyte."""
    site = lab.site("gigabyte")
    _append(site.checkout.root, payloads.PRINT_1_GB)
    site.checkout.commit("Print a gigabyte")
    running = site.compare(load=payloads.LEVELS).wait(600)
    found.times += 1
    check_ended(running, found, {0})
    folder = new_run(site, [])
    if found.check(folder is not None, "no run") and folder is not None:
        stored = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6
        found.check(stored < _MOST_STORED_MB, f"{stored:.0f} MB were stored")
        for cell in site.cells(folder)[0]:
            words = f"{cell.slot.side} {cell.outcome}: {cell.reason}"
            found.check(cell.outcome is Outcome.OK, words)
        peak = running.peak_rss_mb
        found.check(peak < _MOST_RSS_MB, f"the tool used {peak:.0f} MB")
        found.happened.append(
            f"the tool used at most {peak:.0f} MB, and stored {stored:.1f} MB, in {running.seconds:.0f} s"
        )
    found.lost.append("the output before the last megabytes")
    found.check_left(site)


def print_markup(lab: Lab, found: Findings) -> None:
    """Make the branch print terminal escapes and markdown, also in its errors."""
    site = lab.site("markup")
    _append(site.checkout.root, payloads.PRINT_MARKUP)
    site.checkout.commit("A title with \x1b[31mred\x1b[0m | pipes | and <script>alert(1)</script>")
    running = site.compare(load=payloads.LEVELS).wait()
    found.times += 1
    check_ended(running, found, {0})
    _check_clean("standard output", running.table, found)
    _check_clean("standard error", running.progress, found)
    folder = new_run(site, [])
    if found.check(folder is not None, "no run") and folder is not None:
        for path in sorted([*folder.rglob("*.md"), *folder.rglob("*.log")]):  # JSON is not shown
            _check_clean(path.name, path.read_text(errors="replace"), found)
        failed = [c for c in site.cells(folder)[0] if c.slot.side is Side.BRANCH]
        outcomes = {str(cell.outcome) for cell in failed}
        found.check(outcomes == {"errors"}, f"the branch ended {outcomes}")
        found.happened.append(f"the branch's outcome is {', '.join(sorted(outcomes))}")
    _check_one_table(running, found)
    found.happened.append("no control character is shown or stored, the table stays whole")
    found.lost.append("nothing")
    found.check_left(site)


def _append(root: Path, text: str) -> None:
    path = root / "src/escapement/__init__.py"
    path.write_text(path.read_text() + text)


def _check_clean(where: str, text: str, found: Findings) -> None:
    control = sorted(set(_CONTROL.findall(text)))
    found.check(not control, f"control characters in {where}: {control}")
    if where in {"standard output", "table.md"}:
        found.check(not _MARKUP.search(text), f"markup in {where}")


def _check_one_table(running: Running, found: Findings) -> None:
    """Check that each row of the first table has as many cells as its header."""
    rows = []
    for line in running.table.splitlines():
        if line.startswith("|"):
            rows.append(len(_BETWEEN_CELLS.findall(line)))
        elif rows:
            break
    found.check(len(rows) == 3, f"the first table has {len(rows)} lines")
    found.check(len(set(rows)) == 1, f"the rows have {rows} bars")
