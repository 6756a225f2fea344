"""What constructor is given, held against what its documentation says; and what becomes of what it answers.

The rules stand in constructor's ``CONSTRUCT.md`` and in the schema that it publishes. Where a constructor is found, the
last tests run it; elsewhere they are skipped.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.errors import ArtifactError, LimitError, PackageError, StorageError
from jupyter_envstore.installers.construct_input import Job, installer_name, write_folder
from jupyter_envstore.installers.constructor import command, packages_inside, run_constructor
from jupyter_envstore.installers.constructor_finder import Constructor
from jupyter_envstore.installers.description import About
from jupyter_envstore.spec.specification import PipOptions
from tests.conftest import PYTHON
from tests.helpers import Store
from tests.installers.conftest import installer_of, run

TEXT, LIST, BOOLEAN = "a text of one letter or more", "a list", "true or false"
NAME = re.compile(r"[a-zA-Z0-9_]([a-zA-Z0-9._-]*[a-zA-Z0-9_])?")
KEYS = {
    "name": NAME,
    "version": NAME,
    "company": TEXT,
    "welcome_text": TEXT,
    "installer_type": re.compile("sh|pkg|exe"),
    "installer_filename": TEXT,
    "environment_file": TEXT,
    "channels": LIST,
    "channels_remap": LIST,
    "user_requested_specs": LIST,
    "extra_files": LIST,
    "post_install": TEXT,
    "license_file": TEXT,
    "initialize_conda": BOOLEAN,
    "register_envs": BOOLEAN,
    "write_condarc": BOOLEAN,
    "build_outputs": LIST,
    "reverse_domain_identifier": TEXT,
    "pkg_name": TEXT,
}
"""The keys that we write, and what constructor takes for them; it refuses any that it does not know."""
CONDITION = re.compile(r"(.+?)\s*(#.*)?\[([^\[\]]+)\](?(2)[^()]*)$")
"""A line that constructor takes for one under a condition (``CONSTRUCT.md``, "Available selectors")."""
OPTIONS = {"--platform", "--conda-exe", "--cache-dir", "--output-dir"}
"""Of constructor's ``--help``, those that we use."""


def about(name: str = "science", platform: str = "linux-64", **more: str) -> About:
    return About(
        name=name, version="0123abc", platform=platform, **{"company": "", "welcome": "", "licence": "", **more}
    )


@pytest.fixture
def record(nasty_channel: str) -> dict[str, Any]:
    """The record of a package that is there."""
    path = next(Path(nasty_channel.removeprefix("file://")).glob("*/nasty-text-*.conda"))
    return record_of(path)


def record_of(path: Path) -> dict[str, Any]:
    name, version, build = path.name.removesuffix(".conda").rsplit("-", 2)
    return {
        "name": name,
        "version": version,
        "build": build,
        "build_number": 0,
        "subdir": path.parent.name,
        "depends": [],
        "fn": path.name,
        "url": path.as_uri(),
        "channel": path.parent.parent.as_uri(),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "size": path.stat().st_size,
    }


def job(*records: dict[str, Any], kind: str = "sh", **more: Any) -> Job:
    values: dict[str, Any] = {
        "about": about(),
        "wheels": (),
        "variables": {},
        "requested": ("nasty-text",),
        "pip_options": PipOptions(),
        **more,
    }
    return Job(records=records, kind=kind, **values)


def read_construct(folder: Path) -> dict[str, Any]:
    """Return ``construct.yaml``, read by constructor's rules."""
    text = (folder / "construct.yaml").read_text()
    for line in text.splitlines():
        assert not CONDITION.match(line.rstrip()), line
    assert "{{" not in text
    assert "{%" not in text
    values: dict[str, Any] = yaml.safe_load(text)
    for key, value in values.items():
        rule = KEYS[key]
        if isinstance(rule, re.Pattern):
            assert rule.fullmatch(value), (key, value)
        else:
            kind = {TEXT: str, LIST: list, BOOLEAN: bool}[rule]
            assert isinstance(value, kind), (key, value)
            assert value or rule is BOOLEAN, key
    assert {"name", "version"} <= set(values)
    for entry in values.get("extra_files", ()):
        ((source, target),) = entry.items()
        assert (folder / source).is_file()
        assert not target.startswith("/")
        assert ".." not in target
    for remap in values["channels_remap"]:
        assert set(remap) == {"src", "dest"}
    return values


