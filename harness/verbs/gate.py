"""The gate: exact costs first, then paired cells, and a verdict that a merge can wait for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec import structs

from harness.analysis.comparison import Comparison
from harness.analysis.noise import floor_key, is_believed
from harness.analysis.verdict.kinds import OverallVerdict, Verdict
from harness.analysis.verdict.overall import judge
from harness.model.costs import ExactCosts
from harness.model.errors import DisturbedError, HarnessError, InconclusiveError, RegressionError
from harness.model.gate import GateInfo
from harness.model.nouns import Load, Side
from harness.model.request import GateSettings, Request
from harness.model.nouns import Drive
from harness.model.runs import RunInfo
from harness.model.tree import Tree
from harness.report.document import render, render_summary
from harness.report.verdict import counted_lines
from harness.verbs.ports import World
from harness.verbs.resume import resume
from harness.verbs.run import Opened, open_new, run_ladder, tidied
from harness.verbs.sides import prepare_comparison

Count = Callable[[Mapping[Side, Tree], Mapping[Side, Drive], Load], ExactCosts]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOrder:
    """How a gate is to decide.

    Args:
        settings: Margins and pairs.
        is_quick: One level with pairs and no ladder.
        is_strict: Whether what is inconclusive fails.
        count: Counts exact costs of both sides; None where they are left out.
    """

    settings: GateSettings
    is_quick: bool
    is_strict: bool
    count: Count | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """What a gate came to.

    Args:
        document: The whole table.
        summary: What a pull request is given.
        verdict: Of the change.
        folder: Where the results are.
    """

    comparison: Comparison
    document: str
    summary: str
    verdict: OverallVerdict
    folder: str

    def check(self) -> None:
        """Fail where the verdict is one to fail for.

        Raises:
            RegressionError: The branch is worse.
            InconclusiveError: It is not known, or a margin was refused, and the gate is strict.
            DisturbedError: The run says nothing about the branch.
        """
        settled = self.comparison.run.gate
        error = _error_of(self.verdict, is_strict=settled is not None and settled.strict)
        if error is not None:
            raise error


def gate(world: World, request: Request, order: GateOrder) -> Gated:
    """Compare both sides by what is counted and by pairs of cells, write the results, and judge.

    Raises:
        HarnessError: As its subclasses say, but for the verdict, which is `Gated.check`'s to raise.
    """
    if request.resume is not None:
        opened = resume(world, request.resume, "gate")
    else:
        opened = _open_settled(world, request, order)
    with tidied(world):
        return judge_run(world, opened)


def _open_settled(world: World, request: Request, order: GateOrder) -> Opened:
    """Build both sides, settle what is decided by, and count what is counted."""
    run, name, trees = prepare_comparison(world, request, "gate")
    run = settle_run(world, run, order)
    if order.count is not None:
        world.progress.say("counting exact costs of both sides")
        run = structs.replace(run, costs=order.count(trees, request.drives, run.load))
        for line in counted_lines(run):
            world.progress.say(line)
    return open_new(world, run, f"gate-{name}")


def settle_run(world: World, run: RunInfo, order: GateOrder) -> RunInfo:
    """Return a run with what the gate decides by, and the plan that it needs."""
    settings = order.settings
    floor = world.store.load_floor(floor_key(run))
    if floor is not None and not is_believed(floor, run.started_at):
        floor = None
    level = settings.quick_level
    return structs.replace(
        run,
        levels=(level,) if order.is_quick else run.levels,
        decision_levels=(level,) if order.is_quick else run.decision_levels,
        blocks=0,
        warm_up=True,
        pairs=settings.pairs,
        gate=GateInfo(margins=dict(settings.margins), strict=order.is_strict, floor=floor),
    )


def judge_run(world: World, opened: Opened) -> Gated:
    """Run the cells of a settled gate, and judge them; what they wrote is left, to be `tidied`."""
    comparison, folder = run_ladder(world, opened)
    verdict = judge(comparison)
    world.progress.say(f"results in {folder}")
    world.progress.say(verdict.headline)
    return Gated(
        comparison=comparison,
        document=render(comparison),
        summary=render_summary(comparison),
        verdict=verdict,
        folder=folder,
    )


def _error_of(verdict: OverallVerdict, *, is_strict: bool) -> HarnessError | None:
    if verdict.verdict is Verdict.REGRESSED:
        return RegressionError(verdict.headline)
    if verdict.verdict is Verdict.INVALID:
        return DisturbedError(
            verdict.headline, hint="see that the host is quiet, and run it again"
        )
    if not is_strict:
        return None
    if verdict.verdict is Verdict.INCONCLUSIVE:
        return InconclusiveError(
            verdict.headline, hint="--pairs or --budget give it more to go by"
        )
    if verdict.refused:
        return InconclusiveError("not all that is to be gated was", tail=verdict.refused)
    return None
