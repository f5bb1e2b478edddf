"""The report that a worker sends to its supervisor after its last session."""

import base64
import json
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

READY = b"ready\n"  # a worker writes it when it waits for its start


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The measurements of one worker, or of several after a merge.

    Args:
        ok: Sessions that ended well.
        errors: Sessions that failed.
        err_sample: Type and message of the first failure.
        wall_ms: Time from the common start to the end of the last session.
        latencies_ms: Latencies of the sessions that ended well, in any order.
        cpu_s: CPU time from the common start to the end of the last session.
        lags: Number of delivered tokens, by their lag in whole ms.
        base_rss_kb: Resident memory after the imports, before the first session.
        peak_rss_kb: The kernel's own peak of one process's resident memory.
        workers: Kind of the runtime's workers, as the mock observed it.
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
        """Return the report as one line, newline included.

        The latencies are the base64 of their doubles in memory, 11 characters each: both ends
        run one interpreter on one machine. The lags are pairs of a lag and its tokens.
        """
        body: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        body["latencies_ms"] = base64.b64encode(self.latencies_ms).decode("ascii")
        body["lags"] = list(self.lags.items())
        return json.dumps(body).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self | None:
        """Return the report in a line; None for a line that was cut short."""
        if not line.endswith(b"\n"):
            return None
        body = json.loads(line)
        body["latencies_ms"] = array("d", base64.b64decode(body["latencies_ms"]))
        body["lags"] = dict(body["lags"])
        return cls(**body)
