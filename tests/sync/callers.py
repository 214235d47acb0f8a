"""Sync calls: made by a test itself, and by a program in a process of its own."""

from elevenlabs_tokens import ElevenLabsClient
from frozen import KEY

CLIENT = f"""
import os, socket, sys, threading, time
from elevenlabs_tokens import ClientClosedError, ElevenLabsClient, ElevenLabsError, ElevenLabsTimeoutError
client = ElevenLabsClient(api_key={KEY!r}, base_url=base_url)
def mint(client=client): return client.tokens.single_use.create("realtime_scribe").token
def in_child(action):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            began = time.monotonic()
            action()
            code = 0 if time.monotonic() - began < 1 else 2
        finally:
            os._exit(code)
    return child
def codes(*children):
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
"""
"""The first part of a program that is given a `base_url`: a client, a call of it, and calls in forked children.

The exit code of a child is 0 if its call has worked and has taken less than 1 s.
"""


def mint_sync(client: ElevenLabsClient) -> str:
    """Mint, and give the token's text."""
    return client.tokens.single_use.create("realtime_scribe").token