def test_constructor_is_given_exactly_the_locked_packages_and_no_network(
    record: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "input"
    write_folder(job(record), folder, Silent())
    values = read_construct(folder)
    assert values["environment_file"] == "lock.txt"
    lines = (folder / "lock.txt").read_text().splitlines()
    assert lines[:2] == ["# platform: linux-64", "@EXPLICIT"]
    (address,) = lines[2:]
    place, _, md5 = address.partition("#")
    file = Path(place.removeprefix("file://"))
    assert file.is_relative_to(folder)
    assert hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest() == md5
    assert hashlib.sha256(file.read_bytes()).hexdigest() == record["sha256"]
    for subdir in ("linux-64", "noarch"):
        index = json.loads((file.parent.parent / subdir / "repodata.json").read_text())
        assert set(index["packages.conda"]) == ({file.name} if subdir == file.parent.name else set())
        assert index["info"] == {"subdir": subdir}
    (remap,) = values["channels_remap"]
    assert remap["src"] == file.parent.parent.as_uri()
    assert remap["dest"] == f"file:///{Path(record['channel']).name}"  # no folder of this machine
    assert values["user_requested_specs"] == ["nasty-text"]
    assert (values["initialize_conda"], values["register_envs"]) == (False, False)


@pytest.mark.parametrize(
    "evil", ["ACME [linux]", "a # b [x] c", "{{ os.environ }}", "{% set x = 1 %}", "'\"\n: - &x *y"]
)
def test_texts_of_people_are_texts_and_nothing_else(record: dict[str, Any], tmp_path: Path, evil: str) -> None:
    folder = tmp_path / "input"
    terms = f"{evil}\nEOF\ntouch pwned\n"
    write_folder(
        job(
            record,
            about=about("R+x.", company=evil, welcome=evil, licence=terms),
            variables={"A": evil.replace("\n", " ")},
        ),
        folder,
        Silent(),
    )
    values = read_construct(folder)
    assert (values["company"], values["welcome_text"], values["name"]) == (evil, evil, "R-x")
    assert "\nEOF\n" not in f"\n{(folder / 'license.txt').read_text()}"
    state = json.loads((folder / "variables" / "conda-meta" / "state").read_text())
    assert state["env_vars"] == {"A": evil.replace("\n", " ")}
    targets = [target for entry in values["extra_files"] for target in entry.values()]
    assert "etc/conda/activate.d/00-envstore-variables.sh" in targets


def test_wheels_are_carried_and_installed_by_their_hashes(record: dict[str, Any], tmp_path: Path) -> None:
    wheel = tmp_path / "a_b-1.0-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    package = {
        "name": "a-b",
        "version": "1.0",
        "url": wheel.as_uri(),
        "filename": wheel.name,
        "sha256": hashlib.sha256(b"a wheel").hexdigest(),
    }
    with pytest.raises(ArtifactError, match="no pip that could install them"):
        write_folder(job(record, wheels=(package,)), tmp_path / "none", Silent())
    pip = record | {"name": "pip"}
    for kind, script in (("sh", "post_install.sh"), ("exe", "post_install.bat")):
        folder = tmp_path / kind
        write_folder(job(pip, wheels=(package,), kind=kind), folder, Silent())
        values = read_construct(folder)
        assert values["post_install"] == script
        text = (folder / script).read_text()
        assert all(option in text for option in ("--no-index", "--no-deps", "--require-hashes", "--isolated"))
        assert not text.startswith("#!")  # constructor would run it, and not give it to sh
        assert (folder / "wheels" / "requirements.txt").read_text() == f"a-b==1.0 --hash=sha256:{package['sha256']}\n"
        assert {target for entry in values["extra_files"] for target in entry.values()} == {
            f"pkgs/envstore-wheels/{wheel.name}",
            "pkgs/envstore-wheels/requirements.txt",
        }
    for number, name in enumerate(("/tmp/x.whl", "../x.whl", "a/b.whl", ".hidden", "")):
        with pytest.raises(PackageError, match="no name of a package's file"):
            write_folder(job(pip, wheels=(package | {"filename": name},)), tmp_path / f"name-{number}", Silent())
    changed = package | {"sha256": "0" * 64}
    with pytest.raises(PackageError, match="not the one that was locked"):
        write_folder(job(pip, wheels=(changed,)), tmp_path / "changed", Silent())


