"""Properties have no deadline: it would measure the machine, which others use as well."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
