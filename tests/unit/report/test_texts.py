"""The texts of the plan, the index and the arms."""

import pytest
from msgspec import structs

from harness.analysis.comparison import compare
from harness.model.nouns import Outcome, Purity, Side
from harness.model.plan import Plan
from harness.report.arms import arms_text
from harness.report.derived import index_text, report_of
from harness.report.plan import plan_text
from tests.builders.model import make_block, make_cell, make_run, make_side, ok_cell

PLAN = """\
compared: change (the merge-base with main)
base:
  commit  ba5eba5eba5eba5eba5eba5eba5eba5eba5eba5e  Pump by polling
  arm     sc-mem
  runtime aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  gauge   cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
  image   esc-bench:tree-dddd (built already)
branch:
  commit  b4a7b4a7b4a7b4a7b4a7b4a7b4a7b4a7b4a7b4a7 + uncommitted changes ffffffffffff  Pump by waking
  arm     sc-mem
  runtime bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
  gauge   cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
  image   esc-bench:tree-eeee (to be built)
  with    A=1 SCALE_VT=0
10 cells if none fails:
    1. C=1 base, check that it runs
    2. C=1 branch, check that it runs
    3. C=500 base, block 1, pair 1
    4. C=500 branch, block 1, pair 1
    5. C=500 branch, block 1, pair 2
    6. C=500 base, block 1, pair 2
    7. C=1,000 branch, block 1, pair 1
    8. C=1,000 base, block 1, pair 1
    9. C=1,000 base, block 1, pair 2
   10. C=1,000 branch, block 1, pair 2"""


def test_plan_text_shows_builds_and_cells() -> None:
    """Refs, hashes, images and all cells are listed in order."""
    sides = (
        make_side(Side.BASE, image="esc-bench:tree-dddd"),
        make_side(
            Side.BRANCH,
            image="esc-bench:tree-eeee",
            dirty="f" * 64,
            environment={"SCALE_VT": "0", "A": "1"},
        ),
    )
    plan = Plan(levels=(500, 1000), blocks=1, sides=tuple(Side))
    built = {Side.BASE: True, Side.BRANCH: False}
    shown = plan_text(sides, Purity.CHANGE, "the merge-base with main", built, plan)
    assert shown == PLAN


REFINEMENT = (
    "then refinement: repeat both ends of each bracket until 2 of 3 cells agree, "
    "then halve the bracket until its ends are within 10 %"
)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, []),
        ({"refine": True}, [REFINEMENT]),
        (
            {"pairs": 8, "budget_s": 1200.0},
            [
                (
                    "then refinement, if the sides break at different levels: "
                    "repeat both ends of each bracket until 2 of 3 cells agree"
                ),
                (
                    "then decision: 8 pairs per level, pairs of the ladder included, at the highest level within half of the base's "
                    "capacity (latency inflation up to 2.00×) and the last level that both pass"
                ),
                "then budget: more blocks at the level where they narrow the intervals fastest, up to 1200 s in total",
            ],
        ),
        (
            {"refine": True, "pairs": 1, "decision_levels": (500, 1000)},
            [
                REFINEMENT,
                "then decision: 1 pair per level, pairs of the ladder included, at C=500, C=1,000, if below both knees",
            ],
        ),
    ],
)
def test_plan_text_describes_the_phases_after_the_ladder(
    settings: dict[str, object], expected: list[str]
) -> None:
    """The rules are shown, because the cells depend on the ladder."""
    fields: dict[str, object] = {"levels": (500,), "blocks": 1, "sides": tuple(Side), **settings}
    plan = Plan(**fields)  # type: ignore[arg-type]  # each has the type of its field
    sides = (make_side(Side.BASE), make_side(Side.BRANCH))
    built = dict.fromkeys(Side, True)
    shown = plan_text(sides, Purity.CHANGE, "because", built, plan)
    assert [line for line in shown.splitlines() if line.startswith("then ")] == expected


def test_plan_text_shows_the_warm_up() -> None:
    """The warm-up is one of the certain cells."""
    plan = Plan(levels=(500,), blocks=1, sides=(Side.BRANCH,), warm_up=True)
    shown = plan_text([make_side(Side.BRANCH)], Purity.AA, "one build", {Side.BRANCH: True}, plan)
    assert "    2. C=500 branch, warm-up, discarded" in shown.splitlines()


