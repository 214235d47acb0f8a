import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, get_type_hints

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import refused
from elevenlabs_tokens._secrets import Secret
from elevenlabs_tokens.exceptions import ElevenLabsConfigError
from elevenlabs_tokens.options import (
    CallSettings,
    RequestOptions,
    RequestOptionsDict,
    checked_api_key,
    checked_headers,
    checked_key_source,
    checked_max_retries,
    checked_request_options,
    checked_seconds,
    key_or_environment,
)
from frozen import KEY
from pure.samples import Lying, pickled


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


# API keys


@pytest.mark.parametrize(
    ("key", "text"),
    [*((key, key) for key in (KEY, "x", "!~", "*" * 4096)), (Word.KEY, "sk_enum"), (Lying("sk_true"), "sk_true")],
)
def test_a_key(key: str, text: str) -> None:
    """It has 1 to 4,096 visible ASCII characters; inside, it is plain text with a masked `repr`."""
    checked = checked_api_key(key)

    assert (text, Secret, "'***'") == (str(checked), type(checked), repr(checked))


@pytest.mark.promise(row=37)
@pytest.mark.parametrize(
    ("key", "fault"),
    [*refused.API_KEYS.values(), (None, "is of type NoneType")],
    ids=[*refused.API_KEYS, "None"],
)
def test_what_is_no_key(key: object, fault: str) -> None:
    """Each fault is named, and the key is not shown."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_api_key(key)

    assert str(caught.value).startswith(f"the API key {fault}")
    assert KEY not in str(caught.value)
    assert "x" * 20 not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.promise(row=37)
@settings(deadline=None)
@given(st.text() | st.text(st.characters(codec="ascii")).map(KEY.__add__))
def test_any_text_is_a_key_or_refused(text: str) -> None:
    """What is accepted can stand in a header; what is refused is not quoted, and no other exception comes out."""
    if 1 <= len(text) <= 4096 and all("!" <= character <= "~" for character in text):
        assert text == str(checked_api_key(text))
        return

    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_api_key(text)

    assert KEY not in str(caught.value)
    assert str(caught.value).isascii()
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)


def test_a_source_of_keys() -> None:
    """A callable is accepted as it is and not called; a key is checked at once."""
    assert pytest.fail is checked_key_source(pytest.fail)
    assert "'***'" == repr(checked_key_source(KEY))
    with pytest.raises(ElevenLabsConfigError):
        checked_key_source("a b")


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
    """It is the argument, else the variable's, read when the client is made."""
    if variable is not None:
        monkeypatch.setenv("ELEVENLABS_API_KEY", variable)

    assert key == key_or_environment(given_key)


# Numbers


@pytest.mark.parametrize(("value", "seconds"), [(5, 5.0), (0.001, 0.001), (1e-300, 1e-300), (10**300, 1e300)], ids=repr)
def test_seconds(value: float, seconds: float) -> None:
    """Any finite number over 0 is accepted and becomes a float."""
    checked = checked_seconds(value, "timeout_in_seconds")

    assert seconds == checked
    assert float is type(checked)


@pytest.mark.parametrize(
    "value",
    [0, 0.0, -0.0, -1, -0.5, math.nan, math.inf, -math.inf, True, False, "5", [5], Decimal(5), 5 + 0j, 10**400],
    ids=lambda value: repr(value)[:12],
)
@pytest.mark.parametrize("name", ["timeout_in_seconds", "attempt_timeout_in_seconds"])
def test_what_are_no_seconds(value: Any, name: str) -> None:
    """The error names the option, each of the two by its own name."""
    for check in (lambda: checked_seconds(value, name), lambda: RequestOptions(**{name: value})):
        with pytest.raises(ElevenLabsConfigError) as caught:
            check()

        assert f"{name} must be a finite number of seconds over 0, such as 5.0" == str(caught.value)


@pytest.mark.parametrize("value", range(11))
def test_max_retries(value: int) -> None:
    """From none to ten are accepted."""
    assert value == checked_max_retries(value)


