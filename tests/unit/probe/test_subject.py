"""The hash of the runtime's sources."""

import hashlib
from pathlib import Path
from types import ModuleType

from harness.probe.subject import describe_subject, hash_sources


def make_package(folder: Path) -> None:
    """Write a package with counted and ignored files."""
    (folder / "sub").mkdir()
    (folder / "__pycache__").mkdir()
    (folder / "__init__.py").write_bytes(b"x = 1\n")
    (folder / "sub" / "m.py").write_bytes(b"")
    (folder / "sub-a.py").write_bytes(b"yy")
    (folder / "link").symlink_to("sub")
    (folder / "__pycache__" / "m.cpython-311.py").write_bytes(b"junk")
    (folder / "old.pyc").write_bytes(b"junk")


def test_hash_is_over_paths_lengths_and_contents_in_order(tmp_path: Path) -> None:
    """In byte order `sub-a.py` comes before `sub/m.py`; links are not followed."""
    make_package(tmp_path)
    expected = b"".join(
        (
            b"__init__.py\x006\x00x = 1\n",
            b"link\x00->sub\x00",
            b"sub-a.py\x002\x00yy",
            b"sub/m.py\x000\x00",
        )
    )
    assert hash_sources(tmp_path) == hashlib.sha256(expected).hexdigest()


def test_hash_ignores_the_caches_of_python(tmp_path: Path) -> None:
    """New cache files do not change the hash."""
    make_package(tmp_path)
    before = hash_sources(tmp_path)
    (tmp_path / "sub" / "__pycache__").mkdir()
    (tmp_path / "sub" / "__pycache__" / "x.pyc").write_bytes(b"more")
    assert hash_sources(tmp_path) == before


def test_hash_changes_with_a_name(tmp_path: Path) -> None:
    """A renamed file is a different source."""
    make_package(tmp_path)
    before = hash_sources(tmp_path)
    (tmp_path / "sub-a.py").rename(tmp_path / "sub-b.py")
    assert hash_sources(tmp_path) != before


def test_subject_is_the_package_as_loaded(tmp_path: Path) -> None:
    """Path, version and hash are those of the package's folder."""
    make_package(tmp_path)
    package = ModuleType("package")
    package.__file__ = str(tmp_path / "__init__.py")
    package.__dict__["__version__"] = "1.2"
    assert describe_subject(package) == {
        "path": str(tmp_path),
        "version": "1.2",
        "hash": hash_sources(tmp_path),
    }
