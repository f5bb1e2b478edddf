"""How far the intervals and the order of cells can be trusted."""
