"""The verdict: its headline, its table, and the summary for a pull request."""

import pytest
from msgspec import structs

from harness.analysis.comparison import Comparison, compare
from harness.analysis.verdict.overall import judge
from harness.model.cells import Cell
from harness.model.costs import ExactCost, ExactCosts
from harness.model.nouns import Arm, Load, Outcome, Side
from harness.model.runs import RunInfo
from harness.report.document import render, render_summary
from harness.report.verdict import counted_lines, headline, verdict_notes, verdict_table
from tests.builders.gated import make_gate_run, make_noise_floor, make_pairs
from tests.builders.model import make_cell, make_run, ok_cell

NOISE = (1.01, 0.99, 1.0, 1.02, 0.98, 1.01, 0.99, 1.0)
MISSING = "instructions are not counted: valgrind is not installed, apt-get install valgrind"


def _measured(cpu: float, rss: float) -> list[dict[str, object]]:
    return [{"cpu_ms_per_turn": cpu * x, "rss_kb_per_session": rss} for x in NOISE]


def _costs(missing: tuple[str, ...] = ()) -> ExactCosts:
    costs = (
        ExactCost(
            name="system-calls/turn",
            base=10.0,
            branch=11.0,
            spread=0.0,
            reproducible=True,
            detail={"fsync": (1.0, 2.0)},
        ),
        ExactCost(
            name="traced-bytes/session", base=4e4, branch=None, spread=0.0, reproducible=True
        ),
    )
    return ExactCosts(
        arm=Arm.SC_MEM,
        load=Load(),
        costs=costs,
        levels={},
        missing=missing,
        confinement="unprivileged, no network",
        python="3.13.5",
        wall_s=1.0,
    )


def _cells() -> list[Cell]:
    dies = [make_cell(Side.BRANCH, 1000, Outcome.THREADS, pair=pair) for pair in (0, 1)]
    holds = [ok_cell(Side.BASE, 1000, pair=pair) for pair in (0, 1)]
    return [*make_pairs(500, _measured(2.0, 200.0), _measured(2.3, 210.0)[::-1]), *holds, *dies]


def _gated(**changes: object) -> Comparison:
    run = make_gate_run(noise_floor=make_noise_floor(rss=0.05), costs=_costs((MISSING,)))
    return compare(structs.replace(run, **changes), _cells(), complete=True)


TABLE = """\
| metric               |   C |   pairs |           base |    branch | change [95 % interval]     |   margin |   detectable | verdict                                                                |
|:---------------------|----:|--------:|---------------:|----------:|:---------------------------|---------:|-------------:|:-----------------------------------------------------------------------|
| knee                 |   – |       – | at least 1,000 | 500–1,000 | at most ×1                 | disjoint |            – | **regressed**: the branch is bound by threads                          |
| capacity             |   – |       – | at least 1,000 | 500–1,000 | at most ×1                 | disjoint |            – | **regressed**: the branch is bound by threads                          |
| system-calls/turn    |   – |       – |             10 |        11 | +10.0 %, +1                |     0.01 |            – | **regressed**: fsync +1                                                |
| traced-bytes/session |   – |       – |         40,000 |         – | –                          |      2 % |            – | not gated: it cannot be counted on the branch                          |
| peak-threads         | 500 |       – |              8 |         8 | none                       |        0 |            – | equivalent                                                             |
| cpu-ms/turn          | 500 |       8 |              2 |       2.3 | +15.0 % [+12.8 %, +17.2 %] |     10 % |      +12.9 % | **regressed**                                                          |
| latency-infl         | 500 |       8 |            1.5 |       1.5 | +0.0 % [+0.0 %, +0.0 %]    |      5 % |       +5.0 % | equivalent                                                             |
| rss-kb/sess          | 500 |       8 |            200 |       210 | +5.0 % [+5.0 %, +5.0 %]    |      3 % |       +3.0 % | not gated: its margin of 3 % is below what 8 pairs resolve here, 5.0 % |"""


def test_verdict_table_has_a_row_for_each_metric() -> None:
    """Outcomes come first, then counted and measured metrics."""
    assert verdict_table(judge(_gated())) == TABLE


