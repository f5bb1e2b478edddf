"""What a use case is given: the adapters that stand for the world, and what was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.config import Settings
from harness.model import Drive, Side
from harness.ports import Box, Clock, Progress, Repo, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The adapters that a use case works with, and the name under which it marks what it makes."""

    run_id: str
    box: Box
    repo: Repo
    store: Store
    clock: Clock
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A comparison as it was asked for.

    Args:
        base, main: Refs; None for the merge-base with the default branch.
        drives: The arm and the environment of each side.
        resume: The folder of a run to go on with, whose own plan then counts instead of all else; None for a new one.
    """

    settings: Settings
    base: str | None
    main: str | None
    drives: Mapping[Side, Drive]
    resume: str | None = None
