"""The demo: the life of a token, step by step, against an emulator on this machine."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import aiohttp
from rich.console import Console
from rich.text import Text

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsError, SingleUseTokenResponseModel
from elevenlabs_tokens.cli.conversations import SAMPLE_RATE, RefusedError, seconds_of, speak, tone, transcribe
from elevenlabs_tokens.cli.findings import explanation
from elevenlabs_tokens.cli.program import name_to_copy
from elevenlabs_tokens.emulator import Emulator

_SENTENCE = "A token opens one connection, and then it is spent."
_MODEL = "scribe_v2_realtime"
_FIFTEEN_MINUTES_IN_SECONDS = 900


class UnexpectedError(Exception):
    """A step did not do what it should; the text says what happened instead."""


async def walk_through(console: Console | None = None) -> bool:
    """Show the life of a token, one line per step.

    Args:
        console: Where to print; standard output if None.

    Returns:
        Whether every step did what it should.
    """
    out = console or Console(highlight=False, soft_wrap=True)
    done, failed = ("✓", "✗") if out.encoding.lower().startswith("utf") else ("ok", "failed")
    out.print("The life of a token, against an emulator on this machine: no key, no network, no cost.\n")
    began = step_began = time.perf_counter()
    try:
        async with aclosing(_steps()) as steps:
            async for text in steps:
                out.print(_line(done, "bold green", text, time.perf_counter() - step_began))
                step_began = time.perf_counter()
    except (UnexpectedError, RefusedError, ElevenLabsError, aiohttp.ClientError, OSError) as error:
        text = explanation(error) if isinstance(error, ElevenLabsError) else str(error)
        out.print(_line(failed, "bold red", text, time.perf_counter() - step_began))
        out.print("\nThis step did not do what it should.")
        return False
    out.print(f"\nEach step did what it should, in {time.perf_counter() - began:.2f} s. Mint one with the real API:\n")
    out.print(f"    ELEVENLABS_API_KEY=sk_... {name_to_copy()} create realtime_scribe\n")
    return True


def _line(mark: str, style: str, text: str, seconds: float) -> Text:
    return Text.assemble("  ", (mark, style), (f"{seconds * 1000:7.1f} ms  ", "dim"), text)


async def _steps() -> AsyncGenerator[str, None]:
    ahead_in_seconds = 0.0
    emulator = Emulator(clock=lambda: time.time() + ahead_in_seconds)
    async with emulator, aiohttp.ClientSession() as browser:
        yield f"emulator  listens on {emulator.base_url}"

        # The emulator accepts any key. The frontend never sees it, as in a real app.
        async with AsyncElevenLabsClient(api_key="sk_emulator", base_url=emulator.base_url) as client:
            single_use = client.tokens.single_use

            token = await single_use.create("realtime_scribe")
            yield f"backend   minted a {_shown(token)}"

            url = token.connect_url(model_id=_MODEL)
            async with browser.ws_connect(url) as socket:
                transcript = await transcribe(socket, tone(1.0))
            yield f"frontend  opened speech to text with it, sent 1 s of audio, read {transcript.text!r}"

            yield f"frontend  opened it again and was refused: {await _refusal(browser, url)!r}"

            late = await single_use.create("realtime_scribe")
            yield f"backend   minted a {_shown(late)}"

            ahead_in_seconds += _FIFTEEN_MINUTES_IN_SECONDS
            refusal = await _refusal(browser, late.connect_url(model_id=_MODEL))
            yield f"frontend  came 15 minutes late (the emulator's clock was set forward): {refusal!r}"

            token = await single_use.create("tts_websocket")
            yield f"backend   minted a {_shown(token)}"

            url = token.connect_url(voice_id="any_voice", output_format=f"pcm_{SAMPLE_RATE}")
            async with browser.ws_connect(url) as socket:
                speech = await speak(socket, _SENTENCE)
            if not speech:
                raise UnexpectedError("text to speech ended without any audio")
            yield f"frontend  opened text to speech with it, heard {seconds_of(speech):.1f} s in {len(speech):,} bytes"

        states = [record.state for record in emulator.tokens]
        if states != ["spent", "expired", "spent"]:
            raise UnexpectedError(f"the emulator counts the tokens as {', '.join(states)}")
        yield f"emulator  counts 3 tokens: {', '.join(states)}"


def _shown(token: SingleUseTokenResponseModel) -> str:
    return f"{token.token_type} token: {token.token[:6]}***, good for {token.seconds_left():.0f} s and one connection"


async def _refusal(browser: aiohttp.ClientSession, url: str) -> str:
    async with browser.ws_connect(url) as socket:
        try:
            await transcribe(socket, tone(0.25))
        except RefusedError as error:
            return str(error)
    raise UnexpectedError("a token that should have been refused opened a connection")
