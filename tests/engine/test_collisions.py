"""Files that several packages have: one stays, the same one everywhere, as conda would have it; and it is told."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.channel_maker.channel import index_channel
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.placements import note_gone
from jupyter_envstore.engine.collisions import Registry, link_order
from jupyter_envstore.engine.package_paths import PackagePaths
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.errors import PackageError
from jupyter_envstore.kernels.kernel_specs import KernelSpecs
from jupyter_envstore.kernels.stored_builds import StoredBuilds
from jupyter_envstore.services.store import EnvStore
from tests.helpers import Store
from tests.hostile import PLACEHOLDER, Raw, noarch_python, wheel

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE = f"lib/python{PYTHON}/site-packages"
PACKAGES = [
    Raw(
        "clob-a",
        {"share/clob": "from a\n", "bin/clob": f"#!/bin/sh\n# {PLACEHOLDER}\necho a\n", "share/same": "same\n"},
    ),
    Raw("clob-b", {"share/clob": "from b!\n", "bin/clob": "#!/bin/sh\necho b\n", "share/same": "same\n"}),
    Raw("clob-dir", {"share/clob/inner": "in a folder\n"}),
    Raw("a-needs-b", {"share/clob": "last of all\n"}, depends=["clob-b"]),
    noarch_python("ep-a", "dup = ep_a:main", files={"site-packages/ep_a.py": "def main(): print('a')\n"}),
    noarch_python("ep-b", "dup = ep_b:main", files={"site-packages/ep_b.py": "def main(): print('b')\n"}),
    Raw("file-z", {"bin/dup": "#!/bin/sh\necho z\n"}),
    noarch_python("mod-a", files={"site-packages/mod.py": "NAME = 'conda a'\n", "site-packages/ns/__init__.py": ""}),
    noarch_python("mod-b", files={"site-packages/mod.py": "NAME = 'conda b'\n", "site-packages/ns/__init__.py": ""}),
    Raw(
        "kernel",
        {
            "share/jupyter/kernels/k/kernel.json": '{"argv": ["sh", "-c", "true", "{connection_file}"], '
            '"display_name": "K", "language": "k"}',
            "share/jupyter/kernels/k/real.svg": "<svg/>",
        },
        {"share/jupyter/kernels/k/logo.svg": "real.svg", "share/jupyter/kernels/k/logo-64x64.png": "/etc/hostname"},
    ),
    Raw("outside", {"share/o": "o"}, {"share/time": "/etc/localtime", "share/inside": "o"}),
]


@pytest.fixture(scope="module")
def clobbers(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("clobbers")
    for package in PACKAGES:
        package.write(folder)
    index_channel(folder)
    return folder.as_uri()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, package_cache: Path) -> Iterator[Store]:
    root = tmp_path_factory.mktemp("es")
    (root / "pkgs").symlink_to(package_cache)
    settings: dict[str, Any] = {"artifacts_at_once": [], "installer_maker": "self-extracting"}
    made = Store(
        EnvStore.open(StoreConfig(str(root), settings=settings, docker_base_image="scratch", lease_seconds=60))
    )
    yield made
    made.end_workers()
    made.close()
    remove_tree(root)


def build(store: Store, channels: list[str], *packages: str, pip: str = "") -> dict[str, Any]:
    listed = "".join(f"\n  - {name}" for name in packages) + pip
    name = f"e{abs(hash((packages, pip)))}"
    view = store.build(
        f"name: {name}\nchannels: [{', '.join(channels)}]\ndependencies:{listed}\n",
    )
    assert view["status"] == "COMPLETED" or names_fault(view), (view["reason"], store.envstore.logs.read(view["id"]))
    if view["status"] == "COMPLETED":
        assert "__clobbers__" not in {path.name for path in Path(view["prefix"]).iterdir()}
    return view


def names_fault(view: dict[str, Any]) -> bool:
    return "cannot be in one environment" in view["reason"]


def told(view: dict[str, Any], kind: str = "collision") -> list[tuple[str, str, str]]:
    return [(w["package"], w["path"], w["message"]) for w in view["warnings"] if w["kind"] == kind]


def artifact(store: Store, view: dict[str, Any], kind: str) -> Path:
    artifact_id = store.envstore.artifacts.request(view["id"], kind)
    store.wait(view["id"])
    made = store.envstore.artifacts.get(artifact_id)
    assert made["state"] == "ready", made["reason"]
    return store.envstore.artifacts.path(made["sha256"])


def in_archive(store: Store, view: dict[str, Any]) -> dict[str, bytes]:
    with tarfile.open(artifact(store, view, "archive")) as archive:
        return {m.name: found.read() for m in archive if m.isfile() and (found := archive.extractfile(m))}


def in_image(store: Store, view: dict[str, Any]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    manifest = json.loads(artifact(store, view, "docker").read_bytes())
    for layer in manifest["layers"]:
        path = store.envstore.artifacts.path(layer["digest"].removeprefix("sha256:"))
        with tarfile.open(path) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None:
                    assert member.name not in found, "two layers have it"
                    found[member.name.removeprefix("opt/conda/")] = file.read()
    return found


def in_installer(store: Store, view: dict[str, Any], folder: Path) -> Path:
    prefix = folder / "installed"
    subprocess.run(
        ["sh", str(artifact(store, view, "installer")), "-b", "-p", str(prefix)], check=True, capture_output=True
    )
    return prefix


@pytest.mark.parametrize(
    ("names", "content", "winner", "losers"),
    [
        (["clob-a", "clob-b"], b"from b!\n", "clob-b", ["clob-a"]),
        (["clob-a", "clob-b", "a-needs-b"], b"last of all\n", "a-needs-b", ["clob-a", "clob-b"]),
    ],
)
def test_the_file_that_conda_links_last_stays_everywhere(
    store: Store, clobbers: str, tmp_path: Path, names: list[str], content: bytes, winner: str, losers: list[str]
) -> None:
    view = build(store, [clobbers], *names)
    prefix = Path(view["prefix"])
    assert (prefix / "share" / "clob").read_bytes() == content
    assert (prefix / "bin" / "clob").read_text().endswith("echo b\n")
    of_clob = [(package, path) for package, path, text in told(view) if path in ("bin/clob", "share/clob")]
    assert (winner, "share/clob" if winner == "a-needs-b" else "bin/clob") in of_clob
    assert all(any(name in text for _, _, text in told(view)) for name in losers)
    metas = {path.name.rsplit("-", 2)[0]: json.loads(path.read_bytes()) for path in prefix.glob("conda-meta/*.json")}
    assert [name for name, meta in metas.items() if "share/clob" in meta["files"]] == [winner]
    for files in (in_archive(store, view), in_image(store, view)):
        assert files["share/clob"] == content
        assert files["bin/clob"].endswith(b"echo b\n")
        assert not [name for name in files if "clobbers__" in name]
    installed = in_installer(store, view, tmp_path)
    assert (installed / "share" / "clob").read_bytes() == content
    assert not (installed / "__clobbers__").exists()


def test_files_that_are_the_same_are_not_told(store: Store, clobbers: str) -> None:
    view = build(store, [clobbers], "clob-a", "clob-b")
    assert not [text for _, _, text in told(view) if "share/same" in text]
    assert (Path(view["prefix"]) / "share" / "same").read_text() == "same\n"


def test_a_file_where_another_package_has_a_folder_fails_the_build_with_both_names(store: Store, clobbers: str) -> None:
    view = build(store, [clobbers], "clob-a", "clob-dir")
    assert view["status"] == "FAILED"
    assert "'share/clob' is a file of clob-a and a folder of clob-dir" in view["reason"]


def test_of_two_programs_of_one_name_the_last_stays_and_it_is_told(
    store: Store, clobbers: str, channel: str, tmp_path: Path
) -> None:
    view = build(store, [clobbers, channel], f"python={PYTHON}", "ep-a", "ep-b", "file-z")
    prefix = Path(view["prefix"])
    assert subprocess.run([prefix / "bin" / "dup"], capture_output=True, text=True, check=True).stdout == "b\n"
    assert [(package, path) for package, path, _ in told(view)] == [("ep-b", "bin/dup")] * 2
    assert b"ep_b" in in_archive(store, view)["bin/dup"]
    assert b"ep_b" in in_image(store, view)["bin/dup"]
    installed = in_installer(store, view, tmp_path)
    assert subprocess.run([installed / "bin" / "dup"], capture_output=True, text=True, check=True).stdout == "b\n"


def test_a_build_that_is_brought_back_has_the_same_files(store: Store, clobbers: str) -> None:
    view = build(store, [clobbers], "clob-a", "clob-b", "outside")
    before = hashes(Path(view["prefix"]))
    with store.envstore.database.write() as session:
        note_gone(session, view["id"])
    remove_tree(Path(view["prefix"]))
    store.envstore.prefixes.restore(view["id"])
    again = store.wait(view["id"])
    assert hashes(Path(view["prefix"])) == before
    assert again["warnings"] == view["warnings"] != []


def hashes(prefix: Path) -> dict[str, str]:
    return {
        str(path.relative_to(prefix)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in prefix.rglob("*")
        if path.is_file() and "conda-meta" not in path.parts
    }


def test_a_wheel_that_writes_over_a_conda_package_is_told_and_is_in_the_archive(
    store: Store, clobbers: str, channel: str, tmp_path: Path
) -> None:
    wheel(tmp_path, "modwheel", {"mod.py": "NAME = 'wheel'\n", "ns/__init__.py": ""})
    pip = f"\n  - pip:\n    - --find-links {tmp_path.as_uri()}\n    - modwheel\n"
    view = build(store, [clobbers, channel], f"python={PYTHON}", "mod-a", pip=pip)
    assert view["status"] == "COMPLETED", view["reason"]
    assert [(package, path) for package, path, _ in told(view)] == [("modwheel (PyPI)", f"{SITE}/mod.py")]
    assert "mod-a" in told(view)[0][2]
    assert (Path(view["prefix"]) / SITE / "mod.py").read_text() == "NAME = 'wheel'\n"
    assert in_archive(store, view)[f"{SITE}/mod.py"] == b"NAME = 'wheel'\n"
    assert in_image(store, view)[f"{SITE}/mod.py"] == b"NAME = 'wheel'\n"


def test_of_two_wheels_with_one_file_the_last_by_name_stays_whatever_uv_does_first(
    store: Store, channel: str, tmp_path: Path
) -> None:
    wheel(tmp_path, "wheela", {"shared.py": "NAME = 'a'\n" * 5000, "only_a.py": ""}, "both = only_a:main")
    wheel(tmp_path, "wheelb", {"shared.py": "NAME = 'b'\n", "only_b.py": ""}, "both = only_b:main")
    pip = f"\n  - pip:\n    - --find-links {tmp_path.as_uri()}\n    - wheelb\n    - wheela\n"
    view = build(store, [channel], f"python={PYTHON}", pip=pip)
    assert view["status"] == "COMPLETED", view["reason"]
    prefix = Path(view["prefix"])
    assert (prefix / SITE / "shared.py").read_text() == "NAME = 'b'\n"
    assert "only_b" in (prefix / "bin" / "both").read_text()
    assert {(package, "wheela" in text) for package, _, text in told(view)} == {("wheelb (PyPI)", True)}
    assert (prefix / SITE / "only_a.py").exists()


def test_a_link_out_is_told_and_refused_in_what_leaves_the_store(store: Store, clobbers: str) -> None:
    view = build(store, [clobbers], "outside")
    assert view["status"] == "COMPLETED"
    assert [(package, path) for package, path, _ in told(view, "outside_link")] == [("outside", "share/time")]
    for kind in ("archive", "docker", "installer"):
        artifact_id = store.envstore.artifacts.request(view["id"], kind)
        store.wait(view["id"])
        made = store.envstore.artifacts.get(artifact_id)
        assert made["state"] == "failed"
        for word in ("outside", "share/time", "/etc/localtime", "allow_outside_links"):
            assert word in made["reason"]


def test_what_a_kernel_links_to_outside_is_not_handed_out(store: Store, clobbers: str) -> None:
    view = build(store, [clobbers], "kernel")
    assert [path for _, path, _ in told(view, "outside_link")] == ["share/jupyter/kernels/k/logo-64x64.png"]
    kernels = KernelSpecs(store.envstore.config, StoredBuilds(store.envstore.config, store.envstore.database))
    kernels.sync()
    (folder,) = kernels.directory.glob("*--k")
    assert "logo-64x64.png" not in {path.name for path in folder.iterdir()}
    assert "real.svg" in {path.name for path in folder.iterdir()}


def test_a_setting_lets_links_out_leave_the_store(store: Store, clobbers: str) -> None:
    view = build(store, [clobbers], "outside", "clob-a")
    store.envstore.settings.change({"allow_outside_links": True}, (), "tester")
    try:
        with tarfile.open(artifact(store, view, "archive")) as archive:
            assert archive.getmember("share/time").linkname == "/etc/localtime"
    finally:
        store.envstore.settings.change({"allow_outside_links": None}, (), "tester")


def test_names_that_differ_in_case_alone_are_refused_where_the_file_system_folds_them() -> None:
    one, two = PackagePaths(("share/Readme",), ("share",), {}), PackagePaths(("share/README",), ("share",), {})
    folding, telling = Registry("", folds=True), Registry("")
    for registry in (folding, telling):
        registry.add({"name": "one", "fn": "one", "channel": ""}, one)
    telling.add({"name": "two", "fn": "two", "channel": ""}, two)
    with pytest.raises(PackageError, match=r"README' of two and 'share/Readme' of one differ only in case"):
        folding.add({"name": "two", "fn": "two", "channel": ""}, two)


def test_packages_are_ordered_as_conda_links_them() -> None:
    depends = {"z": [], "a": ["python"], "b": ["z", "nowhere"], "python": ["pip", "z"], "pip": ["python"], "lone": []}
    records = [{"name": name, "depends": [f"{need} >=1" for need in needs]} for name, needs in depends.items()]
    assert link_order(records) == ["lone", "z", "b", "python", "a", "pip"]
    circle = [{"name": "x", "depends": ["y"]}, {"name": "y", "depends": ["x", "w"]}, {"name": "w", "depends": []}]
    assert link_order(circle) == ["w", "x", "y"]
