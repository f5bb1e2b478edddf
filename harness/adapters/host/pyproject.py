"""The defaults in ``[tool.esc-bench]`` of a checkout's pyproject.toml."""

import errno
import tomllib
from pathlib import Path

from harness.adapters.host.files import read_plain
from harness.model.errors import UsageError

_LIMIT_BYTES = 1 << 20
_NOT_FOR_A_BRANCH = {"base_image": "--base-image or BASE_IMAGE", "box": "--box or INVOKE_BOX"}
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)


def read_defaults(root: Path) -> dict[str, object]:
    """Return the table ``[tool.esc-bench]``, empty where there is none.

    The file is the branch's: it is read as data, within bounds, and through no link. What runs on this machine, and how it is
    held, is not for it to say.

    Raises:
        UsageError: The file is not TOML, the table is not one, or sets what it may not.
    """
    path = root / "pyproject.toml"
    try:
        loaded = tomllib.loads(read_plain(path, limit_bytes=_LIMIT_BYTES).decode())
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, OSError) and error.errno in _ABSENT:
            return {}
        is_link = isinstance(error, OSError) and error.errno == errno.ELOOP
        why = "it is a link, and links are not followed" if is_link else _first_line(error)
        msg = f"{path} cannot be read: {why}"
        raise UsageError(msg, hint="mend it") from error
    tool = loaded.get("tool", {})
    table = tool.get("esc-bench", {}) if isinstance(tool, dict) else None
    if not isinstance(table, dict):
        msg = f"{path}: tool.esc-bench is not a table"
        raise UsageError(msg, hint="write it as [tool.esc-bench]")
    for name, instead in _NOT_FOR_A_BRANCH.items():
        if name in table:
            msg = (
                f"{path}: tool.esc-bench sets {name}, which is not for a file of the branch to say"
            )
            raise UsageError(msg, hint=f"take it out, and give {instead}")
    return table


def _first_line(error: Exception) -> str:
    """Return what an error says, short: it may quote what it stumbled over."""
    said = error.strerror if isinstance(error, OSError) else str(error)
    return (said or type(error).__name__)[:200]
