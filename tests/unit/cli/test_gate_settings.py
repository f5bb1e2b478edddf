"""The options of a gate, from pyproject and from flags."""

import tomllib
from pathlib import Path

import pytest

from harness.cli.flags import Flags
from harness.cli.settings import settle_gate
from harness.model.errors import UsageError
from harness.model.gate import DEFAULT_MARGINS, Margin
from harness.model.request import GateOptions

DEFAULT = GateOptions(margins=DEFAULT_MARGINS, pairs=8, quick_level=1000)


def _settle(table: object, pairs: str = "") -> GateOptions:
    return settle_gate(Flags(typed={"pairs": pairs}, pyproject={"gate": table}))


def test_settle_gate_without_a_table_takes_the_defaults() -> None:
    """Eight pairs, and a margin for each metric that has one."""
    assert settle_gate(Flags()) == _settle({}) == DEFAULT


def test_settle_gate_reads_its_switches() -> None:
    """`--quick` and `--strict` are options of the gate."""
    options = settle_gate(Flags(typed={"quick": True, "strict": True}))
    assert (options.is_quick, options.is_strict) == (True, True)


def test_settle_gate_of_this_project_spells_the_defaults_out() -> None:
    """The table in pyproject spells out the defaults, and nothing else."""
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text()
    assert _settle(tomllib.loads(text)["tool"]["esc-bench"]["gate"]) == DEFAULT


def test_settle_gate_takes_what_the_table_names_and_keeps_the_rest() -> None:
    """A margin is a string or a number; "off" removes a metric from the gate."""
    table = {
        "margins": {"cpu-ms/turn": "5 %", "peak-threads": 2, "latency-infl": "off"},
        "pairs": 6,
        "quick-level": 500,
    }
    settings = _settle(table)
    expected = dict(DEFAULT_MARGINS) | {
        "cpu-ms/turn": Margin(amount=0.05, is_relative=True),
        "peak-threads": Margin(amount=2, is_relative=False),
    }
    del expected["latency-infl"]
    assert settings == GateOptions(margins=expected, pairs=6, quick_level=500)


def test_settle_gate_lets_the_flag_win() -> None:
    """A flag wins over the table."""
    assert _settle({"pairs": 6}, "12").pairs == 12


@pytest.mark.parametrize(
    ("table", "pairs", "said"),
    [
        (3, "", "[tool.esc-bench.gate] in pyproject.toml is 3, and it has to be a table"),
        (
            {"margins": "5 %"},
            "",
            "[tool.esc-bench.gate.margins] in pyproject.toml is '5 %', and it has to be a table",
        ),
        ({"pear": 1}, "", "[tool.esc-bench.gate] in pyproject.toml has no setting 'pear'"),
        (
            {"margins": {"knee": "1"}},
            "",
            "[tool.esc-bench.gate.margins] knee: there is no such metric",
        ),
        (
            {"margins": {"cpu-ms/turn": "much"}},
            "",
            "[tool.esc-bench.gate.margins] cpu-ms/turn: 'much' is not a margin",
        ),
        ({"pairs": 0}, "", "[tool.esc-bench.gate] pairs: '0' is not a whole number of at least 1"),
        ({}, "many", "--pairs: 'many' is not a whole number of at least 1"),
        (
            {"quick-level": "x"},
            "",
            "[tool.esc-bench.gate] quick-level: 'x' is not a whole number of at least 1",
        ),
    ],
)
def test_settle_gate_names_what_it_cannot_use(table: object, pairs: str, said: str) -> None:
    """The message begins with the place, and says what could stand there."""
    with pytest.raises(UsageError) as caught:
        _settle(table, pairs)
    assert caught.value.what == said
    assert caught.value.hint