SUMMARY = """\
## sc-mem: `ba5eba5` → `b4a7b4a`

**regressed: capacity at least 1,000 → 500–1,000, the branch is bound by threads; system-calls/turn 10 → 11, +10.0 %, +1 (fsync +1); cpu-ms/turn +15 % [+13, +17]**

|   C (sessions) |   base peak-threads | base outcome                |   branch peak-threads | branch outcome                                        |
|---------------:|--------------------:|:----------------------------|----------------------:|:------------------------------------------------------|
|            500 |                   8 | ok — 1.50× latency-infl     |                     8 | ok — 1.50× latency-infl                               |
|          1,000 |                   8 | **ok** — 1.50× latency-infl |                     – | **DIED — threads: because of threads** (2 of 2 cells) |

### Verdict

| metric               |   C |   pairs |           base |    branch | change [95 % interval]     |   margin |   detectable | verdict                                                                |
|:---------------------|----:|--------:|---------------:|----------:|:---------------------------|---------:|-------------:|:-----------------------------------------------------------------------|
| knee                 |   – |       – | at least 1,000 | 500–1,000 | at most ×1                 | disjoint |            – | **regressed**: the branch is bound by threads                          |
| capacity             |   – |       – | at least 1,000 | 500–1,000 | at most ×1                 | disjoint |            – | **regressed**: the branch is bound by threads                          |
| system-calls/turn    |   – |       – |             10 |        11 | +10.0 %, +1                |     0.01 |            – | **regressed**: fsync +1                                                |
| traced-bytes/session |   – |       – |         40,000 |         – | –                          |      2 % |            – | not gated: it cannot be counted on the branch                          |
| peak-threads         | 500 |       – |              8 |         8 | none                       |        0 |            – | equivalent                                                             |
| cpu-ms/turn          | 500 |       8 |              2 |       2.3 | +15.0 % [+12.8 %, +17.2 %] |     10 % |      +12.9 % | **regressed**                                                          |
| latency-infl         | 500 |       8 |            1.5 |       1.5 | +0.0 % [+0.0 %, +0.0 %]    |      5 % |       +5.0 % | equivalent                                                             |
| rss-kb/sess          | 500 |       8 |            200 |       210 | +5.0 % [+5.0 %, +5.0 %]    |      3 % |       +3.0 % | not gated: its margin of 3 % is below what 8 pairs resolve here, 5.0 % |

- Knee is the largest C that passes, capacity the largest that passes with latency inflation within 2×. Both are brackets: they differ when they are disjoint and two of three cells confirm it. For all other metrics, less is better.
- A metric has regressed when it is worse by more than its margin, by a one-sided test at 5 %, Holm-adjusted; the intervals are not adjusted. “detectable” is the smallest change for the worse that is called a regression with 80 % power; exact metrics have none.
- Counted unprivileged, no network; 3.13.5.
- Not counted: instructions are not counted: valgrind is not installed, apt-get install valgrind.
- Not gated: traced-bytes/session: it cannot be counted on the branch.
- Not gated: rss-kb/sess at C=500: its margin of 3 % is below what 8 pairs resolve here, 5.0 %.

<details><summary>How it was measured, and the details</summary>

- base: `ba5eba5` — Pump by polling; runtime aaaaaaaaaaaa
- branch: `b4a7b4a` — Pump by waking; runtime bbbbbbbbbbbb
- Compared: **change**: the two sides hold different runtimes (the merge-base with main)
- Load: 6 turns, ttft 200 ms, 50 tokens at 5 ms
- Caps: 2 CPU, 2 GiB memory and no swap, no network, 600 s a cell
- Box: docker, Docker 27.0 (overlay2), cgroup v2, base image python:3.13-slim
- Host: Debian, Linux 6.1, x86_64, 4 CPUs, 8 GiB; 2026-11-30T12:34:56Z

Takeaways:

- base: no knee up to C=1,000
- branch: the knee is between C=500 and C=1,000: threads (because of threads)
- **branch collapses at C=1,000 (threads); base holds at least 1,000.**
- Threads per session: base 0 [0, 0].
- KiB of memory per session: base 0 [0, 0].
- CPU per turn: +15.0 % [+12.8 %, +17.2 %] on the branch at C=500, the highest level that both pass.
- Latency inflation: +0.0 % [+0.0 %, +0.0 %] on the branch at C=500, the highest level that both pass.

### Cost, where both sides passed

|   C |   base cpu-ms/turn |   branch | ratio                      |   base latency-infl |   branch | ratio                   |   base peak-rss-mb |   branch | ratio                   |
|----:|-------------------:|---------:|:---------------------------|--------------------:|---------:|:------------------------|-------------------:|---------:|:------------------------|
| 500 |                  2 |      2.3 | +15.0 % [+12.8 %, +17.2 %] |                1.50 |     1.50 | +0.0 % [+0.0 %, +0.0 %] |                100 |      100 | +0.0 % [+0.0 %, +0.0 %] |

Each ratio is branch/base: the geometric mean over pairs of neighbouring cells, with its 95 % paired-t interval. Two pairs resolve little; an interval that spans 0 % shows no difference.

### Cost per session, extrapolated to the limits of the box

| cost                   | base slope [95 %]   | branch slope [95 %]   | limit             | base reaches it at C   | branch reaches it at C   |
|:-----------------------|:--------------------|:----------------------|:------------------|:-----------------------|:-------------------------|
| threads per session    | 0 [0, 0]            | –                     | none              | –                      | –                        |
| cpu-ms per turn        | 2 [1.96, 2.04]      | –                     | 1 CPU             | 225 [215, 234]         | –                        |
| KiB per session        | 0 [0, 0]            | –                     | 2 GiB             | never                  | –                        |
| open files per session | 0 [0, 0]            | –                     | 20,000 open files | never                  | –                        |

Observed: base passed C=1,000, the highest level tried; branch failed between C=500 and C=1,000 (threads).

</details>

### How cells ended

|     C | side   | outcome   | reason             | evidence                 |
|------:|:-------|:----------|:-------------------|:-------------------------|
| 1,000 | branch | threads   | because of threads | 0 of 1,000 sessions done |
| 1,000 | branch | threads   | because of threads | 0 of 1,000 sessions done |
"""


