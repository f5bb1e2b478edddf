"""Both machines side by side, with the known differences between them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from experiments.oracle import ours, theirs
from experiments.oracle.corrections import Correction
from experiments.oracle.sketch import Sketch


class UnexplainedError(AssertionError):
    """The machines differ, and no known difference of the oracle's is the reason."""


@dataclass
class Tally:
    """The number of comparisons, and of uses of each known difference."""

    charts: int = 0
    events: int = 0
    different: int = 0
    explained: Counter[Correction] = field(default_factory=Counter)

    def __str__(self) -> str:
        counts = f"{self.charts:,} charts, {self.events:,} events, {self.different:,} differences"
        lines = [
            f"{counts}, explained (some by several) as: the oracle",
            *(f"  {count:>6,}  {why.value}" for why, count in self.explained.most_common()),
        ]
        return "\n".join(lines)


def examine(sketches: Iterable[Sketch]) -> Tally:
    """Compare both machines on many charts, after the start and after each event.

    Raises:
        UnexplainedError: They differ for no known reason.
    """
    tally = Tally()
    for sketch in sketches:
        views = ours.watch(sketch)
        tally.charts += 1
        tally.events += len(views) - 1
        reasons = explain(sketch)
        tally.different += bool(reasons)
        tally.explained.update(reasons)
    return tally


def explain(sketch: Sketch) -> Sequence[Correction]:
    """Find the smallest set of known differences that explains a deviation.

    Raises:
        UnexplainedError: There are none such.
    """
    views = ours.watch(sketch)
    if theirs.watch(sketch) == views:
        return ()
    for one in Correction:
        if theirs.watch(sketch, (one,)) == views:
            return (one,)
    needed = list(Correction)
    corrected = theirs.watch(sketch, needed)
    if corrected != views:
        pairs = zip(views, corrected, strict=False)
        place = next((index for index, (one, other) in enumerate(pairs) if one != other), -1)
        message = (
            f"after {sketch.events[:place]} we have\n{views[place]}\n, the oracle"
            f"\n{corrected[place]}\nin {theirs.to_scxml(sketch)}"
        )
        raise UnexplainedError(message)
    for one in Correction:
        rest = [other for other in needed if other is not one]
        if theirs.watch(sketch, rest) == views:
            needed = rest
    return needed
