"""The report of a self-test."""

from collections.abc import Sequence

from msgspec import structs

from harness.analysis.comparison import compare
from harness.analysis.controls import Control
from harness.analysis.verdict.overall import judge
from harness.model.cells import Cell
from harness.model.nouns import Outcome, Purity, Side
from harness.report.selftest import SelfTestRow, render_selftest
from tests.builders.gated import make_gate_run, make_noise_floor, make_pairs
from tests.builders.model import make_cell, make_side

NOISE = (1.01, 0.99, 1.0, 1.02, 0.98, 1.01, 0.99, 1.0)
RUN = structs.replace(
    make_gate_run(levels=(500,)),
    purity=Purity.AA,
    how="one build against itself",
    sides=(make_side(), structs.replace(make_side(), side=Side.BRANCH)),
)
FLOOR = make_noise_floor(cpu=0.02, rss=0.005)
CPU = Control(
    name="+20 % CPU a turn",
    environment={"SCALE_INJECT_WORK": "250"},
    metric="cpu-ms/turn",
    effect=0.20,
)
THREADS = Control(name="+1 thread a session", environment={"SCALE_INJECT_THREADS": "1"})
BYTES = Control(
    name="+20 % bytes a session",
    environment={"SCALE_INJECT_BYTES": "4194"},
    metric="rss-kb/sess",
    effect=0.035,
)
FAILING = Control(name="1 session in 500 fails", environment={"SCALE_INJECT_FAILING": "500"})


def _measured(cpu: float = 2.0, threads: int = 8, rss: float = 2000.0) -> list[dict[str, object]]:
    return [
        {"cpu_ms_per_turn": cpu * x, "peak_threads": threads, "rss_kb_per_session": rss * x**0.2}
        for x in NOISE
    ]


def _row(
    control: Control | None, branch: Sequence[Cell | dict[str, object]], purity: Purity
) -> SelfTestRow:
    fields = [item for item in branch if isinstance(item, dict)]
    cells = make_pairs(500, _measured()[: len(fields)], fields[::-1])
    cells += [item for item in branch if isinstance(item, Cell)]
    run = structs.replace(RUN, purity=purity)
    return SelfTestRow(control=control, gated=judge(compare(run, cells, complete=True)))


def _document() -> str:
    died = [make_cell(Side.BASE, 500), *[make_cell(Side.BRANCH, 500, Outcome.ERRORS)] * 2]
    rows = [
        _row(None, _measured(), Purity.AA),
        _row(None, _measured(cpu=1.5, threads=9), Purity.AA),
        _row(CPU, _measured(cpu=2.4), Purity.SETTINGS),
        _row(THREADS, _measured(threads=508), Purity.SETTINGS),
        _row(BYTES, _measured(rss=2070.0), Purity.SETTINGS),
        _row(FAILING, died, Purity.SETTINGS),
        _row(CPU, died, Purity.SETTINGS),
    ]
    return render_selftest(RUN, FLOOR, rows)


DOCUMENT = """\
## Self-test of the gate

- base: `ba5eba5` — Pump by polling; runtime aaaaaaaaaaaa
- branch: `ba5eba5` — Pump by polling; runtime aaaaaaaaaaaa
- Compared: **A/A**: the same runtime in the same environment; every difference below is noise (one build against itself)
- Load: 6 turns, ttft 200 ms, 50 tokens at 5 ms
- Caps: 2 CPU, 2 GiB memory and no swap, no network, 600 s a cell
- Box: docker, Docker 27.0 (overlay2), cgroup v2, base image python:3.13-slim
- Host: Debian, Linux 6.1, x86_64, 4 CPUs, 8 GiB; 2026-11-30T12:34:56Z

### Noise floor of this host, at C=500 with 8 pairs

| metric       |   deviation of a pair |   detectable |
|:-------------|----------------------:|-------------:|
| cpu-ms/turn  |                 2.0 % |        2.0 % |
| latency-infl |                     – |            – |
| rss-kb/sess  |                 0.5 % |        0.5 % |

### Injected regressions, and what caught them

| injected                                            | verdict    | counts and outcomes   | pairs alone                |   power predicted |
|:----------------------------------------------------|:-----------|:----------------------|:---------------------------|------------------:|
| nothing (A/A)                                       | equivalent | no alarm              | no alarm                   |                 – |
| nothing (A/A)                                       | invalid    | peak-threads          | cpu-ms/turn                |                 – |
| +20 % CPU a turn (`SCALE_INJECT_WORK=250`)          | regressed  | not caught            | caught: +20.0 %, p 1.9e-05 |             100 % |
| +1 thread a session (`SCALE_INJECT_THREADS=1`)      | regressed  | peak-threads          | –                          |                 – |
| +20 % bytes a session (`SCALE_INJECT_BYTES=4194`)   | regressed  | not caught            | caught: +3.5 %, p 0.029    |              79 % |
| 1 session in 500 fails (`SCALE_INJECT_FAILING=500`) | regressed  | knee, capacity        | –                          |                 – |
| +20 % CPU a turn (`SCALE_INJECT_WORK=250`)          | regressed  | knee, capacity        | –                          |                 – |

“detectable” is the smallest change for the worse that this many pairs show with 80 % power; smaller margins are refused. “pairs alone” is the result of the estimated metric without the counts; “power predicted” follows from the noise floor, before Holm's adjustment.
"""


def test_selftest_document_shows_the_noise_and_what_was_caught() -> None:
    """Identical builds and each injection have a row."""
    assert _document() == DOCUMENT


def test_selftest_document_of_a_refused_margin_shows_the_change_only() -> None:
    """No power is predicted for a metric without a noise floor."""
    gate = structs.replace(RUN.gate, noise_floor=make_noise_floor(cpu=0.2)) if RUN.gate else None
    run = structs.replace(RUN, gate=gate, purity=Purity.SETTINGS)
    cells = make_pairs(500, _measured(), _measured(cpu=2.4)[::-1])
    row = SelfTestRow(control=CPU, gated=judge(compare(run, cells, complete=True)))
    last = render_selftest(run, make_noise_floor(rss=0.01), [row]).splitlines()[-3]
    assert [part.strip() for part in last.split("|")[2:6]] == [
        "equivalent",
        "not caught",
        "not caught: +20.0 %, not gated",
        "–",
    ]
