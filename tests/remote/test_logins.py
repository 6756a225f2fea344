"""Logins to stores elsewhere: how they are kept, and which addresses name a store."""

from __future__ import annotations

import json
import stat
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
    assert [path.name for path in file.parent.iterdir()] == ["logins.json"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"stores": []}', '{"stores": {"a": 1}}', '{"stores": {"a": {"token": 5}}}']
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
    assert [path.name for path in tmp_path.iterdir()] == ["logins.json"]
    assert json.loads(before)["version"] == 1


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
    ],
)
def test_the_address_of_a_server_or_page_names_its_store(text: str, address: str) -> None:
    assert store_address(text) == address


@pytest.mark.parametrize(
    "text",
    ["", "envs.example.org", "ftp://h", "https://", "https://jo:secret@h", "https://h:x", "https://h/a b", "https://h\\x",
     "https://[h", "file:///etc"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="is no address of a store") as told:
        store_address(text)
    assert "secret" not in str(told.value)
