"""Profiles of the property tests: few fixed examples, or many new ones."""

from hypothesis import HealthCheck, Phase, settings

# No deadline: it would measure the machine, which others use as well.
settings.register_profile("unhurried", deadline=None, derandomize=True, database=None)
settings.register_profile(
    "deep",
    deadline=None,
    database=None,
    print_blob=True,
    report_multiple_bugs=False,
    phases=[
        Phase.explicit,
        Phase.generate,
    ],  # to shrink what was found takes longer than to find it
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("unhurried")  # unless `--hypothesis-profile` says another
