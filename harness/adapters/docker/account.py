"""The usage of a container, from its cgroup if visible, else from the engine."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from docker import APIClient
from docker.errors import APIError
from docker.models.containers import Container
from docker.utils import version_lt

from harness.adapters.host.cgroups import Account, CgroupAccount, Usage, find_group

_ONE_SHOT = "1.41"  # an older API samples twice, a second apart
_EACH_S = 2.0  # a sample takes 6 ms of the engine's CPU time


def open_account(container: Container, api: APIClient) -> Account:
    """Return the account of a running container."""
    container.reload()
    group = find_group(int(container.attrs["State"].get("Pid") or 0), str(container.id))
    if group is not None:
        return CgroupAccount(group)
    return EngineAccount(str(container.id), api)


class EngineAccount:
    """The account that an engine keeps of a container.

    Args:
        container: Its id.
        now_s: A monotonic clock.
    """

    def __init__(
        self, container: str, api: APIClient, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._container, self._api, self._now_s = container, api, now_s
        self._usage = Usage()
        self._looked_at = float("-inf")

    def look(self) -> None:
        """Sample the statistics; an engine without statistics is ignored."""
        if version_lt(self._api.api_version, _ONE_SHOT):
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
        """Add one sample.

        Source: Docker Engine API, "Get container stats based on resource usage"; cgroup v1 has
            `max_usage` and `total_rss`, v2 has `anon`.
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
        """Return the usage by the names of the record."""
        return self._usage.evidence()
