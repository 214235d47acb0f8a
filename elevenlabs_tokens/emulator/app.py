"""The routes of the emulated API."""

from functools import partial

from aiohttp import web

from elevenlabs_tokens.emulator.admission import Admission, ApiKeys
from elevenlabs_tokens.emulator.batch_transcription import BatchTranscription
from elevenlabs_tokens.emulator.dialogue import speak_dialogue
from elevenlabs_tokens.emulator.faults import Fault, FaultQueue
from elevenlabs_tokens.emulator.journal import logged
from elevenlabs_tokens.emulator.ledger import TokenLedger
from elevenlabs_tokens.emulator.minting import Minting
from elevenlabs_tokens.emulator.replies import error_objects
from elevenlabs_tokens.emulator.requests import RequestLog
from elevenlabs_tokens.emulator.socket_faults import SocketFault
from elevenlabs_tokens.emulator.sockets import OpenSockets
from elevenlabs_tokens.emulator.speech_socket import SpeechSocket
from elevenlabs_tokens.emulator.speech_to_text import SpeechToTextSocket
from elevenlabs_tokens.emulator.text_to_speech import speak_in_contexts, speak_one_stream


def build_app(
    ledger: TokenLedger,
    api_keys: ApiKeys,
    faults: FaultQueue[Fault],
    socket_faults: FaultQueue[SocketFault],
    requests: RequestLog,
) -> web.Application:
    """Make the application; all its routes share one ledger."""
    admission = Admission(ledger, api_keys)
    sockets = OpenSockets(socket_faults)
    # One token opens one of the two.
    to_speech = partial(
        SpeechSocket,
        admission=admission,
        sockets=sockets,
        token_type="tts_websocket",  # noqa: S106 - the name of a type
    )
    dialogue = SpeechSocket(
        admission=admission,
        sockets=sockets,
        token_type="ttd_websocket",  # noqa: S106 - the name of a type
        talk=speak_dialogue,
        takes_token_in_first_message=True,
    )
    app = web.Application(middlewares=[logged, error_objects])
    app.add_routes(
        [
            web.post("/v1/single-use-token/{token_type}", Minting(ledger, api_keys, faults, requests).serve),
            web.post("/v1/speech-to-text", BatchTranscription(admission).serve),
            web.get("/v1/speech-to-text/realtime", SpeechToTextSocket(admission, sockets).serve),
            web.get("/v1/text-to-speech/{voice_id}/stream-input", to_speech(talk=speak_one_stream).serve),
            web.get("/v1/text-to-speech/{voice_id}/multi-stream-input", to_speech(talk=speak_in_contexts).serve),
            web.get("/v1/text-to-dialogue/stream-input", dialogue.serve),
        ]
    )
    app.on_shutdown.append(sockets.close_all)
    return app
