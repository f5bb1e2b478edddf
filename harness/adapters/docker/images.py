"""Images: find the base, build a side from its tree, keep only the newest."""

from collections.abc import Callable

import docker
import requests
from docker.errors import DockerException, ImageNotFound

from harness.adapters.docker.build import EngineGoneError, ImageBuild
from harness.adapters.docker.dockerfile import find_fault
from harness.adapters.docker.engine import EngineRetry, read_timeout, translated
from harness.model.errors import BuildError, NoBoxError, UsageError
from harness.model.nouns import Side
from harness.model.tree import Tree
from harness.verbs.ports import BaseImage, Build

REPOSITORY = "esc-bench"
PUBLIC_BASE = "python:3.13-slim"
LOCAL_BASE = "esc-bench-base:bookworm"
_KEPT_TREES = 4
_PULL_S = 600
_TRIES = 2  # of a build during which the engine stopped answering
TREE_LABEL = "esc-bench.tree"


class DockerImages:
    """The images of one engine.

    Args:
        say: Called with progress messages.
    """

    def __init__(
        self, client: docker.DockerClient, say: Callable[[str], None], retry: EngineRetry
    ) -> None:
        self._client = client
        self._say = say
        self._retry = retry

    def find_base(self, wanted: str) -> BaseImage:
        """Find or pull the base image of both sides.

        Args:
            wanted: Its name; empty for the local base, else the public one.

        Raises:
            BuildError: It is missing and cannot be pulled.
        """
        names = [wanted] if wanted else [LOCAL_BASE, PUBLIC_BASE]
        for name in names:
            found = self._find(name)
            if found is not None:
                return BaseImage(id=found, name=name)
        self._say(f"pulling {names[-1]}")
        try:
            with_tag = names[-1] if ":" in names[-1].rpartition("/")[2] else f"{names[-1]}:latest"
            with read_timeout(self._client, _PULL_S):
                self._client.images.pull(with_tag)
            pulled = self._find(names[-1])
        except (DockerException, requests.RequestException) as error:
            lines = str(error).strip().splitlines()[-1:]
            msg = f"the base image {names[-1]} is missing and cannot be pulled"
            hint = "make one without a registry: `invoke base-image`, or name another with --base-image"
            raise BuildError(msg, hint=hint, tail=lines) from error
        if pulled is None:
            msg = f"the base image {names[-1]} is missing after it was pulled"
            raise BuildError(msg, hint="name another with --base-image")
        return BaseImage(id=pulled, name=names[-1])

    def locate(self, tree: Tree, base_image: BaseImage) -> tuple[str, bool]:
        """Return the tag of a tree's image, and whether the image exists."""
        digest = tree.hash_on(base_image.id)
        tag = f"{REPOSITORY}:tree-{digest[:12]}"
        return tag, self._find(tag) is not None and self._label_of(tag) == digest

    def _label_of(self, tag: str) -> str:
        """Return the whole tree hash of an image; its tag holds only the beginning."""
        with translated(f"looking at the image {tag}"):
            return str(self._client.images.get(tag).labels.get(TREE_LABEL, ""))

    def find(self, image: str) -> Build:
        """Find an existing build.

        Raises:
            UsageError: There is no build of that name.
        """
        found = self._find(image)
        if found is None:
            msg = f"there is no image {image!r} on this engine"
            raise UsageError(msg, hint="make one with `invoke build`, or see `docker images`")
        return Build(image=found, how=f"{image}, {_short(found)}")

    def build(self, tree: Tree, *, base_image: BaseImage, side: Side) -> Build:
        """Build a tree, or find its build, and move the side's tag to it.

        Raises:
            BuildError: It does not build; the error holds the last lines of the log.
        """
        fault = find_fault(_dockerfile_of(tree))
        if fault:
            msg = f"the {side} does not build: {fault}"
            raise BuildError(msg, hint="see “What a Dockerfile may do” in docs/boxes.md")
        tag, is_there = self.locate(tree, base_image)
        if not is_there:
            self._say(f"{side:<6} building {tag}")
            self._build(tree, tag, base_image, side)
        found = self._find(tag)
        if found is None:
            msg = f"the {side}'s image {tag} is missing after its build"
            raise BuildError(msg, hint="check whether another program removes images")
        with translated("tagging an image"):
            self._client.images.get(found).tag(REPOSITORY, tag=str(side))
        return Build(image=found, how=f"{tag} {'found' if is_there else 'built'}, {_short(found)}")

    def trim(self) -> list[str]:
        """Remove all but the four tree tags used last; return a line for each."""
        prefix = f"{REPOSITORY}:tree-"
        removed = []
        with translated("removing old images"):
            images = self._client.images.list(filters={"label": TREE_LABEL})
            tagged = [
                (image.attrs["Metadata"]["LastTagTime"], tag)
                for image in images
                for tag in image.tags
                if tag.startswith(prefix)
            ]
            for _, tag in sorted(tagged, reverse=True)[_KEPT_TREES:]:
                if self._untag(tag):
                    removed.append(f"image {tag}")
        return removed

    def _untag(self, tag: str) -> bool:
        """Remove a tag; return whether it existed and no container used it."""
        try:
            self._client.images.remove(tag, noprune=False)
        except docker.errors.APIError as error:
            if error.status_code not in {404, 409}:
                raise
            return False
        return True

    def _find(self, name: str) -> str | None:
        with translated(f"looking for the image {name}"):
            try:
                return str(self._client.images.get(name).id)
            except ImageNotFound:
                return None
            except docker.errors.APIError as error:
                if error.status_code == 400:  # no valid name
                    return None
                raise

    def _build(self, tree: Tree, tag: str, base_image: BaseImage, side: Side) -> None:
        """Build; retry once if the engine stops answering.

        Raises:
            BuildError: It does not build.
            NoBoxError: The engine does not come back, or stops answering twice.
        """
        labels = {TREE_LABEL: tree.hash_on(base_image.id)}
        gone: EngineGoneError | None = None
        for _ in range(_TRIES):
            build = ImageBuild(self._client, side)
            try:
                build.run(tree, tag=tag, base=base_image.id, labels=labels)
            except EngineGoneError as error:
                gone = error
            else:
                return
            self._retry.wait()
            build.clear()
        msg = f"the Docker engine stopped answering twice while it built the {side}: {gone}"
        raise NoBoxError(msg, hint="see that it runs: `docker info`")


def _dockerfile_of(tree: Tree) -> str:
    """Return the Dockerfile's text; empty without one, which the engine reports."""
    found = (e.content for e in tree.entries if e.path == "Dockerfile" and e.kind == "file")
    return next(found, b"").decode(errors="replace")


def _short(image: str) -> str:
    return image.removeprefix("sha256:")[:12]
