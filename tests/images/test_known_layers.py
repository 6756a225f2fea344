"""Layers that are found before anything is linked: the image is the one that linking everything gives."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conda_package_streaming.extract import extract

from jupyter_envstore.artifacts.base import version_of
from jupyter_envstore.artifacts.docker import PREFIX
from jupyter_envstore.builds.artifact_parts import StoredParts
from jupyter_envstore.channel_maker.channel import index_channel
from jupyter_envstore.engine.solve import current_platform
from jupyter_envstore.images.known_layers import known_layers
from tests.helpers import Store, opened_stores
from tests.images.conftest import image_of, manifest_of, run
from tests.images.test_image import content, entries, text, wheel_over
from tests.nasty import add

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE = f"lib/python{PYTHON}/site-packages"
Stores = Callable[..., Store]


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A channel of packages that an image is told by, or that get in each other's way."""
    folder = tmp_path_factory.mktemp("pieces")

    def package(name: str, *files: tuple[str, str], version: str = "1.0") -> None:
        def fill(root: Path) -> None:
            for place, said in files:
                (root / place).parent.mkdir(parents=True, exist_ok=True)
                if said.startswith("-> "):
                    (root / place).symlink_to(said[3:])
                else:
                    (root / place).write_text(said)

        add(folder, name, fill, version=version)

    package("variable", ("etc/conda/env_vars.d/variable.json", '{"FROM_PACKAGE": "yes"}'), ("share/variable", "v"))
    package("left", ("share/both", "left"), ("share/left", "left"))
    package("right", ("share/both", "right"), ("share/right", "right"))
    package("plain", ("share/plain", "plain"), ("share/other", "-> plain"))
    package("scripted", ("bin/.scripted-post-link.sh", 'echo more > "$PREFIX/share/made"\n'), ("share/scripted", "s"))
    package("outside", ("share/time", "-> /etc/localtime"), ("share/outside", "o"))
    package("pointing", ("etc/conda/env_vars.d/p.json", "-> ../../../share/variables.json"))
    package("pointed", ("share/variables.json", '{"POINTED": "yes"}'))
    package("entry", ("etc/envstore/entrypoint.sh", "#!/bin/sh\necho mine\n"), ("share/entry", "e"))
    package("source", (f"{SITE}/thing.py", "VALUE = 'source'\n"))
    package("compiled", (f"{SITE}/__pycache__/thing.cpython-{PYTHON.replace('.', '')}.pyc", "no byte code"))
    package("vendors", ("opt/tool/lib/python3.9/site-packages/vendored.py", "A = 1\n"))
    package("alias", (f"{SITE}/alias.py", "-> target.py"), (f"{SITE}/dangling.py", "-> nowhere.py"))
    for number in "12":
        package("target", (f"{SITE}/target.py", f"VALUE = 'value {number}'\n"), version=f"{number}.0")
    index_channel(folder)
    return folder.as_uri()


