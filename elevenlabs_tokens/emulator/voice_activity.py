"""Commits that the server makes by itself, when a speaker pauses: `commit_strategy=vad`."""

from collections.abc import Iterator

from elevenlabs_tokens.emulator.loudness import Codec, Sound

_STEP_IN_MILLISECONDS = 10
_QUIETEST_IN_DECIBELS = -60.0


class VoiceActivity:
    """Finds pauses in audio. It counts the time of the audio, however fast the audio comes.

    Args:
        codec: The codec of the audio.
        rate: Samples per second.
        threshold: How loud speech is at least, from 0 (-60 decibels) to 1 (full scale).
        speech_in_milliseconds: How long a speaker must speak without a pause to be noticed.
        silence_in_milliseconds: How long a pause must be.
    """

    def __init__(
        self, *, codec: Codec, rate: int, threshold: float, speech_in_milliseconds: int, silence_in_milliseconds: int
    ) -> None:
        self._codec: Codec = codec
        self._rate = rate
        self._speech_from_decibels = _QUIETEST_IN_DECIBELS * (1 - threshold)
        self._speech_in_samples = speech_in_milliseconds * rate // 1000
        self._silence_in_samples = silence_in_milliseconds * rate // 1000
        self._step_in_bytes = rate * _STEP_IN_MILLISECONDS // 1000 * (1 if codec == "ulaw" else 2)
        self.forget()

    def forget(self) -> None:
        """Begin anew, as after a commit."""
        self._has_spoken = False
        self._speech = self._silence = 0

    def split(self, audio: bytes) -> Iterator[tuple[bytes, bool]]:
        """Split a chunk of audio where a pause is long enough; each piece says whether it ends with such a pause."""
        start = 0
        for step in range(0, len(audio), self._step_in_bytes):
            end = step + self._step_in_bytes
            if self._is_pause_after(audio[step:end]):
                yield audio[start:end], True
                start = end
                self.forget()
        if start < len(audio):
            yield audio[start:], False

    def _is_pause_after(self, step: bytes) -> bool:
        sound = Sound(self._codec, self._rate)
        sound.add(step)
        if sound.decibels >= self._speech_from_decibels:
            self._speech += sound.samples
            self._silence = 0
            self._has_spoken = self._has_spoken or self._speech >= self._speech_in_samples
        else:
            self._silence += sound.samples
            self._speech = 0
        return self._has_spoken and self._silence >= self._silence_in_samples
