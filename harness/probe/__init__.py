"""The gauge: runs one arm at one concurrency inside the box, and prints what it saw."""
