"""The speed goals as data: figure, cells, bound, and reason."""

from collections.abc import Sequence

from experiments.speed_goals.goal import LADDER_FROM, Goal
from experiments.speed_goals.readings import at_level, highest_level, memory_slope, most_threads
from harness.model.cells import Result
from harness.model.errors import UsageError
from harness.model.nouns import Arm, Drive

_VIRTUAL = {"SCALE_VT": "1", "SCALE_PACING": "sleep", "ESCAPEMENT_WORKERS": "virtual"}
HAND = Drive(arm=Arm.HAND, environment=_VIRTUAL)
MEM = Drive(arm=Arm.SC_MEM, environment=_VIRTUAL)
MEM_2 = Drive(arm=Arm.SC_MEM, environment=_VIRTUAL | {"SCALE_PROCS": "2"})
CKPT = Drive(arm=Arm.SC_CKPT, environment=_VIRTUAL)
CKPT_64 = Drive(arm=Arm.SC_CKPT, environment=_VIRTUAL | {"SCALE_STATE_KB": "64"})

_SLOPE_LEVELS = (2_000, 4_000, 8_000, 16_000, 32_000)


def _infl(result: Result) -> float | None:
    return result.latency_infl


def _cpu(result: Result) -> float | None:
    return result.cpu_ms_per_turn


def _fds(result: Result) -> float | None:
    return result.peak_fds


GOALS = (
    Goal(
        key="hand-8000-latency",
        figure="hand, C=8,000: latency-infl",
        drive=HAND,
        levels=(8_000,),
        read=at_level(_infl),
        unit="×",
        sense="<=",
        bound=1.10,
        why="the gauge must be punctual where it judges the runtime",
    ),
    Goal(
        key="hand-32000-latency",
        figure="hand, C=32,000: latency-infl",
        drive=HAND,
        levels=(32_000,),
        read=at_level(_infl),
        unit="×",
        sense="<=",
        bound=1.5,
        why="the floor of every figure at this level, with 6.4 million tokens per second due",
    ),
    Goal(
        key="mem-threads",
        figure="sc-mem, any C: peak-threads",
        drive=MEM,
        levels=_SLOPE_LEVELS,
        read=most_threads,
        sense="<=",
        bound=8,
        original="8",
        why="threads ran out first; with virtual workers they must not depend on C",
    ),
    Goal(
        key="mem-4000-cpu",
        figure="sc-mem, C=4,000: cpu-ms/turn",
        drive=MEM,
        levels=(4_000,),
        read=at_level(_cpu),
        sense="<=",
        bound=0.15,
        original="4.42",
        why="the work of a turn: two wake-ups, a chart step, a checkpoint by reference, the transcript",
    ),
    Goal(
        key="mem-8000-latency",
        figure="sc-mem, C=8,000, one process: latency-infl",
        drive=MEM,
        levels=(8_000,),
        read=at_level(_infl),
        unit="×",
        sense="<=",
        bound=3.0,
        original="62×",
        why="the level at which the original was ok, but with 62× latency inflation",
    ),
    Goal(
        key="mem-8000-latency-2",
        figure="sc-mem, C=8,000, SCALE_PROCS=2: latency-infl",
        drive=MEM_2,
        levels=(8_000,),
        read=at_level(_infl),
        unit="×",
        sense="<=",
        bound=1.6,
        why="two interpreters use both CPUs",
    ),
    Goal(
        key="mem-32000-latency",
        figure="sc-mem, C=32,000, one process: latency-infl, 0 errors",
        drive=MEM,
        levels=(32_000,),
        read=at_level(_infl),
        unit="×",
        sense="<=",
        bound=11,
        why="four times C=8,000, and no worse than in proportion",
    ),
    Goal(
        key="mem-32000-latency-2",
        figure="sc-mem, C=32,000, SCALE_PROCS=2: latency-infl, 0 errors",
        drive=MEM_2,
        levels=(32_000,),
        read=at_level(_infl),
        unit="×",
        sense="<=",
        bound=6,
        why="the same with both CPUs",
    ),
    Goal(
        key="mem-capacity",
        figure="sc-mem: the largest C that ends ok",
        drive=MEM,
        levels=(LADDER_FROM,),
        read=highest_level,
        sense=">=",
        bound=64_000,
        is_ladder=True,
        original="8,000",
        why="eight times the original, within the same 2 GiB and 600 s",
    ),
    Goal(
        key="mem-memory",
        figure="sc-mem, C=2,000 to 32,000: KiB a session, slope",
        drive=MEM,
        levels=_SLOPE_LEVELS,
        read=memory_slope,
        sense="<=",
        bound=24,
        why="2 GiB over 64,000 sessions is 32 KiB, of which 6 KB are the turns' own data",
    ),
    Goal(
        key="ckpt-8000-cpu",
        figure="sc-ckpt, C=8,000, 0 errors: cpu-ms/turn",
        drive=CKPT,
        levels=(8_000,),
        read=at_level(_cpu),
        sense="<=",
        bound=0.5,
        why="the shape of production: atomic checkpoints on disk",
    ),
    Goal(
        key="ckpt-1000-state-cpu",
        figure="sc-ckpt, C=1,000, SCALE_STATE_KB=64: cpu-ms/turn",
        drive=CKPT_64,
        levels=(1_000,),
        read=at_level(_cpu),
        why="the cost of checkpoints of a realistic size; reported without a bound",
    ),
    Goal(
        key="mem-32000-fds",
        figure="sc-mem, C=32,000: peak-fds in the box",
        drive=MEM,
        levels=(32_000,),
        read=at_level(_fds),
        sense="<",
        bound=20_000,
        why="the limit is 20,000 open files: one descriptor per session would exceed it",
    ),
)


def choose_goals(only: str, goals: Sequence[Goal] = GOALS) -> tuple[Goal, ...]:
    """Return the goals whose figure contains `only`, ignoring case.

    Raises:
        UsageError: No goal matches.
    """
    chosen = tuple(goal for goal in goals if only.casefold() in goal.figure.casefold())
    if not chosen:
        msg = f"--only: no goal contains {only!r}"
        raise UsageError(msg, hint=f"the goals are: {'; '.join(goal.figure for goal in goals)}")
    return chosen
