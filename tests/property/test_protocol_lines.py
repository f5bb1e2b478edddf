"""The protocol's parser accepts any output of a process."""

import json

import pytest
from hypothesis import given, settings, strategies as st

from harness.outcome.protocol import read_output

WORDS = st.sampled_from(["RESULT", "PROGRESS", "CAPS", "OUTCOME", "INFO", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["arm", "C", "ok", "errors", "wall-ms", "evidence", "cause", "stderr-tail"])
MAPS = st.dictionaries(KEYS | st.text(max_size=4), JSON, max_size=6)
EDN_WORDS = [":arm", ":C", "1", "1.5", "1N", "2/3", '"a"', "\\a", "nil", "true", "1e999", "x"]
EDN_SIGNS = [*'{}[]();^,"', "#inst", "#uuid", "#{", "#_", "##NaN", "##Inf"]
EDN_PARTS = st.sampled_from([*EDN_WORDS, *EDN_SIGNS])


@settings(deadline=None)
@given(lines=st.lists(st.tuples(WORDS, st.text()).map(" ".join)))
def test_protocol_never_fails_on_text(lines: list[str]) -> None:
    """Any line is parsed, skipped or reported as a fault."""
    output = read_output(lines)
    assert len(output.faults) <= len(lines) + 1


@settings(deadline=None)
@given(word=WORDS, body=MAPS, cut=st.integers(0, 40))
def test_protocol_never_fails_on_json(word: str, body: dict[str, object], cut: int) -> None:
    """Wrong types, NaN, lone surrogates and missing ends are faults, not errors."""
    text = json.dumps(body)
    read_output([f"{word} {text[: len(text) - cut]}", f"{word} {text}"])


@settings(deadline=None)
@given(parts=st.lists(EDN_PARTS, max_size=12))
def test_protocol_never_fails_on_edn(parts: list[str]) -> None:
    """Broken EDN is a fault, not an error."""
    pytest.importorskip("edn_format")
    read_output([f"RESULT {{:arm {' '.join(parts)}", f"RESULT {{:arm {''.join(parts)}}}"])


@settings(deadline=None)
@given(body=MAPS)
def test_protocol_output_can_be_stored(body: dict[str, object]) -> None:
    """Parsed values can be encoded as UTF-8."""
    worker_exit = read_output([f"OUTCOME {json.dumps(body)}"]).worker_exit
    if worker_exit is not None:
        json.dumps(
            [worker_exit.cause, worker_exit.evidence, worker_exit.stderr_tail], ensure_ascii=False
        ).encode()
