"""The plan of a run: which cells it has, as far as that is settled before the first."""

from msgspec import structs

from harness.model.nouns import Side
from harness.model.stored import Natural, Positive, Record


class Plan(Record, frozen=True, kw_only=True):
    """The plan of a run.

    Args:
        levels: Ascending concurrencies of the ladder.
        blocks: ABBA blocks a level of the ladder, two pairs each; 0 for one pair a level. Of a run of kind `goals`, repeats of each cell.
        sides: Both for a comparison, one for a ramp.
        objective: The latency inflation that a level within a side's capacity may have.
        warm_up: Whether each side's first cell is discarded.
        refine: Whether each side's bracket is narrowed to within 10 %.
        pairs: Pairs at each decision level, those of the ladder included; 0 for none.
        decision_levels: Ascending; empty for the levels that the ladder shows.
        budget_s: Time for all cells, in seconds; what the planned pairs leave is spent on more pairs. None for the planned pairs alone.
    """

    levels: tuple[Natural, ...]
    blocks: Natural
    sides: tuple[Side, ...] = tuple(Side)
    objective: Positive = 2.0
    warm_up: bool = False
    refine: bool = False
    pairs: Natural = 0
    decision_levels: tuple[Natural, ...] = ()
    budget_s: Positive | None = None

    def at_one_level(self, level: int) -> "Plan":
        """Return this plan with one level, whose pairs decide."""
        return structs.replace(self, levels=(level,), decision_levels=(level,))

    @property
    def decides(self) -> bool:
        """Whether there are pairs beyond the ladder's, or may be."""
        return len(self.sides) > 1 and (self.pairs > 0 or self.budget_s is not None)
