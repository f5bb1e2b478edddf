"""How cells end in real containers of a Docker engine."""

from collections.abc import Callable, Iterator

import docker
import pytest
from msgspec import structs

from harness.adapters import docker_engine
from harness.adapters.docker_box import DockerBox
from harness.adapters.docker_engine import RUN_LABEL
from harness.adapters.owner import own_run_id
from harness.errors import NoBoxError
from harness.model import Caps, Load, Outcome, Side
from harness.outcome import Observation, decide
from harness.ports import Build, CellOrder
from tests.fakes.docker_side import images_kept, make_docker_tree

pytestmark = pytest.mark.docker

RUN_ID = own_run_id()
CAPS = Caps(cpus=0.5, memory_bytes=64 << 20, pids=64, timeout_s=60.0)
Run = Callable[..., Observation]


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    """Connect to the engine; without one the tests fail."""
    client = docker_engine.connect()
    with images_kept(client):
        yield client
    client.close()


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
    return box.build(make_docker_tree("cells"), base_image=base_image, side=Side.BRANCH)


@pytest.fixture
def run(client: docker.DockerClient, box: DockerBox, build: Build) -> Iterator[Run]:
    """Return what runs one cell; when the test is over, none of its containers is there."""

    def run_it(arm: str, *, caps: Caps = CAPS) -> Observation:
        order = CellOrder(
            run_id=RUN_ID,
            arm=arm,
            level=5,
            load=Load(turns=1),
            caps=caps,
            environment={"TOGGLE": "1"},
        )
        return box.run_cell(build, order, lambda _: None)

    yield run_it
    box.reap(RUN_ID)
    assert _containers(client, RUN_ID) == []


def _containers(client: docker.DockerClient, run_id: str) -> list[str]:
    found = client.containers.list(all=True, filters={"label": f"{RUN_LABEL}={run_id}"})
    return [str(container.name) for container in found]


def _outcome(seen: Observation, caps: Caps = CAPS) -> tuple[Outcome, str]:
    return decide(seen, caps, 5)


def test_docker_cell_holds_its_caps(run: Run) -> None:
    """CPU, memory, pids and the lack of a network are what was asked for, read from inside."""
    seen = run("caps")
    caps = seen.output.caps
    assert caps is not None
    assert (caps.cpus, caps.memory_bytes, caps.pids) == (0.5, 64 << 20, 64)
    assert caps.network == ("lo",)
    assert _outcome(seen) == (Outcome.OK, "")


@pytest.mark.parametrize("cpus", [0.29, 4 / 3, 1.1])
def test_docker_cell_holds_odd_caps(run: Run, cpus: float) -> None:
    """Shares that no binary number holds, and memory that is no whole number of pages, are held as well."""
    caps = structs.replace(CAPS, cpus=cpus, memory_bytes=(64 << 20) + 1)
    seen = run("caps", caps=caps)
    assert seen.output.caps is not None
    assert seen.output.caps.cpus == pytest.approx(cpus, abs=1e-5)
    assert _outcome(seen, caps) == (Outcome.OK, "")


def test_docker_cell_is_given_its_order(run: Run) -> None:
    """Arguments, environment, and a user without any capability."""
    death = run("caps").output.death
    assert death is not None
    assert death.evidence == {
        "arguments": ["caps", "5", "1", "200", "50", "5"],
        "toggle": "1",
        "uid": 65534,
        "capabilities": "CapEff:\t0000000000000000",
    }


def test_docker_cell_that_eats_its_memory_is_oom(run: Run) -> None:
    """The kernel's kill is seen, and not taken for a crash."""
    seen = run("oom")
    assert seen.exit_code == 137
    assert _outcome(seen) == (
        Outcome.OOM,
        "out of memory at 64 MiB, the engine reports OOMKilled",
    )


