"""What came back, as data: the raw response, and the items of a 422."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Generic, TypeVar

from attrs import field, frozen

T_co = TypeVar("T_co", covariant=True)


def _as_pairs(items: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(items)


@frozen(eq=False, repr=False, slots=False)
class Headers(Mapping[str, str]):
    """The headers of a response: read-only, found in any case, values of a repeated name joined by commas.

    Attributes:
        pairs: Every name and value as they came, repeated names apart.
    """

    pairs: tuple[tuple[str, str], ...] = field(default=(), converter=_as_pairs)

    @cached_property  # most replies are read for their body alone
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
    """The response that ended a call, less its body.

    Attributes:
        status_code: The HTTP status.
        headers: Read-only, found in any case.
        url: The URL that was asked, query included.
        request_id: The API's own name for the request: its `request-id` header, else `x-trace-id`,
            else the error body's. None where it gave none. Quote it to the vendor's support.
        retries_taken: How many attempts came before this one.
        elapsed_in_seconds: From the first await of the call to the end of this response.
    """

    status_code: int
    headers: Headers
    url: str
    request_id: str | None
    retries_taken: int
    elapsed_in_seconds: float


@frozen
class WithRawResponse(Generic[T_co]):
    """What a call gives, next to the response that it was read from."""

    data: T_co
    raw_response: RawResponse


@frozen
class ValidationErrorItem:
    """One thing that the API found wrong with a request (422).

    Attributes:
        loc: Where it was found, as a path: `("path", "token_type")`.
        msg: What was wrong, in the API's words.
        type: The kind of fault: `"enum"`, `"missing"`.
    """

    loc: tuple[str | int, ...]
    msg: str
    type: str
