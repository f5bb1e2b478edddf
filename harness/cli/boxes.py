"""The box that cells run in: the wanted kind, or the first that works here."""

from collections.abc import Callable, Generator
from contextlib import closing

from harness.adapters.docker.box import DockerBox
from harness.adapters.local.box import LocalBox
from harness.adapters.local.enforcement import find_enforcements, watchdog_enforcement
from harness.model.errors import NoBoxError
from harness.model.request import AUTO, BOXES
from harness.verbs.doctor import BoxFact
from harness.verbs.ports import Box

_HINT = "`invoke doctor` shows what each box needs"


def choose_box(wanted: str, say: Callable[[str], None]) -> Box:
    """Open a box; report its kind, and why no better one works.

    Args:
        wanted: One of `BOXES`, or `AUTO` for the first that works.
        say: Called with progress messages.

    Raises:
        NoBoxError: The wanted box does not work here, or none does.
    """
    refused: list[str] = []
    box = open_box(wanted, say) if wanted != AUTO else _first_that_works(say, refused)
    info = box.describe("")
    why = f"; {'; '.join(refused)}" if refused else ""
    say(f"box    {info.box}, {info.engine}, cgroup {info.cgroup}{why}")
    return box


def open_every_box() -> Generator[Box, None, None]:
    """Yield each box that works here, and close it afterwards."""
    for kind in BOXES:
        try:
            box = open_box(kind, lambda _: None)
        except NoBoxError:
            continue
        with closing(box):
            yield box


def open_box(kind: str, say: Callable[[str], None]) -> Box:
    """Open a box of one kind.

    Raises:
        NoBoxError: It does not work here; the message holds the reason.
    """
    if kind == "docker":
        return DockerBox(say)
    if kind == "watchdog":
        return LocalBox(watchdog_enforcement(), say)
    enforcements, refused = find_enforcements()
    for enforcement in enforcements:
        try:
            return LocalBox(enforcement, say)
        except NoBoxError as error:
            refused.append(error.what)
    raise NoBoxError("; ".join(refused), hint=_HINT)


def find_box_facts() -> list[BoxFact]:
    """Return for each kind of box whether it works here, the best first."""
    return [_find_box_fact(kind) for kind in BOXES]


def _find_box_fact(kind: str) -> BoxFact:
    try:
        with closing(open_box(kind, lambda _: None)) as box:
            info = box.describe("")
            engine = (
                f", API {box.api_version} at {info.endpoint}" if isinstance(box, DockerBox) else ""
            )
    except NoBoxError as error:
        return BoxFact(kind=kind, works=False, found=error.what)
    swap = "swap enforced" if "swap" in info.holds else "swap not enforced"
    found = f"{info.engine}{engine}, cgroup {info.cgroup}, {swap}"
    return BoxFact(kind=kind, works=True, found=found, doubts=info.warnings)


def _first_that_works(say: Callable[[str], None], refused: list[str]) -> Box:
    for kind in BOXES:
        try:
            return open_box(kind, say)
        except NoBoxError as error:
            refused.append(f"no {kind}: {error.what}")
    msg = "there is no box to run cells in"
    raise NoBoxError(msg, hint=_HINT, tail=refused)
