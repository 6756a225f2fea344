"""Passwords and tokens in addresses: in no change, note, fault or text that is made of a file."""

from __future__ import annotations

import pytest

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec import read_specification
from jupyter_envstore.spec.addresses import masked, without_login
from jupyter_envstore.spec.repair import repair
from jupyter_envstore.spec.text_editor import Change

COMMIT = "c" * 40
LOGIN = "me:s3cret"
WHEEL = f"https://{LOGIN}@h.example/bar-1-py3-none-any.whl"
HEAD = "name: x\nchannels: [conda-forge]\ndependencies:\n"
FILES = {
    "yaml-channel": ("environment.yml", f"channels: [https://{LOGIN}@h.example/c]\ndependencies: [python]\n"),
    "yaml-token": ("environment.yml", "channels: [https://h.example/t/s3cret/c]\ndependencies: [python]\n"),
    "yaml-spec": ("environment.yml", f"{HEAD}  - https://{LOGIN}@h.example/c::numpy\n  - python\n"),
    "yaml-git-among-conda": ("environment.yml", f"{HEAD}  - git+https://{LOGIN}@h.example/bar\n  - python\n"),
    "yaml-wheel-among-conda": ("environment.yml", f"{HEAD}  - {WHEEL}\n  - python\n"),
    "yaml-branch": ("environment.yml", f"{HEAD}  - pip:\n    - bar @ git+https://{LOGIN}@h.example/bar@main\n"),
    "yaml-commit": ("environment.yml", f"{HEAD}  - pip:\n    - bar @ git+https://{LOGIN}@h.example/bar@{COMMIT}\n"),
    "yaml-edit": ("environment.yml", f"{HEAD}  - pip:\n    - -e git+https://{LOGIN}@h.example/bar@{COMMIT}#egg=bar\n"),
    "yaml-ssh": ("environment.yml", f"{HEAD}  - pip:\n    - bar @ git+ssh://{LOGIN}@h.example/bar@{COMMIT}\n"),
    "yaml-long": (
        "environment.yml",
        f"{HEAD}  - pip:\n    - {'b' * 60} @ git+svn://{'m' * 20}:s3cret-{'x' * 80}@h.example/bar\n",
    ),
    "yaml-option": ("environment.yml", f"{HEAD}  - pip:\n    - rich --index-url https://{LOGIN}@h.example/simple\n"),
    "yaml-repositories": (
        "environment.yml",
        f"pip-repositories: [https://{LOGIN}@h.example/simple]\nchannels: [c]\ndependencies: [python]\n",
    ),
    "yaml-condition": ("environment.yml", f"{HEAD}  - python\n  - sel(win): https://{LOGIN}@h.example/c::numpy\n"),
    "requirements": ("requirements.txt", f"--extra-index-url https://{LOGIN}@h.example/simple\nrich\n{WHEEL}\n"),
    "poetry": (
        "pyproject.toml",
        f'[tool.poetry.dependencies]\nbar = {{ git = "https://{LOGIN}@h.example/bar", rev = "{COMMIT}" }}\n'
        f'baz = {{ url = "{WHEEL}" }}\nodd = {{ url = "https://{LOGIN}@h.example/a b" }}\n'
        f'[[tool.poetry.source]]\nname = "own"\nurl = "https://{LOGIN}@h.example/simple"\n',
    ),
    "conda-lock": (
        "pyproject.toml",
        f'[tool.conda-lock]\nchannels = ["https://{LOGIN}@h.example/c"]\n'
        f'pip-repositories = ["https://{LOGIN}@h.example/simple"]\n'
        f'[tool.conda-lock.dependencies]\nbar = {{ url = "{WHEEL}", source = "pypi" }}\n',
    ),
    "uv": (
        "pyproject.toml",
        '[project]\nname = "p"\ndependencies = ["bar", "rich"]\n[tool.uv]\n'
        f'index = [{{ url = "https://{LOGIN}@h.example/simple", explicit = true }}]\n'
        f'sources = {{ bar = {{ git = "https://{LOGIN}@h.example/bar" }} }}\n',
    ),
    "pdm": (
        "pyproject.toml",
        '[project]\nname = "p"\ndependencies = ["rich"]\n'
        f'[[tool.pdm.source]]\nname = "pypi"\nurl = "https://{LOGIN}@h.example/simple"\n',
    ),
    "pixi": (
        "pixi.toml",
        f'[workspace]\nname = "w"\nchannels = ["https://{LOGIN}@h.example/c"]\nplatforms = ["linux-64"]\n'
        f'[dependencies]\npython = {{ version = "*", channel = "https://{LOGIN}@h.example/c" }}\n'
        f'[pypi-dependencies]\nrich = {{ version = "*", index = "https://{LOGIN}@h.example/simple" }}\n'
        f'bar = {{ git = "https://{LOGIN}@h.example/bar", rev = "{COMMIT}" }}\n',
    ),
    "pylock": (
        "pylock.toml",
        'lock-version = "1.0"\n[[packages]]\nname = "bar"\nversion = "1"\n'
        f'index = "https://{LOGIN}@h.example/simple"\n'
        f'wheels = [{{ url = "{WHEEL}", hashes = {{ sha256 = "{"0" * 64}" }} }}]\n',
    ),
    "explicit": ("list.txt", f"@EXPLICIT\nhttps://{LOGIN}@h.example/c/linux-64/a-1.conda\n"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_login_is_in_nothing_that_is_made_of_a_file(kind: str) -> None:
    name, text = FILES[kind]
    try:
        read_specification(text, name)
    except SpecificationError as error:
        assert "s3cret" not in str(error)
    try:
        repaired = repair(text, name, platform="linux-64")
    except SpecificationError as error:
        assert kind == "explicit"
        assert "s3cret" not in str(error)
        return
    assert kind != "explicit"
    said = f"{repaired.changes} {repaired.offer}"
    assert "s3cret" not in repaired.text + said
    assert "h.example" in repaired.text + said or kind == "yaml-long"
    found = read_specification(repaired.text)
    assert "s3cret" not in str(found.notes)


def test_a_login_that_is_left_out_is_told_with_the_place_to_store_it() -> None:
    repaired = repair(*reversed(FILES["yaml-channel"]))
    assert "channels: [https://h.example/c]" in repaired.text
    assert [change.what for change in repaired.changes].count("login for h.example left out") == 1
    (why,) = (change.why for change in repaired.changes if change.what == "login for h.example left out")
    assert "keyring, netrc or auth.json" in why


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bar @ git+https://me:secret@h.example/x@main", "bar @ git+https://***@h.example/x@main"),
        ("https://token@h.example/x", "https://***@h.example/x"),
        ("https://me:p@ss@h.example/x", "https://***@h.example/x"),
        ("ssh://git@h.example/x", "ssh://***@h.example/x"),
        ("'bar @ git+https://me:secr'", "'bar @ git+https://***'"),
        ("https://h.example:8443/x", "https://h.example:8443/x"),
        ("https://h.example/t/abc/c", "https://h.example/t/***/c"),
        ("https://h.example/x?token=abc", "https://h.example/x?token=***"),
        ("https://h.example/x@1", "https://h.example/x@1"),
        ("no address: a@b", "no address: a@b"),
    ],
)
def test_addresses_are_shown_without_their_logins(text: str, expected: str) -> None:
    assert masked(text) == expected
    assert Change(text, text) == Change(expected, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("git+https://me:secret@h.example/x@main", "git+https://h.example/x@main"),
        ("https://${USER}:${TOKEN}@h.example/simple", "https://h.example/simple"),
        ("https://h.example/t/abc/c::numpy", "https://h.example/c::numpy"),
        ("git+https://git@h.example/x", "git+https://git@h.example/x"),
        ("git+ssh://git@h.example/x", "git+ssh://git@h.example/x"),
    ],
)
def test_logins_over_http_are_taken_out(text: str, expected: str) -> None:
    assert without_login(text)[0] == expected
