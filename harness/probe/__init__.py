"""The probe runs one arm at one concurrency in the box and prints measurements."""
