"""Whatever is typed, set or configured: a setting, or a usage error of one line."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from harness.adapters.host.pyproject import read_defaults
from harness.cli.flags import BASE_ENV, BRANCH_ENV, CONFIGURED, ENV, Flags
from harness.cli.parsing import (
    parse_arm,
    parse_levels,
    parse_load,
    parse_margin,
    parse_memory_bytes,
    parse_number,
    parse_seconds,
    parse_variable,
    parse_whole,
)
from harness.cli.settings import settle, settle_gate
from harness.cli.wiring import make_request
from harness.model.errors import UsageError
from harness.model.gate import DEFAULT_MARGINS
from tests.property.hostile import HOSTILE, JSON, WHOLE, effort, see_that_it_is_clear

NUMERIC = st.one_of(
    st.text("0123456789.,eE+-_ gGmMkKbBiIsh%·٣²\u0660\uff11", max_size=12),
    st.sampled_from(
        [
            "1e400",
            "-0",
            "inf",
            "NaN",
            "1_000",
            "0x10",
            "9" * 400,
            "1" * 14 + "g",
            "500..8000",
            "1..999999999",
            "..",
            "5..",
            "..5",
        ]
    ),
)
WORDS = NUMERIC | HOSTILE
SETTINGS = [flag.parameter for flag in CONFIGURED]
LISTS = [flag.parameter for flag in (ENV, BASE_ENV, BRANCH_ENV)]
SOURCES = st.builds(
    Flags,
    typed=st.dictionaries(st.sampled_from(SETTINGS), WORDS | st.booleans(), max_size=3),
    environ=st.dictionaries(
        st.sampled_from(["CPUS", "MEM", "PIDS", "TIMEOUT"]), WORDS, max_size=2
    ),
    invoke=st.dictionaries(st.sampled_from(SETTINGS), JSON, max_size=2),
    pyproject=st.dictionaries(
        st.sampled_from([*SETTINGS, "memory", "timeout_s", "budget_s", "gate"]) | HOSTILE,
        JSON,
        max_size=2,
    ),
)
PARSERS: dict[str, Callable[[str], object]] = {
    "memory": lambda text: parse_memory_bytes(text, where="--mem"),
    "seconds": lambda text: parse_seconds(text, where="--timeout"),
    "number": lambda text: parse_number(text, where="--cpus"),
    "whole": lambda text: parse_whole(text, where="--blocks"),
    "margin": lambda text: parse_margin(text, where="margins"),
    "load": lambda text: parse_load(text, where="--load"),
    "levels": lambda text: parse_levels(text, where="--levels"),
    "arm": lambda text: parse_arm(text, where="--arm"),
    "environment": lambda text: parse_variable(text, where="--env"),
}
TABLES = st.dictionaries(
    st.sampled_from(["margins", "pairs", "quick-level"]) | HOSTILE,
    JSON
    | st.dictionaries(st.sampled_from([*DEFAULT_MARGINS]) | HOSTILE, JSON | NUMERIC, max_size=3),
    max_size=3,
)


def _settles(act: Callable[[], object]) -> None:
    """Check that a call succeeds, or is refused in one short line."""
    try:
        act()
    except UsageError as error:
        see_that_it_is_clear(error)


@pytest.mark.parametrize("name", PARSERS)
@effort(30, 10_000)
@given(text=WORDS)
def test_texts_are_parsed_or_refused(name: str, text: str) -> None:
    """A text is what was asked for, or a usage error."""
    _settles(lambda: PARSERS[name](text))


@effort(60, 20_000)
@given(flags=SOURCES, host_cpus=st.integers(1, 64))
def test_settings_are_settled_or_refused(flags: Flags, host_cpus: int) -> None:
    """All sources at once, with values of any type."""
    _settles(lambda: settle(flags, host_cpus=host_cpus))


@effort(40, 20_000)
@given(table=TABLES | JSON, pairs=st.just("") | WORDS)
def test_gates_are_settled_or_refused(table: object, pairs: str) -> None:
    """A gate's table may hold anything that TOML can."""
    _settles(lambda: settle_gate(Flags(typed={"pairs": pairs}, pyproject={"gate": table})))


@effort(30, 5000)
@given(
    text=WHOLE
    | st.sampled_from(
        ["tool = 1", "[tool]\nesc-bench = 3", "[[tool.esc-bench]]", "tool.esc-bench = []"]
    )
)
def test_pyprojects_are_read_or_refused(tmp_path: Path, text: str) -> None:
    """A pyproject.toml may be no TOML, and its tables no tables."""
    (tmp_path / "pyproject.toml").write_text(text)
    _settles(lambda: read_defaults(tmp_path))


FLAGS = ("arm", "base_arm", "branch_arm", "base", "main", *SETTINGS)


@effort(40, 10_000)
@given(
    given_=st.dictionaries(st.sampled_from(FLAGS), WORDS | st.booleans(), max_size=3),
    lists=st.dictionaries(st.sampled_from(LISTS), st.lists(WORDS | st.just("A=b"), max_size=2)),
    repo=st.none() | st.just(""),
    invoke=st.dictionaries(st.sampled_from(SETTINGS), JSON, max_size=1),
)
def test_flags_become_a_request_or_are_refused(
    tmp_path: Path,
    given_: Mapping[str, object],
    lists: Mapping[str, object],
    repo: str | None,
    invoke: Mapping[str, object],
) -> None:
    """Any text for any flag is a request or a usage error."""
    words = {**given_, **lists, "repo": repo if repo is not None else str(tmp_path)}
    _settles(lambda: make_request(Flags(typed=words, invoke=invoke)))


@effort(40, 5000)
@given(repo=HOSTILE)
def test_any_checkout_can_be_asked_for(repo: str) -> None:
    """A folder that cannot be is refused, and nothing worse."""
    _settles(lambda: make_request(Flags(typed={"repo": repo})))
