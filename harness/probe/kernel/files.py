"""Read small files of /proc and /sys; a file that cannot be read has no value."""

from pathlib import Path

PROC = Path("/proc")


def read_text(path: Path | None) -> str | None:
    """Return the text of a file; None without a readable file."""
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def read_int(path: Path | None) -> int | None:
    """Return the number in a file; None for `max` or any other text."""
    text = (read_text(path) or "").strip()
    return int(text) if text.isdigit() else None


def read_pairs(path: Path | None) -> dict[str, int]:
    """Return the numbers of a file of ``key value`` lines, by their keys."""
    pairs = (line.split() for line in (read_text(path) or "").splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def read_pressure_ms(path: Path | None) -> float | None:
    """Return the total of the `some` line of a pressure file (PSI).

    Source: the kernel's document "PSI - Pressure Stall Information"; totals are in us.
    """
    for line in (read_text(path) or "").splitlines():
        kind, *words = line.split()
        totals = [word.removeprefix("total=") for word in words if word.startswith("total=")]
        if kind == "some" and totals:
            return int(totals[0]) / 1000
    return None
