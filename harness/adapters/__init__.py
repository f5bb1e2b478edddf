"""The world behind the ports; each module names its technology."""
