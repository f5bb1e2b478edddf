"""The world behind the ports; each module names its technology."""

import os

# GitPython would refuse to be imported where there is no git, before anybody could say so in one line.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
