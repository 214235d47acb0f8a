"""What the client refuses, one table for each kind: from the name of the case to what is given, and to the fault."""

from collections.abc import Mapping
from typing import Any

from frozen import KEY
from pure.samples import Lying

_SPACE = "has white space in it"
_CHARACTERS = "has characters that no key has"

API_KEYS: Mapping[str, tuple[Any, str]] = {
    "empty": ("", "is empty"),
    "a newline at the end": (f"{KEY}\n", _SPACE),
    "a newline in front": (f"\n{KEY}", _SPACE),
    "CR": (f"{KEY}\r", _SPACE),
    "CRLF and a header": (f"{KEY}\r\nX-Evil: 1", _SPACE),
    "a tab": (f"{KEY}\t{KEY}", _SPACE),
    "a space in front": (f" {KEY}", _SPACE),
    "a space inside": (f"{KEY} {KEY}", _SPACE),
    "a space alone": (" ", _SPACE),
    "a no-break space": (f"{KEY}\u00a0", _SPACE),
    "a line separator": (f"{KEY}\u2028", _SPACE),
    "NUL": (f"{KEY}\x00", _CHARACTERS),
    "0x01": (f"\x01{KEY}", _CHARACTERS),
    "DEL": (f"{KEY}\x7f", _CHARACTERS),
    "é": (f"{KEY}é", _CHARACTERS),
    "a zero-width space": (f"{KEY}\u200b", _CHARACTERS),
    "smart quotes": (f"\u201c{KEY}\u201d", _CHARACTERS),
    "half a surrogate pair": (f"{KEY}\ud800", _CHARACTERS),
    "too long": ("x" * 4097, _CHARACTERS),
    "bytes": (KEY.encode(), "is of type bytes"),
    "int": (1234567890123456, "is of type int"),
    "a list": ([KEY], "is of type list"),
}
"""API keys. The error's text is "the API key" and then the fault."""

RESERVED_HEADERS = (
    "Accept-Encoding",
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Expect",
    "Host",
    "Proxy-Authorization",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "xi-api-key",
)
"""The names of headers that only the client sets: refused in upper and lower case, and with any value."""

_NAME = "a header's name is not valid; use letters, digits and hyphens"
_VALUE = "the value of header 'x-a' must be text of ASCII"

HEADERS: Mapping[str, tuple[Mapping[Any, Any], str]] = {
    "an empty name": ({"": "1"}, _NAME),
    "a space for a name": ({" ": "1"}, _NAME),
    "a space in a name": ({"X A": "1"}, _NAME),
    "a colon in a name": ({"X-A:": "1"}, _NAME),
    "CRLF in a name": ({"X-A: a\r\nX-Evil": "1"}, _NAME),
    "a line end after a name": ({"Host\n": "1"}, _NAME),
    "NUL in a name": ({"X-A\x00": "1"}, _NAME),
    "a bracket in a name": ({"X-A(": "1"}, _NAME),
    "a quote in a name": ({'X-A"': "1"}, _NAME),
    "é in a name": ({"é": "1"}, _NAME),
    "a name that folds to ASCII": ({"ho\u017ft": "1"}, _NAME),
    "a name whose lower case is two characters": ({"\u0130": "1"}, _NAME),
    "half a surrogate pair in a name": ({"\ud800": "1"}, _NAME),
    "a number for a name": ({1: "1"}, _NAME),
    "None for a name": ({None: "1"}, _NAME),
    "bytes for a name": ({b"X-A": "1"}, _NAME),
    "CRLF in a value": ({"X-A": "hunter2\r\nX-Evil: 1"}, _VALUE),
    "LF in a value": ({"X-A": "hunter2\nX-Evil: 1"}, _VALUE),
    "a line end after a value": ({"X-A": "hunter2\n"}, _VALUE),
    "CR in a value": ({"X-A": "hunter2\rb"}, _VALUE),
    "NUL in a value": ({"X-A": "hunter2\x00b"}, _VALUE),
    "DEL in a value": ({"X-A": "hunter2\x7f"}, _VALUE),
    "é in a value": ({"X-A": "hunter2é"}, _VALUE),
    "half a surrogate pair in a value": ({"X-A": "hunter2\ud800"}, _VALUE),
    "bytes for a value": ({"X-A": b"hunter2"}, _VALUE),
    "a number for a value": ({"X-A": 1}, _VALUE),
    "a bool for a value": ({"X-A": True}, _VALUE),
    "a long name": ({"X" * 300: "é"}, f"the value of header {'x' * 40!r} must be"),
    "a long name twice": ({"X" * 300: "1", "x" * 300: "2"}, f"header {'x' * 40!r} is given twice"),
    "one name twice": ({"X-A": "1", "x-a": "2"}, "header 'x-a' is given twice, in different cases"),
    "one name twice, once to remove it": ({"X-A": "1", "x-a": None}, "header 'x-a' is given twice, in different cases"),
}
"""Headers, and how the error's text begins. The text quotes no value: neither "Evil" nor "hunter2" is in it."""

