"""Logins to stores elsewhere: how they are kept, and which addresses name a store."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jupyter_envstore.errors import InvalidInputError, NotFoundError, StorageError
from jupyter_envstore.remote.logins import Login, Logins, store_address

URL = "https://envs.example.org/envstore"


def test_logins_are_kept_for_their_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "logins.json"
    logins = Logins(file)
    assert logins.all() == []
    logins.note(Login(URL, "es_first", "jo"))
    logins.note(Login("http://localhost:8888/envstore", "es_other"))
    logins.note(Login(URL, "es_second", "jo"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [(login.url, login.token) for login in logins.all()] == [
        ("http://localhost:8888/envstore", "es_other"),
        (URL, "es_second"),
    ]
    assert logins.find(URL).user == "jo"
    assert "es_second" not in repr(logins.find(URL))
    logins.forget(URL)
    with pytest.raises(NotFoundError, match=f"jupyter envstore login {URL}"):
        logins.find(URL)
    assert sorted(path.name for path in file.parent.iterdir()) == [".logins.json.lock", "logins.json"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"stores": []}',
        '{"version": 1, "stores": {"a": 1}}',
        '{"version": 1, "stores": {"https://h/envstore": {"token": 5}}}',
        '{"version": 1, "stores": {"https://jo:x@h/envstore": {"token": "es_x"}}}',
        '{"version": 1, "stores": {"https://h/envstore\\nx": {"token": "es_x"}}}',
        "[" * 200_000,
    ],
)
def test_a_damaged_file_is_told_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    file = tmp_path / "logins.json"
    file.write_text(text)
    for action in (Logins(file).all, lambda: Logins(file).note(Login(URL, "es_x"))):
        with pytest.raises(StorageError, match="mend or delete the file, and log in again"):
            action()
    assert file.read_text() == text


def test_a_login_that_cannot_be_written_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "logins.json"
    logins = Logins(file)
    logins.note(Login(URL, "es_x"))
    before = file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StorageError, match="No space left on device"):
        logins.note(Login("http://localhost/envstore", "es_y"))
    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".logins.json.lock", "logins.json"]
    assert json.loads(before)["version"] == 1


def test_a_file_of_a_newer_version_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "logins.json"
    file.write_text('{"version": 2, "stores": {}}')
    with pytest.raises(StorageError, match="of another version of jupyter-envstore"):
        Logins(file).note(Login(URL, "es_x"))
    assert file.read_text() == '{"version": 2, "stores": {}}'


def test_a_file_that_is_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "logins.json").symlink_to(tmp_path / "kept" / "logins.json")
    Logins(tmp_path / "logins.json").note(Login(URL, "es_x"))
    assert (tmp_path / "logins.json").is_symlink()
    assert Logins(tmp_path / "kept" / "logins.json").find(URL).token == "es_x"


def test_logins_that_are_made_at_once_are_all_kept(tmp_path: Path) -> None:
    logins = Logins(tmp_path / "logins.json")

    def note(number: int) -> None:
        logins.note(Login(f"https://h{number}.example/envstore", "es_x"))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(note, range(16)))
    assert len(logins.all()) == 16


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "a\x7f", "é", "x" * 5000])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidInputError, match="characters that no token has"):
        Login(URL, token)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://envs.example.org", URL),
        ("HTTPS://Envs.Example.org/envstore/", URL),
        ("https://envs.example.org/envstore/tokens", URL),
        ("https://envs.example.org/envstore/api/v1/?x=1", URL),
        ("https://envs.example.org/envstore/shared/#es_abc", URL),
        (" http://localhost:8888/ \n", "http://localhost:8888/envstore"),
        ("https://hub.example.org/user/Jo/", "https://hub.example.org/user/Jo/envstore"),
        ("http://[::1]:8888", "http://[::1]:8888/envstore"),
        ("https://envs.example.org:443/", URL),
        ("http://h:80/lab", "http://h/envstore"),
        ("http://h:443/lab/tree/a/tree/b.ipynb", "http://h:443/envstore"),
        ("https://hub/user/jo/lab/workspaces/auto-x", "https://hub/user/jo/envstore"),
        ("https://hub/user/lab/notebooks/x.ipynb", "https://hub/user/lab/envstore"),
    ],
)
def test_the_address_of_a_server_or_page_names_its_store(text: str, address: str) -> None:
    assert store_address(text) == address


@pytest.mark.parametrize(
    "text",
    ["", "envs.example.org", "ftp://h", "https://", "https://jo:secret@h", "https://h:x", "https://h/a b", "https://h\\x",
     "https://[h", "file:///etc", "http://a..b/", "http://localhost/us\u00e9r"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="is no address of a store") as told:
        store_address(text)
    assert "secret" not in str(told.value)
