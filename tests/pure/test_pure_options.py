import math
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elevenlabs_tokens import AsyncElevenLabsClient
from elevenlabs_tokens._secrets import Secret
from elevenlabs_tokens.exceptions import ElevenLabsConfigError
from elevenlabs_tokens.options import (
    API_KEY_VARIABLE,
    CallSettings,
    RequestOptions,
    checked_api_key,
    checked_headers,
    checked_key_source,
    checked_max_retries,
    checked_request_options,
    checked_seconds,
    key_or_environment,
)
from pure.samples import Lying, pickled

KEY = "sk_4f1c0ffee0ddba11"
RESERVED = [
    "Accept-Encoding",
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Expect",
    "Host",
    "Proxy-Authorization",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "xi-api-key",
]


class Word(StrEnum):
    KEY = "sk_enum"
    HEADER = "X-Trace"


def settings_with(**given_settings: Any) -> CallSettings:
    defaults: dict[str, Any] = {
        "timeout_in_seconds": 30.0,
        "attempt_timeout_in_seconds": 10.0,
        "max_retries": 2,
        "api_key": None,
        "headers": None,
    }
    return CallSettings(**(defaults | given_settings))


@pytest.mark.parametrize("key", [KEY, "x", "!~", "*" * 4096, Word.KEY])
def test_a_key(key: str) -> None:
    """1 to 4,096 visible ASCII characters; inside, it is plain text with a masked `repr`."""
    checked = checked_api_key(key)

    assert (str(key), Secret, "'***'") == (str(checked), type(checked), repr(checked))


@pytest.mark.promise(row=37)
@pytest.mark.parametrize(
    ("key", "fault"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param(f"{KEY}\n", "has white space", id="a newline at the end"),
        pytest.param(f"\n{KEY}", "has white space", id="a newline in front"),
        pytest.param(f"{KEY}\r", "has white space", id="CR"),
        pytest.param(f"{KEY}\r\nX-Evil: 1", "has white space", id="CRLF and a header"),
        pytest.param(f"{KEY}\t{KEY}", "has white space", id="a tab"),
        pytest.param(f"{KEY} {KEY}", "has white space", id="a space"),
        pytest.param(f"{KEY}\u00a0", "has white space", id="a no-break space"),
        pytest.param(f"{KEY}\u2028", "has white space", id="a line separator"),
        pytest.param(" ", "has white space", id="a space alone"),
        pytest.param(f"{KEY}\x00", "has characters", id="NUL"),
        pytest.param(f"{KEY}\x01", "has characters", id="0x01"),
        pytest.param(f"{KEY}\x7f", "has characters", id="DEL"),
        pytest.param(f"{KEY}\u00e9", "has characters", id="e with an acute accent"),
        pytest.param(f"{KEY}\u200b", "has characters", id="a zero-width space"),
        pytest.param(f"\u201c{KEY}\u201d", "has characters", id="smart quotes"),
        pytest.param(f"{KEY}\ud800", "has characters", id="half a surrogate pair"),
        pytest.param("x" * 4097, "has characters", id="too long"),
        pytest.param(KEY.encode(), "is of type bytes", id="bytes"),
        pytest.param(42, "is of type int", id="int"),
        pytest.param([KEY], "is of type list", id="a list"),
        pytest.param(None, "is of type NoneType", id="None"),
    ],
)
def test_what_is_no_key(key: object, fault: str) -> None:
    """Each fault is named, and the key is not shown."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_api_key(key)

    assert str(caught.value).startswith(f"the API key {fault}")
    assert KEY not in str(caught.value)
    assert "x" * 20 not in str(caught.value)
    assert len(str(caught.value)) < 300


@settings(deadline=None)
@given(st.text() | st.text(st.characters(codec="ascii")).map(KEY.__add__))
def test_any_text_gives_a_key_or_a_config_error(text: str) -> None:
    """What is taken can stand in a header; no other exception comes out."""
    try:
        checked = checked_api_key(text)
    except ElevenLabsConfigError:
        return

    assert text == str(checked)
    assert 1 <= len(text) <= 4096
    assert text.isascii()
    assert text.isprintable()
    assert " " not in text


@pytest.mark.promise(row=37)
@settings(deadline=None)
@given(st.text(min_size=8).filter(lambda text: not text.isascii()))
def test_a_key_that_is_refused_is_not_quoted(text: str) -> None:
    """For any text at all."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_api_key(text)

    assert text not in str(caught.value)
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)


def test_a_key_is_what_was_checked() -> None:
    """Not what a subclass of `str` says that it is."""
    assert "sk_true" == str(checked_api_key(Lying("sk_true")))


