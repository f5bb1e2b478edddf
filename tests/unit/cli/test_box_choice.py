"""The choice of a box, and the tasks that look into every box."""

from collections.abc import Callable
from pathlib import Path

import pytest
from invoke.program import Program

import tasks
from harness.adapters.host import facts as host_facts
from harness.cli import boxes
from harness.cli.boxes import choose_box, open_every_box
from harness.cli.flags import Flags
from harness.cli.wiring import examine_host
from harness.model.errors import NoBoxError
from harness.model.runs import BoxInfo
from tests.builders.checkout import Checkout
from tests.builders.model import make_box_info
from tests.fakes.fake_box import FakeBox

Have = Callable[..., list["OpenFake"]]
_NO = "no {0}: there is nothing to {0} with"


class OpenFake(FakeBox):
    """A fake of one kind that can be closed.

    Args:
        kind: What it says that it is.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.is_closed = False

    def describe(self, base_image: str) -> BoxInfo:
        """Say what it is."""
        return make_box_info(
            base_image=base_image, box=self.kind, engine=f"{self.kind}!", cgroup="v2"
        )

    @property
    def lock_name(self) -> str:
        """A lock that no other run takes."""
        return "test"

    def close(self) -> None:
        """Note that it was closed."""
        self.is_closed = True


@pytest.fixture
def have(monkeypatch: pytest.MonkeyPatch) -> Have:
    """Return a function that sets which boxes work, and returns the opened ones."""

    def settle(*kinds: str) -> list[OpenFake]:
        opened: list[OpenFake] = []

        def open_box(kind: str, _say: Callable[[str], None]) -> OpenFake:
            if kind not in kinds:
                msg = f"there is nothing to {kind} with"
                raise NoBoxError(msg, hint="get one")
            opened.append(OpenFake(kind))
            return opened[-1]

        monkeypatch.setattr(boxes, "open_box", open_box)
        return opened

    return settle


@pytest.mark.parametrize(
    ("kinds", "line"),
    [
        (("docker", "cgroup", "watchdog"), "box    docker, docker!, cgroup v2"),
        (
            ("cgroup", "watchdog"),
            "box    cgroup, cgroup!, cgroup v2; no docker: there is nothing to docker with",
        ),
        (
            ("watchdog",),
            f"box    watchdog, watchdog!, cgroup v2; {'; '.join(_NO.format(kind) for kind in ('docker', 'cgroup'))}",
        ),
    ],
)
def test_auto_takes_the_best_box_and_says_why_no_better_one(
    have: Have, kinds: tuple[str, ...], line: str
) -> None:
    """Only the first box that works is opened, and the line says why."""
    opened, said = have(*kinds), list[str]()
    box = choose_box("auto", said.append)
    assert (opened, said) == ([box], [line])


def test_a_box_that_is_asked_for_is_taken_or_refused(have: Have) -> None:
    """A person who asks for one box gets no other, and the reason in its own words."""
    have("docker", "watchdog")
    said = list[str]()
    assert choose_box("watchdog", said.append).describe("").box == "watchdog"
    assert said == ["box    watchdog, watchdog!, cgroup v2"]
    with pytest.raises(NoBoxError, match=r"^there is nothing to cgroup with — get one$"):
        choose_box("cgroup", said.append)


def test_no_box_at_all_is_told_with_every_reason(have: Have) -> None:
    """The error names each box that was tried, and the way to learn more."""
    have()
    with pytest.raises(NoBoxError) as caught:
        choose_box("auto", print)
    assert str(caught.value).splitlines() == [
        "there is no box to run cells in — `invoke doctor` shows what each box needs",
        "  | no docker: there is nothing to docker with",
        "  | no cgroup: there is nothing to cgroup with",
        "  | no watchdog: there is nothing to watchdog with",
    ]


def test_every_box_that_works_is_opened_and_closed(have: Have) -> None:
    """Leftovers are looked for wherever they may be."""
    opened = have("docker", "watchdog")
    seen = [(box.describe("").box, opened[-1].is_closed) for box in open_every_box()]
    assert seen == [("docker", False), ("watchdog", False)]
    assert [box.is_closed for box in opened] == [True, True]


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Return a function that runs Invoke and returns its exit code."""
    monkeypatch.setenv("HOME", str(tmp_path))  # no ~/.invoke.yaml

    def run(*words: str) -> int:
        try:
            Program(namespace=tasks.ns, version="0").run(["invoke", *words])
        except SystemExit as ending:
            return int(str(ending.code))
        return 0

    return run


def test_clean_looks_into_every_box(
    have: Have,
    invoke: Callable[..., int],
    git_checkout: Callable[..., Checkout],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A run may have been in any of them."""
    opened = have("docker", "cgroup")
    assert invoke("clean", "--repo", str(git_checkout().root)) == 0
    assert capsys.readouterr().out == "nothing was left behind\n"
    assert [(box.kind, box.reaped, box.is_closed) for box in opened] == [
        ("docker", [None], True),
        ("cgroup", [None], True),
    ]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watch the load of the host for a moment only."""
    monkeypatch.setattr(host_facts, "_LOOK_S", 0.01)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("kinds", "code"), [(("watchdog",), 0), ((), 12)])
def test_doctor_exits_by_whether_anything_can_run(
    have: Have,
    invoke: Callable[..., int],
    git_checkout: Callable[..., Checkout],
    capsys: pytest.CaptureFixture[str],
    kinds: tuple[str, ...],
    code: int,
) -> None:
    """A warning does not fail the doctor; a machine without any box does."""
    have(*kinds)
    assert invoke("doctor", "--repo", str(git_checkout().root)) == code
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("  ")[1].strip() == "docker box"
    assert (lines[-1] == "Nothing can be run here: no box works.") == (code == 12)
    assert any(" is compared with " in line for line in lines)


@pytest.mark.usefixtures("at_once")
def test_doctor_outside_a_checkout_says_so(have: Have, tmp_path: Path) -> None:
    """It is no error to ask a machine what it is good for, wherever that is."""
    have("watchdog")
    text = examine_host(Flags(typed={"repo": str(tmp_path)}))
    assert f"{tmp_path} is not in a git repository" in text
    assert "nothing can be compared" in text
