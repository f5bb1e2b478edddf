"""Exact costs of small changes to the runtime, counted for real."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness.adapters.counters.local_sides import LocalSideFolders
from harness.adapters.counters.runner import CountingRunner
from harness.adapters.counters.tools import CallgrindCounter, MemoryCounter, StraceCounter
from harness.adapters.host.trees import read_tree
from harness.analysis.costs.count import CounterName
from harness.analysis.costs.slopes import has_changed
from harness.model.costs import ExactCost, ExactCosts
from harness.model.nouns import Arm, Drive, Load, Side
from harness.model.tree import Tree
from harness.report.costs import cost_sections, in_words
from harness.verbs.cost import count_both
from harness.verbs.ports import CounterSet
from tests.fakes.fake_progress import FakeProgress

pytestmark = [pytest.mark.counters, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
DRIVES = {side: Drive(arm=Arm.SC_CKPT, environment={}) for side in Side}


def _edited(module: str, *edits: tuple[str, str]) -> Tree:
    """Return the working tree with a changed module: pairs of old and new text."""
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
    base, sides = read_tree(ROOT), LocalSideFolders()
    runs = CountingRunner(confined=lambda: sides.confined)
    counters = (MemoryCounter(runs), StraceCounter(runs), CallgrindCounter(runs))
    counter_set = CounterSet(
        counters=[counter for counter in counters if counter.name in by],
        sides=sides,
        progress=FakeProgress(),
        now_s=lambda: 0.0,
    )
    trees = {Side.BASE: base, Side.BRANCH: branch or base}
    costs = count_both(counter_set, trees, drives, Load())
    print("\n\n".join([in_words(costs), *cost_sections(costs)]))  # noqa: T201 (shown on failure)
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
    """An A/A finds no difference, and every gated cost repeats."""
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
    """It changes instructions, and neither memory nor system calls."""
    line = "        trail = format_trail(result.trail)\n"
    dumped = '        json.dumps({"name": event.name, "trail": trail})\n'
    branch = _edited(
        "session/session",
        (line, line + dumped),
        ("\nfrom collections", "\nimport json\nfrom collections"),
    )
    costs = _by_name(_count(branch))
    assert _rise(costs["instructions/turn"]) > 10_000
    assert _changed(costs) == ["instructions/turn"]


def test_some_bytes_more_a_session_are_found() -> None:
    """64 bytes more in each session are counted as 64 bytes and one block."""
    line = "        self._is_busy = False\n\n    def open"
    # a slot of the object, and bytes of its own to put there
    held = "        self._ballast = bytes(64 - 8 - bytes().__sizeof__())\n"
    branch = _edited(
        "session/loop_pump", (line, held + line), ('"_end", ', '"_ballast", "_end", ')
    )
    costs = _by_name(_count(branch, by={CounterName.MEMORY, CounterName.STRACE}))
    assert _rise(costs["traced-bytes/session"]) == pytest.approx(64, abs=0.5)
    assert _rise(costs["allocated-blocks/session"]) == pytest.approx(1, abs=0.01)
    assert _changed(costs) == ["traced-bytes/session", "allocated-blocks/session"]


def test_one_more_system_call_a_turn_is_found() -> None:
    """It is named, and counted to the last digit."""
    line = "            call = reply.tool_call\n"
    added = '            os.stat("/")\n'
    branch = _edited(
        "session/conversation",
        (line, added + line),
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


def test_costs_that_the_probe_injects_are_found() -> None:
    """An injection proves the gate for exact costs too."""
    injected = {"SCALE_INJECT_BYTES": "4096", "SCALE_INJECT_WORK": "1000"}
    drives = DRIVES | {Side.BRANCH: Drive(arm=Arm.SC_CKPT, environment=injected)}
    costs = _by_name(_count(by={CounterName.MEMORY, CounterName.CALLGRIND}, drives=drives))
    assert 4096 <= _rise(costs["traced-bytes/session"]) < 8192
    assert _rise(costs["instructions/turn"]) > 10_000