def test_a_callable_is_asked_later() -> None:
    """A source of keys is taken as it is, and not called."""
    calls: list[str] = []

    def source() -> str:
        calls.append("asked")
        return KEY

    assert source is checked_key_source(source)
    assert [] == calls


def test_a_key_source_that_is_a_key() -> None:
    """It is checked at once."""
    assert "'***'" == repr(checked_key_source(KEY))
    with pytest.raises(ElevenLabsConfigError):
        checked_key_source("a b")


@pytest.mark.parametrize(("value", "seconds"), [(5, 5.0), (0.001, 0.001), (1e-300, 1e-300), (10**300, 1e300)], ids=repr)
def test_seconds(value: float, seconds: float) -> None:
    """Any finite number over 0, as a float."""
    checked = checked_seconds(value, "timeout_in_seconds")

    assert seconds == checked
    assert float is type(checked)


@pytest.mark.parametrize(
    "value",
    [0, 0.0, -0.0, -1, -0.5, math.nan, math.inf, -math.inf, True, False, "5", None, [5], Decimal(5), 5 + 0j, 10**400],
    ids=lambda value: repr(value)[:12],
)
@pytest.mark.parametrize("name", ["timeout_in_seconds", "attempt_timeout_in_seconds"])
def test_what_are_no_seconds(value: object, name: str) -> None:
    """The error names the argument."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_seconds(value, name)

    assert f"{name} must be a finite number of seconds over 0, such as 5.0" == str(caught.value)


@pytest.mark.parametrize("value", range(11))
def test_max_retries(value: int) -> None:
    """From none to ten."""
    assert value == checked_max_retries(value)


@pytest.mark.promise(row=32)
@pytest.mark.parametrize(
    "value", [-1, 11, 10**400, math.nan, math.inf, 2.0, "2", True, False, None], ids=lambda value: repr(value)[:12]
)
def test_what_is_no_number_of_retries(value: object) -> None:
    """Only an integer will do, and `bool` is none."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_max_retries(value)

    assert "max_retries must be an integer from 0 (one attempt) to 10" == str(caught.value)


@pytest.mark.parametrize(
    ("headers", "checked"),
    [
        pytest.param({}, {}, id="none"),
        pytest.param({"X-Trace": "abc"}, {"x-trace": "abc"}, id="names in lower case"),
        pytest.param({"X-Trace": ""}, {"x-trace": ""}, id="an empty value"),
        pytest.param({"X": "\t a~"}, {"x": "\t a~"}, id="tabs and spaces"),
        pytest.param({"User-Agent": None}, {"user-agent": None}, id="one to remove"),
        pytest.param({Word.HEADER: Word.KEY}, {"x-trace": "sk_enum"}, id="members of an enum"),
        pytest.param({"!#$%&'*+.^_`|~09aZ-": "x"}, {"!#$%&'*+.^_`|~09az-": "x"}, id="every character of a name"),
        pytest.param({"Authorization": "Bearer x"}, {"authorization": "Bearer x"}, id="a credential for a gateway"),
    ],
)
def test_headers(headers: Mapping[str, str | None], checked: dict[str, str | None]) -> None:
    """What can stand in a header is taken as it is."""
    assert checked == checked_headers(headers)


def test_headers_are_plain_text() -> None:
    """A subclass of `str` could format as something else."""
    (checked,) = checked_headers({Word.HEADER: Word.KEY}).items()

    assert (str, str) == tuple(map(type, checked))


def test_headers_are_what_was_checked() -> None:
    """Not what a subclass of `str` says that it is."""
    (checked,) = checked_headers({Lying("X-Trace"): Lying("a")}).items()

    assert ["x-trace", "a"] == [f"{text}" for text in checked]


def test_headers_are_read_only() -> None:
    """What was checked stays as it was."""
    unchecked: Any = checked_headers({"a": "b"})
    with pytest.raises(TypeError):
        unchecked["a"] = "c\r\n"


@pytest.mark.promise(row=39)
@pytest.mark.parametrize("value", ["x", None, "", 5, "a\r\nb"], ids=repr)
@pytest.mark.parametrize("spelled", [str.lower, str.upper, str.title, str], ids=["lower", "upper", "title", "usual"])
@pytest.mark.parametrize("name", RESERVED)
def test_reserved_headers(name: str, spelled: Any, value: Any) -> None:
    """In any case and whatever the value, None too."""
    with pytest.raises(ElevenLabsConfigError, match=f"header '{name.lower()}' is set by the client"):
        checked_headers({spelled(name): value})


