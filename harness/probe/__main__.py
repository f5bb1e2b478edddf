"""The probe's command line: reads the settings and supervises one run."""

import os
import sys

from harness.probe.kernel.prctl import deny_access_by_peers
from harness.probe.settings import USAGE, UsageError, read_settings
from harness.probe.supervisor.supervisor import supervise


def main(arguments: list[str]) -> int:
    """Run the probe.

    Args:
        arguments: The words after the program's name.

    Returns:
        0 with a RESULT, 2 for a usage error, else the worker's exit code (128+N for a signal).
    """
    if {"-h", "--help"} & set(arguments):
        print(USAGE)
        return 0
    try:
        settings = read_settings(arguments, os.environ)
    except UsageError as error:
        print(f"harness.probe: {error}", file=sys.stderr)
        return 2
    deny_access_by_peers()
    return supervise(settings, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