def _summary() -> str:
    return render_summary(_gated())


def test_summary_folds_away_all_but_the_verdict() -> None:
    """The summary fits on one screen; the method is one click away."""
    assert _summary() == SUMMARY


def test_document_of_a_gate_holds_the_verdict_between_table_and_details() -> None:
    """The order is headline, levels, verdict, details."""
    document = render(_gated())
    places = [
        document.index(text)
        for text in ("**regressed", "C (sessions)", "### Verdict", "Takeaways", "### Cost")
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("run", "complete", "start"),
    [
        (make_gate_run(), True, "**regressed: capacity"),
        (make_gate_run(), False, "**Incomplete, so far regressed: capacity"),
        (make_run(), True, "Exploratory (not a gate) — regressed: capacity"),
        (make_run(), False, "Exploratory (not a gate) — incomplete, so far regressed: capacity"),
    ],
)
def test_headline_names_the_kind_of_run(run: RunInfo, start: str, *, complete: bool) -> None:
    """Exploratory and incomplete runs are marked; intervals do not become links."""
    comparison = compare(run, _cells(), complete=complete)
    shown = headline(judge(comparison), comparison)
    assert shown.startswith(start)
    assert "\\" not in shown
    assert "[+" in shown or run.kind == "compare"


def test_headline_escapes_the_reason_of_a_cell() -> None:
    """A reason may hold any text."""
    cells = [make_cell(Side.BASE, 500, Outcome.INVALID, attempt=1, reason="[x](y) <b> *z*\n## no")]
    comparison = compare(make_gate_run(), cells, complete=True)
    assert headline(judge(comparison), comparison) == (
        r"**invalid: the base at C=500 was invalid twice (\[x\](y) \<b\> \*z\* ## no)**"
    )


def test_verdict_notes_of_an_unknown_noise_floor_name_the_command() -> None:
    """The self-test measures the noise floor."""
    comparison = compare(make_gate_run(), _cells(), complete=True)
    notes = verdict_notes(judge(comparison), comparison).splitlines()
    assert notes[-1] == (
        "- The noise floor of this host is unknown, so no margin was checked against it: measure it with `invoke selftest`."
    )
    assert not [note for note in notes if note.startswith("- Counted")]


def test_verdict_table_shows_the_number_of_pairs_that_would_decide() -> None:
    """Each inconclusive metric has the number in its row."""
    cells = make_pairs(500, _measured(2.0, 200.0), _measured(2.19, 200.0)[::-1])
    comparison = compare(make_gate_run(), cells, complete=True)
    rows = verdict_table(judge(comparison)).splitlines()
    (row,) = [row for row in rows if row.startswith("| cpu-ms/turn")]
    assert row.split("|")[-2].strip() == "inconclusive: needs at least 155 pairs"


def test_counted_lines_show_each_cost() -> None:
    """The lines are printed before the first cell."""
    run = structs.replace(make_gate_run(), costs=_costs((MISSING,)))
    assert counted_lines(run) == [
        "system-calls/turn 10 → 11, +10.0 %, +1: regressed",
        "traced-bytes/session 40,000 → –: not gated: it cannot be counted on the branch",
        MISSING,
    ]
    assert counted_lines(structs.replace(run, gate=None)) == counted_lines(run)
    assert counted_lines(make_gate_run()) == []
