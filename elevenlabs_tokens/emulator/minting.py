"""`POST /v1/single-use-token/{token_type}`."""

import asyncio
import json
from http import HTTPStatus

from aiohttp import web
from attrs import frozen

from elevenlabs_tokens.emulator.admission import ApiKeys, KeyRefusedError
from elevenlabs_tokens.emulator.api_errors import unknown_token_type, usual_error
from elevenlabs_tokens.emulator.faults import Fault, FaultQueue, FaultyReply
from elevenlabs_tokens.emulator.ledger import TOKEN_TYPES, TokenLedger
from elevenlabs_tokens.emulator.replies import error_reply, json_reply, new_request_id, reply
from elevenlabs_tokens.emulator.requests import Outcome, RequestLog


@frozen
class Minting:
    """The route that mints tokens, or fails as `FaultQueue` says.

    Source: https://elevenlabs.io/docs/api-reference/tokens/create, read 2026-11-24.
    """

    ledger: TokenLedger
    api_keys: ApiKeys
    faults: FaultQueue[Fault]
    requests: RequestLog

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        token_type = request.match_info["token_type"]
        fault = self.faults.take()
        if fault is None:
            return self._mint(request, token_type)
        if fault.disconnect:
            self._note(request, "disconnected")
            await asyncio.sleep(fault.delay_in_seconds)
            _cut_connection(request)
            return web.Response()
        # The token is minted before the delay: its lifetime begins before the client sees it.
        if fault.reply is None:
            answer = self._mint(request, token_type)
        else:
            self._note(request, "failed")
            answer = _faulty_reply(fault.reply, token_type)
        await asyncio.sleep(fault.delay_in_seconds)
        return answer

    def _note(self, request: web.Request, outcome: Outcome) -> None:
        self.requests.note(request.match_info["token_type"], request.headers, outcome)

    def _mint(self, request: web.Request, token_type: str) -> web.Response:
        # The live API checks the path before the key.
        if token_type not in TOKEN_TYPES:
            self._note(request, "refused")
            return json_reply(unknown_token_type(token_type), status=422)
        try:
            self.api_keys.check(request.headers.get("xi-api-key"), authorization=request.headers.get("Authorization"))
        except KeyRefusedError as refusal:
            self._note(request, "refused")
            return error_reply(refusal.error)
        self._note(request, "minted")
        return json_reply({"token": self.ledger.mint(token_type)})


def _cut_connection(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _faulty_reply(planned: FaultyReply, token_type: str) -> web.Response:
    request_id = new_request_id()
    body = _usual_body(planned.status, token_type, request_id) if planned.body is None else planned.body
    return reply(
        status=planned.status,
        body=body,
        request_id=request_id,
        content_type=planned.content_type,
        headers=planned.headers,
    )


def _usual_body(status: int, token_type: str, request_id: str) -> bytes:
    if status < HTTPStatus.BAD_REQUEST:
        return b""
    is_unprocessable = status == HTTPStatus.UNPROCESSABLE_ENTITY
    document = unknown_token_type(token_type) if is_unprocessable else usual_error(status).document(request_id)
    return json.dumps(document).encode()
