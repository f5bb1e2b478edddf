"""Start a probe as a process, with a real or a fake runtime, and read its output."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

FAKE = """\
from dataclasses import dataclass, field

__version__ = "9"


@dataclass
class Bag:
    args: tuple

    def __init__(self, *args, **kwargs):
        self.args = args


Chart = Conversation = Event = FileBackedStore = Final = MemoryStore = State = Transition = Bag


@dataclass
class ToolCall:
    name: str


@dataclass
class LLMReply:
    text: str
    tool_call: ToolCall


@dataclass
class LLMRequest:
    session_id: str
    system: str
    messages: tuple
    tools: tuple


@dataclass
class SessionResult:
    session_id: str
    status: str
    data: dict


async def arun(chart, **kwargs):
    return run(chart, **kwargs)


"""

SUBJECTS = {
    "prints": """
def run(chart, *, session_id, llm, **kwargs):
    print("RESULT {not ours}", flush=True)
    return SessionResult(session_id, "done", {"count": 2})
""",
    "fails": """
def run(chart, *, session_id, **kwargs):
    if session_id.endswith("1"):
        raise ValueError("no luck")
    return SessionResult(session_id, "done", {"count": 2})
""",
    "stops-early": """
def run(chart, *, session_id, **kwargs):
    return SessionResult(session_id, "idle", {"count": 1})
""",
    "exits": """
import os, sys
def run(chart, **kwargs):
    print("last words", file=sys.stderr, flush=True)
    os._exit(5)
""",
    "exits-in-one-shard": """
import asyncio, os, sys
async def arun(chart, *, session_id, **kwargs):
    if session_id.endswith("1"):
        print("last words", file=sys.stderr, flush=True)
        os._exit(5)
    await asyncio.Event().wait()
run = None
""",
    "does-not-start-in-one-shard": """
import sys
if sys.argv[5] == "1":  # the worker's argument that numbers the shard
    raise RuntimeError("no start")
run = None
""",
    "hangs": """
import threading
def run(chart, **kwargs):
    threading.Event().wait()
""",
    "holds-the-lock": """
import ctypes
def run(chart, **kwargs):
    ctypes.PyDLL(None).sleep(600)  # a call that keeps the interpreter's lock
""",
    "wedges": """
async def arun(chart, *, session_id, **kwargs):
    raise RuntimeError(f"{session_id} is wedged in state 'turn': nothing came for 200 s")
run = None
""",
    "opens-files": """
import os, resource
def run(chart, **kwargs):
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    while True:
        os.open("/dev/null", os.O_RDONLY)
""",
    "leaks": """
import threading
def run(chart, *, session_id, **kwargs):
    threading.Thread(target=threading.Event().wait).start()
    return SessionResult(session_id, "done", {"count": 2})
""",
}


Probe = subprocess.Popen[str]
Start = Callable[..., Probe]  # called with the command line, perhaps a subject, an environment


def start_probe(
    folder: Path, words: str, subject: str | None, environment: dict[str, str]
) -> Probe:
    """Start a probe.

    Args:
        folder: Folder of its scratch folder and its subject.
        words: Its arguments.
        subject: A name in SUBJECTS; None for the runtime of this tree.
        environment: Overrides the present environment.
    """
    path = ROOT / "src"
    if subject is not None:
        path = folder / "subject"
        package = path / "escapement"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(FAKE + SUBJECTS[subject], encoding="utf-8")
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    base = {key: value for key, value in os.environ.items() if not key.startswith("SCALE_")}
    env = {**base, "PYTHONPATH": str(path), "TMPDIR": str(scratch), **environment}
    command = [sys.executable, "-m", "harness.probe", *words.split()]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=pipe, stderr=pipe, text=True)


@dataclass(frozen=True)
class Ended:
    """The end of a probe, and the maps that it printed, by their words."""

    code: int
    maps: dict[str, list[dict[str, Any]]]
    stdout: str
    stderr: str

    @property
    def result(self) -> dict[str, Any]:
        """Return the one RESULT."""
        (result,) = self.maps["RESULT"]
        return result

    @property
    def outcome(self) -> dict[str, Any]:
        """Return the one OUTCOME."""
        (outcome,) = self.maps["OUTCOME"]
        return outcome


def end(process: Probe) -> Ended:
    """Wait for the end of a probe, and read its output."""
    stdout, stderr = process.communicate(timeout=60)
    maps: dict[str, list[dict[str, Any]]] = {}
    for line in stdout.splitlines():
        word, _, body = line.partition(" ")
        if word.isupper():
            maps.setdefault(word, []).append(json.loads(body))
    return Ended(process.returncode, maps, stdout, stderr)


def read_until(process: Probe, word: str) -> str:
    """Return the first line of the output that starts with a word."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(word):
            return line
    pytest.fail(f"no {word} line")


def workers_of(process: Probe) -> list[int]:
    """Return the process ids of a probe's workers, in the order of their starts."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in children.read_text(encoding="ascii").split()]


def is_gone(pid: int) -> bool:
    """Return whether a process has ended, waited for or not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return True
    return status.rpartition(")")[2].split()[0] == "Z"
