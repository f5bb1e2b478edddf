"""The report of a worker to its supervisor, after all its sessions."""

import base64
import json
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

READY = b"ready\n"  # what a worker writes before its report, when all it waits for is its start


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Measurements of one worker, or of several put together.

    Args:
        ok: Sessions that ended well.
        errors: Sessions that failed.
        err_sample: Type and message of the first failure.
        wall_ms: From the common start to the end of the last session.
        latencies_ms: Of the sessions that ended well, in any order.
        cpu_s: Processor time from the common start to the end of the last session.
        lags: Tokens delivered, by how many whole ms late they were.
        base_rss_kb: Resident memory after imports, before the first session.
        peak_rss_kb: The largest resident memory of one process that the kernel saw.
        workers: How the runtime's streams were driven, as the mock saw it.
        python: Version of the interpreter.
        subject: The runtime's path, version and hash.
    """

    ok: int
    errors: int
    err_sample: str | None
    wall_ms: float
    latencies_ms: "array[float]"
    cpu_s: float
    lags: Mapping[int, int]
    base_rss_kb: int | None
    peak_rss_kb: int | None
    workers: str | None
    python: str
    subject: dict[str, str]

    def to_line(self) -> bytes:
        """Return the report as one line, with its end.

        The latencies are the base64 of their doubles as they are in memory, 11 characters each, since both ends are one
        interpreter on one machine. The lags are pairs of a lag and its tokens.
        """
        body: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        body["latencies_ms"] = base64.b64encode(self.latencies_ms).decode("ascii")
        body["lags"] = list(self.lags.items())
        return json.dumps(body).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self | None:
        """Read a report; None when the worker died before it had written all of it."""
        if not line.endswith(b"\n"):
            return None
        body = json.loads(line)
        body["latencies_ms"] = array("d", base64.b64decode(body["latencies_ms"]))
        body["lags"] = dict(body["lags"])
        return cls(**body)
