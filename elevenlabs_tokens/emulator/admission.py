"""Who may mint a token, and who may open a connection."""

from collections.abc import Iterable

from attrs import frozen

from elevenlabs_tokens.emulator.api_errors import (
    INVALID_API_KEY,
    INVALID_AUTHORIZATION_HEADER,
    NEEDS_AUTHORIZATION,
    ApiError,
)
from elevenlabs_tokens.emulator.journal import note_refusal
from elevenlabs_tokens.emulator.ledger import TokenLedger, TokenRefusedError


class KeyRefusedError(Exception):
    """A request has no key, or one that is not accepted; `error` is the API's error for this case."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(error.message)
        self.error = error


class ApiKeys:
    """The API keys that are accepted.

    Args:
        accepted: The keys; None accepts any key, but one must be sent.
    """

    def __init__(self, accepted: Iterable[str] | None) -> None:
        self._accepted = None if accepted is None else frozenset(accepted)

    def check(self, api_key: str | None, *, authorization: str | None = None) -> None:
        """Check the key of a request.

        Args:
            api_key: The `xi-api-key` header.
            authorization: The `Authorization` header. A key there is refused, with an error that says so.

        Raises:
            KeyRefusedError: There is no key, or it is not accepted.
        """
        if not api_key:
            raise KeyRefusedError(INVALID_AUTHORIZATION_HEADER if authorization else NEEDS_AUTHORIZATION)
        if self._accepted is not None and api_key not in self._accepted:
            raise KeyRefusedError(INVALID_API_KEY)


@frozen
class Admission:
    """Decides who may open a connection, by a single-use token or by an API key."""

    ledger: TokenLedger
    api_keys: ApiKeys

    def admit(self, token_type: str, *, token: str | None, api_key: str | None) -> None:
        """Admit one connection, and spend its token.

        If a token is given, it alone decides: then a good key does not help, and a bad one does no harm.

        Args:
            token_type: The type of token that the connection takes.
            token: The single-use token; None if none was given.
            api_key: The API key; None if none was given.

        Raises:
            TokenRefusedError: The token cannot open this connection.
            KeyRefusedError: There is no token, and no key that is accepted.
        """
        try:
            if token is not None:
                self.ledger.spend(token, token_type)
            else:
                self.api_keys.check(api_key)
        except (TokenRefusedError, KeyRefusedError) as refusal:
            note_refusal(str(refusal) if token is None else f"token: {refusal}")
            raise
