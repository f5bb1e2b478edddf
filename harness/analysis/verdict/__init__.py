"""A verdict for each metric, and one for the change."""
