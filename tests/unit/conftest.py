"""How much the property tests of this tier take."""

from hypothesis import settings

# Each run draws others, so that a few dozen a run see as much in the end.  A busy
# machine breaks Hypothesis's deadline of 200 ms, and no test.
settings.register_profile("unit", max_examples=40, deadline=None)
settings.load_profile("unit")
