"""What a box holds decides what a cell is held to."""

import pytest
from msgspec import structs

from harness.analysis.noise import noise_key
from harness.model.nouns import HOLDABLE, Caps
from harness.outcome.observation import evidence_of
from harness.outcome.protocol import BoxCaps, Death, ProbeOutput
from harness.outcome.rules import decide
from harness.report.lines import show_caps
from tests.builders.model import make_box_info, make_observation, make_result, make_run

CAPS = Caps(cpus=2.0, memory_bytes=2 << 30, pids=4096)
HELD = {"cpus": 2.0, "memory_bytes": 2 << 30, "swap_bytes": 0, "pids": 4096, "network": ("lo",)}
LOOSE = {
    "cpus": None,
    "memory_bytes": None,
    "swap_bytes": 1 << 30,
    "pids": 100,
    "network": ("eth0",),
}
FIELDS = {"memory": "memory_bytes", "swap": "swap_bytes"}


@pytest.mark.parametrize("name", HOLDABLE)
def test_outcome_asks_for_what_the_box_holds_and_for_nothing_else(name: str) -> None:
    """A cap that reads otherwise inside makes the cell invalid where the box holds it, and says nothing where it does not."""
    field = FIELDS.get(name, name)
    inside = BoxCaps(**{**HELD, field: LOOSE[field]})  # type: ignore[arg-type]  # each has its type
    output = ProbeOutput(caps=inside, result=make_result(500))
    held = make_observation(output=output)
    loose = make_observation(output=output, holds=tuple(set(HOLDABLE) - {name}))
    assert (decide(held, CAPS, 500)[0].value, decide(loose, CAPS, 500)[0].value) == (
        "invalid",
        "ok",
    )


def test_outcome_of_a_watchdogs_kill_is_oom_in_its_words() -> None:
    """A worker that the watchdog killed is out of memory, whatever cgroup it happened to be in."""
    death = Death(
        cause="signal",
        signal=9,
        evidence={"memory-peak-bytes": 1 << 20, "memory-max-bytes": 64 << 30},
    )
    seen = make_observation(
        output=ProbeOutput(death=death),
        exit_code=137,
        oom_killed=True,
        oom_witness="the watchdog saw 2.01 GiB and killed it",
        holds=(),
        box_evidence={"memory-at-kill-bytes": 2_158_000_000},
    )
    assert decide(seen, CAPS, 500) == (
        "oom",
        "out of memory at 2 GiB, the watchdog saw 2.01 GiB and killed it",
    )
    assert evidence_of(seen)["box"] == {"memory-at-kill-bytes": 2_158_000_000}


@pytest.mark.parametrize(
    ("holds", "pids", "expected"),
    [
        (HOLDABLE, None, "2 CPU, 2 GiB memory and no swap, no network, 600 s a cell"),
        (HOLDABLE, 64, "2 CPU, 2 GiB memory and no swap, 64 pids, no network, 600 s a cell"),
        (
            ("network",),
            None,
            "2 CPU, 2 GiB memory, no network, 600 s a cell; not enforced: cpus, memory, swap, pids",
        ),
        (
            ("cpus", "memory", "swap", "pids"),
            None,
            "2 CPU, 2 GiB memory and no swap, 600 s a cell; not enforced: network",
        ),
    ],
)
def test_caps_are_shown_with_what_is_not_held(
    holds: tuple[str, ...], pids: int | None, expected: str
) -> None:
    """Nobody takes a cap for held that is not."""
    caps = structs.replace(CAPS, pids=pids)
    assert show_caps(caps, make_box_info(holds=holds)) == expected


@pytest.mark.parametrize("changes", [{"box": "cgroup"}, {"engine": "no engine"}])
def test_floor_of_one_box_is_not_that_of_another(changes: dict[str, str]) -> None:
    """What was measured in one box decides nothing in another."""
    assert noise_key(make_run()) != noise_key(make_run(box=make_box_info(**changes)))
    assert noise_key(make_run()) == noise_key(make_run(box=make_box_info()))
