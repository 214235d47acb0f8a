"""Who may mint a token, and who may open a connection."""

from collections.abc import Iterable

from attrs import frozen

from elevenlabs_tokens.emulator.api_errors import (
    INVALID_API_KEY,
    INVALID_AUTHORIZATION_HEADER,
    NEEDS_AUTHORIZATION,
    ApiError,
)
from elevenlabs_tokens.emulator.ledger import TokenLedger


class KeyRefusedError(Exception):
    """A request without a key that is accepted; `error` is what the API says of it."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(error.message)
        self.error = error


class ApiKeys:
    """The keys that are accepted.

    Args:
        accepted: The keys; None accepts any, but one must be sent.
    """

    def __init__(self, accepted: Iterable[str] | None) -> None:
        self._accepted = None if accepted is None else frozenset(accepted)

    def check(self, api_key: str | None, *, authorization: str | None = None) -> None:
        """Let a request with an accepted key pass.

        Args:
            api_key: What the `xi-api-key` header says.
            authorization: What the `Authorization` header says, which is no place for an API key.

        Raises:
            KeyRefusedError: There is no key, or it is not accepted.
        """
        if not api_key:
            raise KeyRefusedError(INVALID_AUTHORIZATION_HEADER if authorization else NEEDS_AUTHORIZATION)
        if self._accepted is not None and api_key not in self._accepted:
            raise KeyRefusedError(INVALID_API_KEY)


@frozen
class Admission:
    """Opens connections, by a single-use token or by an API key."""

    ledger: TokenLedger
    api_keys: ApiKeys

    def admit(self, token_type: str, *, token: str | None, api_key: str | None) -> None:
        """Let one connection pass; where a token is given, it is spent and it alone decides.

        Args:
            token_type: The type of token that the connection takes.
            token: The single-use token; None if none was given.
            api_key: The API key; None if none was given.

        Raises:
            TokenRefusedError: The token does not open this connection, or not any more.
            KeyRefusedError: There is no token, and no key that is accepted.
        """
        if token is not None:
            self.ledger.spend(token, token_type)
        else:
            self.api_keys.check(api_key)
