"""Hostile code that is appended to a branch's runtime, active at one level only."""

LEVEL = "21"  # unique on the command line of the probe
LEVELS = ("--levels", LEVEL, "--load", "2 20 5 2", "--no-warm-up", "--timeout", "120")

_AT_LEVEL = f"""
import os as _os, sys as _sys
if {LEVEL!r} in _sys.argv:
    _AT_WORK = True
"""

PRINT_1_GB = f"""{_AT_LEVEL}
    _chunk, _left = (b"x" * 127 + b"\\n") * 8192, 1 << 30
    while _left > 0:
        _left -= _os.write(1, _chunk)
"""

MARKUP = "\\x1b[2J\\x1b]0;owned\\x07| a | b |\\n</details><script>alert(1)</script> `x` [y](z) **b**\\r\\x9b31m"

PRINT_MARKUP = f"""{_AT_LEVEL}
    _os.write(1, "{MARKUP}\\n".encode())
    _os.write(2, "{MARKUP}\\n".encode())
    async def arun(*_args, **_kwargs):
        raise RuntimeError("{MARKUP}")
"""

FORK_BOMB = f"""{_AT_LEVEL}
    while True:
        try:
            _os.fork()
        except OSError:
            pass
"""

BREAK_OUT = f"""{_AT_LEVEL}
    import socket as _socket
    _out = []
    for _address in (("127.0.0.1", PORT), ("1.1.1.1", 53), ("172.17.0.1", 22)):
        try:
            _socket.create_connection(_address, 2).close()
            _out.append("reached " + _address[0])
        except OSError:
            pass
    for _place in ("/", "/bench", "/etc", "/tmp", "/var/tmp", "/home", "/usr", "/proc/sys/kernel"):
        try:
            open(_place + "/esc-was-here", "w").close()
            _out.append("wrote to " + _place)
        except OSError:
            pass
    for _path in ("/var/run/docker.sock", "/run/docker.sock"):
        if _os.path.exists(_path):
            _out.append("sees " + _path)
    if _out:
        raise SystemExit("BROKE OUT: " + ", ".join(_out))
"""
