"""The host side of esc-bench, and in `probe` the part that runs inside the box."""
