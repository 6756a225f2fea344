"""PyPI packages beside conda's: conflicts, missing wheels, unknown names, local folders."""

from __future__ import annotations

import hashlib
import io
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.builds import retention
from jupyter_envstore.database.states import READY
from jupyter_envstore.engine.pip import PipTarget, uv_platform
from jupyter_envstore.engine.pylock import pylock_text
from tests.helpers import Store

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def wheel(folder: Path, name: str, version: str, requires: str = "") -> Path:
    """Write a small real wheel."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", f"VERSION = {version!r}\n")
        archive.writestr(f"{name}/main.py", "def main():\n    print('hello from a wheel')\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{name}-say = {name}.main:main\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def text(channel: str, *pip: str) -> str:
    lines = "".join(f"\n      - {line}" for line in pip)
    return f"name: p\nchannels: [{channel}]\ndependencies:\n  - python={PYTHON}\n  - flask\n  - pip:{lines}\n"


def test_a_local_folder_of_wheels_is_used_and_locked_by_hash(store: Store, channel: str, tmp_path: Path) -> None:
    wheel(tmp_path / "wheels", "mineral", "1.2")
    view = store.build(text(channel, f"--find-links {tmp_path / 'wheels'}", "mineral"))
    assert view["status"] == "COMPLETED", view["reason"]
    package = store.envstore.records.read(view["id"]).lock(view["platform"]).pip[0]
    assert (package["name"], package["version"], len(package["sha256"])) == ("mineral", "1.2", 64)


def test_a_wheel_that_was_changed_after_the_lock_is_refused(store: Store, channel: str, tmp_path: Path) -> None:
    wheel(tmp_path / "wheels", "mineral", "1.2")
    first = store.build(text(channel, f"--find-links {tmp_path / 'wheels'}", "mineral"))
    store.build(text(channel, "cowsay"))
    assert store.retention.pack_away(first["id"])
    path = wheel(tmp_path / "wheels", "mineral", "1.2", requires="flask")
    path.touch()
    (store.root / "pkgs").unlink()
    store.envstore.prefixes.restore(first["id"])
    view = store.wait(first["id"])
    assert view["prefix"] is None
    assert "mineral" in store.envstore.logs.read(first["id"])


def test_what_conda_provides_is_not_installed_twice(store: Store, channel: str, tmp_path: Path) -> None:
    wheel(tmp_path / "wheels", "mineral", "1.0", requires="Flask>=2")
    view = store.build(text(channel, f"--find-links {tmp_path / 'wheels'}", "mineral"))
    assert [p["name"] for p in store.envstore.records.read(view["id"]).lock(view["platform"]).pip] == ["mineral"]


def test_a_conflict_with_conda_is_explained(store: Store, channel: str, tmp_path: Path) -> None:
    wheel(tmp_path / "wheels", "mineral", "1.0", requires="flask<1")
    view = store.build(text(channel, f"--find-links {tmp_path / 'wheels'}", "mineral"))
    assert view["status"] == "FAILED"
    assert "flask<1" in view["reason"]
    assert "packages that conda installs keep their version" in view["reason"]
    assert store.files() == set()


def test_a_package_that_does_not_exist_is_named(store: Store, channel: str) -> None:
    view = store.build(text(channel, "no-such-package-anywhere-1b2c"))
    assert view["status"] == "FAILED"
    assert "no-such-package-anywhere-1b2c was not found" in view["reason"]


def test_all_packages_that_cannot_be_had_are_named_at_once(store: Store, channel: str, tmp_path: Path) -> None:
    wheel(tmp_path / "wheels", "mineral", "1.2")
    missing = ["no-such-package-anywhere-1b2c", "mineral>=7", "no-such-package-anywhere-3d4e"]
    view = store.build(text(channel, f"--find-links {tmp_path / 'wheels'}", *missing, "cowsay"))
    assert view["status"] == "FAILED"
    first = view["reason"].split("\n")[0]
    assert "no-such-package-anywhere-1b2c was not found" in first
    assert "no-such-package-anywhere-3d4e was not found" in first
    assert "mineral" in first
    assert "cowsay" not in first


def test_a_package_with_only_a_source_archive_is_named(store: Store, channel: str) -> None:
    view = store.build(text(channel, "docopt==0.6.2"))
    assert view["status"] == "FAILED"
    assert "docopt" in view["reason"]
    assert "wheel" in view["reason"]


def test_pip_packages_without_python_are_refused(store: Store, nasty_channel: str) -> None:
    view = store.build(f"name: p\nchannels: [{nasty_channel}]\ndependencies: [nasty-text, {{pip: [cowsay]}}]")
    assert view["status"] == "FAILED"
    assert "add python to dependencies" in view["reason"]


@pytest.mark.parametrize(
    ("platform", "virtual", "expected"),
    [
        ("linux-64", ("__glibc=2.36=0",), "x86_64-manylinux_2_36"),
        ("linux-64", ("__glibc=2.30=0",), "x86_64-manylinux_2_28"),
        ("linux-aarch64", (), "aarch64-manylinux_2_28"),
        ("osx-arm64", (), "aarch64-apple-darwin"),
        ("win-64", (), "x86_64-pc-windows-msvc"),
    ],
)
def test_platforms_are_spelled_as_uv_does(platform: str, virtual: tuple[str, ...], expected: str) -> None:
    assert uv_platform(PipTarget(platform, "3.12.1", virtual)) == expected


def test_a_pylock_is_toml_whatever_the_names_hold() -> None:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    package = {
        "name": "a",
        "version": '1"\\',
        "filename": "a.whl",
        "url": "https://h/a.whl",
        "sha256": "0" * 64,
        "size": 3,
    }
    parsed = tomllib.loads(pylock_text([package]))
    assert parsed["packages"][0]["version"] == '1"\\'


def source_archive(folder: Path, name: str, version: str) -> str:
    """Write a real source archive, and return its SHA-256; nothing is fetched to build it."""
    backend = (
        "import zipfile\n"
        "def build_wheel(folder, config_settings=None, metadata_directory=None):\n"
        f"    name = '{name}-{version}-py3-none-any.whl'\n"
        "    with zipfile.ZipFile(folder + '/' + name, 'w') as wheel:\n"
        f"        wheel.writestr('{name}.py', 'here = 1\\n')\n"
        f"        wheel.writestr('{name}-{version}.dist-info/METADATA', open('PKG-INFO').read())\n"
        f"        wheel.writestr('{name}-{version}.dist-info/WHEEL', "
        "'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n"
        f"        wheel.writestr('{name}-{version}.dist-info/RECORD', '')\n"
        "    return name\n"
    )
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n",
        "backend.py": backend,
    }
    folder.mkdir()
    path = folder / f"{name}-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for file, content in files.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{file}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content.encode()))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def artifact(store: Store, view: dict[str, Any], kind: str) -> bytes:
    store.envstore.artifacts.request(view["id"], kind)
    view = store.wait(view["id"])
    made = next(item for item in view["artifacts"] if item["type"] == kind)
    assert made["state"] == READY, made["reason"]
    return store.envstore.artifacts.path(made["sha256"]).read_bytes()


def test_a_source_archive_is_built_once_and_its_wheel_kept(
    store: Store, channel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "GRACE_SECONDS", 0.0)
    locked = source_archive(tmp_path / "source", "unmilled_ore", "1.0")
    store.envstore.settings.change({"pypi_allow_sdists": True}, (), "tester")
    view = store.build(text(channel, f"--find-links {tmp_path / 'source'}", "unmilled_ore"))
    assert view["status"] == "COMPLETED", view["reason"]
    assert "building unmilled-ore 1.0" in store.envstore.logs.read(view["id"])
    assert locked in artifact(store, view, "lockfile").decode()
    wheel = store.envstore.records.read(view["id"]).wheels[0]
    assert wheel["filename"] == "unmilled_ore-1.0-py3-none-any.whl"

    shutil.rmtree(tmp_path / "source")  # a second linking builds nothing, and needs no source
    with tarfile.open(fileobj=io.BytesIO(artifact(store, view, "archive"))) as archive:
        assert any(name.endswith("site-packages/unmilled_ore.py") for name in archive.getnames())

    store.envstore.environments.delete("team", view["name"], at_once=True)
    store.envstore.retention.collect()
    assert not store.envstore.blobs.local_file(wheel["sha256"]).exists()


def test_a_lock_with_a_source_archive_is_built_where_that_is_allowed(
    store: Store, channel: str, tmp_path: Path
) -> None:
    source_archive(tmp_path / "source", "unmilled_ore", "1.0")
    store.envstore.settings.change({"pypi_allow_sdists": True}, (), "tester")
    first = store.build(text(channel, f"--find-links {tmp_path / 'source'}", "unmilled_ore"))
    again = store.build(artifact(store, first, "lockfile").decode())
    assert again["status"] == "COMPLETED", again["reason"]
    store.envstore.settings.change({"pypi_allow_sdists": False}, (), "tester")
    refused = store.build(artifact(store, first, "lockfile").decode())
    assert refused["status"] == "FAILED"
    assert "pypi_allow_sdists" in refused["reason"]