@pytest.mark.promise(row=32)
@pytest.mark.parametrize(
    "value", [-1, 11, 10**400, math.nan, math.inf, 2.0, "2", True, False, None], ids=lambda value: repr(value)[:12]
)
def test_what_is_no_number_of_retries(value: object) -> None:
    """Only an integer is accepted, and `bool` is none."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_max_retries(value)

    assert "max_retries must be an integer from 0 (one attempt) to 10" == str(caught.value)


# Headers


@pytest.mark.parametrize(
    ("headers", "checked"),
    [
        pytest.param({}, {}, id="none"),
        pytest.param({"X-Trace": "abc"}, {"x-trace": "abc"}, id="names in lower case"),
        pytest.param({"X-Trace": ""}, {"x-trace": ""}, id="an empty value"),
        pytest.param({"X": "\t a~"}, {"x": "\t a~"}, id="tabs and spaces"),
        pytest.param({"User-Agent": None}, {"user-agent": None}, id="one to remove"),
        pytest.param({Word.HEADER: Word.KEY}, {"x-trace": "sk_enum"}, id="members of an enum"),
        pytest.param({Lying("X-Trace"): Lying("a")}, {"x-trace": "a"}, id="texts that format as others"),
        pytest.param({"!#$%&'*+.^_`|~09aZ-": "x"}, {"!#$%&'*+.^_`|~09az-": "x"}, id="every character of a name"),
        pytest.param({"Authorization": "Bearer x"}, {"authorization": "Bearer x"}, id="a credential for a gateway"),
    ],
)
def test_headers(headers: Mapping[str, str | None], checked: dict[str, str | None]) -> None:
    """What can stand in a header is accepted, as plain text that formats as nothing else and cannot be changed."""
    result: Any = checked_headers(headers)

    assert checked == result
    assert {str, type(None)} >= {type(text) for pair in result.items() for text in pair}
    with pytest.raises(TypeError):
        result["a"] = "c\r\n"


@pytest.mark.promise(row=39)
@pytest.mark.parametrize("value", ["x", None, "", KEY, 5, "a\r\nb"], ids=repr)
@pytest.mark.parametrize("spelled", [str.lower, str.upper, str.title, str], ids=["lower", "upper", "title", "usual"])
@pytest.mark.parametrize("name", refused.RESERVED_HEADERS)
def test_reserved_headers(name: str, spelled: Callable[[str], str], value: Any) -> None:
    """They are refused in any case and whatever the value, None too; for the key, the error says where to give it."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_headers({spelled(name): value})

    hint = "; give the key as api_key" if name == "xi-api-key" else ""
    assert f"header '{name.lower()}' is set by the client and cannot be given{hint}" == str(caught.value)


@pytest.mark.promise(row=39)
@pytest.mark.parametrize(("headers", "fault"), refused.HEADERS.values(), ids=refused.HEADERS)
def test_what_are_no_headers(headers: Any, fault: str) -> None:
    """What could end its line, or start another, is refused; the error does not quote the value."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_headers(headers)

    assert str(caught.value).startswith(fault)
    assert "hunter2" not in str(caught.value)
    assert "Evil" not in str(caught.value)


@settings(deadline=None)
@given(
    st.dictionaries(st.text(), st.text() | st.none())
    | st.dictionaries(st.just("x"), st.text())
    | st.dictionaries(st.just("Authorization"), st.text())
)
def test_any_texts_give_headers_or_a_config_error(headers: dict[str, str | None]) -> None:
    """Nothing that could end a line is accepted, and the error quotes no name and no value that is not valid."""
    error_text = ""
    try:
        checked = checked_headers(headers)
    except ElevenLabsConfigError as error:
        error_text = str(error)
    else:
        assert {name.lower(): value for name, value in headers.items()} == checked
        assert all(part.replace("\t", "").isprintable() for pair in checked.items() for part in pair if part)

    assert error_text.isascii()


# The options of one call


def test_options_are_unset_at_first() -> None:
    """For what is unset, the client's is used; what is set is set by its name."""
    unchecked: Any = RequestOptions

    assert {attribute.name: None for attribute in attrs.fields(RequestOptions)} == attrs.asdict(RequestOptions())
    with pytest.raises(TypeError):
        unchecked(5)


