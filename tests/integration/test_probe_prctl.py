"""A child process that tries to write to its supervisor's standard output."""

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
if sys.argv[1] == "denied":
    assert deny_access_by_peers()
done = subprocess.run([sys.executable, "-c", {_REACH!r}], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
print(done.stderr.strip().rpartition("\\n")[2].partition(":")[0])
"""


@pytest.mark.parametrize(
    ("access", "printed"), [("open", "REACHED\n"), ("denied", "PermissionError\n")]
)
def test_supervisor_denies_access_to_its_children(access: str, printed: str) -> None:
    """A child cannot write to the supervisor's output; unprotected it can."""
    as_root = _WITHOUT_CAPABILITIES if os.geteuid() == 0 else ()
    done = subprocess.run(
        [*as_root, sys.executable, "-c", _SUPERVISE, access],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.lstrip("\n") in {printed, f"{printed}\n"}
