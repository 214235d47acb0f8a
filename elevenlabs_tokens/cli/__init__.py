"""The command `elevenlabs-tokens`; what it needs beyond the package is the extra `cli`."""

import sys
from importlib.util import find_spec


def main() -> None:
    """Run the command line."""
    if find_spec("cyclopts") is None or find_spec("rich") is None:
        sys.exit("the command line needs more than the package: pip install 'elevenlabs-tokens[cli]'")
    from elevenlabs_tokens.cli.app import run

    run()
