"""From cells to numbers and a verdict."""
