"""The gate's own proof: identical builds pass, injected regressions are caught."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from harness.analysis.controls import TRIAL_WORK, WORK, Control, make_controls
from harness.analysis.noise import find_noise_floor
from harness.analysis.verdict.kinds import Verdict
from harness.model.cells import Cell
from harness.model.errors import DisturbedError
from harness.model.gate import NoiseFloor
from harness.model.nouns import Drive, Outcome, Purity, Side
from harness.model.plan import Plan
from harness.model.request import GateOptions, Request
from harness.model.runs import RunInfo, SideInfo
from harness.report.selftest import SelfTestRow, render_selftest
from harness.verbs.cost import CountCosts
from harness.verbs.gate import GateResult, count_costs, run_and_judge, settle_gate_run
from harness.verbs.ports import World
from harness.verbs.run import open_run, run_ladder
from harness.verbs.sides import build_one, clear_leftovers, make_run_info

_QUIETER = "see that the host is quiet, or lower quick-level in [tool.esc-bench.gate]"


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestResult:
    """The table of a self-test, and the controls that were missed.

    Args:
        missed: Controls that were not caught, and `A/A` if identical builds differed.
    """

    document: str
    missed: tuple[str, ...]

    def check(self) -> None:
        """Raise an error if the gate did not prove itself.

        Raises:
            DisturbedError: Identical builds differ, or an injected regression was not caught.
        """
        if self.missed:
            msg = f"the gate does not prove itself here: {'; '.join(self.missed)}"
            raise DisturbedError(msg, hint="see that the host is quiet, and run it again")


def selftest(
    world: World, request: Request, options: GateOptions, count: CountCosts | None
) -> SelfTestResult:
    """Gate the working tree against itself, then made worse; keep this host's noise.

    Raises:
        HarnessError: See its subclasses; `SelfTestResult.check` raises the result's own.
    """
    clear_leftovers(world)
    built, base_name = build_one(world, request.base_image, request.drives[Side.BRANCH])
    sides = (structs.replace(built, side=Side.BASE), built)
    info = make_run_info(
        world, request, sides, how="one build against itself", base_image=base_name
    )
    info = settle_gate_run(world, info, replace(options, is_quick=True))
    noise_floor, rows = _prove(world, info, options.quick_level, count)
    return SelfTestResult(
        document=render_selftest(info, noise_floor, rows), missed=tuple(_missed(rows))
    )


def _prove(
    world: World, info: RunInfo, level: int, count: CountCosts | None
) -> tuple[NoiseFloor, list[SelfTestRow]]:
    """Run all gates; return the noise, and the verdict of each."""
    same = _gate(world, info, None, count)
    undisturbed = _ok_cells(same.comparison.cells, level)
    if not undisturbed:
        raise DisturbedError(same.verdict.headline, hint=_QUIETER)
    noise_floor = find_noise_floor(same.comparison, level)
    world.progress.say(
        f"the noise of this host is kept in {world.store.keep_noise_floor(noise_floor)}"
    )
    rows = [SelfTestRow(control=None, gated=same.verdict)]
    for control in make_controls(undisturbed, _run_trial(world, info, level)):
        result = _gate(world, info, control, count)
        rows.append(SelfTestRow(control=control, gated=result.verdict))
    return noise_floor, rows


def _gate(
    world: World, info: RunInfo, control: Control | None, count: CountCosts | None
) -> GateResult:
    """Gate the build against itself, or against itself made worse by a control."""
    base, branch = info.sides
    world.progress.say(f"self-test: {'A/A' if control is None else control.name}")
    info = structs.replace(info, started_at=world.utc_stamp())
    if control is not None:
        worse = _with_environment(branch, control.environment)
        info = structs.replace(info, sides=(base, worse), purity=Purity.SETTINGS)
    info = count_costs(world, info, dict.fromkeys(Side, world.repo.branch_tree()), count)
    name = f"selftest-{(base.commit or '')[:7]}"
    return run_and_judge(world, open_run(world, info, name))


def _run_trial(world: World, info: RunInfo, level: int) -> list[Cell]:
    """Run the build with a known amount of injected work, to size the controls.

    Raises:
        DisturbedError: No cell ended ok.
    """
    _, branch = info.sides
    trial = structs.replace(
        info,
        started_at=world.utc_stamp(),
        kind="ramp",
        plan=Plan(levels=(level,), blocks=0, sides=(Side.BRANCH,), warm_up=True),
        sides=(_with_environment(branch, {WORK: str(TRIAL_WORK)}),),
        purity=None,
        how="a trial of what injected work costs",
        gate=None,
        costs=None,
    )
    name = f"selftest-trial-{(branch.commit or '')[:7]}"
    tried = _ok_cells(run_ladder(world, open_run(world, trial, name)).cells, level)
    if not tried:
        msg = f"the trial of injected work failed at C={level}, so that no control can be sized"
        raise DisturbedError(msg, hint=_QUIETER)
    return tried


def _with_environment(side: SideInfo, more: dict[str, str]) -> SideInfo:
    drive = Drive(arm=side.drive.arm, environment=side.drive.environment | more)
    return structs.replace(side, drive=drive)


def _ok_cells(cells: Sequence[Cell], level: int) -> list[Cell]:
    return [
        cell
        for cell in cells
        if cell.outcome is Outcome.OK and cell.slot.level == level and cell.result is not None
    ]


def _missed(rows: Sequence[SelfTestRow]) -> list[str]:
    missed = []
    for row in rows:
        if row.control is None:
            if row.gated.verdict is Verdict.INVALID:
                missed.append(f"A/A: {row.gated.headline}")
        elif row.gated.verdict is not Verdict.REGRESSED:
            missed.append(f"{row.control.name} was not caught ({row.gated.verdict})")
    return missed
