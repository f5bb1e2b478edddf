"""Signals to end the tool, at random moments."""

import signal

from experiments.faults.kills import check_readable, new_run, run_undisturbed
from experiments.faults.scenario import Findings, Lab, kinds_of
from experiments.faults.site import Running

_EACH = 5
_ENDS_WITHIN_S = 60
_WAYS = (
    ("Ctrl-C", signal.SIGINT, True, 1),
    ("Ctrl-C three times", signal.SIGINT, True, 3),
    ("SIGTERM", signal.SIGTERM, False, 1),
    ("SIGHUP", signal.SIGHUP, True, 1),
)


def ask_to_end(lab: Lab, found: Findings) -> None:
    """End runs by each signal at several moments, and check for leftovers."""
    site = lab.site("signals")
    whole = run_undisturbed(site)
    for name, number, everybody, times in _WAYS:
        codes = []
        for _ in range(_EACH):
            moment = lab.moments.uniform(0, whole.duration_s)
            at = f"{name} after {moment:.2f} s: "
            known = site.runs()
            running = site.compare()
            if running.runs_for(moment):
                found.times += 1
                for again in range(times):
                    if again and not running.runs_for(lab.moments.uniform(0.05, 0.5)):
                        break
                    running.signal(number, everybody=everybody)
            running.wait(_ENDS_WITHIN_S)
            codes.append(_shell_code(running.code))
            _check_end(running, number, found, at)
            folder = new_run(site, known)
            if folder is not None:
                check_readable(site, folder, found, at)
            left = kinds_of(site.left())
            found.check(left == "nothing", f"{at}left behind: {left}")
        found.happened.append(
            f"{name}: exit {', '.join(str(code) for code in sorted(set(codes)))}"
        )
    found.lost.append("the running cell")
    found.left.append("nothing, without cleaning")


def _check_end(running: Running, number: signal.Signals, found: Findings, at: str) -> None:
    """Check the exit code: 130, the signal's before the start, 0 at the end."""
    allowed = {130}
    if not running.progress:
        allowed |= {_shell_code(-number), 1}
    if running.table or not running.progress:
        allowed.add(0)
    words = f"{at}ended with {running.code}: {running.last_line}"
    found.check(_shell_code(running.code) in allowed, words)
    found.check("Traceback" not in running.progress, words)


def _shell_code(code: int) -> int:
    """Return `$?`, which is 130 for a Ctrl-C while Python starts or ends."""
    return 128 - code if code < 0 else code
