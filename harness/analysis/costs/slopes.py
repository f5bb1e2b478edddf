"""Costs from counts at two levels: their slopes, and which of them are reproducible."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.costs.count import CountedRun, CounterName
from harness.model.costs import ExactCost
from harness.model.nouns import Side

TOLERANCE = 1e-4  # 1 part in 10,000
MEMORY_CALLS = frozenset({"brk", "madvise", "mmap", "mprotect", "mremap", "munmap"})
"""Calls of an allocator, which asks for memory in steps."""

_IN_STEPS = "an allocator asks for memory in steps, so a few bytes may cost one call or none"


@dataclass(frozen=True, slots=True)
class Pass:
    """One full count of a side, at the smaller and at the larger level."""

    low: CountedRun
    high: CountedRun

    def per_turn(self, name: str) -> float:
        """Return the increase of an amount per turn, without the cost of the start."""
        return self._rise(name) / (self.high.turns - self.low.turns)

    def per_session(self, name: str) -> float:
        """Return the increase of an amount per session."""
        return self._rise(name) / (self.high.sessions - self.low.sessions)

    def _rise(self, name: str) -> int:
        return self.high.amounts.get(name, 0) - self.low.amounts.get(name, 0)


Passes = Mapping[Side, Sequence[Pass]]
Slopes = Mapping[Side, Sequence[float]]


def find_costs(counter: CounterName, passes: Passes) -> list[ExactCost]:
    """Return the costs that the passes show; a side that cannot be counted has none."""
    if not any(passes.values()):
        return []
    if counter is CounterName.CALLGRIND:
        instructions = _slopes(passes, lambda one: one.per_turn("instructions"))
        return [_cost("instructions/turn", instructions)]
    if counter is CounterName.MEMORY:
        held = _slopes(passes, lambda one: one.per_session("traced-bytes"))
        blocks = _slopes(passes, lambda one: one.per_session("allocated-blocks"))
        return [_cost("traced-bytes/session", held), _cost("allocated-blocks/session", blocks)]
    return _call_costs(passes)


def has_changed(cost: ExactCost) -> bool:
    """Return whether the sides differ by more than 1 part in 10,000."""
    if cost.base is None or cost.branch is None:
        return False
    return abs(cost.branch - cost.base) > TOLERANCE * max(abs(cost.base), abs(cost.branch))


def _call_costs(passes: Passes) -> list[ExactCost]:
    """Return the system calls as two costs: reproducible calls, and others."""
    names = sorted({name for side in passes.values() for one in side for name in one.high.amounts})
    by_chance = [name for name in names if _spread(_turn_slopes(passes, name))]
    others = sorted(MEMORY_CALLS.intersection(names).union(by_chance))
    costs = [_sum("system-calls/turn", [name for name in names if name not in others], passes)]
    if others:
        noise = [f"not exactly reproducible: {', '.join(by_chance)}"] if by_chance else []
        advisory = "; ".join([_IN_STEPS, *noise])
        costs.append(_sum("other-calls/turn", others, passes, advisory=advisory))
    return costs


def _slopes(passes: Passes, read: Callable[[Pass], float]) -> Slopes:
    return {side: [read(one) for one in its] for side, its in passes.items() if its}


def _turn_slopes(passes: Passes, *names: str) -> Slopes:
    return _slopes(passes, lambda one: sum(one.per_turn(name) for name in names))


def _sum(name: str, parts: Sequence[str], passes: Passes, *, advisory: str = "") -> ExactCost:
    """Return the sum of several amounts per turn, with its parts by name."""
    detail: dict[str, tuple[float, float]] = {}
    if all(passes.get(side) for side in Side):
        for part in parts:
            slopes = _turn_slopes(passes, part)
            means = _mean(slopes[Side.BASE]), _mean(slopes[Side.BRANCH])
            if any(means):
                detail[part] = means
    return _cost(name, _turn_slopes(passes, *parts), detail=detail, advisory=advisory)


def _cost(
    name: str,
    slopes: Slopes,
    *,
    detail: dict[str, tuple[float, float]] | None = None,
    advisory: str = "",
) -> ExactCost:
    spread = _spread(slopes)
    means = {side: _mean(values) for side, values in slopes.items()}
    return ExactCost(
        name=name,
        base=means.get(Side.BASE),
        branch=means.get(Side.BRANCH),
        spread=spread,
        reproducible=spread is not None and spread <= TOLERANCE,
        detail=detail or {},
        advisory=advisory,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _spread(slopes: Slopes) -> float | None:
    """Return the largest relative difference between a side's passes, if it has two."""
    several = [values for values in slopes.values() if len(values) > 1]
    if not several:
        return None
    return max((max(values) - min(values)) / (max(map(abs, values)) or 1.0) for values in several)
