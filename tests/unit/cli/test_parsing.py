"""Settings parsed from the text that people type."""

import pytest

from harness.cli.parsing import (
    parse_arm,
    parse_levels,
    parse_load,
    parse_margin,
    parse_margins,
    parse_memory_bytes,
    parse_number,
    parse_seconds,
    parse_variable,
    parse_whole,
)
from harness.model.errors import UsageError
from harness.model.gate import DEFAULT_MARGINS, Margin, show_margin
from harness.model.nouns import Arm, Load

MIB = 1 << 20
TENTH = Margin(amount=0.1, is_relative=True)
HALF = Margin(amount=0.5, is_relative=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2g", 2048 * MIB),
        ("2G", 2048 * MIB),
        (" 512m ", 512 * MIB),
        ("512 m", 512 * MIB),
        ("512mb", 512 * MIB),
        ("512MiB", 512 * MIB),
        ("0.5g", 512 * MIB),
        ("8192k", 8 * MIB),
        ("6291456", 6 * MIB),
        ("6291456b", 6 * MIB),
    ],
)
def test_parse_memory_bytes_accepts_the_units_of_docker(text: str, expected: int) -> None:
    """Units are powers of 1024, in upper or lower case."""
    assert parse_memory_bytes(text, where="--mem") == expected


@pytest.mark.parametrize("text", ["", "2x", "-2g", "2 g b", "nan", "g", "1e9", "9" * 400, "2tb"])
def test_parse_memory_bytes_refuses_other_text(text: str) -> None:
    """The message names the flag and the text, and shows an example."""
    with pytest.raises(UsageError) as caught:
        parse_memory_bytes(text, where="--mem")
    assert str(caught.value) == (
        f"--mem: {text[:80]!r} is not an amount of memory — write for example 512m or 2g"
    )


def test_parse_memory_bytes_refuses_less_than_the_engine_allows() -> None:
    """The engine's minimum is checked before the engine is called."""
    with pytest.raises(UsageError, match=r"^MEM in the environment: '5m' is below 6m"):
        parse_memory_bytes("5m", where="MEM in the environment")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("600", 600.0),
        ("90s", 90.0),
        ("10m", 600.0),
        ("1h", 3600.0),
        ("1.5S", 1.5),
        ("250ms", 0.25),
    ],
)
def test_parse_seconds_reads_durations(text: str, expected: float) -> None:
    """A number without a unit is in seconds."""
    assert parse_seconds(text, where="--timeout") == expected


@pytest.mark.parametrize("text", ["", "0", "0s", "-1", "10d", "soon", "1m30s", "9" * 400])
def test_parse_seconds_refuses_other_text(text: str) -> None:
    """Zero, a negative number and infinity are not time limits."""
    with pytest.raises(UsageError, match=r"^--timeout: .* is not a duration above zero"):
        parse_seconds(text, where="--timeout")


@pytest.mark.parametrize(("text", "expected"), [("2", 2.0), ("1.5", 1.5), (" 0.25 ", 0.25)])
def test_parse_number_reads_decimals(text: str, expected: float) -> None:
    """A share of a CPU is allowed."""
    assert parse_number(text, where="--cpus") == expected


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "inf", "1e999", "two", "1,5"])
def test_parse_number_refuses_all_but_finite_positive_numbers(text: str) -> None:
    """Zero, negative numbers, infinity and NaN are refused."""
    with pytest.raises(UsageError, match=r"^--cpus: .* is not a number above 0"):
        parse_number(text, where="--cpus")


@pytest.mark.parametrize(
    ("text", "least", "expected"), [("1", 1, 1), (" 500 ", 1, 500), ("0", 0, 0)]
)
def test_parse_whole_reads_digits(text: str, least: int, expected: int) -> None:
    """The minimum itself is allowed."""
    assert parse_whole(text, where="--levels", least=least) == expected


