"""The noise floor of a host, and how long it is valid."""

import math

import pytest
from msgspec import structs

from harness.analysis.comparison import compare
from harness.analysis.noise import find_noise_floor, is_fresh, noise_key
from harness.model.gate import NoiseFloor
from harness.model.nouns import Arm, Caps, Load, Purity, Side
from tests.builders.model import change_run, make_block, make_box_info, make_run, make_side

RUN = make_run(levels=(500,), purity=Purity.AA)


def test_noise_floor_is_the_deviation_of_each_metrics_pairs() -> None:
    """Log ratios of ±0.1 deviate by 0.1·√2; a metric with one pair has no deviation."""
    up, down = math.exp(0.1), math.exp(-0.1)
    branch = (
        {"cpu_ms_per_turn": 2 * up, "rss_kb_per_session": 200.0},
        {"cpu_ms_per_turn": 2 * down, "rss_kb_per_session": None},
    )
    cells = make_block(500, ({"rss_kb_per_session": 200.0}, {}), branch)
    noise_floor = find_noise_floor(compare(RUN, cells, complete=True), 500)
    assert noise_floor.deviations == {
        "cpu-ms/turn": pytest.approx(0.1 * math.sqrt(2)),
        "latency-infl": 0.0,
    }
    assert (noise_floor.key, noise_floor.measured_at) == (noise_key(RUN), "2026-11-30T12:34:56Z")
    assert (noise_floor.level, noise_floor.pairs) == (500, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"caps": Caps(cpus=1.0)},
        {"load": Load(turns=7)},
        {"box": make_box_info(host_cpus=2)},
        {"sides": (make_side(arm=Arm.HAND), make_side(Side.BRANCH))},
        {"sides": (make_side(environment={"A": "1"}), make_side(Side.BRANCH))},
    ],
)
def test_noise_key_depends_on_the_sources_of_noise(changes: dict[str, object]) -> None:
    """Each box, load, host, arm and environment has its own noise."""
    assert noise_key(structs.replace(RUN, **changes)) != noise_key(RUN)


def test_noise_key_is_the_same_for_every_change() -> None:
    """The time, the subjects and the plan do not matter."""
    other = change_run(
        RUN,
        run_id="esc-2-2-2",
        started_at="2026-12-01T00:00:00Z",
        levels=(500, 1000),
        sides=(make_side(commit="c0de" * 10, subject="ff" * 32), make_side(Side.BRANCH)),
    )
    assert noise_key(other) == noise_key(RUN)


@pytest.mark.parametrize(
    ("now", "is_valid"),
    [
        ("2026-11-30T12:00:00Z", True),
        ("2026-12-01T11:59:59Z", True),
        ("2026-12-01T12:00:00Z", False),
        ("2026-11-30T11:59:59Z", False),
    ],
)
def test_noise_floor_is_valid_for_a_day(now: str, *, is_valid: bool) -> None:
    """A noise floor from the future is one of a wrong clock."""
    noise_floor = NoiseFloor(
        key="k", measured_at="2026-11-30T12:00:00Z", level=500, pairs=2, deviations={}
    )
    assert is_fresh(noise_floor, now) is is_valid


@pytest.mark.parametrize("changes", [{"box": "cgroup"}, {"engine": "no engine"}])
def test_noise_key_differs_between_boxes(changes: dict[str, str]) -> None:
    """The noise of one box says nothing about another."""
    assert noise_key(make_run()) != noise_key(make_run(box=make_box_info(**changes)))
    assert noise_key(make_run()) == noise_key(make_run(box=make_box_info()))