def test_packages_that_clash_or_are_not_those_of_the_lock_are_refused(record: dict[str, Any], tmp_path: Path) -> None:
    twin = record | {"url": record["url"].replace("nasty-text", "twin"), "fn": "twin.conda"}
    with pytest.raises(ArtifactError, match="two packages are called nasty-text"):
        write_folder(job(record, twin), tmp_path / "a", Silent())
    with pytest.raises(ArtifactError, match="two files are called"):
        write_folder(job(record, record | {"name": "other"}), tmp_path / "b", Silent())
    with pytest.raises(PackageError, match="not the one that was locked"):
        write_folder(job(record | {"sha256": "0" * 64}), tmp_path / "c", Silent())
    gone = record | {"url": f"{record['channel']}/noarch/gone-1-0.conda"}
    with pytest.raises(PackageError, match="is gone"):
        write_folder(job(gone), tmp_path / "d", Silent())


def test_the_command_line_has_documented_options_alone(record: dict[str, Any]) -> None:
    tool = Constructor(Path("/c/bin/constructor"), "3.16.3", Path("/c/native"), Path("/c/other"))
    arguments = command(tool, job(record, about=about(platform="osx-arm64")))
    assert {argument for argument in arguments if argument.startswith("-")} == OPTIONS
    assert arguments[-1] == "input"
    assert dict(zip(arguments[1:-1:2], arguments[2:-1:2], strict=True))["--platform"] == "osx-arm64"


@pytest.mark.parametrize(
    ("name", "expected"), [("data", "data"), ("R_4.3", "R_4.3"), ("a+b", "a-b"), ("x.", "x"), ("c++", "c")]
)
def test_names_are_as_constructor_takes_them(name: str, expected: str) -> None:
    assert installer_name(name) == expected
    assert NAME.fullmatch(expected)


# -- stand-ins for constructor: a fake each, since what it does wrong cannot be had from the real one -----------------


def fake(folder: Path, text: str) -> Constructor:
    """A program in constructor's place."""
    program = folder / "bin" / "constructor"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Constructor(program, "3.16.3", folder / "conda.exe", folder / "conda.exe")


def attempt(tool: Constructor, record: dict[str, Any], folder: Path, seconds: float = 20.0) -> bytes:
    folder.mkdir()
    sink = io.BytesIO()
    run_constructor(tool, job(record), folder, sink, Silent(), seconds)
    return sink.getvalue()


