"""Waiting for an engine that is away."""

from typing import cast

import docker
import pytest
import requests

from harness.adapters.docker.engine import EngineRetry
from harness.model.errors import NoBoxError


class Api:
    """A client with a retry."""

    timeout = 30


class Engine:
    """An engine that does not answer for so many pings, and then does."""

    def __init__(self, silent: int) -> None:
        self.api = Api()
        self.silent = silent
        self.patience: list[int] = []

    def ping(self) -> None:
        """Answer, or not."""
        self.patience.append(self.api.timeout)
        if self.silent:
            self.silent -= 1
            message = "refused"
            raise requests.ConnectionError(message)


class Waiting:
    """A clock that goes on while somebody sleeps, and what was said meanwhile."""

    def __init__(self, engine: Engine) -> None:
        self.now = 0.0
        self.said: list[str] = []
        client = cast("docker.DockerClient", engine)
        self.back = EngineRetry(client, self.said.append, lambda: self.now, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


def test_engine_that_answers_is_not_waited_for() -> None:
    """Nothing is said, and a small call's patience is what it was."""
    engine = Engine(silent=0)
    waiting = Waiting(engine)
    waiting.back.wait()
    assert (waiting.now, waiting.said, engine.patience, engine.api.timeout) == (0.0, [], [5], 30)


def test_engine_that_comes_back_is_waited_for_and_told_once() -> None:
    """However often it is asked, one line says that it is waited for."""
    waiting = Waiting(Engine(silent=7))
    waiting.back.wait()
    assert waiting.said == ["the engine does not answer (refused): retrying for 60 s at most"]
    assert 0 < waiting.now < 60


def test_engine_that_stays_away_is_given_up_once() -> None:
    """After a minute without an answer, each further call is tried once."""
    engine = Engine(silent=1_000)
    waiting = Waiting(engine)
    with pytest.raises(NoBoxError, match="has not come back within 60 s: refused"):
        waiting.back.wait()
    assert waiting.now == pytest.approx(60, abs=1)
    with pytest.raises(NoBoxError, match="has not come back"):
        waiting.back.wait()
    assert waiting.now == pytest.approx(60, abs=1)
    engine.silent = 0
    waiting.back.wait()
    engine.silent = 3
    waiting.back.wait()
    assert len(waiting.said) == 2
