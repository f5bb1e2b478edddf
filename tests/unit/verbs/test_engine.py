"""What the engine is too small for, and what it refuses after a run."""

import dataclasses

import pytest
from msgspec import structs

from harness.model.errors import NoBoxError, UsageError
from harness.verbs.compare import compare
from tests.builders.model import CAPS
from tests.builders.world import FakeWorld, make_request, make_world
from tests.fakes.fake_box import FakeBox


class StubbornBox(FakeBox):
    """An engine that runs cells and then removes nothing any more."""

    def trim(self) -> list[str]:
        """Refuse."""
        msg = "the engine is gone"
        raise NoBoxError(msg)


def test_compare_keeps_its_result_when_the_engine_refuses_to_clean_up() -> None:
    """What was measured is worth more than what is left; the way to remove that is told."""
    fakes = make_world()
    stubborn = FakeWorld(box=StubbornBox(by_image=fakes.box.by_image), repo=fakes.repo)
    table = compare(stubborn.world, make_request(1000))
    assert table.startswith("## sc-mem: ")
    assert "the engine is gone; `invoke clean` removes what is left" in stubborn.progress.lines
    assert stubborn.store.only.completes[-1]


@pytest.mark.parametrize("caps", [{"cpus": 4096.0}, {"memory_bytes": 1 << 60}])
def test_compare_refuses_caps_beyond_the_engines_host(caps: dict[str, float]) -> None:
    """A cap above what there is caps nothing; the engine may be smaller than the machine that asks."""
    fakes = make_world()
    request = make_request(1000)
    settings = dataclasses.replace(request.settings, caps=structs.replace(CAPS, **caps))
    with pytest.raises(UsageError, match=r"and its host at .* has"):
        compare(fakes.world, dataclasses.replace(request, settings=settings))
    assert fakes.box.orders == []
