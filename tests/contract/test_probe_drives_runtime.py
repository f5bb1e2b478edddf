"""The current probe drives every version of the runtime."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FIRST_WHEEL = ROOT / "tests" / "data" / "escapement-0.1.0-py3-none-any.whl"

# Parameters that the probe may pass: by position, or by name after the star; `=` marks optional ones.
SURFACE = {
    "Chart": "id, initial, states, data=",
    "State": "id, *, initial=, states=, transitions=, on_entry=, on_exit=, conversation=",
    "Final": "id",
    "Transition": "event=, target=, *, guard=, actions=",
    "Conversation": "id, prompt, *, system=, events=",
    "Event": "name, data=",
    "LLMRequest": "session_id, system, messages, tools",
    "LLMReply": "text, tool_call=",
    "ToolCall": "name, arguments=",
    "LLMBackend.stream": "self, request, on_delta",
    "MemoryStore": "",
    "FileBackedStore": "directory",
    "run": "chart, *, session_id, llm, store, transcript=, data=, poll_ms=",
    "arun": "chart, *, session_id, llm, store, transcript=, data=, poll_ms=",
    "SessionResult": "session_id, status, configuration, data",
}

DESCRIBE = """\
import asyncio, inspect, json, sys
from operator import attrgetter
import escapement


def describe(name):
    parameters = inspect.signature(attrgetter(name)(escapement)).parameters.values()
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    keyword = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    return [[p.name + ("" if p.default is p.empty else "=") for p in kind] for kind in (positional, keyword)]


names = json.loads(sys.argv[1])
surface = {name: describe(name) for name in names}
is_async = asyncio.iscoroutinefunction(escapement.arun)
print(json.dumps({"surface": surface, "async": is_async, "version": escapement.__version__}))
"""


@pytest.fixture(params=["src", "first"], scope="module")
def runtime(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide the folder of a runtime: the sources, or the first wheel."""
    if request.param == "src":
        return ROOT / "src"
    folder = tmp_path_factory.mktemp("first")
    with zipfile.ZipFile(FIRST_WHEEL) as wheel:
        wheel.extractall(folder)
    return folder


def run_python(runtime: Path, *arguments: str, **environment: str) -> str:
    """Run Python with a runtime on its path, and return its output."""
    base = {key: value for key, value in os.environ.items() if not key.startswith("SCALE_")}
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**base, "PYTHONPATH": str(runtime), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def run_probe(runtime: Path, words: str, **environment: str) -> dict[str, Any]:
    """Run the probe with a runtime, and return its RESULT."""
    output = run_python(runtime, "-m", "harness.probe", *words.split(), **environment)
    (line,) = (line for line in output.splitlines() if line.startswith("RESULT "))
    result: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
    return result


def keeps(found: list[list[str]], frozen: str) -> bool:
    """Return whether a signature accepts every call that the frozen one accepts."""
    places, _, names = frozen.partition("*")
    by_place = [word.strip() for word in places.split(",") if word.strip()]
    by_name = {word.strip() for word in names.split(",") if word.strip()}
    positional, keyword = found
    added = [*positional[len(by_place) :], *(set(keyword) - by_name)]
    return (
        positional[: len(by_place)] == by_place
        and by_name <= set(keyword)
        and all(word.endswith("=") for word in added)
    )


@pytest.mark.slow
def test_runtime_has_the_frozen_surface(runtime: Path) -> None:
    """Every name that the probe uses accepts its frozen parameters."""
    described = json.loads(run_python(runtime, "-c", DESCRIBE, json.dumps(list(SURFACE))))
    found = described["surface"]
    broken = {
        name: found[name] for name, frozen in SURFACE.items() if not keeps(found[name], frozen)
    }
    assert broken == {}
    assert described["async"] is True
    assert isinstance(described["version"], str)


@pytest.mark.parametrize(
    ("found", "is_kept"),
    [
        ([["a", "b="], ["c="]], True),
        ([["a", "b=", "x="], ["c=", "y="]], True),
        ([["a", "b=", "x"], ["c="]], False),
        ([["a", "b="], ["c=", "y"]], False),
        ([["a", "b="], []], False),
        ([["b=", "a"], ["c="]], False),
    ],
)
def test_surface_may_grow_but_not_change(found: list[list[str]], *, is_kept: bool) -> None:
    """Only optional parameters may be added; none may be removed, moved or required."""
    assert keeps(found, "a, b=, *, c=") is is_kept


@pytest.mark.slow
@pytest.mark.parametrize(("poll_ms", "procs"), [(0, 1), (5, 1), (0, 2)])
@pytest.mark.parametrize("virtual", ["1", "0"])
@pytest.mark.parametrize("arm", ["sc-ckpt", "sc-mem", "hand"])
def test_probe_drives_the_runtime_to_done(
    runtime: Path, arm: str, virtual: str, poll_ms: int, procs: int
) -> None:
    """Every session of every arm does all its turns, in each mode of the probe."""
    words = f"{arm} 3 4 2 2 1 {poll_ms} 2"
    result = run_probe(runtime, words, SCALE_VT=virtual, SCALE_PROCS=str(procs))
    assert (result["ok"], result["errors"], result["err-sample"]) == (3, 0, None)
    assert result["turns-total"] == 12
    assert (result["deltas"], result["procs"]) == (24, procs)
    assert result["subject"]["path"] == str(runtime / "escapement")
