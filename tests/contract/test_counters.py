"""The contract of counters, over the fake one and those of this host."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.adapters.counters.local_sides import LocalSideFolders
from harness.adapters.counters.runner import CountingRunner
from harness.adapters.counters.tools import CallgrindCounter, MemoryCounter, StraceCounter
from harness.adapters.host.trees import read_tree
from harness.analysis.costs.count import CountedRun, Uncounted
from harness.analysis.costs.slopes import Pass, find_costs
from harness.model.nouns import Arm, Drive, Load, Side
from harness.model.tree import Tree
from harness.verbs.ports import Counter, CountSpec, LocalSides
from tests.fakes.fake_counter import FakeCounter, FakeLocalSides

LOAD = Load(turns=2, ttft_ms=20, tokens=3, tok_ms=2)
DRIVE = Drive(arm=Arm.SC_MEM, environment={})
THREADS = Drive(arm=Arm.SC_MEM, environment={"ESCAPEMENT_WORKERS": "platform"})


@dataclass(frozen=True, slots=True)
class Bench:
    """A counter, and the folders of two sides with one tree."""

    counter: Counter
    tree: Tree
    places: Mapping[Side, str]

    def spec(self, level: int, side: Side = Side.BRANCH, drive: Drive = DRIVE) -> CountSpec:
        """Return the spec of one process."""
        return CountSpec(side=side, place=self.places[side], drive=drive, load=LOAD, level=level)

    def passes(self, side: Side, counts: list[CountedRun]) -> dict[Side, list[Pass]]:
        """Return the counts of (low, high, low, high) as two passes."""
        return {side: [Pass(counts[0], counts[1]), Pass(counts[2], counts[3])]}


def _fake() -> tuple[Counter, LocalSides]:
    return FakeCounter(), FakeLocalSides()


def _real(
    kind: type[MemoryCounter | StraceCounter | CallgrindCounter],
) -> tuple[Counter, LocalSides]:
    sides = LocalSideFolders()
    return kind(CountingRunner(confined=lambda: sides.confined)), sides


@pytest.fixture(
    params=[
        "fake",
        pytest.param(MemoryCounter, marks=pytest.mark.slow, id="memory"),
        pytest.param(StraceCounter, marks=pytest.mark.counters, id="strace"),
        pytest.param(CallgrindCounter, marks=pytest.mark.counters, id="callgrind"),
    ]
)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Yield each counter with both sides of the working tree."""
    counter, sides = _fake() if request.param == "fake" else _real(request.param)
    tree = read_tree(Path(__file__).parents[2])
    with sides.open(dict.fromkeys(Side, tree)) as places:
        yield Bench(counter, tree, places)


def test_counter_counts_in_the_order_of_its_specs(bench: Bench) -> None:
    """Each count has its sessions, turns and runtime, and repeats; no file stays."""
    low, high = bench.counter.levels
    assert bench.counter.find_missing() == ""
    assert low < high
    specs = [bench.spec(low), bench.spec(high)] * 2
    counted = bench.counter.count(specs)
    counts = [one for one in counted if isinstance(one, CountedRun)]
    assert len(counts) == 4, counted
    assert [one.sessions for one in counts] == [low, high] * 2
    assert [one.turns for one in counts] == [2 * low, 2 * high] * 2
    assert {one.subject for one in counts} == {bench.tree.subject_hash}
    costs = find_costs(bench.counter.name, bench.passes(Side.BRANCH, counts))
    gated = [cost for cost in costs if not cost.advisory]
    assert all(cost.branch is not None and cost.branch > 0 for cost in gated)
    assert all(cost.spread is not None and cost.spread <= 1e-4 for cost in gated), gated
    work = Path(bench.places[Side.BRANCH], "work")
    assert not work.exists() or list(work.iterdir()) == []


def test_counter_is_refused_by_one_side_alone(bench: Bench) -> None:
    """A side with threads has no exact costs; the other one has."""
    base = bench.spec(1, Side.BASE, THREADS)
    refused, counted = bench.counter.count([base, bench.spec(1)])
    assert refused == Uncounted(
        reason="ESCAPEMENT_WORKERS is 'platform'; allowed with SCALE_CLOCK=virtual: virtual, auto",
        refused=True,
    )
    assert isinstance(counted, CountedRun)


def test_counter_without_specs_counts_nothing(bench: Bench) -> None:
    """Neither side may be countable."""
    assert bench.counter.count([]) == []
