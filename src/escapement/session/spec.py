"""The input and the result of a session."""

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
    """The end of a session.

    Attributes:
        session_id: The session.
        status: "done" in a top-level final state; "aborted" after a cancellation; "idle" if
            neither, but no event is left and nothing can post one.
        configuration: The ids of the active states, in document order.
        data: A copy of the session's data.
    """

    session_id: str
    status: Status
    configuration: tuple[str, ...]
    data: Mapping[str, object]


@dataclass(slots=True)
class SessionSpec:
    """The arguments of `run` and `arun` that define a session, without a backend."""

    chart: Chart
    session_id: str
    store: Store
    transcript: Path | None
    data: Mapping[str, object]
    cancel: CancelToken | None
    wedged_after_s: float