def test_plan_text_of_one_side_names_no_pairs() -> None:
    """A cell without a partner has no pair."""
    plan = Plan(levels=(500,), blocks=1, sides=(Side.BRANCH,))
    side = make_side(Side.BRANCH)
    shown = plan_text([side], Purity.AA, "one build", {Side.BRANCH: True}, plan)
    assert shown.splitlines()[-1] == "    2. C=500 branch"


def test_plan_text_holds_no_control_characters() -> None:
    """A commit title is plain text outside of tables too."""
    side = make_side(Side.BRANCH, title="a\x1b[2Jb", environment={"A": "c\nd"})
    shown = plan_text(
        [side], Purity.AA, "e\rf", {Side.BRANCH: True}, Plan(levels=(), blocks=1, sides=())
    )
    assert [line for line in shown.split("\n") if not line.isprintable()] == []
    assert shown.count("\n") == 8


INDEX = r"""# Results, newest first

| run                       | compared               | levels     | result                                                                                 |
|:--------------------------|:-----------------------|:-----------|:---------------------------------------------------------------------------------------|
| [3-mem](3-mem/table.md)   | change                 | 500, 1,000 | base: the knee is between C=500 and C=1,000: oom (a\|b); branch: no knee up to C=1,000 |
| [2-ramp](2-ramp/table.md) | one build (incomplete) | 500, 1,000 | the build: no knee up to C=500                                                         |
| [1-torn](1-torn/table.md) | cannot be read         | –          | –                                                                                      |
"""


def test_index_text_lists_every_run() -> None:
    """Incomplete and unreadable runs are listed and marked."""
    died = make_cell(Side.BASE, 1000, Outcome.OOM, reason="a|b")
    cells = [*make_block(500), died, ok_cell(Side.BRANCH, 1000)]
    change = compare(make_run(), cells, complete=True)
    ramp = compare(make_run(sides=[Side.BRANCH]), [ok_cell(Side.BRANCH, 500)], complete=False)
    runs = [("3-mem", report_of(change)), ("2-ramp", report_of(ramp)), ("1-torn", None)]
    assert index_text(runs) == INDEX


@pytest.mark.parametrize("purity", list(Purity))
def test_index_text_shows_the_purity(purity: Purity) -> None:
    """Each kind of comparison has its own word."""
    run = structs.replace(make_run(), purity=purity)
    report = report_of(compare(run, [], complete=True))
    assert f"| {purity} " in index_text([("1", report)])


ARMS = """\
| arm     | description                                                             |
|:--------|:------------------------------------------------------------------------|
| sc-ckpt | the runtime with checkpoints on disk and a transcript, as in production |
| sc-mem  | the same with an in-memory store: isolates the cost of engine and queue |
| hand    | a plain loop over the same mock, without a runtime: the floor           |

| --env                   | effect                                                                            |
|:------------------------|:----------------------------------------------------------------------------------|
| SCALE_VT=1              | one asyncio task per session (default of the image); 0: one OS thread per session |
| SCALE_STATE_KB=N        | each session carries N KB of state, for checkpoints of a realistic size           |
| SCALE_QSLEEP_MS=N       | the runtime's pump polls every N ms instead of waking on arrival                  |
| SCALE_PACING=sleep      | each token is timed from the delivery of the last one; server: from the request   |
| SCALE_PROCS=N           | spread the sessions over N processes (default 1)                                  |
| SCALE_CLOCK=virtual     | time jumps instead of passing: for exact costs, never for latency                 |
| SCALE_INJECT_WORK=N     | inject a regression: N rounds of an integer loop at the end of each turn          |
| SCALE_INJECT_THREADS=N  | inject a regression: each session holds N idle OS threads                         |
| SCALE_INJECT_BYTES=N    | inject a regression: each session holds N bytes                                   |
| SCALE_INJECT_FAILING=N  | inject a regression: every Nth session fails at its end                           |
| ESCAPEMENT_WORKERS=auto | workers are asyncio tasks where possible; platform: threads; virtual: tasks       |"""


def test_arms_text_lists_arms_and_variables() -> None:
    """Each arm and each variable has a row."""
    assert arms_text() == ARMS
