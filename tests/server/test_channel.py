"""Kept packages as a channel: what real clients get, who gets what, and that nothing else gets out."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import zstandard

from tests.engine.test_pip import wheel
from tests.server.live import MASTER, Server

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
SOLVE_AND_INSTALL = """
import asyncio, json, os, sys
import rattler
channel, target, cache, *specs = sys.argv[1:]
async def main():
    records = await rattler.solve([channel], specs, platforms=[rattler.Subdir.current(), rattler.Subdir("noarch")],
        gateway=rattler.Gateway(cache_dir=f"{cache}/repodata", client=rattler.Client.default_client()))
    await rattler.install(records, target, cache_dir=f"{cache}/pkgs", show_progress=False,
        client=rattler.Client.default_client())
    print(json.dumps([[r.name.normalized, r.url] for r in records]), flush=True)
asyncio.run(main())
os._exit(0)  # rattler's threads now and then crash a Python that takes itself apart
"""
INSTALL_EXPLICIT = """
import asyncio, json, os, sys
import rattler
path, target, cache = sys.argv[1:]
records = []
for line in open(path):
    if not line.startswith(("http", "file")):
        continue
    url, _, digest = line.strip().partition("#")
    name, version, build = url.rsplit("/", 1)[1].removesuffix(".conda").removesuffix(".tar.bz2").rsplit("-", 2)
    package = rattler.PackageRecord(name, version, rattler.BuildString(build), 0, url.rsplit("/", 2)[1],
        md5=None if len(digest) != 32 else bytes.fromhex(digest),
        sha256=bytes.fromhex(digest.removeprefix("sha256:")) if len(digest) != 32 and digest else None)
    records.append(rattler.RepoDataRecord(package, url.rsplit("/", 1)[1], url, url.rsplit("/", 2)[0]))
asyncio.run(rattler.install(records, target, cache_dir=cache, show_progress=False,
    client=rattler.Client.default_client()))
print(len(records), flush=True)
os._exit(0)
"""


@pytest.fixture(scope="module")
def kept(make_server: Callable[[str], Server], nasty_channel: str, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A server with ``team/open`` (nasty-text) and ``secret/hidden`` (nasty-links), both kept with their packages."""
    server = make_server("")
    for namespace, name, package in (("team", "open", "nasty-text"), ("secret", "hidden", "nasty-links")):
        number = server.submit(f"name: {name}\nchannels: ['{nasty_channel}']\ndependencies: [{package}]", namespace)
        assert server.wait(number)["status"] == "COMPLETED"
        answer = server.ask("PUT", f"build/{number}/keep/", json={"packages": True})
        assert answer.status_code == 202, answer.text
        settle(server, number)
        server.builds = {**getattr(server, "builds", {}), name: number}  # type: ignore[attr-defined]
    return server


def settle(server: Server, number: int) -> dict[str, Any]:
    import time

    deadline = time.monotonic() + 120
    while (found := server.data("GET", f"build/{number}/keep/"))["state"] == "keeping":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert found["state"] == "kept", found
    return dict(found)


