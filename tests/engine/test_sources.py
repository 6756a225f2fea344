"""PyPI packages by commit and by hash: locked as they are given, built once, refused where something else is there."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import json
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyter_envstore.engine.conda_lock_models import conda_lock_models
from jupyter_envstore.errors import PolicyError, SpecificationError
from jupyter_envstore.spec import read_specification
from jupyter_envstore.spec.repair import repair
from tests.engine.test_pip import artifact, source_archive, text, wheel
from tests.helpers import Store


def git(folder: Path, *arguments: str) -> str:
    options = ["-c", "user.name=Tester", "-c", "user.email=tester@host.example", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *options, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, str]:
    """A real repository whose package is in a folder of it; a later commit has another version."""
    root = tmp_path / "served" / "ore.git"
    (tmp_path / "served").mkdir()
    source_archive(tmp_path / "made", "unmilled_ore", "1.0")
    with tarfile.open(tmp_path / "made" / "unmilled_ore-1.0.tar.gz") as archive:
        archive.extractall(tmp_path / "work", filter="data")
    work = tmp_path / "work"
    (work / "unmilled_ore-1.0").rename(work / "python")
    git(work, "init", "-q")
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "first")
    commit = git(work, "rev-parse", "HEAD")
    (work / "python" / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: unmilled_ore\nVersion: 2.0\n")
    git(work, "commit", "-q", "-a", "-m", "second")
    git(tmp_path, "clone", "-q", "--bare", str(work), str(root))
    git(root, "update-server-info")
    return root, commit


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(repository: tuple[Path, str]) -> Iterator[str]:
    """The address of the folder with the repository."""
    handler = functools.partial(Quiet, directory=str(repository[0].parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_repository_at_a_commit_is_built_once_and_its_wheel_kept(
    store: Store, channel: str, repository: tuple[Path, str], served: str
) -> None:
    root, commit = repository
    line = f"git+{served}/ore.git@{commit}#egg=unmilled_ore&subdirectory=python"
    store.envstore.settings.change({"pypi_allow_sdists": True}, (), "tester")
    view = store.build(text(channel, f'"{line}"'))
    assert view["status"] == "COMPLETED", view["reason"]
    assert f"building unmilled-ore 1.0 from commit {commit}" in store.envstore.logs.read(view["id"])
    record = store.envstore.records.read(view["id"])
    (package,) = record.lock(view["platform"]).pip
    address = f"git+{served}/ore.git@{commit}#subdirectory=python"
    assert (package["version"], package["url"], package["sha256"]) == ("1.0", address, commit)

    shutil.rmtree(root)  # restored, packed and listed without the repository
    wheel(root.parent / "wheels", "mineral", "1.2")
    store.build(text(channel, f"--find-links {root.parent / 'wheels'}", "mineral"))
    assert store.retention.pack_away(view["id"])
    store.envstore.prefixes.restore(view["id"])
    restored = store.wait(view["id"])
    assert list(Path(restored["prefix"]).glob("lib/python3*/site-packages/unmilled_ore.py"))
    assert f"# pip unmilled-ore @ {address}\n" in artifact(store, view, "explicit").decode()
    pinned = read_specification(artifact(store, view, "yaml"))
    assert pinned.pip == (f"unmilled-ore @ {address}",)
    with tarfile.open(fileobj=io.BytesIO(artifact(store, view, "archive"))) as archive:
        assert any(name.endswith("site-packages/unmilled_ore.py") for name in archive.getnames())


def test_a_folder_is_a_repository_where_local_files_are_allowed(
    store: Store, channel: str, repository: tuple[Path, str]
) -> None:
    root, commit = repository
    line = f"'unmilled_ore @ git+file://{root}@{commit}#subdirectory=python'"
    with pytest.raises(SpecificationError, match="allow_local_files"):
        read_specification(text(channel, line).replace(channel, "conda-forge"), allow_local_files=False)
    store.envstore.settings.change({"pypi_allow_sdists": True}, (), "tester")
    view = store.build(text(channel, line))
    assert view["status"] == "COMPLETED", view["reason"]


def test_sources_are_refused_where_nothing_is_built_and_the_setting_is_named(
    store: Store, channel: str, served: str, repository: tuple[Path, str]
) -> None:
    commit = repository[1]
    for line in (f"ore @ git+{served}/ore.git@{commit}", f"ore @ {served}/archive/{commit}.zip"):
        with pytest.raises(PolicyError, match="let an admin set pypi_allow_sdists"):
            store.build(text(channel, line))


def test_a_commit_that_is_not_there_and_a_name_that_is_wrong_are_told(
    store: Store, channel: str, served: str, repository: tuple[Path, str]
) -> None:
    store.envstore.settings.change({"pypi_allow_sdists": True}, (), "tester")
    gone = store.build(text(channel, f"unmilled_ore @ git+{served}/ore.git@{'1' * 40}"))
    assert gone["status"] == "FAILED"
    assert "1" * 40 in gone["reason"]
    wrong = store.build(text(channel, f"'other @ git+{served}/ore.git@{repository[1]}#subdirectory=python'"))
    assert "does not match given name" in wrong["reason"]


def test_an_archive_at_a_commit_is_built(store: Store, channel: str, served: str, repository: tuple[Path, str]) -> None:
    root, commit = repository
    digest = source_archive(root.parent / "made", "unmilled_ore", "1.0")
    (root.parent / "made" / "unmilled_ore-1.0.tar.gz").rename(root.parent / f"ore-{commit}.tar.gz")
    store.envstore.settings.change({"pypi_allow_sdists": True}, (), "tester")
    view = store.build(text(channel, f"unmilled_ore @ {served}/ore-{commit}.tar.gz"))
    assert view["status"] == "COMPLETED", view["reason"]
    assert store.envstore.records.read(view["id"]).lock(view["platform"]).pip[0]["sha256"] == digest
    pinned = read_specification(artifact(store, view, "yaml"))
    assert pinned.pip == (f"unmilled-ore @ {served}/ore-{commit}.tar.gz#sha256={digest}",)
    other = f"'unmilled_ore @ {served}/ore-{commit}.tar.gz#sha256={'0' * 64}'"
    assert "Hash mismatch" in store.build(text(channel, other))["reason"]


def test_the_hash_that_is_given_is_the_one_that_is_installed(store: Store, channel: str, tmp_path: Path) -> None:
    path = wheel(tmp_path / "wheels", "mineral", "1.2")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    places = f"--find-links {tmp_path / 'wheels'}"
    view = store.build(text(channel, places, f"mineral==1.2 --hash=sha256:{'0' * 64} --hash=sha256:{digest}"))
    assert view["status"] == "COMPLETED", view["reason"]
    assert store.envstore.records.read(view["id"]).lock(view["platform"]).pip[0]["sha256"] == digest
    (listed,) = [item for item in store.envstore.packages.of_build(view["id"]) if item["name"] == "mineral"]
    assert listed["requested"] == "mineral==1.2"


def test_another_hash_than_the_given_one_fails_the_build_and_names_both(
    store: Store, channel: str, tmp_path: Path
) -> None:
    path = wheel(tmp_path / "wheels", "mineral", "1.2")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    view = store.build(text(channel, f"--find-links {tmp_path / 'wheels'}", f"mineral --hash=sha256:{'0' * 64}"))
    assert view["status"] == "FAILED"
    for words in ("mineral 1.2", f"expected sha256:{'0' * 64}", f"found sha256:{digest}", path.name):
        assert words in view["reason"]


def test_a_hash_of_a_package_that_conda_installs_is_told_not_to_be_checked(
    store: Store, channel: str, tmp_path: Path
) -> None:
    wheel(tmp_path / "wheels", "mineral", "1.2")
    lines = (f"--find-links {tmp_path / 'wheels'}", "mineral", f"flask --hash=sha256:{'0' * 64}")
    view = store.build(text(channel, *lines))
    assert view["status"] == "COMPLETED", view["reason"]
    (told,) = [item for item in view["warnings"] if item["kind"] == "specification"]
    assert told["package"] == "flask"
    assert "conda installs it" in told["message"]


def locked_conda(store: Store, channel: str) -> tuple[dict[str, Any], str]:
    """The lock of an environment without PyPI packages, and its platform."""
    first = store.build(text(channel).replace("  - pip:", ""))
    assert first["status"] == "COMPLETED", first["reason"]
    return yaml.safe_load(artifact(store, first, "lockfile")), first["platform"]


def imports_ore(view: dict[str, Any]) -> None:
    assert view["status"] == "COMPLETED", view["reason"]
    python = Path(view["prefix"]) / "bin" / "python"
    said = subprocess.run([python, "-c", "import unmilled_ore"], check=False, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr


def test_a_lock_of_another_tool_with_a_repository_is_built_and_our_lock_of_it_too(
    store: Store, channel: str, repository: tuple[Path, str], served: str
) -> None:
    root, commit = repository
    lock, platform = locked_conda(store, channel)
    entry = {
        "name": "unmilled-ore",
        "version": "1.0",
        "manager": "pip",
        "platform": platform,
        "dependencies": {},
        "hash": {"sha256": "0" * 64},  # conda-lock writes one of its own making
        "category": "main",
        "optional": False,
    }
    from_folder, from_server = (
        json.dumps(lock | {"package": [*lock["package"], entry | {"url": f"{place}@{commit}#subdirectory=python"}]})
        for place in (f"git+file://{root}", f"git+{served}/ore.git")
    )
    with pytest.raises(PolicyError, match="let an admin set pypi_allow_sdists"):
        store.build(from_server)
    with pytest.raises(SpecificationError, match="allow_local_files"):
        read_specification(from_folder, allow_local_files=False)
    store.envstore.settings.change({"pypi_allow_sdists": True}, (), "tester")
    imports_ore(store.build(from_folder))
    view = store.build(from_server)
    imports_ore(view)
    ours = artifact(store, view, "lockfile").decode()
    assert f"git+{served}/ore.git@{commit}#subdirectory=python" in ours
    assert found_by_conda_lock(ours) == ["unmilled-ore"]
    imports_ore(store.build(ours))


def found_by_conda_lock(text: str) -> list[str]:
    """The names of PyPI packages that conda-lock's own models read in a lockfile."""
    with conda_lock_models():
        from conda_lock.lockfile.v1.models import Lockfile

    return [
        package.name for package in Lockfile.model_validate(yaml.safe_load(text)).package if package.manager == "pip"
    ]


def test_a_pixi_lock_with_a_repository_is_built(
    store: Store, channel: str, repository: tuple[Path, str], served: str
) -> None:
    lock, platform = locked_conda(store, channel)
    conda = [package for package in lock["package"] if package["manager"] == "conda"]
    git = f"git+{served}/ore.git?subdirectory=python&rev={repository[1][:12]}#{repository[1]}"
    packages = [{"conda": package["url"], **package["hash"]} for package in conda]
    listed = [*({"conda": package["url"]} for package in conda), {"pypi": git}]
    pixi = {
        "version": 6,
        "environments": {"default": {"channels": [{"url": channel}], "packages": {platform: listed}}},
        "packages": [*packages, {"pypi": git, "name": "unmilled-ore", "version": "1.0"}],
    }
    store.envstore.settings.change({"pypi_allow_sdists": True}, (), "tester")
    repaired = repair(yaml.safe_dump(pixi, sort_keys=False), "pixi.lock")
    imports_ore(store.build(repaired.text, name="from-pixi"))
