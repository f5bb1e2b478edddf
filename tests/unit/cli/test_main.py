"""The positional command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest

from harness import __main__ as command
from harness.cli.flags import Flags
from harness.cli.wiring import make_request
from harness.model.errors import NoBoxError
from harness.model.request import Request
from harness.verbs.ports import World
from tests.builders.model import make_observation
from tests.builders.world import FakeWorld
from tests.fakes.fake_box import FakeBox, holds_up_to

IMAGE = "esc-bench:branch"
GOOD = ["ramp", IMAGE, "sc-mem", "1", "2", "3", "4", "500", "1000"]


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> FakeWorld:
    """Put a world of fakes in the place of git and the engine."""
    fakes = FakeWorld(box=FakeBox(behave=holds_up_to(500), built=[IMAGE]))

    @contextmanager
    def open_session(flags: Flags, stream: TextIO) -> Iterator[tuple[World, Request]]:
        del stream
        yield fakes.world, make_request(flags)

    monkeypatch.setattr(command, "open_session", open_session)
    for name in ("MEM", "PIDS", "TIMEOUT", "BASE_IMAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CPUS", "1")  # which every host has
    return fakes


def test_main_ramps_the_levels_in_the_order_of_the_original_script(
    fakes: FakeWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    """IMAGE ARM TURNS TTFT TOKENS TOK_MS C1 C2 … runs, and prints the table."""
    assert command.main(GOOD) == 0
    printed = capsys.readouterr().out
    assert "- Load: 1 turns, ttft 2 ms, 3 tokens at 4 ms\n" in printed
    assert "| **DIED — oom: out of memory at 2 GiB" in printed
    assert fakes.box.levels_run == [(f"sha256:{IMAGE}", level) for level in (1, 500, 1000)]


def test_main_takes_its_caps_from_the_environment(
    fakes: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CPUS= and MEM= in front of the command size the box."""
    monkeypatch.setenv("CPUS", "0.5")
    monkeypatch.setenv("MEM", "64m")
    assert command.main(GOOD) == 0
    caps = fakes.box.specs[-1][1].caps
    assert (caps.cpus, caps.memory_bytes) == (0.5, 64 << 20)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], command.USAGE),
        (["ramp"], command.USAGE),
        (GOOD[:7], command.USAGE),
        (["run", *GOOD[1:]], command.USAGE),
        ([*GOOD[:2], "nope", *GOOD[3:]], "--arm: there is no arm 'nope'"),
        ([*GOOD[:7], "1000", "500"], "--levels: 1000,500 does not ascend"),
        ([*GOOD[:3], "0", *GOOD[4:]], "--load: '0' is not a whole number of at least 1"),
        (["ramp", "nope", *GOOD[2:]], "there is no image 'nope' on this engine"),
    ],
)
@pytest.mark.usefixtures("fakes")
def test_main_of_a_usage_error_exits_2_with_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error is on standard error; standard output stays empty."""
    assert command.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(message)
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["-h"], ["ramp", "--help"]])
def test_main_helps(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Help is not an error, and has an example that can be copied."""
    assert command.main(arguments) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(command.USAGE)
    assert "\nexample: python -m harness ramp esc-bench:branch sc-mem 6 200 50 5 500" in printed


@pytest.mark.parametrize(
    ("ending", "code", "message"),
    [
        (NoBoxError("no Docker engine answers"), 12, "no Docker engine answers\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_main_maps_what_goes_wrong_to_its_exit_code(
    fakes: FakeWorld,
    ending: BaseException,
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Errors and Ctrl-C end in their code and one line, not in a traceback."""

    def behave(*_: object) -> None:
        raise ending

    fakes.box.behave = behave  # type: ignore[assignment]  # it never returns
    assert command.main(GOOD) == code
    assert capsys.readouterr().err == message


def test_main_exits_7_when_the_image_cannot_run(
    fakes: FakeWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    """An image that is no bench is told before the ramp."""
    fakes.box.behave = lambda _image, _order: make_observation(exit_code=1)
    assert command.main(GOOD) == 7
    assert "cannot run the probe at C=1: crash" in capsys.readouterr().err
