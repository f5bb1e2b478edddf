"""The gate's own proof: identical builds, which give the noise, and regressions of a known size, which it has to catch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from harness.analysis.controls import TRIAL_WORK, WORK, Control, make_controls
from harness.analysis.noise import find_floor
from harness.analysis.verdict.kinds import Verdict
from harness.model.cells import Cell
from harness.model.errors import DisturbedError
from harness.model.gate import Floor
from harness.model.nouns import Outcome, Purity, Side
from harness.model.request import Request
from harness.model.nouns import Drive
from harness.model.runs import RunInfo, SideInfo
from harness.model.tree import Tree
from harness.report.selftest import SelfTestRow, render_selftest
from harness.verbs.gate import Gated, GateOrder, judge_run, settle_run
from harness.verbs.ports import World
from harness.verbs.run import open_new, run_ladder, tidied
from harness.verbs.sides import build_one, clear_leftovers, describe_box

_LOWER = "see that the host is quiet, or lower quick-level in [tool.esc-bench.gate]"


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTested:
    """What a self-test came to.

    Args:
        document: Its table.
        missed: The controls that were not caught, and `A/A` where identical builds differed.
    """

    document: str
    missed: tuple[str, ...]

    def check(self) -> None:
        """Fail where the gate has not proved itself.

        Raises:
            DisturbedError: Identical builds differ, or an injected regression was not caught.
        """
        if self.missed:
            msg = f"the gate does not prove itself here: {'; '.join(self.missed)}"
            raise DisturbedError(msg, hint="see that the host is quiet, and run it again")


def selftest(world: World, request: Request, order: GateOrder) -> SelfTested:
    """Gate the working tree against itself, then against itself made worse, and keep the noise of this host.

    Raises:
        HarnessError: As its subclasses say; `SelfTested.check` raises what the self-test itself comes to.
    """
    clear_leftovers(world)
    order = replace(order, is_quick=True)
    drive = request.drives[Side.BRANCH]
    built, base_name = build_one(world, request.settings.base_image, drive)
    ground = _ground(world, request, order, built, base_name)
    with tidied(world):
        floor, rows = _prove(world, ground, order)
    return SelfTested(document=render_selftest(ground, floor, rows), missed=tuple(_missed(rows)))


def _prove(world: World, ground: RunInfo, order: GateOrder) -> tuple[Floor, list[SelfTestRow]]:
    """Run all gates; return the noise, and what each of them said."""
    tree = world.repo.branch_tree()
    same = _gate(world, ground, order, tree, None)
    if not _ok_cells(same.comparison.cells, order.settings.quick_level):
        raise DisturbedError(same.verdict.headline, hint=_LOWER)
    floor = find_floor(same.comparison, order.settings.quick_level)
    world.progress.say(f"the noise of this host is kept in {world.store.keep_floor(floor)}")
    rows = [SelfTestRow(control=None, gated=same.verdict)]
    for control in _controls(world, ground, same):
        found = _gate(world, ground, order, tree, control)
        rows.append(SelfTestRow(control=control, gated=found.verdict))
    return floor, rows


def _ground(
    world: World, request: Request, order: GateOrder, built: SideInfo, base_name: str
) -> RunInfo:
    """Return the run of the build against itself."""
    caps = request.settings.caps
    run = RunInfo(
        run_id=world.run_id,
        started_at=world.clock.utc_stamp(),
        kind="gate",
        load=request.settings.load,
        caps=caps,
        levels=request.settings.levels,
        blocks=0,
        sides=(structs.replace(built, side=Side.BASE), built),
        purity=Purity.AA,
        how="one build against itself",
        box=describe_box(world, base_name, caps),
    )
    return settle_run(world, run, order)


def _gate(
    world: World, ground: RunInfo, order: GateOrder, tree: Tree, control: Control | None
) -> Gated:
    """Gate the build against itself, made worse where there is a control."""
    base, branch = ground.sides
    name = "A/A" if control is None else control.name
    world.progress.say(f"self-test: {name}")
    run = structs.replace(ground, started_at=world.clock.utc_stamp())
    if control is not None:
        worse = structs.replace(branch, environment=branch.environment | control.environment)
        run = structs.replace(run, sides=(base, worse), purity=Purity.SETTINGS)
    if order.count is not None:
        drives = {
            info.side: Drive(arm=info.arm, environment=info.environment) for info in run.sides
        }
        run = structs.replace(run, costs=order.count(dict.fromkeys(Side, tree), drives, run.load))
    return judge_run(world, open_new(world, run, f"selftest-{(base.commit or '')[:7]}"))


def _controls(world: World, ground: RunInfo, same: Gated) -> list[Control]:
    """Find out by a trial what work costs here, and size the controls by it."""
    level = ground.decision_levels[0]
    undisturbed = _ok_cells(same.comparison.cells, level)
    _, branch = ground.sides
    side = structs.replace(branch, environment=branch.environment | {WORK: str(TRIAL_WORK)})
    trial = structs.replace(
        ground,
        started_at=world.clock.utc_stamp(),
        kind="ramp",
        sides=(side,),
        purity=None,
        how="a trial of what injected work costs",
        pairs=0,
        decision_levels=(),
        gate=None,
        costs=None,
    )
    name = f"selftest-trial-{(branch.commit or '')[:7]}"
    comparison, _ = run_ladder(world, open_new(world, trial, name))
    tried = _ok_cells(comparison.cells, level)
    if not tried:
        msg = f"the trial of injected work did not hold C={level}, so that no control can be sized by it"
        raise DisturbedError(msg, hint=_LOWER)
    return make_controls(undisturbed, tried)


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
