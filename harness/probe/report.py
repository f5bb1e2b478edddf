"""What the worker reports to its supervisor when all its sessions have ended."""

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One worker's own measurements.

    Args:
        ok: Sessions that ended well.
        errors: Sessions that failed.
        err_sample: Type and message of the first failure.
        wall_ms: From the common start to the end of the last session.
        p50_session_ms: Of the sessions that ended well; None without any.
        p99_session_ms: As above.
        cpu_s: Processor time from the common start to the end of the last session.
        deltas: Tokens delivered.
        mock_lag_p99_ms: How late tokens were; None without any.
        base_rss_kb: Resident memory after imports, before the first session.
        peak_rss_kb: The largest resident memory that the kernel saw.
        workers: How the runtime's streams were driven, as the mock saw it.
        python: Version of the interpreter.
        subject: The runtime's path, version and hash.
    """

    ok: int
    errors: int
    err_sample: str | None
    wall_ms: float
    p50_session_ms: float | None
    p99_session_ms: float | None
    cpu_s: float
    deltas: int
    mock_lag_p99_ms: int | None
    base_rss_kb: int | None
    peak_rss_kb: int | None
    workers: str | None
    python: str
    subject: dict[str, str]

    def to_line(self) -> bytes:
        """Return the report as one line, with its end."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self | None:
        """Read a report; None when the worker died before it had written all of it."""
        return cls(**json.loads(line)) if line.endswith(b"\n") else None
