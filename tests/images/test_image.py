"""Images as files: the same bytes everywhere, in layers that others share, with nothing of this server in them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.builds import retention
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.models import Namespace
from jupyter_envstore.database.retention import namespace_bytes
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.errors import ConflictError
from jupyter_envstore.images.host_base import write_host_base
from jupyter_envstore.images.layers import popularity
from jupyter_envstore.images.oci import CONFIG, LAYERS, MANIFEST
from jupyter_envstore.services.store import EnvStore
from tests.helpers import LEASE_SECONDS, Store, executor_of
from tests.images.conftest import blob_of, image_of, manifest_of, run

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def text(channel: str, *packages: str, pip: str = "", variables: str = "") -> str:
    lines = "".join(f"\n  - {package}" for package in packages) + (f"\n  - pip: [{pip}]" if pip else "")
    return f"name: e\nchannels: ['{channel}']\ndependencies:{lines}\n{variables}"


def entries(path: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(path) as archive:
        return {entry.name: entry for entry in archive}


def content(store: Store, manifest: dict[str, Any], name: str) -> bytes:
    """Return a file of an image."""
    for layer in reversed(manifest["layers"]):
        with tarfile.open(blob_of(store, layer["digest"])) as archive:
            if name in archive.getnames():
                found = archive.extractfile(name)
                assert found is not None
                return found.read()
    raise KeyError(name)


def test_two_stores_in_two_places_make_the_same_image(
    store_on: Callable[..., Store], channel: str, tmp_path: Path, base: Path
) -> None:
    other = tmp_path / "elsewhere"
    other.symlink_to(base)
    source = text(channel, f"python={PYTHON}", "numpy", pip="cowsay", variables="variables: {GREETING: it's}\n")
    stores = [store_on(), store_on(f"oci:{other}")]
    manifests = [manifest_of(store, store.build(source, name)) for store, name in zip(stores, ("a", "b"), strict=True)]
    assert manifests[0] == manifests[1]
    manifest, store = manifests[0], stores[0]
    config = json.loads(blob_of(store, manifest["config"]["digest"]).read_bytes())
    assert manifest["mediaType"] == MANIFEST
    assert manifest["config"]["mediaType"] == CONFIG
    assert len(config["rootfs"]["diff_ids"]) == len(manifest["layers"])
    assert (config["os"], config["config"]["Cmd"]) == ("linux", ["/bin/sh"])
    assert {"CONDA_PREFIX=/opt/conda", "GREETING=it's"} <= set(config["config"]["Env"])
    for layer, diff_id in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
        data = blob_of(store, layer["digest"]).read_bytes()
        assert layer["mediaType"] in LAYERS.values()
        assert (f"sha256:{hashlib.sha256(data).hexdigest()}", len(data)) == (layer["digest"], layer["size"])
        plain = gzip.decompress(data)
        assert f"sha256:{hashlib.sha256(plain).hexdigest()}" == diff_id
        for place in (str(store.root), str(tmp_path), str(base)):
            assert place.encode() not in plain, layer
    assert config["config"]["Labels"] == manifest["annotations"]


def test_what_stands_in_layers(store_on: Callable[..., Store], nasty_channel: str, channel: str) -> None:
    store = store_on()
    view = store.build(text(nasty_channel, "nasty-text", "nasty-links", "nasty-modes"))
    manifest = manifest_of(store, view)
    names: dict[str, tarfile.TarInfo] = {}
    for layer in manifest["layers"][1:]:
        names |= entries(blob_of(store, layer["digest"]))
    files = {name: entry for name, entry in names.items() if not entry.isdir()}
    assert all(name == "opt" or name.startswith("opt/conda") for name in names)
    assert {entry.mtime for entry in names.values()} == {315_532_800}
    assert {(entry.uid, entry.gid, entry.uname) for entry in names.values()} == {(0, 0, "")}
    for name in files:  # a folder that is not named is closed by some clients
        assert name.rpartition("/")[0] in names
    meta = next(name for name in files if name.startswith("opt/conda/conda-meta/nasty-text"))
    known = json.loads(content(store, manifest, meta))
    assert known["link"]["source"] == known["extracted_package_dir"] == ""
    assert "requested_spec" not in known
    assert "file:///nasty" in known["url"]
    script = content(store, manifest, "opt/conda/bin/nasty-script")
    assert script.startswith(b"#!/opt/conda/bin/python")


def test_images_share_the_layers_of_packages_that_they_share(
    store_on: Callable[..., Store], channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_on()
    first = manifest_of(store, store.build(text(channel, f"python={PYTHON}", "numpy"), name="a"))
    second = manifest_of(store, store.build(text(channel, f"python={PYTHON}", "numpy", "flask"), name="b"))
    shared = {layer["digest"] for layer in first["layers"]} & {layer["digest"] for layer in second["layers"]}
    size = sum(layer["size"] for layer in first["layers"])
    assert sum(layer["size"] for layer in first["layers"] if layer["digest"] in shared) > 0.99 * size
    kept = [layer["digest"] for layer in second["layers"] if layer["digest"] in shared]
    assert kept == [layer["digest"] for layer in first["layers"] if layer["digest"] in shared]  # in the same order


def test_few_layers_hold_the_same_files(store_on: Callable[..., Store], channel: str) -> None:
    store = store_on(settings={"image_layers": 4})
    manifest = manifest_of(store, store.build(text(channel, f"python={PYTHON}", "flask", pip="cowsay")))
    assert len(manifest["layers"]) == 4
    store.envstore.settings.change({"image_layers": 100}, (), "tester")
    many = manifest_of(store, store.build(text(channel, f"python={PYTHON}", "flask", pip="cowsay"), name="b"))
    assert len(many["layers"]) > 10

    def files(found: dict[str, Any]) -> set[str]:
        return {name for layer in found["layers"] for name in entries(blob_of(store, layer["digest"]))}

    assert files(manifest) == files(many)


def test_too_few_layers_are_refused_with_the_setting(store_on: Callable[..., Store], nasty_channel: str) -> None:
    store = store_on(settings={"image_layers": 3})
    state = image_of(store, store.build(text(nasty_channel, "nasty-text")))
    assert (state["state"], "image_layers" in state["reason"]) == ("failed", True)


def test_files_that_two_packages_claim_are_there_once(store_on: Callable[..., Store], nasty_channel: str) -> None:
    store = store_on()
    both = manifest_of(store, store.build(text(nasty_channel, "nasty-clobber-a", "nasty-clobber-b"), name="both"))
    loser = manifest_of(store, store.build(text(nasty_channel, "nasty-clobber-a"), name="loser"))
    winner = manifest_of(store, store.build(text(nasty_channel, "nasty-clobber-b"), name="winner"))
    layers = [{json.dumps(layer) for layer in image["layers"]} for image in (both, loser, winner)]
    assert len(layers[0] & layers[1]) == 1  # the base: what a lost to b is not taken for what it is alone
    assert len(layers[0] & layers[2]) == 2  # and what b won is what it is alone
    assert content(store, both, "opt/conda/share/clobbered.txt") == b"b\n"


def test_what_most_others_need_lies_lowest(built: Store) -> None:
    lock = built.envstore.records.read(built.data["id"]).lock(built.data["platform"])
    weights = popularity(lock)
    assert weights["python"] > weights["numpy"] >= 1
    assert all(weights.values())


def test_no_base_at_all(store_on: Callable[..., Store], nasty_channel: str) -> None:
    store = store_on("scratch")
    manifest = manifest_of(store, store.build(text(nasty_channel, "nasty-text", variables="variables: {A: b}\n")))
    config = json.loads(blob_of(store, manifest["config"]["digest"]).read_bytes())["config"]
    assert "Entrypoint" not in config
    assert "A=b" in config["Env"]
    assert all("opt" in entries(blob_of(store, layer["digest"])) for layer in manifest["layers"])


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("oci:/no/such/folder", "index.json cannot be read"),
        ("oci-archive:/no/such.tar", "cannot be read"),
        ("docker://127.0.0.1:9/nothing:1", "cannot be reached"),
        ("docker://UPPER", "names no image"),
        ("nonsense", "is not valid; write docker://"),
    ],
)
def test_a_base_that_cannot_be_had_is_told_at_once_with_the_ways_out(
    store_on: Callable[..., Store], nasty_channel: str, reference: str, words: str
) -> None:
    store = store_on(reference)
    state = image_of(store, store.build(text(nasty_channel, "nasty-text")))
    assert state["state"] == "failed"
    assert words in state["reason"]
    assert "base-image DIR" in state["reason"]


def test_a_base_is_read_from_an_archive_and_a_damaged_one_is_refused(
    store_on: Callable[..., Store], nasty_channel: str, base: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "base.tar"
    with tarfile.open(packed, "w") as archive:
        archive.add(base, ".")
    store = store_on(f"oci-archive:{packed}")
    manifest = manifest_of(store, store.build(text(nasty_channel, "nasty-text")))
    plain = store_on()
    assert manifest == manifest_of(plain, plain.build(text(nasty_channel, "nasty-text")))
    damaged = tmp_path / "damaged"
    run("cp", "-r", str(base), str(damaged))
    layer = max((damaged / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size)
    layer.write_bytes(b"x" * layer.stat().st_size)
    broken = store_on(f"oci:{damaged}")
    state = image_of(broken, broken.build(text(nasty_channel, "nasty-text")))
    assert f"what was fetched as sha256:{layer.name} is sha256:" in state["reason"]


def test_the_archive_of_an_image_is_taken_by_clients(
    store_on: Callable[..., Store], nasty_channel: str, tmp_path: Path, clients: None
) -> None:
    store = store_on()
    view = store.build(text(nasty_channel, "nasty-text"))
    state = image_of(store, view)
    archive = store.envstore.images.archive(view["id"])
    data = b"".join(archive.pieces())
    assert len(data) == archive.size
    (tmp_path / "e.oci.tar").write_bytes(data)
    found = json.loads(run("skopeo", "inspect", f"oci-archive:{tmp_path}/e.oci.tar").stdout)
    assert found["Digest"] == f"sha256:{state['sha256']}"
    old = json.loads(run("skopeo", "inspect", f"docker-archive:{tmp_path}/e.oci.tar").stdout)
    assert old["Labels"]["org.opencontainers.image.title"] == "e"
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        assert "manifest.json" in packed.getnames()
    run("skopeo", "copy", f"oci-archive:{tmp_path}/e.oci.tar", f"oci:{tmp_path}/layout:1")
    run("umoci", "unpack", "--image", f"{tmp_path}/layout:1", str(tmp_path / "unpacked"))
    script = tmp_path / "unpacked" / "rootfs" / "opt" / "conda" / "bin" / "nasty-script"
    assert script.stat().st_mode & 0o777 == 0o755


def test_layers_count_once_and_go_with_the_last_image(
    store_on: Callable[..., Store], nasty_channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_on()
    (store.root / "pkgs").unlink()  # a cache that no other test uses: it is collected
    (store.root / "pkgs").mkdir()
    sizes = []
    for name in ("a", "b"):
        view = store.build(text(nasty_channel, "nasty-text"), name=name)
        manifest_of(store, view)
        with store.envstore.database.read() as session:
            sizes.append(namespace_bytes(session, session.query(Namespace).filter_by(name="team").one().id))
    layers = sum(state["size"] for state in store.envstore.artifacts.of_build(view["id"]) if state["type"] == "docker")
    assert sizes[1] - sizes[0] < layers / 10
    monkeypatch.setattr(retention, "GRACE_SECONDS", -1.0)
    for name in ("a", "b"):
        digests = {layer["digest"] for layer in manifest_of(store, store.envstore.builds.show(view["id"]))["layers"]}
        assert all(blob_of(store, digest).is_file() for digest in digests)
        store.envstore.environments.delete("team", name, "tester", at_once=True)
        store.envstore.retention.collect()
        if name == "a":
            assert all(blob_of(store, digest).is_file() for digest in digests)
    assert not any(blob_of(store, digest).exists() for digest in digests)
    again = store.build(text(nasty_channel, "nasty-text"), name="c")
    assert {layer["digest"] for layer in manifest_of(store, again)["layers"]} == digests


def test_a_base_of_this_machine_is_the_same_each_time_and_overwrites_nothing(base: Path, tmp_path: Path) -> None:
    made = write_host_base(tmp_path / "base")
    assert (tmp_path / "base" / "index.json").read_bytes() == (base / "index.json").read_bytes()
    assert made.digest.startswith("sha256:")
    with pytest.raises(ConflictError, match="is there already"):
        write_host_base(tmp_path / "base")


def wheel_over(folder: Path, name: str, path: str, text: str) -> Path:
    """Write a wheel that brings a file of another package; return it."""
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    files = {
        path: text,
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    for place, content_of in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content_of.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{place},sha256={digest},{len(content_of)}")
    with zipfile.ZipFile(wheel, "w") as archive:
        for place, content_of in files.items():
            archive.writestr(place, content_of)
        archive.writestr(f"{info}/RECORD", "\n".join([*lines, f"{info}/RECORD,,", ""]))
    return wheel


@pytest.mark.parametrize("first", ["evil", "good"])
def test_what_a_wheel_writes_over_a_package_is_in_nobody_elses_image_or_byte_code(
    store_on: Callable[..., Store], channel: str, tmp_path: Path, first: str, package_cache: Path
) -> None:
    wheel_over(tmp_path, "overwriter", "click/_compat.py", "EVIL = True\n")
    store = store_on()
    (store.root / "pkgs").unlink()  # its own caches: what another test compiled would hide a fault
    (store.root / "pkgs").mkdir()
    (package_cache / "conda").mkdir(exist_ok=True)
    (store.root / "pkgs" / "conda").symlink_to(package_cache / "conda")
    specifications = {
        "good": text(channel, f"python={PYTHON}", "click"),
        "evil": text(channel, f"python={PYTHON}", "click", pip=f"--find-links {tmp_path}, overwriter"),
    }
    views, manifests = {}, {}
    for name in sorted(specifications, key=lambda name: name != first):
        views[name] = store.build(specifications[name], name=name)
        assert views[name]["status"] == "COMPLETED", views[name]["reason"]
        manifests[name] = manifest_of(store, views[name])
    site = f"opt/conda/lib/python{PYTHON}/site-packages/click"
    assert content(store, manifests["evil"], f"{site}/_compat.py") == b"EVIL = True\n"
    assert b"EVIL" not in content(store, manifests["good"], f"{site}/_compat.py")
    minor = PYTHON.replace(".", "")
    compiled = f"{site}/__pycache__/_compat.cpython-{minor}.pyc"
    assert b"EVIL" not in content(store, manifests["good"], compiled)
    for name, expected in (("good", "False"), ("evil", "True")):
        python = Path(views[name]["prefix"]) / "bin" / "python"
        folder = Path(views[name]["prefix"]) / "lib" / f"python{PYTHON}" / "site-packages" / "click"
        code = f"import importlib.machinery as m; s = m.PathFinder.find_spec('_compat', [{str(folder)!r}])"
        done = run(str(python), "-c", f"{code}; print('EVIL' in s.loader.get_code('_compat').co_names)")
        assert done.stdout.strip() == expected, name


def test_the_address_of_a_channel_is_in_the_images_of_its_users_alone(
    store_on: Callable[..., Store], nasty_channel: str, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.symlink_to(nasty_channel.removeprefix("file://"))
    used, fresh = store_on(), store_on()
    manifest_of(used, used.build(text(nasty_channel, "nasty-text"), name="a"))
    mine = manifest_of(used, used.build(text(elsewhere.as_uri(), "nasty-text"), name="e"))
    assert mine == manifest_of(fresh, fresh.build(text(elsewhere.as_uri(), "nasty-text"), name="e"))


def test_a_base_that_was_changed_is_refused_and_one_with_a_layer_twice_is_loaded(
    store_on: Callable[..., Store], nasty_channel: str, base: Path, tmp_path: Path, clients: None
) -> None:
    changed = tmp_path / "changed"
    run("cp", "-r", str(base), str(changed))
    index = json.loads((changed / "index.json").read_bytes())
    place = changed / "blobs" / "sha256"
    manifest = json.loads((place / index["manifests"][0]["digest"].removeprefix("sha256:")).read_bytes())
    config = place / manifest["config"]["digest"].removeprefix("sha256:")
    plain = json.loads(config.read_bytes())
    config.write_bytes(config.read_bytes().replace(b"LANG=C.UTF-8", b"LANG=C.UTF-9"))
    store = store_on(f"oci:{changed}")
    state = image_of(store, store.build(text(nasty_channel, "nasty-text")))
    assert "was changed, or is damaged" in state["reason"]
    plain["rootfs"]["diff_ids"] *= 2
    manifest["layers"] *= 2
    for value, entry in ((plain, manifest["config"]), (manifest, index["manifests"][0])):
        data = json.dumps(value).encode()
        entry |= {"digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)}
        (place / hashlib.sha256(data).hexdigest()).write_bytes(data)
        data = json.dumps(manifest).encode()
    (changed / "index.json").write_text(json.dumps(index))
    store = store_on(f"oci:{changed}")
    view = store.build(text(nasty_channel, "nasty-text"))
    assert len(manifest_of(store, view)["layers"]) > 3
    (tmp_path / "e.tar").write_bytes(b"".join(store.envstore.images.archive(view["id"]).pieces()))
    for kind in ("docker-archive", "oci-archive"):
        run("skopeo", "copy", f"{kind}:{tmp_path}/e.tar", f"dir:{tmp_path}/{kind}")


def test_a_file_that_was_written_into_in_the_cache_is_in_no_layer(
    base: Path, nasty_channel: str, tmp_path: Path
) -> None:
    config = StoreConfig(str(tmp_path / "s"), lease_seconds=LEASE_SECONDS, docker_base_image=f"oci:{base}")
    store = Store(EnvStore.open(config, executor_of(config)))
    try:
        source = text(nasty_channel, "nasty-links", "nasty-modes")
        first = manifest_of(store, store.build(source, name="a"))
        assert manifest_of(store, store.build(source, name="b"))["layers"] == first["layers"]
        cached = next(
            path
            for path in sorted((config.packages / "conda").glob("nasty-modes-*/**/*"))
            if path.is_file() and not path.is_symlink() and "info" not in path.parts
        )
        with cached.open("ab") as file:  # in place, through a link that some environment has
            file.write(b"more")
        view = store.build(source, name="c")
        words = "nasty-modes-1.0-0.conda in the package cache is damaged, so it is taken anew"
        assert words in store.envstore.logs.read(view["id"])
        assert manifest_of(store, view)["layers"] == first["layers"]
    finally:
        store.end_workers()
        store.close()
        remove_tree(tmp_path / "s")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who may mount a small disk")
def test_a_disk_that_fills_up_in_the_middle_of_a_layer_leaves_nothing(base: Path, channel: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="es-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=500m", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs root, who may mount a small disk")
    config = StoreConfig(str(folder), lease_seconds=LEASE_SECONDS, docker_base_image=f"oci:{base}")
    store = Store(EnvStore.open(config, executor_of(config)))
    filler = folder / "filler"
    blobs = folder / "blobs" / "sha256"  # beside it, the log of the job may be half written
    try:
        view = store.build(text(channel, f"python={PYTHON}"))
        assert view["status"] == "COMPLETED", view["reason"]
        before = {path.name for path in blobs.rglob("*") if path.is_file()}
        files = store.files()
        left = 15_000_000  # the files that hold the prefix and the base fit; Python's layer does not
        with filler.open("wb") as file:
            file.write(b"x" * (shutil.disk_usage(folder).free - left))
        state = image_of(store, view)
        assert (state["state"], "space left" in state["reason"]) == ("failed", True), state["reason"]
        after = {path.name for path in blobs.rglob("*") if path.is_file()}
        assert before <= after
        assert all(store.envstore.blobs.verify(name) for name in after)
        filler.unlink()
        assert store.files() == files
        assert image_of(store, view)["state"] == "ready"
    finally:
        store.close()
        subprocess.run(["umount", "-l", str(folder)], check=False)
        folder.rmdir()
