"""Git: refs, worktrees, uncommitted changes."""
