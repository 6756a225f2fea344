"""Where constructor comes from, what is made where there is none, and what its installers bring beside."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

from jupyter_envstore.artifacts import installer
from jupyter_envstore.artifacts.base import ArtifactRequest
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database.models import Artifact
from jupyter_envstore.engine.channels import ChannelPolicy
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.engine.sandbox import Unbounded
from jupyter_envstore.installers.constructor_finder import Constructor, ConstructorMissingError, Toolbox
from jupyter_envstore.representation.artifacts import artifact_view
from tests import nasty
from tests.conftest import PYTHON
from tests.helpers import Store
from tests.installers.conftest import installer_of
from tests.installers.test_construct import fake


def test_a_constructor_that_is_missing_or_too_old_says_how_to_get_one(tmp_path: Path, nasty_channel: str) -> None:
    def find(named: str, channels: tuple[str, ...] = (nasty_channel,)) -> Constructor:
        policy = ChannelPolicy(default_channels=channels)
        box = Toolbox(named, tmp_path / "tools", tmp_path / "cache", tmp_path / "repodata", policy)
        return box.find("linux-64", Silent())

    for text, expected in (
        ("echo constructor 3.4.5", "3.4.5, too old: 3.11 or newer"),
        ("echo broken >&2; exit 1", "does not run: broken"),
    ):
        tool = fake(tmp_path / "old", text)
        with pytest.raises(ConstructorMissingError, match=expected) as refusal:
            find(str(tool.program))
        assert "installer_maker = self-extracting" in str(refusal.value)
    with pytest.raises(ConstructorMissingError, match="No such file"):
        find("/nowhere/constructor")
    if shutil.which("constructor"):
        return
    with pytest.raises(ConstructorMissingError, match=r"constructor cannot be had: no package constructor"):
        find("")
    noted = list((tmp_path / "tools").glob(".constructor-*.json"))
    assert len(noted) == 1  # who asks again within the hour is answered at once
    noted[0].write_text(noted[0].read_text().replace("no package constructor", "kept"))
    with pytest.raises(ConstructorMissingError, match="kept"):
        find("")
    assert not [path for path in (tmp_path / "tools").iterdir() if path.is_dir()]


def test_it_is_linked_from_a_channel_once(tmp_path: Path) -> None:
    """The packages are fakes: the real ones are on conda channels alone."""

    def program(root: Path) -> None:
        (root / "bin").mkdir()
        (root / "bin" / "constructor").write_text("#!/bin/sh\necho constructor 3.16.3\n")
        (root / "bin" / "constructor").chmod(0o755)

    def standalone(root: Path) -> None:
        (root / "standalone_conda").mkdir()
        (root / "standalone_conda" / "conda.exe").write_text("exe")

    channel = nasty.make_channel(tmp_path / "channel")
    nasty.add(channel, "constructor", program, version="3.16.3")
    nasty.add(channel, "conda-standalone", standalone, version="26.5.3")
    nasty.index_channel(channel)
    policy = ChannelPolicy(default_channels=(channel.as_uri(),))
    box = Toolbox("", tmp_path / "tools", tmp_path / "cache", tmp_path / "repodata", policy)
    if shutil.which("constructor"):
        pytest.skip("needs constructor not to be there")
    tool = box.find("linux-64", Silent())
    assert (tool.version, tool.program.parent.parent) == ("3.16.3", tmp_path / "tools" / "constructor-linux-64")
    assert tool.native.read_text() == "exe"
    shutil.rmtree(channel)  # it is not asked again
    assert box.find("linux-64", Silent()) == tool
    with pytest.raises(ConstructorMissingError, match="conda-standalone cannot be had"):
        box.find("osx-arm64", Silent())


def test_auto_falls_back_and_says_why(
    store_with: Callable[..., Store], package_cache: Path, nasty_channel: str, tmp_path: Path
) -> None:
    if shutil.which("constructor"):
        pytest.skip("needs constructor not to be there")
    text = f"name: e\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]\n"
    store = store_with(package_cache, installer_maker="auto", conda_default_channels=[nasty_channel])
    view = store.build(text)
    made = installer_of(store, view, tmp_path)
    assert made.state["tools"]["maker"] == "self-extracting"
    assert "constructor makes no installer here" in store.envstore.logs.read(view["id"])
    strict = store_with(package_cache, installer_maker="constructor", conda_default_channels=[nasty_channel])
    view = strict.build(text)
    artifact = strict.envstore.artifacts.request(view["id"], "installer", "osx-64")
    strict.wait(view["id"])
    assert "locked for" in strict.envstore.artifacts.get(artifact)["reason"]
    artifact = strict.envstore.artifacts.request(view["id"], "installer")
    strict.wait(view["id"])
    assert "c.EnvStoreApp.constructor" in strict.envstore.artifacts.get(artifact)["reason"]


def test_extras_are_locked_with_the_environment_and_change_nothing_in_it(
    store_with: Callable[..., Store], package_cache: Path, channel: str
) -> None:
    text = f"name: e\nchannels: ['{channel}']\ndependencies: [python={PYTHON}, click]\n"
    with_extras = store_with(package_cache, installer_maker="auto", conda_default_channels=[channel])
    without = store_with(package_cache, installer_maker="auto", installer_extras=False)
    found = []
    for store in (with_extras, without):
        view = store.build(text)
        found.append(store.envstore.records.read(view["id"]).lock(view["platform"]))
        log = store.envstore.logs.read(view["id"])
        assert ("conda cannot be had beside these packages" in log) is (store is with_extras)
    assert found[0].conda == found[1].conda
    assert [record["name"] for record in found[0].installer_extras] == ["pip"]
    assert found[1].installer_extras == ()


def test_a_setting_makes_installers_for_macos_packages(
    store_with: Callable[..., Store],
    package_cache: Path,
    nasty_channel: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """constructor is a fake: packages are made on macOS alone."""
    kinds: list[str] = []
    monkeypatch.setattr(Toolbox, "find", lambda *_: fake(tmp_path / "tool", "exit 0"))
    monkeypatch.setattr(installer, "run_constructor", lambda _tool, job, *_: kinds.append(job.kind) or ["constructor"])
    store = store_with(package_cache)
    view = store.build(
        f"name: e\nchannels: ['{nasty_channel}']\nplatforms: [linux-64, osx-64]\ndependencies: [nasty-text]\n"
    )
    record, config = store.envstore.records.read(view["id"]), store.envstore.config
    with store.envstore.database.read() as session:
        row = rows.find_build(session, view["id"])
    names = []
    for number, (pkg, variant) in enumerate(((True, "osx-64"), (False, "osx-64"), (True, "linux-64"))):
        settings = {**store.envstore.settings.effective(), "installer_maker": "constructor", "installer_pkg": pkg}
        staging = tmp_path / f"staging-{number}"
        blobs = store.envstore.blobs
        request = ArtifactRequest(
            record, view["platform"], variant, config, blobs, staging, Silent(), Unbounded(), tmp_path, Mock(), settings
        )
        tools = installer.Installer().make(request, Mock())
        made = Artifact(id=1, build_id=view["id"], type="installer", variant=variant, state="ready", tools=tools)
        names.append(artifact_view(made, row, ())["file_name"])
    assert kinds == ["pkg", "sh", "sh"]
    assert names == ["e-osx-64.pkg", "e-osx-64.sh", "e-linux-64.sh"]
