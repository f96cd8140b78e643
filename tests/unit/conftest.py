"""How much the property tests of this tier take."""

from hypothesis import HealthCheck, settings

# Each run draws others, so that a few dozen a run see as much in the end.  A busy
# machine breaks Hypothesis's bounds (200 ms a case, 1 s for ten draws), and no test.
settings.register_profile(
    "unit",
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unit")
