"""The plan, the index and the list of arms, as people read them."""

import pytest
from msgspec import structs

from harness.analysis.comparison import compare
from harness.model.nouns import Outcome, Purity, Side
from harness.model.plan import Plan
from harness.report.arms import arms_text
from harness.report.derived import report_of
from harness.report.index import index_text
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
cells, 10 while none fails:
    1. C=1 base, to see that it runs at all
    2. C=1 branch, to see that it runs at all
    3. C=500 base, block 1, pair 1
    4. C=500 branch, block 1, pair 1
    5. C=500 branch, block 1, pair 2
    6. C=500 base, block 1, pair 2
    7. C=1,000 branch, block 1, pair 1
    8. C=1,000 base, block 1, pair 1
    9. C=1,000 base, block 1, pair 2
   10. C=1,000 branch, block 1, pair 2"""


def test_plan_text_shows_all_that_would_be_done() -> None:
    """Refs, hashes, images and every cell in order."""
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


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, []),
        (
            {"refine": True},
            [
                (
                    "then refinement: where a side breaks, both ends of its bracket until 2 of 3 cells agree, then levels between them "
                    "until they are within 10 %"
                )
            ],
        ),
        (
            {"pairs": 8, "budget_s": 1200.0},
            [
                "then refinement: where the sides break at different levels, the ends of both brackets until 2 of 3 cells agree",
                (
                    "then decision: 8 pairs a level, those of the ladder included, at the highest level up to half of the base's capacity "
                    "(latency inflation up to 2.00×) and at the last level that both pass"
                ),
                "then budget: more ABBA blocks at the decision levels, where they show most a second, up to 1200 s in all",
            ],
        ),
        (
            {"refine": True, "pairs": 1, "decision_levels": (500, 1000)},
            [
                (
                    "then refinement: where a side breaks, both ends of its bracket until 2 of 3 cells agree, then levels between them "
                    "until they are within 10 %"
                ),
                "then decision: 1 pair a level, those of the ladder included, at C=500, C=1,000, where that is below both knees",
            ],
        ),
    ],
)
def test_plan_text_says_what_will_follow_from_the_ladder(
    settings: dict[str, object], expected: list[str]
) -> None:
    """Which cells refinement and decision run is not known before; why they run is."""
    fields: dict[str, object] = {"levels": (500,), "blocks": 1, "sides": tuple(Side), **settings}
    plan = Plan(**fields)  # type: ignore[arg-type]  # each has the type of its field
    sides = (make_side(Side.BASE), make_side(Side.BRANCH))
    built = dict.fromkeys(Side, True)
    shown = plan_text(sides, Purity.CHANGE, "because", built, plan)
    assert [line for line in shown.splitlines() if line.startswith("then ")] == expected


def test_plan_text_shows_the_warm_up() -> None:
    """It is among the cells that are certain, and says what becomes of it."""
    plan = Plan(levels=(500,), blocks=1, sides=(Side.BRANCH,), warm_up=True)
    shown = plan_text([make_side(Side.BRANCH)], Purity.AA, "one build", {Side.BRANCH: True}, plan)
    assert "    2. C=500 branch, a warm-up whose numbers are thrown away" in shown.splitlines()


def test_plan_text_of_one_side_names_no_pairs() -> None:
    """A cell that has no partner is of no pair."""
    plan = Plan(levels=(500,), blocks=1, sides=(Side.BRANCH,))
    side = make_side(Side.BRANCH)
    shown = plan_text([side], Purity.AA, "one build", {Side.BRANCH: True}, plan)
    assert shown.splitlines()[-1] == "    2. C=500 branch"


def test_plan_text_holds_nothing_that_a_terminal_acts_on() -> None:
    """A commit's title is data, also where no table escapes it."""
    side = make_side(Side.BRANCH, title="a\x1b[2Jb", environment={"A": "c\nd"})
    shown = plan_text(
        [side], Purity.AA, "e\rf", {Side.BRANCH: True}, Plan(levels=(), blocks=1, sides=())
    )
    assert [line for line in shown.split("\n") if not line.isprintable()] == []
    assert shown.count("\n") == 8


INDEX = r"""# Results, the newest first

| run                       | compared               | levels     | result                                                                                 |
|:--------------------------|:-----------------------|:-----------|:---------------------------------------------------------------------------------------|
| [3-mem](3-mem/table.md)   | change                 | 500, 1,000 | base: the knee is between C=500 and C=1,000: oom (a\|b); branch: no knee up to C=1,000 |
| [2-ramp](2-ramp/table.md) | one build (incomplete) | 500, 1,000 | the build: no knee up to C=500                                                         |
| [1-torn](1-torn/table.md) | cannot be read         | –          | –                                                                                      |
"""


def test_index_text_lists_every_run() -> None:
    """A run that is incomplete or cannot be read is listed too, and says so."""
    died = make_cell(Side.BASE, 1000, Outcome.OOM, reason="a|b")
    cells = [*make_block(500), died, ok_cell(Side.BRANCH, 1000)]
    change = compare(make_run(), cells, complete=True)
    ramp = compare(make_run(sides=[Side.BRANCH]), [ok_cell(Side.BRANCH, 500)], complete=False)
    runs = [("3-mem", report_of(change)), ("2-ramp", report_of(ramp)), ("1-torn", None)]
    assert index_text(runs) == INDEX


@pytest.mark.parametrize("purity", list(Purity))
def test_index_text_says_what_was_compared(purity: Purity) -> None:
    """Each kind of run can be told from the others."""
    run = structs.replace(make_run(), purity=purity)
    report = report_of(compare(run, [], complete=True))
    assert f"| {purity} " in index_text([("1", report)])


ARMS = """\
| arm     | what it is                                                                     |
|:--------|:-------------------------------------------------------------------------------|
| sc-ckpt | the runtime with checkpoints on disk and a transcript: the shape of production |
| sc-mem  | the same with an in-memory store: isolates the cost of engine and queue        |
| hand    | a bare loop over the same mock, no runtime at all: the floor                   |

| --env                   | what it does                                                                            |
|:------------------------|:----------------------------------------------------------------------------------------|
| SCALE_VT=1              | one asyncio task a session (the image's default); 0 is one OS thread a session          |
| SCALE_STATE_KB=N        | each session carries N KB of state, so that checkpoints are realistically large         |
| SCALE_QSLEEP_MS=N       | the runtime's pump polls each N ms instead of waking on arrival                         |
| SCALE_PACING=sleep      | the next token is timed from the delivery of this one; server: from the request         |
| SCALE_PROCS=N           | the sessions are dealt out to N processes (default 1)                                   |
| SCALE_CLOCK=virtual     | time jumps instead of passing: for exact costs, never for latency                       |
| SCALE_INJECT_WORK=N     | a regression on order: N rounds of a fixed integer loop at the end of each turn         |
| SCALE_INJECT_THREADS=N  | a regression on order: each session holds N idle OS threads                             |
| SCALE_INJECT_BYTES=N    | a regression on order: each session holds N bytes                                       |
| SCALE_INJECT_FAILING=N  | a regression on order: every Nth session fails at its end                               |
| ESCAPEMENT_WORKERS=auto | the workers of a session are tasks where they can be; platform: threads; virtual: tasks |"""


def test_arms_text_tells_what_can_be_driven() -> None:
    """Every arm has a row, and every toggle below them one."""
    assert arms_text() == ARMS
