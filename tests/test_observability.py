"""The page on observability: the line of each request, and spans without secrets."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.typedefs import Handler
from opentelemetry import trace
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor, create_trace_config
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from elevenlabs_tokens import AsyncElevenLabsClient, ElevenLabsClient
from elevenlabs_tokens.endpoint import TokenEndpoint
from frozen import KEY
from scripted import TOKEN, ScriptedApi, reply

PAGE = (Path(__file__).parents[1] / "docs" / "observability.md").read_text()
CAPTURE = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_"

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="session")
def exporter() -> InMemorySpanExporter:
    """Give what keeps the spans of this process, whose provider of spans cannot be replaced."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter := InMemorySpanExporter()))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def exported(exporter: InMemorySpanExporter) -> InMemorySpanExporter:
    exporter.clear()
    return exporter


@pytest.fixture
def page(api: ScriptedApi, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run the page's snippets, where all headers are to be captured; give the names that they define."""
    for name, value in {
        "ELEVENLABS_API_KEY": KEY,
        "ELEVENLABS_BASE_URL": api.base_url,
        f"{CAPTURE}REQUEST": ".*",
        f"{CAPTURE}RESPONSE": ".*",
    }.items():
        monkeypatch.setenv(name, value)
    names: dict[str, Any] = {}
    for snippet in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(snippet, names)  # noqa: S102  # our own docs
    return names


@web.middleware
async def traced(request: web.Request, handler: Handler) -> web.StreamResponse:
    with trace.get_tracer(__name__).start_as_current_span("the route"):
        return await handler(request)


async def ask(client: AsyncElevenLabsClient | ElevenLabsClient) -> list[int]:
    """Ask a token route under aiohttp.web, as Ada and as nobody; give the statuses."""
    endpoint = TokenEndpoint(client, authorize=lambda request: request.headers.get("User"), rate_limit=None)
    app = web.Application(middlewares=[traced])
    app.router.add_route("*", "/elevenlabs-token", endpoint.aiohttp_handler)
    async with TestClient(TestServer(app)) as browser:
        return [(await browser.post("/elevenlabs-token", headers=user)).status for user in ({"User": "ada"}, {})]


def check_that_no_secret_is_in(exported: InMemorySpanExporter, api: ScriptedApi) -> str:
    """Look for the key, which was sent, and for the token; give the spans as text."""
    spans = "".join(span.to_json() for span in exported.get_finished_spans())

    assert KEY.encode() in b"".join(api.requests)
    assert KEY not in spans
    assert TOKEN["token"] not in spans
    return spans


@pytest.mark.parametrize("client_class", [AsyncElevenLabsClient, ElevenLabsClient])
async def test_each_attempt_is_a_span_of_the_request(
    client_class: type[AsyncElevenLabsClient | ElevenLabsClient],
    page: dict[str, Any],
    api: ScriptedApi,
    exported: InMemorySpanExporter,
) -> None:
    """Both attempts of a mint are children of the route's span, and tell the API so, from either client."""
    api.replies += [reply(503), reply()]
    client = client_class(trace_configs=[page["spans"]])

    statuses = await ask(client)
    await client.aclose() if isinstance(client, AsyncElevenLabsClient) else client.close()

    *attempts, route, _ = exported.get_finished_spans()
    assert ([201, 401], ["POST", "POST", "the route"]) == (statuses, [span.name for span in (*attempts, route)])
    assert [route.context] * 2 == [attempt.parent for attempt in attempts]
    for attempt, request in zip(attempts, api.requests, strict=True):
        context = json.loads(attempt.to_json())["context"]
        ids = f"{context['trace_id']}-{context['span_id']}".replace("0x", "")
        assert f"traceparent: 00-{ids}-" in request.decode()
    assert "http.request.header" not in check_that_no_secret_is_in(exported, api)


@pytest.mark.usefixtures("page")
async def test_captured_headers(api: ScriptedApi, exported: InMemorySpanExporter) -> None:
    """Where all headers are captured, the header that the page calls sensitive has no value."""
    sensitive = re.findall(r'sensitive_headers=\["(.*?)"\]', PAGE)
    spans = create_trace_config(captured_request_headers=[".*"], sensitive_headers=sensitive)
    async with AsyncElevenLabsClient(trace_configs=[spans]) as client:
        await client.tokens.single_use.create("realtime_scribe")

    assert '"http.request.header.xi_api_key": [\n            "[REDACTED]"' in check_that_no_secret_is_in(exported, api)


@pytest.mark.usefixtures("page")
async def test_all_of_aiohttp_is_instrumented(
    api: ScriptedApi, exported: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable that the page names keeps the key out of the spans."""
    monkeypatch.setenv(*re.findall(r"^(OTEL_\w+)=\"(.*)\"$", PAGE, re.MULTILINE)[0])
    AioHttpClientInstrumentor().instrument()
    try:
        async with AsyncElevenLabsClient() as client:
            await client.tokens.single_use.create("realtime_scribe")
    finally:
        AioHttpClientInstrumentor().uninstrument()

    assert '"http.request.header.xi_api_key": [\n            "[REDACTED]"' in check_that_no_secret_is_in(exported, api)


async def test_the_line_of_a_request_as_json(
    page: dict[str, Any], api: ScriptedApi, caplog: pytest.LogCaptureFixture
) -> None:
    """The page's formatter writes the fields of a token and of a refusal."""
    caplog.set_level(logging.INFO, "elevenlabs_tokens.endpoint")
    api.replies += [reply(headers={"request-id": "8f2c"})]
    async with page["client"] as client:
        await ask(client)

    lines = [json.loads(page["AsJson"]().format(record)) for record in caplog.records if hasattr(record, "outcome")]
    assert [("INFO", "ada", "realtime_scribe", "minted", "8f2c"), ("INFO", None, None, "not_signed_in", None)] == [
        tuple(line[name] for name in ("level", "user_id", "token_type", "outcome", "request_id")) for line in lines
    ]
    assert all(isinstance(line["milliseconds"], int) for line in lines)
    assert re.search("^" + re.escape(lines[0]["message"].rpartition("=")[0]), PAGE, re.MULTILINE)