TOKEN_TYPES: Mapping[str, Any] = {
    "another endpoint": "../voices",
    "dots": "..",
    "a dot": ".",
    "empty": "",
    "a slash alone": "/",
    "a slash": "a/b",
    "a slash in front": "/realtime_scribe",
    "a slash at the end": "realtime_scribe/",
    "a backslash": "a\\b",
    "a query": "x?y=1",
    "a fragment": "x#y",
    "a semicolon": "a;b",
    "encoded dots": "%2e%2e",
    "an encoded slash": "a%2fb",
    "CRLF": "realtime_scribe\r\n",
    "CRLF and a header": "x HTTP/1.1\r\nX-Evil: 1",
    "a line end at the end": "realtime_scribe\n",
    "a space in front": " realtime_scribe",
    "a space": "realtime scribe",
    "NUL": "realtime_scribe\x00",
    "an upper-case letter": "Realtime_scribe",
    "upper case": "REALTIME_SCRIBE",
    "a hyphen": "realtime-scribe",
    "a digit in front": "1a",
    "an underscore in front": "_a",
    "a dunder": "__class__",
    "65 long": "a" * 65,
    "é": "realtime_scribé",
    "a digit of another script": "a\u0663",
    "a letter of another script": "r\u0435altime_scribe",
    "half a surrogate pair": "a\ud800",
    "bytes": b"realtime_scribe",
    "None": None,
    "a number": 5,
    "a list": ["realtime_scribe"],
    "a text that formats as another": Lying("../voices"),
}
"""Token types, which would lead to another endpoint or are no text."""

INSECURE_BASE_URLS = (
    "http://api.elevenlabs.io",
    "http://10.0.0.1",
    "http://0.0.0.0",
    "http://2130706433",
    "http://127.1",
    "http://127.0.0.1.evil.com",
    "http://localhost.evil.com",
    "http://localhost.",
    "http://evil.com:127",
    "http://[::2]",
    "http://[::ffff:10.0.0.1]",
    "http://[::ffff:127.0.0.1]",
)
"""Base URLs of another machine without TLS: refused, unless `allow_insecure_http=True`."""

_NOT_A_URL = "is not a URL"
_NOT_PLAIN = "has white space, a control character, a backslash or a character that is not ASCII"
_SCHEME = "does not begin with https:// (or http://, for this machine)"
_NO_HOST = "names no host that can be looked up, or its port is not valid"
_USERINFO = "has a user name or a password in it"
_QUERY = "has a query or a fragment"