def get(server: Server, path: str, token: str | None = None, **options: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.get(f"{server.origin}{path}", headers=headers | options.pop("headers", {}), timeout=20, **options)


def names(answer: requests.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return {entry["name"] for part in ("packages", "packages.conda") for entry in found[part].values()}


def test_each_caller_sees_and_gets_what_that_one_may_read(kept: Server) -> None:
    reader = kept.token({"team/*": ["viewer"]})
    index = "/envstore/channel/noarch/repodata.json"
    assert names(get(kept, index, MASTER)) == {"nasty-text", "nasty-links"}
    assert names(get(kept, index, reader)) == {"nasty-text"}
    assert "nasty-links" not in get(kept, index, reader).text
    assert "file://" not in get(kept, index, MASTER).text
    own, other = (f"/envstore/channel/noarch/nasty-{name}-1.0-0.conda" for name in ("text", "links"))
    assert get(kept, own, reader).status_code == 200
    hidden, absent = get(kept, other, reader), get(kept, "/envstore/channel/noarch/nasty-none-1.0-0.conda", reader)
    assert hidden.status_code == absent.status_code == 404
    assert hidden.json()["message"].replace("links", "none") == absent.json()["message"]
    for path in (index, own, other, "/envstore/channel/simple/", "/envstore/channel/"):
        answer = get(kept, path)
        assert answer.status_code == 401, path
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert get(kept, path, "es_" + "x" * 43).status_code == 401
    assert get(kept, "/envstore/channel/no-such/repodata.json", reader).status_code == 404


def test_a_cookie_or_a_token_in_the_query_opens_nothing(kept: Server) -> None:
    session = requests.Session()
    session.get(f"{kept.origin}/login?token={MASTER}", timeout=20)
    path = f"{kept.origin}/envstore/channel/noarch/repodata.json"
    assert session.get(path, timeout=20).status_code == 401
    assert requests.get(f"{path}?token={MASTER}", timeout=20).status_code == 401


def test_a_token_travels_as_a_password_or_in_the_path_and_is_not_logged(kept: Server) -> None:
    reader = kept.token({"team/*": ["viewer"]})
    path = f"{kept.origin}/envstore/channel/noarch/repodata.json"
    assert names(requests.get(path, auth=("anything", reader), timeout=20)) == {"nasty-text"}
    for place in (f"/envstore/channel/t/{reader}", f"/envstore/t/{reader}/channel", f"/t/{reader}/envstore/channel"):
        assert names(get(kept, f"{place}/noarch/repodata.json")) == {"nasty-text"}
        assert get(kept, f"{place}/noarch/nothing.conda").status_code == 404
    assert get(kept, f"/envstore/channel/t/{'es_' + 'y' * 43}/noarch/repodata.json").status_code == 401
    assert reader not in kept.log.read_text()
    assert "y" * 43 not in kept.log.read_text()


def test_indexes_and_packages_have_conditions_and_ranges(kept: Server) -> None:
    plain = get(kept, "/envstore/channel/noarch/repodata.json", MASTER)
    packed = get(kept, "/envstore/channel/noarch/repodata.json.zst", MASTER)
    assert zstandard.ZstdDecompressor().decompressobj().decompress(packed.content) == plain.content
    assert get(kept, "/envstore/channel/linux-64/repodata.json", MASTER).json()["packages"] == {}
    path = "/envstore/channel/noarch/nasty-text-1.0-0.conda"
    whole = get(kept, path, MASTER)
    assert whole.headers["ETag"].strip('"') == plain.json()["packages.conda"]["nasty-text-1.0-0.conda"]["sha256"]
    part = get(kept, path, MASTER, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    again = get(kept, path, MASTER, headers={"If-None-Match": whole.headers["ETag"]})
    assert again.status_code == 304
    head = requests.head(f"{kept.origin}{path}", headers={"Authorization": f"Bearer {MASTER}"}, timeout=20)
    assert int(head.headers["Content-Length"]) == len(whole.content)


def run_client(code: str, *arguments: object, home: Path) -> str:
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "RATTLER_AUTH_FILE": str(home / "auth.json")}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("way", ["basic", "bearer", "conda", "path"])
def test_rattler_solves_and_installs_from_the_channel(kept: Server, tmp_path: Path, way: str) -> None:
    reader = kept.token({"team/*": ["viewer"]})
    login: dict[str, Any] = {
        "basic": {"BasicHTTP": {"username": "anything", "password": reader}},
        "bearer": {"BearerToken": reader},
        "conda": {"CondaToken": reader},
    }
    host = f"127.0.0.1:{kept.port}"
    (tmp_path / "auth.json").write_text(
        json.dumps(dict.fromkeys((host, "127.0.0.1"), login[way]) if way in login else {})
    )
    address = f"{kept.origin}/envstore/channel" if way in login else f"{kept.origin}/envstore/t/{reader}/channel"
    out = run_client(SOLVE_AND_INSTALL, address, tmp_path / "env", tmp_path / "cache", "nasty-text", home=tmp_path)
    assert [name for name, _ in json.loads(out)] == ["nasty-text"]
    assert str(tmp_path / "env") in (tmp_path / "env" / "etc" / "nasty.conf").read_text()


def test_a_list_whose_addresses_are_the_channels_is_installed_by_a_client(kept: Server, tmp_path: Path) -> None:
    number = kept.builds["open"]  # type: ignore[attr-defined]
    answer = kept.ask("GET", f"build/{number}/explicit/?channel=kept")
    assert answer.status_code == 200, answer.text
    digest = get(kept, "/envstore/channel/noarch/nasty-text-1.0-0.conda", MASTER).headers["ETag"].strip('"')
    address = f"{kept.origin}/envstore/channel/sha256/{digest}/noarch/nasty-text-1.0-0.conda"
    assert address in answer.text
    assert "file://" not in answer.text.replace("# ", "")
    lock = kept.ask("GET", f"build/{number}/conda-lock.yml?channel=kept").text
    assert f"url: {address}" in lock
    (tmp_path / "list.txt").write_text(answer.text)
    login = {"BasicHTTP": {"username": "anything", "password": MASTER}}
    (tmp_path / "auth.json").write_text(json.dumps({f"127.0.0.1:{kept.port}": login, "127.0.0.1": login}))
    out = run_client(INSTALL_EXPLICIT, tmp_path / "list.txt", tmp_path / "env", tmp_path / "cache", home=tmp_path)
    assert int(out) == 1
    assert (tmp_path / "env" / "etc" / "nasty.conf").exists()
    hidden = kept.ask("GET", f"build/{number}/explicit/?channel=other")
    assert hidden.status_code == 400


def test_lists_name_their_own_file_whatever_others_keep_under_its_name(
    kept: Server, nasty_channel: str, tmp_path: Path
) -> None:
    """Another channel's file of the same name, newer and private, neither gets in the way nor is told of."""
    other = Path(shutil.copytree(nasty_channel.removeprefix("file://"), tmp_path / "other"))
    rebuilt = other / "noarch" / "nasty-text-1.0-0.conda"
    add_comment(rebuilt)
    index = json.loads((other / "noarch" / "repodata.json").read_text())
    digest = hashlib.sha256(rebuilt.read_bytes()).hexdigest()
    entry = index["packages.conda"][rebuilt.name]
    own, entry["sha256"], entry["size"] = entry["sha256"], digest, rebuilt.stat().st_size
    entry.pop("md5", None)
    (other / "noarch" / "repodata.json").write_text(json.dumps(index))
    number = kept.submit(f"name: double\nchannels: ['{other.as_uri()}']\ndependencies: [nasty-text]", "secret")
    assert kept.wait(number)["status"] == "COMPLETED", kept.wait(number)
    kept.ask("PUT", f"build/{number}/keep/", json={"packages": True})
    settle(kept, number)
    reader = kept.token({"team/*": ["viewer"]})
    path = f"/envstore/api/v1/build/{kept.builds['open']}/explicit/?channel=kept"  # type: ignore[attr-defined]
    mine = get(kept, path, reader)
    assert mine.status_code == 200, mine.text
    assert digest not in mine.text
    (address,) = [line.partition("#")[0] for line in mine.text.splitlines() if line.startswith("http")]
    got = get(kept, address.removeprefix(kept.origin), reader)
    assert hashlib.sha256(got.content).hexdigest() == own
    one = f"/envstore/channel/sha256/{digest}/noarch"
    for name in (rebuilt.name, "nasty-none-1.0-0.conda"):
        assert get(kept, f"{one}/{name}", reader).status_code == 404
    assert names(get(kept, f"{one}/repodata.json", reader)) == set()
    assert get(kept, f"{one}/{rebuilt.name}", MASTER).content == rebuilt.read_bytes()
    assert names(get(kept, f"{one}/repodata.json", MASTER)) == {"nasty-text"}
    assert names(get(kept, f"/envstore/channel/sha256/{own}/noarch/repodata.json", reader)) == {"nasty-text"}
    asked = {"sha256": [own, digest, "0" * 64]}
    assert kept.data("POST", "package/kept/", reader, json=asked) == {"sha256": [own]}
    assert kept.data("POST", "package/kept/", json=asked) == {"sha256": sorted([own, digest])}
    kept.ask("DELETE", "environment/secret/double/")
    assert kept.data("POST", "package/kept/", json=asked) == {"sha256": [own]}


def add_comment(package: Path) -> None:
    """Make another file of a package: the same content, packed with one more remark."""
    with zipfile.ZipFile(package, "a") as file:
        file.comment = b"packed again"


def test_a_build_that_is_kept_no_more_and_a_deleted_one_are_not_served(kept: Server, nasty_channel: str) -> None:
    number = kept.submit(f"name: brief\nchannels: ['{nasty_channel}']\ndependencies: [nasty-modes]", "team")
    kept.wait(number)
    assert kept.ask("GET", f"build/{number}/explicit/?channel=kept").status_code == 409
    kept.ask("PUT", f"build/{number}/keep/", json={"packages": True})
    settle(kept, number)
    path = "/envstore/channel/noarch/nasty-modes-1.0-0.conda"
    assert get(kept, path, MASTER).status_code == 200
    kept.ask("DELETE", "environment/team/brief/")
    assert get(kept, path, MASTER).status_code == 404
    kept.ask("POST", "environment/team/brief/undelete/", json={})
    assert get(kept, path, MASTER).status_code == 200
    assert kept.data("PUT", f"build/{number}/keep/", json={"packages": False})["state"] == "no"
    assert get(kept, path, MASTER).status_code == 404


def test_wheels_are_served_as_an_index_that_uv_installs_from(kept: Server, channel: str, tmp_path: Path) -> None:
    from jupyter_envstore.engine.uv import find_uv

    wheel(tmp_path / "wheels", "mineral", "1.2")
    text = f"name: pip\nchannels: ['{channel}']\ndependencies:\n  - python={PYTHON}\n"
    number = kept.submit(text + f"  - pip: ['--find-links {tmp_path / 'wheels'}', mineral]\n", "team")
    assert kept.wait(number)["status"] == "COMPLETED"
    kept.ask("PUT", f"build/{number}/keep/", json={"packages": True})
    settle(kept, number)
    reader, other = kept.token({"team/*": ["viewer"]}), kept.token({"other/*": ["viewer"]})
    simple = "/envstore/channel/simple/"
    assert ">mineral<" in get(kept, simple, reader).text
    assert ">mineral<" not in get(kept, simple, other).text
    assert get(kept, simple + "mineral/", other).status_code == 404
    found = get(kept, simple + "Mineral/", reader, headers={"Accept": "application/vnd.pypi.simple.v1+json"}).json()
    assert [file["filename"] for file in found["files"]] == ["mineral-1.2-py3-none-any.whl"]
    digest = found["files"][0]["hashes"]["sha256"]
    assert get(kept, f"/envstore/channel/files/{digest}/mineral-1.2-py3-none-any.whl", other).status_code == 404
    index = f"http://anything:{reader}@127.0.0.1:{kept.port}{simple}"
    command = [find_uv(), "pip", "install", "--target", str(tmp_path / "t"), "--default-index", index, "mineral"]
    done = subprocess.run(
        [*command, "--cache-dir", str(tmp_path / "uv"), "--no-config"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "t" / "mineral" / "main.py").exists()


def test_rights_that_are_taken_back_end_what_was_served(kept: Server) -> None:
    reader = kept.token({"team/*": ["viewer"]})
    path = "/envstore/channel/noarch/nasty-text-1.0-0.conda"
    assert get(kept, path, reader).status_code == 200
    (known, *_) = [item for item in kept.data("GET", "token/") if reader.startswith(item["prefix"])]
    assert kept.ask("DELETE", f"token/{known['id']}/").status_code == 200
    assert get(kept, path, reader).status_code == 401
