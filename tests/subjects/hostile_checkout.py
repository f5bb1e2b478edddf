"""A checkout in which whatever git could run is a trap that leaves a canary."""

from dataclasses import dataclass
from pathlib import Path

from tests.builders.checkout import Checkout

HOOKS = ("post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc", "fsmonitor")
DRIVERS = ("evil", "Evil.With.Dots", "evil with spaces", "evil=equals", "évil")
FOLDER_OF_HOOKS = ".githooks"


@dataclass(frozen=True, slots=True)
class Trap:
    """A program that notes that it was run, and by what.

    Args:
        folder: Where it is, outside of any checkout.
    """

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Trap":
        """Make it."""
        folder.mkdir(parents=True)
        trap = cls(folder)
        trap.program.write_text(f'#!/bin/sh\necho "$0 $*" >> {folder}/sprung\ncat\n')
        trap.program.chmod(0o755)
        return trap

    @property
    def program(self) -> Path:
        """A command that leaves a trace, and passes its input on like a filter."""
        return self.folder / "evil"

    def sprung(self) -> str:
        """Return what ran it since it was asked last."""
        noted = self.folder / "sprung"
        text = noted.read_text() if noted.exists() else ""
        noted.unlink(missing_ok=True)
        return text


def set_hooks(checkout: Checkout, trap: Trap) -> None:
    """Write hooks into both folders where git looks for them."""
    for hook in HOOKS:
        checkout.write(f"{FOLDER_OF_HOOKS}/{hook}", trap.program.read_text()).chmod(0o755)
    checkout.commit("hooks")
    for hook in HOOKS:
        checkout.write(f".git/hooks/{hook}", trap.program.read_text()).chmod(0o755)
    checkout.git("config", "core.hooksPath", FOLDER_OF_HOOKS)


def set_filters(checkout: Checkout, trap: Trap) -> None:
    """Configure filters that the branch's attributes name."""
    checkout.write(
        ".gitattributes",
        "* filter=evil diff=evil\n*.md filter=Evil.With.Dots\nDockerfile filter=évil\nsrc/** filter=evil-process\n",
    )
    checkout.commit("attributes")
    for driver in DRIVERS:
        for kind in ("smudge", "clean"):
            checkout.git("config", f"filter.{driver}.{kind}", str(trap.program))
        checkout.git("config", f"filter.{driver}.required", "true")
    checkout.git("config", "filter.evil-process.process", str(trap.program))
    checkout.git("config", "filter.evil-process.required", "true")
    checkout.git("config", "diff.evil.textconv", str(trap.program))
    checkout.git("config", "diff.evil.command", str(trap.program))


def set_programs(checkout: Checkout, trap: Trap) -> None:
    """Configure every other program that git might call on the way."""
    for name in (
        "core.fsmonitor",
        "diff.external",
        "core.pager",
        "core.sshCommand",
        "gpg.program",
    ):
        checkout.git("config", name, str(trap.program))
    checkout.git("config", "log.showSignature", "true")
    checkout.git("config", "submodule.recurse", "true")
    checkout.git("config", "diff.submodule", "diff")


def add_submodule(checkout: Checkout, trap: Trap) -> None:
    """Add a submodule whose update is a command, with a monitor of its own."""
    inner = checkout.root / "vendor"
    inner.mkdir()
    nested = Checkout(inner)
    nested.git("init", "--quiet", "--initial-branch=main")
    nested.commit("inside")
    nested.git("config", "core.fsmonitor", str(trap.program))
    checkout.write(
        ".gitmodules", f'[submodule "vendor"]\n\tpath = vendor\n\turl = {inner}\n\tupdate = none\n'
    )
    checkout.commit("a submodule")
    checkout.git("config", "submodule.vendor.update", f"!{trap.program}")
    checkout.git("config", "submodule.vendor.active", "true")
    nested.write("dirty", "not committed")


def add_links(checkout: Checkout) -> None:
    """Add links that lead out of the tree, round in circles, and nowhere."""
    for path, target in (
        ("src/escapement/etc", "/etc"),
        ("src/escapement/passwd.py", "/etc/passwd"),
        ("src/escapement/up", "../../.."),
        ("src/escapement/loop", "loop"),
        ("src/escapement/nowhere", "gone"),
        ("harness/probe/x", "../../../../etc/passwd"),
        ("harness/probe/root", "/"),
    ):
        (checkout.root / path).symlink_to(target)
