"""The gate from end to end, over fakes."""

from dataclasses import dataclass, replace

import pytest
from msgspec import structs

from harness.analysis.noise import noise_key
from harness.analysis.verdict.kinds import Verdict
from harness.model.errors import DisturbedError, InconclusiveError, RegressionError
from harness.model.gate import DEFAULT_MARGINS, NoiseFloor
from harness.model.nouns import Outcome, Side
from harness.model.request import GateOptions
from harness.outcome.observation import Observation
from harness.verbs.cost import CountCosts
from harness.verbs.gate import GateResult, gate
from harness.verbs.ports import CellSpec
from tests.builders.injected import count_with, made_worse_by_injection
from tests.builders.world import BRANCH_IMAGE, BRANCH_TREE, FakeWorld, make_request, make_world
from tests.fakes.fake_box import fails_with


@dataclass(frozen=True)
class Order:
    """Options of a gate, and what counts its exact costs."""

    options: GateOptions
    count: CountCosts | None


def _order(*, pairs: int = 8, quick: bool = True, extra: float | None = None) -> Order:
    options = GateOptions(margins=DEFAULT_MARGINS, pairs=pairs, quick_level=500, is_quick=quick)
    count = None if extra is None else count_with(lambda s: 100.0 + extra * (s is Side.BRANCH))
    return Order(options, count)


def _world(**sides: float) -> FakeWorld:
    base = made_worse_by_injection()
    branch = made_worse_by_injection(base_ms=sides.get("branch", 0.1), shift=3)
    return make_world(base=base, branch=branch)


def _gate(fakes: FakeWorld, order: Order) -> GateResult:
    return gate(fakes.world, make_request(500, 1000, 2000), order.options, order.count)


def _strict(gated: GateResult) -> GateResult:
    """Return what the same cells come to where the gate was told to be strict."""
    run = gated.comparison.run
    assert run.gate is not None
    strict = structs.replace(run, gate=structs.replace(run.gate, strict=True))
    return replace(gated, comparison=replace(gated.comparison, run=strict))


def test_quick_gate_has_pairs_at_one_level_and_no_ladder() -> None:
    """A check and a warm-up a side, then eight pairs at the quick level."""
    fakes = _world()
    gated = _gate(fakes, _order())
    levels = [level for _, level in fakes.box.levels_run]
    assert levels == [1, 1, *[500] * 18]
    assert len(gated.comparison.rows[0].pairs) == 8


def test_gate_climbs_the_ladder_and_then_takes_pairs_at_two_levels() -> None:
    """A pair a level, then eight pairs at two decision levels."""
    gated = _gate(_world(), _order(quick=False))
    assert [len(row.pairs) for row in gated.comparison.rows] == [1, 8, 8]


def test_gate_passes_an_unchanged_build() -> None:
    """Nothing that is gated is worse: no error, strict or not."""
    gated = _gate(_world(), _order(extra=0.0))
    assert gated.verdict.verdict in {Verdict.EQUIVALENT, Verdict.NON_INFERIOR}
    gated.check()
    _strict(gated).check()


def test_gate_fails_what_costs_more_in_cells() -> None:
    """Half as much CPU again is wholly beyond a margin of 10 %."""
    gated = _gate(_world(branch=0.15), _order())
    with pytest.raises(RegressionError, match=r"regressed: cpu-ms/turn \+50") as caught:
        gated.check()
    assert caught.value.exit_code == 3


def test_gate_fails_what_costs_more_by_count_alone() -> None:
    """Three per cent more instructions are certain, whatever the cells say."""
    gated = _gate(_world(), _order(extra=3.0))
    with pytest.raises(RegressionError, match=r"regressed: instructions/turn 100 → 103"):
        gated.check()


def test_gate_tells_what_was_counted_before_the_first_cell() -> None:
    """Exact costs take seconds, and are told as soon as they are known."""
    fakes = _world()
    _gate(fakes, _order(extra=3.0))
    lines = fakes.progress.lines
    counted = next(number for number, line in enumerate(lines) if "instructions/turn" in line)
    assert lines[counted] == "instructions/turn 100 → 103, +3.0 %, +3: regressed"
    assert counted < next(number for number, line in enumerate(lines) if line.startswith("C="))


def test_gate_of_one_pair_fails_only_when_it_is_strict() -> None:
    """One pair decides nothing, which fails only a strict gate."""
    gated = _gate(_world(), _order(pairs=1))
    gated.check()
    with pytest.raises(InconclusiveError) as caught:
        _strict(gated).check()
    assert caught.value.exit_code == 4


def test_gate_on_a_disturbed_host_is_invalid() -> None:
    """A cell that is invalid twice ends in exit 5."""
    fakes = make_world(branch=fails_with(Outcome.INVALID, at=500))
    with pytest.raises(
        DisturbedError, match="invalid: the branch at C=500 was invalid twice"
    ) as caught:
        _gate(fakes, _order()).check()
    assert caught.value.exit_code == 5


def test_gate_of_identical_builds_that_differ_is_invalid() -> None:
    """A gate that finds a regression where there can be none does not know its host."""
    fakes = make_world(base_tree=BRANCH_TREE)
    plain, dear = made_worse_by_injection(), made_worse_by_injection(base_ms=0.2)
    turns = iter("ab" * 2 + "abbabaab" * 2)  # checks and warm-ups, then ABBA and BAAB

    def behave(image: str, spec: CellSpec) -> Observation:
        return (dear if next(turns) == "b" else plain)(image, spec)

    fakes.box.by_image = {BRANCH_IMAGE: behave}
    gated = _gate(fakes, _order())
    with pytest.raises(DisturbedError, match="identical builds differ"):
        gated.check()


def test_gate_holds_its_margins_against_a_floor_of_today() -> None:
    """A margin that this host cannot hold is refused, and strictness fails for it."""
    fakes = _world()
    fakes.store.keep_noise_floor(_noise_floor("2026-11-30T11:00:00Z"))
    gated = _gate(fakes, _order())
    assert gated.verdict.refused != ()
    gated.check()
    with pytest.raises(InconclusiveError, match="not every margin could be gated"):
        _strict(gated).check()


def test_gate_does_not_believe_yesterdays_floor() -> None:
    """Hosts change: a floor is good for a day, and one from the future for nothing."""
    for stamp in ("2026-11-28T11:00:00Z", "2027-01-01T00:00:00Z"):
        fakes = _world()
        fakes.store.keep_noise_floor(_noise_floor(stamp))
        run = _gate(fakes, _order()).comparison.run
        assert run.gate is not None
        assert run.gate.noise_floor is None


def test_gate_writes_a_summary_for_the_pull_request() -> None:
    """The summary is stored beside the table, with folded details."""
    fakes = _world()
    gated = _gate(fakes, _order())
    assert fakes.store.only.summary == gated.summary
    assert gated.summary.count("<details>") == 1


def _noise_floor(stamp: str) -> NoiseFloor:
    """Return a noise of 30 % a pair, under the key of this world's gate."""
    return NoiseFloor(
        key=noise_key(_gate(_world(), _order()).comparison.run),
        measured_at=stamp,
        level=500,
        pairs=8,
        deviations={"cpu-ms/turn": 0.3},
    )
