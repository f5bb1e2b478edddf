"""The resource usage of a container, from the engine's figures."""

from typing import cast

import docker
import pytest
import requests
from docker import APIClient

from harness.adapters.docker.account import EngineAccount

V1 = {
    "cpu_stats": {"cpu_usage": {"total_usage": 1_500_000_000}},
    "memory_stats": {"usage": 9, "max_usage": 70, "stats": {"total_rss": 50, "rss": 1}},
    "pids_stats": {"current": 12, "limit": 24_576},
}
V2 = {
    "cpu_stats": {"cpu_usage": {"total_usage": 2_000_000}},
    "memory_stats": {"usage": 9, "stats": {"anon": 40}},
    "pids_stats": {"current": 3},
}
ENDED = {"cpu_stats": {"cpu_usage": {"total_usage": 0}}, "memory_stats": {}, "pids_stats": {}}


class Engine:
    """An engine that says so, or fails with a status."""

    def __init__(self, version: str = "1.41", status: int = 0) -> None:
        self.api_version = version
        self.status = status
        self.asked = 0

    def stats(self, container: str, *, stream: bool, one_shot: bool) -> dict[str, object]:
        """Say what the container uses."""
        assert (container, stream, one_shot) == ("id", False, True)
        self.asked += 1
        if self.status:
            answer = requests.Response()
            answer.status_code = self.status
            message = "failed"
            raise docker.errors.APIError(message, response=answer)
        return V1


def _account(engine: Engine | None = None) -> EngineAccount:
    return EngineAccount("id", cast("APIClient", engine or Engine()), lambda: 0.0)


def test_account_keeps_the_most_of_what_it_saw() -> None:
    """Peaks stay after a figure falls, and after the container ended."""
    account = _account()
    for stats in (V1, V2, ENDED, {}):
        account.add(stats)
    assert account.evidence() == {
        "cpu-ms": 1500.0,
        "memory-peak-bytes": 70,
        "rss-peak-bytes": 50,
        "pids-peak": 12,
    }


def test_account_of_cgroup_v2_has_no_peak_of_memory() -> None:
    """A figure that the engine does not count is missing."""
    account = _account()
    account.add(V2)
    assert account.evidence() == {"cpu-ms": 2.0, "rss-peak-bytes": 40, "pids-peak": 3}


def test_account_looks_at_engines_that_look_once() -> None:
    """An engine without one-shot figures is not asked for them."""
    old, new = Engine("1.40"), Engine("1.41")
    for engine in (old, new):
        account = _account(engine)
        account.look()
        account.look()
    assert (old.asked, new.asked) == (0, 1)


def test_account_that_the_engine_does_not_give_is_empty() -> None:
    """No figures are no failure of the cell; a container that is gone is one."""
    account = _account(Engine(status=500))
    account.look()
    assert account.evidence() == {}
    with pytest.raises(docker.errors.APIError):
        _account(Engine(status=404)).look()
