"""Counting two sides: the processes asked for, and the sides that fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from msgspec import structs

from harness.analysis.costs.count import CounterName
from harness.model.costs import ExactCosts
from harness.model.errors import DisturbedError
from harness.model.nouns import Arm, Drive, Load, Side
from harness.model.request import Request
from harness.verbs.cost import cost, count_both
from harness.verbs.ports import CounterSet
from tests.builders.world import BASE_TREE, BRANCH_TREE, RUN_ID, make_request
from tests.fakes.fake_counter import FakeCounter, FakeLocalSides
from tests.fakes.fake_progress import FakeProgress
from tests.fakes.fake_repo import FakeRepo

LOAD = Load()
TREES = {Side.BASE: BASE_TREE, Side.BRANCH: BRANCH_TREE}
ALIKE = {side: Drive(arm=Arm.SC_MEM, environment={}) for side in Side}
DEARER = {Side.BASE: {"instructions": 1000}, Side.BRANCH: {"instructions": 1031}}


@dataclass
class Fakes:
    """Fake adapters, and a clock that a count takes a second of."""

    counters: tuple[FakeCounter, ...]
    sides: FakeLocalSides = field(default_factory=FakeLocalSides)
    progress: FakeProgress = field(default_factory=FakeProgress)

    @property
    def counting(self) -> CounterSet:
        """The adapters of a count."""
        seconds = iter(range(100, 200, 7))
        return CounterSet(
            counters=self.counters,
            sides=self.sides,
            progress=self.progress,
            now_s=lambda: next(seconds),
        )

    def count(self, drives: Mapping[Side, Drive] = ALIKE) -> ExactCosts:
        """Count both sides."""
        return count_both(self.counting, TREES, drives, LOAD)


def test_count_runs_each_side_twice_at_both_levels() -> None:
    """All processes of a counter, by side and level, are asked for at once."""
    counter = FakeCounter()
    Fakes((counter,)).count()
    seen = [(spec.side, spec.level) for spec in counter.specs]
    one_pass = [(side, level) for side in Side for level in (10, 20)]
    assert seen == one_pass * 2
    assert {spec.load for spec in counter.specs} == {LOAD}


def test_count_says_what_was_counted_and_how() -> None:
    """Costs, levels, where, with what, and how long."""
    costs = Fakes((FakeCounter(a_turn=DEARER),)).count()
    (only,) = costs.costs
    assert (only.name, only.base, only.branch) == ("instructions/turn", 1000.0, 1031.0)
    assert costs == ExactCosts(
        arm=Arm.SC_MEM,
        load=LOAD,
        costs=(only,),
        levels={"callgrind": (10, 20)},
        missing=(),
        confinement="unconfined: there is nothing to hold",
        python="CPython 3.11.7",
        wall_s=7,
    )


def test_count_of_two_arms_names_both() -> None:
    """A floor against a runtime is a question of cost too."""
    drives = ALIKE | {Side.BASE: Drive(arm=Arm.HAND, environment={"A": "1"})}
    counter = FakeCounter()
    costs = Fakes((counter,)).count(drives)
    assert (costs.base_arm, costs.arm) == (Arm.HAND, Arm.SC_MEM)
    assert counter.specs[0].drive == drives[Side.BASE]


def test_count_goes_on_without_what_is_not_installed() -> None:
    """The others count, and how to get it is said."""
    costs = Fakes(
        (FakeCounter(name=CounterName.STRACE, missing="no strace: get it"), FakeCounter())
    ).count()
    assert costs.missing == ("no strace: get it",)
    assert [one.name for one in costs.costs] == ["instructions/turn"]


def test_count_asks_no_other_counter_for_a_side_that_was_refused() -> None:
    """A base of threads alone has no costs, and that is no error."""
    first = FakeCounter(name=CounterName.MEMORY, refusing={Side.BASE: "it needs threads"})
    second = FakeCounter()
    costs = Fakes((first, second)).count()
    assert costs.missing == ("the base cannot be counted: it needs threads",)
    assert {spec.side for spec in second.specs} == {Side.BRANCH}
    assert [(one.base, one.branch) for one in costs.costs if one.name == "instructions/turn"] == [
        (None, 100.0)
    ]


def test_count_names_the_counter_that_failed() -> None:
    """The sentence names the counter if other counters worked."""
    failing = FakeCounter(name=CounterName.STRACE, failing={Side.BRANCH: "it was not over"})
    costs = Fakes((failing, FakeCounter())).count()
    assert costs.missing == ("the branch cannot be counted by strace: it was not over",)
    assert costs.costs[-1].branch == 100.0


def test_count_does_not_repeat_what_all_counters_say() -> None:
    """A side that crashes does so whoever counts."""
    crash = {Side.BASE: "it ended with exit code 1: ImportError"}
    counters = (FakeCounter(name=CounterName.MEMORY, failing=crash), FakeCounter(failing=crash))
    costs = Fakes(counters).count()
    assert costs.missing == ("the base cannot be counted: it ended with exit code 1: ImportError",)


def test_count_does_not_trust_another_runtime() -> None:
    """A process that loaded something else says nothing of its side."""
    fakes = Fakes((FakeCounter(subject="00"),))
    with pytest.raises(DisturbedError, match="of the base loaded a runtime that is not"):
        fakes.count()
    assert fakes.sides.open_places == []


def _request(drives: Mapping[Side, Drive] = ALIKE) -> Request:
    return replace(make_request(500), drives=drives, load=LOAD)


CHANGE = """\
## sc-mem: exact costs

