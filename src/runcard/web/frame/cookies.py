"""Cookies that hold a secret, bound to how their browser reached the server.

Over TLS they are Secure and named `__Host-…`, so no other host and nobody on the line can set or read them.
Over plain HTTP they have another name, so that one kind is never taken for the other.
"""

from fastapi import Request
from starlette.responses import Response


def is_by_tls(request: Request) -> bool:
    """Whether the request came over TLS, directly or by the word of a trusted proxy."""
    return bool(request.scope["scheme"] == "https")


def read_secret(request: Request, name: str) -> str | None:
    return request.cookies.get(_named(request, name))


def keep_secret(
    response: Response, request: Request, name: str, secret: str, lifetime_s: int | None = None
) -> None:
    """Give the browser the secret for this long; None: until the browser is closed."""
    secure = is_by_tls(request)
    response.set_cookie(
        _named(request, name), secret, max_age=lifetime_s, httponly=True, samesite="lax", secure=secure
    )


def forget_secret(response: Response, request: Request, name: str) -> None:
    secure = is_by_tls(request)
    response.delete_cookie(_named(request, name), httponly=True, samesite="lax", secure=secure)


def _named(request: Request, name: str) -> str:
    return f"__Host-{name}" if is_by_tls(request) else name
