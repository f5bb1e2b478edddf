"""Removing a container whose volume takes the engine longer than a call may last."""

from typing import cast

import docker
import pytest
import requests
from docker.models.containers import Container

from harness.adapters.docker import engine as docker_engine
from harness.model.errors import NoBoxError


class SlowContainer:
    """A container that outlives the removal call by some polls."""

    name = "slow"

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def remove(self, *, force: bool, v: bool) -> None:
        """Take longer than the call may last."""
        assert force
        assert v
        raise requests.ReadTimeout

    def reload(self) -> None:
        """Be there for so many looks."""
        if not self.looks:
            message = "no such container"
            raise docker.errors.NotFound(message)
        self.looks -= 1


def test_engine_that_is_slow_to_remove_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a read timeout the container is polled until it is gone."""
    monkeypatch.setattr(docker_engine, "_POLL_S", 0.0)
    container = SlowContainer(looks=3)
    docker_engine.remove(cast("Container", container))
    assert container.looks == 0


def test_engine_that_never_removes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that stays is named, with where to look."""
    monkeypatch.setattr(docker_engine, "_REMOVAL_S", 0.0)
    with pytest.raises(NoBoxError, match="container slow is not gone after 0 s"):
        docker_engine.remove(cast("Container", SlowContainer(looks=3)))
