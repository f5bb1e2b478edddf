"""Readers of the kernel's files on processes, cgroups and the host."""
