"""A virtual machine with systemd and cgroup v2 for the contract of all boxes."""
