"""A run that is interrupted anywhere and resumed gives the undisturbed result."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import given, settings, strategies as st
from msgspec import structs

from harness.model.cells import Cell
from harness.model.errors import DisturbedError
from harness.model.nouns import Outcome
from harness.model.plan import Plan
from harness.model.request import Request
from harness.outcome.observation import Observation
from harness.outcome.protocol import ProbeOutput, WorkerExit
from harness.report.document import render
from harness.verbs.compare import compare
from harness.verbs.ports import CellSpec, World
from harness.verbs.run import derive
from tests.builders.model import make_observation, make_result
from tests.builders.planned import BOTH
from tests.builders.world import make_request, make_world
from tests.fakes.fake_box import Killed
from tests.fakes.fake_clock import StoppedClock
from tests.fakes.fake_progress import FakeProgress
from tests.fakes.fake_store import FakeStore

PLANS = st.builds(
    Plan,
    levels=st.lists(st.sampled_from((10, 20, 40)), min_size=1, unique=True).map(sorted).map(tuple),
    blocks=st.integers(0, 1),
    sides=st.just(BOTH),
    warm_up=st.booleans(),
    refine=st.booleans(),
    pairs=st.integers(0, 3),
    decision_levels=st.sampled_from([(), (10,)]),
    budget_s=st.none() | st.floats(0.0, 150.0),
)
OUTCOMES = (Outcome.OK, Outcome.OOM, Outcome.CRASH, Outcome.INVALID, Outcome.TIMEOUT_STALLED)
ENDINGS = st.lists(st.sampled_from([Outcome.OK, Outcome.OK, Outcome.OK, *OUTCOMES]), max_size=30)
INTERRUPTIONS = st.lists(st.tuples(st.booleans(), st.integers(1, 12)), max_size=3)


@dataclass(slots=True)
class Interruption:
    """One that comes in the n-th cell of a process, or between its line and the table.

    Args:
        left: How many cells are still to come before it.
        is_in_cell: Whether that cell is lost with it.
    """

    left: int
    is_in_cell: bool

    def strike(self, *, in_cell: bool) -> None:
        """Count a cell, and kill the run where it is the one."""
        if in_cell == self.is_in_cell:
            self.left -= 1
            if self.left == 0:
                raise Killed


class StruckProgress(FakeProgress):
    """Kills the run when a cell is on disk and the table is not written yet."""

    def __init__(self, interruption: Interruption) -> None:
        super().__init__()
        self._interruption = interruption

    def cell_ended(self, cell: Cell) -> None:
        """Strike where the time has come."""
        super().cell_ended(cell)
        self._interruption.strike(in_cell=False)


def _ending(outcome: Outcome, spec: CellSpec, number: int) -> Observation:
    """Return how the n-th stored cell ends, the same whoever runs it."""
    wall_s = 1.0 + number % 4
    noise = 1 + 0.1 * ((number * 7) % 5)
    if outcome is Outcome.OK:
        result = make_result(
            spec.level,
            arm=spec.arm,
            cpu_ms_per_turn=noise,
            peak_rss_mb=100 * noise,
            rss_kb_per_session=100 * noise * 1024 / spec.level,
        )
        return make_observation(result, wall_s=wall_s)
    if outcome is Outcome.OOM:
        output = ProbeOutput(worker_exit=WorkerExit(cause="oom", exit_code=137, signal=9))
        return make_observation(output=output, exit_code=137, oom_killed=True, wall_s=wall_s)
    if outcome is Outcome.INVALID:
        return make_observation(exit_code=None, engine_error="it fell over", wall_s=wall_s)
    timed_out = outcome is Outcome.TIMEOUT_STALLED
    return make_observation(exit_code=1, timed_out=timed_out, wall_s=wall_s)


def _process(store: FakeStore, endings: Sequence[Outcome], interruption: Interruption) -> World:
    """Return the world of a new process, which shares only what is stored."""

    def behave(_image: str, spec: CellSpec) -> Observation:
        if spec.level == 1:
            return _ending(Outcome.OK, spec, 0)
        interruption.strike(in_cell=True)
        number = len(store.only.cells)
        outcome = endings[number] if number < len(endings) else Outcome.OK
        return _ending(outcome, spec, number)

    fakes = make_world(base=behave, branch=behave)
    progress = StruckProgress(interruption)
    return replace(fakes.world, store=store, utc_stamp=StoppedClock().utc_stamp, progress=progress)


def _request(plan: Plan, resume: str | None) -> Request:
    request = make_request(
        *plan.levels,
        blocks=plan.blocks,
        warm_up=plan.warm_up,
        refine=plan.refine,
        pairs=plan.pairs,
        decision_levels=plan.decision_levels,
        budget_s=plan.budget_s,
    )
    return replace(request, resume=resume)


def _run(
    plan: Plan, endings: Sequence[Outcome], interruptions: Sequence[tuple[bool, int]]
) -> tuple[list[Cell], str]:
    """Run a plan through its interruptions; return its cells and its table."""
    store = FakeStore()
    for is_in_cell, after in (*interruptions, (False, 0)):
        if store.runs and not store.only.cells:
            store.runs.clear()  # a run without a cell has no folder
        if store.runs and store.only.complete:
            break
        folder = store.only.folder if store.runs else None
        interruption = Interruption(left=after, is_in_cell=is_in_cell)
        try:
            compare(_process(store, endings, interruption), _request(plan, folder))
        except Killed:
            continue
        except DisturbedError:
            assert store.only.complete  # a side was invalid twice, which is a result
    run = store.only
    assert run.complete
    plain = structs.replace(run.run, resumed=())
    return run.cells, render(derive(plain, run.cells, complete=True))


@settings(max_examples=60)
@given(plan=PLANS, endings=ENDINGS, interruptions=INTERRUPTIONS)
def test_resumed_run_has_the_cells_and_the_table_of_an_undisturbed_one(
    plan: Plan, endings: list[Outcome], interruptions: list[tuple[bool, int]]
) -> None:
    """The cells and the table are those of an undisturbed run."""
    cells, table = _run(plan, endings, interruptions)
    wanted, wanted_table = _run(plan, endings, ())
    assert cells == wanted
    assert table == wanted_table
