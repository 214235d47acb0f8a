"""The example apps, run as their first lines say."""

import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from elevenlabs_tokens.emulator import Emulator
from frozen import KEY
from servers import Server, serving

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
COMMANDS = {
    command.split()[1]: command
    for file in sorted(EXAMPLES.glob("*_app.py"))
    for command in re.findall(r"^ +python -m (.+)", file.read_text(), re.MULTILINE)
}
"""How to run each app, by its name, such as `fastapi_app:app`."""


@contextmanager
def running(app: str, emulator: Emulator, **environment: str) -> Generator[Server]:
    """Run an app under its server until the block ends.

    Args:
        app: Its name in `COMMANDS`.
        emulator: Where it mints.
        environment: Further variables.
    """
    command = COMMANDS[app].replace("8000", "{port}").split()
    settings = {"ELEVENLABS_BASE_URL": emulator.base_url, "ELEVENLABS_API_KEY": KEY, "SESSION_SECRET": "for-the-tests"}
    with serving(sys.executable, "-m", *command, environment={**settings, **environment}, folder=EXAMPLES) as server:
        yield server
