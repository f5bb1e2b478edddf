"""A build context for a real engine whose probe is a small script of the test's own."""

from collections.abc import Iterator
from contextlib import contextmanager

import docker

from harness.adapters.docker_images import REPOSITORY, TREE_LABEL
from harness.tree import Entry, Tree

_DOCKERFILE = """\
ARG BASE
FROM ${BASE}
COPY harness /bench/harness
WORKDIR /bench
USER 65534:65534
ENTRYPOINT ["python3", "-u", "-m", "harness.probe"]
"""

# One script for all endings: the first argument, where a probe has the arm, says which.
PROBE = r"""
import json, os, sys, time

def read(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return None

def result(sessions):
    print("RESULT " + json.dumps({"arm": "x", "C": sessions, "ok": sessions, "errors": 0}))

def ok(sessions):
    print("PROGRESS " + json.dumps({"t-ms": 1, "done": 1}))
    result(sessions)
    print("last words", file=sys.stderr)

def slow(sessions):
    print("PROGRESS " + json.dumps({"t-ms": 1, "done": 7}))
    time.sleep(2.5)
    result(sessions)

def caps(sessions):
    v1 = "/sys/fs/cgroup/"
    quota = read(v1 + "cpu/cpu.cfs_quota_us")
    if quota is None:
        quota, period = read(v1 + "cpu.max").split()
    else:
        period = read(v1 + "cpu/cpu.cfs_period_us")
    print("CAPS " + json.dumps({
        "cpus": int(quota) / int(period),
        "memory-bytes": int(read(v1 + "memory/memory.limit_in_bytes") or read(v1 + "memory.max")),
        "pids": int(read(v1 + "pids/pids.max") or read(v1 + "pids.max")),
        "network": sorted(os.listdir("/sys/class/net")),
    }))
    print("OUTCOME " + json.dumps({"cause": "exit", "evidence": {
        "arguments": sys.argv[1:], "toggle": os.environ.get("TOGGLE"), "uid": os.getuid(),
        "capabilities": [w for w in read("/proc/self/status").splitlines() if w.startswith("CapEff")][0],
    }}))
    result(sessions)

def oom(sessions):
    held = []
    while True:
        held.append(bytearray(b"x") * (4 << 20))

def hang(sessions):
    print("PROGRESS " + json.dumps({"t-ms": 1, "done": 3}))
    time.sleep(600)

def crash(sessions):
    for number in range(1100):
        print("line", number, "\u00e9", file=sys.stderr)
    sys.stderr.flush()
    for number in range(500):
        print("much is said after it")
    sys.exit(3)

def silent(sessions):
    print("all is well")

def chatty(sessions):
    line = "x" * 1023 + "\n"
    for _ in range(45 << 10):
        sys.stdout.write(line)
    result(sessions)

def bytes_(sessions):
    sys.stdout.buffer.write(b"\xff\xfe\x00 RESULT {}\n")
    result(sessions)

globals()[sys.argv[1]](int(sys.argv[2]))
"""


def make_docker_tree(mark: str, *, dockerfile: str = _DOCKERFILE) -> Tree:
    """Make a context that builds in a moment; trees of different `mark`s are different images."""
    texts = {
        "Dockerfile": dockerfile,
        "harness/__init__.py": f"MARK = {mark!r}\n",
        "harness/probe/__init__.py": "",
        "harness/probe/__main__.py": PROBE,
        "src/escapement/__init__.py": "",
    }
    return Tree(
        tuple(Entry(path=p, kind="file", content=t.encode()) for p, t in sorted(texts.items()))
    )


@contextmanager
def images_kept(client: docker.DockerClient) -> Iterator[None]:
    """Put every tag of the bench back to where it was, and remove what was made in between."""
    tags, loose = _tags(client), _loose(client)
    keepers = [f"{REPOSITORY}-kept:{number}" for number, _ in enumerate(tags)]
    for keeper, image in zip(keepers, tags.values(), strict=True):
        client.images.get(image).tag(keeper)
    try:
        yield
    finally:
        for tag, image in tags.items():
            client.images.get(image).tag(tag)
        for name in [*keepers, *(_tags(client).keys() - tags.keys())]:
            client.images.remove(name)
        for image in _loose(client) - loose:
            client.images.remove(image)


def _tags(client: docker.DockerClient) -> dict[str, str]:
    return {
        tag: str(image.id)
        for image in client.images.list(name=REPOSITORY)
        for tag in image.tags
        if tag.startswith(f"{REPOSITORY}:")
    }


def _loose(client: docker.DockerClient) -> set[str]:
    """Return the builds that have no tag, because another build of their side was given it."""
    filters: dict[str, str | list[str] | bool] = {"label": TREE_LABEL, "dangling": True}
    return {str(image.id) for image in client.images.list(filters=filters)}
