"""How typed code uses the package: read by the type checkers, and never run."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import assert_type

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ElevenLabsEnvironment,
    HttpResponsePromise,
    RateLimitError,
    RawResponse,
    RequestOptions,
    SingleUseTokenResponseModel,
    SingleUseTokenType,
    UnprocessableEntityError,
    ValidationErrorItem,
    WithRawResponse,
)


async def ask_the_vault() -> str:
    """Give the key."""
    return "sk_1"


def read_the_file() -> str:
    """Give the key."""
    return "sk_1"


async def mint() -> None:
    """Use what there is."""
    for api_key in ("sk_1", read_the_file, ask_the_vault, None):
        AsyncElevenLabsClient(api_key=api_key, environment=ElevenLabsEnvironment.PRODUCTION_EU)

    async with AsyncElevenLabsClient() as client:
        assert_type(client, AsyncElevenLabsClient)
        promise = client.tokens.single_use.create(SingleUseTokenType.REALTIME_SCRIBE)
        assert_type(promise, HttpResponsePromise[SingleUseTokenResponseModel])
        token = await promise
        assert_type(token, SingleUseTokenResponseModel)
        assert_type(token.expires_at, datetime)
        assert_type(token.connect_url(voice_id="v", seed=1, keyterms=["a", "b"], enable_logging=True), str)
        answer = await promise.with_raw_response()
        assert_type(answer, WithRawResponse[SingleUseTokenResponseModel])
        assert_type(answer.raw_response, RawResponse)
        also = await client.tokens.single_use.with_raw_response.create("tts_websocket")
        assert_type(also, WithRawResponse[SingleUseTokenResponseModel])
        async with asyncio.TaskGroup() as group:
            task = group.create_task(client.tokens.single_use.create("realtime_scribe"))
            assert_type(task, asyncio.Task[SingleUseTokenResponseModel])
        one, two = await asyncio.gather(
            client.tokens.single_use.create("realtime_scribe"), client.tokens.single_use.create("tts_websocket")
        )
        assert_type((one, two), tuple[SingleUseTokenResponseModel, SingleUseTokenResponseModel])
        options = RequestOptions(timeout_in_seconds=5, headers={"X-Trace": "t", "X-Team": None}, query_params={"a": 1})
        await client.tokens.single_use.create("realtime_scribe", request_options=options)
        await client.tokens.single_use.create("realtime_scribe", request_options={"max_retries": 0})

        # What is wrong is seen by the type checkers: without the error, its `ignore` would be one too many.
        await client.tokens.single_use.create(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        RequestOptions(max_retries="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        token.tokn  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018
        promise.cr_frme  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018


def catch(action: Callable[[], None]) -> None:
    """Read what errors hold."""
    try:
        action()
    except UnprocessableEntityError as error:
        assert_type(error.errors, tuple[ValidationErrorItem, ...])
    except RateLimitError as error:
        assert_type(error.retry_after, float | None)
        assert_type(error.request_id, str | None)
