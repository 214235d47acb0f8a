"""Promises 58 and 59: sync calls at the exit of the interpreter, and signals."""

import signal
import time

import pytest

from programs import run_python, start_python
from scripted import TOKEN, Act, ScriptedApi
from sync.callers import CLIENT

EXITS = {
    "idle": f"{CLIENT}mint()",
    "closed": f"{CLIENT}mint(); client.close()",
    "never used": CLIENT,
    "closed, never used": f"{CLIENT}client.close(); assert 1 == threading.active_count()",
    "closed last of all": f"import atexit; atexit.register(lambda: client.close())\n{CLIENT}mint()",
    "closed last of all, never used": f"import atexit; atexit.register(lambda: client.close())\n{CLIENT}",
    "after a fork": f"{CLIENT}mint(); assert [0] == codes(in_child(mint))",
    "in a forked child, too": f"{CLIENT}mint(); child = os.fork(); assert not child or [0] == codes(child); mint()",
    "during a lookup of a host that nothing can interrupt": f"""{CLIENT}
socket.getaddrinfo = lambda *_, **__: threading.Event().wait()
client = ElevenLabsClient(api_key="sk_1234567", base_url="https://hangs.example", timeout_in_seconds=0.1)
try: raise SystemExit(mint(client))
except ElevenLabsTimeoutError: pass
""",
}


@pytest.mark.timed
@pytest.mark.promise(row=58)
@pytest.mark.parametrize("program", EXITS.values(), ids=EXITS)
def test_an_exit(api: ScriptedApi, program: str) -> None:
    """It takes less than 2 s, with code 0, and nothing is printed."""
    run = run_python(f"{program}\nprint(time.monotonic(), flush=True)", base_url=api.base_url)
    ended = time.monotonic()

    assert (0, "") == (run.returncode, run.stderr)
    assert ended - min(map(float, run.stdout.split())) < 2


@pytest.mark.timed
@pytest.mark.promise(row=58)
def test_an_exit_with_a_call_in_flight(api: ScriptedApi) -> None:
    """The call is given up, and its thread gets an error that says why."""
    api.replies += [[Act.STALL]]
    program = """
def call():
    try: mint()
    except Exception as error: os.write(1, type(error).__name__.encode())
threading.Thread(target=call, daemon=True).start()
sys.stdin.read(1)
"""
    with start_python(CLIENT + program, base_url=api.base_url) as process:
        assert api.request_came.wait(20)
        began = time.monotonic()
        out, errors = process.communicate("x", timeout=20)

    assert (0, "ClientClosedError", "") == (process.returncode, out, errors)
    assert time.monotonic() - began < 2


HOOK = """
import atexit
def hook():
    for its_client in by_name, client:
        began = time.monotonic()
        try: outcome = mint(its_client)
        except ClientClosedError: outcome = "closed"
        print(outcome, time.monotonic() - began < 1, flush=True)
atexit.register(hook)
"""


@pytest.mark.timed
@pytest.mark.promise(row=58)
@pytest.mark.parametrize("is_first", [True, False], ids=["the first call", "after a call"])
@pytest.mark.parametrize("is_registered_before", [True, False], ids=["registered before", "registered after"])
def test_a_call_at_the_exit(api: ScriptedApi, *, is_first: bool, is_registered_before: bool) -> None:
    """A call from an `atexit` hook works, or is refused at once, also where it has to look up a host name."""
    by_name = 'by_name = ElevenLabsClient(api_key="sk_1234567", base_url=base_url.replace("127.0.0.1", "localhost"))'
    parts = [f"{CLIENT}{by_name}", "pass" if is_first else "mint()"]
    parts.insert(0 if is_registered_before else len(parts), HOOK)
    run = run_python("\n".join(parts), base_url=api.base_url)

    assert (0, "") == (run.returncode, run.stderr)
    assert 2 == len(run.stdout.splitlines())
    assert {f"{TOKEN['token']} True", "closed True"} >= set(run.stdout.splitlines())


@pytest.mark.timed
@pytest.mark.promise(row=59)
def test_ctrl_c(api: ScriptedApi) -> None:
    """It interrupts the call at once, and the server sees that the connection closes."""
    api.replies += [[Act.STALL]]
    program = """
try: mint()
except KeyboardInterrupt: print("interrupted", flush=True)
sys.stdin.read(1)
mint()
print("goes on")
"""
    with start_python(CLIENT + program, base_url=api.base_url) as process:
        assert process.stdout is not None
        assert api.request_came.wait(20)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        line = process.stdout.readline()
        took = time.monotonic() - began
        closed = api.connection_closed.wait(0.5)
        out, errors = process.communicate("x", timeout=20)

    assert ("interrupted\n", "goes on\n", "", 0) == (line, out, errors, process.returncode)
    assert took < 0.3
    assert closed


@pytest.mark.timed
@pytest.mark.promise(row=59)
def test_a_signal_handler_that_mints_during_the_first_call(api: ScriptedApi) -> None:
    """Both calls wait for the one event loop that the first has started."""
    program = """
import signal
import elevenlabs_tokens._portal as portal
tokens, start = [], portal.start_loop
def start_with_a_signal():
    started = start()
    signal.raise_signal(signal.SIGALRM)
    return started
def handle(*_):
    portal.start_loop = start
    tokens.append(mint())
portal.start_loop = start_with_a_signal
signal.signal(signal.SIGALRM, handle)
tokens.append(mint())
print(tokens)
"""
    run = run_python(CLIENT + program, base_url=api.base_url)

    assert (0, f"{[TOKEN['token']] * 2}\n", "") == (run.returncode, run.stdout, run.stderr)
