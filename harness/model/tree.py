"""The build context of a side: its files, hashes and archive."""

import hashlib
import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

SUBJECT = "src/escapement"
GAUGE = ("Dockerfile", "harness/__init__.py", "harness/probe")
ALLOWED = ("Dockerfile", "harness/__init__.py", "harness/probe", "src")
_ANY = "surrogateescape"  # file names may be any bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of a tree.

    Args:
        path: POSIX path relative to the root of the tree.
        kind: Links are kept as links and never followed.
        content: Bytes of the file, or target of the link.
    """

    path: str
    kind: Literal["file", "link"]
    content: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """The files that a build may read, sorted by path."""

    entries: tuple[Entry, ...]

    @property
    def subject_hash(self) -> str:
        """SHA-256 of the runtime's sources, equal to the hash that a probe reports."""
        prefix = f"{SUBJECT}/"
        return _hash(
            (entry.path.removeprefix(prefix), entry)
            for entry in self.entries
            if entry.path.startswith(prefix)
        )

    @property
    def gauge_hash(self) -> str:
        """SHA-256 of the gauge: the probe and the Dockerfile."""
        return _hash((entry.path, entry) for entry in self.entries if _is_gauge(entry.path))

    def hash_on(self, base_image: str) -> str:
        """Return the SHA-256 of everything that goes into an image on a base image."""
        modes = "".join("x" if entry.executable else "-" for entry in self.entries)
        content = _hash((entry.path, entry) for entry in self.entries)
        return hashlib.sha256(f"{base_image}\n{modes}\n{content}".encode()).hexdigest()

    def holds(self, path: str) -> bool:
        """Return whether a path is a file or a folder; a link is neither."""
        return any(
            (e.path == path and e.kind == "file") or e.path.startswith(f"{path}/")
            for e in self.entries
        )

    def with_bench_of(self, other: "Tree") -> "Tree":
        """Return this tree with its bench replaced by that of another tree."""
        kept = [entry for entry in self.entries if not _is_gauge(entry.path)]
        bench = [entry for entry in other.entries if _is_gauge(entry.path)]
        return Tree(
            tuple(sorted((*kept, *bench), key=lambda entry: entry.path.encode(errors=_ANY)))
        )

    def pack(self) -> bytes:
        """Return the tree as an uncompressed tar, byte for byte reproducible."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for entry in self.entries:
                info = tarfile.TarInfo(entry.path)
                if entry.kind == "link":
                    info.type, info.linkname = tarfile.SYMTYPE, entry.content.decode(errors=_ANY)
                    archive.addfile(info)
                else:
                    info.size, info.mode = len(entry.content), 0o755 if entry.executable else 0o644
                    archive.addfile(info, io.BytesIO(entry.content))
        return buffer.getvalue()


def _is_gauge(path: str) -> bool:
    return any(path == allowed or path.startswith(f"{allowed}/") for allowed in GAUGE)


def _hash(named: Iterable[tuple[str, Entry]]) -> str:
    digest = hashlib.sha256()
    for name, entry in sorted(named, key=lambda pair: pair[0].encode(errors=_ANY)):
        digest.update(name.encode(errors=_ANY) + b"\0")
        if entry.kind == "link":
            digest.update(b"->" + entry.content + b"\0")
        else:
            digest.update(str(len(entry.content)).encode() + b"\0" + entry.content)
    return digest.hexdigest()
