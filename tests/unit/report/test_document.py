"""Whole documents of a comparison."""

from msgspec import structs

from harness.analysis.comparison import compare
from harness.model.nouns import Arm, Caps, Load, Outcome, Purity, Side
from harness.report.document import render
from tests.builders.model import BASE_COMMIT, make_block, make_cell, make_run, make_side, ok_cell


def _measured(threads: int, infl: float, cpu: float, rss: float) -> dict[str, object]:
    return {
        "peak_threads": threads,
        "latency_infl": infl,
        "cpu_ms_per_turn": cpu,
        "peak_rss_mb": rss,
    }


BASE_500 = (_measured(1009, 3.1, 2.0, 100.0), _measured(1010, 3.2, 2.1, 101.0))
BRANCH_500 = (_measured(8, 1.7, 1.0, 80.0), _measured(8, 1.8, 1.1, 81.0))
DIED = "out of memory at 2 GiB, its cgroup's oom_kill rose"


def _base_dies() -> str:
    cells = make_block(500, BASE_500, BRANCH_500)
    for pair in (0, 1):
        cells += [
            make_cell(Side.BASE, 1000, Outcome.OOM, pair=pair, reason=DIED, peak_threads=15990),
            ok_cell(Side.BRANCH, 1000, _measured(8, 2.7, 1.0, 95.0), pair=pair),
        ]
    cells.append(ok_cell(Side.BRANCH, 2000, _measured(9, 62.0, 1.0, 120.0)))
    return render(compare(make_run(levels=(500, 1000, 2000, 4000)), cells, complete=True))


BASE_DIES = """\
## sc-mem: `ba5eba5` → `b4a7b4a`

Exploratory (not a gate) — improved: capacity below 500 → 500–1,000, bound by latency; peak-threads 1,010 → 8, -1,002; cpu-ms/turn -49 % [-62, -31]; latency-infl -44 % [-53, -35]; no judged metric is worse by more than its margin

- base: `ba5eba5` — Pump by polling; runtime aaaaaaaaaaaa
- branch: `b4a7b4a` — Pump by waking; runtime bbbbbbbbbbbb
- Compared: **change**: the two sides hold different runtimes (the merge-base with main)
- Load: 6 turns, ttft 200 ms, 50 tokens at 5 ms
- Caps: 2 CPU, 2 GiB memory and no swap, no network, 600 s a cell
- Box: docker, Docker 27.0 (overlay2), cgroup v2, base image python:3.13-slim
- Host: Debian, Linux 6.1, x86_64, 4 CPUs, 8 GiB; 2026-11-30T12:34:56Z

|   C (sessions) |   base peak-threads | base outcome                                                                      |   branch peak-threads | branch outcome              |
|---------------:|--------------------:|:----------------------------------------------------------------------------------|----------------------:|:----------------------------|
|            500 |               1,010 | ok — 3.15× latency-infl                                                           |                 **8** | ok — 1.75× latency-infl     |
|          1,000 |             ~15,990 | **DIED — oom: out of memory at 2 GiB, its cgroup's oom_kill rose** (2 of 2 cells) |                 **8** | **ok** — 2.70× latency-infl |
|          2,000 |                   – | –                                                                                 |                     9 | ok — 62.00× latency-infl    |
|          4,000 |                   – | –                                                                                 |                     – | –                           |

Takeaways:

- base: the knee is between C=500 and C=1,000: oom (out of memory at 2 GiB, its cgroup's oom_kill rose)
- branch: no knee up to C=2,000
- **base collapses at C=1,000 (oom); branch holds at least 2,000.**
- Threads per session: branch 0.000667 [0, 0.00121].
- KiB of memory per session: branch 27 [24.5, 29.5].
- CPU per turn: -48.8 % [-61.9 %, -31.2 %] on the branch at C=500, the highest level that both pass.
- Latency inflation: -44.5 % [-52.7 %, -34.7 %] on the branch at C=500, the highest level that both pass.

### Cost, where both sides passed

|   C |   base cpu-ms/turn |   branch | ratio                      |   base latency-infl |   branch | ratio                      |   base peak-rss-mb |   branch | ratio                      |
|----:|-------------------:|---------:|:---------------------------|--------------------:|---------:|:---------------------------|-------------------:|---------:|:---------------------------|
| 500 |               2.05 |     1.05 | -48.8 % [-61.9 %, -31.2 %] |                3.15 |     1.75 | -44.5 % [-52.7 %, -34.7 %] |                100 |     80.5 | -19.9 % [-21.1 %, -18.6 %] |

Each ratio is branch/base: the geometric mean over pairs of neighbouring cells, with its 95 % paired-t interval. Two pairs resolve little; an interval that spans 0 % shows no difference.

### Cost per session, extrapolated to the limits of the box

| cost                   | base slope [95 %]   | branch slope [95 %]   | limit             | base reaches it at C   | branch reaches it at C   |
|:-----------------------|:--------------------|:----------------------|:------------------|:-----------------------|:-------------------------|
| threads per session    | –                   | 0.000667 [0, 0.00121] | none              | –                      | –                        |
| cpu-ms per turn        | –                   | 0.983 [0.924, 1.04]   | 1 CPU             | –                      | 431 [380, 477]           |
| KiB per session        | –                   | 27 [24.5, 29.5]       | 2 GiB             | –                      | 75,200 [68,900, 82,800]  |
| open files per session | –                   | 0 [0, 0]              | 20,000 open files | –                      | never                    |

Observed: base failed between C=500 and C=1,000 (oom); branch passed C=2,000, the highest level tried.

### How cells ended

|     C | side   | outcome   | reason                                             | evidence                 |
|------:|:-------|:----------|:---------------------------------------------------|:-------------------------|
| 1,000 | base   | oom       | out of memory at 2 GiB, its cgroup's oom_kill rose | 0 of 1,000 sessions done |
| 1,000 | base   | oom       | out of memory at 2 GiB, its cgroup's oom_kill rose | 0 of 1,000 sessions done |
"""


