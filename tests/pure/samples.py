"""Requests and replies made by hand, for tests without a socket."""

import copy
import json
import pickle
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import pytest

from elevenlabs_tokens._http.decipher import decipher
from elevenlabs_tokens._http.explain import Exchange
from elevenlabs_tokens._http.structure import structure_token
from elevenlabs_tokens._http.wire import Outcome, Reply, Request
from elevenlabs_tokens._secrets import Secret
from elevenlabs_tokens.exceptions import ElevenLabsError
from elevenlabs_tokens.models import SingleUseTokenResponseModel
from elevenlabs_tokens.responses import Headers

KEY = "sk_4f1c0ffee0ddba11cafe4f1c0ffee0dd"
TOKEN = "sutkn_1234567890"
URL = "https://api.elevenlabs.io/v1/single-use-token/realtime_scribe"
PATH = "/v1/single-use-token/realtime_scribe"

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
FROZEN_CLOCK = NOW.timestamp()

T = TypeVar("T")
Pairs = Iterable[tuple[str, str]]
Result = SingleUseTokenResponseModel | ElevenLabsError


class Lying(str):
    """A string that formats as another one."""

    __slots__ = ()

    def __format__(self, format_spec: str, /) -> str:
        return "../other"

    def __str__(self) -> str:
        return "../other"


def pickled(value: T, protocol: int = pickle.HIGHEST_PROTOCOL) -> T:
    copied: T = pickle.loads(pickle.dumps(value, protocol))  # noqa: S301  # the tests' own bytes
    return copied


COPIES = pytest.mark.parametrize("copied", [pickled, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"])


def as_bytes(body: Any) -> bytes | None:
    """Leave bytes and None as they are, and turn anything else into JSON."""
    return body if body is None or isinstance(body, bytes) else json.dumps(body).encode()


def reply(status_code: int = 200, body: Any = b"", headers: Pairs = ()) -> Reply:
    return Reply(status_code=status_code, headers=Headers(headers), body=as_bytes(body))


def exchange(outcome: Outcome, *, url: str = URL, key: str = KEY, retries_taken: int = 0) -> Exchange:
    """Make an exchange that took a quarter of a second and ended at `NOW`."""
    request = Request(url=url, headers={"xi-api-key": key}, removed_headers=(), api_key=Secret(key))
    return Exchange(
        request=request,
        outcome=outcome,
        retries_taken=retries_taken,
        sent_at=FROZEN_CLOCK - 0.25,
        ended_at=FROZEN_CLOCK,
        elapsed_in_seconds=0.25,
    )


def deciphered(outcome: Outcome, **sent: Any) -> Result:
    """Decipher an exchange, with the arguments of `exchange`."""
    structure = partial(structure_token, "realtime_scribe", "wss://api.elevenlabs.io")
    return decipher(exchange(outcome, **sent), structure)


def model_of(outcome: Outcome) -> SingleUseTokenResponseModel:
    result = deciphered(outcome)
    assert isinstance(result, SingleUseTokenResponseModel), repr(result)
    return result


def error_of(outcome: Outcome, **sent: Any) -> ElevenLabsError:
    result = deciphered(outcome, **sent)
    assert isinstance(result, ElevenLabsError), repr(result)
    return result


def nested(depth: int, core: bytes = b"") -> bytes:
    """Write JSON arrays in one another."""
    return b"[" * depth + core + b"]" * depth
