"""The defaults in ``[tool.esc-bench]`` of a checkout's pyproject.toml."""

import errno
import tomllib
from pathlib import Path

from harness.adapters.host.files import read_plain
from harness.model.errors import UsageError

_LIMIT_BYTES = 1 << 20
_LONGEST = 200  # an error may quote the file
_REFUSED = {"base_image": "--base-image or BASE_IMAGE", "box": "--box or INVOKE_BOX"}
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)


def read_defaults(root: Path) -> dict[str, object]:
    """Return the table ``[tool.esc-bench]``, empty where there is none.

    The file belongs to the branch: it is read as data, within bounds, and never through a link. It cannot choose the programs that
    run on this machine, nor their box.

    Raises:
        UsageError: The file is not TOML, `tool.esc-bench` is not a table, or it sets what a branch may not.
    """
    path = root / "pyproject.toml"
    try:
        loaded = tomllib.loads(read_plain(path, limit_bytes=_LIMIT_BYTES).decode())
    except OSError as error:
        if error.errno in _ABSENT:
            return {}
        is_link = error.errno == errno.ELOOP
        why = "it is a link, and links are not followed" if is_link else error.strerror
        msg = f"{path} cannot be read: {why}"
        raise UsageError(msg, hint="fix the file") from error
    except (ValueError, RecursionError) as error:
        msg = f"{path} cannot be read: {str(error)[:_LONGEST]}"
        raise UsageError(msg, hint="fix the file") from error
    tool = loaded.get("tool", {})
    table = tool.get("esc-bench", {}) if isinstance(tool, dict) else None
    if not isinstance(table, dict):
        msg = f"{path}: tool.esc-bench is not a table"
        raise UsageError(msg, hint="write it as [tool.esc-bench]")
    for name, instead in _REFUSED.items():
        if name in table:
            msg = f"{path}: tool.esc-bench sets {name}, which a file of the branch must not"
            raise UsageError(msg, hint=f"remove it, and use {instead}")
    return table
