"""The gate: exact costs, then paired cells, then a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import structs

from harness.analysis.comparison import Comparison
from harness.analysis.noise import is_fresh, noise_key
from harness.analysis.verdict.kinds import OverallVerdict, Verdict
from harness.analysis.verdict.overall import judge
from harness.model.errors import DisturbedError, InconclusiveError, RegressionError
from harness.model.gate import GateInfo
from harness.model.nouns import Side
from harness.model.request import GateOptions, Request
from harness.model.runs import RunInfo
from harness.model.tree import Tree
from harness.report.document import render, render_summary
from harness.report.verdict import counted_lines
from harness.verbs.compare import prepare_comparison
from harness.verbs.cost import CountCosts
from harness.verbs.ports import World
from harness.verbs.resume import resume
from harness.verbs.run import OpenRun, open_run, run_ladder


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """The verdict of a gate, and its documents.

    Args:
        document: The whole table.
        summary: For a pull request.
    """

    comparison: Comparison
    document: str
    summary: str
    verdict: OverallVerdict

    def check(self) -> None:
        """Raise the error of the verdict, if it fails.

        Raises:
            RegressionError: The branch is worse.
            DisturbedError: The run says nothing about the branch.
            InconclusiveError: The gate is strict, and the verdict is open or a margin was refused.
        """
        verdict, settled = self.verdict, self.comparison.run.gate
        if verdict.verdict is Verdict.REGRESSED:
            raise RegressionError(verdict.headline)
        if verdict.verdict is Verdict.INVALID:
            raise DisturbedError(
                verdict.headline, hint="see that the host is quiet, and run it again"
            )
        if settled is None or not settled.strict:
            return
        if verdict.verdict is Verdict.INCONCLUSIVE:
            raise InconclusiveError(verdict.headline, hint="add pairs with --pairs or --budget")
        if verdict.refused:
            msg = "not every margin could be gated"
            raise InconclusiveError(msg, tail=verdict.refused)


def gate(
    world: World, request: Request, options: GateOptions, count: CountCosts | None
) -> GateResult:
    """Count the costs of both sides, run pairs of cells, write the results, and judge.

    Args:
        count: Counts the exact costs of both sides; None skips them.

    Raises:
        HarnessError: See its subclasses; `GateResult.check` raises the verdict's own.
    """
    if request.resume is not None:
        return run_and_judge(world, resume(world, request.resume, "gate"))
    info, name, trees = prepare_comparison(world, request)
    info = count_costs(world, settle_gate_run(world, info, options), trees, count)
    return run_and_judge(world, open_run(world, info, f"gate-{name}"))


def settle_gate_run(world: World, info: RunInfo, options: GateOptions) -> RunInfo:
    """Return a run as a gate, with the plan that its decision needs."""
    noise_floor = world.store.load_noise_floor(noise_key(info))
    if noise_floor is not None and not is_fresh(noise_floor, info.started_at):
        noise_floor = None
    plan = info.plan.at_one_level(options.quick_level) if options.is_quick else info.plan
    return structs.replace(
        info,
        kind="gate",
        plan=structs.replace(plan, blocks=0, warm_up=True, pairs=options.pairs),
        gate=GateInfo(
            margins=dict(options.margins), strict=options.is_strict, noise_floor=noise_floor
        ),
    )


def count_costs(
    world: World, info: RunInfo, trees: Mapping[Side, Tree], count: CountCosts | None
) -> RunInfo:
    """Return a run with the exact costs of its sides, and report them."""
    if count is None:
        return info
    world.progress.say("counting exact costs of both sides")
    drives = {side.side: side.drive for side in info.sides}
    info = structs.replace(info, costs=count(trees, drives, info.load))
    for line in counted_lines(info):
        world.progress.say(line)
    return info


def run_and_judge(world: World, run: OpenRun) -> GateResult:
    """Run the cells of a gate, and judge them."""
    comparison = run_ladder(world, run)
    verdict = judge(comparison)
    world.progress.say(verdict.headline)
    return GateResult(
        comparison=comparison,
        document=render(comparison),
        summary=render_summary(comparison),
        verdict=verdict,
    )
