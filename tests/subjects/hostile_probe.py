"""A probe that tries to get out of its box, and tells what it could do."""

# Each attempt raises when it is refused; what does not is a finding.
HOSTILE = r"""
import ctypes, errno, json, os, signal, socket, stat, sys, time

LIBC = ctypes.CDLL(None, use_errno=True)
SCRATCH = os.environ["SCALE_SCRATCH"]

def checked(code):
    if code == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

def connect(address):
    with socket.socket() as sock:
        sock.settimeout(2)
        sock.connect(address)

def talk(path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(2)
        sock.connect(path)

def write_in(folder):
    path = os.path.join(folder, "esc-bench-hostile")
    with open(path, "w") as file:
        file.write("x")
    os.unlink(path)

def overwrite(path):
    with open(path, "r+") as file:
        text = file.read()
        file.seek(0)
        file.write(text)

def become(uid):
    os.setresuid(uid, uid, uid)
    if os.getuid() != uid or uid == STARTED_AS:
        raise PermissionError("nothing changed")

def mount():
    checked(LIBC.mount(b"tmpfs", SCRATCH.encode(), b"tmpfs", 0, None))

def remount():
    checked(LIBC.mount(None, b"/", None, 32, None))  # MS_REMOUNT

def ptrace(pid):
    checked(LIBC.ptrace(16, pid, None, None))  # PTRACE_ATTACH
    LIBC.ptrace(17, pid, None, None)

def signal_parent():
    parent = os.getppid()
    if parent == 0:
        raise ProcessLookupError("it is not to be seen")
    os.kill(parent, 0)

def device():
    os.mknod(os.path.join(SCRATCH, "disk"), stat.S_IFBLK | 0o666, os.makedev(259, 0))

def give_away():
    path = os.path.join(SCRATCH, "mine")
    open(path, "w").close()
    os.chown(path, 0 if STARTED_AS else 1, 0)

def root_again():
    # a program that belongs to root and says that whoever runs it is root
    for program in ("/bin/su", "/usr/bin/su", "/bin/mount", "/usr/bin/passwd"):
        if os.path.exists(program):
            pid = os.fork()
            if pid == 0:
                os.execv("/bin/sh", ["sh", "-c", f"exec {program} --help >/dev/null 2>&1"])
            os.waitpid(pid, 0)
    status = open("/proc/self/status").read()
    if "NoNewPrivs:\t1" in status:
        raise PermissionError("no new privileges")

def capabilities():
    if "CapBnd:\t0000000000000000" in open("/proc/self/status").read():
        raise PermissionError("none to be had")

def read_any(*paths):
    for path in paths:
        with open(path, "rb") as file:
            file.read(16)

def raise_limit():
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (30_000, 30_000))

def own_network():
    checked(LIBC.unshare(0x40000000))  # CLONE_NEWNET

def keys():
    checked(LIBC.syscall(248, b"user", b"x", b"y", 1, -3))  # add_key, which another cell could read

STARTED_AS = os.getuid()
ATTEMPTS = {
    "connect to the internet": lambda: connect(("8.8.8.8", 53)),
    "connect to the engine's bridge": lambda: connect(("172.17.0.1", 22)),
    "resolve a name": lambda: socket.getaddrinfo("example.com", 80),
    "open a raw socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "have an interface of its own": own_network,
    **{f"write in {folder}": lambda folder=folder: write_in(folder)
       for folder in ("/", "/etc", "/usr", "/var", "/home", "/root", "/tmp", "/var/tmp", "/run", os.getcwd(), "/proc/sys/kernel", "/sys/fs/cgroup", "/dev")},
    "change a setting of the kernel": lambda: overwrite("/proc/sys/kernel/core_pattern"),
    "change a file of the system": lambda: overwrite("/etc/passwd"),
    "talk to the engine": lambda: talk("/var/run/docker.sock"),
    "talk to containerd": lambda: talk("/run/containerd/containerd.sock"),
    "read the host's memory": lambda: read_any("/proc/kcore"),
    "read the passwords": lambda: read_any("/etc/shadow"),
    "become root": lambda: become(0),
    "become somebody else": lambda: become(1000),
    "have a program make it root": root_again,
    "have capabilities": capabilities,
    "mount": mount,
    "mount the root again": remount,
    "attach to its parent": lambda: ptrace(os.getppid()),
    "attach to the first process": lambda: ptrace(1),
    "signal its parent": signal_parent,
    "make a device": device,
    "give a file away": give_away,
    "have more open files": raise_limit,
}

def attempts(sessions):
    done, refused = [], {}
    for name, attempt in ATTEMPTS.items():
        try:
            attempt()
            done.append(name)
        except Exception as error:
            refused[name] = f"{type(error).__name__}: {error}"
    print("OUTCOME " + json.dumps({"cause": "exit", "evidence": {"done": done, "refused": refused}}))
    result(sessions)

def forks(sessions):
    # a fork bomb: as many children as can be had, which stay
    made = 0
    while True:
        try:
            if os.fork() == 0:
                signal.pause()
        except OSError as error:
            print("OUTCOME " + json.dumps({"cause": "exit", "evidence": {"made": made, "said": error.strerror}}), flush=True)
            break
        made += 1
    time.sleep(1)  # so that it is seen from outside
    result(sessions)

def gigabyte(sessions):
    line = "x" * 1023 + "\n"
    for _ in range(1 << 20):
        sys.stdout.write(line)
    result(sessions)

def wide(sessions):
    # a gigabyte without an end of line
    for _ in range(1 << 10):
        sys.stdout.write("y" * (1 << 20))
    print()
    result(sessions)

def fills(sessions):
    with open(os.path.join(SCRATCH, "big"), "wb") as file:
        while True:
            file.write(bytes(1 << 20))

def result(sessions):
    print("RESULT " + json.dumps({"arm": "x", "C": sessions, "ok": sessions, "errors": 0}), flush=True)

globals()[sys.argv[1]](int(sys.argv[2]))
"""
