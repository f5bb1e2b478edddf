"""Hostile runtimes and probes of a branch, as text."""

LOUD = (
    "\x1b[2J\x1b]0;owned\x07\x9b31m **bold** | cell | `code` "
    "</details><script>alert(1)</script> [x](javascript:alert(1)) \u202etxt"
)
"""Of everything that a terminal or a page would act on."""

TITLE = (
    "Wake \x1b[31mthe pump\x1b[0m | a | **b** `c` </details><script>alert(1)</script> " + "x" * 500
)

ESCAPES = f"""
import os, socket

def _attempt(name, action):
    try:
        action()
    except OSError as error:
        print("HELD", name, error.errno)
    else:
        print("ESCAPED", name)

def _write(path):
    with open(path, "w") as file:
        file.write("owned")

print({LOUD!r})
for _address in ("1.1.1.1", "172.17.0.1", "8.8.8.8"):
    _attempt("connect " + _address, lambda: socket.create_connection((_address, 53), 0.2).close())
_attempt("resolve", lambda: socket.getaddrinfo("example.com", 80))
for _path in ("/owned", "/etc/owned", "/bench/owned", "/bench/src/escapement/owned", "/usr/owned", "/tmp/owned", "/proc/sys/kernel/core_pattern"):
    _attempt("write " + _path, lambda: _write(_path))
_attempt("setuid", lambda: os.setuid(0))
_attempt("mknod", lambda: os.mknod("/scratch/owned", 0o60666, os.makedev(8, 0)))
_attempt("chroot", lambda: os.chroot("/scratch"))
_attempt("read the host", lambda: open("/var/run/docker.sock").close())
"""
"""Tries what the box closes, and says of each attempt whether it was held."""

FORGERY = f"""
import json, os, sys

_REAL = {{"arm": "sc-mem", "C": 1, "ok": 1, "errors": 0, "peak-threads": 1, "latency-infl": 0.01, "cpu-ms/turn": 0.001}}
for _text in ("RESULT " + json.dumps(_REAL), {LOUD!r}):
    print(_text)
    try:
        with open(f"/proc/{{os.getppid()}}/fd/1", "w") as _supervisors:
            _supervisors.write(_text + chr(10))
    except PermissionError:
        print("HELD")
for _ in range(50):
    sys.stdout.write(("y" * 1023 + chr(10)) * 1024)
sys.stdout.flush()
"""
"""A runtime that forges a RESULT, and prints 50 MB."""

BOMB = f"""
import os, signal, time

_children = []
try:
    while True:
        _child = os.fork()
        if not _child:
            time.sleep(60)
            os._exit(0)
        _children.append(_child)
except OSError as error:
    _bound = error.errno
for _child in _children:
    os.kill(_child, signal.SIGKILL)
for _child in _children:
    os.waitpid(_child, 0)
raise ImportError(f"BOUND at {{len(_children)}} by {{_bound}} " + {LOUD!r})
"""
"""Forks for as long as it can, and fails with what it came to."""

USURPER = f"""{FORGERY}
import signal, time
os.kill(os.getppid(), signal.SIGTERM)
time.sleep(5)
"""
"""A runtime that forges a RESULT, and kills its supervisor."""

LIAR = f"""
import json
print("PROGRESS " + json.dumps({{"t-ms": 1e300, "done": -5, "peak-threads": -1}}))
print("RESULT " + json.dumps({{
    "arm": "sc-mem", "C": 1, "ok": 1, "errors": 0, "err-sample": {LOUD!r}, "wall-ms": 86_400_000.0,
    "peak-threads": -7, "latency-infl": -1.0, "cpu-ms/turn": 1e300, "cpu-sec": 1e300, "peak-rss-mb": -5.0, "turns-total": 10**30,
    "python": {LOUD!r}, "workers": {LOUD!r},
}}))
"""
"""A probe that drives nothing, and reports impossible values."""
