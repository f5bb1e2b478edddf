"""A build context for a real engine whose probe is a small script of the test's own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import docker
from docker.errors import ImageNotFound

from harness.adapters.docker.images import REPOSITORY, TREE_LABEL
from harness.model.tree import Entry, Tree
from tests.subjects.box_probe import PROBE

_DOCKERFILE = """\
ARG BASE
FROM ${BASE}
COPY harness /bench/harness
WORKDIR /bench
ENV SCALE_SCRATCH=/scratch TMPDIR=/scratch HOME=/scratch
RUN mkdir -m 1777 /scratch
VOLUME /scratch
USER 65534:65534
ENTRYPOINT ["python3", "-u", "-m", "harness.probe"]
"""


def make_box_tree(mark: str, *, dockerfile: str = _DOCKERFILE, probe: str = PROBE) -> Tree:
    """Make a context that builds quickly; each `mark` makes another build."""
    texts = {
        "Dockerfile": dockerfile,
        "harness/__init__.py": f"MARK = {mark!r}\n",
        "harness/probe/__init__.py": "",
        "harness/probe/__main__.py": probe,
        "src/escapement/__init__.py": "",
    }
    return Tree(
        tuple(Entry(path=p, kind="file", content=t.encode()) for p, t in sorted(texts.items()))
    )


@contextmanager
def images_kept(client: docker.DockerClient) -> Iterator[None]:
    """Restore every tag of the bench, and remove images made meanwhile."""
    tags, loose = _tags(client), _loose(client)
    keepers = [f"{REPOSITORY}-kept-{os.getpid()}:{number}" for number, _ in enumerate(tags)]
    for keeper, image in zip(keepers, tags.values(), strict=True):
        client.images.get(image).tag(keeper)
    try:
        yield
    finally:
        for tag, image in tags.items():
            client.images.get(image).tag(tag)
        for name in [*keepers, *(_tags(client).keys() - tags.keys())]:
            with suppress(ImageNotFound):  # somebody else tidies this engine too
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
    """Return the builds whose tag moved to a newer build."""
    filters: dict[str, str | list[str] | bool] = {"label": TREE_LABEL, "dangling": True}
    return {str(image.id) for image in client.images.list(filters=filters)}
