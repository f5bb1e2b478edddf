"""A real cell of the real probe, on a host that others keep busy."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import docker
import pytest

from harness.adapters.docker.box import DockerBox
from harness.adapters.host.owner import own_run_id
from harness.adapters.host.trees import read_tree
from harness.model.nouns import Caps, Load, Outcome, Side
from harness.outcome.observation import Observation, evidence_of
from harness.outcome.rules import decide
from harness.verbs.ports import CellSpec

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[2]
SPINS = "print(flush=True)\nwhile True: pass"


@pytest.fixture
def busy_host(client: docker.DockerClient) -> Iterator[int]:
    """Keep every CPU of the engine's host busy, and yield their number."""
    host_cpus = int(client.info()["NCPU"])
    with ExitStack() as stack:
        for _ in range(host_cpus):
            command = [sys.executable, "-c", SPINS]
            process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
            stack.callback(process.kill)
            assert process.stdout is not None
            process.stdout.readline()
        yield host_cpus


def _run(caps: Caps) -> Observation:
    run_id = own_run_id()
    box = DockerBox(lambda _: None)
    try:
        base_image = box.find_base_image("")
        build = box.build(read_tree(ROOT), base_image=base_image, side=Side.BRANCH)
        load = Load(turns=1, ttft_ms=2000, tokens=2, tok_ms=1)
        spec = CellSpec(run_id=run_id, arm="hand", level=5, load=load, caps=caps, environment={})
        return box.run_cell(build, spec, lambda _: None)
    finally:
        box.reap(run_id)
        box.close()


def test_docker_cell_on_a_busy_host_is_invalid(busy_host: int) -> None:
    """The probe sees the load of the host, and the cell is disturbed."""
    caps = Caps(cpus=min(2.0, busy_host), memory_bytes=256 << 20, timeout_s=60.0)
    seen = _run(caps)
    assert seen.output.result is not None
    assert seen.output.result.ok == 5
    outcome, reason = decide(seen, caps, 5)
    assert outcome is Outcome.INVALID, evidence_of(seen)
    assert reason.startswith("the host was busy: other programs used ")
    assert reason.endswith(
        f" of its {busy_host} CPUs, and the box needs {caps.cpus:g} (close them, or lower --cpus)"
    )
    host = evidence_of(seen)["host"]
    assert isinstance(host, dict)
    assert host["host-cpus"] == busy_host
    assert host["host-ms"] >= 2000
