"""Everything that is settled before the first cell of a run."""

from typing import Literal

from harness.model.costs import ExactCosts
from harness.model.decision import GateInfo
from harness.model.nouns import HOLDABLE, Arm, Caps, Load, Purity, Side
from harness.model.stored import Count, Positive, Record


class Drive(Record, frozen=True, kw_only=True):
    """How cells are driven: the arm, and what they are given beside the image's own environment."""

    arm: Arm
    environment: dict[str, str]


class SideInfo(Record, frozen=True, kw_only=True):
    """What one side was built from, which arm its cells drove, and the environment that they were given.

    Args:
        commit: Full hash; None outside a repository.
        dirty: Hash of what differs from the commit; None for a clean tree.
        subject, gauge, tree: SHA-256 over the runtime, over the probe and Dockerfile, over all of the context.
    """

    side: Side
    arm: Arm
    commit: str | None
    title: str
    dirty: str | None
    subject: str | None
    gauge: str | None
    tree: str | None
    image: str
    environment: dict[str, str]


class BoxInfo(Record, frozen=True, kw_only=True):
    """Where the cells ran: the engine, and what of its host bears on the numbers.

    Args:
        holds: Which of `HOLDABLE` it holds for certain.
        machine: Tells this engine, or this machine, from its twins; empty in results that are older than schema 5.
    """

    box: str
    engine: str
    cgroup: str
    endpoint: str
    host: str
    host_cpus: Count
    host_memory_bytes: Count
    base_image: str
    warnings: tuple[str, ...] = ()
    holds: tuple[str, ...] = HOLDABLE
    machine: str = ""


class RunInfo(Record, frozen=True, kw_only=True):
    """Everything that was settled before the first cell.

    Args:
        blocks: ABBA blocks a level; in a run of kind `goals`, how often each cell is run.
        sides: The base first; one of a ramp; in a run of kind `goals` the one build, once for each way it is driven.
        goals: The keys of the goals that were asked for, in a run of that kind.
        objective: How much latency inflation a level within a side's capacity may have.
        warm_up: Whether each side's first cell is thrown away.
        refine: Whether each side's bracket is narrowed to within 10 %.
        pairs: How many pairs each decision level is to have; 0 where there are none.
        decision_levels: Where they are; empty for the ones that the ladder shows.
        budget_s: How long the run may take, spent where it helps most; None for no more than was planned.
        costs: What was counted before the first cell.
        gate: What is decided by, in a gate.
        resumed: When it was gone on with after an interruption, each time, as UTC stamps.
    """

    run_id: str
    started_at: str
    kind: Literal["compare", "gate", "ramp", "goals"]
    load: Load
    caps: Caps
    levels: tuple[Count, ...]
    blocks: Count
    sides: tuple[SideInfo, ...]
    purity: Purity | None
    how: str
    box: BoxInfo
    goals: tuple[str, ...] = ()
    objective: Positive = 2.0
    warm_up: bool = False
    refine: bool = False
    pairs: Count = 0
    decision_levels: tuple[Count, ...] = ()
    budget_s: Positive | None = None
    costs: ExactCosts | None = None
    gate: GateInfo | None = None
    resumed: tuple[str, ...] = ()

    @property
    def has_two_sides(self) -> bool:
        """Whether there is a base to tell the branch from."""
        return self.kind in {"compare", "gate"}

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms of the sides, the base's first; one where they are the same."""
        return tuple(dict.fromkeys(side.arm for side in self.sides))

    def name_of(self, side: Side) -> str:
        """Return what to call a side: with its arm where the other has another, and of one build alone just that."""
        if not self.has_two_sides:
            return "the build"
        arm = next((info.arm for info in self.sides if info.side is side), None)
        return f"{side} ({arm})" if len(self.arms) > 1 else str(side)