@pytest.mark.parametrize(
    "text", ["", "0", "-5", "+5", "1.0", "1e3", "1_000", "٥", "²", "9" * 10, "9" * 5000]
)
def test_parse_whole_refuses_all_but_ascii_digits(text: str) -> None:
    """Other forms that `int` accepts are refused, and so are huge numbers."""
    with pytest.raises(UsageError, match=r"^--levels: .* is not a whole number of at least 1"):
        parse_whole(text, where="--levels")


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("500,1000", (500, 1000)),
        ("100, 200 400", (100, 200, 400)),
        ("8", (8,)),
    ],
)
def test_parse_levels_reads_an_ascending_ladder(text: str, levels: tuple[int, ...]) -> None:
    """Commas and spaces separate levels; one level is a ladder too."""
    assert parse_levels(text, where="--levels") == levels


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("500..4000", (500, 1000, 2000, 4000)),
        ("500..3000", (500, 1000, 2000)),
        ("100,500..1000,1500", (100, 500, 1000, 1500)),
        ("8..8", (8,)),
    ],
)
def test_parse_levels_doubles_between_two_dots(text: str, levels: tuple[int, ...]) -> None:
    """The ladder never exceeds the upper end."""
    assert parse_levels(text, where="--levels") == levels


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", "nothing"),
        ("2,1", "2,1"),
        ("5,5", "5,5"),
        ("8..4", "8..4"),
        ("4..8,8", "4..8,8"),
    ],
)
def test_parse_levels_refuses_levels_that_do_not_ascend(text: str, shown: str) -> None:
    """The message quotes empty, descending and repeated levels."""
    with pytest.raises(UsageError) as caught:
        parse_levels(text, where="--levels")
    assert str(caught.value) == (
        f"--levels: {shown} does not ascend — write levels as in 500,1000,2000 or 500..2000"
    )


def test_parse_levels_refuses_a_level_that_is_no_number() -> None:
    """The message names the level, not the whole ladder."""
    with pytest.raises(UsageError, match=r"^--levels: '1k' is not a whole number"):
        parse_levels("500,1k", where="--levels")


@pytest.mark.parametrize("text", ["", "6", "6 200 50", "1 1 1 1 1 1 1"])
def test_parse_load_requires_four_to_six_numbers(text: str) -> None:
    """The message shows the order of the numbers."""
    with pytest.raises(UsageError, match=r"^--load: '.*' is not a load — write TURNS TTFT_MS"):
        parse_load(text, where="--load")


@pytest.mark.parametrize("text", ["0 1 1 1", "1 1 1 fast", "1 1 1 -1"])
def test_parse_load_requires_whole_numbers_and_a_turn(text: str) -> None:
    """Only the turns may not be zero."""
    with pytest.raises(UsageError, match=r"^--load: '.*' is not a whole number"):
        parse_load(text, where="--load")


@pytest.mark.parametrize(
    ("text", "load"),
    [
        ("6 200 50 5", Load(turns=6, ttft_ms=200, tokens=50, tok_ms=5)),
        ("1,0,0,0", Load(turns=1, ttft_ms=0, tokens=0, tok_ms=0)),
        ("1 2 3 4 50", Load(turns=1, ttft_ms=2, tokens=3, tok_ms=4, qsleep_ms=50)),
        (
            "1 2 3 4 50 64",
            Load(turns=1, ttft_ms=2, tokens=3, tok_ms=4, qsleep_ms=50, state_kb=64),
        ),
    ],
)
def test_parse_load_reads_four_to_six_numbers(text: str, load: Load) -> None:
    """The last two numbers are zero when they are left out."""
    assert parse_load(text, where="--load") == load


@pytest.mark.parametrize("arm", list(Arm))
def test_parse_arm_reads_each_arm(arm: Arm) -> None:
    """An arm is typed by its name."""
    assert parse_arm(arm.value, where="--arm") is arm