@pytest.mark.parametrize(
    "arguments",
    [
        {"timeout_in_seconds": 0},
        {"attempt_timeout_in_seconds": math.inf},
        {"max_retries": True},
        {"api_key": ""},
        {"headers": {"x": "a\r\nb"}},
        {"query_params": {"a": {1}}},
        {"query_params": {"": "b"}},
    ],
    ids=repr,
)
def test_what_is_checked_when_made(arguments: dict[str, Any]) -> None:
    """Options from keywords and from a mapping, and a client's settings, which have no parameters."""
    with pytest.raises(ElevenLabsConfigError):
        RequestOptions(**arguments)
    with pytest.raises(ElevenLabsConfigError):
        checked_request_options(arguments)
    if "query_params" not in arguments:
        with pytest.raises(ElevenLabsConfigError):
            settings_with(**arguments)


MAPPINGS: list[tuple[str, Callable[[Any], object], str]] = [
    ("headers", checked_headers, "a mapping of names to text"),
    ("query_params", lambda value: RequestOptions(query_params=value), "a mapping"),
    ("request_options", checked_request_options, "RequestOptions or a mapping"),
]


@pytest.mark.parametrize("value", [[("a", "b")], "a=b", 5, {"a"}], ids=repr)
@pytest.mark.parametrize(("name", "check", "wanted"), MAPPINGS, ids=[row[0] for row in MAPPINGS])
def test_what_is_no_mapping(name: str, check: Callable[[object], object], wanted: str, value: object) -> None:
    """The error names the type that was given."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        check(value)

    assert f"{name} is of type {type(value).__name__}; give {wanted}" == str(caught.value)


def test_options_show_names_alone() -> None:
    """A key, a header's value and a parameter's may be credentials; the mask stands even where there is no key."""
    options = RequestOptions(api_key=KEY, headers={"b": "hunter2", "a": None}, query_params={"q": "hunter3"})

    assert repr(options).endswith("max_retries=None, api_key='***', headers=['a', 'b'], query_params=['q'])")
    assert repr(RequestOptions()).endswith("max_retries=None, api_key='***', headers=None, query_params=None)")


def test_options_are_frozen_and_pickle() -> None:
    """They may be a constant, and go to a worker process."""
    options = RequestOptions(max_retries=1, headers={"a": "b"})
    unchecked: Any = options

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        unchecked.max_retries = 3
    assert options == pickled(options)


@pytest.mark.parametrize(
    ("mapping", "options"),
    [
        ({}, {}),
        ({"timeout_in_seconds": 5, "attempt_timeout_in_seconds": 2, "max_retries": 0}, None),
        ({"api_key": KEY}, None),
        ({"headers": {"a": "b"}, "query_params": {"a": 1}}, None),
        ({"additional_headers": {"a": "b"}}, {"headers": {"a": "b"}}),
        ({"additional_query_parameters": {"a": 1}}, {"query_params": {"a": 1}}),
        ({"max_retries": None}, {}),
    ],
    ids=["empty", "numbers", "a key", "mappings", "the vendor's headers", "the vendor's query", "unset"],
)
@pytest.mark.parametrize("kind", [dict, MappingProxyType])
def test_options_from_a_mapping(kind: type, mapping: dict[str, Any], options: dict[str, Any] | None) -> None:
    """Any mapping will do, under the package's own names or the vendor SDK's."""
    assert RequestOptions(**(mapping if options is None else options)) == checked_request_options(kind(mapping))


def test_the_dict_has_the_names_and_the_types_of_the_options() -> None:
    """Type checkers read `RequestOptionsDict`, and the check at run time reads `RequestOptions`."""
    own = get_type_hints(RequestOptions)
    vendors = {"additional_headers": own["headers"], "additional_query_parameters": own["query_params"]}

    assert own | vendors == get_type_hints(RequestOptionsDict)
    assert frozenset() == RequestOptionsDict.__required_keys__


@pytest.mark.parametrize("name", ["timeout", "additional_body_parameters", "", "Max_Retries", "x" * 300, 7, None])
def test_an_unknown_option(name: object) -> None:
    """The error lists the known ones."""
    unchecked: Any = {name: 1}
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_request_options(unchecked)

    assert f"request_options has no {str(name)[:40]!r}; it has {', '.join(get_type_hints(RequestOptionsDict))}" == str(
        caught.value
    )


@pytest.mark.parametrize(
    ("mapping", "name"),
    [
        ({"headers": {}, "additional_headers": {}}, "headers"),
        ({"additional_headers": None, "headers": {"a": "b"}}, "headers"),
        ({"query_params": {}, "additional_query_parameters": {}}, "query_params"),
    ],
)
def test_one_option_under_two_names(mapping: dict[str, Any], name: str) -> None:
    """It cannot be told which of the two is meant."""
    with pytest.raises(ElevenLabsConfigError) as caught:
        checked_request_options(mapping)

    assert f"request_options names {name} twice; give it under one name" == str(caught.value)


# The client's defaults, and the options over them


def test_what_stays_as_it_is() -> None:
    """Settings without options, options that are ready, and none."""
    defaults, options = settings_with(api_key=KEY), RequestOptions(max_retries=0)

    assert defaults is defaults.merged(None)
    assert options is checked_request_options(options)
    assert checked_request_options(None) is None


@pytest.mark.parametrize(
    ("option", "value"),
    [("timeout_in_seconds", 1.0), ("attempt_timeout_in_seconds", 1.0), ("max_retries", 0), ("api_key", "sk_call")],
)
def test_an_option_wins_over_its_default(option: str, value: Any) -> None:
    """Only the option changes, and the client's settings stay."""
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
    """They are merged name by name, in any case."""
    assert merged == settings_with(headers=client).merged(RequestOptions(headers=call)).headers