def test_document_of_a_failed_base_shows_level_and_cause() -> None:
    """The branch continues alone above the level at which the base failed."""
    assert _base_dies() == BASE_DIES


def _both_hold() -> str:
    base = (_measured(2009, 6.1, 2.2, 150.0), _measured(2010, 6.3, 2.3, 152.0))
    branch = (_measured(8, 2.7, 1.0, 95.0), _measured(8, 2.9, 1.1, 96.0))
    cells = make_block(500, BASE_500, BRANCH_500) + make_block(1000, base, branch)
    return render(compare(make_run(), cells, complete=True))


BOTH_HOLD = """\
## sc-mem: `ba5eba5` → `b4a7b4a`

Exploratory (not a gate) — improved: capacity below 500 → 500–1,000, bound by latency; peak-threads 2,010 → 8, -2,002; cpu-ms/turn -53 % [-66, -36]; latency-infl -55 % [-65, -42]; no judged metric is worse by more than its margin

- base: `ba5eba5` — Pump by polling; runtime aaaaaaaaaaaa
- branch: `b4a7b4a` — Pump by waking; runtime bbbbbbbbbbbb
- Compared: **change**: the two sides hold different runtimes (the merge-base with main)
- Load: 6 turns, ttft 200 ms, 50 tokens at 5 ms
- Caps: 2 CPU, 2 GiB memory and no swap, no network, 600 s a cell
- Box: docker, Docker 27.0 (overlay2), cgroup v2, base image python:3.13-slim
- Host: Debian, Linux 6.1, x86_64, 4 CPUs, 8 GiB; 2026-11-30T12:34:56Z

|   C (sessions) |   base peak-threads | base outcome            |   branch peak-threads | branch outcome          |
|---------------:|--------------------:|:------------------------|----------------------:|:------------------------|
|            500 |               1,010 | ok — 3.15× latency-infl |                 **8** | ok — 1.75× latency-infl |
|          1,000 |               2,010 | ok — 6.20× latency-infl |                 **8** | ok — 2.80× latency-infl |

Takeaways:

- base: no knee up to C=1,000
- branch: no knee up to C=1,000
- Neither side collapsed: the ladder ends below both knees.
- Threads per session: base 2 [1.99, 2.01]; branch 0 [0, 0].
- KiB of memory per session: base 103 [93.6, 113]; branch 30.7 [24.5, 37].
- CPU per turn: -53.4 % [-66.2 %, -35.6 %] on the branch at C=1,000, the highest level that both pass.
- Latency inflation: -54.9 % [-64.8 %, -42.1 %] on the branch at C=1,000, the highest level that both pass.

### Cost, where both sides passed

|     C |   base cpu-ms/turn |   branch | ratio                      |   base latency-infl |   branch | ratio                      |   base peak-rss-mb |   branch | ratio                      |
|------:|-------------------:|---------:|:---------------------------|--------------------:|---------:|:---------------------------|-------------------:|---------:|:---------------------------|
|   500 |               2.05 |     1.05 | -48.8 % [-61.9 %, -31.2 %] |                3.15 |     1.75 | -44.5 % [-52.7 %, -34.7 %] |                100 |     80.5 | -19.9 % [-21.1 %, -18.6 %] |
| 1,000 |               2.25 |     1.05 | -53.4 % [-66.2 %, -35.6 %] |                6.20 |     2.80 | -54.9 % [-64.8 %, -42.1 %] |                151 |     95.5 | -36.8 % [-37.9 %, -35.6 %] |

Each ratio is branch/base: the geometric mean over pairs of neighbouring cells, with its 95 % paired-t interval. Two pairs resolve little; an interval that spans 0 % shows no difference.

### Cost per session, extrapolated to the limits of the box

| cost                   | base slope [95 %]   | branch slope [95 %]   | limit             | base reaches it at C    | branch reaches it at C   |
|:-----------------------|:--------------------|:----------------------|:------------------|:------------------------|:-------------------------|
| threads per session    | 2 [1.99, 2.01]      | 0 [0, 0]              | none              | –                       | –                        |
| cpu-ms per turn        | 2.45 [1.97, 2.93]   | 1.05 [0.569, 1.53]    | 1 CPU             | 265 [135, 357]          | 429 [117, 570]           |
| KiB per session        | 103 [93.6, 113]     | 30.7 [24.5, 37]       | 2 GiB             | 19,800 [18,100, 21,800] | 66,100 [55,100, 82,700]  |
| open files per session | 0 [0, 0]            | 0 [0, 0]              | 20,000 open files | never                   | never                    |

Observed: base passed C=1,000, the highest level tried; branch passed C=1,000, the highest level tried.
"""


