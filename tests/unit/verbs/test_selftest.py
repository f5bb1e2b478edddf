"""The self-test of the gate from end to end, over fakes."""

import itertools
from collections.abc import Mapping

import pytest

from harness.analysis.noise import is_fresh
from harness.model.costs import ExactCosts
from harness.model.errors import DisturbedError
from harness.model.gate import DEFAULT_MARGINS
from harness.model.nouns import Drive, Load, Outcome, Side
from harness.model.request import GateOptions
from harness.outcome.observation import Observation
from harness.verbs.ports import CellSpec
from harness.verbs.selftest import SelfTestResult, selftest
from tests.builders.injected import count_with, made_worse_by_injection
from tests.builders.world import BASE_TREE, RUN_ID, FakeWorld, make_request, make_world
from tests.fakes.fake_box import Behaviour, fails_with

OPTIONS = GateOptions(margins=DEFAULT_MARGINS, pairs=8, quick_level=1000)


def _test(behave: Behaviour, *, counts: bool = False) -> tuple[SelfTestResult, FakeWorld]:
    fakes = make_world(branch=behave, base_tree=BASE_TREE)
    count = count_with(lambda _side: 100.0) if counts else None
    return selftest(fakes.world, make_request(1000), OPTIONS, count), fakes


def test_selftest_catches_every_injected_regression() -> None:
    """CPU, threads, bytes and failing sessions: the gate catches each."""
    tested, fakes = _test(made_worse_by_injection())
    assert tested.missed == ()
    tested.check()
    environments = [dict(spec.environment) for _, spec in fakes.box.specs]
    assert {"SCALE_INJECT_THREADS": "1"} in environments
    assert {"SCALE_INJECT_FAILING": "1000"} in environments
    assert {"SCALE_INJECT_BYTES": "2867"} in environments


def test_selftest_keeps_the_noise_of_the_host() -> None:
    """The floor is kept under the key of host, box and load, and the table shows it."""
    tested, fakes = _test(made_worse_by_injection())
    (noise_floor,) = fakes.store.floors.values()
    assert noise_floor.pairs == 8
    assert 0 < noise_floor.deviations["cpu-ms/turn"] < 0.03
    assert is_fresh(noise_floor, "2026-11-30T13:00:00Z")
    assert "### Noise floor of this host, at C=1,000 with 8 pairs" in tested.document


def test_selftest_that_misses_a_regression_fails() -> None:
    """A gate that does not see a thread a session proves nothing: exit 5."""
    tested, _ = _test(made_worse_by_injection(deaf_to="SCALE_INJECT_THREADS"))
    with pytest.raises(DisturbedError, match=r"\+1 thread a session was not caught") as caught:
        tested.check()
    assert caught.value.exit_code == 5


def test_selftest_on_a_disturbed_host_stops_at_once() -> None:
    """Without an undisturbed cell there is no noise, and no control to size."""
    with pytest.raises(DisturbedError, match="invalid twice"):
        _test(fails_with(Outcome.INVALID, at=1000))


def test_selftest_of_a_build_that_cannot_do_the_trial_stops() -> None:
    """A trial that does not end ok sizes no control."""
    plain = made_worse_by_injection()
    dies = fails_with(Outcome.CRASH, at=1000)
    with pytest.raises(DisturbedError, match="the trial of injected work failed at C=1000"):
        _test(
            lambda image, spec: (dies if "SCALE_INJECT_WORK" in spec.environment else plain)(
                image, spec
            )
        )


def test_selftest_counts_each_control_in_its_own_environment() -> None:
    """Exact costs are counted of the build as it is and as it is made worse."""
    seen: list[dict[str, str]] = []

    def count(trees: object, drives: Mapping[Side, Drive], load: Load) -> ExactCosts:
        seen.append(drives[Side.BRANCH].environment)
        return count_with(lambda _side: 100.0)(trees, drives, load)

    fakes = make_world(branch=made_worse_by_injection())
    selftest(fakes.world, make_request(1000), OPTIONS, count)
    assert [sorted(environment) for environment in seen] == [
        [],
        ["SCALE_INJECT_WORK"],
        ["SCALE_INJECT_THREADS"],
        ["SCALE_INJECT_BYTES"],
        ["SCALE_INJECT_FAILING"],
    ]


def test_selftest_removes_nothing_between_its_gates() -> None:
    """Removing files between two gates would slow the next cells down."""
    _, fakes = _test(made_worse_by_injection())
    assert RUN_ID not in fakes.box.reaped


def test_selftest_whose_identical_builds_differ_fails() -> None:
    """A build that regresses against itself fails the self-test."""
    plain, dear = made_worse_by_injection(), made_worse_by_injection(base_ms=0.2)
    turns = itertools.chain("ab" * 2 + "abbabaab" * 2, itertools.repeat("a"))

    def behave(image: str, spec: CellSpec) -> Observation:
        return (dear if next(turns) == "b" else plain)(image, spec)

    tested, _ = _test(behave)
    assert tested.missed[0].startswith("A/A: invalid: identical builds differ")
    with pytest.raises(DisturbedError, match="the gate does not prove itself here: A/A"):
        tested.check()