def test_the_way_to_give_a_key_is_told() -> None:
    """Who tries it as a header reads where it belongs."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_headers({"XI-API-KEY": KEY})

    assert "header 'xi-api-key' is set by the client and cannot be given; give the key as api_key" == str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["", " ", "a b", "a:", "a\r\nb", "a\n", "é", "a\x00", "\u017fet", "\u0130", "a(", 'a"', "\ud800", 1, None, b"a"],
    ids=repr,
)
def test_what_is_no_name(name: Any) -> None:
    """A name that could end its line, or start another, is refused."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_headers({name: "x"})

    assert "a header's name is not one; give letters, digits and hyphens" == str(caught.value)


@pytest.mark.promise(row=39)
@pytest.mark.parametrize(
    "value", ["hunter2\r\nX: 1", "hunter2\n", "hunter2\x00", "hunter2\x7f", "hunter2é", "hunter2\ud800", 1, True, b"x"]
)
def test_what_is_no_value(value: Any) -> None:
    """The name is told, the value is not."""
    with pytest.raises(ElevenLabsConfigError, match=r"^the value of header 'x-trace' must be text of ASCII") as caught:
        checked_headers({"X-Trace": value})

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("second", ["b", None])
def test_one_header_under_two_spellings(second: str | None) -> None:
    """Which of the two is meant cannot be told."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_headers({"X-Trace": "a", "x-trace": second})

    assert "header 'x-trace' is given twice, in different cases" == str(caught.value)


@pytest.mark.parametrize("headers", [[("a", "b")], "a: b", 5, {"a"}], ids=repr)
def test_what_are_no_headers(headers: object) -> None:
    """The type that was given is named."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_headers(headers)

    assert f"headers is of type {type(headers).__name__}; give a mapping of names to text" == str(caught.value)


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.text() | st.none()) | st.dictionaries(st.just("x"), st.text()))
def test_any_texts_give_headers_or_a_config_error(headers: dict[str, str | None]) -> None:
    """Nothing that could end a line gets through, and no value is quoted."""
    try:
        checked = checked_headers(headers)
    except ElevenLabsConfigError:
        return

    assert {name.lower(): value for name, value in headers.items()} == checked
    assert all(text.replace("\t", "").isprintable() for pair in checked.items() for text in pair if text is not None)


@settings(deadline=None)
@given(st.text(min_size=8).filter(lambda text: not text.isascii()))
def test_a_value_that_is_refused_is_not_quoted(value: str) -> None:
    """A value may be a credential."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_headers({"Authorization": value})

    assert value not in str(caught.value)


def test_options_are_unset_at_first() -> None:
    """What is unset is the client's."""
    assert {attribute.name: None for attribute in attrs.fields(RequestOptions)} == attrs.asdict(RequestOptions())


@pytest.mark.parametrize(
    "given_options",
    [
        {"timeout_in_seconds": 0},
        {"timeout_in_seconds": True},
        {"attempt_timeout_in_seconds": math.nan},
        {"attempt_timeout_in_seconds": "1"},
        {"max_retries": -1},
        {"max_retries": True},
        {"api_key": ""},
        {"api_key": "a b"},
        {"api_key": b"x"},
        {"headers": {"Host": None}},
        {"headers": {"x": "a\r\nb"}},
        {"headers": "x"},
        {"query_params": "a=b"},
        {"query_params": [("a", "b")]},
        {"query_params": {"a": {1}}},
        {"query_params": {"": "b"}},
    ],
    ids=repr,
)
def test_options_are_checked_when_made(given_options: dict[str, Any]) -> None:
    """From keywords and from a mapping alike, with one of the package's errors."""
    with pytest.raises(ElevenLabsConfigError):
        RequestOptions(**given_options)
    with pytest.raises(ElevenLabsConfigError):
        checked_request_options(given_options)


def test_a_time_out_is_named_by_its_own_name() -> None:
    """Each of the two has its own words."""
    with pytest.raises(ElevenLabsConfigError, match=r"^attempt_timeout_in_seconds must"):
        RequestOptions(attempt_timeout_in_seconds=-1)
    with pytest.raises(ElevenLabsConfigError, match=r"^timeout_in_seconds must"):
        RequestOptions(timeout_in_seconds=-1)


def test_query_params_that_are_no_mapping() -> None:
    """The type that was given is named."""
    unchecked: Any = "a=b"
    with pytest.raises(ElevenLabsConfigError) as caught:
        RequestOptions(query_params=unchecked)

    assert "query_params is of type str; give a mapping" == str(caught.value)


