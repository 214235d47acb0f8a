"""`python -m elevenlabs_tokens` is the command `elevenlabs-tokens`."""

from elevenlabs_tokens.cli import main

if __name__ == "__main__":
    main()
