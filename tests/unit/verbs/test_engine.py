"""Caps that exceed the engine's host."""

import pytest
from msgspec import structs

from harness.model.errors import UsageError
from harness.verbs.compare import compare
from tests.builders.model import CAPS
from tests.builders.world import make_request, make_world


@pytest.mark.parametrize("caps", [{"cpus": 4096.0}, {"memory_bytes": 1 << 60}])
def test_compare_refuses_caps_beyond_the_engines_host(caps: dict[str, float]) -> None:
    """A cap above the host of the engine is a usage error."""
    fakes = make_world()
    request = make_request(1000, caps=structs.replace(CAPS, **caps))
    with pytest.raises(UsageError, match=r"but its host at .* has"):
        compare(fakes.world, request)
    assert fakes.box.specs == []
