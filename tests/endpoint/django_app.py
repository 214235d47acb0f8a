"""The endpoints as views of Django, with its CSRF protection switched on; `asgi` and `wsgi` are its applications."""

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any, cast

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponseBase
from django.urls import include, path
from django.utils.decorators import sync_and_async_middleware

from endpoint.app import CALLER, ENDPOINTS

settings.configure(
    ALLOWED_HOSTS=["*"],
    LOGGING_CONFIG=None,
    MIDDLEWARE=[
        "endpoint.django_app.sets_caller",
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for tests",
)


@sync_and_async_middleware
def sets_caller(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    async def asynchronous(request: HttpRequest) -> HttpResponseBase:
        CALLER.set("the app")
        return cast("HttpResponseBase", await get_response(request))

    def synchronous(request: HttpRequest) -> HttpResponseBase:
        CALLER.set("the app")
        return cast("HttpResponseBase", get_response(request))

    return asynchronous if iscoroutinefunction(get_response) else synchronous


urlpatterns = [
    *(path(name, endpoint.django_view) for name, endpoint in ENDPOINTS.items()),
    path("mounted/", include([path(f"{name}/", endpoint.django_view) for name, endpoint in ENDPOINTS.items()])),
]
asgi = get_asgi_application()
wsgi = get_wsgi_application()
