"""From the observation of a cell to its outcome."""
