"""The account that an engine's host keeps of one container: read from its control group where that is in sight, else asked of the engine."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from docker import APIClient
from docker.errors import APIError
from docker.models.containers import Container
from docker.utils import version_lt

from harness.adapters.host.cgroups import Account, CgroupAccount, Usage, find_group

_ONE_LOOK = "1.41"  # an older interface looks twice, a second apart
_EACH_S = 2.0  # a look takes 6 ms of the engine's processor time


def open_account(container: Container, api: APIClient) -> Account:
    """Return the account of a container that runs."""
    container.reload()
    place = find_group(int(container.attrs["State"].get("Pid") or 0), str(container.id))
    if place is not None:
        return CgroupAccount(place)
    return EngineAccount(str(container.id), api)


class EngineAccount:
    """The account that an engine gives of a container.

    Args:
        container: Its id.
        api: Of its engine.
        now_s: A monotonic clock.
    """

    def __init__(
        self, container: str, api: APIClient, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._container, self._api, self._now_s = container, api, now_s
        self._usage = Usage()
        self._looked_at = float("-inf")

    def look(self) -> None:
        """Look at what it uses now; an engine that does not tell is let be."""
        if version_lt(self._api.api_version, _ONE_LOOK):
            return
        if self._now_s() - self._looked_at < _EACH_S:
            return
        self._looked_at = self._now_s()
        try:
            self.add(self._api.stats(self._container, stream=False, one_shot=True))
        except APIError as error:
            if error.status_code == 404:
                raise

    def add(self, stats: Mapping[str, Any]) -> None:
        """Take in what the engine said.

        Source: Docker Engine API, "Get container stats based on resource usage"; of cgroup v1 it has `max_usage` and `total_rss`, of v2 `anon`.
        """
        memory = stats.get("memory_stats") or {}
        detail = memory.get("stats") or {}
        used_ns = ((stats.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage")
        self._usage.take(
            Usage(
                cpu_ms=used_ns and round(used_ns / 1e6, 1),
                memory_peak_bytes=memory.get("max_usage"),
                rss_peak_bytes=detail.get("total_rss", detail.get("anon")),
                pids_peak=(stats.get("pids_stats") or {}).get("current"),
            )
        )

    def evidence(self) -> Mapping[str, object]:
        """Return what was used, by the names of the record."""
        return self._usage.evidence()
