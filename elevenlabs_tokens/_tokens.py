"""The methods of the API: their names, their paths, and what they return."""

from collections.abc import Coroutine
from functools import partial
from typing import Any

from elevenlabs_tokens._http.pipeline import Pipeline
from elevenlabs_tokens._http.structure import structure_token
from elevenlabs_tokens._promise import HttpResponsePromise
from elevenlabs_tokens._tracebacks import clears_frames_on_error
from elevenlabs_tokens.models import (
    KnownTokenType,
    SingleUseTokenResponseModel,
    SingleUseTokenType,
    checked_token_type,
)
from elevenlabs_tokens.options import RequestOptions, RequestOptionsDict, checked_request_options
from elevenlabs_tokens.responses import WithRawResponse


class AsyncTokensClient:
    """The tokens of the API.

    Attributes:
        single_use: Tokens that open one connection.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.single_use = AsyncSingleUseClient(pipeline)


class AsyncSingleUseClient:
    """Tokens that open one connection and then stop working.

    Attributes:
        with_raw_response: The same methods, which also give the raw response.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.with_raw_response = AsyncSingleUseClientWithRawResponse(pipeline)

    @clears_frames_on_error
    def create(
        self,
        token_type: SingleUseTokenType | KnownTokenType | str,
        *,
        request_options: RequestOptions | RequestOptionsDict | None = None,
    ) -> HttpResponsePromise[SingleUseTokenResponseModel]:
        """Mint a token that opens one connection and then stops working.

        Args:
            token_type: What the token may open: a `SingleUseTokenType`, or its string. A string that this version
                does not know is sent as it is, if it has only lower-case letters, digits and underscores.
            request_options: Options for this call: `RequestOptions`, or a dict with its names (`RequestOptionsDict`).
                For an option that is not given, the client's is used.

        Returns:
            The token. If it is not used, it expires 900 s after the request was sent.

        Raises:
            ElevenLabsConfigError: An argument cannot be used, or there is no API key. Nothing was sent.
            ClientClosedError: The client is closed.
            AuthenticationError: The API refused the key (401). Never retried.
            PermissionDeniedError: The key may not mint this type of token (403). Never retried.
            UnprocessableEntityError: The API does not know this type of token (422); see `errors`. Never retried.
            RateLimitError: Still 429 after the last attempt; see `retry_after` (seconds).
            ServerError: Still 5xx after the last attempt; see `retry_after` (seconds).
            ElevenLabsStatusError: Another error status, such as 400 or 402; only 408 is retried.
            ElevenLabsTimeoutError: No whole reply came in time.
            ElevenLabsTLSError: The other side could not be trusted. Never retried.
            ElevenLabsConnectionError: No whole reply came, in the last attempt either.
            InvalidResponseError: The reply is not what the API promises. Never retried.

        Source: POST /v1/single-use-token/{token_type}, API reference read 2026-11-24.
        """
        checked = checked_token_type(token_type)
        options = None if request_options is None else checked_request_options(request_options)
        structure = partial(structure_token, checked, self._pipeline.websocket_base_url)
        call = self._pipeline.post(f"/v1/single-use-token/{checked}", options, structure)
        return HttpResponsePromise(call, "AsyncSingleUseClient.create")


class AsyncSingleUseClientWithRawResponse:
    """The methods of `AsyncSingleUseClient`, which here also give the raw response."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    @clears_frames_on_error
    def create(
        self,
        token_type: SingleUseTokenType | KnownTokenType | str,
        *,
        request_options: RequestOptions | RequestOptionsDict | None = None,
    ) -> Coroutine[Any, Any, WithRawResponse[SingleUseTokenResponseModel]]:
        """Mint a token, and give it together with the response that brought it.

        Args:
            token_type: What the token may open, as in `AsyncSingleUseClient.create`.
            request_options: Options for this call, as in `AsyncSingleUseClient.create`.

        Returns:
            The token as `data`, and the response as `raw_response`: status, headers, request id, retries, seconds.

        Raises:
            ElevenLabsError: As `AsyncSingleUseClient.create` raises it.

        Source: POST /v1/single-use-token/{token_type}, API reference read 2026-11-24.
        """
        plain = AsyncSingleUseClient(self._pipeline)
        return plain.create(token_type, request_options=request_options).with_raw_response()
