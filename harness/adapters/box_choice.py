"""Which box cells run in: the one that was asked for, or the first that works here."""

from collections.abc import Callable, Generator
from typing import Protocol

from harness.adapters.docker_box import DockerBox
from harness.adapters.local.holding import find_holdings, watchdog
from harness.adapters.local.local_box import LocalBox
from harness.config import AUTO, BOXES
from harness.errors import NoBoxError
from harness.ports import Box


class OpenBox(Box, Protocol):
    """A box that holds on to something."""

    @property
    def lock_name(self) -> str:
        """What two runs would share, as the name of a lock: this machine, or an engine elsewhere."""

    def close(self) -> None:
        """Let go of it."""


def choose_box(wanted: str, say: Callable[[str], None]) -> OpenBox:
    """Open a box, and tell which it is, and why none of the better ones.

    Args:
        wanted: One of `BOXES`, or `AUTO` for the first of them that works.
        say: Is told.

    Raises:
        NoBoxError: It does not work here, or none does.
    """
    refused: list[str] = []
    box = open_box(wanted, say) if wanted != AUTO else _first_that_works(say, refused)
    info = box.describe("")
    why = f"; {'; '.join(refused)}" if refused else ""
    say(f"box    {info.box}, {info.engine}, cgroup {info.cgroup}{why}")
    return box


def _first_that_works(say: Callable[[str], None], refused: list[str]) -> OpenBox:
    """Open the best box that works, and note why those before it do not."""
    for kind in BOXES:
        try:
            return open_box(kind, say)
        except NoBoxError as error:
            refused.append(f"no {kind}: {error.what}")
    msg = "there is no box to run cells in"
    raise NoBoxError(msg, hint="`invoke doctor` tells what each box needs", tail=refused)


def open_every_box() -> Generator[OpenBox, None, None]:
    """Open each box that works here, for as long as it is looked at."""
    for kind in BOXES:
        try:
            box = open_box(kind, lambda _: None)
        except NoBoxError:
            continue
        try:
            yield box
        finally:
            box.close()


def open_box(kind: str, say: Callable[[str], None]) -> OpenBox:
    """Open a box of one kind.

    Raises:
        NoBoxError: It does not work here; it says why.
    """
    if kind == "docker":
        return DockerBox(say)
    if kind == "watchdog":
        return LocalBox(watchdog(), say)
    holdings, refused = find_holdings()
    for holding in holdings:
        try:
            return LocalBox(holding, say)
        except NoBoxError as error:
            refused.append(error.what)
    msg = "; ".join(refused)
    raise NoBoxError(msg, hint="`invoke doctor` tells what each box needs")