def test_options_show_names_alone() -> None:
    """A key, a header's value and a parameter's may be credentials."""
    options = RequestOptions(api_key=KEY, headers={"b": "hunter2", "a": None}, query_params={"q": "hunter3"})

    shown = repr(options)

    assert "api_key='***', headers=['a', 'b'], query_params=['q']" in shown
    assert "hunter" not in shown
    assert KEY not in shown


def test_unset_options_show_as_none() -> None:
    """The mask alone stands where a key could be."""
    assert "max_retries=None, api_key='***', headers=None, query_params=None" in repr(RequestOptions())


def test_options_are_frozen_and_pickle() -> None:
    """They may be a constant, and go to a worker process."""
    options = RequestOptions(max_retries=1, headers={"a": "b"})
    unchecked: Any = options

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        unchecked.max_retries = 3
    assert options == pickled(options)


def test_options_from_options() -> None:
    """Those that are ready, or absent, are taken as they are."""
    options = RequestOptions(max_retries=0)

    assert options is checked_request_options(options)
    assert checked_request_options(None) is None


@pytest.mark.parametrize(
    ("mapping", "options"),
    [
        pytest.param({}, RequestOptions(), id="empty"),
        pytest.param(
            {"timeout_in_seconds": 5, "attempt_timeout_in_seconds": 2, "max_retries": 0},
            RequestOptions(timeout_in_seconds=5, attempt_timeout_in_seconds=2, max_retries=0),
            id="numbers",
        ),
        pytest.param({"api_key": KEY}, RequestOptions(api_key=KEY), id="a key"),
        pytest.param({"headers": {"a": "b"}}, RequestOptions(headers={"a": "b"}), id="headers"),
        pytest.param({"additional_headers": {"a": "b"}}, RequestOptions(headers={"a": "b"}), id="the vendor's headers"),
        pytest.param({"query_params": {"a": 1}}, RequestOptions(query_params={"a": 1}), id="a query"),
        pytest.param(
            {"additional_query_parameters": {"a": 1}}, RequestOptions(query_params={"a": 1}), id="the vendor's query"
        ),
        pytest.param({"max_retries": None}, RequestOptions(), id="unset"),
    ],
)
def test_options_from_a_mapping(mapping: dict[str, Any], options: RequestOptions) -> None:
    """Under the package's own names, or the vendor SDK's."""
    assert options == checked_request_options(mapping)


@pytest.mark.parametrize("name", ["timeout", "chunk_size", "additional_body_parameters", "", "Max_Retries", 7, None])
def test_an_unknown_option(name: object) -> None:
    """The error lists the known ones."""
    unchecked: Any = {name: 1}
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_request_options(unchecked)

    assert (
        f"request_options has no {str(name)!r}; it has timeout_in_seconds, attempt_timeout_in_seconds, max_retries, "
        "api_key, headers, query_params, additional_headers, additional_query_parameters"
    ) == str(caught.value)


@pytest.mark.parametrize(
    ("mapping", "name"),
    [
        ({"headers": {}, "additional_headers": {}}, "headers"),
        ({"additional_headers": None, "headers": {"a": "b"}}, "headers"),
        ({"query_params": {}, "additional_query_parameters": {}}, "query_params"),
    ],
)
def test_one_option_under_two_names(mapping: dict[str, Any], name: str) -> None:
    """Which of the two is meant cannot be told."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_request_options(mapping)

    assert f"request_options names {name} twice; give it under one name" == str(caught.value)


@pytest.mark.parametrize("options", ["max_retries=1", 5, [("max_retries", 1)]], ids=repr)
def test_what_are_no_options(options: Any) -> None:
    """The type that was given is named."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_request_options(options)

    assert str(caught.value) == f"request_options is of type {type(options).__name__}; give RequestOptions or a mapping"


@pytest.mark.parametrize(
    ("given_key", "variable", "key"),
    [
        pytest.param("sk_given", "sk_environment", "sk_given", id="the argument wins"),
        pytest.param(None, "sk_environment", "sk_environment", id="the environment's"),
        pytest.param(None, "", None, id="an empty variable is unset"),
        pytest.param(None, None, None, id="none"),
    ],
)
def test_where_a_clients_key_comes_from(
    monkeypatch: pytest.MonkeyPatch, given_key: str | None, variable: str | None, key: str | None
) -> None:
    """The argument, else the environment, read when the client is made."""
    if variable is not None:
        monkeypatch.setenv(API_KEY_VARIABLE, variable)

    assert key == key_or_environment(given_key)


