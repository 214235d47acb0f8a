"""What the API sent back, as data: the raw response, and the items of a 422."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Generic, TypeVar, overload

from attrs import field, frozen

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


def _as_pairs(items: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(items)


@frozen(eq=False, repr=False, slots=False)
class Headers(Mapping[str, str]):
    """The headers of a response, as a mapping that cannot be changed.

    A name is found in upper or lower case: `headers["Retry-After"]` and `headers["retry-after"]` are the same. If a
    header came more than once, its values are joined by commas.

    Attributes:
        pairs: Each header as it came, a pair of name and value; a repeated header is there more than once.
    """

    pairs: tuple[tuple[str, str], ...] = field(default=(), converter=_as_pairs)

    @cached_property  # made when first read: most callers read no header
    def _values(self) -> dict[str, str]:
        values: dict[str, str] = {}
        for name, value in self.pairs:
            lowered = name.lower()
            values[lowered] = f"{values[lowered]}, {value}" if lowered in values else value
        return values

    def __getitem__(self, name: str) -> str:
        if not isinstance(name, str):
            raise KeyError(name)
        return self._values[name.lower()]

    @overload
    def get(self, name: str, default: None = None, /) -> str | None: ...

    @overload
    def get(self, name: str, default: str | T, /) -> str | T: ...

    def get(self, name: object, default: object = None, /) -> object:
        """Give the header, or the default; `Mapping.get` would raise and catch an error for each missing header."""
        return self._values.get(name.lower(), default) if isinstance(name, str) else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return self._values == other._values

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"Headers({self._values!r})"


@frozen
class RawResponse:
    """The response that ended a call, without its body.

    Attributes:
        status_code: The HTTP status.
        headers: The headers; their names are found in upper or lower case.
        url: The URL of the request, with its query.
        request_id: The API's name for the request: the header `request-id`, else `x-trace-id`, else the `request_id`
            of an error's body. None if there is none. Quote it when you ask the vendor's support.
        retries_taken: How many attempts came before the one that brought this response.
        elapsed_in_seconds: The seconds from the first `await` of the call to the end of this response.
    """

    status_code: int
    headers: Headers
    url: str
    request_id: str | None
    retries_taken: int
    elapsed_in_seconds: float


@frozen
class WithRawResponse(Generic[T_co]):
    """The result of a call, together with the response that it was read from.

    Attributes:
        data: What the call gives without the raw response: the token.
        raw_response: The response.
    """

    data: T_co
    raw_response: RawResponse


@frozen
class ValidationErrorItem:
    """One thing that the API found wrong with a request (422).

    Attributes:
        loc: Where in the request, as a path of names and positions: `("path", "token_type")`.
        msg: What is wrong, in the API's words.
        type: The kind of fault: `"enum"`, `"missing"`.

    Source: `HTTPValidationError` in the API reference, read 2026-11-24.
    """

    loc: tuple[str | int, ...]
    msg: str
    type: str
