"""A small real git repository with a runtime and a bench."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

FILES = {
    "Dockerfile": "ARG BASE\nFROM ${BASE}\n",
    "harness/__init__.py": '"""The bench."""\n',
    "harness/probe/__init__.py": '"""The probe."""\n',
    "src/escapement/__init__.py": '"""The runtime."""\n',
    "src/escapement/pump.py": "SPEED = 1\n",
}


@dataclass(frozen=True, slots=True)
class Checkout:
    """A working tree."""

    root: Path

    @classmethod
    def make(cls, root: Path, *, branch: str = "main") -> "Checkout":
        """Make a repository with one commit."""
        root.mkdir()
        checkout = cls(root)
        checkout.git("init", "--quiet", f"--initial-branch={branch}")
        for path, text in FILES.items():
            checkout.write(path, text)
        checkout.commit("the first commit")
        return checkout

    def git(self, *arguments: str) -> str:
        """Run git here and return its output; fail with its error."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def write(self, path: str, text: str) -> Path:
        """Write a file, and make the folders above it."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def commit(self, title: str, **files: str) -> str:
        """Commit everything, with `files` by module name; return the commit's hash."""
        for name, text in files.items():
            self.write(f"src/escapement/{name}.py", text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={title}")
        return self.head

    @property
    def head(self) -> str:
        """The hash of the commit that is checked out."""
        return self.git("rev-parse", "HEAD")

    def worktrees(self) -> list[str]:
        """Return the folders of all working trees, this one first."""
        listing = self.git("worktree", "list", "--porcelain").splitlines()
        return [line.removeprefix("worktree ") for line in listing if line.startswith("worktree ")]
