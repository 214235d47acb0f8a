"""What the body of a request may be, and the type of token that it asks for."""

import json
from contextlib import suppress
from typing import Any

from elevenlabs_tokens.endpoint.replies import RefusedError
from elevenlabs_tokens.responses import Headers

MAX_BODY_BYTES = 16 * 1024
BODY_TIMEOUT_IN_SECONDS = 5.0


def check_announced_size(headers: Headers) -> int | None:
    """Give the announced length of the body; None if it is not announced.

    Raises:
        RefusedError: It is no length, or over 16 KiB.
    """
    announced = headers.get("content-length")
    if announced is None:
        return None
    if not (announced.isascii() and announced.isdigit()):
        raise _bad_request("Content-Length must be a number.")
    if len(announced) > len(str(MAX_BODY_BYTES)) or int(announced) > MAX_BODY_BYTES:
        raise too_large()
    return int(announced)


def check_size(body: bytes, announced: int | None) -> None:
    """Check the body against the limit and against its announced length.

    Raises:
        RefusedError: It is over 16 KiB, or shorter than announced.
    """
    if len(body) > MAX_BODY_BYTES:
        raise too_large()
    if announced is not None and len(body) < announced:
        raise cut_off()


def requested_type(body: bytes, content_type: str, token_types: tuple[str, ...]) -> str:
    """Read which type of token a body asks for: the first of the endpoint's, if it does not say.

    Raises:
        RefusedError: The body is not JSON, has an unknown field, or names a type that is not handed out.
    """
    if b"".join(body.split()) in (b"", b"{}"):
        return token_types[0]
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "unsupported_media_type", "Send the body as application/json, or send none.")
    fields = _parse(body)
    if unknown := set(fields) - {"token_type"}:
        raise _bad_request(f"The body has {len(unknown)} unknown field(s); the only known one is token_type.")
    token_type = fields.get("token_type", token_types[0])
    if token_type not in token_types:
        raise RefusedError(422, "unknown_token_type", f"token_type must be one of: {', '.join(token_types)}.")
    return str(token_type)


def _parse(body: bytes) -> dict[str, Any]:
    fields: object = None
    with suppress(ValueError, RecursionError):
        fields = json.loads(body)
    if not isinstance(fields, dict):
        raise _bad_request('The body must be a JSON object, such as {"token_type": "realtime_scribe"}.')
    return fields


def too_large() -> RefusedError:
    """Make the refusal of a body over 16 KiB."""
    return RefusedError(413, "body_too_large", "The body is over 16 KiB.")


def too_slow() -> RefusedError:
    """Make the refusal of a body that does not come."""
    return RefusedError(408, "body_timeout", f"The body did not come within {BODY_TIMEOUT_IN_SECONDS:.0f} s.")


def cut_off() -> RefusedError:
    """Make the refusal of a body that ends too early."""
    return _bad_request("The body is shorter than announced, or malformed.")


def _bad_request(message: str) -> RefusedError:
    return RefusedError(400, "bad_request", message)
