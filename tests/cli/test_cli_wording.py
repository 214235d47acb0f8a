"""What the command prints speaks of options and variables, never of Python's parameters and attributes."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from elevenlabs_tokens import ElevenLabsConfigError, ElevenLabsError
from elevenlabs_tokens._http.decipher import decipher
from elevenlabs_tokens._http.explain import Exchange
from elevenlabs_tokens._http.proxy import find_proxy
from elevenlabs_tokens._http.structure import structure_token
from elevenlabs_tokens._http.wire import Failure, FailureKind, Outcome, Reply, Request
from elevenlabs_tokens._secrets import Secret
from elevenlabs_tokens.cli.findings import explanation
from elevenlabs_tokens.cli.wording import in_words_of_a_shell
from elevenlabs_tokens.emulator import Emulator
from elevenlabs_tokens.environments import checked_base_url
from elevenlabs_tokens.models import checked_token_type, connection_of
from elevenlabs_tokens.options import checked_api_key
from refused import API_KEYS, BASE_URLS

PYTHON = re.compile(r"(?!realtime_scribe|batch_scribe|tts_websocket)\b[a-z]+_[a-z_]+|\w=|(?<!\S)\.\w|\b(True|None)\b")
"""A parameter, an argument, an attribute or a value of Python."""

REPLIES = {
    "no token": (200, b"{}"),
    "null": (200, b'{"token": null}'),
    "not JSON": (200, b"<html>"),
    "nothing": (200, b""),
    "too large": (200, None),
    "no content": (204, b""),
    "a redirect": (301, b""),
    "an unknown status": (600, b""),
    **{str(status): (status, b"") for status in (400, 401, 402, 403, 404, 405, 408, 409, 413, 422, 429, 500, 503, 529)},
    "401, no credit": (401, b'{"detail": {"status": "quota_exceeded"}}'),
    "401, no permission": (401, b'{"detail": {"status": "missing_permissions"}}'),
}
OUTCOMES: dict[str, Outcome] = {
    **{name: Reply(status, {"retry-after": "3"}, body) for name, (status, body) in REPLIES.items()},
    **{kind.name: Failure(kind, "what the system says") for kind in FailureKind},
}


def outcome_error(outcome: Outcome) -> ElevenLabsError:
    """Make the error that the client raises when a call ends with this outcome."""
    request = Request("https://api.example.test/v1/single-use-token/realtime_scribe", {}, (), Secret("sk_secret"))
    error = decipher(
        Exchange(request, outcome, 2, 0.0, 0.0, 1.5),
        lambda document, sent_at: structure_token("realtime_scribe", "wss://api.example.test", document, sent_at),
    )
    assert isinstance(error, ElevenLabsError)
    return error


def shown(text: str) -> str:
    """Leave out the API's word for an error, which stands in brackets after the status."""
    return re.sub(r"^(\d+ [\w ]+) \(\w+\)", r"\1", text)


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
def test_outcomes(outcome: Outcome) -> None:
    """The text of an error says what happened as the package says it, and then what to do in a shell."""
    error = outcome_error(outcome)

    text = explanation(error)

    assert text.startswith(f"{str(error).partition('; ')[0]}; ")
    assert not PYTHON.search(shown(text))


def refusals() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Give all that the package refuses before it sends anything, as far as a command can ask for it."""
    for name, (base_url, _) in {**BASE_URLS, "http": ("http://host", "")}.items():
        yield f"base URL: {name}", partial(checked_base_url, base_url, allow_insecure_http=False)
    for name, (key, _) in API_KEYS.items():
        yield f"key: {name}", partial(checked_api_key, key)
    yield "token type", partial(checked_token_type, "../voices")
    for token_type, voice_id in (("unknown", None), ("tts_websocket", None), ("realtime_scribe", "v1")):
        yield f"voice of {token_type}", partial(connection_of, token_type, voice_id=voice_id)
    for proxy in ("socks5://host", "http://"):
        yield f"proxy {proxy}", partial(find_proxy, "https://host", proxy, allow_insecure_http=False)
    wrong: list[dict[str, Any]] = [{"host": ""}, {"port": -1}, {"token_lifetime_in_seconds": 0}, {"api_keys": [""]}]
    for arguments in wrong:
        yield f"emulator {arguments}", partial(Emulator, **arguments)


REFUSALS = dict(refusals())


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name: str) -> None:
    """What is refused is named as it was typed."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # the text is what the test reads
        REFUSALS[name]()

    assert not PYTHON.search(in_words_of_a_shell(str(refused.value)))


def test_what_the_shell_is_spared() -> None:
    """The pattern above finds Python's words in the texts that are translated."""
    texts = [
        str(outcome_error(Reply(401, {}, b""))),
        str(outcome_error(Reply(422, {}, b""))),
        str(outcome_error(Failure(FailureKind.TIMED_OUT))),
        str(ElevenLabsConfigError("give allow_insecure_http=True")),
    ]

    assert all(PYTHON.search(text) for text in texts)


def test_a_long_quote() -> None:
    """What the API says is cut, so that the advice after it is still seen."""
    text = explanation(outcome_error(Reply(400, {}, b'{"detail": {"message": "%s"}}' % (b"x" * 5000))))

    assert text.endswith(f": {'x' * 200}...; check the arguments and ELEVENLABS_API_KEY, or ask the API's support")
