"""Counts at two levels become costs: slopes, how well they repeat, and which may decide something."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.costs.count import CountedRun, CounterName
from harness.model.costs import ExactCost
from harness.model.nouns import Side

TOLERANCE = 1e-4  # 1 part in 10,000
# What an allocator asks of the kernel comes in steps of its own; `traced-bytes/session` tells exactly what a session holds.
MEMORY_CALLS = frozenset({"brk", "madvise", "mmap", "mprotect", "mremap", "munmap"})
_IN_STEPS = "memory is asked for in steps, so that a few bytes may cost a call or none"
_BY_CHANCE = "what does not repeat exactly"


@dataclass(frozen=True, slots=True)
class Pass:
    """One full count of one side: at the smaller and at the larger level."""

    low: CountedRun
    high: CountedRun

    def per_turn(self, name: str) -> float:
        """Return what a turn adds to an amount; what start-up costs drops out."""
        return self._rise(name) / (self.high.turns - self.low.turns)

    def per_session(self, name: str) -> float:
        """Return what a session adds to an amount."""
        return self._rise(name) / (self.high.sessions - self.low.sessions)

    def _rise(self, name: str) -> int:
        return self.high.amounts.get(name, 0) - self.low.amounts.get(name, 0)


Passes = Mapping[Side, Sequence[Pass]]


def find_costs(counter: CounterName, passes: Passes) -> list[ExactCost]:
    """Return the costs that a counter's passes come to.

    Args:
        counter: What counted.
        passes: All of each side; a side that could not be counted has none.
    """
    if not any(passes.values()):
        return []
    if counter is CounterName.CALLGRIND:
        return [_cost("instructions/turn", _slopes(passes, "instructions", per_turn=True))]
    if counter is CounterName.MEMORY:
        names = ("traced-bytes", "allocated-blocks")
        return [_cost(f"{name}/session", _slopes(passes, name, per_turn=False)) for name in names]
    return _call_costs(passes)


def changed(cost: ExactCost) -> bool:
    """Whether the sides differ by more than counts repeat to: 1 part in 10,000."""
    if cost.base is None or cost.branch is None:
        return False
    return abs(cost.branch - cost.base) > TOLERANCE * max(abs(cost.base), abs(cost.branch))


def _call_costs(passes: Passes) -> list[ExactCost]:
    """Return the system calls in two costs: the sum of those that are exact, and of the others."""
    names = sorted({name for side in passes.values() for one in side for name in one.high.amounts})
    slopes = {name: _slopes(passes, name, per_turn=True) for name in names}
    by_chance = [name for name in names if _spread(slopes[name])]
    others = sorted(MEMORY_CALLS.intersection(names).union(by_chance))
    exact = [name for name in names if name not in others]
    costs = [_sum("system-calls/turn", {name: slopes[name] for name in exact}, passes)]
    if others:
        reasons = [_IN_STEPS] + ([f"{_BY_CHANCE}: {', '.join(by_chance)}"] if by_chance else [])
        unsure = {name: slopes[name] for name in others}
        costs.append(_sum("other-calls/turn", unsure, passes, advisory="; ".join(reasons)))
    return costs


Slopes = Mapping[Side, Sequence[float]]


def _slopes(passes: Passes, name: str, *, per_turn: bool) -> dict[Side, list[float]]:
    return {
        side: [one.per_turn(name) if per_turn else one.per_session(name) for one in its]
        for side, its in passes.items()
        if its
    }


def _sum(
    name: str, slopes: Mapping[str, Slopes], passes: Passes, *, advisory: str = ""
) -> ExactCost:
    """Add up the slopes of several amounts, pass by pass, and keep each by its name."""
    totals = {
        side: [
            sum(by_side[side][number] for by_side in slopes.values()) for number in range(len(its))
        ]
        for side, its in passes.items()
        if its
    }
    detail: dict[str, tuple[float, float]] = {}
    if len(totals) == len(Side):
        means = {
            each: (_mean_of(by_side[Side.BASE]), _mean_of(by_side[Side.BRANCH]))
            for each, by_side in slopes.items()
        }
        detail = {each: pair for each, pair in means.items() if any(pair)}
    return _cost(name, totals, detail=detail, advisory=advisory)


def _cost(
    name: str,
    slopes: Slopes,
    *,
    detail: dict[str, tuple[float, float]] | None = None,
    advisory: str = "",
) -> ExactCost:
    spread = _spread(slopes)
    return ExactCost(
        name=name,
        base=_mean(slopes.get(Side.BASE, ())),
        branch=_mean(slopes.get(Side.BRANCH, ())),
        spread=spread,
        reproducible=spread is not None and spread <= TOLERANCE,
        detail=detail or {},
        advisory=advisory,
    )


def _mean(values: Sequence[float]) -> float | None:
    return _mean_of(values) if values else None


def _mean_of(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _spread(slopes: Slopes) -> float | None:
    """Return by how much the passes of one side differ at the most, relative to the largest; None where there is one pass."""
    several = [values for values in slopes.values() if len(values) > 1]
    if not several:
        return None
    return max((max(values) - min(values)) / (max(map(abs, values)) or 1.0) for values in several)
