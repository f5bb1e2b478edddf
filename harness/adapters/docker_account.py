"""What a container used, as its engine saw it from outside: the most of all that was looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docker import APIClient
from docker.errors import APIError
from docker.utils import version_lt

_ONE_LOOK = "1.41"  # an older interface looks twice, a second apart


@dataclass(slots=True)
class Account:
    """The account of one container; None where its engine keeps none.

    Args:
        container: Whose account it is, by its id.
        api: Of its engine.
    """

    container: str
    api: APIClient
    cpu_ms: float | None = None
    memory_peak_bytes: int | None = None
    rss_peak_bytes: int | None = None
    pids_peak: int | None = None

    def look(self) -> None:
        """Look once; an engine that does not tell what its container uses is let be."""
        if version_lt(self.api.api_version, _ONE_LOOK):
            return
        try:
            self.add(self.api.stats(self.container, stream=False, one_shot=True))
        except APIError as error:
            if error.status_code == 404:
                raise

    def add(self, stats: Mapping[str, Any]) -> None:
        """Take in what the engine said; of a container that has just ended it says nothing.

        Source: Docker Engine API, "Get container stats based on resource usage"; cgroup v1 keeps `max_usage` and `total_rss`, v2 `anon`.
        """
        memory = stats.get("memory_stats") or {}
        detail = memory.get("stats") or {}
        used_ns = ((stats.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage")
        self.cpu_ms = _most(self.cpu_ms, used_ns and round(used_ns / 1e6, 1))
        self.memory_peak_bytes = _most(self.memory_peak_bytes, memory.get("max_usage"))
        self.rss_peak_bytes = _most(
            self.rss_peak_bytes, detail.get("total_rss", detail.get("anon"))
        )
        self.pids_peak = _most(self.pids_peak, (stats.get("pids_stats") or {}).get("current"))

    def evidence(self) -> Mapping[str, object]:
        """Return what is known, by the names of the record."""
        known = {
            "cpu-ms": self.cpu_ms,
            "memory-peak-bytes": self.memory_peak_bytes,
            "rss-peak-bytes": self.rss_peak_bytes,
            "pids-peak": self.pids_peak,
        }
        return {name: value for name, value in known.items() if value is not None}


def _most(before: Any, now: Any) -> Any:  # noqa: ANN401  # what an engine says is not typed
    """Return the larger of the two; what is nothing, or no number, is not counted."""
    if not isinstance(now, int | float) or not now:
        return before
    return now if before is None else max(before, now)
