import sys
import traceback
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


def test_the_repr_is_masked() -> None:
    """Whatever the secret is, its `repr` is the same."""
    assert "'***'" == repr(Secret(KEY))
    assert "{'key': '***'}" == repr({"key": Secret(KEY)})
    assert "'***'" == f"{Secret(KEY)!r}"


def test_it_is_the_text_that_it_holds() -> None:
    """It formats, compares, hashes and encodes as plain text does."""
    assert KEY == Secret(KEY)
    assert KEY == str(Secret(KEY)) == f"{Secret(KEY)}"
    assert hash(KEY) == hash(Secret(KEY))
    assert KEY.encode() == Secret(KEY).encode()


def test_a_plain_copy_is_plain() -> None:
    """What goes over the wire is no subclass of `str`."""
    assert str is type(str(Secret(KEY)))


def test_it_pickles_masked() -> None:
    """A copy from another process is masked, too."""
    secret = Secret(ODD_KEY)
    secret.scrub_text("fills the cache")

    copied = pickled(secret)

    assert (ODD_KEY, "'***'", Secret) == (str(copied), repr(copied), type(copied))


def test_a_traceback_that_shows_locals_does_not_show_it() -> None:
    """A local variable that holds it is printed by its `repr`."""

    def fail(local: str) -> None:
        raise LookupError(len(local))

    with pytest.raises(LookupError) as caught:
        fail(Secret(KEY))

    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "local = '***'" in shown


@pytest.mark.parametrize(
    ("key", "text", "scrubbed"),
    [
        pytest.param(KEY, f"key {KEY}.", "key ***.", id="plain"),
        pytest.param(KEY, f"{KEY}{KEY}", "******", id="twice"),
        pytest.param(KEY, KEY.upper(), KEY.upper(), id="another text"),
        pytest.param(KEY, "", "", id="empty"),
        pytest.param(ODD_KEY, f"?k={ODD_KEY_ENCODED}&x", "?k=***&x", id="percent-encoded"),
        pytest.param(ODD_KEY, f"{ODD_KEY} or {ODD_KEY_ENCODED}", "*** or ***", id="both forms"),
        pytest.param("****", "a****b", "a***b", id="stars"),
        pytest.param("any", "too many", "too many", id="shorter than any real key"),
    ],
)
def test_scrub_text(key: str, text: str, scrubbed: str) -> None:
    """Each form of the key gives way to three stars."""
    assert scrubbed == Secret(key).scrub_text(text)


@pytest.mark.parametrize(
    ("document", "scrubbed"),
    [
        pytest.param(f"bad {KEY}", "bad ***", id="text"),
        pytest.param([KEY, [KEY, 1]], [MASK, [MASK, 1]], id="nested lists"),
        pytest.param({"a": {"b": KEY}}, {"a": {"b": MASK}}, id="nested objects"),
        pytest.param({KEY: {f"x-{KEY}": 1}}, {MASK: {"x-***": 1}}, id="names"),
        pytest.param([{"input": [KEY]}], [{"input": [MASK]}], id="objects in lists"),
        pytest.param([None, True, 1, 2.5], [None, True, 1, 2.5], id="scalars stay"),
        pytest.param({}, {}, id="empty"),
    ],
)
def test_scrub(document: Any, scrubbed: Any) -> None:
    """Every text of a document is scrubbed, wherever it stands."""
    assert scrubbed == Secret(KEY).scrub(document)


def test_scrub_leaves_its_argument_alone() -> None:
    """A document is copied, not changed."""
    document = {"a": [KEY]}

    Secret(KEY).scrub(document)

    assert {"a": [KEY]} == document


def test_scrub_of_a_bottomless_document() -> None:
    """What is nested too deeply is an error, never a document that was scrubbed in part."""
    document: Any = KEY
    for _ in range(100_000):
        document = [document]

    with pytest.raises(RecursionError):
        Secret(KEY).scrub(document)


def test_masked_stands_for_anything() -> None:
    """The `repr` of a field that is secret tells nothing of it, not even its type."""
    assert {"'***'"} == {masked(KEY), masked(None), masked({"a": 1})}


def test_bytes_on_their_way_in() -> None:
    """Masked in their `repr`, and bytes for all else."""
    arrived = SecretBytes()
    arrived += b"sutkn_1"

    assert ("'***'", b"sutkn_1") == (repr(arrived), bytes(arrived))


def test_an_error_that_leads_back_to_a_frame_that_runs_on() -> None:
    """As another thread's can: it is let be, and the error goes on."""
    kept = "kept"

    @clears_frames_on_error
    def fail(secret: str) -> None:
        raise ElevenLabsError(str(len(secret))).with_traceback(TracebackType(None, sys._getframe(1), 0, 1))

    with pytest.raises(ElevenLabsError, match=str(len(KEY))):
        fail(KEY)

    assert "kept" == kept