@pytest.mark.parametrize("variable", ["sk with space", "sk\n", "\u201csk\u201d"])
def test_a_malformed_key_in_the_environment(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """It is refused when the client is made, like one that was given."""
    monkeypatch.setenv(API_KEY_VARIABLE, variable)

    with pytest.raises(ElevenLabsConfigError, match=r"^the API key has"):
        AsyncElevenLabsClient()


@pytest.mark.parametrize(
    "given_settings",
    [
        {"timeout_in_seconds": 0},
        {"attempt_timeout_in_seconds": math.inf},
        {"max_retries": 11},
        {"api_key": ""},
        {"headers": {"host": "x"}},
    ],
    ids=repr,
)
def test_settings_are_checked_when_made(given_settings: dict[str, Any]) -> None:
    """A client that cannot work is not made."""
    with pytest.raises(ElevenLabsConfigError):
        settings_with(**given_settings)


def test_settings_without_options() -> None:
    """They are the client's, untouched."""
    defaults = settings_with(api_key=KEY)

    assert defaults is defaults.merged(None)


@pytest.mark.parametrize(
    ("option", "value"),
    [("timeout_in_seconds", 1.0), ("attempt_timeout_in_seconds", 1.0), ("max_retries", 0), ("api_key", "sk_call")],
)
def test_an_option_wins_over_its_default(option: str, value: Any) -> None:
    """It alone changes, and the client's settings stay."""
    defaults = settings_with(api_key=KEY, headers={"a": "b"})

    merged = defaults.merged(RequestOptions(**{option: value}))

    assert value == getattr(merged, option)
    assert attrs.asdict(defaults) | {option: value} == attrs.asdict(merged)
    assert attrs.asdict(settings_with(api_key=KEY, headers={"a": "b"})) == attrs.asdict(defaults)


@pytest.mark.parametrize(
    ("client", "call", "merged"),
    [
        pytest.param({"X-A": "1"}, None, {"x-a": "1"}, id="the client's alone"),
        pytest.param({"X-A": "1"}, {}, {"x-a": "1"}, id="none in the call"),
        pytest.param({"X-A": "1"}, {"X-B": "2"}, {"x-a": "1", "x-b": "2"}, id="both"),
        pytest.param({"X-A": "1"}, {"x-a": "2"}, {"x-a": "2"}, id="the call wins, in any case"),
        pytest.param({"X-A": "1"}, {"x-A": None}, {"x-a": None}, id="the call removes, in any case"),
        pytest.param({"X-A": None}, {"x-a": "2"}, {"x-a": "2"}, id="the call brings back"),
        pytest.param(None, {"User-Agent": None}, {"user-agent": None}, id="one of the package's own"),
    ],
)
def test_headers_are_merged(client: Any, call: Any, merged: dict[str, str | None]) -> None:
    """Name by name, in any case."""
    assert merged == settings_with(headers=client).merged(RequestOptions(headers=call)).headers


@pytest.mark.parametrize(
    ("query_params", "query"), [(None, "kept=1"), ({}, ""), ({"a": True, "b": [1, 2]}, "a=true&b=1&b=2")]
)
def test_the_query_of_a_call(query_params: Any, query: str) -> None:
    """It is encoded when it is merged."""
    assert query == settings_with(query="kept=1").merged(RequestOptions(query_params=query_params)).query


def test_a_call_may_bring_the_key() -> None:
    """A client without one can be made."""
    assert "sk_call" == settings_with().merged(RequestOptions(api_key="sk_call")).api_key


def test_the_keys_of_a_merge_are_masked() -> None:
    """Whether it was the client's or the call's."""
    defaults = settings_with(api_key=KEY)

    assert "'***'" == repr(defaults.merged(RequestOptions(max_retries=1)).api_key)
    assert "'***'" == repr(defaults.merged(RequestOptions(api_key="sk_call")).api_key)
    assert KEY not in repr(defaults)


@pytest.mark.parametrize(
    "options", [None, RequestOptions(), RequestOptions(max_retries=0)], ids=["none", "empty", "set"]
)
def test_the_environment_is_read_once(monkeypatch: pytest.MonkeyPatch, options: RequestOptions | None) -> None:
    """Promise 46: a key that appears after the client was made is not its key, whatever options a call has."""
    defaults = settings_with()
    monkeypatch.setenv(API_KEY_VARIABLE, "sk_late")

    assert defaults.merged(options).api_key is None


def test_headers_that_changed_after_their_check() -> None:
    """What goes out is what was checked, or it is refused."""
    headers: dict[str, str | None] = {"a": "b"}
    options = RequestOptions(headers=headers)
    headers["Host"] = "evil.example"

    try:
        merged = settings_with().merged(options).headers
    except ElevenLabsConfigError:
        return

    assert {"a": "b"} == merged
