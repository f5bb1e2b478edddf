"""The next cell of a run, derived from the cells that have run."""
