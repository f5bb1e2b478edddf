"""The sentence that tells how a cell ended, from what is stored of it."""

import re
from collections.abc import Mapping

import pytest
from msgspec import structs

from harness.analysis.comparison import compare
from harness.analysis.verdict.brackets import what_binds
from harness.model.cells import Cell, Slot
from harness.model.nouns import Outcome, Phase, Side
from harness.outcome.evidence import tell_end, thread_limit
from harness.report.document import render
from harness.report.lines import cell_line
from tests.builders.model import cell_at, make_block, make_cell, make_result, make_run


def _samples(*points: tuple[float, float, int]) -> list[dict[str, float]]:
    return [{"t-ms": t, "rss-mb": rss, "threads": threads} for t, rss, threads in points]


def _ended(outcome: Outcome, evidence: Mapping[str, object], **changes: object) -> Cell:
    unknown = make_cell(Side.BASE, 8000, outcome, sessions_done=None, exit_code=None)
    return structs.replace(unknown, evidence=dict(evidence), **changes)


def test_forensics_of_a_kill_for_memory() -> None:
    """What the kernel counted, how far the cell was, and what its last quarter of a second did."""
    supervisor = {
        "cause": "oom",
        "signal": 9,
        "oom-kills": 1,
        "memory-peak-bytes": 2 << 30,
        "last-samples": _samples((1000, 1700.0, 8), (1125, 1800.0, 8), (1250, 1871.7, 8)),
        "throttled-ms": 0.0,
        "pids-refused": 0,
        "deltas": 99,
    }
    cell = _ended(Outcome.OOM, {"supervisor": supervisor}, sessions_done=6212)
    assert tell_end(cell) == (
        "oom_kill 1 at 2,147 MB, 6,212 of 8,000 sessions done, the last 250 ms grew by 180 MB"
    )


@pytest.mark.parametrize(
    ("outcome", "evidence", "changes", "expected"),
    [
        pytest.param(Outcome.OOM, {}, {}, "", id="nothing is known"),
        pytest.param(
            Outcome.OOM,
            {"box": {"memory-at-kill-bytes": 2_158_000_000, "oom-kills": None}},
            {},
            "killed at 2,158 MB",
            id="a watchdog",
        ),
        pytest.param(
            Outcome.OOM,
            {"box": {"oom-kills": 2, "memory-peak-bytes": 1e9}},
            {},
            "oom_kill 2 at 1,000 MB",
            id="the box alone saw it",
        ),
        pytest.param(
            Outcome.OOM, {"supervisor": {"oom-kills": 1}}, {}, "oom_kill 1", id="no peak"
        ),
        pytest.param(
            Outcome.OOM,
            {"box": {"memory-peak-bytes": 2e9}},
            {},
            "memory peaked at 2,000 MB",
            id="no count",
        ),
        pytest.param(
            Outcome.THREADS,
            {
                "supervisor": {
                    "pids-refused": 3,
                    "pids-max": 64,
                    "pids-peak": 64,
                    "peak-threads": 62,
                    "max-map-count": 65530,
                }
            },
            {},
            "the kernel refused a thread or a process 3 times, 64 pids with 64 allowed",
            id="threads",
        ),
        pytest.param(
            Outcome.THREADS,
            {
                "supervisor": {
                    "pids-max": 30_000,
                    "pids-peak": 22_170,
                    "peak-threads": 22_167,
                    "max-map-count": 65_530,
                }
            },
            {},
            "22,170 pids with 30,000 allowed, 22,167 threads with 65,530 mappings allowed",
            id="mappings",
        ),
        pytest.param(
            Outcome.THREADS,
            {"supervisor": {"pids-refused": 1}},
            {},
            "the kernel refused a thread or a process 1 time",
            id="no limit is known",
        ),
        pytest.param(
            Outcome.FDS,
            {"supervisor": {"peak-fds": 19_998, "nofile": 20_000}},
            {},
            "19,998 open files of 20,000",
            id="files",
        ),
        pytest.param(
            Outcome.FDS,
            {"supervisor": {"peak-fds": 19_998}},
            {},
            "19,998 open files",
            id="files of no known number",
        ),
        pytest.param(
            Outcome.TIMEOUT_STALLED,
            {"cpu-pct": 99.5, "supervisor": {"throttled-ms": 1500.0}},
            {"peak_rss_mb": 512.0, "sessions_done": 3},
            "3 of 8,000 sessions done, at most 512 MiB resident, its workers used 0.99 CPU, "
            "held back by its quota for 1.5 s",
            id="busy without progress",
        ),
        pytest.param(
            Outcome.OOM,
            {"supervisor": {"deltas": 1234}},
            {"sessions_done": 0},
            "0 of 8,000 sessions done, 1,234 tokens delivered",
            id="tokens where no session ended",
        ),
        pytest.param(
            Outcome.CRASH,
            {"supervisor": {"signal": 11}, "stderr-tail": ["Traceback", "Error: no pump", " "]},
            {"exit_code": 139},
            "signal 11, its last words “Error: no pump”",
            id="a signal and last words",
        ),
        pytest.param(
            Outcome.CRASH,
            {"stderr-tail": ["x" * 500]},
            {"exit_code": 3},
            f"exit code 3, its last words “{'x' * 160}”",
            id="words without end",
        ),
        pytest.param(
            Outcome.CRASH,
            {"stderr-tail": [" "], "supervisor": "broken"},
            {"exit_code": 3, "reason": "exit code 3 without a RESULT"},
            "",
            id="what the reason says already",
        ),
    ],
)
def test_forensics_tells_what_was_seen_and_nothing_else(
    outcome: Outcome, evidence: dict[str, object], changes: dict[str, object], expected: str
) -> None:
    """Each part comes from its source, and what is missing is left out."""
    assert tell_end(_ended(outcome, evidence, **changes)) == expected


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param(
            _samples((0, 10, 1), (250, 10.5, 1)), "its memory stood still in the last 250 ms"
        ),
        pytest.param(_samples((0, 30, 1), (250, 10, 1)), "the last 250 ms shrank by 21 MB"),
        pytest.param(
            _samples((0, 10, 1), (250, 30, 91)),
            "the last 250 ms grew by 21 MB and 90 threads",
        ),
        pytest.param(_samples((0, 10, 1)), "", id="one sample"),
        pytest.param(_samples((5, 10, 1), (5, 20, 1)), "", id="no time between"),
        pytest.param(["broken", 7], "", id="no samples"),
        pytest.param(None, "", id="none"),
    ],
)
def test_forensics_of_the_last_samples(samples: object, expected: str) -> None:
    """From the first to the last that still saw memory."""
    assert tell_end(_ended(Outcome.OOM, {"supervisor": {"last-samples": samples}})) == expected


