"""The defaults in ``[tool.esc-bench]`` of a checkout's pyproject.toml."""

import tomllib
from pathlib import Path

from harness.errors import UsageError


def read_defaults(root: Path) -> dict[str, object]:
    """Return the table ``[tool.esc-bench]``, empty where there is none.

    Raises:
        UsageError: The file is not TOML, or the table is not one.
    """
    path = root / "pyproject.toml"
    try:
        loaded = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read: {error}"
        raise UsageError(msg, hint="mend it") from error
    table = loaded.get("tool", {}).get("esc-bench", {})
    if not isinstance(table, dict):
        msg = f"{path}: tool.esc-bench is not a table"
        raise UsageError(msg, hint="write it as [tool.esc-bench]")
    return table