**instructions/turn +31 (+3.1 %); no other gated cost changed.**

- base: ba5eba5 Pump by polling
- branch: b4a7b4a Pump by waking + uncommitted changes
- Compared: **change**: the two sides hold different runtimes (the merge-base with main)
- Load: 6 turns, ttft 200 ms, 50 tokens at 5 ms, under the virtual clock

| cost                     |   base |   branch |   difference | run-to-run variation   |
|:-------------------------|-------:|---------:|-------------:|:-----------------------|
| traced-bytes/session     |    600 |      600 |            0 | none                   |
| allocated-blocks/session |     12 |       12 |            0 | none                   |
| **instructions/turn**    |  1,000 |    1,031 | +31 (+3.1 %) | none                   |

- Counted twice in 7.0 s, unconfined: there is nothing to hold; CPython 3.11.7; memory at C=10 and 20, callgrind at C=10 and 20
"""


def test_cost_prints_what_changed() -> None:
    """Words first, then the table."""
    memory = {"traced-bytes": 100, "allocated-blocks": 2}
    counters = (
        FakeCounter(name=CounterName.MEMORY, a_turn=dict.fromkeys(Side, memory)),
        FakeCounter(a_turn=DEARER),
    )
    fakes = Fakes(counters)
    repo = FakeRepo(base=BASE_TREE, branch=BRANCH_TREE, dirty="d1", left=("/somewhere/left",))
    assert cost(fakes.counting, repo, RUN_ID, _request()) == CHANGE
    assert repo.open == []
    assert fakes.progress.lines[0] == "removed /somewhere/left, left by a run that was killed"


@pytest.mark.parametrize(
    ("environment", "differs"),
    [
        ({}, "**A/A**: the same runtime in the same environment; no cost may differ"),
        ({"SCALE_STATE_KB": "1"}, "**settings**: the same runtime, driven in another way"),
    ],
)
def test_cost_of_one_runtime_says_what_else_may_differ(
    environment: dict[str, str], differs: str
) -> None:
    """A difference is only worth what it was made of."""
    repo = FakeRepo(base=BASE_TREE, branch=BASE_TREE)
    drives = ALIKE | {Side.BRANCH: Drive(arm=Arm.SC_MEM, environment=environment)}
    said = cost(Fakes((FakeCounter(),)).counting, repo, RUN_ID, _request(drives))
    assert f"- Compared: {differs} (" in said
    assert "**No gated cost changed: instructions/turn.**" in said
    for name, value in environment.items():
        assert f"- branch: b4a7b4a Pump by waking, with {name}={value}\n" in said


def test_counted_values_are_not_told_to_be_gated_when_advisory() -> None:
    """An advisory cost decides nothing."""
    (only,) = Fakes((FakeCounter(),)).count().costs
    assert only.is_gated
    assert not structs.replace(only, advisory="in steps").is_gated
