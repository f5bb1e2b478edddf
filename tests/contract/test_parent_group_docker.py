"""A real cell in a parent group that has less memory than its box."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import docker
import pytest
from docker.errors import ContainerError
from docker.models.containers import Container, ContainerCollection

from harness.adapters.docker.box import DockerBox
from harness.adapters.host.owner import own_run_id
from harness.adapters.host.trees import read_tree
from harness.model.nouns import Caps, Load, Outcome, Side
from harness.outcome.observation import evidence_of
from harness.outcome.rules import decide
from harness.verbs.ports import CellSpec

pytestmark = [pytest.mark.docker, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
LOAD = Load(turns=1, ttft_ms=3000, tokens=2, tok_ms=1)
SESSIONS = 400  # of a mebibyte each
_GROUPS = {"/sys/fs/cgroup": {"bind": "/groups", "mode": "rw"}}
_LIMIT = "memory/$0/memory.limit_in_bytes ./$0/memory.max"


@pytest.fixture(scope="module")
def box(client: docker.DockerClient) -> Iterator[DockerBox]:
    """Give the box of that engine."""
    del client
    box = DockerBox(lambda _: None)
    yield box
    box.close()


@pytest.fixture
def parent(client: docker.DockerClient, box: DockerBox) -> Iterator[str]:
    """Yield a control group of 128 MiB, in either version and driver, and remove it."""
    is_slice = client.info()["CgroupDriver"] == "systemd"
    name = "escbenchtest.slice" if is_slice else "/esc-bench-test-parent"
    image = box.find_base_image("").id
    holder = client.containers.run(
        image, ["sleep", "600"], cgroup_parent=name, detach=True, network_mode="none"
    )
    try:
        _in_groups(
            client, image, f"for f in {_LIMIT}; do [ ! -e $f ] || echo 128M >$f; done", name
        )
        yield name
    finally:
        holder.remove(force=True)
        with suppress(ContainerError):  # systemd removes its own
            _in_groups(client, image, "rmdir */$0 ./$0 2>/dev/null; true", name)


def _in_groups(client: docker.DockerClient, image: str, script: str, name: str) -> None:
    """Run a script as root of the engine's host among its control groups."""
    client.containers.run(
        image,
        ["sh", "-c", f"cd /groups; {script}", name],
        user="0:0",
        volumes=_GROUPS,
        network_mode="none",
        remove=True,
    )


@pytest.fixture
def below(parent: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have the containers of the test made below that group."""
    create = ContainerCollection.create

    def create_below(
        self: ContainerCollection, *arguments: object, **options: object
    ) -> Container:
        return create(self, *arguments, **{**options, "cgroup_parent": parent})  # type: ignore[arg-type]

    monkeypatch.setattr(ContainerCollection, "create", create_below)
    return parent


@pytest.mark.parametrize(
    ("cap_mib", "outcome"), [(256, Outcome.INVALID), (100, Outcome.OOM)], ids=["around", "own"]
)
@pytest.mark.usefixtures("below")
def test_docker_cell_that_is_killed_for_memory_tells_whose_limit_it_was(
    box: DockerBox, cap_mib: int, outcome: Outcome
) -> None:
    """Only the box's own peak tells whose limit a kill was for."""
    run_id = own_run_id()
    caps = Caps(cpus=1.0, memory_bytes=cap_mib << 20, timeout_s=60.0)
    spec = CellSpec(
        run_id=run_id,
        arm="hand",
        level=SESSIONS,
        load=LOAD,
        caps=caps,
        environment={"SCALE_INJECT_BYTES": str(1 << 20)},
    )
    base_image = box.find_base_image("")
    build = box.build(read_tree(ROOT), base_image=base_image, side=Side.BRANCH)
    try:
        seen = box.run_cell(build, spec, lambda _: None)
    finally:
        box.reap(run_id)
    decided, reason = decide(seen, caps, SESSIONS)
    assert decided is outcome, (reason, evidence_of(seen))
    worker_exit = seen.output.worker_exit
    assert worker_exit is not None
    assert (worker_exit.cause, worker_exit.evidence["oom-kills"]) == ("oom", 1)
    if outcome is Outcome.INVALID:
        assert reason.startswith("the host, or a cgroup around the box, ran out of memory")
