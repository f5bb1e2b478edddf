"""The container of one cell: what it may have, and that nothing else is open to it."""

from typing import Any

import docker
from docker.models.containers import Container
from docker.types import LogConfig, Mount, Ulimit

from harness.adapters.docker_engine import RUN_LABEL
from harness.adapters.process_limit import backstop_pids
from harness.model import OPEN_FILES, Caps
from harness.ports import Build, CellOrder

SCRATCH = "/scratch"
"""The only place that a cell may write to: a volume that goes with its container."""

_NOBODY = "65534:65534"
_LOG_BYTES = "32m"
_SHARED_MEMORY_BYTES = 8 << 20  # semaphores of several processes are a page each


def create(client: docker.DockerClient, build: Build, order: CellOrder) -> Container:
    """Make the container of a cell; it does not run yet."""
    environment = {"HOME": SCRATCH, "TMPDIR": SCRATCH, **order.environment}
    return client.containers.create(
        build.image,
        [order.arm, str(order.level), *order.load.arguments],
        environment=environment,
        labels={RUN_LABEL: order.run_id},
        log_config=LogConfig(
            type="json-file", config={"max-size": _LOG_BYTES, "max-file": "1", "compress": "false"}
        ),
        **_capped(order.caps),
        **_closed(order.run_id),
    )


def _capped(caps: Caps) -> dict[str, Any]:
    """Return what it may have."""
    return {
        "nano_cpus": round(caps.cpus * 1_000_000_000),
        "mem_limit": caps.memory_bytes,
        "memswap_limit": caps.memory_bytes,
        "pids_limit": caps.pids or backstop_pids(),
        "ulimits": [
            Ulimit(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES),
            Ulimit(name="core", soft=0, hard=0),
        ],
        "shm_size": _SHARED_MEMORY_BYTES,
    }


def _closed(run_id: str) -> dict[str, Any]:
    """Return what is shut, whatever the image says of itself.

    Temporary files go to scratch, for the root is read-only. The volume has no name, so that it goes with
    its container, and the label of its run, by which it is found where somebody else removed the container alone.
    """
    return {
        "user": _NOBODY,
        "read_only": True,
        "mounts": [Mount(target=SCRATCH, source=None, type="volume", labels={RUN_LABEL: run_id})],
        "network_mode": "none",
        "ipc_mode": "private",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "privileged": False,
        "init": False,
        "healthcheck": {"test": ["NONE"]},
    }
