"""Promise 46: what `help` and signatures show. It does not depend on Python's version."""

import pytest

from faults import ENCODED_PASSWORD, KEY, SECRETS
from programs import run_python


@pytest.mark.promise(row=46)
def test_help_texts_and_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    """They show nothing of the environment, even if it held the secrets before the import."""
    program = """
import inspect, elevenlabs_tokens
from elevenlabs_tokens import emulator, environments, exceptions, models, options, responses
things = [elevenlabs_tokens, emulator, environments, exceptions, models, options, responses]
things += [getattr(elevenlabs_tokens, name) for name in elevenlabs_tokens.__all__ if name != "__version__"]
for thing in things:
    help(thing)
    for name, member in [("itself", thing), *inspect.getmembers(thing, callable)]:
        try: print("SIGNATURE", name, inspect.signature(member))
        except (TypeError, ValueError): pass  # it has none
"""
    monkeypatch.setenv("ELEVENLABS_API_KEY", KEY)
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{ENCODED_PASSWORD}@h.example")
    run = run_python(program)

    assert 0 == run.returncode, run.stderr
    assert "SIGNATURE __init__ (self, *, api_key:" in run.stdout
    assert not [secret for secret in SECRETS if secret in run.stdout + run.stderr]
