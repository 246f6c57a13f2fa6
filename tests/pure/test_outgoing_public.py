"""Posting for somebody else reaches the public network alone, whatever a name says at that moment."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest

from kabao.outgoing import NoAnswer, connect_public, is_public, post


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_addresses_of_the_public_network(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104  an address to refuse
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::1",
        "2001:0:0:0:0:0:80ff:fffe",
        "2001:db8::1",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "not an address",
        "",
    ],
)
def test_every_other_address_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.fixture
def port() -> Iterator[int]:
    """Listen on this machine, and close whoever comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def take() -> None:
            connection, _ = server.accept()
            connection.close()

        thread = threading.Thread(target=take)
        thread.start()
        yield server.getsockname()[1]
        with socket.create_connection(server.getsockname()[:2]):
            thread.join()


def said(*addresses: str) -> Callable[..., list[Any]]:
    """Stand for the name service."""

    def resolve(_host: str, port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port)) for address in addresses]

    return resolve


def test_a_name_with_any_private_address_is_not_connected_to(port: int) -> None:
    for addresses in ((), ("127.0.0.1",), ("93.184.215.14", "127.0.0.1")):
        with pytest.raises(NoAnswer, match="not an address of the public network"):
            connect_public("hooks.example.org", port, 5.0, resolve=said(*addresses))


def test_localhost_is_refused_by_the_real_resolver(port: int) -> None:
    url = f"http://localhost:{port}/"
    with pytest.raises(NoAnswer, match="not an address of the public network"):
        post(url, b"{}", {}, ends=monotonic() + 5, tls=ssl.create_default_context(), connect=connect_public)


def test_the_address_that_was_judged_is_the_one_connected_to(port: int) -> None:
    asked: list[str] = []

    def permits(address: str) -> bool:
        asked.append(address)
        return True

    # Nobody listens at the first address; the second one is tried.
    resolve = said("127.0.0.2", "127.0.0.1")
    with connect_public("hooks.example.org", port, 5.0, resolve=resolve, permits=permits) as connected:
        assert connected.getpeername() == ("127.0.0.1", port)
    assert asked == ["127.0.0.2", "127.0.0.1"]


def test_an_address_where_nobody_answers_is_an_error(port: int) -> None:
    with pytest.raises(ConnectionError):
        connect_public("hooks.example.org", port, 5.0, resolve=said("127.0.0.2"), permits=bool)
    with pytest.raises(TimeoutError):
        connect_public("hooks.example.org", port, -1.0, resolve=said("127.0.0.2"), permits=bool)