@pytest.fixture
def opened(base: Path, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Make stores that have caches of their own."""
    with opened_stores(tmp_path) as make:

        def own() -> Store:
            packages = Path(tempfile.mkdtemp(dir=tmp_path))
            return make(packages=packages, docker_base_image=f"oci:{base}")

        yield own


def not_linked(store: Store, view: dict[str, Any]) -> int:
    """Return how many packages of a build's image had a layer before anything was linked."""
    told = re.findall(r"(\d+) of them known before anything was linked", store.envstore.logs.read(view["id"]))
    return int(told[-1])


def same(stores: Stores, first: str, second: str, **config: Any) -> tuple[Store, dict[str, Any]]:
    """Make two images in one store, and the second in a fresh one: it must be the same. Return the first store."""
    used, fresh = stores(**config), stores(**config)
    view = used.build(first, name="a")
    manifest_of(used, view)
    assert not_linked(used, view) == 0
    view = used.build(second, name="e")
    assert manifest_of(used, view) == manifest_of(fresh, fresh.build(second, name="e"))
    return used, view


def test_what_one_package_adds_is_all_that_is_linked(
    store_on: Stores, channel: str, nasty_channel: str, pieces: str
) -> None:
    channels = f"{channel}', '{nasty_channel}', '{pieces}"
    first = (f"python={PYTHON}", "flask", "nasty-python", "nasty-activation", "nasty-links", "variable")
    used, view = same(
        store_on,
        text(channels, *first),
        text(channels, *first, "nasty-binary", "click", variables="variables: {GREETING: hello}\n"),
    )
    manifest = manifest_of(used, view)
    packages = list((Path(view["prefix"]) / "conda-meta").glob("*.json"))
    assert not_linked(used, view) == len(packages) - 1
    assert content(used, manifest, "opt/conda/bin/nasty-entry").startswith(b"#!/opt/conda/bin/python")
    config = used.envstore.blobs.read(manifest["config"]["digest"].removeprefix("sha256:"))
    assert b'"FROM_PACKAGE=yes"' in config  # of a package whose layer was known
    assert b'"GREETING=hello"' in config


def test_an_image_whose_packages_all_have_layers_needs_no_python(store_on: Stores, pieces: str) -> None:
    used, view = same(store_on, text(pieces, "plain", "left"), text(pieces, "plain"))
    assert not_linked(used, view) == 1
    manifest = manifest_of(used, view)
    names = {
        name for layer in manifest["layers"] for name in entries(used.envstore.blobs.local_file(layer["digest"][7:]))
    }
    assert {"opt/conda/share/plain", "opt/conda/conda-meta/history"} <= names
    assert "opt/conda/share/left" not in names


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("left",), ("left", "right")),
        (("left", "right"), ("left",)),
        (("left", "right"), ("right", "plain")),
        (("scripted", "plain"), ("plain",)),
        (("plain",), ("scripted", "plain")),
        (("pointing", "pointed"), ("pointing", "pointed", "plain")),
    ],
)
def test_packages_that_have_a_hand_in_anothers_files_are_linked(
    store_on: Stores, pieces: str, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    settings = {"link_scripts": "run"}
    used, view = same(store_on, text(pieces, *first), text(pieces, *second), settings=settings)
    assert not_linked(used, view) == 0


@pytest.mark.parametrize(
    ("first", "second"), [(("source", "compiled"), ("compiled", "plain")), (("source",), ("source", "compiled"))]
)
def test_byte_code_that_another_package_has_is_left_to_it(
    store_on: Stores, channel: str, pieces: str, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    channels, python = f"{channel}', '{pieces}", f"python={PYTHON}"
    used, view = same(store_on, text(channels, python, *first), text(channels, python, *second))
    assert not_linked(used, view) == 0
    theirs = f"{SITE}/__pycache__/thing.cpython-{PYTHON.replace('.', '')}.pyc"
    assert content(used, manifest_of(used, view), f"opt/conda/{theirs}") == b"no byte code"
    assert (Path(view["prefix"]) / theirs).read_text() == "no byte code"


def test_byte_code_is_of_modules_of_this_python_alone_and_never_of_links(
    opened: Callable[..., Store], channel: str, pieces: str
) -> None:
    used, fresh = opened(), opened()
    channels = f"{channel}', '{pieces}"
    both = [text(channels, f"python={PYTHON}", "vendors", "alias", f"target={number}.0") for number in "12"]
    manifest_of(used, used.build(both[0], name="a"))
    view = used.build(both[1], name="e")
    prefix = Path(view["prefix"])
    assert "value 2" in run(f"{prefix}/bin/python", "-c", "import alias; print(alias.VALUE)").stdout
    assert not list((prefix / SITE / "__pycache__").glob("alias*"))
    assert not list((prefix / "opt").rglob("*.pyc"))
    assert manifest_of(used, view) == manifest_of(fresh, fresh.build(both[1], name="e"))
    forget_byte_code(used)
    view = used.build(text(channels, f"python={PYTHON}", "vendors", "source", "target=2.0"), name="b")
    forget_byte_code(used)
    names = {
        name
        for layer in manifest_of(used, view)["layers"]
        for name in entries(used.envstore.blobs.local_file(layer["digest"].removeprefix("sha256:")))
    }
    assert f"opt/conda/{SITE}/__pycache__/thing.cpython-{PYTHON.replace('.', '')}.pyc" in names


def forget_byte_code(store: Store) -> None:
    """Remove the byte code that is kept, as collection does where no environment has it; other processes keep it."""
    folder = store.root / "pkgs" / "bytecode"
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder)


def test_a_python_of_several_packages_compiles(opened: Callable[..., Store], channel: str, tmp_path: Path) -> None:
    split = split_python(Path(channel.removeprefix("file://")), tmp_path)
    store = opened()
    manifest_of(store, store.build(text(split, f"python={PYTHON}"), name="a"))
    view = store.build(text(split, f"python={PYTHON}", "fresh-one"), name="b")
    forget_byte_code(store)
    manifest_of(store, view)
    assert not_linked(store, view) == 2


def split_python(channel: Path, folder: Path) -> str:
    """Write a channel whose Python has a part of its library in another package, as Debian's."""
    found = next((channel / "linux-64").glob(f"python-{PYTHON}.*.conda"))
    unpacked, split = folder / "unpacked", folder / "split"
    extract(str(found), str(unpacked))
    part = f"lib/python{PYTHON}/json"

    def library(root: Path) -> None:
        shutil.copytree(unpacked / part, root / part)

    def module(root: Path) -> None:
        (root / "site-packages").mkdir()
        (root / "site-packages" / "fresh_one.py").write_text("A = 1\n")

    add(split, "library", library)
    add(split, "fresh-one", module, depends=["python"], noarch_python=True)
    shutil.rmtree(unpacked / part)
    listed = json.loads((unpacked / "info" / "paths.json").read_text())
    listed["paths"] = [entry for entry in listed["paths"] if not entry["_path"].startswith(f"{part}/")]
    (unpacked / "info" / "paths.json").write_text(json.dumps(listed))
    (unpacked / "info" / "files").write_text("".join(f"{entry['_path']}\n" for entry in listed["paths"]))
    index = json.loads((unpacked / "info" / "index.json").read_text())
    index |= {"depends": [*index.get("depends", ()), "library"], "build": "1_split", "build_number": 1}
    (unpacked / "info" / "index.json").write_text(json.dumps(index))
    (split / "linux-64").mkdir(parents=True)
    name = split / "linux-64" / f"python-{index['version']}-1_split.tar.bz2"
    with tarfile.open(name, "w:bz2", compresslevel=1) as archive:
        for path in sorted(unpacked.iterdir()):
            archive.add(path, path.name)
    index_channel(split)
    return split.as_uri()


def test_what_was_written_into_in_the_cache_is_in_no_layer_however_it_looks(
    opened: Callable[..., Store], pieces: str
) -> None:
    used, fresh = opened(), opened()
    used.build(text(pieces, "plain"), name="a")
    cached = used.root / "pkgs" / "conda" / "plain-1.0-0" / "share" / "plain"
    before = cached.stat()
    with cached.open("r+") as file:
        file.write("EVIL!")
    os.utime(cached, ns=(before.st_atime_ns, before.st_mtime_ns))
    image_of(used, used.build(text(pieces, "plain"), name="b"))
    shutil.rmtree(used.root / "pkgs" / "conda")
    (used.root / "pkgs" / "conda").mkdir()
    used.build(text(pieces, "plain"), name="c")
    view = used.build(text(pieces, "plain", "left"), name="e")
    assert manifest_of(used, view) == manifest_of(fresh, fresh.build(text(pieces, "plain", "left"), name="e"))


def test_a_program_where_ours_is_written_has_no_layer_that_is_known(store_on: Stores, pieces: str, base: Path) -> None:
    used, fresh = store_on("scratch"), store_on()
    manifest_of(used, used.build(text(pieces, "entry"), name="a"))
    object.__setattr__(used.envstore.config, "docker_base_image", f"oci:{base}")  # as after a restart of the server
    view = used.build(text(pieces, "entry", "plain"), name="e")
    assert manifest_of(used, view) == manifest_of(fresh, fresh.build(text(pieces, "entry", "plain"), name="e"))


def test_a_package_without_a_hash_has_no_layer_that_is_known(store_on: Stores, pieces: str) -> None:
    store = store_on()
    view = store.build(text(pieces, "plain", "left"), name="a")
    manifest_of(store, view)
    lock = store.envstore.records.read(view["id"]).lock(current_platform())
    unhashed = replace(lock, conda=tuple({**entry, "sha256": None, "md5": None} for entry in lock.conda))
    parts = StoredParts(store.envstore.database, store.envstore.blobs)
    caches = store.envstore.config.packages / "conda"
    tools = {name: version_of(name) for name in ("py-rattler", "isal", "uv")}
    assert known_layers(lock, PREFIX, tools, caches, parts, 100).layers.keys() == {"plain", "left"}
    assert known_layers(unhashed, PREFIX, tools, caches, parts, 100).layers == {}


def test_more_packages_than_layers_are_linked(store_on: Stores, channel: str) -> None:
    used, fresh = store_on(), store_on(settings={"image_layers": 6})
    specification = text(channel, f"python={PYTHON}", "flask")
    manifest_of(used, used.build(specification, name="a"))
    used.envstore.settings.change({"image_layers": 6}, (), "tester")
    view = used.build(specification, name="e")
    assert manifest_of(used, view) == manifest_of(fresh, fresh.build(specification, name="e"))
    assert not_linked(used, view) == 0


@pytest.mark.parametrize("first", ["good", "evil"])
def test_a_wheel_that_writes_over_a_package_is_linked_and_leaves_no_layer_behind(
    store_on: Stores, channel: str, tmp_path: Path, first: str
) -> None:
    wheel_over(tmp_path, "overwriter", "click/_compat.py", "EVIL = True\n")
    good = text(channel, f"python={PYTHON}", "click")
    evil = text(channel, f"python={PYTHON}", "click", pip=f"--find-links {tmp_path}, overwriter")
    texts = (good, evil) if first == "good" else (evil, good)
    used, view = same(store_on, *texts)
    assert not_linked(used, view) == 0
    site = f"opt/conda/lib/python{PYTHON}/site-packages/click"
    found = content(used, manifest_of(used, view), f"{site}/_compat.py")
    assert (b"EVIL" in found) == (first == "good")


def test_links_that_lead_out_are_refused_in_a_known_layer_too(store_on: Stores, pieces: str) -> None:
    store = store_on(settings={"allow_outside_links": True})
    manifest_of(store, store.build(text(pieces, "outside"), name="a"))
    store.envstore.settings.change({"allow_outside_links": False}, (), "tester")
    state = image_of(store, store.build(text(pieces, "outside", "plain"), name="b"))
    assert state["state"] == "failed"
    assert "share/time of outside is a link to /etc/localtime" in state["reason"]


def test_a_layer_that_was_lost_or_a_package_that_left_the_cache_is_made_again(
    store_on: Stores, pieces: str, tmp_path: Path
) -> None:
    store = store_on()
    (store.root / "pkgs").unlink()  # its own caches, which it may lose
    (store.root / "pkgs").mkdir()
    first = manifest_of(store, store.build(text(pieces, "plain", "left"), name="a"))
    layer = next(
        layer["digest"].removeprefix("sha256:")
        for layer in first["layers"]
        if "opt/conda/share/plain" in entries(store.envstore.blobs.local_file(layer["digest"].removeprefix("sha256:")))
    )
    store.envstore.blobs.local_file(layer).unlink()
    view = store.build(text(pieces, "plain", "left"), name="b")
    assert manifest_of(store, view)["layers"][:-1] == first["layers"][:-1]  # the last has the environment's own files
    assert not_linked(store, view) == 1
    assert store.envstore.blobs.verify(layer)
    view = store.build(text(pieces, "plain", "left"), name="c")
    shutil.rmtree(store.root / "pkgs" / "conda")
    (store.root / "pkgs" / "conda").mkdir()
    assert manifest_of(store, view)["layers"][:-1] == first["layers"][:-1]
    assert not_linked(store, view) == 0
