"""Exact costs: count both sides twice at two levels, and compare."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from harness.analysis.costs.count import CountedRun, CounterName, Uncounted
from harness.analysis.costs.slopes import Pass, find_costs
from harness.model.costs import ExactCost, ExactCosts
from harness.model.errors import DisturbedError
from harness.model.nouns import Drive, Load, Purity, Side
from harness.model.request import Request
from harness.model.tree import Tree
from harness.model.units import show_seconds
from harness.report.costs import CostHeader, render_costs
from harness.report.lines import show_title
from harness.verbs.ports import Counter, CounterSet, CountSpec, Refs, Repo
from harness.verbs.sides import checked_out

_PASSES = 2


CountCosts = Callable[[Mapping[Side, Tree], Mapping[Side, Drive], Load], ExactCosts]
"""Counts the exact costs of both sides: trees, drives, load."""


def cost(counters: CounterSet, repo: Repo, run_id: str, request: Request) -> str:
    """Count the costs of merge-base and working tree, and return the table.

    Raises:
        HarnessError: See its subclasses. A side that cannot be counted is no error: the table says so.
    """
    for name in repo.prune():
        counters.progress.say(f"removed {name}, left by a run that was killed")
    refs = repo.find_sides(base=request.base, main=request.main)
    with checked_out(repo, refs, run_id) as sides:
        trees = sides.trees
    costs = count_both(counters, trees, request.drives, request.load)
    return render_costs(_header(refs, trees, request.drives), costs)


def count_both(
    counters: CounterSet, trees: Mapping[Side, Tree], drives: Mapping[Side, Drive], load: Load
) -> ExactCosts:
    """Count both sides with every installed counter, twice at the counter's two levels.

    This takes half a minute, and needs no box and no quiet host.

    Args:
        trees: The build context of each side; both hold the same probe.

    Returns:
        The costs. `missing` has a sentence for each counter that is not installed, and for each side that
        cannot be counted, whose costs are None.

    Raises:
        DisturbedError: A counted process loaded a runtime that is not its tree's.
    """
    start_s = counters.now_s()
    tally = _Tally(trees)
    with counters.sides.open(trees) as places:
        for counter in counters.counters:
            if missing := counter.find_missing():
                tally.missing.append(missing)
                continue
            counters.progress.say(
                f"count  {counter.name} at C={counter.levels[0]} and {counter.levels[1]}"
            )
            specs = list(_specs(counter, tally.countable, places, drives, load))
            tally.add(counter, specs, counter.count(specs))
    base, branch = drives[Side.BASE].arm, drives[Side.BRANCH].arm
    wall_s = counters.now_s() - start_s
    counters.progress.say(f"counted in {show_seconds(wall_s)}")
    return ExactCosts(
        arm=branch,
        base_arm=base if base is not branch else None,
        load=load,
        costs=tuple(tally.costs),
        levels={str(name): levels for name, levels in tally.levels.items()},
        missing=(*tally.missing, *tally.uncounted()),
        confinement=counters.sides.confinement,
        python=counters.sides.python,
        wall_s=wall_s,
    )


def _specs(
    counter: Counter,
    sides: Sequence[Side],
    places: Mapping[Side, str],
    drives: Mapping[Side, Drive],
    load: Load,
) -> Iterator[CountSpec]:
    for _ in range(_PASSES):
        for side in sides:
            for level in counter.levels:
                yield CountSpec(
                    side=side, place=places[side], drive=drives[side], load=load, level=level
                )


class _Tally:
    """The costs so far.

    Attributes:
        costs, levels, missing: As in `ExactCosts`.
        countable: The sides that refused no counter.
    """

    def __init__(self, trees: Mapping[Side, Tree]) -> None:
        self._trees = trees
        self._failed: dict[tuple[Side, Uncounted], list[CounterName]] = {}
        self.costs: list[ExactCost] = []
        self.levels: dict[CounterName, tuple[int, int]] = {}
        self.missing: list[str] = []
        self.countable: list[Side] = list(Side)

    def add(
        self,
        counter: Counter,
        specs: Sequence[CountSpec],
        found: Sequence[CountedRun | Uncounted],
    ) -> None:
        """Add the counts of a counter."""
        self.levels[counter.name] = counter.levels
        by_side: dict[Side, list[CountedRun | Uncounted]] = {side: [] for side in self.countable}
        for spec, one in zip(specs, found, strict=True):
            by_side[spec.side].append(one)
        passes = {side: self._passes(counter, side, its) for side, its in by_side.items()}
        self.costs += find_costs(counter.name, passes)

    def uncounted(self) -> list[str]:
        """Return a sentence for each side, or side and counter, that failed."""
        return [
            f"the {side} cannot be counted{self._by(failed, names)}: {failed.reason}"
            for (side, failed), names in self._failed.items()
        ]

    def _by(self, failed: Uncounted, names: Sequence[CounterName]) -> str:
        is_by_all = failed.refused or len(names) == len(self.levels)
        return "" if is_by_all else f" by {' and '.join(names)}"

    def _passes(
        self, counter: Counter, side: Side, found: Sequence[CountedRun | Uncounted]
    ) -> list[Pass]:
        """Return the counts of a side as passes; none if one failed, which is noted."""
        failed = next((one for one in found if isinstance(one, Uncounted)), None)
        if failed is not None:
            self._failed.setdefault((side, failed), []).append(counter.name)
            if failed.refused:
                self.countable.remove(side)
            return []
        counts = [self._checked(side, one) for one in found if isinstance(one, CountedRun)]
        return [Pass(low, high) for low, high in zip(counts[::2], counts[1::2], strict=True)]

    def _checked(self, side: Side, count: CountedRun) -> CountedRun:
        if count.subject != self._trees[side].subject_hash:
            msg = f"a counted process of the {side} loaded a runtime that is not its tree's"
            raise DisturbedError(msg, hint="this is a fault of the bench: please report it")
        return count


def _header(refs: Refs, trees: Mapping[Side, Tree], drives: Mapping[Side, Drive]) -> CostHeader:
    base, branch = trees[Side.BASE], trees[Side.BRANCH]
    purity = Purity.CHANGE
    if base.subject_hash == branch.subject_hash:
        same = drives[Side.BASE] == drives[Side.BRANCH]
        purity = Purity.AA if same else Purity.SETTINGS
    return CostHeader(
        base=f"{refs.base[:7]} {show_title(refs.base_title)}",
        branch=f"{refs.branch[:7]} {show_title(refs.branch_title)}",
        is_dirty=refs.dirty is not None,
        how=refs.how,
        purity=purity,
        environments={str(side): drives[side].environment for side in Side},
    )