def test_forensics_of_a_cell_that_came_to_its_end_says_nothing_of_the_way_there() -> None:
    """With a RESULT there is neither a last moment nor a session that was still to end."""
    supervisor = {"pids-refused": 180, "last-samples": _samples((0, 10, 1), (250, 30, 1))}
    cell = _ended(
        Outcome.THREADS, {"supervisor": supervisor}, result=make_result(8000), sessions_done=8000
    )
    assert tell_end(cell) == "the kernel refused a thread or a process 180 times"


def test_forensics_names_the_limit_that_binds() -> None:
    """Which limit threads ran out at is what a reader can raise."""
    cell = _ended(Outcome.THREADS, {"supervisor": {"pids-max": 64, "pids-peak": 64}})
    assert (thread_limit(cell), what_binds(cell)) == ("pids limit", "threads (pids limit)")
    unknown = _ended(Outcome.THREADS, {})
    assert (thread_limit(unknown), what_binds(unknown)) == ("", "threads")


def test_report_has_a_row_for_each_cell_that_failed() -> None:
    """In the order in which they ran, with their phase; text of the cell's own stays data."""
    evidence = {"stderr-tail": ["| **bold** |"]}
    slot = Slot(side=Side.BRANCH, level=1000, block=1, pair=0, phase=Phase.DECISION)
    cells = [
        *make_block(500),
        _ended(Outcome.CRASH, evidence, exit_code=3),
        cell_at(slot, Outcome.ERRORS, sessions_done=None, reason="1 of 1,000 sessions failed"),
    ]
    document = render(compare(make_run(levels=(500, 1000, 8000)), cells, complete=True))
    section = document.partition("### How cells ended\n\n")[2].partition("\n\n")[0]
    rows = [
        [word.strip() for word in re.split(r" +\| +", line.strip("| "))]
        for line in section.splitlines()[2:]
    ]
    words = r"exit code 3, its last words “\| \*\*bold\*\* \|”"
    assert rows == [
        ["8,000", "base", "crash", "because of crash", words],
        ["1,000", "branch, decision", "errors", "1 of 1,000 sessions failed", "–"],
    ]


def test_line_of_an_invalid_cell_says_its_reason_alone() -> None:
    """Evidence is of how a cell ended, and an invalid one has not ended for its own reasons."""
    cell = _ended(Outcome.INVALID, {"supervisor": {"oom-kills": 1}}, reason="the host was busy")
    assert cell_line(cell).endswith("invalid: the host was busy; will be retried (4.0 s)")
