"""The probe: runs one arm at one level in the box, and prints its measurements."""
