"""The probe's arguments and toggles."""

import pytest

from harness.probe.settings import ARM_NAMES, Injection, UsageError, read_settings
from harness.probe.worker.arms import ARMS


def test_settings_have_the_original_defaults() -> None:
    """Without arguments the run is sc-mem 100 6 400 150 20 0 0 in virtual mode."""
    settings = read_settings([], {})
    assert settings.arm == "sc-mem"
    assert (settings.sessions, settings.turns) == (100, 6)
    assert (settings.ttft_ms, settings.tokens, settings.tok_ms) == (400, 150, 20)
    assert (settings.qsleep_ms, settings.state_kb) == (0, 0)
    assert settings.is_virtual
    assert settings.pacing == "sleep"
    assert settings.injection == Injection()


def test_settings_read_every_argument_in_order() -> None:
    """The eight arguments are ARM C TURNS TTFT_MS TOKENS TOK_MS QSLEEP_MS STATE_KB."""
    settings = read_settings(["hand", "1", "2", "3", "4", "5", "6", "7"], {})
    assert settings.arm == "hand"
    assert (settings.sessions, settings.turns, settings.ttft_ms) == (1, 2, 3)
    assert (settings.tokens, settings.tok_ms, settings.qsleep_ms, settings.state_kb) == (
        4,
        5,
        6,
        7,
    )


def test_settings_read_the_toggles() -> None:
    """A setting without an argument is read from the environment."""
    toggles = {
        "SCALE_VT": "0",
        "SCALE_PACING": "server",
        "SCALE_STATE_KB": "9",
        "SCALE_QSLEEP_MS": "50",
        "SCALE_PROCS": "5",
        "SCALE_INJECT_WORK": "1",
        "SCALE_INJECT_THREADS": "2",
        "SCALE_INJECT_BYTES": "3",
        "SCALE_INJECT_FAILING": "4",
    }
    settings = read_settings(["hand", "5"], toggles)
    assert settings.injection == Injection(work=1, threads=2, held_bytes=3, failing=4)
    assert not settings.is_virtual
    assert settings.pacing == "server"
    assert (settings.state_kb, settings.qsleep_ms) == (9, 50)
    assert settings.procs == 5


def test_settings_distribute_the_sessions_over_the_shards() -> None:
    """Session i belongs to shard i mod N."""
    settings = read_settings(["hand", "5"], {"SCALE_PROCS": "2"})
    assert [list(settings.indices_of(shard)) for shard in range(2)] == [[0, 2, 4], [1, 3]]


def test_settings_ignore_the_variables_of_other_programs() -> None:
    """Only names with the prefix SCALE_ are checked for typos."""
    others = {"SCALE": "1", "XSCALE_VT": "7", "SCALE_OLD": ""}
    assert read_settings(["hand"], others).procs == 1


def test_settings_argument_wins_over_the_environment() -> None:
    """An argument overrides the environment, even a zero."""
    words = ["hand", "1", "1", "0", "0", "0", "0", "0"]
    settings = read_settings(words, {"SCALE_STATE_KB": "9", "SCALE_QSLEEP_MS": "50"})
    assert (settings.state_kb, settings.qsleep_ms) == (0, 0)


def test_settings_treat_an_empty_toggle_as_unset() -> None:
    """An empty variable is a leftover of a shell, not a choice."""
    assert read_settings([], {"SCALE_VT": "", "SCALE_PROCS": "", "SCALE_STATE_KB": ""}).is_virtual


def test_settings_accept_a_virtual_clock() -> None:
    """It needs tasks in one process, which is the default."""
    assert read_settings([], {}).clock == "real"
    assert read_settings([], {"SCALE_CLOCK": "virtual", "SCALE_VT": ""}).clock == "virtual"


def test_settings_nominal_turn_is_ttft_and_all_the_tokens() -> None:
    """200 ms and 50 tokens of 5 ms are 450 ms."""
    assert read_settings(["hand", "1", "6", "200", "50", "5"], {}).nominal_turn_ms == 450


