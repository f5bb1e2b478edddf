"""The arms: the orchestration styles under test, all over the same mock."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from escapement import (
    Chart,
    Conversation,
    Event,
    FileBackedStore,
    Final,
    LLMRequest,
    MemoryStore,
    SessionResult,
    State,
    Transition,
    arun,
    run,
)
from harness.probe.mock.mock_llm import MockLLM
from harness.probe.settings import Settings

_CHUNK_BYTES = 1024
_FOLDERS = 16  # the same number at every level: no single folder holds all sessions


class Arm(Protocol):
    """One orchestration style; a session that fails raises its error."""

    def run(self, index: int) -> None:
        """Run one session on the calling thread."""

    async def arun(self, index: int) -> None:
        """Run one session on the running loop."""


class UnfinishedError(Exception):
    """A session returned before its last turn."""


class StatechartArm:
    """The runtime with a chart that counts its turns and adds 1 KB of data in each.

    Args:
        scratch: Folder of the transcripts.
        store_of: Returns the store of a session.
    """

    def __init__(
        self,
        settings: Settings,
        llm: MockLLM,
        scratch: Path,
        store_of: Callable[[int], FileBackedStore | MemoryStore],
    ) -> None:
        self._settings = settings
        self._llm = llm
        self._store_of = store_of
        self._chart = make_chart(settings.turns)
        self._transcripts = _make_folders(scratch / "transcripts")

    def run(self, index: int) -> None:
        """Run one session with the runtime's `run`."""
        session_id = _session_id(index)
        self._check(
            run(
                self._chart,
                session_id=session_id,
                llm=self._llm,
                store=self._store_of(index),
                transcript=self._transcript_of(index),
                data=self._data_of(index),
                poll_ms=self._settings.qsleep_ms,
            )
        )

    async def arun(self, index: int) -> None:
        """Run one session with the runtime's `arun`."""
        session_id = _session_id(index)
        self._check(
            await arun(
                self._chart,
                session_id=session_id,
                llm=self._llm,
                store=self._store_of(index),
                transcript=self._transcript_of(index),
                data=self._data_of(index),
                poll_ms=self._settings.qsleep_ms,
            )
        )

    def _transcript_of(self, index: int) -> Path:
        return self._transcripts[index % _FOLDERS] / f"{_session_id(index)}.jsonl"

    def _data_of(self, index: int) -> dict[str, object]:
        return {"count": 0, "chunks": (), "payload": make_payload(index, self._settings.state_kb)}

    def _check(self, result: SessionResult) -> None:
        count = result.data.get("count")
        if result.status != "done" or count != self._settings.turns:
            msg = f"{result.session_id} ended as {result.status!r} after {count!r} turns"
            raise UnfinishedError(msg)


class HandArm:
    """A bare loop over the mock with a message list and a string buffer."""

    def __init__(self, settings: Settings, llm: MockLLM) -> None:
        self._settings = settings
        self._llm = llm
        self._request = LLMRequest("", "", (), ("event__continue",))  # the mock ignores it

    def run(self, index: int) -> None:
        """Run one session as a loop of blocking calls."""
        payload = make_payload(index, self._settings.state_kb)
        messages: list[str] = []
        for turn in range(self._settings.turns):
            messages.append(_prompt_of(turn))
            buffer = io.StringIO()
            self._llm.stream(self._request, buffer.write)
            messages.append(buffer.getvalue())
        del payload

    async def arun(self, index: int) -> None:
        """Run one session as a loop of awaited calls."""
        payload = make_payload(index, self._settings.state_kb)
        messages: list[str] = []
        for turn in range(self._settings.turns):
            messages.append(_prompt_of(turn))
            buffer = io.StringIO()
            await self._llm.astream(self._request, buffer.write)
            messages.append(buffer.getvalue())
        del payload


def make_chart(turns: int) -> Chart:
    """Return the chart: `turn` talks, `decide` returns to `turn` or ends in `finished`.

    Args:
        turns: Turns of a session.
    """

    def is_unfinished(data: Mapping[str, object], _event: Event) -> bool:
        return _count_of(data) < turns

    return Chart(
        "probe",
        "turn",
        (
            State(
                "turn",
                conversation=Conversation(
                    "talk", lambda data: _prompt_of(_count_of(data)), events=("continue",)
                ),
                transitions=(Transition("continue", "decide", actions=(_grow,)),),
            ),
            State(
                "decide",
                transitions=(
                    Transition(target="turn", guard=is_unfinished),
                    Transition(target="finished"),
                ),
            ),
            Final("finished"),
        ),
    )


def make_payload(index: int, state_kb: int) -> str:
    """Return an opaque string of `state_kb` KB, different for each session."""
    return f"{index:08d}" * (state_kb * 1024 // 8)


def _grow(data: Mapping[str, object], _event: Event) -> Mapping[str, object]:
    count = _count_of(data) + 1
    chunks = data["chunks"]
    held = tuple(chunks) if isinstance(chunks, tuple | list) else ()
    return {"count": count, "chunks": (*held, f"{count:08d}" * (_CHUNK_BYTES // 8))}


def _count_of(data: Mapping[str, object]) -> int:
    count = data["count"]
    return count if isinstance(count, int) else 0


def _prompt_of(turn: int) -> str:
    return f"turn {turn}"


def _session_id(index: int) -> str:
    return f"session-{index:06d}"


def _make_folders(parent: Path) -> tuple[Path, ...]:
    folders = tuple(parent / f"{number:02d}" for number in range(_FOLDERS))
    for folder in folders:
        folder.mkdir(parents=True)
    return folders


def _make_sc_ckpt(settings: Settings, llm: MockLLM, scratch: Path) -> Arm:
    stores = [FileBackedStore(folder) for folder in _make_folders(scratch / "checkpoints")]
    return StatechartArm(settings, llm, scratch, lambda index: stores[index % _FOLDERS])


def _make_sc_mem(settings: Settings, llm: MockLLM, scratch: Path) -> Arm:
    store = MemoryStore()
    return StatechartArm(settings, llm, scratch, lambda _index: store)


def _make_hand(settings: Settings, llm: MockLLM, _scratch: Path) -> Arm:
    return HandArm(settings, llm)


ARMS: Mapping[str, Callable[[Settings, MockLLM, Path], Arm]] = {
    "sc-ckpt": _make_sc_ckpt,
    "sc-mem": _make_sc_mem,
    "hand": _make_hand,
}
