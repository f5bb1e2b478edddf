"""Values of the model with consistent defaults."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import structs

from harness.model.cells import Cell, Result, Slot
from harness.model.nouns import Arm, Caps, Drive, Load, Outcome, Purity, Side
from harness.model.plan import Plan
from harness.model.runs import BoxInfo, RunInfo, SideInfo
from harness.model.tree import Entry, Tree
from harness.outcome.observation import Observation
from harness.outcome.protocol import ProbeOutput

BASE_COMMIT = "ba5e" * 10
BRANCH_COMMIT = "b4a7" * 10
CAPS = Caps()
LOAD = Load(turns=6, ttft_ms=200, tokens=50, tok_ms=5)

_RESULT = Result(
    arm="sc-mem",
    c=500,
    ok=500,
    errors=0,
    latency_infl=1.5,
    cpu_ms_per_turn=2.0,
    peak_rss_mb=100.0,
    peak_threads=8,
    peak_fds=20,
)
_BOX = BoxInfo(
    box="docker",
    engine="Docker 27.0 (overlay2)",
    cgroup="v2",
    endpoint="unix:///var/run/docker.sock",
    host="Debian, Linux 6.1, x86_64",
    host_cpus=4,
    host_memory_bytes=8 << 30,
    base_image="python:3.13-slim",
)

_OF_PLAN = tuple(name for name in Plan.__struct_fields__ if name != "sides")


def make_result(c: int = 500, **changes: object) -> Result:
    """Make the RESULT of a cell at level `c` without errors."""
    return structs.replace(_RESULT, **{"c": c, "ok": c, **changes})


def make_observation(result: Result | None = None, **changes: object) -> Observation:
    """Make the observation of a cell that printed `result` and exited 0."""
    output = ProbeOutput(result=result)
    wall_s = 1.0 + ((result.wall_ms if result else None) or 0.0) / 1000
    fields: dict[str, object] = {"output": output, "exit_code": 0, "wall_s": wall_s, **changes}
    return Observation(**fields)  # type: ignore[arg-type]  # the changes are the caller's to get right


def make_cell(
    side: Side = Side.BASE,
    level: int = 500,
    outcome: Outcome = Outcome.OK,
    *,
    block: int = 0,
    pair: int | None = 0,
    attempt: int = 0,
    **changes: object,
) -> Cell:
    """Make a cell, with a RESULT if it is ok."""
    slot = Slot(side=side, level=level, block=block, pair=pair, attempt=attempt)
    return cell_at(slot, outcome, **changes)


def cell_at(slot: Slot, outcome: Outcome = Outcome.OK, **changes: object) -> Cell:
    """Make the cell of a slot."""
    is_ok = outcome is Outcome.OK
    result = make_result(slot.level) if is_ok else None
    cell = Cell(
        slot=slot,
        outcome=outcome,
        reason="" if is_ok else f"because of {outcome}",
        started_at="2026-11-30T12:00:00Z",
        wall_s=4.0,
        exit_code=0 if is_ok else 137,
        sessions_done=slot.level if is_ok else 0,
        peak_threads=8 if is_ok else None,
        peak_rss_mb=100.0 if is_ok else None,
        peak_fds=20 if is_ok else None,
        result=result,
        evidence={},
        log=f"logs/{slot.side}-C{slot.level}.log",
    )
    return structs.replace(cell, **changes)


def ok_cell(
    side: Side,
    level: int,
    measured: Mapping[str, object] | None = None,
    *,
    block: int = 0,
    pair: int = 0,
    **more: object,
) -> Cell:
    """Make an ok cell with the fields `measured` and `more` in its RESULT."""
    result = make_result(level, **(measured or {}), **more)
    return make_cell(
        side,
        level,
        block=block,
        pair=pair,
        result=result,
        peak_threads=result.peak_threads,
        peak_rss_mb=result.peak_rss_mb,
        peak_fds=result.peak_fds,
    )


def make_block(
    level: int,
    base: Sequence[Mapping[str, object]] = ({}, {}),
    branch: Sequence[Mapping[str, object]] = ({}, {}),
) -> list[Cell]:
    """Make an ABBA block of ok cells, with measured fields for each side's two."""
    order = (Side.BASE, Side.BRANCH, Side.BRANCH, Side.BASE)
    measured = (base[0], branch[0], branch[1], base[1])
    return [
        ok_cell(side, level, fields, pair=index // 2)
        for index, (side, fields) in enumerate(zip(order, measured, strict=True))
    ]


def make_side(side: Side = Side.BASE, **changes: object) -> SideInfo:
    """Make a side; both sides share the gauge, and differ in the runtime."""
    is_base = side is Side.BASE
    info = SideInfo(
        side=side,
        drive=Drive(arm=Arm.SC_MEM, environment={}),
        commit=BASE_COMMIT if is_base else BRANCH_COMMIT,
        title="Pump by polling" if is_base else "Pump by waking",
        dirty=None,
        subject=("aa" if is_base else "bb") * 32,
        gauge="cc" * 32,
        tree=("dd" if is_base else "ee") * 32,
        image=f"sha256:{'12' if is_base else '34'}" + "0" * 62,
    )
    of_drive = {name: changes.pop(name) for name in Drive.__struct_fields__ if name in changes}
    drive = structs.replace(info.drive, **of_drive)
    return structs.replace(info, **{"drive": drive, **changes})


def make_run(
    *, levels: Sequence[int] = (500, 1000), sides: Iterable[Side] = tuple(Side), **changes: object
) -> RunInfo:
    """Make a comparison over `levels`, or a ramp for one side."""
    infos = tuple(make_side(side) for side in sides)
    is_ramp = len(infos) == 1
    run = RunInfo(
        run_id="esc-1-1-1",
        started_at="2026-11-30T12:34:56Z",
        kind="ramp" if is_ramp else "compare",
        load=LOAD,
        caps=CAPS,
        plan=Plan(levels=tuple(levels), blocks=1, sides=tuple(info.side for info in infos)),
        sides=infos,
        purity=None if is_ramp else Purity.CHANGE,
        how="one build" if is_ramp else "the merge-base with main",
        box=_BOX,
    )
    return change_run(run, **changes)


def change_run(run: RunInfo, **changes: object) -> RunInfo:
    """Return a run with changed fields, of the run itself or of its plan."""
    of_plan = {name: changes.pop(name) for name in _OF_PLAN if name in changes}
    plan = structs.replace(run.plan, **of_plan)
    return structs.replace(run, **{"plan": plan, **changes})


def make_box_info(**changes: object) -> BoxInfo:
    """Make the description of a box."""
    return structs.replace(_BOX, **changes)


def make_tree(**runtime: str) -> Tree:
    """Make a build context with the modules `runtime` in the runtime."""
    texts = {
        "Dockerfile": "FROM base\n",
        "harness/__init__.py": "",
        "harness/probe/__main__.py": "print()\n",
        "src/escapement/__init__.py": "",
    }
    texts |= {f"src/escapement/{name}.py": text for name, text in runtime.items()}
    return Tree(
        tuple(Entry(path=p, kind="file", content=t.encode()) for p, t in sorted(texts.items()))
    )
