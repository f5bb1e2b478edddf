"""The probe: runs one arm at one concurrency inside the box and prints its measurements."""
