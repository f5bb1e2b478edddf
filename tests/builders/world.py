"""A whole world of fakes, in which a use case runs."""

from dataclasses import dataclass, field, replace
from typing import Any

from msgspec import structs

from harness.model.nouns import Arm, Drive, Side
from harness.model.plan import Plan
from harness.model.request import Request
from harness.model.tree import Tree
from harness.verbs.ports import World
from tests.builders.model import CAPS, LOAD, make_tree
from tests.fakes.fake_box import Behaviour, FakeBox, holds_up_to
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_progress import FakeProgress
from tests.fakes.fake_repo import FakeRepo
from tests.fakes.fake_store import FakeStore

BASE_TREE = make_tree(pump="SPEED = 1\n")
BRANCH_TREE = make_tree(pump="SPEED = 2\n")
BASE_IMAGE, BRANCH_IMAGE = FakeBox.image_of(BASE_TREE), FakeBox.image_of(BRANCH_TREE)
RUN_ID = "esc-1-1-1"


@dataclass(slots=True)
class FakeWorld:
    """The fakes by their own types, and `world` for the use case."""

    box: FakeBox = field(default_factory=FakeBox)
    repo: FakeRepo = field(default_factory=FakeRepo)
    store: FakeStore = field(default_factory=FakeStore)
    clock: FakeClock = field(default_factory=FakeClock)
    progress: FakeProgress = field(default_factory=FakeProgress)

    @property
    def world(self) -> World:
        """The adapters of a count."""
        return World(
            run_id=RUN_ID,
            box=self.box,
            repo=self.repo,
            store=self.store,
            utc_stamp=self.clock.utc_stamp,
            progress=self.progress,
        )


def make_world(
    *,
    base: Behaviour | None = None,
    branch: Behaviour | None = None,
    base_tree: Tree = BASE_TREE,
    branch_tree: Tree = BRANCH_TREE,
) -> FakeWorld:
    """Make a world with a given behaviour of each side, by default ok."""
    by_image = {
        FakeBox.image_of(branch_tree): branch or holds_up_to(1_000_000),
        FakeBox.image_of(base_tree): base or holds_up_to(1_000_000),
    }
    repo = FakeRepo(base=base_tree, branch=branch_tree)
    return FakeWorld(box=FakeBox(by_image=by_image), repo=repo)


def make_request(
    *levels: int,
    base: str | None = None,
    main: str | None = None,
    arms: dict[Side, Arm] | None = None,
    environments: dict[Side, dict[str, str]] | None = None,
    **changes: Any,  # noqa: ANN401  # each has the type of its setting
) -> Request:
    """Make a request of `sc-mem`, or other arms, with only the ladder."""
    arms = arms or dict.fromkeys(Side, Arm.SC_MEM)
    environments = environments or {side: {} for side in Side}
    request = Request(
        load=LOAD,
        caps=CAPS,
        plan=Plan(levels=levels, blocks=1),
        drives={side: Drive(arm=arms[side], environment=environments[side]) for side in Side},
        base=base,
        main=main,
    )
    of_plan = {name: changes.pop(name) for name in Plan.__struct_fields__ if name in changes}
    return replace(request, plan=structs.replace(request.plan, **of_plan), **changes)