@pytest.mark.parametrize(
    ("query_params", "query"), [(None, "kept=1"), ({}, ""), ({"a": True, "b": [1, 2]}, "a=true&b=1&b=2")]
)
def test_the_query_of_a_call(query_params: Any, query: str) -> None:
    """It is encoded when it is merged."""
    assert query == settings_with(query="kept=1").merged(RequestOptions(query_params=query_params)).query


def test_the_keys_of_a_merge_are_masked() -> None:
    """A client without a key can be made and a call may bring one; whosever the key is, it does not show."""
    defaults = settings_with(api_key=KEY, headers={"X-Credential": "hunter2"})

    assert "'***'" == repr(defaults.merged(RequestOptions(max_retries=1)).api_key)
    assert "'***'" == repr(settings_with().merged(RequestOptions(api_key="sk_call")).api_key)
    assert not any(secret in repr(defaults) for secret in (KEY, "hunter2"))


@pytest.mark.parametrize(
    "options", [None, RequestOptions(), RequestOptions(max_retries=0)], ids=["none", "empty", "set"]
)
def test_the_environment_is_read_once(monkeypatch: pytest.MonkeyPatch, options: RequestOptions | None) -> None:
    """A key that appears after the client was made is not its key, whatever options a call has."""
    defaults = settings_with()
    monkeypatch.setenv("ELEVENLABS_API_KEY", "sk_late")

    assert defaults.merged(options).api_key is None


def test_headers_that_changed_after_their_check() -> None:
    """They are checked again: what goes out is what was checked."""
    headers: dict[str, str | None] = {"a": "b"}
    options = RequestOptions(headers=headers)
    headers["Host"] = "evil.example"

    with pytest.raises(ElevenLabsConfigError, match="header 'host' is set by the client"):
        settings_with().merged(options)