def test_docker_cell_that_hangs_is_killed_at_its_limit(run: Run) -> None:
    """Our own kill is told from the kernel's, and what was heard before it is kept."""
    caps = structs.replace(CAPS, timeout_s=2.0)
    seen = run("hang", caps=caps)
    assert (seen.timed_out, seen.oom_killed) == (True, False)
    assert 2.0 <= seen.wall_s < 30
    assert _outcome(seen, caps) == (
        Outcome.TIMEOUT_PROGRESSING,  # two seconds are too short to tell that it has stopped
        "2.0 s timeout, 3 of 5 sessions done",
    )


def test_docker_cell_that_crashes_keeps_its_exit_code_and_last_words(run: Run) -> None:
    """The end of standard error is there, in its own letters, however much was printed since."""
    seen = run("crash")
    assert (seen.exit_code, seen.stderr[-1]) == (3, "line 1099 é")
    assert len(seen.stderr) == 1000
    assert _outcome(seen) == (Outcome.CRASH, "exit code 3 without a RESULT")


def test_docker_cell_without_a_result_is_a_crash(run: Run) -> None:
    """Exit code 0 alone proves nothing."""
    seen = run("silent")
    assert (seen.exit_code, seen.stdout) == (0, "all is well")
    assert _outcome(seen) == (Outcome.CRASH, "it exited 0 without a RESULT")


def test_docker_cell_that_prints_without_end_has_its_result(run: Run) -> None:
    """Tens of megabytes before it do not hide the RESULT."""
    seen = run("chatty")
    assert _outcome(seen) == (Outcome.OK, "")


def test_docker_cell_that_prints_bytes_has_its_result(run: Run) -> None:
    """Output that is no text is data, and what is stored of it is text."""
    seen = run("bytes_")
    assert _outcome(seen) == (Outcome.OK, "")
    assert seen.stdout.encode().count(b"RESULT") == 2


def test_docker_cell_of_an_image_that_is_gone_is_told(box: DockerBox, build: Build) -> None:
    """An image that somebody removed meanwhile is the engine's fault, not the subject's."""
    order = CellOrder(run_id=RUN_ID, arm="ok", level=5, load=Load(), caps=CAPS, environment={})
    with pytest.raises(NoBoxError, match="the Docker engine failed while making a container"):
        box.run_cell(Build(image="sha256:" + "0" * 64, how=build.how), order, lambda _: None)


def test_docker_cell_that_is_interrupted_runs_no_longer(
    client: docker.DockerClient, box: DockerBox, build: Build
) -> None:
    """Ctrl-C while a cell runs ends its container, which goes with those of its run."""

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    run_id = own_run_id()
    order = CellOrder(run_id=run_id, arm="slow", level=5, load=Load(), caps=CAPS, environment={})
    with pytest.raises(KeyboardInterrupt):
        box.run_cell(build, order, interrupt)
    (left,) = _containers(client, run_id)
    assert client.containers.get(left).status == "exited"
    assert box.reap(run_id) == [f"container {left}"]
    assert _containers(client, run_id) == []


def test_docker_build_has_no_network(box: DockerBox) -> None:
    """Neither side's build can fetch what the other's did not."""
    base_image = box.find_base_image("")
    listed = 'RUN test "$(ls /sys/class/net)" = lo\n'
    tree = make_docker_tree("no network", dockerfile=f"ARG BASE\nFROM ${{BASE}}\n{listed}")
    assert " built" in box.build(tree, base_image=base_image, side=Side.BASE).how


def test_docker_build_moves_the_tag_of_its_side(
    client: docker.DockerClient, box: DockerBox
) -> None:
    """esc-bench:base and esc-bench:branch are what was built last for each."""
    base_image = box.find_base_image("")
    for side in Side:
        built = box.build(make_docker_tree(f"tag of {side}"), base_image=base_image, side=side)
        assert client.images.get(f"esc-bench:{side}").id == built.image


def test_docker_box_without_an_engine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint that was tried is named, and a context that is not there is not passed over."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(NoBoxError, match=r"no Docker engine answers at tcp://127.0.0.1:1"):
        DockerBox(lambda _: None)
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_CONTEXT", "no-such-context")
    with pytest.raises(NoBoxError, match="there is no Docker context 'no-such-context'"):
        DockerBox(lambda _: None)
