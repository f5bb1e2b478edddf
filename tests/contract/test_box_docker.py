"""Docker only: images, vanished containers, the connection."""

from collections.abc import Iterator
from uuid import uuid4

import docker
import pytest

from harness.adapters.docker.box import DockerBox
from harness.adapters.docker.build import ImageBuild
from harness.adapters.docker.engine import RUN_LABEL
from harness.adapters.host.cgroups import backstop_pids
from harness.adapters.host.owner import own_run_id
from harness.model.errors import BuildError, NoBoxError
from harness.model.nouns import Caps, Load, Outcome, Side
from harness.outcome.rules import decide
from harness.verbs.ports import Build, CellSpec
from tests.hosts.docker_side import make_box_tree

pytestmark = pytest.mark.docker

RUN_ID = own_run_id()
CAPS = Caps(cpus=0.5, memory_bytes=64 << 20, pids=64, timeout_s=60.0)


@pytest.fixture(scope="module")
def box(client: docker.DockerClient) -> Iterator[DockerBox]:
    """Give the box of that engine."""
    del client
    box = DockerBox(lambda _: None)
    yield box
    box.close()


@pytest.fixture(scope="module")
def build(box: DockerBox) -> Build:
    """Build the tree whose probe ends as its arm says."""
    base_image = box.find_base_image("")
    return box.build(make_box_tree("cells"), base_image=base_image, side=Side.BRANCH)


def _containers(client: docker.DockerClient, run_id: str) -> list[str]:
    found = client.containers.list(all=True, filters={"label": f"{RUN_LABEL}={run_id}"})
    return [str(container.name) for container in found]


def test_docker_cell_of_an_image_that_is_gone_is_told(box: DockerBox, build: Build) -> None:
    """A removed image is a fault of the engine, not of the subject."""
    spec = CellSpec(run_id=RUN_ID, arm="ok", level=5, load=Load(), caps=CAPS, environment={})
    with pytest.raises(NoBoxError, match=r"the image 000000000000 is no longer on this engine"):
        box.run_cell(Build(image="sha256:" + "0" * 64, how=build.how), spec, lambda _: None)


def test_docker_cell_that_is_interrupted_runs_no_longer(
    client: docker.DockerClient, box: DockerBox, build: Build
) -> None:
    """Ctrl-C while a cell runs ends its container, which goes with those of its run."""

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    run_id = own_run_id()
    spec = CellSpec(run_id=run_id, arm="slow", level=5, load=Load(), caps=CAPS, environment={})
    with pytest.raises(KeyboardInterrupt):
        box.run_cell(build, spec, interrupt)
    (left,) = _containers(client, run_id)
    assert client.containers.get(left).status == "exited"
    assert box.reap(run_id) == [f"container {left}"]
    assert _containers(client, run_id) == []


def test_docker_build_has_no_network(box: DockerBox) -> None:
    """Neither side's build can fetch what the other's did not."""
    base_image = box.find_base_image("")
    listed = 'RUN test "$(ls /sys/class/net)" = lo\n'
    tree = make_box_tree("no network", dockerfile=f"ARG BASE\nFROM ${{BASE}}\n{listed}")
    assert " built" in box.build(tree, base_image=base_image, side=Side.BASE).how


def test_docker_build_moves_the_tag_of_its_side(
    client: docker.DockerClient, box: DockerBox
) -> None:
    """esc-bench:base and esc-bench:branch are what was built last for each."""
    base_image = box.find_base_image("")
    for side in Side:
        built = box.build(make_box_tree(f"tag of {side}"), base_image=base_image, side=side)
        assert client.images.get(f"esc-bench:{side}").id == built.image


def test_docker_cell_whose_container_is_removed_is_invalid(
    client: docker.DockerClient, box: DockerBox, build: Build
) -> None:
    """A container that vanishes makes its cell invalid; its volume is still removed."""
    run_id = own_run_id()
    spec = CellSpec(run_id=run_id, arm="slow", level=5, load=Load(), caps=CAPS, environment={})

    def remove(_: object) -> None:
        (name,) = _containers(client, run_id)
        client.containers.get(name).remove(force=True)

    seen = box.run_cell(build, spec, remove)
    assert seen.engine_error == "its container is gone: somebody removed it"
    assert decide(seen, CAPS, 5)[0] is Outcome.INVALID
    (left,) = box.reap(run_id)
    assert left.startswith("volume ")
    assert box.reap(run_id) == []


