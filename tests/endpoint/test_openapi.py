"""The OpenAPI document and the page of the contract, against a route that uvicorn serves."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import settings
from schemathesis.checks import not_a_server_error

from elevenlabs_tokens.emulator import Emulator
from servers import Server, serving

DOCS = Path(__file__).parents[2] / "docs"
ADA = {"Authorization": "Bearer ada"}
CONFIG = schemathesis.Config.from_dict({"auth": {"openapi": {"bearer": {"bearer": "ada"}}}})
SCHEMA = schemathesis.openapi.from_path(DOCS / "token-route.openapi.yaml", config=CONFIG)
MINT = SCHEMA["/elevenlabs-token"]["POST"]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture(scope="module")
def server(emulator: Emulator) -> Iterator[Server]:
    environment = {"ELEVENLABS_BASE_URL": emulator.base_url, "ELEVENLABS_API_KEY": "sk_emulator"}
    uvicorn = [sys.executable, "-m", "uvicorn", "contract_app:app", "--port", "{port}"]
    with serving(*uvicorn, environment=environment, folder=Path(__file__).parent) as running:
        yield running


@SCHEMA.parametrize()  # pyright: ignore[reportUntypedFunctionDecorator]  # schemathesis gives it no type
@settings(max_examples=100, derandomize=True, database=None, deadline=None)
def test_the_document(case: "schemathesis.Case[Any]", server: Server) -> None:
    """Whatever is sent, valid or not, the document has the reply: its status, headers and body."""
    case.call_and_validate(base_url=server.base_url)


CASES: dict[tuple[int, str], dict[str, Any]] = {
    (400, "bad_request"): {"json": {"type": "realtime_scribe"}},
    (401, "not_signed_in"): {"headers": {}},
    (403, "foreign_origin"): {"headers": ADA | {"Sec-Fetch-Site": "cross-site"}},
    (408, "body_timeout"): {"headers": ADA | {"Content-Length": "9"}},
    (413, "body_too_large"): {"data": b" " * 16385},
    (415, "unsupported_media_type"): {"data": "token_type=realtime_scribe"},
    (422, "unknown_token_type"): {"json": {"token_type": "no_such_type"}},
    (429, "rate_limited"): {},
    (500, "internal_error"): {"headers": {"Authorization": "Bearer no-id"}},
    (502, "upstream_refused"): {},
    (503, "upstream_unavailable"): {},
    (504, "upstream_timeout"): {},
}
"""The requests that bring the refusals."""
FAULTS: dict[int, dict[str, Any]] = {502: {"status": 401}, 503: {"status": 503}, 504: {"delay_in_seconds": 3}}


@pytest.mark.parametrize(("status", "code"), CASES, ids=str)
def test_each_refusal(server: Server, emulator: Emulator, status: int, code: str) -> None:
    """It is as the document says; 408 comes after 5 s."""
    url = server.base_url + ("/limited" if status == 429 else "/elevenlabs-token")
    if status == 429:
        requests.post(url, headers=ADA, timeout=20)
    if status in FAULTS:
        emulator.fail_next(**FAULTS[status])

    request: dict[str, Any] = {"headers": ADA, **CASES[status, code]}
    response = requests.post(url, **request, timeout=20)

    assert (status, code) == (response.status_code, response.json()["error"]["code"])
    MINT.Case().validate_response(response, excluded_checks=[not_a_server_error])


def test_the_lists_of_refusals() -> None:
    """The document and the page have the same ones, and all but one code were seen here."""
    rows = re.findall(r"^\| (\d{3}) \| (.*?) \|", (DOCS / "token-route-contract.md").read_text(), re.MULTILINE)
    on_the_page = {(int(status), code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    in_the_document: set[tuple[int, str]] = set()
    for status, response in MINT.definition.raw["responses"].items():
        if status != "201":
            code = response["content"]["application/json"]["schema"]["properties"]["error"]["properties"]["code"]
            in_the_document |= {(int(status), name) for name in code.get("enum", [code.get("const")])}

    assert in_the_document | {(405, "method_not_allowed")} == on_the_page
    assert CASES.keys() | {(503, "limiter_unavailable")} == in_the_document