def test_document_of_two_passing_sides_compares_their_costs() -> None:
    """Each ratio and each slope has its interval."""
    assert _both_hold() == BOTH_HOLD


def _same_code() -> str:
    side = make_side(Side.BASE)
    run = structs.replace(
        make_run(levels=(500,)),
        purity=Purity.AA,
        sides=(side, structs.replace(side, side=Side.BRANCH)),
        how="on main at its first commit: compared with itself",
    )
    assert run.sides[1].commit == BASE_COMMIT
    branch = ({"cpu_ms_per_turn": 2.1}, {"cpu_ms_per_turn": 2.04, "peak_rss_mb": 101.0})
    return render(compare(run, make_block(500, branch=branch), complete=True))


SAME_CODE = """\
## sc-mem: `ba5eba5` → `ba5eba5`

Exploratory (not a gate) — inconclusive: cpu-ms/turn +3.5 % [-13.9, +24.4] (needs at least 14 pairs)

- base: `ba5eba5` — Pump by polling; runtime aaaaaaaaaaaa
- branch: `ba5eba5` — Pump by polling; runtime aaaaaaaaaaaa
- Compared: **A/A**: the same runtime in the same environment; every difference below is noise (on main at its first commit: compared with itself)
- Load: 6 turns, ttft 200 ms, 50 tokens at 5 ms
- Caps: 2 CPU, 2 GiB memory and no swap, no network, 600 s a cell
- Box: docker, Docker 27.0 (overlay2), cgroup v2, base image python:3.13-slim
- Host: Debian, Linux 6.1, x86_64, 4 CPUs, 8 GiB; 2026-11-30T12:34:56Z

|   C (sessions) |   base peak-threads | base outcome            |   branch peak-threads | branch outcome          |
|---------------:|--------------------:|:------------------------|----------------------:|:------------------------|
|            500 |                   8 | ok — 1.50× latency-infl |                     8 | ok — 1.50× latency-infl |

Takeaways:

- base: no knee up to C=500
- branch: no knee up to C=500
- Neither side collapsed: the ladder ends below both knees.
- CPU per turn: +3.5 % [-13.9 %, +24.4 %] on the branch at C=500, the highest level that both pass.
- Latency inflation: +0.0 % [+0.0 %, +0.0 %] on the branch at C=500, the highest level that both pass.

### Cost, where both sides passed

|   C |   base cpu-ms/turn |   branch | ratio                     |   base latency-infl |   branch | ratio                   |   base peak-rss-mb |   branch | ratio                   |
|----:|-------------------:|---------:|:--------------------------|--------------------:|---------:|:------------------------|-------------------:|---------:|:------------------------|
| 500 |                  2 |     2.07 | +3.5 % [-13.9 %, +24.4 %] |                1.50 |     1.50 | +0.0 % [+0.0 %, +0.0 %] |                100 |      100 | +0.5 % [-5.7 %, +7.1 %] |

Each ratio is branch/base: the geometric mean over pairs of neighbouring cells, with its 95 % paired-t interval. Two pairs resolve little; an interval that spans 0 % shows no difference.
"""


