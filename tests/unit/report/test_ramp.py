"""Whole documents of one build, and hostile text in a document."""

import re

import pytest
from msgspec import structs

from harness.analysis.comparison import compare
from harness.model.cells import Cell
from harness.model.nouns import Outcome, Side
from harness.model.runs import RunInfo
from harness.report.document import render
from tests.builders.model import make_box_info, make_cell, make_run, make_side, ok_cell


def _ramp_run(**changes: object) -> RunInfo:
    return make_run(levels=(500, 1000, 2000), sides=[Side.BRANCH], **changes)


def _one_build() -> str:
    reason = "600 s timeout, stalled, 0 of 2,000 sessions done"
    cells = [
        ok_cell(Side.BRANCH, 500, peak_threads=1009, peak_rss_mb=100.0),
        ok_cell(Side.BRANCH, 1000, peak_threads=2009, peak_rss_mb=150.0),
        make_cell(Side.BRANCH, 2000, Outcome.TIMEOUT_STALLED, reason=reason),
    ]
    return render(compare(_ramp_run(), cells, complete=True))


ONE_BUILD = """\
## sc-mem: ramp of one build

- build: `b4a7b4a` — Pump by waking; runtime bbbbbbbbbbbb
- Load: 6 turns, ttft 200 ms, 50 tokens at 5 ms
- Caps: 2 CPU, 2 GiB memory and no swap, no network, 600 s a cell
- Box: docker, Docker 27.0 (overlay2), cgroup v2, base image python:3.13-slim
- Host: Debian, Linux 6.1, x86_64, 4 CPUs, 8 GiB; 2026-11-30T12:34:56Z

|   C (sessions) |   peak-threads | outcome                                                                      |
|---------------:|---------------:|:-----------------------------------------------------------------------------|
|            500 |          1,009 | ok — 1.50× latency-infl                                                      |
|          1,000 |          2,009 | ok — 1.50× latency-infl                                                      |
|          2,000 |              – | **DIED — timeout-stalled: 600 s timeout, stalled, 0 of 2,000 sessions done** |

Takeaways:

- the build: the knee is between C=1,000 and C=2,000: timeout-stalled (600 s timeout, stalled, 0 of 2,000 sessions done)
- Threads per session: the build 2 (two cells).
- KiB of memory per session: the build 102 (two cells).

### Cost per session, extrapolated to the limits of the box

| cost                   | slope [95 %]    | limit             | reaches it at C   |
|:-----------------------|:----------------|:------------------|:------------------|
| threads per session    | 2 (two cells)   | none              | –                 |
| cpu-ms per turn        | 2 (two cells)   | 1 CPU             | 225               |
| KiB per session        | 102 (two cells) | 2 GiB             | 20,000            |
| open files per session | 0 (two cells)   | 20,000 open files | never             |

Observed: the build failed between C=1,000 and C=2,000 (timeout-stalled).

### How cells ended

|     C | side      | outcome         | reason                                           | evidence   |
|------:|:----------|:----------------|:-------------------------------------------------|:-----------|
| 2,000 | the build | timeout-stalled | 600 s timeout, stalled, 0 of 2,000 sessions done | –          |
"""


def test_document_of_one_build_has_the_columns_of_one_side() -> None:
    """A ramp shows where its build breaks, without a comparison."""
    assert _one_build() == ONE_BUILD


def _cut_short() -> str:
    build = make_side(
        Side.BRANCH, commit=None, subject=None, title="esc-bench:x", image=f"sha256:{'ab' * 32}"
    )
    run = structs.replace(
        _ramp_run(), sides=(build,), box=make_box_info(warnings=("swap is not accounted",))
    )
    cells: list[Cell] = [
        make_cell(Side.BRANCH, 500, result=None),
        make_cell(Side.BRANCH, 1000, Outcome.INVALID, reason="host pressure"),
    ]
    return render(compare(run, cells, complete=False))


CUT_SHORT = """\
## sc-mem: ramp of one build

- build: `abababababab` — esc-bench:x
- Load: 6 turns, ttft 200 ms, 50 tokens at 5 ms
- Caps: 2 CPU, 2 GiB memory and no swap, no network, 600 s a cell
- Box: docker, Docker 27.0 (overlay2), cgroup v2, base image python:3.13-slim
- Host: Debian, Linux 6.1, x86_64, 4 CPUs, 8 GiB; 2026-11-30T12:34:56Z

|   C (sessions) |   peak-threads | outcome   |
|---------------:|---------------:|:----------|
|            500 |              8 | ok        |
|          1,000 |              – | –         |
|          2,000 |              – | –         |

Takeaways:

- the build: no knee up to C=500

### Invalid cells

|     C | side      |   attempt | reason        | follow-up   |
|------:|:----------|----------:|:--------------|:------------|
| 1,000 | the build |         1 | host pressure | not retried |

Invalid cells are excluded from every figure above. Each is retried once; after two invalid attempts that side is not measured further.

### Warnings

- swap is not accounted
- the run was interrupted: missing levels were not run
"""


def test_document_of_an_interrupted_run_has_a_warning() -> None:
    """The measured cells are shown, with all warnings below."""
    assert _cut_short() == CUT_SHORT


HOSTILE = "a|b\n## c `d` <img src=x> [e](f) *g* _h_ \\ \x1b[31mred\x9b\u202e"


@pytest.fixture
def hostile() -> str:
    """Return a document with hostile text in every place that a branch controls."""
    sides = tuple(make_side(side, title=HOSTILE, environment={"A": HOSTILE}) for side in Side)
    run = structs.replace(
        make_run(levels=(500,)), sides=sides, how=HOSTILE, box=make_box_info(warnings=(HOSTILE,))
    )
    cells = [
        make_cell(Side.BASE, 500, Outcome.ERRORS, reason=HOSTILE),
        make_cell(Side.BRANCH, 500, Outcome.INVALID, reason=HOSTILE),
    ]
    return render(compare(run, cells, complete=True))


def test_document_keeps_a_branchs_text_on_its_line(hostile: str) -> None:
    """Hostile text adds no heading, no row and no control character."""
    headings = [line for line in hostile.splitlines() if line.startswith("#")]
    assert headings == [
        "## sc-mem: `ba5eba5` → `b4a7b4a`",
        *("### How cells ended", "### Invalid cells", "### Warnings"),
    ]
    assert [char for char in hostile if not char.isprintable() and char != "\n"] == []


def test_document_keeps_a_branchs_text_in_its_cell(hostile: str) -> None:
    """Every row of a table has as many bars as its header."""
    rows = [line for line in hostile.splitlines() if line.startswith("|")]
    bars = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert bars == {6}


def test_document_keeps_a_branchs_text_from_being_markup(hostile: str) -> None:
    """Each character that would start markup is escaped."""
    shown = r"a\|b ## c \`d\` \<img src=x\> \[e\](f) \*g\* \_h\_ \\  \[31mred  "
    places = hostile.count(shown.strip())
    assert places == 10, (
        "titles, environments, how, a reason three times, an invalid cell, and the warning"
    )
    assert "<img" not in hostile.replace(r"\<img", "")
