"""Small changes to the runtime, counted for real: each is found, with its size, and nothing else is."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness.adapters.host.trees import read_tree
from harness.analysis.costs.count import CounterName
from harness.analysis.costs.slopes import has_changed
from harness.cli.wiring import make_counting
from harness.model.costs import ExactCost, ExactCosts
from harness.model.nouns import Arm, Drive, Load, Side
from harness.model.tree import Tree
from harness.report.costs import cost_sections, in_words
from harness.verbs.cost import count_both
from tests.fakes.fake_progress import FakeProgress

pytestmark = [pytest.mark.counters, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
DRIVES = {side: Drive(arm=Arm.SC_CKPT, environment={}) for side in Side}


def _edited(module: str, *edits: tuple[str, str]) -> Tree:
    """Return the working tree with a module of the runtime that says something else: (old, new), each old once."""
    tree, path = read_tree(ROOT), f"src/escapement/{module}.py"
    (entry,) = [one for one in tree.entries if one.path == path]
    text = entry.content.decode()
    for old, new in edits:
        assert text.count(old) == 1, f"{path} has {text.count(old)} of {old!r}"
        text = text.replace(old, new)
    changed_entry = replace(entry, content=text.encode())
    return Tree(tuple(changed_entry if one is entry else one for one in tree.entries))


def _count(
    branch: Tree | None = None,
    *,
    by: Collection[CounterName] = tuple(CounterName),
    drives: Mapping[Side, Drive] = DRIVES,
) -> ExactCosts:
    base = read_tree(ROOT)
    trees = {Side.BASE: base, Side.BRANCH: branch or base}
    counting = make_counting(FakeProgress())
    chosen = [counter for counter in counting.counters if counter.name in by]
    costs = count_both(replace(counting, counters=chosen), trees, drives, Load())
    print("\n\n".join([in_words(costs), *cost_sections(costs)]))  # noqa: T201 (told when it fails)
    return costs


def _by_name(costs: ExactCosts) -> dict[str, ExactCost]:
    assert costs.missing == ()
    return {cost.name: cost for cost in costs.costs}


def _changed(costs: dict[str, ExactCost]) -> list[str]:
    return [name for name, cost in costs.items() if cost.is_gated and has_changed(cost)]


def _rise(cost: ExactCost) -> float:
    assert cost.base is not None
    assert cost.branch is not None
    return cost.branch - cost.base


def test_identical_trees_cost_the_same() -> None:
    """An A/A finds nothing, and all that is gated repeats."""
    costs = _by_name(_count())
    gated = {name for name, cost in costs.items() if not cost.advisory}
    assert gated == {
        "traced-bytes/session",
        "allocated-blocks/session",
        "system-calls/turn",
        "instructions/turn",
    }
    assert [name for name in gated if not costs[name].is_gated] == []
    assert _changed(costs) == []


def test_one_more_serialisation_an_event_is_found() -> None:
    """What it does to a turn shows as instructions, and neither as memory nor as system calls."""
    line = "        trail = signed(result.trail)\n"
    dumped = '        json.dumps({"name": event.name, "trail": trail})\n'
    branch = _edited(
        "session", (line, line + dumped), ("\nfrom collections", "\nimport json\nfrom collections")
    )
    costs = _by_name(_count(branch))
    assert _rise(costs["instructions/turn"]) > 10_000
    assert _changed(costs) == ["instructions/turn"]


def test_some_bytes_more_a_session_are_found() -> None:
    """64 bytes that a session holds are 64 bytes, and one block."""
    line = "        self._is_busy = False\n\n    def open"
    # a place in the object, and bytes of their own to put there
    held = "        self._ballast = bytes(64 - 8 - bytes().__sizeof__())\n"
    branch = _edited("drain", (line, held + line), ('"_end", ', '"_ballast", "_end", '))
    costs = _by_name(_count(branch, by={CounterName.MEMORY, CounterName.STRACE}))
    assert _rise(costs["traced-bytes/session"]) == pytest.approx(64, abs=0.5)
    assert _rise(costs["allocated-blocks/session"]) == pytest.approx(1, abs=0.01)
    assert _changed(costs) == ["traced-bytes/session", "allocated-blocks/session"]


def test_one_more_system_call_a_turn_is_found() -> None:
    """It is named, and counted to the last digit."""
    line = "            call = reply.tool_call\n"
    asked = '            os.stat("/")\n'
    branch = _edited(
        "conversation",
        (line, asked + line),
        ("\nfrom collections", "\nimport os\nfrom collections"),
    )
    costs = _by_name(_count(branch, by={CounterName.MEMORY, CounterName.STRACE}))
    calls = costs["system-calls/turn"]
    assert _rise(calls) == 1.0
    risen = {name: pair[1] - pair[0] for name, pair in calls.detail.items()}
    ((name, by),) = [(name, by) for name, by in risen.items() if by]
    assert name in {"stat", "newfstatat", "statx"}
    assert by == pytest.approx(1)
    assert _changed(costs) == ["system-calls/turn"]


def test_what_a_probe_injects_is_found() -> None:
    """A gate that is proved by an injection is proved for what is counted too."""
    dear = {"SCALE_INJECT_BYTES": "4096", "SCALE_INJECT_WORK": "1000"}
    drives = DRIVES | {Side.BRANCH: Drive(arm=Arm.SC_CKPT, environment=dear)}
    costs = _by_name(_count(by={CounterName.MEMORY, CounterName.CALLGRIND}, drives=drives))
    assert 4096 <= _rise(costs["traced-bytes/session"]) < 8192
    assert _rise(costs["instructions/turn"]) > 10_000
