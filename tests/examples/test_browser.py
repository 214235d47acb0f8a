"""The example page in Chromium, beside two of the example apps. No Python and no dependency changes it."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from browser import Page, browsing
from elevenlabs_tokens.emulator import Emulator
from examples.apps import EXAMPLES, running
from servers import Server, free_port, serving

FASTAPI, FLASK = "fastapi_app:app", "flask_app:app"
TRANSCRIPT = "emulated transcript of 2.0 s of audio"

on_both = pytest.mark.parametrize("backend", [FASTAPI, FLASK], indirect=True)


@pytest.fixture
def backend(request: pytest.FixtureRequest, elevenlabs_emulator: Emulator) -> Iterator[Server]:
    """Serve an example app that mints at the emulator: FastAPI's, if the test does not name another."""
    with running(getattr(request, "param", FASTAPI), elevenlabs_emulator) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with browsing() as blank:
        yield blank


@pytest.fixture
def page(browser: Page) -> Page:
    browser.forget_users()
    return browser


def open_and_sign_in(page: Page, backend: Server) -> None:
    page.open(backend.base_url)
    page.type("#name", "ada")
    page.click("#sign-in button")
    page.wait_for("#status", "You are signed in as ada.")


def states_of(emulator: Emulator) -> list[tuple[str, str]]:
    return [(record.token_type, record.state) for record in emulator.tokens]


@on_both
def test_each_press_uses_a_new_token(page: Page, backend: Server, elevenlabs_emulator: Emulator) -> None:
    """A user signs in, presses the button two times, and sees two transcripts."""
    open_and_sign_in(page, backend)
    for transcript in (1, 2):
        page.click("#transcribe")
        page.wait_for(f"#transcript p:nth-child({transcript})", TRANSCRIPT)

    assert [("realtime_scribe", "spent")] * 2 == states_of(elevenlabs_emulator)


@on_both
def test_a_page_of_another_origin_gets_nothing(page: Page, backend: Server, elevenlabs_emulator: Emulator) -> None:
    """Not with the snippet, and not with a request that needs no preflight; the browser sends the cookie with it."""
    open_and_sign_in(page, backend)
    route = f"{backend.base_url}/elevenlabs-token"
    with serving(sys.executable, "-m", "http.server", "{port}", folder=EXAMPLES / "frontend") as other:
        page.open(other.base_url)
        snippet = page.run(
            "return import('/elevenlabs-token.js').then((m) => m.fetchToken({ route: arguments[0] }))"
            ".catch((error) => `${error.name}: ${error.message}`)",
            route,
        )
        options = "{ method: 'POST', mode: 'no-cors', credentials: 'include' }"
        bare = page.run(f"return fetch(arguments[0], {options}).then((response) => response.text())", route)

    assert ("TypeError: Failed to fetch", "") == (snippet, bare)
    assert [] == states_of(elevenlabs_emulator)


def test_each_call_has_a_token_and_a_signal(page: Page, backend: Server, elevenlabs_emulator: Emulator) -> None:
    """Two calls at once open two sockets; a signal closes the socket of its call alone, or has it send nothing."""
    open_and_sign_in(page, backend)
    outcome = page.run("""
        return import("/elevenlabs-token.js").then(async ({ connect }) => {
          const first = new AbortController();
          const started = (socket) => new Promise((resolve) => { socket.onmessage = () => resolve(socket); });
          const calls = [connect({ signal: first.signal }), connect()].map((call) => call.then(started));
          const sockets = await Promise.all(calls);
          const closed = new Promise((resolve) => { sockets[0].onclose = resolve; });
          first.abort();
          await closed;
          const late = await connect({ signal: first.signal }).catch((error) => error.name);
          return [sockets[0].readyState === WebSocket.CLOSED, sockets[1].readyState === WebSocket.OPEN, late];
        });
    """)

    assert [True, True, "AbortError"] == outcome
    assert [("realtime_scribe", "spent")] * 2 == states_of(elevenlabs_emulator)


def test_nobody_is_signed_in(page: Page, backend: Server, elevenlabs_emulator: Emulator) -> None:
    """The page says so, and moves to the field where a user types their name; signing out has the same effect."""
    page.open(backend.base_url)
    page.click("#transcribe")
    page.wait_for("#status", "You are not signed in. Sign in, then try again.")
    page.type(":focus", "ada")
    page.click("#sign-in button")
    page.wait_for("#status", "You are signed in as ada.")
    page.click("#sign-out")
    page.wait_for("#status", "You are signed out.")
    page.click("#transcribe")
    page.wait_for("#status", "You are not signed in. Sign in, then try again.")

    assert [] == states_of(elevenlabs_emulator)


def test_too_many_tokens(page: Page, backend: Server) -> None:
    """The page says when to try again."""
    open_and_sign_in(page, backend)
    fetches = "Array.from({ length: 20 }, () => fetch('/elevenlabs-token', { method: 'POST' }))"
    page.run(f"return Promise.all({fetches}).then(() => null)")
    page.click("#transcribe")
    page.wait_for("#status", "You have asked for too many tokens. Try again in ")


def test_the_api_is_down(page: Page, backend: Server, elevenlabs_emulator: Emulator) -> None:
    """The page says when to try again: the API asks for so long a wait that the client does not wait itself."""
    elevenlabs_emulator.fail_next(status=503, headers={"Retry-After": "61"})
    open_and_sign_in(page, backend)
    page.click("#transcribe")
    page.wait_for("#status", "Transcription is not available at the moment. Try again in 61 seconds.")


def test_a_lost_connection_is_opened_again(page: Page) -> None:
    """The emulator stops while it listens, and starts again: the page connects with a new token."""
    emulator = Emulator(port=free_port())
    with ExitStack() as stack:
        with emulator:
            open_and_sign_in(page, stack.enter_context(running(FASTAPI, emulator)))
            page.click("#transcribe")
            page.wait_for("#partial", "emulated transcript of")
        with emulator:
            page.wait_for("#transcript", TRANSCRIPT)

    assert [("realtime_scribe", "spent")] * 2 == states_of(emulator)
