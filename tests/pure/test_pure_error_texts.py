"""The texts of errors: what happened, to which request, and what to do next."""

from typing import Any

import pytest

from elevenlabs_tokens._http.wire import Failure, FailureKind
from elevenlabs_tokens.exceptions import (
    ElevenLabsConnectionError,
    ElevenLabsTimeoutError,
    ElevenLabsTLSError,
    InvalidResponseError,
)
from pure.samples import PATH, URL, error_of, reply


@pytest.mark.parametrize(
    ("status_code", "line", "advice"),
    [
        (400, "400 Bad Request", "see .message for what is wrong with the request"),
        (401, "401 Unauthorized", "check the API key: api_key=, or ELEVENLABS_API_KEY"),
        (402, "402 Payment Required", "the account needs credit, or another plan"),
        (403, "403 Forbidden", "give this API key the missing permission in the ElevenLabs dashboard"),
        (404, "404 Not Found", "check base_url"),
        (409, "409 Conflict", "see .message for what the API said"),
        (429, "429 Too Many Requests", "wait, then call less often or with fewer calls at once"),
        (500, "500 Internal Server Error", "the API has a problem: try again later"),
        (599, "599", "the API has a problem: try again later"),
    ],
)
def test_an_error_status(status_code: int, line: str, advice: str) -> None:
    """The text has the status, the API's word, the attempts, the request id and what to do next."""
    error = error_of(reply(status_code, {"detail": {"code": "a_code"}}, [("request-id", "R_1-z")]), retries_taken=2)

    assert f"{line} (a_code) from POST {PATH} after 3 attempts (request id R_1-z); {advice}" == str(error)


@pytest.mark.parametrize(("status_code", "line"), [(429, "429 Too Many Requests"), (529, "529")])
@pytest.mark.parametrize(("asked", "told"), [("3600", "3600 s"), ("1.5", "1.5 s"), ("1e400", "inf s")])
def test_a_wait(status_code: int, line: str, asked: str, told: str) -> None:
    """The wait that the API asks for is in brackets, after the API's word if there is one."""
    with_word, without = [
        error_of(reply(status_code, body, [("Retry-After", asked)])) for body in ({"detail": {"code": "word"}}, b"")
    ]

    assert str(with_word).startswith(f"{line} (word, retry after {told}) from POST {PATH}; ")
    assert str(without).startswith(f"{line} (retry after {told}) from POST {PATH}; ")


def test_a_422() -> None:
    """The text lists the known token types; the phrase of the status differs between versions of Python."""
    text = str(error_of(reply(422)))

    assert text.startswith("422 Unprocessable ")
    advice = "see .errors for what is wrong; known token types: realtime_scribe, batch_scribe, tts_websocket"
    assert text.endswith(f" from POST {PATH}; {advice}")


@pytest.mark.promise(row=12)
def test_a_redirect() -> None:
    """The text says why it was not followed."""
    error = error_of(reply(307, b"", [("Location", "https://elsewhere.example")]))

    assert (
        f"a redirect in the 307 reply to POST {PATH}; it was not followed, because it would send the API key "
        "elsewhere; set base_url to the API's address"
    ) == str(error)


def test_a_reply_that_makes_no_sense() -> None:
    """The text says whom to ask if the address is right."""
    text = (
        f"nothing in the 200 reply to POST {PATH}; check base_url and proxy; if both are right, tell the API's support"
    )

    assert text == str(error_of(reply(200)))


@pytest.mark.parametrize(
    ("detail", "word"),
    [
        pytest.param({"status": "invalid_api_key", "code": "unauthorized"}, " (invalid_api_key)", id="status first"),
        pytest.param({"code": "unauthorized"}, " (unauthorized)", id="else the code"),
        pytest.param({"status": "w" * 40}, f" ({'w' * 40})", id="40 characters"),
        pytest.param({"status": "w" * 41}, "", id="41 characters"),
        pytest.param({"status": "two words"}, "", id="two words"),
        pytest.param({"status": "word\n"}, "", id="a line end"),
        pytest.param({"status": "<b>"}, "", id="HTML"),
        pytest.param({"status": "-x"}, "", id="a hyphen in front"),
        pytest.param({"status": "wört"}, "", id="not ASCII"),
        pytest.param({"message": "word"}, "", id="a message"),
    ],
)
def test_the_apis_word(detail: Any, word: str) -> None:
    """It is shown if it is a plain word."""
    assert str(error_of(reply(404, {"detail": detail}))).startswith(f"404 Not Found{word} from POST ")