BASE_URLS: Mapping[str, tuple[Any, str]] = {
    "empty": ("", _NOT_A_URL),
    "bytes": (b"https://h", _NOT_A_URL),
    "a number": (443, _NOT_A_URL),
    "half an IPv6 address": ("http://[::1", _NO_HOST),
    "the other half": ("http://::1]", _NO_HOST),
    "two brackets": ("https://[[::1]", _NO_HOST),
    "empty brackets": ("https://[]", _NO_HOST),
    "a letter before an IPv6 address": ("http://a[::1]", _NO_HOST),
    "a name after an IPv6 address": ("http://[::1]evil.example", _NO_HOST),
    "a domain after an IPv6 address": ("http://[::1].evil.example", _NO_HOST),
    "a name and a port after an IPv6 address": ("http://[::1]evil.example:80", _NO_HOST),
    "a bracket too many": ("https://[::1]]", _NO_HOST),
    "a port over 65535": ("https://h:99999", _NO_HOST),
    "a port that is no number": ("https://h:x", _NO_HOST),
    "a hexadecimal port": ("https://h:0x50", _NO_HOST),
    "a negative port": ("https://h:-1", _NO_HOST),
    "a space alone": (" ", _NOT_PLAIN),
    "a line feed": ("https://h\n.example", _NOT_PLAIN),
    "a carriage return": ("https://h.example\r", _NOT_PLAIN),
    "CRLF and a header": ("https://h.example\r\nX-Evil: 1", _NOT_PLAIN),
    "a tab": ("https://h\t.example", _NOT_PLAIN),
    "a space in front": (" https://h.example", _NOT_PLAIN),
    "a space in the path": ("https://h.example/a b", _NOT_PLAIN),
    "DEL": ("https://h.example\x7f", _NOT_PLAIN),
    "a backslash": ("https://h.example\\@evil.example", _NOT_PLAIN),
    "not ASCII": ("https://b\u00fccher.example", _NOT_PLAIN),
    "digits that are not ASCII": ("https://h.example:\u0664\u0664\u0663", _NOT_PLAIN),
    "ftp": ("ftp://h.example", _SCHEME),
    "file": ("file:///etc/passwd", _SCHEME),
    "javascript": ("javascript:alert(1)", _SCHEME),
    "wss": ("wss://h.example", _SCHEME),
    "ws": ("ws://127.0.0.1:8765", _SCHEME),
    "no scheme": ("h.example", _SCHEME),
    "no scheme but slashes": ("//h.example", _SCHEME),
    "a host for a scheme": ("localhost:8765", _SCHEME),
    "a scheme alone": ("https:", _NO_HOST),
    "no host": ("https://", _NO_HOST),
    "a path without a host": ("https:///v1", _NO_HOST),
    "a port without a host": ("https://:443", _NO_HOST),
    "no slashes": ("https:h.example", _NO_HOST),
    "an IPv4 address that cannot be": ("https://256.1.1.1", _NO_HOST),
    "another, with a port": ("https://1.1.1.999:8443/a", _NO_HOST),
    "another, as long as can be": (f"https://1.1.1.{'9' * 63}", _NO_HOST),
    "another, longer than Python reads": (f"https://1.1.1.{'9' * 5000}", _NO_HOST),
    "a dot alone": ("https://.", _NO_HOST),
    "an empty label in front": ("https://.h.example", _NO_HOST),
    "two dots at the end": ("https://h.example..", _NO_HOST),
    "an empty label": ("https://h..example", _NO_HOST),
    "a label that is too long": (f"https://{'a' * 64}.example", _NO_HOST),
    "a user": ("https://user@h.example", _USERINFO),
    "a password": ("https://user:hunter2@h.example", _USERINFO),
    "a password alone": ("https://hunter2@h.example", _USERINFO),
    "an empty user": ("https://@h.example", _USERINFO),
    "this machine for a user": ("http://localhost@evil.example", _USERINFO),
    "this machine and a port for a user": ("http://127.0.0.1:80@evil.example", _USERINFO),
    "a query": ("https://h.example?a=b", _QUERY),
    "an empty query": ("https://h.example/?", _QUERY),
    "a fragment": ("https://h.example/#x", _QUERY),
    "an empty fragment": ("https://h.example#", _QUERY),
}
"""Base URLs. The error's text is "base_url" and then the fault. It does not quote the URL: "hunter2" is not in it."""
