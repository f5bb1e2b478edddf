"""The plan, the index and the list of arms, as people read them."""

import pytest
from msgspec import structs

from harness.compare import compare
from harness.model import Outcome, Purity, Side
from harness.plan import Plan, planned_slots
from harness.report import arms_text, index_text, plan_text
from tests.fakes.builders import make_block, make_cell, make_run, make_side, ok_cell

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
    slots = planned_slots(Plan(levels=(500, 1000), blocks=1, sides=tuple(Side)))
    built = {Side.BASE: True, Side.BRANCH: False}
    shown = plan_text(sides, Purity.CHANGE, "the merge-base with main", built, slots)
    assert shown == PLAN


def test_plan_text_of_one_side_names_no_pairs() -> None:
    """A cell that has no partner is of no pair."""
    slots = planned_slots(Plan(levels=(500,), blocks=1, sides=(Side.BRANCH,)))
    side = make_side(Side.BRANCH)
    shown = plan_text([side], Purity.AA, "one build", {Side.BRANCH: True}, slots)
    assert shown.splitlines()[-1] == "    2. C=500 branch"


def test_plan_text_holds_nothing_that_a_terminal_acts_on() -> None:
    """A commit's title is data, also where no table escapes it."""
    side = make_side(Side.BRANCH, title="a\x1b[2Jb", environment={"A": "c\nd"})
    shown = plan_text([side], Purity.AA, "e\rf", {Side.BRANCH: True}, [])
    assert [line for line in shown.split("\n") if not line.isprintable()] == []
    assert shown.count("\n") == 8


INDEX = r"""# Results, the newest first

| run                       | compared               | levels     | knees                                                                                  |
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
    assert index_text([("3-mem", change), ("2-ramp", ramp), ("1-torn", None)]) == INDEX


@pytest.mark.parametrize("purity", list(Purity))
def test_index_text_says_what_was_compared(purity: Purity) -> None:
    """Each kind of run can be told from the others."""
    run = structs.replace(make_run(), purity=purity)
    assert f"| {purity} " in index_text([("1", compare(run, [], complete=True))])


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
| ESCAPEMENT_WORKERS=auto | the workers of a session are tasks where they can be; platform: threads; virtual: tasks |"""


def test_arms_text_tells_what_can_be_driven() -> None:
    """Every arm has a row, and every toggle below them one."""
    assert arms_text() == ARMS
