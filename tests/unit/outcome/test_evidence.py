"""The evidence of a stored cell's end, in one sentence."""

from collections.abc import Mapping

import pytest
from msgspec import structs

from harness.model.cells import Cell
from harness.model.nouns import Outcome, Side
from harness.outcome.evidence import describe_end, thread_limit
from tests.builders.model import make_cell, make_result


def _samples(*points: tuple[float, float, int]) -> list[dict[str, float]]:
    return [{"t-ms": t, "rss-mb": rss, "threads": threads} for t, rss, threads in points]


def _ended(outcome: Outcome, evidence: Mapping[str, object], **changes: object) -> Cell:
    unknown = make_cell(Side.BASE, 8000, outcome, sessions_done=None, exit_code=None)
    return structs.replace(unknown, evidence=dict(evidence), **changes)


def test_evidence_of_a_kill_for_memory() -> None:
    """It has the kernel's count, the progress, and the change over the last samples."""
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
    assert describe_end(cell) == (
        "oom_kill 1 at 2,147 MB, 6,212 of 8,000 sessions done, "
        "memory grew by 180 MB in the last 250 ms"
    )


@pytest.mark.parametrize(
    ("outcome", "evidence", "changes", "expected"),
    [
        pytest.param(Outcome.OOM, {}, {}, "", id="no evidence"),
        pytest.param(
            Outcome.OOM,
            {"box": {"memory-at-kill-bytes": 2_158_000_000, "oom-kills": None}},
            {},
            "killed at 2,158 MB",
            id="killed by a watchdog",
        ),
        pytest.param(
            Outcome.OOM,
            {"box": {"oom-kills": 2, "memory-peak-bytes": 1e9}},
            {},
            "oom_kill 2 at 1,000 MB",
            id="counted by the box alone",
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
            "the kernel refused a thread or a process 3 times, 64 pids (64 allowed)",
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
            "22,170 pids (30,000 allowed), 22,167 threads (65,530 mappings allowed)",
            id="mappings",
        ),
        pytest.param(
            Outcome.THREADS,
            {"supervisor": {"pids-refused": 1}},
            {},
            "the kernel refused a thread or a process 1 time",
            id="unknown limit",
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
            id="files without a limit",
        ),
        pytest.param(
            Outcome.TIMEOUT_STALLED,
            {"cpu-pct": 99.5, "supervisor": {"throttled-ms": 1500.0}},
            {"peak_rss_mb": 512.0, "sessions_done": 3},
            "3 of 8,000 sessions done, at most 512 MiB of resident memory, "
            "its workers used 0.99 CPU, throttled by its CPU quota for 1.5 s",
            id="busy without progress",
        ),
        pytest.param(
            Outcome.OOM,
            {"supervisor": {"deltas": 1234}},
            {"sessions_done": 0},
            "0 of 8,000 sessions done, 1,234 tokens delivered",
            id="tokens without a session",
        ),
        pytest.param(
            Outcome.CRASH,
            {"supervisor": {"signal": 11}, "stderr-tail": ["Traceback", "Error: no pump", " "]},
            {"exit_code": 139},
            "signal 11, last line on stderr: “Error: no pump”",
            id="a signal and a last line",
        ),
        pytest.param(
            Outcome.CRASH,
            {"stderr-tail": ["x" * 500]},
            {"exit_code": 3},
            f"exit code 3, last line on stderr: “{'x' * 160}”",
            id="a long line",
        ),
        pytest.param(
            Outcome.CRASH,
            {"stderr-tail": [" "], "supervisor": "broken"},
            {"exit_code": 3, "reason": "exit code 3 without a RESULT"},
            "",
            id="repeated in the reason",
        ),
    ],
)
def test_evidence_leaves_out_missing_values(
    outcome: Outcome, evidence: dict[str, object], changes: dict[str, object], expected: str
) -> None:
    """Each part of the sentence has one source."""
    assert describe_end(_ended(outcome, evidence, **changes)) == expected


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param(
            _samples((0, 10, 1), (250, 10.5, 1)), "memory did not change in the last 250 ms"
        ),
        pytest.param(
            _samples((0, 30, 1), (250, 10, 1)), "memory shrank by 21 MB in the last 250 ms"
        ),
        pytest.param(
            _samples((0, 10, 1), (250, 30, 91)),
            "memory grew by 21 MB and 90 threads in the last 250 ms",
        ),
        pytest.param(_samples((0, 10, 1)), "", id="one sample"),
        pytest.param(_samples((5, 10, 1), (5, 20, 1)), "", id="no time between"),
        pytest.param(["broken", 7], "", id="no samples"),
        pytest.param(None, "", id="none"),
    ],
)
def test_evidence_of_the_last_samples(samples: object, expected: str) -> None:
    """It is the change from the first sample to the last."""
    assert describe_end(_ended(Outcome.OOM, {"supervisor": {"last-samples": samples}})) == expected


def test_evidence_beside_a_result_has_no_progress() -> None:
    """With a RESULT all sessions ended, and the last samples explain nothing."""
    supervisor = {"pids-refused": 180, "last-samples": _samples((0, 10, 1), (250, 30, 1))}
    cell = _ended(
        Outcome.THREADS, {"supervisor": supervisor}, result=make_result(8000), sessions_done=8000
    )
    assert describe_end(cell) == "the kernel refused a thread or a process 180 times"


def test_thread_limit_is_named() -> None:
    """The user can raise a limit that is named."""
    cell = _ended(Outcome.THREADS, {"supervisor": {"pids-max": 64, "pids-peak": 64}})
    assert thread_limit(cell) == "pids limit"
    assert thread_limit(_ended(Outcome.THREADS, {})) == ""
