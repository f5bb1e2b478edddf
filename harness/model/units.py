"""Quantities as text for people."""


def show_count(value: float) -> str:
    """Show a count with thousands separated: 16000 -> ``16,000``."""
    return f"{value:,.0f}"


def show_plural(value: float, noun: str) -> str:
    """Show a count with its noun: (2001, "thread") -> ``2,001 threads``."""
    return f"{show_count(value)} {noun}{'' if value == 1 else 's'}"


def show_bytes(value: float) -> str:
    """Show bytes in the largest fitting binary unit: 2147483648 -> ``2 GiB``."""
    amount, unit = float(value), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if abs(amount) < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.4g} {unit}"


def show_seconds(value_s: float) -> str:
    """Show a duration, with a decimal below ten seconds: 1.234 -> ``1.2 s``."""
    return f"{value_s:.0f} s" if value_s >= 10 else f"{value_s:.1f} s"


def show_ratio(value: float) -> str:
    """Show a factor with up to two decimals: 3.184 -> ``3.18×``."""
    decimals = 2 if abs(value) < 100 else 1 if abs(value) < 1000 else 0
    return f"{value:.{decimals}f}×"


def show_change(ratio: float) -> str:
    """Show a ratio of branch to base as a signed percentage: 1.38 -> ``+38.0 %``."""
    change = (ratio - 1) * 100
    if abs(change) >= 1000:
        return f"×{ratio:,.3g}"
    return f"{round(change, 1) + 0.0:+.1f} %"  # adding zero turns -0.0 into 0.0


def show_number(value: float) -> str:
    """Show a number with three significant digits: 0.14159 -> ``0.142``."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def show_slope(value: float) -> str:
    """Show a cost per session with three significant digits; near zero as ``0``."""
    return "0" if abs(value) < 0.0005 else show_number(value)
