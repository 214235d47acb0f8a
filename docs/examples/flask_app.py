"""Flask: signed-in users get tokens for speech to text in real time.

Install:
    pip install flask gunicorn
    pip install "elevenlabs-tokens[limits] @ git+https://github.com/elevenlabs-tokens/elevenlabs-tokens"
Set:
    ELEVENLABS_API_KEY, and SESSION_SECRET (a long random text that signs the session cookies)
    RATE_LIMIT_STORAGE=redis://localhost:6379, so that the two workers below count a user's tokens together
Run:
    python -m gunicorn flask_app:app --workers 2 --bind 127.0.0.1:8000
"""

import atexit
import os

from flask import Flask, request, session
from werkzeug import Response

from elevenlabs_tokens import ElevenLabsClient
from elevenlabs_tokens.endpoint import EndpointRequest, TokenEndpoint

client = ElevenLabsClient()  # one for the whole app; it reads ELEVENLABS_API_KEY
atexit.register(client.close)

app = Flask(__name__, static_folder="frontend", static_url_path="")  # serves the JavaScript that fetches the token
app.secret_key = os.environ["SESSION_SECRET"]
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"  # with TLS, set SESSION_COOKIE_SECURE too


def signed_in_user() -> str | None:
    """Give the user who is signed in, if any."""
    name: str | None = session.get("name")
    return name


def authorize(_request: EndpointRequest) -> str | None:
    """Let the token route use the same function. None refuses, and the browser gets 401."""
    return signed_in_user()


endpoint = TokenEndpoint(
    client,
    authorize=authorize,
    # In memory, each worker counts for itself, so two workers allow a user twice as much; the log says so.
    rate_limit_storage=os.environ.get("RATE_LIMIT_STORAGE", "memory://"),
)


# The endpoint answers all methods. It runs inside this view, so that `session` works in `authorize`.
@app.route("/elevenlabs-token", methods=["GET", "POST", "OPTIONS"], provide_automatic_options=False)
def elevenlabs_token() -> Response:
    """Give a token to a user who is signed in."""
    return Response.from_app(endpoint.wsgi, request.environ)


@app.post("/sign-in")
def sign_in() -> tuple[str, int]:
    """Sign in, in this demo, whoever gives a name. Check a password here, or use a login provider."""
    session["name"] = request.get_json()["name"]
    return "", 204


@app.post("/sign-out")
def sign_out() -> tuple[str, int]:
    """Forget who was signed in."""
    session.clear()
    return "", 204


@app.get("/me")
def me() -> dict[str, str | None]:
    """Tell who is signed in."""
    return {"name": signed_in_user()}


@app.get("/health")
def health() -> dict[str, str]:
    """Tell that the app runs."""
    return {"status": "ok"}


@app.get("/")
def page() -> Response:
    """Give the page."""
    return app.send_static_file("index.html")
