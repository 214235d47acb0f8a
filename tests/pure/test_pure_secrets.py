import sys
from types import TracebackType
from typing import Any

import pytest

from elevenlabs_tokens import ElevenLabsError
from elevenlabs_tokens._secrets import MASK, Secret, SecretBytes, masked
from elevenlabs_tokens._tracebacks import clears_frames_on_error
from pure.samples import pickled

KEY = "sk_plain0123"
ODD_KEY = "sk/+?=&%#"
ODD_KEY_ENCODED = "sk%2F%2B%3F%3D%26%25%23"


def test_a_secret_is_a_text_with_a_masked_repr() -> None:
    """It formats, compares, hashes and encodes as plain text does; `str` makes plain text of it."""
    secret = Secret(KEY)

    assert "'***' {'key': '***'}" == f"{secret!r} { ({'key': secret}) }"
    assert KEY == secret == f"{secret}"
    assert (hash(KEY), KEY.encode()) == (hash(secret), secret.encode())
    assert (str, KEY) == (type(str(secret)), str(secret))


def test_a_secret_pickles_masked() -> None:
    """A copy from another process is masked, too."""
    secret = Secret(ODD_KEY)
    secret.scrub_text("fills the cache")

    copied = pickled(secret)

    assert (ODD_KEY, "'***'", Secret) == (str(copied), repr(copied), type(copied))


@pytest.mark.parametrize(
    ("key", "text", "scrubbed"),
    [
        pytest.param(KEY, f"key {KEY}.", "key ***.", id="plain"),
        pytest.param(KEY, f"{KEY}{KEY}", "******", id="twice"),
        pytest.param(KEY, KEY.upper(), KEY.upper(), id="another text"),
        pytest.param(KEY, "", "", id="empty"),
        pytest.param(ODD_KEY, f"?k={ODD_KEY_ENCODED}&x", "?k=***&x", id="percent-encoded"),
        pytest.param(ODD_KEY, f"{ODD_KEY} or {ODD_KEY_ENCODED.lower()}", "*** or ***", id="both forms"),
        pytest.param("****", "a****b", "a***b", id="stars"),
        pytest.param("any", "too many", "too many", id="shorter than any real key"),
    ],
)
def test_scrub_text(key: str, text: str, scrubbed: str) -> None:
    """Three stars replace the key, in each of its forms."""
    assert scrubbed == Secret(key).scrub_text(text)


@pytest.mark.parametrize(
    ("document", "scrubbed"),
    [
        pytest.param(f"bad {KEY}", "bad ***", id="text"),
        pytest.param([KEY, [KEY, 1]], [MASK, [MASK, 1]], id="nested lists"),
        pytest.param({"a": {"b": KEY}}, {"a": {"b": MASK}}, id="nested objects"),
        pytest.param({KEY: {f"x-{KEY}": 1}}, {MASK: {"x-***": 1}}, id="names"),
        pytest.param([{"input": [KEY]}], [{"input": [MASK]}], id="objects in lists"),
        pytest.param([None, True, 1, 2.5, {}], [None, True, 1, 2.5, {}], id="scalars stay"),
    ],
)
def test_scrub(document: Any, scrubbed: Any) -> None:
    """Every text of a document is scrubbed, in a copy: the document itself stays as it is."""
    before = repr(document)

    assert scrubbed == Secret(KEY).scrub(document)
    assert before == repr(document)


def nested(text: str, depth: int) -> Any:
    document: Any = text
    for level in range(depth):
        document = [document] if level % 2 else {"a": document}
    return document


def test_scrub_of_a_deep_document() -> None:
    """A document that is nested more than 99 deep is an error: it is never scrubbed in part."""
    assert nested(MASK, 99) == Secret(KEY).scrub(nested(KEY, 99))
    with pytest.raises(RecursionError):
        Secret(KEY).scrub(nested(KEY, 100))


def test_what_else_is_masked() -> None:
    """The `repr` of a secret field tells not even its type, and bytes that hold a token are masked as they come in."""
    arrived = SecretBytes()
    arrived += b"sutkn_1"

    assert {"'***'"} == {masked(KEY), masked(None), masked({"a": 1}), repr(arrived)}
    assert b"sutkn_1" == bytes(arrived)


def test_an_error_that_leads_to_a_frame_that_still_runs() -> None:
    """Such a frame, which may be another thread's, cannot be cleared: it keeps its locals, and the error goes on."""
    kept = "kept"

    @clears_frames_on_error
    def fail(secret: str) -> None:
        raise ElevenLabsError(str(len(secret))).with_traceback(TracebackType(None, sys._getframe(1), 0, 1))

    with pytest.raises(ElevenLabsError, match=str(len(KEY))):
        fail(KEY)

    assert "kept" == kept
