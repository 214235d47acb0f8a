import pytest

from frontend import Frontend

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/voices", 404), ("GET", "/v1/speech-to-text", 405)])
async def test_other_routes_are_named_as_not_emulated(frontend: Frontend, method: str, path: str, status: int) -> None:
    """The error object says what was asked for, and lists what is served."""
    async with frontend.http.request(method, frontend.emulator.base_url + path) as response:
        detail = (await response.json())["detail"]

    assert status == response.status
    assert detail["message"].startswith(f"The emulator does not serve {method} {path}. It serves /")
    for served in ("/v1/single-use-token/{token_type}", "/v1/speech-to-text/realtime", "multi-stream-input"):
        assert served in detail["message"]
