"""Damaged results."""

import shutil
from collections.abc import Callable
from pathlib import Path

from experiments.faults.kills import new_run, run_undisturbed
from experiments.faults.scenario import Findings, Lab
from experiments.faults.site import Running, Site


def damage_runs(lab: Lab, found: Findings) -> None:
    """Damage copies of a run in several ways, read each, and start a new run."""
    site = lab.site("corrupt")
    whole = run_undisturbed(site)
    for number, (name, damage) in enumerate(_DAMAGES.items()):
        copy = whole.folder.with_name(f"20200101T0000{number:02d}Z-{name}")
        shutil.copytree(whole.folder, copy)
        damage(copy)
        found.times += 1
        for verb in (("report", str(copy)), ("compare", "--resume", str(copy))):
            _check_refused(site.invoke(*verb).wait(), f"{name}, {verb[0]}: ", found)
    _check_new_run(site, found, "beside damaged runs: ")
    index = (site.results / "index.md").read_text()
    unnamed = [name for name in _DAMAGES if f"Z-{name}" not in index]
    found.check(not unnamed, f"missing in the index: {', '.join(unnamed)}")
    found.happened.append(
        f"{len(_DAMAGES)} kinds of damage: one clear line each; a new run is complete"
    )
    found.lost.append("the damaged copies")
    found.check_left(site)


def damage_the_index(lab: Lab, found: Findings) -> None:
    """Replace the index by a folder, and results/ by a file."""
    site = lab.site("index")
    (site.results / "index.md").mkdir()
    running = site.compare().wait()
    found.times += 1
    found.happened.append(f"exit {running.code} with a folder as index")
    found.check(running.code in {0, 5}, f"ended with {running.code}: {running.last_line}")
    found.check("Traceback" not in running.progress, running.last_line)
    found.check_left(site)
    shutil.rmtree(site.results)
    site.results.write_text("not a folder")
    running = site.compare().wait()
    found.times += 1
    found.happened.append(f"exit {running.code} with a file as results")
    found.check(running.code in {2, 5}, f"ended with {running.code}: {running.last_line}")
    found.check("Traceback" not in running.progress, running.last_line)
    found.lost.append("nothing")
    found.check_left(site)


def _check_refused(running: Running, at: str, found: Findings) -> None:
    lines = [line for line in running.progress.strip().splitlines() if "Z box " not in line]
    words = f"{at}exit {running.code}: {' / '.join(lines)[-300:]}"
    found.check(running.code in {2, 5} and len(lines) == 1, words)


def _check_new_run(site: Site, found: Findings, at: str) -> None:
    known = site.runs()
    running = site.compare().wait()
    found.check(running.code == 0, f"{at}ended with {running.code}: {running.last_line}")
    folder = new_run(site, known)
    found.check(folder is not None and site.cells(folder)[1], f"{at}it is not complete")


def _truncate(folder: Path) -> None:
    record = folder / "compare.json"
    record.write_bytes(record.read_bytes()[:500])


def _garbage_between(folder: Path) -> None:
    cells = folder / "cells.jsonl"
    lines = cells.read_text().splitlines()
    lines[3] = '{"slot": nonsense'
    cells.write_text("\n".join(lines) + "\n")


def _folder_for_record(folder: Path) -> None:
    (folder / "compare.json").unlink()
    (folder / "compare.json").mkdir()


def _folder_for_cells(folder: Path) -> None:
    (folder / "cells.jsonl").unlink()
    (folder / "cells.jsonl").mkdir()


_DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": _truncate,
    "empty": lambda folder: (folder / "compare.json").write_text(""),
    "binary": lambda folder: (folder / "compare.json").write_bytes(bytes(range(256)) * 9),
    "garbage": _garbage_between,
    "binary-cells": lambda folder: (folder / "cells.jsonl").write_bytes(bytes(range(256)) * 9),
    "no-record": lambda folder: (folder / "compare.json").unlink(),
    "folder-record": _folder_for_record,
    "folder-cells": _folder_for_cells,
}
