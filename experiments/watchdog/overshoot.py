"""Overshoot of the watchdog's memory cap, by rate of allocation.

From the root of the repository: ``python -m experiments.watchdog.overshoot``.
"""

from collections.abc import Iterable

from harness.adapters.host.owner import own_run_id
from harness.adapters.local.box import LocalBox
from harness.adapters.local.enforcement import watchdog_enforcement
from harness.model.nouns import Caps, Load, Side
from harness.model.tree import Entry, Tree
from harness.verbs.ports import CellSpec

_CAP_BYTES = 512 << 20
_REPEATS = 5
_EATER = """
import os, sys, time
chunk, rate, held, start = 1 << 20, int(os.environ["MB_PER_S"]), [], time.monotonic()
while True:
    if rate and len(held) > (time.monotonic() - start) * rate:
        time.sleep(0.001)
    else:
        held.append(bytearray(b"x") * chunk)
"""


def main(rates: Iterable[int] = (100, 400, 0)) -> None:
    """Print a row for each rate, in MB a second; 0 is as fast as it goes."""
    files = {"harness/__init__.py": "", "harness/probe/__main__.py": _EATER}
    tree = Tree(
        tuple(Entry(path=path, kind="file", content=text.encode()) for path, text in files.items())
    )
    box = LocalBox(watchdog_enforcement(), print)
    try:
        build = box.build(tree, base_image=box.find_base_image(""), side=Side.BRANCH)
        print("| MB/s | memory when killed, as a share of the cap: median (least, most) |")
        print("|---:|---:|")
        for rate in rates:
            seen = sorted(_share(box, build.image, rate) for _ in range(_REPEATS))
            print(
                f"| {rate or 'as fast as it goes'} | {seen[_REPEATS // 2]:.3f} ({seen[0]:.3f}, {seen[-1]:.3f}) |"
            )
    finally:
        box.close()


def _share(box: LocalBox, image: str, rate: int) -> float:
    run_id = own_run_id()
    order = CellSpec(
        run_id=run_id,
        arm="eat",
        level=1,
        load=Load(),
        caps=Caps(cpus=1.0, memory_bytes=_CAP_BYTES, timeout_s=60.0),
        environment={"MB_PER_S": str(rate)},
    )
    try:
        seen = box.run_cell(box.find_build(image), order, lambda _: None)
    finally:
        box.reap(run_id)
    held = seen.box_evidence["memory-at-kill-bytes"]
    if not isinstance(held, int):
        msg = f"it was not killed: {seen.exit_code}, {seen.stderr[-1:]}"
        raise TypeError(msg)
    return held / _CAP_BYTES


if __name__ == "__main__":
    main()
