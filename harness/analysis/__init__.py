"""From the cells of a run to numbers and a verdict."""
