"""False alarms on a drifting host, by the order of the cells."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from experiments.simulations.pairs import Pair
from harness.analysis.stats.ratios import log_ratios, ratio_of_pairs
from harness.analysis.stats.tests import p_above
from harness.model.cells import Slot
from harness.model.nouns import Side
from harness.model.plan import Plan
from harness.plan.next_cell import planned_slots

PAIRS = 8
NOISE = 0.03
PLAN = Plan(levels=(1000,), blocks=PAIRS // 2, sides=(Side.BASE, Side.BRANCH))

Drift = Callable[[Random, int], list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """The shares of false alarms in runs of one build against itself, 0 to 1.

    Args:
        differs: The 95 % interval of the ratio excludes 1.
        regressed: The one-sided test at 5 % rejects a margin of zero.
    """

    differs: float
    regressed: float


def steady(random: Random, cells: int) -> list[float]:
    """Return the log slowdown at each cell of a host without drift."""
    del random
    return [0.0] * cells


def linear(random: Random, cells: int) -> list[float]:
    """Return a slowdown that grows by 10 % from the first cell to the last."""
    del random
    return [math.log1p(0.1 * cell / (cells - 1)) for cell in range(cells)]


def step(random: Random, cells: int) -> list[float]:
    """Return a slowdown of 8 % that starts at a random cell."""
    at = random.randrange(1, cells)
    return [math.log1p(0.08) if cell >= at else 0.0 for cell in range(cells)]


def walk(random: Random, cells: int) -> list[float]:
    """Return a random walk with steps of 1.5 %."""
    return list(accumulate(random.gauss(0.0, 0.015) for _ in range(cells)))


DRIFTS: dict[str, Drift] = {
    "none": steady,
    "10 % linear": linear,
    "8 % step": step,
    "random walk": walk,
}


def planned_order() -> list[Slot]:
    """Return the cells of a level in the order of the bench."""
    return [slot for slot in planned_slots(PLAN) if slot.pair is not None]


def one_after_the_other() -> list[Slot]:
    """Return the same cells, all of the base before all of the branch."""
    return sorted(planned_order(), key=lambda slot: slot.side is Side.BRANCH)


def false_alarms(order: Sequence[Slot], drift: Drift, *, runs: int, seed: int) -> Alarms:
    """Return the false alarms of many runs of one build against itself.

    Args:
        order: Of the cells; those of one block and pair are a pair.
        drift: Of the host.
        runs: Number of runs.
        seed: Of the random numbers.
    """
    random = Random(seed)  # noqa: S311  no secrets
    differs = regressed = 0
    for _ in range(runs):
        pairs = _measure(order, drift, random)
        found = ratio_of_pairs(pairs)
        differs += (
            found.low is not None and found.high is not None and not found.low <= 1 <= found.high
        )
        regressed += p_above(log_ratios(pairs), 0.0) < 0.05
    return Alarms(differs=differs / runs, regressed=regressed / runs)


def _measure(order: Sequence[Slot], drift: Drift, random: Random) -> list[Pair]:
    slowdown = drift(random, len(order))
    times = {
        (slot.block, slot.pair, slot.side): 100 * math.exp(slow + random.gauss(0.0, NOISE))
        for slot, slow in zip(order, slowdown, strict=True)
    }
    keys = sorted({(slot.block, slot.pair or 0) for slot in order})
    return [(times[*key, Side.BASE], times[*key, Side.BRANCH]) for key in keys]