@pytest.mark.parametrize(
    ("words", "environment", "message"),
    [
        ("other 1", {}, "ARM is 'other'; allowed: sc-ckpt, sc-mem, hand"),
        ("hand 0", {}, "C is '0'; allowed: a whole number of at least 1, up to 9 digits"),
        ("hand x", {}, "C is 'x'; allowed: a whole number of at least 1, up to 9 digits"),
        ("hand 1_0", {}, "C is '1_0'; allowed: a whole number of at least 1, up to 9 digits"),
        ("hand 1 0", {}, "TURNS is '0'; allowed: a whole number of at least 1, up to 9 digits"),
        (
            "hand 1 1 -1",
            {},
            "TTFT_MS is '-1'; allowed: a whole number of at least 0, up to 9 digits",
        ),
        ("hand 1 1 1 1 1 1 1 1", {}, "9 arguments; at most 8 are allowed; see --help"),
        ("hand 1", {"SCALE_VT": "yes"}, "SCALE_VT is 'yes'; allowed: 1, 0"),
        ("hand 1", {"SCALE_PACING": "fast"}, "SCALE_PACING is 'fast'; allowed: sleep, server"),
        (
            "hand 1",
            {"SCALE_PROCS": "2"},
            "SCALE_PROCS is '2'; allowed: 1 to 64, and at most C, here 1",
        ),
        (
            "hand 99",
            {"SCALE_PROCS": "65"},
            "SCALE_PROCS is '65'; allowed: 1 to 64, and at most C, here 99",
        ),
        (
            "hand 1",
            {"SCALE_PROCS": "0"},
            "SCALE_PROCS is '0'; allowed: a whole number of at least 1, up to 9 digits",
        ),
        (
            "hand 1",
            {"SCALE_STAT_KB": "64"},
            "SCALE_STAT_KB is not a toggle; allowed: SCALE_CLOCK, SCALE_INJECT_BYTES, SCALE_INJECT_FAILING, SCALE_INJECT_THREADS, SCALE_INJECT_WORK, SCALE_PACING, SCALE_PROCS, SCALE_QSLEEP_MS, SCALE_SCRATCH, SCALE_STATE_KB, SCALE_VT",
        ),
        (
            "hand 1",
            {"SCALE_CLOCK": "virtual", "SCALE_VT": "0"},
            "SCALE_VT is '0'; allowed with SCALE_CLOCK=virtual: 1",
        ),
        (
            "hand 2",
            {"SCALE_CLOCK": "virtual", "SCALE_PROCS": "2"},
            "SCALE_PROCS is '2'; allowed with SCALE_CLOCK=virtual: 1",
        ),
        (
            "hand 1",
            {"SCALE_CLOCK": "virtual", "ESCAPEMENT_WORKERS": "platform"},
            "ESCAPEMENT_WORKERS is 'platform'; allowed with SCALE_CLOCK=virtual: virtual, auto",
        ),
        ("hand 1", {"SCALE_CLOCK": "lunar"}, "SCALE_CLOCK is 'lunar'; allowed: real, virtual"),
        (
            "hand 1",
            {"ESCAPEMENT_WORKERS": "fibers"},
            "ESCAPEMENT_WORKERS is 'fibers'; allowed: platform, virtual, auto",
        ),
        (
            "hand 1",
            {"SCALE_SCRATCH": "/nowhere/at/all"},
            "SCALE_SCRATCH is '/nowhere/at/all'; allowed: a writable folder",
        ),
        (
            "hand 1",
            {"SCALE_STATE_KB": "big"},
            "SCALE_STATE_KB is 'big'; allowed: a whole number of at least 0, up to 9 digits",
        ),
        (
            "hand 1",
            {"SCALE_INJECT_WORK": "-1"},
            "SCALE_INJECT_WORK is '-1'; allowed: a whole number of at least 0, up to 9 digits",
        ),
    ],
)
def test_settings_refuse_in_one_line(
    words: str, environment: dict[str, str], message: str
) -> None:
    """The message names the refused value and the allowed ones."""
    with pytest.raises(UsageError) as refused:
        read_settings(words.split(), environment)
    assert str(refused.value) == message


def test_settings_know_every_arm() -> None:
    """The accepted names are those that the worker can run."""
    assert set(ARM_NAMES) == set(ARMS)
