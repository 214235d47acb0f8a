"""Django in one file: signed-in users get tokens for speech to text in real time.

Install:
    pip install django uvicorn gunicorn
    pip install "elevenlabs-tokens[limits] @ git+https://github.com/elevenlabs-tokens/elevenlabs-tokens"
Set:
    ELEVENLABS_API_KEY, and SESSION_SECRET (a long random text that signs the session cookies)
Run one of these:
    python -m uvicorn django_app:asgi --port 8000
    python -m gunicorn django_app:wsgi --threads 8 --bind 127.0.0.1:8000
"""

import atexit
import json
import os
from pathlib import Path

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from elevenlabs_tokens import ElevenLabsClient
from elevenlabs_tokens.endpoint import EndpointRequest, TokenEndpoint

FRONTEND = Path(__file__).with_name("frontend")

settings.configure(
    SECRET_KEY=os.environ["SESSION_SECRET"],
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",  # with TLS, set SESSION_COOKIE_SECURE too
)

client = ElevenLabsClient()  # one for the whole app; it reads ELEVENLABS_API_KEY
atexit.register(client.close)


def signed_in_user(request: HttpRequest) -> str | None:
    """Give the user who is signed in, if any. With `django.contrib.auth`, ask `request.user` instead."""
    name: str | None = request.session.get("name")
    return name


def authorize(request: EndpointRequest) -> str | None:
    """Let the token route use the same function. None refuses, and the browser gets 401."""
    return signed_in_user(request.framework_request)


@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in, in this demo, whoever gives a name. Check a password here, or use a login provider."""
    request.session["name"] = json.loads(request.body)["name"]
    return HttpResponse(status=204)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Forget who was signed in."""
    request.session.flush()
    return HttpResponse(status=204)


@require_GET
def me(request: HttpRequest) -> HttpResponse:
    """Tell who is signed in."""
    return JsonResponse({"name": signed_in_user(request)})


@require_GET
def health(_request: HttpRequest) -> HttpResponse:
    """Tell that the app runs."""
    return JsonResponse({"status": "ok"})


@require_GET
def page(_request: HttpRequest) -> HttpResponse:
    """Give the page."""
    return HttpResponse((FRONTEND / "index.html").read_bytes())


@require_GET
def script(_request: HttpRequest) -> HttpResponse:
    """Give the JavaScript that fetches the token."""
    return HttpResponse((FRONTEND / "elevenlabs-token.js").read_bytes(), content_type="text/javascript")


endpoint = TokenEndpoint(client, authorize=authorize)
urlpatterns = [
    path("elevenlabs-token", endpoint.django_view),
    path("sign-in", sign_in),
    path("sign-out", sign_out),
    path("me", me),
    path("health", health),
    path("", page),
    path("elevenlabs-token.js", script),
]

asgi = get_asgi_application()
wsgi = get_wsgi_application()
