"""The evidence that is stored of an observation."""

import json

import msgspec
import pytest

from harness.outcome.observation import Observation, evidence_of, sessions_done
from harness.outcome.protocol import CapsLine, ProbeOutput, ProgressLine, WorkerExit, read_output
from tests.builders.model import make_observation, make_result


def test_evidence_of_a_clean_cell_is_that_of_the_engine() -> None:
    """Sources without evidence are left out."""
    assert evidence_of(make_observation(make_result())) == {
        "exit-code": 0,
        "engine-oom-killed": False,
        "timed-out": False,
    }


def test_evidence_holds_every_source() -> None:
    """Each source has its name; ten lines of stderr are kept."""
    observation = Observation(
        output=ProbeOutput(
            caps=CapsLine(cpus=2.0, memory_bytes=1 << 30, swap_bytes=0, pids=99, network=("lo",)),
            worker_exit=WorkerExit(cause="oom", signal=9, evidence={"oom-kill": 1}),
            torn=("a PROGRESS line cannot be read",),
        ),
        exit_code=137,
        wall_s=1.0,
        oom_killed=True,
        timed_out=True,
        engine_error="it was slow",
        stderr=tuple(f"line {number}" for number in range(12)),
    )
    assert evidence_of(observation) == {
        "exit-code": 137,
        "engine-oom-killed": True,
        "timed-out": True,
        "engine-error": "it was slow",
        "protocol-faults": ["a PROGRESS line cannot be read"],
        "caps-read-inside": {
            "cpus": 2.0,
            "memory-bytes": 1 << 30,
            "swap-bytes": 0,
            "pids": 99,
            "network": ("lo",),
        },
        "supervisor": {"cause": "oom", "signal": 9, "oom-kill": 1},
        "stderr-tail": [f"line {number}" for number in range(2, 12)],
    }


def test_evidence_holds_the_median_cpu_use() -> None:
    """It is the median over the seconds, in per cent of one CPU."""
    progress = tuple(ProgressLine(cpu_pct=pct) for pct in (0.0, 99.0, None, 97.0, 98.0, 3.0))
    assert evidence_of(make_observation(output=ProbeOutput(progress=progress)))["cpu-pct"] == 97.0


def test_evidence_can_be_stored() -> None:
    """All evidence is JSON."""
    caps = CapsLine(network=("lo",))
    observation = make_observation(output=ProbeOutput(caps=caps), stderr=("Traceback",))
    stored = msgspec.json.decode(msgspec.json.encode(evidence_of(observation)))
    assert stored["stderr-tail"] == ["Traceback"]


def test_evidence_with_a_result_leaves_out_stderr() -> None:
    """A RESULT needs no explanation by stderr."""
    assert "stderr-tail" not in evidence_of(make_observation(make_result(), stderr=("a warning",)))


_PROGRESS = (ProgressLine(done=3), ProgressLine(done=7))


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param(ProbeOutput(), None, id="no output"),
        pytest.param(ProbeOutput(progress=_PROGRESS), 7, id="the last progress"),
        pytest.param(
            ProbeOutput(
                progress=_PROGRESS,
                worker_exit=WorkerExit(cause="oom", evidence={"sessions-done": 9}),
            ),
            9,
            id="the supervisor's count",
        ),
        pytest.param(
            ProbeOutput(progress=_PROGRESS, worker_exit=WorkerExit(cause="oom")),
            7,
            id="a supervisor without a count",
        ),
        pytest.param(
            ProbeOutput(progress=_PROGRESS, result=make_result(10, ok=6, errors=4)),
            10,
            id="a RESULT",
        ),
    ],
)
def test_sessions_done_is_the_latest_count(output: ProbeOutput, expected: int | None) -> None:
    """Failed sessions are done as well."""
    assert sessions_done(make_observation(output=output)) == expected


def test_evidence_is_bounded_for_any_output() -> None:
    """The largest evidence is small compared with a cell's logs."""
    text = "\u20ac" * 100_000
    line = json.dumps({"cause": text, "evidence": {str(n): text for n in range(10)}})
    lines = [f"OUTCOME {line}", *["RESULT {" + text] * 50, *["PROGRESS {" + text] * 50]
    observation = make_observation(
        output=read_output(lines), stderr=(text,) * 1000, engine_error="it was gone"
    )
    assert len(msgspec.json.encode(evidence_of(observation))) < 64 << 10
