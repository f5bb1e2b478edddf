"""A probe of the tests' own, which ends as it is told to."""

# One script for all endings: the first argument, where a probe has the arm, says which.
PROBE = r"""
import json, os, resource, sys, threading, time

def read(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return None

def result(sessions):
    print("RESULT " + json.dumps({"arm": "x", "C": sessions, "ok": sessions, "errors": 0}))

def ok(sessions):
    print("PROGRESS " + json.dumps({"t-ms": 1, "done": 1}))
    result(sessions)
    print("last words", file=sys.stderr)

def slow(sessions):
    print("PROGRESS " + json.dumps({"t-ms": 1, "done": 7}))
    time.sleep(2.5)
    result(sessions)

def own(controller, *names):
    # the first of these files that its own group, or the one that the mount shows, has
    groups = dict(line.split(":", 2)[1:] for line in read("/proc/self/cgroup").splitlines())
    top = "/sys/fs/cgroup"
    for folder in (f"{top}/{controller}{groups.get(controller)}", f"{top}/{controller}", top + groups.get("", ""), top):
        for name in names:
            text = read(f"{folder}/{name}")
            if text is not None:
                return text

def number(text):
    return int(text) if text and text.isdigit() else None

def caps(sessions):
    quota, period = own("cpu", "cpu.max").split() if own("cpu", "cpu.max") else (
        own("cpu", "cpu.cfs_quota_us"), own("cpu", "cpu.cfs_period_us"))
    print("CAPS " + json.dumps({
        "cpus": int(quota) / int(period) if number(quota) else None,
        "memory-bytes": number(own("memory", "memory.limit_in_bytes", "memory.max")),
        "pids": number(own("pids", "pids.max")),
        "network": sorted(line.split(":")[0].strip() for line in read("/proc/self/net/dev").splitlines()[2:]),
    }))
    print("OUTCOME " + json.dumps({"cause": "exit", "evidence": {
        "arguments": sys.argv[1:], "toggle": os.environ.get("TOGGLE"), "uid": os.getuid(),
        "affinity": len(os.sched_getaffinity(0)), "open-files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "python": sorted(p for p in sys.path if "site-packages" in p and "/env/" not in p),
        "capabilities": [w for w in read("/proc/self/status").splitlines() if w.startswith("CapEff")][0],
    }}))
    result(sessions)

def oom(sessions):
    held = []
    while True:
        held.append(bytearray(b"x") * (4 << 20))

def threads(sessions):
    gate = threading.Event()
    for _ in range(200):
        threading.Thread(target=gate.wait, daemon=True).start()
    result(sessions)

def child_oom(sessions):
    if os.fork() == 0:
        oom(sessions)
    os.wait()
    result(sessions)

def orphan(sessions):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    os.wait()
    result(sessions)

def writes(sessions):
    with open(os.path.join(os.environ["SCALE_SCRATCH"], "file"), "wb") as file:
        file.write(bytes(1 << 20))
    result(sessions)

def hang(sessions):
    print("PROGRESS " + json.dumps({"t-ms": 1, "done": 3}))
    time.sleep(600)

def crash(sessions):
    for number in range(1100):
        print("line", number, "\u00e9", file=sys.stderr)
    sys.stderr.flush()
    for number in range(500):
        print("much is said after it")
    sys.exit(3)

def silent(sessions):
    print("all is well")

def chatty(sessions):
    line = "x" * 1023 + "\n"
    for _ in range(45 << 10):
        sys.stdout.write(line)
    result(sessions)

def bytes_(sessions):
    sys.stdout.buffer.write(b"\xff\xfe\x00 RESULT {}\n")
    result(sessions)

globals()[sys.argv[1]](int(sys.argv[2]))
"""