def test_parse_arm_lists_the_arms() -> None:
    """The message to a typo holds all names."""
    with pytest.raises(UsageError) as caught:
        parse_arm("sc", where="--arm")
    assert str(caught.value) == (
        "--arm: there is no arm 'sc' — the arms are sc-ckpt, sc-mem, hand; `invoke arms` explains them"
    )


@pytest.mark.parametrize(
    ("item", "expected"),
    [("SCALE_VT=0", ("SCALE_VT", "0")), ("A=", ("A", "")), ("B=x=y", ("B", "x=y"))],
)
def test_parse_variable_splits_at_the_first_equals_sign(
    item: str, expected: tuple[str, str]
) -> None:
    """A value may be empty, or hold another equals sign."""
    assert parse_variable(item, where="--env") == expected


@pytest.mark.parametrize(
    "item", ["SCALE_VT", "=1", "1A=2", "A B=1", "A-B=1", "A=\0", "Ä=1", "A\n=1"]
)
def test_parse_variable_refuses_names_that_no_environment_can_hold(item: str) -> None:
    """The message quotes the item and shows an example."""
    with pytest.raises(UsageError) as caught:
        parse_variable(item, where="--base-env")
    assert str(caught.value) == (
        f"--base-env: {item!r} is not a setting — write NAME=VALUE, as in SCALE_STATE_KB=64"
    )


@pytest.mark.parametrize(
    ("text", "margin"),
    [
        ("10 %", TENTH),
        (" 10% ", TENTH),
        ("2.5 %", Margin(amount=0.025, is_relative=True)),
        ("0.5", HALF),
        ("0", Margin(amount=0, is_relative=False)),
    ],
)
def test_parse_margin_reads_a_share_or_an_amount(text: str, margin: Margin) -> None:
    """A per cent sign makes the margin a share of the base."""
    assert parse_margin(text, where="here") == margin


@pytest.mark.parametrize("text", ["", "%", "-1", "ten", "1 MB", "1e3", "nan", "1" * 10])
def test_parse_margin_refuses_other_text(text: str) -> None:
    """The message holds the place, the text, and the two forms that are allowed."""
    with pytest.raises(UsageError) as caught:
        parse_margin(text, where="[tool.x] cpu")
    assert str(caught.value) == (
        f"[tool.x] cpu: {text!r} is not a margin"
        ' — write "10 %" for a share of the base, or a number in the metric\'s own unit'
    )


@pytest.mark.parametrize("margin", [*DEFAULT_MARGINS.values(), HALF])
def test_parse_margin_reads_what_show_margin_writes(margin: Margin) -> None:
    """The report shows a margin as the configuration writes it."""
    assert parse_margin(show_margin(margin), where="here") == margin


def test_show_margin_rounds_a_parsed_share() -> None:
    """7 % is not shown as 7.000000000000001 %."""
    assert show_margin(parse_margin("7 %", where="here")) == "7 %"


def test_parse_margins_replaces_the_defaults_that_a_table_names() -> None:
    """A margin may be a string or a number; "off" removes a metric."""
    table = {"cpu-ms/turn": "10 %", "peak-threads": 2, "latency-infl": "off"}
    expected = dict(DEFAULT_MARGINS) | {
        "cpu-ms/turn": TENTH,
        "peak-threads": Margin(amount=2, is_relative=False),
    }
    del expected["latency-infl"]
    assert parse_margins(table, where="[margins]") == expected
    assert parse_margins({}, where="[margins]") == DEFAULT_MARGINS


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("5 %", "[margins] in pyproject.toml is '5 %', and it has to be a table"),
        ({"knee": "1"}, "[margins] knee: there is no such metric"),
        ({"cpu-ms/turn": "much"}, "[margins] cpu-ms/turn: 'much' is not a margin"),
    ],
)
def test_parse_margins_names_the_entry_that_it_refuses(table: object, message: str) -> None:
    """The message starts with the place, and a hint follows."""
    with pytest.raises(UsageError) as caught:
        parse_margins(table, where="[margins]")
    assert caught.value.what == message
    assert caught.value.hint
