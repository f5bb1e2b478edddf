"""A hostile branch: its git hooks, its links, and its runtime."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiments.faults import payloads
from experiments.faults.engine_faults import check_ended
from experiments.faults.kills import new_run
from experiments.faults.scenario import Findings, Lab
from experiments.faults.site import Site
from harness.model.cells import Cell
from harness.model.nouns import Outcome, Side

_CANARY = Path("/run/canary")


def run_on_the_host(lab: Lab, found: Findings) -> None:
    """Set a hook, a filter and a submodule command that plain git would run."""
    site = lab.site("git")
    _set_traps(site)
    _prove_the_traps(site, found)
    running = site.compare("--no-warm-up").wait()
    found.times += 1
    check_ended(running, found, {0})
    touched = _touched()
    found.check(not touched, f"the host ran: {', '.join(touched)}")
    status = site.checkout.git("-c", "filter.evil.clean=", "status", "--porcelain", "-uno")
    found.check(not status, f"the checkout changed: {status}")
    found.happened.append("nothing of the branch ran on the host; plain git runs all of it")
    found.lost.append("nothing")
    found.check_left(site)


def link_out_of_the_tree(lab: Lab, found: Findings) -> None:
    """Add links to /etc and to a file of the host."""
    site = lab.site("links")
    secret = Path("/run/secret")
    secret.write_text("only the host knows")
    source = site.checkout.root / "src/escapement"
    (source / "etc").symlink_to("/etc")
    (source / "secret.py").symlink_to("/run/secret")
    (site.checkout.root / "harness/probe/up").symlink_to("../../../../../run")
    site.checkout.commit("Links")
    running = site.compare("--no-warm-up").wait()
    found.times += 1
    check_ended(running, found, {0, 7, 11})
    if running.code == 0:
        inside = site.engine.docker(
            *("run", "--rm", "--network", "none", "--entrypoint", "sh", "esc-bench:branch", "-c"),
            "cd /bench; readlink src/escapement/etc; grep -r 'only the host' . || true",
        )
        found.check(inside == "/etc", f"found inside: {inside}")
        found.happened.append("links stay links without a target")
    found.lost.append("nothing")
    found.check_left(site)


def fork_without_end(lab: Lab, found: Findings) -> None:
    """Make the branch's cells fork endlessly, in a box of 200 processes."""
    site = _site_with(lab, "forks", payloads.FORK_BOMB)
    words = ("--pids", "200", "--timeout", "20")
    running = site.compare(*words, load=payloads.LEVELS[:-2]).wait()
    found.times += 1
    check_ended(running, found, {0, 5})
    ends = [cell for cell in _cells(site) if cell.slot.side is Side.BRANCH]
    found.check(all(c.outcome is not Outcome.OK for c in ends), "a fork bomb counts as ok")
    found.happened += [f"{cell.outcome}: {cell.reason[:60]}" for cell in ends]
    base = [cell for cell in _cells(site) if cell.slot.side is Side.BASE]
    others = [f"{c.outcome}: {c.reason}" for c in base if c.outcome is not Outcome.OK]
    found.happened += [f"base {words}" for words in others]
    found.lost.append("the branch's cells")
    found.check_left(site)


def break_out(lab: Lab, found: Findings) -> None:
    """Make the branch's cells try the network, the engine and foreign folders."""
    with _listener() as (port, met):
        site = _site_with(lab, "out", payloads.BREAK_OUT.replace("PORT", str(port)))
        running = site.compare(load=payloads.LEVELS).wait()
        found.times += 1
        check_ended(running, found, {0})
        found.check(not met, f"{len(met)} connections came to the host")
    for cell in _cells(site):
        found.check(cell.outcome is Outcome.OK, f"{cell.slot.side} {cell.outcome}: {cell.reason}")
    found.happened.append("each attempt failed inside, and the cells are ok")
    found.lost.append("nothing")
    found.check_left(site)


def _set_traps(site: Site) -> None:
    root, git = site.checkout.root, site.checkout.git
    hook = root / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {_CANARY}-hook\n")
    hook.chmod(0o755)
    site.checkout.write(".gitattributes", "* filter=evil\n")
    site.checkout.write(".gitmodules", '[submodule "sub"]\n\tpath = sub\n\turl = ./\n')
    git("update-index", "--add", "--cacheinfo", f"160000,{site.checkout.head},sub")
    git("config", "submodule.recurse", "true")
    git("config", "submodule.sub.url", str(root))
    git("config", "submodule.sub.update", f"!touch {_CANARY}-submodule")
    git("add", ".gitattributes", ".gitmodules")
    git("commit", "--quiet", "--message", "Traps")
    site.change("A change behind the traps")
    for kind in ("smudge", "clean"):
        git("config", f"filter.evil.{kind}", f"touch {_CANARY}-{kind}; cat")
    (root / "sub").mkdir(exist_ok=True)


def _prove_the_traps(site: Site, found: Findings) -> None:
    """Check that plain git runs them, and remove the traces."""
    site.checkout.git("worktree", "add", "--quiet", "--detach", "/run/plain", "HEAD")
    site.checkout.git("worktree", "remove", "--force", "/run/plain")
    touched = _touched()
    for kind in ("hook", "smudge"):
        found.check(f"canary-{kind}" in touched, f"plain git does not run the {kind}")
    for name in touched:
        _CANARY.with_name(name).unlink()


def _touched() -> list[str]:
    return sorted(path.name for path in _CANARY.parent.glob("canary*"))


def _site_with(lab: Lab, name: str, payload: str) -> Site:
    site = lab.site(name)
    path = site.checkout.root / "src/escapement/__init__.py"
    path.write_text(path.read_text() + payload)
    site.checkout.commit("A payload")
    return site


def _cells(site: Site) -> list[Cell]:
    folder = new_run(site, [])
    return site.cells(folder)[0] if folder else []


@contextmanager
def _listener() -> Iterator[tuple[int, list[str]]]:
    """Listen on the host; yield the port and the addresses of visitors."""
    met: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])

        def listen() -> None:
            while True:
                connection, address = server.accept()
                connection.close()
                if address[1] == own:
                    return
                met.append(str(address))

        own = 0
        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield port, met
        finally:
            with socket.socket() as last:
                last.bind(("127.0.0.1", 0))
                own = last.getsockname()[1]
                last.connect(("127.0.0.1", port))
                thread.join(5)
