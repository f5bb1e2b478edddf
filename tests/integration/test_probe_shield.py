"""The supervisor's own streams, reached for by a process that it has started."""

import os
import subprocess
import sys

import pytest

_WITHOUT_CAPABILITIES = (
    "setpriv",
    "--bounding-set=-all",
    "--inh-caps=-all",
    "--no-new-privs",
    "--",
)
_REACH = "import os; open(f'/proc/{os.getppid()}/fd/1', 'w').write('REACHED')"
_SUPERVISE = f"""
import subprocess, sys
from harness.probe.kernel.prctl import deny_access_by_peers
if sys.argv[1] == "closed":
    assert deny_access_by_peers()
done = subprocess.run([sys.executable, "-c", {_REACH!r}], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
print(done.stderr.strip().rpartition("\\n")[2].partition(":")[0])
"""


@pytest.mark.parametrize(("how", "said"), [("open", "REACHED\n"), ("closed", "PermissionError\n")])
def test_supervisor_is_closed_to_what_it_has_started(how: str, said: str) -> None:
    """A process of the same user cannot write to the supervisor's output."""
    as_root = _WITHOUT_CAPABILITIES if os.geteuid() == 0 else ()
    done = subprocess.run(
        [*as_root, sys.executable, "-c", _SUPERVISE, how],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.lstrip("\n") in {said, f"{said}\n"}
