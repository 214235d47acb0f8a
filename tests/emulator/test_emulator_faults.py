from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from elevenlabs_tokens.emulator.faults import Fault, FaultQueue, FaultyReply, plan_fault


def plan(**arguments: Any) -> Fault:
    blank: dict[str, Any] = {
        "status": None,
        "headers": None,
        "body": None,
        "delay_in_seconds": None,
        "disconnect": False,
    }
    return plan_fault(**{**blank, **arguments})


def planned_reply(**arguments: Any) -> FaultyReply:
    reply = plan(**arguments).reply
    assert reply is not None
    return reply


@pytest.mark.parametrize("arguments", [{}, {"headers": {"Retry-After": "3"}}, {"body": {"a": 1}}])
def test_503_unless_told_otherwise(arguments: Mapping[str, Any]) -> None:
    """A reply without a status is the one of an API that is down."""
    assert 503 == planned_reply(**arguments).status


def test_a_delay_alone_leaves_the_good_reply() -> None:
    """Nothing stands in for the token, which is merely late; 0 s is a delay, too."""
    assert Fault(reply=None, delay_in_seconds=2.5, disconnect=False) == plan(delay_in_seconds=2.5)
    assert Fault(reply=None, delay_in_seconds=0.0, disconnect=False) == plan(delay_in_seconds=0)


def test_a_delay_with_a_status_makes_a_bad_reply_late() -> None:
    """The two combine."""
    fault = plan(status=500, delay_in_seconds=1)

    assert fault.reply is not None
    assert (500, 1) == (fault.reply.status, fault.delay_in_seconds)


def test_a_disconnect_has_no_reply() -> None:
    """With or without a delay before it."""
    assert Fault(reply=None, delay_in_seconds=0.0, disconnect=True) == plan(disconnect=True)
    assert Fault(reply=None, delay_in_seconds=1.0, disconnect=True) == plan(disconnect=True, delay_in_seconds=1.0)


@pytest.mark.parametrize(
    ("body", "expected", "content_type"),
    [
        (None, None, "application/json"),
        ({"token": None}, b'{"token": null}', "application/json"),
        (MappingProxyType({"a": 1}), b'{"a": 1}', "application/json"),
        ([], b"[]", "application/json"),
        ("<h1>\u00e9</h1>", "<h1>\u00e9</h1>".encode(), "text/plain; charset=utf-8"),
        (b"\xff", b"\xff", "application/octet-stream"),
        ("", b"", "text/plain; charset=utf-8"),
    ],
)
def test_bodies_by_kind(body: object, expected: bytes | None, content_type: str) -> None:
    """Mappings and lists turn into JSON, text and bytes go as they are, nothing leaves it to the status."""
    reply = planned_reply(status=400, body=body)

    assert (expected, content_type) == (reply.body, reply.content_type)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"status": 199}, "status"),
        ({"status": 600}, "status"),
        ({"status": True}, "status"),
        ({"status": "503"}, "status"),
        ({"headers": [("a", "b")]}, "headers must map"),
        ({"headers": {"a b": "c"}}, "name of a header"),
        ({"headers": {1: "c"}}, "name of a header"),
        ({"headers": {"Retry-After": 3}}, "header Retry-After must be a string"),
        ({"headers": {"a": "b\r\nc: d"}}, "must be a string of one line"),
        ({"body": 5}, "body must be"),
        ({"body": {"a": {1, 2}}}, "cannot be written as JSON"),
        ({"delay_in_seconds": -1}, "delay_in_seconds"),
        ({"delay_in_seconds": float("inf")}, "delay_in_seconds"),
        ({"delay_in_seconds": True}, "delay_in_seconds"),
        ({"delay_in_seconds": "1"}, "delay_in_seconds"),
        ({"disconnect": 1}, "disconnect must be"),
        ({"disconnect": True, "status": 503}, "disconnect cuts"),
        ({"disconnect": True, "headers": {}}, "disconnect cuts"),
        ({"disconnect": True, "body": ""}, "disconnect cuts"),
    ],
)
def test_bad_arguments_are_named(arguments: Mapping[str, Any], message: str) -> None:
    """Each error says which argument is wrong."""
    with pytest.raises(ValueError, match=message):
        plan(**arguments)


def test_faults_queue_up() -> None:
    """First come first served, each for its number of mints, and then no more."""
    faults = FaultQueue()
    first, second = plan(status=503), plan(status=429)
    faults.add(first, times=2)
    faults.add(second, times=1)

    assert [first, first, second, None] == [faults.take() for _ in range(4)]


@pytest.mark.parametrize("times", [0, -1, 1.0, True, "1"])
def test_times_is_a_count(times: Any) -> None:
    """A whole number, 1 or more."""
    with pytest.raises(ValueError, match="times must be"):
        FaultQueue().add(plan(), times=times)
