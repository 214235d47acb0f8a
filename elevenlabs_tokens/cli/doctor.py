"""The doctor: mints a throw-away token of each type, and names the cause of each failure."""

import time
from collections.abc import Sequence
from typing import Any, Literal

from attrs import frozen
from rich.console import Console
from rich.text import Text

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsConfigError, ElevenLabsError, RawResponse
from elevenlabs_tokens.cli.findings import Finding, clock_finding, finding_of
from elevenlabs_tokens.cli.program import note
from elevenlabs_tokens.cli.progress import progress
from elevenlabs_tokens.environments import ElevenLabsEnvironment, checked_address
from elevenlabs_tokens.options import checked_api_key, key_or_environment

_STYLES = {"ok": "bold green", "failed": "bold red", "not tried": "dim"}
_SETTINGS = "settings"
_CLOCK = "clock"


@frozen
class Check:
    """One thing that was looked at, or that could not be, because of a failure before it.

    Attributes:
        name: `settings`, the type of a token, or `clock`.
        outcome: How it went.
        finding: Why it failed.
    """

    name: str
    outcome: Literal["ok", "failed", "not tried"]
    finding: Finding | None = None

    def to_text(self) -> Text:
        """The check for people, in one line."""
        found = self.finding
        why = f": {found.cause}: {found.text}; {found.to_do}" if found else ""
        return Text.assemble((f"{self.outcome:<9}", _STYLES[self.outcome]), f"  {self.name}{why}")

    def to_dict(self) -> dict[str, str]:
        """The check for programs."""
        found = self.finding
        why = {"cause": found.cause, "text": found.text, "to_do": found.to_do} if found else {}
        return {"name": self.name, "outcome": self.outcome, **why}


async def examine(
    token_types: Sequence[str], *, environment: ElevenLabsEnvironment, base_url: str | None, allow_insecure_http: bool
) -> list[Check]:
    """Look at the settings, mint a token of each type, and compare the clocks.

    Args:
        token_types: The types, checked.
        environment: The region of the API.
        base_url: Another address of the API, checked.
        allow_insecure_http: Whether `http:` may lead to another machine.
    """
    arguments: dict[str, Any] = {
        "environment": environment,
        "base_url": base_url,
        "allow_insecure_http": allow_insecure_http,
    }
    try:
        _check_key()
        address = checked_address(**arguments)
        client = AsyncElevenLabsClient(max_retries=0, **arguments)
    except ElevenLabsConfigError as error:
        return [Check(_SETTINGS, "failed", finding_of(error)), *_not_tried(*token_types, _CLOCK)]
    note(
        f"Minting one token at {address} for each of {', '.join(token_types)}. "
        "The tokens are neither shown nor used, and expire after 15 minutes."
    )
    async with client:
        return [Check(_SETTINGS, "ok"), *await _mint_each(client, token_types)]


def _check_key() -> None:
    key = key_or_environment(None)
    if key is None:
        raise ElevenLabsConfigError("there is no API key")
    checked_api_key(key)


def show(checks: Sequence[Check]) -> None:
    """Print the checks for people."""
    out = Console(highlight=False, soft_wrap=True)
    for check in checks:
        out.print(check.to_text())


def _not_tried(*names: str) -> list[Check]:
    return [Check(name, "not tried") for name in names]


async def _mint_each(client: AsyncElevenLabsClient, token_types: Sequence[str]) -> list[Check]:
    checks: list[Check] = []
    clock = Check(_CLOCK, "not tried")
    for index, token_type in enumerate(token_types):
        async with progress(f"Minting a token for {token_type}"):
            reply, finding = await _mint(client, token_type)
        if reply and (date := reply.headers.get("Date")):
            wrong_clock = clock_finding(date, time.time())
            clock = Check(_CLOCK, "failed" if wrong_clock else "ok", wrong_clock)
        checks.append(Check(token_type, "failed" if finding else "ok", finding))
        if finding and not finding.concerns_one_type:
            checks += _not_tried(*token_types[index + 1 :])
            break
    return [*checks, clock]


async def _mint(client: AsyncElevenLabsClient, token_type: str) -> tuple[RawResponse | None, Finding | None]:
    try:
        minted = await client.tokens.single_use.with_raw_response.create(token_type)
    except ElevenLabsError as error:
        return error.raw_response, finding_of(error)
    return minted.raw_response, None
