"""The plan of a run: its cells, as far as they are fixed before the first one."""

from msgspec import structs

from harness.model.nouns import Side
from harness.model.stored import Natural, Positive, Record


class Plan(Record, frozen=True, kw_only=True):
    """The plan of a run.

    Args:
        levels: Concurrencies of the ladder, ascending.
        blocks: ABBA blocks per level of the ladder, two pairs each; 0 for one pair per level. In a run of kind `goals`, repeats of each cell.
        sides: Both for a comparison, one for a ramp.
        objective: Largest latency inflation within a side's capacity.
        warm_up: Discard each side's first cell.
        refine: Narrow each side's bracket to within 10 %.
        pairs: Pairs at each decision level, those of the ladder included; 0 for none.
        decision_levels: Ascending; empty to choose them from the ladder.
        budget_s: Time for all cells, in seconds; more pairs use up what is left. None for the planned pairs only.
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
        """Return this plan with one level, both for the ladder and the decision."""
        return structs.replace(self, levels=(level,), decision_levels=(level,))

    @property
    def decides(self) -> bool:
        """True if pairs may run after the ladder."""
        return len(self.sides) > 1 and (self.pairs > 0 or self.budget_s is not None)
