"""The profile of `nox -s fuzz`, or `pytest tests/fuzz --hypothesis-profile=fuzz`, which tries more examples."""

from hypothesis import settings

settings.register_profile("fuzz", max_examples=8_000, deadline=None)
