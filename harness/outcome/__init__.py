"""From what was seen of a cell to how it ended."""
