"""Hostile output of a probe is parsed, and becomes an outcome that can be stored."""

import json

from hypothesis import example, given, strategies as st

from harness.adapters.results.record import read_cells, write_cell
from harness.model.cells import Slot
from harness.model.nouns import Caps, Outcome, Side
from harness.outcome.observation import Observation, evidence_of, sessions_done
from harness.outcome.protocol import ProbeOutput, read_output
from harness.outcome.rules import decide
from tests.builders.model import cell_at
from tests.property.hostile import (
    EDN_LINES,
    LINES,
    NESTED_LINES,
    OUTPUTS,
    TWICE_LINES,
    WHOLE,
    effort,
    is_one_line,
)

CAPS = Caps()
BOX_EVIDENCE = {"oom-kills": 1, "memory-peak-bytes": 1 << 31}


def _read(lines: list[str]) -> ProbeOutput:
    """Parse lines, and check that all faults are short single lines."""
    output = read_output(lines)
    for text in (*output.faults, *output.torn):
        assert len(text) <= 500
        assert is_one_line(text)
    return output


@effort(60, 30_000)
@given(lines=st.lists(LINES, max_size=6))
def test_probe_output_is_always_read(lines: list[str]) -> None:
    """Any line is parsed or reported."""
    _read(lines)


@effort(60, 30_000)
@given(lines=st.lists(EDN_LINES, max_size=3))
def test_edn_output_is_always_read(lines: list[str]) -> None:
    """EDN has tags, characters, sets, ratios and comments."""
    _read(lines)


@effort(10, 500)
@given(line=NESTED_LINES)
def test_nested_output_is_always_read(line: str) -> None:
    """Deep nesting does not exhaust the stack."""
    _read([line])


@effort(20, 3000)
@given(line=TWICE_LINES)
def test_output_with_keys_twice_is_always_read(line: str) -> None:
    """A repeated key has one value or none."""
    _read([line])


def _printing(line: str) -> Observation:
    return Observation(output=read_output([line]), exit_code=0, wall_s=1.0)


OBSERVATIONS = st.builds(
    Observation,
    output=OUTPUTS,
    exit_code=st.none()
    | st.sampled_from([0, 1, 2, 130, 134, 137, 139, 143])
    | st.integers(-(2**63), 2**63 - 1),
    wall_s=st.floats(0, 1e6),
    oom_killed=st.booleans(),
    timed_out=st.booleans(),
    engine_error=st.just("") | WHOLE,
    stderr=st.lists(WHOLE, max_size=3).map(tuple),
    box_evidence=st.sampled_from([{}, BOX_EVIDENCE]),
)


@effort(60, 30_000)
@given(observation=OBSERVATIONS, attempt=st.integers(0, 1))
@example(
    observation=_printing(
        'RESULT {"arm":"a","C":1,"ok":9007199254740992,"errors":9007199254740992}'
    ),
    attempt=0,
)
@example(
    observation=_printing('OUTCOME {"cause":"exit","evidence":{"sessions-done":-5}}'), attempt=0
)
@example(
    observation=_printing('OUTCOME {"cause":"exit","evidence":{"sessions-done":true}}'), attempt=1
)
def test_every_output_is_one_outcome_that_can_be_stored(
    observation: Observation, attempt: int
) -> None:
    """The reason is one short line, and the stored cell is read back unchanged."""
    outcome, reason = decide(observation, CAPS, 500, attempt=attempt)
    assert outcome in Outcome
    assert is_one_line(reason)
    assert len(reason) < 500
    evidence = evidence_of(observation)
    json.dumps(evidence, allow_nan=False).encode()
    cell = cell_at(
        Slot(side=Side.BASE, level=500, block=0, pair=0),
        outcome,
        reason=reason,
        exit_code=observation.exit_code,
        sessions_done=sessions_done(observation),
        result=observation.output.result,
        evidence=evidence,
    )
    (again,) = read_cells(write_cell(cell), where="cells.jsonl")
    assert write_cell(again) == write_cell(cell)