@pytest.mark.parametrize("request_id", ["a b", "r\n", "<r>", "r" * 41, "é", "-r", "***"])
def test_a_request_id_that_is_no_plain_word(request_id: str) -> None:
    """It is in the attribute, but not in the text: it could be any part of the reply."""
    error = error_of(reply(404, b"", [("request-id", request_id)]))

    assert request_id == error.request_id
    assert "request id" not in str(error)


def test_no_text_shows_a_query() -> None:
    """A query may hold a secret."""
    assert "hunter2" not in str(error_of(reply(404), url=f"{URL}?k=hunter2"))


@pytest.mark.promise(row=22)
@pytest.mark.parametrize("status_code", [200, 302, 400, 401, 402, 403, 404, 409, 422, 429, 500, 529, 999])
def test_a_text_is_short(status_code: int) -> None:
    """It has under 300 characters, however long its parts are, and names the last 90 of the path."""
    body = {"detail": {"status": "w" * 40, "message": "m" * 10_000}}
    outcome = reply(status_code, body, [("request-id", "r" * 40), ("x", "y" * 10_000)])

    text = str(error_of(outcome, url=f"https://h.example/{'p' * 500}/{'t' * 64}", retries_taken=10))

    assert len(text) < 300
    assert f" POST {'p' * 25}/{'t' * 64} " in text


FAILURES = {
    FailureKind.NOT_CONNECTED: "could not connect to api.elevenlabs.io:443; check the network, base_url and proxy",
    FailureKind.LOST: "lost the connection to api.elevenlabs.io:443 before the reply was complete; try again later",
    FailureKind.TIMED_OUT: (
        "no complete reply from api.elevenlabs.io:443 in 0.2 s; try again, or allow more time: timeout_in_seconds for "
        "the call, attempt_timeout_in_seconds for an attempt"
    ),
    FailureKind.UNTRUSTED: (
        "TLS with api.elevenlabs.io:443 failed; check base_url; for a private certificate authority, set SSL_CERT_FILE "
        "or ssl=; keep verification on"
    ),
    FailureKind.PROXY_REFUSED: (
        "the proxy refused to connect to api.elevenlabs.io:443; check proxy= or HTTPS_PROXY, and the proxy's user and "
        "password"
    ),
    FailureKind.MALFORMED: "the answer from api.elevenlabs.io:443 is not HTTP; check base_url and proxy",
}
CLASSES = {
    FailureKind.TIMED_OUT: ElevenLabsTimeoutError,
    FailureKind.UNTRUSTED: ElevenLabsTLSError,
    FailureKind.MALFORMED: InvalidResponseError,
}


@pytest.mark.parametrize("kind", FailureKind)
def test_failures(kind: FailureKind) -> None:
    """Each kind has its class and its text, which names host and port; a long detail leaves room for the advice."""
    error = error_of(Failure(kind))
    what, _, advice = FAILURES[kind].partition("; ")
    in_detail = str(error_of(Failure(kind, "d" * 1000), retries_taken=10))

    assert CLASSES.get(kind, ElevenLabsConnectionError) is type(error)
    assert FAILURES[kind] == str(error)
    assert (None, None, None) == (error.status_code, error.raw_response, error.body)
    assert f"{what} ({'d' * 80}) after 11 attempts; {advice}" == in_detail


def test_a_text_that_would_be_too_long() -> None:
    """It is cut after 299 characters."""
    failure = Failure(FailureKind.TIMED_OUT, "d" * 80)

    assert 299 == len(str(error_of(failure, url=f"https://{'h' * 60}:65535/", retries_taken=10)))


@pytest.mark.promise(row=33)
@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8765/v1", "127.0.0.1:8765"),
        ("http://h.example/v1", "h.example:80"),
        ("https://h.example/v1", "h.example:443"),
        ("https://h.example:0/v1", "h.example:0"),
        ("http://[::1]:8765/v1", "[::1]:8765"),
        (f"https://{'h' * 61}.example:65535/", f"{'h' * 60}:65535"),
    ],
)
def test_the_address_in_a_text(url: str, address: str) -> None:
    """Host and port are written as in a URL, and a long host is cut."""
    text = str(error_of(Failure(FailureKind.LOST, "d" * 1000), url=url, retries_taken=10))

    assert f"lost the connection to {address} before" in text
    assert len(text) < 300