def test_docker_container_that_does_not_start_is_not_left(
    client: docker.DockerClient, box: DockerBox
) -> None:
    """An image without the program makes the cell invalid, and leaves no container."""
    text = 'ARG BASE\nFROM ${BASE}\nENTRYPOINT ["/no/such/program"]\n'
    base_image = box.find_base_image("")
    tree = make_box_tree("no program", dockerfile=text)
    built = box.build(tree, base_image=base_image, side=Side.BRANCH)
    run_id = own_run_id()
    spec = CellSpec(run_id=run_id, arm="ok", level=5, load=Load(), caps=CAPS, environment={})
    seen = box.run_cell(built, spec, lambda _: None)
    assert "no such file or directory" in seen.engine_error
    assert _containers(client, run_id) == []


def test_docker_cell_nobody_limited_leaves_processes_to_its_host(
    box: DockerBox, build: Build
) -> None:
    """Without a number there is a backstop, which is not held against the cell."""
    caps = Caps(cpus=0.5, memory_bytes=64 << 20, timeout_s=60.0)
    spec = CellSpec(run_id=RUN_ID, arm="caps", level=5, load=Load(), caps=caps, environment={})
    seen = box.run_cell(build, spec, lambda _: None)
    assert seen.output.caps is not None
    assert seen.output.caps.pids == backstop_pids()
    assert decide(seen, caps, 5) == (Outcome.OK, "")
    box.reap(RUN_ID)


@pytest.mark.parametrize(
    ("step", "bounds", "reason"),
    [
        ("sleep 600", {"silent_s": 2}, "it printed nothing for 2.0 s"),
        ("while :; do echo x; sleep 0.1; done", {"most_s": 2}, "it did not end within 2.0 s"),
        ("python3 -c 'x = bytearray(1 << 31)'", {}, "a non-zero code: 137"),
        ("echo No space left on device; false", {}, "the engine's disk is full: "),
    ],
)
def test_docker_build_is_bounded_and_leaves_nothing(
    client: docker.DockerClient,
    box: DockerBox,
    step: str,
    bounds: dict[str, int],
    reason: str,
) -> None:
    """A step that hangs or is too large is a build error; nothing stays."""
    text = f"ARG BASE\nFROM ${{BASE}}\nRUN echo {uuid4()}\nRUN {step}\n"
    tree = make_box_tree("bounded", dockerfile=text)
    build = ImageBuild(client, Side.BRANCH, **bounds)
    with pytest.raises(BuildError, match=reason):
        build.run(tree, tag="esc-bench:tree-bounded", base=box.find_base_image("").id, labels={})
    there = {str(image.id)[7:19] for image in client.images.list(all=True)}
    assert len(build._steps) == 2
    assert not there & (build._layers - {box.find_base_image("").id[7:19]})
    running = {str(container.id)[:12] for container in client.containers.list(all=True)}
    assert not running & build._steps


def test_docker_build_that_stands_on_more_is_refused(box: DockerBox) -> None:
    """It is not sent to the engine: what it would fetch is not fetched."""
    tree = make_box_tree("elsewhere", dockerfile="FROM python:3\n")
    with pytest.raises(BuildError, match="line 1 of the Dockerfile stands on python:3"):
        box.build(tree, base_image=box.find_base_image(""), side=Side.BASE)


def test_docker_box_without_an_engine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the endpoint; a context that does not exist is an error."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(NoBoxError, match=r"no Docker engine answers at tcp://127.0.0.1:1"):
        DockerBox(lambda _: None)
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_CONTEXT", "no-such-context")
    with pytest.raises(NoBoxError, match="there is no Docker context 'no-such-context'"):
        DockerBox(lambda _: None)
