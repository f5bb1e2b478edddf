"""A virtual machine with systemd and cgroup v2, in which the contract of all boxes runs."""
