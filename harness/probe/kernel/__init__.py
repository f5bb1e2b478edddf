"""What the kernel reports of processes and cgroups."""
