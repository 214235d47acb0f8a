"""The command `elevenlabs-tokens`. The packages that only it needs are the extra `cli`."""

from importlib.util import find_spec

from elevenlabs_tokens.cli.program import CommandError, run


def main() -> None:
    """Run the command that the arguments name, and exit."""
    run(_command)


def _command() -> None:
    if find_spec("cyclopts") is None or find_spec("rich") is None:
        raise CommandError(
            "the command line needs two more packages: pip install 'elevenlabs-tokens[cli]', "
            "or in a checkout: pip install '.[cli]'"
        )
    from elevenlabs_tokens.cli.app import call

    call()
