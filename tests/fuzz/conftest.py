"""`pytest tests/fuzz --hypothesis-profile=fuzz`, or `nox -s fuzz`, tries for longer."""

from hypothesis import settings

settings.register_profile("fuzz", max_examples=8_000, deadline=None)
