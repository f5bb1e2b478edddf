"""Read what the kernel reports about processes, cgroups and the host: knows no other room."""
