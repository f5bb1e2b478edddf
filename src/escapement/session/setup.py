"""What a session is made from, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from escapement.cancel import CancelToken
from escapement.chart import Chart
from escapement.storage.store import Store

Status = Literal["done", "idle", "aborted"]


@dataclass(frozen=True, slots=True)
class SessionResult:
    """How a session ended.

    Attributes:
        session_id: The session.
        status: "done" when the chart reached a top-level final state; "idle" when it didn't, but
            no event is left and nothing can send one; "aborted" when it was cancelled.
        configuration: The ids of the active states, in document order.
        data: A copy of the session's data.
    """

    session_id: str
    status: Status
    configuration: tuple[str, ...]
    data: Mapping[str, object]


@dataclass(slots=True)
class Setup:
    """What a session is made from; the arguments of `run` and `arun`, but for the backend, which its site knows."""

    chart: Chart
    session_id: str
    store: Store
    transcript: Path | None
    data: Mapping[str, object]
    cancel: CancelToken | None
    wedged_after_s: float