def test_document_of_the_same_code_calls_its_differences_noise() -> None:
    """An A/A run shows the noise of the host."""
    assert _same_code() == SAME_CODE


def _two_settings() -> str:
    base = make_side(
        Side.BASE, arm=Arm.SC_CKPT, environment={"SCALE_VT": "0", "A": "1", "SCALE_PROCS": "2"}
    )
    branch = make_side(Side.BRANCH, arm=Arm.SC_CKPT, subject=base.subject, dirty="ff" * 32)
    run = structs.replace(
        make_run(levels=(500,)),
        purity=Purity.SETTINGS,
        load=Load(qsleep_ms=50, state_kb=64),
        caps=Caps(cpus=1.5, memory_bytes=512 << 20, pids=4096, timeout_s=90.0),
        sides=(base, branch),
    )
    reason = "native threads ran out at the pids limit of 4,096, the worker ended"
    cells = [
        make_cell(Side.BASE, 500, Outcome.THREADS, reason=reason, peak_threads=4095),
        make_cell(Side.BRANCH, 500),
    ]
    return render(compare(run, cells, complete=True))


TWO_SETTINGS = """\
## sc-ckpt: `ba5eba5` → `b4a7b4a` + uncommitted changes

Exploratory (not a gate) — non-inferior: no judged metric is worse by more than its margin; capacity below 500 → at least 500, C=500 failed in 1 of 1 cell; 2 of 3 would confirm it; the base is bound by threads

- base: `ba5eba5` — Pump by polling; runtime aaaaaaaaaaaa, with A=1 SCALE_PROCS=2 SCALE_VT=0
- branch: `b4a7b4a` + uncommitted changes — Pump by waking; runtime aaaaaaaaaaaa
- Compared: **settings**: the same runtime in two environments (the merge-base with main)
- Load: 6 turns, ttft 200 ms, 50 tokens at 5 ms, pump polls every 50 ms, 64 KB of state per session
- Caps: 1.5 CPU, 512 MiB memory and no swap, 4096 pids, no network, 90 s a cell
- Box: docker, Docker 27.0 (overlay2), cgroup v2, base image python:3.13-slim
- Host: Debian, Linux 6.1, x86_64, 4 CPUs, 8 GiB; 2026-11-30T12:34:56Z

|   C (sessions) |   base peak-threads | base outcome                                                                            |   branch peak-threads | branch outcome              |
|---------------:|--------------------:|:----------------------------------------------------------------------------------------|----------------------:|:----------------------------|
|            500 |              ~4,095 | **DIED — threads: native threads ran out at the pids limit of 4,096, the worker ended** |                 **8** | **ok** — 1.50× latency-infl |

Takeaways:

- base: fails at the first level, C=500: threads (native threads ran out at the pids limit of 4,096, the worker ended)
- branch: no knee up to C=500
- **base collapses at C=500 (threads); branch holds at least 500.**

### How cells ended

|   C | side   | outcome   | reason                                                              | evidence               |
|----:|:-------|:----------|:--------------------------------------------------------------------|:-----------------------|
| 500 | base   | threads   | native threads ran out at the pids limit of 4,096, the worker ended | 0 of 500 sessions done |
"""


def test_document_of_two_settings_names_them() -> None:
    """The header shows environments, uncommitted changes, caps and load."""
    assert _two_settings() == TWO_SETTINGS
