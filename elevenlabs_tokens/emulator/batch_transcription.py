"""`POST /v1/speech-to-text`."""

from http import HTTPStatus

from aiohttp import BodyPartReader, web
from aiohttp.http import HttpProcessingError
from attrs import Factory, define, evolve, frozen

from elevenlabs_tokens.emulator.admission import Admission, KeyRefusedError
from elevenlabs_tokens.emulator.api_errors import INVALID_API_KEY, missing_field, usual_error
from elevenlabs_tokens.emulator.ledger import TokenRefusedError
from elevenlabs_tokens.emulator.loudness import Sound
from elevenlabs_tokens.emulator.replies import error_reply, json_reply, new_request_id
from elevenlabs_tokens.emulator.transcription import spread_words

_PIECE_IN_BYTES = 65536
_NO_FILE = evolve(
    usual_error(HTTPStatus.BAD_REQUEST),
    message="The emulator transcribes only what is sent: add a file. It fetches no URL, and calls no webhook.",
)
_UNREADABLE = evolve(usual_error(HTTPStatus.BAD_REQUEST), message="The form cannot be read.")
# What reading a form may raise: it is cut off, a header in it is broken, or an encoding in it is unknown.
_BROKEN_FORM = (ValueError, HttpProcessingError, LookupError, RuntimeError)


@define
class _Upload:
    """What a form holds; its file is measured piece by piece, and not kept."""

    fields: dict[str, str] = Factory(dict)
    size_in_bytes: int | None = None
    sound: Sound = Factory(lambda: Sound("pcm", 16_000))

    @classmethod
    async def from_request(cls, request: web.Request) -> "_Upload":
        """Read a form to its end.

        Raises:
            ValueError: It is no form.
        """
        upload = cls()
        if request.content_type != "multipart/form-data":
            return upload
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise ValueError("a form holds no other form")  # noqa: TRY004 - the form is wrong, not a type
            if part.name == "file":
                upload.size_in_bytes = 0
                while piece := await part.read_chunk(_PIECE_IN_BYTES):
                    upload.size_in_bytes += len(piece)
                    upload.sound.add(piece)
            elif part.name:
                upload.fields[part.name] = await part.text()
        return upload

    def transcript(self) -> tuple[str, float | None]:
        """Give the transcript and its length in seconds, which is known of raw PCM alone."""
        if self.fields.get("file_format") == "pcm_s16le_16":
            return self.sound.transcript(), self.sound.seconds
        return f"emulated transcript of a file of {self.size_in_bytes} bytes", None


@frozen
class BatchTranscription:
    """The route that `batch_scribe` tokens open; the query parameter `token` carries them.

    Source: https://elevenlabs.io/docs/api-reference/speech-to-text/convert, read 2026-11-24.
    """

    admission: Admission

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; pages of any origin may read the answer."""
        try:
            answer = self._answer(request, await _Upload.from_request(request))
        except _BROKEN_FORM:
            answer = error_reply(_UNREADABLE)
        except web.HTTPException as error:
            answer = error_reply(usual_error(error.status))
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer

    def _answer(self, request: web.Request, upload: _Upload) -> web.Response:
        # The live API checks the form before the key. The token is spent when the form is complete.
        if "model_id" not in upload.fields:
            return json_reply(missing_field("model_id"), status=422)
        if upload.size_in_bytes is None or upload.fields.get("webhook") == "true":
            return error_reply(_NO_FILE)
        headers = request.headers
        try:
            self.admission.admit("batch_scribe", token=request.query.get("token"), api_key=headers.get("xi-api-key"))
        except TokenRefusedError:
            return error_reply(INVALID_API_KEY)
        except KeyRefusedError as refusal:
            return error_reply(refusal.error)
        text, seconds = upload.transcript()
        return json_reply(
            {
                "language_code": upload.fields.get("language_code", "en"),
                "language_probability": 1.0,
                "text": text,
                "words": spread_words(text, start=0.0, duration=seconds or 1.0),
                "transcription_id": new_request_id(),
                "audio_duration_secs": seconds,
            }
        )
