"""Simulations of the intervals and of the order of cells."""
