"""What is to be run, as far as it is settled before the first cell."""

from dataclasses import dataclass

from harness.model import RunInfo, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be run.

    Args:
        levels: Ascending concurrencies of the ladder.
        blocks: ABBA blocks a level of the ladder, two pairs each; 0 for a scout, which has one pair a level.
        sides: Both for a comparison, one for a ramp.
        objective: How much latency inflation a level within the base's capacity may have.
        warm_up: Whether each side's first cell is thrown away.
        refine: Whether each side's bracket is narrowed to within 10 %.
        pairs: How many pairs each decision level is to have, those of the ladder included.
        decision_levels: Where they are; empty for the ones that the ladder shows.
        budget_s: How long all cells may take, in seconds; what is left of it after the plan's own pairs goes into more
            of them. None for the plan's own pairs alone.
    """

    levels: tuple[int, ...]
    blocks: int
    sides: tuple[Side, ...]
    objective: float = 2.0
    warm_up: bool = False
    refine: bool = False
    pairs: int = 0
    decision_levels: tuple[int, ...] = ()
    budget_s: float | None = None

    @property
    def decides(self) -> bool:
        """Whether there are pairs beyond the ladder's, or may be."""
        return len(self.sides) > 1 and (self.pairs > 0 or self.budget_s is not None)


def plan_of(run: RunInfo) -> Plan:
    """Return the plan that a run was settled on."""
    return Plan(
        levels=run.levels,
        blocks=run.blocks,
        sides=tuple(info.side for info in run.sides),
        objective=run.objective,
        warm_up=run.warm_up,
        refine=run.refine,
        pairs=run.pairs,
        decision_levels=run.decision_levels,
        budget_s=run.budget_s,
    )
