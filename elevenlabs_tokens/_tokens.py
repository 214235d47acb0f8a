"""The resources of the API: what they are called, where they are, what they give."""

from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any

from elevenlabs_tokens._http.pipeline import Pipeline
from elevenlabs_tokens._http.structure import structure_token
from elevenlabs_tokens._promise import HttpResponsePromise
from elevenlabs_tokens._tracebacks import clears_frames_on_error
from elevenlabs_tokens.models import SingleUseTokenResponseModel, SingleUseTokenType, checked_token_type
from elevenlabs_tokens.options import RequestOptions, checked_request_options
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
        with_raw_response: The same methods, giving the raw response as well.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.with_raw_response = AsyncSingleUseClientWithRawResponse(pipeline)

    @clears_frames_on_error
    def create(
        self,
        token_type: SingleUseTokenType | str,
        *,
        request_options: RequestOptions | Mapping[str, object] | None = None,
    ) -> HttpResponsePromise[SingleUseTokenResponseModel]:
        """Mint a token that opens one connection and then stops working.

        Args:
            token_type: What the token may open; a `SingleUseTokenType`, or its string. A string that this version
                does not know is sent as it is, if it is of lower-case letters, digits and underscores.
            request_options: Overrides for this call; what is unset falls back to the client's. A mapping of the
                same names, or the vendor SDK's, will do.

        Returns:
            The token, which lapses unused 900 s after the request was sent.

        Raises:
            ElevenLabsConfigError: An argument cannot work, or there is no API key; nothing was sent.
            ClientClosedError: The client is closed.
            AuthenticationError: The API key was refused (401). Never retried.
            PermissionDeniedError: The API key may not mint such a token (403). Never retried.
            UnprocessableEntityError: The API knows no such type (422); see `errors`. Never retried.
            RateLimitError: Still 429 after the last attempt; see `retry_after` (seconds).
            ServerError: Still 5xx after the last attempt; see `retry_after` (seconds).
            ElevenLabsTimeoutError: No whole reply in time.
            ElevenLabsConnectionError: No whole reply after the last attempt.
            InvalidResponseError: The reply is not what the API promises. Never retried.

        Source: POST /v1/single-use-token/{token_type}, API reference read 2026-11-24.
        """
        checked = checked_token_type(token_type)
        options = None if request_options is None else checked_request_options(request_options)
        structure = partial(structure_token, checked, self._pipeline.websocket_base_url)
        call = self._pipeline.post(f"/v1/single-use-token/{checked}", options, structure)
        return HttpResponsePromise(call, "AsyncSingleUseClient.create")


class AsyncSingleUseClientWithRawResponse:
    """The methods of `AsyncSingleUseClient`, giving the raw response as well."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    @clears_frames_on_error
    def create(
        self,
        token_type: SingleUseTokenType | str,
        *,
        request_options: RequestOptions | Mapping[str, object] | None = None,
    ) -> Coroutine[Any, Any, WithRawResponse[SingleUseTokenResponseModel]]:
        """Mint a token, and give it next to the response that it was read from.

        Args:
            token_type: What the token may open; as for `create`.
            request_options: Overrides for this call; as for `create`.

        Returns:
            The token as `data`, and `raw_response`: status, headers, request id, retries, seconds.

        Raises:
            ElevenLabsError: As `create` does.

        Source: POST /v1/single-use-token/{token_type}, API reference read 2026-11-24.
        """
        plain = AsyncSingleUseClient(self._pipeline)
        return plain.create(token_type, request_options=request_options).with_raw_response()
