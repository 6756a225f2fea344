"""Kernels that cannot be offered stand at the build, with package and reason; the others are offered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_envstore.channel_maker.channel import index_channel
from jupyter_envstore.kernels.kernel_specs import KernelSpecs
from jupyter_envstore.kernels.stored_builds import StoredBuilds
from jupyter_envstore.services.store import EnvStore
from tests.helpers import Store, executor_of, store_config
from tests.nasty import add

GOOD = json.dumps({"argv": ["tool", "{connection_file}"], "display_name": "Tool"})
TEXTS = {"k-bom": "\ufeff" + GOOD, "k-broken": "{ not json", "k-list": "[]", "K-Upper": GOOD}


@pytest.fixture
def store(root: Path, package_cache: Path) -> Iterator[Store]:
    """A store that makes prefixes alone."""
    (root / "pkgs").symlink_to(package_cache)
    config = store_config(root, lease_seconds=60.0, settings={"artifacts_at_once": []})
    opened = Store(EnvStore.open(config, executor_of(config)))
    yield opened
    opened.end_workers()
    opened.close()


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("kernels")
    for name, text in TEXTS.items():

        def fill(root: Path, name: str = name, text: str = text) -> None:
            path = root / "share" / "jupyter" / "kernels" / name
            path.mkdir(parents=True)
            (path / "kernel.json").write_text(text)
            (path / "logo.svg").symlink_to("/etc/hostname")

        add(folder, name.lower(), fill)

    def tool(root: Path) -> None:
        (root / "bin").mkdir()
        (root / "bin" / "tool").write_text("#!/bin/sh\n")
        (root / "bin" / "tool").chmod(0o755)

    add(folder, "tool", tool)
    index_channel(folder)
    return folder.as_uri()


def test_the_good_ones_are_offered_and_the_others_told_with_package_and_reason(store: Store, channel: str) -> None:
    view = store.build(f"name: e\nchannels: ['{channel}']\ndependencies: [k-bom, k-broken, k-list, k-upper, tool]")
    assert view["status"] == "COMPLETED", view["reason"]
    told = {(w["package"], w["message"].partition(": ")[2]) for w in view["warnings"] if "left out" in w["message"]}
    assert {package for package, _ in told} == {"k-broken", "k-list"}
    kernels = KernelSpecs(store.envstore.config, StoredBuilds(store.envstore.config, store.envstore.database))
    kernels.sync()
    state = kernels.state(1)
    assert state.ids == ("envstore-team--e--k-bom", "envstore-team--e--k.u-u.upper")
    for name in state.ids:
        folder = kernels.directory / name
        assert json.loads((folder / "kernel.json").read_text())["argv"][0] == f"{view['prefix']}/bin/tool"
        assert not (folder / "logo.svg").exists()  # what it leads to is no package's


def test_where_none_is_good_the_environment_says_why(store: Store, channel: str) -> None:
    store.build(f"name: e\nchannels: ['{channel}']\ndependencies: [k-broken]")
    kernels = KernelSpecs(store.envstore.config, StoredBuilds(store.envstore.config, store.envstore.database))
    kernels.sync()
    assert "kernel k-broken of k-broken is left out: its kernel.json is not JSON" in kernels.state(1).reason


DYING = {"argv": ["dies", "{connection_file}"], "display_name": "x", "language": "x"}
ODD_SPECS = {
    "k-mark": ("\ufeff" + json.dumps(DYING)).encode(),
    "k-wide": json.dumps(DYING).encode("utf-16"),
    "k-repaired": json.dumps({**DYING, "language": 3, "env": None, "interrupt_mode": "no such"}).encode(),
    "k-number": json.dumps({**DYING, "argv": ["dies", 7, "{connection_file}"]}).encode(),
}


def test_the_check_tries_every_kernel_that_is_offered_as_it_is_offered(store: Store, tmp_path: Path) -> None:
    for name, data in ODD_SPECS.items():

        def fill(root: Path, name: str = name, data: bytes = data) -> None:
            path = root / "share" / "jupyter" / "kernels" / name
            path.mkdir(parents=True)
            (path / "kernel.json").write_bytes(data)

        add(tmp_path / "channel", name, fill)

    def dies(root: Path) -> None:
        (root / "bin").mkdir()
        (root / "bin" / "dies").write_text("#!/bin/sh\necho it has no licence >&2\nexit 3\n")
        (root / "bin" / "dies").chmod(0o755)

    add(tmp_path / "channel", "dies", dies)
    index_channel(tmp_path / "channel")
    names = ", ".join(["dies", *ODD_SPECS])
    view = store.build(f"name: e\nchannels: ['{(tmp_path / 'channel').as_uri()}']\ndependencies: [{names}]")
    assert view["status"] == "COMPLETED", view["reason"]
    found = {w["package"]: w["message"] for w in view["warnings"] if w["kind"] == "check"}
    assert found == {name: f"{name}: the kernel {name} does not start: it has no licence" for name in ODD_SPECS}
    kernels = KernelSpecs(store.envstore.config, StoredBuilds(store.envstore.config, store.envstore.database))
    kernels.sync()
    assert len(kernels.state(1).ids) == len(ODD_SPECS)