def sh_installer(files: dict[str, bytes]) -> bytes:
    """Return a file in the form of constructor's ``.sh``."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    payload = tar.getvalue()
    sizes = "".join(
        f"boundary{place + 1}=$(( boundary{place} + {size} ))\n" for place, size in enumerate((4, 0, len(payload)))
    )
    return f"#!/bin/sh\n{sizes}@@END_HEADER@@\n".encode() + b"exe\n" + payload


@pytest.mark.parametrize(
    ("script", "error", "expected"),
    [
        ("echo working; echo no luck >&2; exit 3", ArtifactError, r"exit code 3:\nworking\nno luck"),
        ("kill -9 $$", ArtifactError, "ended by signal 9"),
        ("echo 'OSError: [Errno 28] No space left on device'; exit 1", StorageError, "no space left"),
        ("sleep 60", LimitError, "longer than"),
        ("exit 0", ArtifactError, r"left no science\.sh, but nothing"),
        ('touch "$8/science.sh"', ArtifactError, "no list of the packages"),
        (
            'touch "$8/science.sh"; echo "file:///x/noarch/other-1-0.conda#0" > "$8/lockfile.base.txt"',
            ArtifactError,
            "without nasty-text.*with other-1-0.conda, which nobody locked",
        ),
    ],
)
def test_what_goes_wrong_is_told(
    record: dict[str, Any], tmp_path: Path, script: str, error: type[Exception], expected: str
) -> None:
    tool = fake(tmp_path / "tool", script)
    with pytest.raises(error, match=re.compile(expected, re.DOTALL)):
        attempt(tool, record, tmp_path / "work", 3.0)


def test_what_is_inside_is_looked_at(record: dict[str, Any], tmp_path: Path) -> None:
    package = Path(record["url"].removeprefix("file://")).read_bytes()
    listed = f'echo "{record["url"]}#0" > "$8/lockfile.base.txt"; cp {tmp_path}/made "$8/science.sh"'
    tool = fake(tmp_path / "tool", listed)
    right = sh_installer({f"pkgs/{record['fn']}": package, "preconda.tar.bz2": b""})
    (tmp_path / "made").write_bytes(right)
    assert attempt(tool, record, tmp_path / "right") == right
    for number, (files, expected) in enumerate(
        (
            ({f"pkgs/{record['fn']}": package + b"x"}, "is not the one that was locked"),
            ({f"pkgs/{record['fn']}": package, "pkgs/more-1-0.conda": b""}, "more-1-0.conda, which nobody locked"),
            ({}, "without"),
        )
    ):
        (tmp_path / "made").write_bytes(sh_installer(files))
        with pytest.raises(ArtifactError, match=expected):
            attempt(tool, record, tmp_path / f"wrong-{number}")
    (tmp_path / "made").write_bytes(b"#!/bin/sh\nsomething else\n")
    with pytest.raises(ArtifactError, match="another form than known"):
        packages_inside(tmp_path / "made")


# -- the real one -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(
    shutil.which("constructor") is None, reason="needs constructor on PATH, which is only on conda channels"
)
def test_the_real_constructor_makes_an_installer_that_installs_the_lock(
    store_with: Callable[..., Store], package_cache: Path, channel: str, tmp_path: Path, place: Path
) -> None:
    store = store_with(package_cache, installer_maker="constructor", installer_company="ACME [EU] {{ x }}")
    view = store.build(
        f"""
        name: science
        channels: ['{channel}']
        dependencies: [python={PYTHON}, numpy, {{pip: [cowsay]}}]
        variables: {{GREETING: hello you}}
        """
    )
    made = installer_of(store, view, tmp_path)
    assert made.state["tools"]["maker"] == "constructor"
    prefix = place / "env"
    run("/bin/sh", made.path, "-b", "-p", prefix, env={"PATH": os.environ["PATH"], "HOME": str(place)})
    lock = made.record.lock(made.platform)
    expected = {record["name"]: record["version"] for record in (*lock.conda, *lock.installer_extras)}
    found = [json.loads(path.read_bytes()) for path in (prefix / "conda-meta").glob("*.json")]
    assert {meta["name"]: meta["version"] for meta in found} == expected
    code = "import numpy, importlib.metadata as m; print(m.version('cowsay'))"
    assert run(prefix / "bin" / "python", "-c", code).stdout.strip() == lock.pip[0]["version"]
