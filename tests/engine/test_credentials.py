"""Channels with a password: it is found where conda keeps it, and written nowhere."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.channels import ChannelPolicy, redact, strip_credentials, strip_login
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.policy.access import EVERYWHERE, Identity
from jupyter_envstore.services.store import EnvStore
from tests.helpers import QuietHandler, Store, serve

SECRET = "hunter2-very-secret"


class Guarded(QuietHandler):
    """Serves a folder to who knows the password, or the token in the path."""

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server looks for
        expected = "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()
        if self.path.startswith(f"/t/{SECRET}/"):
            self.path = self.path.removeprefix(f"/t/{SECRET}")
        elif self.headers.get("Authorization") != expected:
            self.send_error(401)
            return
        super().do_GET()

    do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for


@pytest.fixture
def guarded(nasty_channel: str) -> Iterator[str]:
    """Host and port of a server that guards the nasty channel."""
    with serve(nasty_channel.removeprefix("file://"), Guarded) as place:
        yield place


@pytest.fixture
def condarc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty .condarc that counts."""
    path = tmp_path / "condarc"
    monkeypatch.setenv("CONDARC", str(path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return path


def everything(store: Store) -> bytes:
    """Return all that the store keeps: database, blobs, prefixes, caches."""
    store.envstore.database.engine.dispose()
    files = [p for p in store.root.rglob("*") if p.is_file() and not p.is_symlink()]
    found = []
    for path in files:
        with suppress(FileNotFoundError):  # SQLite removes its own when the last connection is closed
            found.append(path.read_bytes())
    return b"".join(found)


@pytest.mark.parametrize(
    "form", ["custom_channels:\n  guarded: http://me:{}@{}\n", "channels:\n  - http://{1}/t/{0}/c\n"]
)
def test_a_guarded_channel_is_read_and_the_secret_is_written_nowhere(
    store: Store, guarded: str, condarc: Path, form: str
) -> None:
    condarc.write_text(form.format(SECRET, guarded))
    (store.root / "pkgs").unlink()
    view = store.build(f"name: e\nchannels: ['http://{guarded}']\ndependencies: [nasty-text]")
    assert view["status"] == "COMPLETED", view["reason"]
    assert SECRET.encode() not in everything(store)
    assert SECRET not in store.envstore.logs.read(view["id"])


def test_packages_of_a_guarded_channel_are_kept_and_offered_without_the_secret(
    store: Store, nasty_channel: str, condarc: Path
) -> None:
    everybody = Identity("t", "team", {EVERYWHERE: ["admin"]})
    with serve(nasty_channel.removeprefix("file://"), Guarded) as place:
        condarc.write_text(f"channels:\n  - http://{place}/t/{SECRET}/c\n")
        (store.root / "pkgs").unlink()
        text = f"name: e\nchannels: ['http://{place}']\ndependencies: [nasty-text, nasty-links]"
        view = store.build(text)
        assert view["status"] == "COMPLETED", view["reason"]
        store.envstore.packages.keep(view["id"], True, "tester")
        store.wait(view["id"])
        assert store.envstore.packages.kept(view["id"])["state"] == "kept", store.envstore.logs.read(view["id"])
        store.build(text)
    assert store.retention.pack_away(view["id"])
    remove_tree(store.root / "pkgs")
    assert {source.place for source in store.envstore.prefixes.sources(view["id"])} == {"kept"}
    store.envstore.prefixes.restore(view["id"])  # the server is gone
    assert store.wait(view["id"])["prefix"], store.envstore.logs.read(view["id"])
    index = store.envstore.package_channel.index(everybody, "noarch", packed=False).data
    lock = store.envstore.package_channel.rewritten_list(view["id"], "lockfile", "http://h/channel").data
    assert b"nasty-text-1.0-0.conda" in index
    assert SECRET.encode() not in index + lock + everything(store)
    assert SECRET not in store.envstore.logs.read(view["id"])


def test_what_a_guarded_channel_refuses_to_keep_is_told_without_the_secret(
    store: Store, guarded: str, condarc: Path
) -> None:
    condarc.write_text(f"custom_channels:\n  guarded: http://me:{SECRET}@{guarded}\n")
    (store.root / "pkgs").unlink()
    view = store.build(f"name: e\nchannels: ['http://{guarded}']\ndependencies: [nasty-text]")
    assert view["status"] == "COMPLETED", view["reason"]
    condarc.write_text("custom_channels:\n  guarded: http://me:wrong-secret@" + guarded + "\n")
    store.envstore.packages.keep(view["id"], True, "tester")
    store.wait(view["id"])
    found = store.envstore.packages.kept(view["id"])
    assert found["state"] == "partly"
    assert guarded in found["missing_packages"][0]["reason"]
    log = store.envstore.logs.read(view["id"])
    assert "wrong-secret" not in log + str(found)
    assert SECRET not in log + str(found)


def test_without_the_secret_the_channel_is_refused_by_name(store: Store, guarded: str, condarc: Path) -> None:
    view = store.build(f"name: e\nchannels: ['http://{guarded}']\ndependencies: [nasty-text]")
    assert view["status"] == "FAILED"
    assert guarded in view["reason"]
    assert "401" in view["reason"]


def test_secrets_are_struck_out() -> None:
    assert (
        redact(f"GET https://me:{SECRET}@h/c and https://h/t/{SECRET}/c/x")
        == "GET https://***@h/c and https://h/t/***/c/x"
    )
    assert (
        strip_credentials(f"https://me:{SECRET}@h:8/t/{SECRET}/c/linux-64/a.conda#y")
        == "https://h:8/c/linux-64/a.conda"
    )


def test_addresses_that_only_look_guarded_stay_as_they_are() -> None:
    for url in ("https://host/packages/py3/t/tqdm/tqdm-4.whl", "file:///srv/t/team/x.whl", "https://host/x?v=1"):
        assert strip_login(url) == url
    assert strip_credentials("file:///srv/t/team/linux-64/a.conda") == "file:///srv/t/team/linux-64/a.conda"


def test_secrets_in_any_place_are_left_out() -> None:
    assert strip_credentials("https://h/prefix/t/TOK/c/noarch/a.conda") == "https://h/prefix/c/noarch/a.conda"
    assert strip_login("https://me:pw@h/a.whl?v=1&X-Amz-Signature=s&access_token=t") == "https://h/a.whl?v=1"
    assert redact("https://user:p@ss@host/x?token=abc&a=b") == "https://***@host/x?token=***&a=b"
    assert redact("https://h/prefix/t/TOK and ?api_key=s") == "https://h/prefix/t/*** and ?api_key=***"


def test_channel_names_become_addresses() -> None:
    policy = ChannelPolicy("https://mirror.example/conda/", "main", ("conda-forge",))
    assert policy.resolve(["defaults", "nodefaults", "bioconda", "https://h/c/"]) == [
        "https://mirror.example/conda/main",
        "https://mirror.example/conda/bioconda",
        "https://h/c",
    ]
    assert policy.resolve([]) == ["https://mirror.example/conda/conda-forge"]
    assert policy.resolve_spec("bioconda::gsw >=3") == (
        "https://mirror.example/conda/bioconda::gsw >=3",
        "https://mirror.example/conda/bioconda",
    )
    assert policy.resolve_spec("numpy") == ("numpy", None)


def test_an_alias_with_a_password_is_refused_and_not_repeated(root: Path) -> None:
    with pytest.raises(InvalidInputError, match="channel_alias") as caught:
        EnvStore.open(StoreConfig(str(root), channel_alias="https://me:hush@mirror.example/conda"))
    assert "hush" not in str(caught.value)
