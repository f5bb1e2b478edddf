"""The cell that runs next, from the cells that have run."""
