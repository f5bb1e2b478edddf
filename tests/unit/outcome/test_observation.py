"""What is kept of an observation beside its outcome."""

import json

import msgspec
import pytest

from harness.outcome.observation import Observation, evidence_of, sessions_done
from harness.outcome.protocol import BoxCaps, Death, ProbeOutput, ProgressLine, read_output
from tests.builders.model import make_observation, make_result


def test_evidence_of_a_clean_cell_is_what_the_engine_said() -> None:
    """Nothing that was not seen is listed."""
    assert evidence_of(make_observation(make_result())) == {
        "exit-code": 0,
        "engine-oom-killed": False,
        "timed-out": False,
    }


def test_evidence_holds_every_source() -> None:
    """The engine, the protocol, the caps, the supervisor and the last ten lines of stderr, by name."""
    seen = Observation(
        output=ProbeOutput(
            caps=BoxCaps(cpus=2.0, memory_bytes=1 << 30, swap_bytes=0, pids=99, network=("lo",)),
            death=Death(cause="oom", signal=9, evidence={"oom-kill": 1}),
            torn=("a PROGRESS line cannot be read",),
        ),
        exit_code=137,
        wall_s=1.0,
        oom_killed=True,
        timed_out=True,
        engine_error="it was slow",
        stderr=tuple(f"line {number}" for number in range(12)),
    )
    assert evidence_of(seen) == {
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


def test_evidence_holds_how_busy_the_workers_typically_were() -> None:
    """The median over the seconds, in per cent of one processor: what a cell that ran out of time was bound by."""
    heard = tuple(ProgressLine(cpu_pct=pct) for pct in (0.0, 99.0, None, 97.0, 98.0, 3.0))
    assert evidence_of(make_observation(output=ProbeOutput(progress=heard)))["cpu-pct"] == 97.0


def test_evidence_can_be_stored() -> None:
    """Whatever is kept is kept as JSON."""
    caps = BoxCaps(network=("lo",))
    seen = make_observation(output=ProbeOutput(caps=caps), stderr=("Traceback",))
    assert msgspec.json.decode(msgspec.json.encode(evidence_of(seen)))["stderr-tail"] == [
        "Traceback"
    ]


def test_evidence_leaves_stderr_out_where_there_is_a_result() -> None:
    """A cell that came to its end needs no last words."""
    assert "stderr-tail" not in evidence_of(make_observation(make_result(), stderr=("a warning",)))


_HEARD = (ProgressLine(done=3), ProgressLine(done=7))


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param(ProbeOutput(), None, id="never heard of"),
        pytest.param(ProbeOutput(progress=_HEARD), 7, id="the last progress"),
        pytest.param(
            ProbeOutput(progress=_HEARD, death=Death(cause="oom", evidence={"sessions-done": 9})),
            9,
            id="the supervisor knows more",
        ),
        pytest.param(
            ProbeOutput(progress=_HEARD, death=Death(cause="oom")), 7, id="the supervisor does not"
        ),
        pytest.param(
            ProbeOutput(progress=_HEARD, result=make_result(10, ok=6, errors=4)), 10, id="a RESULT"
        ),
    ],
)
def test_sessions_done_takes_the_latest_word(output: ProbeOutput, expected: int | None) -> None:
    """Failed sessions have ended as well."""
    assert sessions_done(make_observation(output=output)) == expected


def test_evidence_is_bounded_whatever_a_branch_prints() -> None:
    """The largest that every source may be is still small beside a cell's logs."""
    text = "\u20ac" * 100_000
    line = json.dumps({"cause": text, "evidence": {str(n): text for n in range(10)}})
    lines = [f"OUTCOME {line}", *["RESULT {" + text] * 50, *["PROGRESS {" + text] * 50]
    seen = make_observation(
        output=read_output(lines), stderr=(text,) * 1000, engine_error="it was gone"
    )
    assert len(msgspec.json.encode(evidence_of(seen))) < 64 << 10
