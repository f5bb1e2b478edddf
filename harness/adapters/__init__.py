"""The world behind the ports, one folder a technology."""
