"""How often a host that drifts passes for a regression, by the order in which the cells are run."""

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
    """Of runs in which both sides are the same build, the shares that seem to differ; 0 to 1.

    Args:
        differs: The 95 % interval of the ratio leaves 1 out.
        regressed: The one-sided test at 5 % says that the branch is above a margin of nothing.
    """

    differs: float
    regressed: float


def steady(random: Random, cells: int) -> list[float]:
    """Return the log slowness at each cell of a host that does not drift."""
    del random
    return [0.0] * cells


def linear(random: Random, cells: int) -> list[float]:
    """Return that of a host that gets 10 % slower from the first cell to the last."""
    del random
    return [math.log1p(0.1 * cell / (cells - 1)) for cell in range(cells)]


def step(random: Random, cells: int) -> list[float]:
    """Return that of a host that gets 8 % slower at once, at a random moment."""
    at = random.randrange(1, cells)
    return [math.log1p(0.08) if cell >= at else 0.0 for cell in range(cells)]


def walk(random: Random, cells: int) -> list[float]:
    """Return that of a host whose speed wanders, by 1.5 % from each cell to the next."""
    return list(accumulate(random.gauss(0.0, 0.015) for _ in range(cells)))


DRIFTS: dict[str, Drift] = {
    "none": steady,
    "10 % linear": linear,
    "8 % step": step,
    "random walk": walk,
}


def planned_order() -> list[Slot]:
    """Return the cells of a level as the bench runs them."""
    return [slot for slot in planned_slots(PLAN) if slot.pair is not None]


def one_after_the_other() -> list[Slot]:
    """Return the same cells as a bench without a plan would: all of the base, then all of the branch."""
    return sorted(planned_order(), key=lambda slot: slot.side is Side.BRANCH)


def false_alarms(order: Sequence[Slot], drift: Drift, *, runs: int, seed: int) -> Alarms:
    """Run the same build on both sides, many times.

    Args:
        order: In which the cells run; cells of one block and pair are a pair.
        drift: Of the host.
        runs: How many runs to draw.
        seed: The same runs for the same seed.
    """
    random = Random(seed)  # noqa: S311  chance, not secrets
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
    slowness = drift(random, len(order))
    seen = {
        (slot.block, slot.pair, slot.side): 100 * math.exp(slow + random.gauss(0.0, NOISE))
        for slot, slow in zip(order, slowness, strict=True)
    }
    keys = sorted({(slot.block, slot.pair or 0) for slot in order})
    return [(seen[*key, Side.BASE], seen[*key, Side.BRANCH]) for key in keys]
