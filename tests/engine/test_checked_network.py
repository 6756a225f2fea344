"""Private addresses that nobody reaches by naming them: directly, by a name, or by a redirect."""

from __future__ import annotations

import http.server
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_envstore.engine.checked_network import AddressRules, RefusedAddressError
from tests.helpers import Store, opened_stores, serve

FETCH = """
import sys, urllib.error, urllib.request
from jupyter_envstore.engine.checked_network import guard_network, with_refusals
guard_network(True, sys.argv[2].split())
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())
except (OSError, urllib.error.URLError) as error:
    print(with_refusals(f"failed: {error}"))
"""


def fetch(url: str, allowed: str = "", **variables: str) -> str:
    """Fetch an address in a process whose network is checked; return what it prints."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    command = [sys.executable, "-c", FETCH, url, allowed]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=kept | variables, timeout=60)
    return done.stdout.strip()


class Redirecting(http.server.BaseHTTPRequestHandler):
    """Sends every request to another host."""

    target = ""

    def do_GET(self) -> None:
        """Redirect."""
        self.send_response(302)
        self.send_header("Location", self.target)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Drop it."""


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[str]:
    """A server of this machine, with a secret."""
    (tmp_path / "secret").write_text("the secret")
    with serve(str(tmp_path)) as host:
        yield host


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.9.9.9", "::1", "10.0.0.1", "192.168.1.1", "172.16.0.9", "169.254.169.254", "fe80::1%eth0",
     "fd00::1", "0.0.0.0", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "224.0.0.1", "100.64.0.1"],  # noqa: S104
)  # fmt: skip
def test_what_is_not_of_the_internet_is_refused(address: str) -> None:
    with pytest.raises(RefusedAddressError, match="of this machine or of a private network"):
        AddressRules().check("name.example", 443, address)


def test_what_is_of_the_internet_or_allowed_is_not() -> None:
    for address in ("8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"):
        AddressRules().check("name.example", 443, address)
    AddressRules(["10.1.0.0/16"]).check("mirror", 443, "10.1.2.3")
    AddressRules(["Mirror"]).check("mirror", 443, "10.1.2.3")
    AddressRules(["mirror:8443"]).check("mirror", 8443, "10.1.2.3")
    for rules in (AddressRules(["mirror:8443"]), AddressRules(["10.2.0.0/16", "other"])):
        with pytest.raises(RefusedAddressError):
            rules.check("mirror", 443, "10.1.2.3")


def test_it_is_refused_by_its_number_by_a_name_and_by_a_redirect(inside: str) -> None:
    port = inside.rpartition(":")[2]
    assert fetch(f"http://{inside}/secret", inside) == "the secret"
    for host in (inside, f"localhost:{port}", f"0.0.0.0:{port}", f"[::ffff:127.0.0.1]:{port}", f"2130706433:{port}"):
        told = fetch(f"http://{host}/secret")
        assert "the secret" not in told
        assert "of this machine or of a private network" in told, told
    assert "the secret" not in fetch(f"http://{inside}/secret", no_proxy="*", NO_PROXY="127.0.0.1")
    Redirecting.target = f"http://{inside}/secret"
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redirecting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    outside = f"127.0.0.1:{server.server_port}"
    told = fetch(f"http://{outside}/", outside)
    assert "the secret" not in told
    assert "of this machine" in told
    assert fetch(f"http://{outside}/", f"{outside} {inside}") == "the secret"
    server.shutdown()
    server.server_close()


def test_a_proxy_of_the_site_is_used_and_numbers_are_checked_before(tmp_path: Path) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def answer() -> None:
            other, _ = proxy.accept()
            heard.append(other.recv(65536))
            other.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            other.close()

        threading.Thread(target=answer, daemon=True).start()
        url = f"http://jo:pass%20word@127.0.0.1:{proxy.getsockname()[1]}"
        assert fetch("http://packages.example/x?y=1", http_proxy=url) == "ok"
        assert heard[0].startswith(b"GET http://packages.example/x?y=1 HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic am86cGFzcyB3b3Jk" in heard[0]
        assert "private network" in fetch("http://10.0.0.1/x", http_proxy=url)


def test_a_build_does_not_reach_a_private_channel_unless_it_is_allowed(nasty_channel: str, tmp_path: Path) -> None:
    folder = nasty_channel.removeprefix("file://")
    with serve(folder) as host, opened_stores(tmp_path / "pkgs") as make:
        (tmp_path / "pkgs").mkdir()
        text = f"name: x\nchannels: ['http://{host}']\ndependencies: [nasty-text]"
        guarded: Store = make(block_private_addresses=True)
        view = guarded.build(text, "x")
        assert view["status"] == "FAILED"
        assert "127.0.0.1 is an address of this machine" in view["reason"]
        allowed: Store = make(block_private_addresses=True, allowed_addresses=[host])
        view = allowed.build(text, "x")
        assert view["status"] == "COMPLETED", view["reason"]
