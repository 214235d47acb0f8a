"""How typed code uses the package: read by the type checkers, and never run.

What is wrong here has an `ignore`: a type checker that let it through would complain that it needs none.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import assert_type, cast

from elevenlabs_tokens import (
    AsyncElevenLabsClient,
    ElevenLabsClient,
    ElevenLabsEnvironment,
    HttpResponsePromise,
    RateLimitError,
    RawResponse,
    RequestOptions,
    RequestOptionsDict,
    SingleUseTokenResponseModel,
    SingleUseTokenType,
    UnprocessableEntityError,
    ValidationErrorItem,
    WithRawResponse,
    emulator,
)
from elevenlabs_tokens.emulator import Emulator
from elevenlabs_tokens.models import KnownTokenType


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

        await client.tokens.single_use.create(3)  # type: ignore[arg-type]  # the point
        RequestOptions(max_retries="2")  # type: ignore[arg-type]  # the point
        token.tokn  # type: ignore[attr-defined]  # the point  # noqa: B018
        promise.cr_frme  # type: ignore[attr-defined]  # the point  # noqa: B018


def give_options_as_a_dict(client: ElevenLabsClient, read: Mapping[str, object]) -> None:
    """Use the names of `RequestOptions` or the vendor's; others are refused, and so are values of another type."""
    create = client.tokens.single_use.create
    options: RequestOptionsDict = {"timeout_in_seconds": 5, "api_key": read_the_file, "query_params": {"a": [1, "b"]}}
    create("tts_websocket", request_options=options)
    create("tts_websocket", request_options={"max_retries": 0, "headers": {"X-Trace": "t", "X-Team": None}})
    vendors: RequestOptionsDict = {"additional_headers": {"X": "1"}, "additional_query_parameters": {"a": True}}
    create("tts_websocket", request_options=vendors)
    create("tts_websocket", request_options=cast("RequestOptionsDict", read))  # the names are checked at run time

    create("tts_websocket", request_options={"timeout": 5})  # type: ignore[arg-type]  # the point
    create("tts_websocket", request_options={"max_retries": "0"})  # type: ignore[arg-type]  # the point
    create("tts_websocket", request_options=read)  # type: ignore[arg-type]  # the point
    create("tts_websocket", request_options="a=b")  # type: ignore[arg-type]  # the point


def name_a_type(client: ElevenLabsClient, known: KnownTokenType, unknown: str) -> None:
    """Give a member, one of the known strings, which editors complete, or any other string."""
    for token_type in (SingleUseTokenType.BATCH_SCRIBE, known, unknown, "ttd_websocket"):
        client.tokens.single_use.create(token_type)
    known = SingleUseTokenType.BATCH_SCRIBE.value  # the member's value is one of them
    known = "batch_scribes"  # type: ignore[assignment]  # the point


def catch(action: Callable[[], None]) -> None:
    """Read what errors hold."""
    try:
        action()
    except UnprocessableEntityError as error:
        assert_type(error.errors, tuple[ValidationErrorItem, ...])
    except RateLimitError as error:
        assert_type(error.retry_after, float | None)
        assert_type(error.request_id, str | None)


def make_emulators() -> None:
    """Give keys in each of the ways that work; a single key is wrong, and so is a misspelt name."""
    for api_keys in (["sk_1"], ("sk_1", "sk_2"), {"sk_1"}, frozenset({"sk_1"}), None):
        Emulator(api_keys=api_keys)
    Emulator(api_keys="sk_1")  # type: ignore[arg-type]  # the point
    emulator.Emulater()  # type: ignore[attr-defined]  # the point
