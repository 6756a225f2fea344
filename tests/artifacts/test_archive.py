"""The archive: unpacked elsewhere, run by somebody else, the same bytes every time."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.engine.sandbox import Unbounded
from jupyter_envstore.services.store import EnvStore
from tests.helpers import Store

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
NOBODY = 65534


def artifact_of(store: Store, view: dict[str, Any], kind: str, variant: str = "") -> Path:
    """Return the file of an artifact, made if need be."""
    artifact_id = store.envstore.artifacts.request(view["id"], kind, variant)
    store.wait(view["id"])
    artifact = store.envstore.artifacts.get(artifact_id)
    assert artifact["state"] == "ready", artifact["reason"]
    path = store.envstore.artifacts.path(artifact["sha256"])
    assert (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()) == (
        artifact["size"],
        artifact["sha256"],
    )
    return path


@pytest.fixture(scope="module")
def unpacked(built: Store) -> Iterator[Path]:
    """The archive of the full environment, unpacked on a path of another length."""
    folder = Path(tempfile.mkdtemp(prefix="es-a-longer-path-to-unpack-things-into-"))
    folder.chmod(0o755)
    prefix = folder / "environment"
    prefix.mkdir()
    with tarfile.open(artifact_of(built, built.data, "archive")) as archive:
        archive.extractall(prefix, filter="tar") if sys.version_info >= (3, 12) else archive.extractall(prefix)  # noqa: S202
    yield prefix
    remove_tree(folder)


def shell(prefix: Path, script: str, as_nobody: bool = False) -> str:
    """Run a script in an activated shell that knows nothing else."""
    command = ["/bin/bash", "--norc", "-c", f". {prefix}/bin/activate && {script}"]
    user = {"user": NOBODY, "group": NOBODY} if as_nobody else {}
    done = subprocess.run(
        command,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
        **user,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_runs_where_it_was_unpacked_before_conda_unpack(unpacked: Path) -> None:
    code = "import sys, numpy, pandas, flask, cowsay, ssl; print(sys.prefix)"
    assert shell(unpacked, f'python -c "{code}"').strip() == str(unpacked)
    assert "moo" in shell(unpacked, "cowsay -t moo")
    assert "Flask" in shell(unpacked, "flask --version")


def test_its_activation_sets_the_variables(unpacked: Path) -> None:
    assert shell(unpacked, "python -c \"import os; print(os.environ['GREETING'])\"") == 'it\'s "fine" $HOME\n'


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be another user, which only root can become")
def test_somebody_without_rights_unpacks_it_runs_conda_unpack_and_uses_it(built: Store) -> None:
    folder = Path(tempfile.mkdtemp(prefix="es-nobody-"))
    shutil.copy(artifact_of(built, built.data, "archive"), folder / "archive.tar.gz")
    for path in (folder, folder / "archive.tar.gz"):
        shutil.chown(path, NOBODY, NOBODY)
    (folder / "archive.tar.gz").chmod(0o644)
    prefix = folder / "env"
    unpack = f"{prefix}/bin/python {prefix}/bin/conda-unpack"
    script = f"mkdir {prefix} && tar -xf {folder}/archive.tar.gz -C {prefix} && {unpack}"
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        user=NOBODY,
        group=NOBODY,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "moo" in shell(prefix, "cowsay -t moo", as_nobody=True)
    assert shell(prefix, "python -c 'import numpy, sys; print(sys.prefix)'", as_nobody=True).strip() == str(prefix)
    leftover = subprocess.run(
        ["grep", "-rIl", "envstore_archive_placeholder", str(prefix)], capture_output=True, text=True, check=False
    )
    assert [name for name in leftover.stdout.split() if not name.endswith("bin/conda-unpack")] == []
    remove_tree(folder)


def test_it_says_nothing_of_the_server_nor_of_the_time(built: Store) -> None:
    with tarfile.open(artifact_of(built, built.data, "archive")) as archive:
        for member in archive:
            assert (member.uid, member.gid, member.uname, member.mtime) == (0, 0, "", 315_532_800)
            assert member.mode in (0o755, 0o644, 0o777)
            if member.isfile() and member.size < 2**20:
                file = archive.extractfile(member)
                assert file is not None
                data = file.read()
                assert str(built.root).encode() not in data, member.name
                assert b"es-pkgs-" not in data, member.name


def test_every_file_is_that_of_the_prefix_but_for_the_prefix_itself(built: Store, tmp_path: Path) -> None:
    prefix = Path(built.data["prefix"])
    other = tmp_path / "unpacked"
    other.mkdir()
    subprocess.run(["tar", "-xf", str(artifact_of(built, built.data, "archive")), "-C", str(other)], check=True)
    subprocess.run([str(other / "bin" / "python"), str(other / "bin" / "conda-unpack")], check=True)
    ours = {"bin/activate", "bin/deactivate", "bin/activate.fish", "bin/conda-unpack", "bin/conda_unpack_progress.py"}
    ours |= {
        f"etc/conda/{folder}.d/00-envstore-variables.{ending}"
        for folder in ("activate", "deactivate")
        for ending in ("sh", "fish")
    }
    compared = 0
    for path in sorted(prefix.rglob("*")):
        name = path.relative_to(prefix).as_posix()
        left_out = path.suffix == ".pyc" or path.name in ("EXTERNALLY-MANAGED", "envstore-activation")
        if path.is_symlink() or not path.is_file() or left_out or name.startswith("conda-meta/"):
            continue
        assert digest(path, prefix) == digest(other / name, other) or path.name == "RECORD", name
        compared += 1
    added = {p.relative_to(other).as_posix() for p in other.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    there = {p.relative_to(prefix).as_posix() for p in prefix.rglob("*") if p.is_file()}
    assert added - there == ours
    assert compared > 5000


def digest(path: Path, prefix: Path) -> str:
    """Return the hash of a file in which the prefix, and how a script names its Python, do not count."""
    data = path.read_bytes()
    if data.startswith(b"#!"):
        first, _, rest = data.partition(b"\n")
        data = b"#!" + first.rsplit(b"/", 1)[-1].removeprefix(b"env ") + b"\n" + rest
    return hashlib.sha256(data.replace(os.fsencode(prefix), b"PREFIX")).hexdigest()


def test_conda_meta_is_whole_and_read_by_rattler(unpacked: Path) -> None:
    import rattler

    records = [rattler.PrefixRecord.from_path(path) for path in (unpacked / "conda-meta").glob("*.json")]
    assert {"python", "numpy", "flask"} <= {record.name.normalized for record in records}


def sizes_without_meta(path: Path) -> dict[str, int]:
    """Return the files of an archive but those in conda-meta, with their sizes."""
    with tarfile.open(path) as archive:
        return {member.name: member.size for member in archive if "conda-meta" not in member.name}


def test_two_stores_in_two_places_make_the_same_bytes(built: Store) -> None:
    first = artifact_of(built, built.data, "archive")
    root = Path(tempfile.mkdtemp(prefix="es-elsewhere-"))
    other = Store(EnvStore.open(StoreConfig(str(root))))
    view = other.build(artifact_of(built, built.data, "lockfile").read_text(), name="data")
    assert view["status"] == "COMPLETED", view["reason"]
    second = artifact_of(other, view, "archive")
    other.close()
    # which packages were asked for is known to one store only; conda-meta says so
    assert sizes_without_meta(first) == sizes_without_meta(second)
    remove_tree(root)


def test_made_again_it_has_the_same_digest(built: Store) -> None:
    from jupyter_envstore.artifacts.archive import Archive
    from jupyter_envstore.artifacts.base import ArtifactRequest
    from jupyter_envstore.builds.artifact_parts import StoredParts
    from jupyter_envstore.engine.progress import Silent

    first = artifact_of(built, built.data, "archive")
    staging = Path(tempfile.mkdtemp(prefix="es-again-"))
    record = built.envstore.records.read(built.data["id"])
    parts = StoredParts(built.envstore.database, built.envstore.blobs)
    request = ArtifactRequest(
        record,
        built.data["platform"],
        "",
        built.envstore.config,
        built.envstore.blobs,
        staging / "prefix",
        Silent(),
        Unbounded(),
        staging / "bytecode",
        parts,
        {},
    )
    with (staging / "again").open("wb") as sink:
        Archive().make(request, sink)
    assert (
        hashlib.sha256((staging / "again").read_bytes()).hexdigest() == hashlib.sha256(first.read_bytes()).hexdigest()
    )
    remove_tree(staging)


def test_zstandard_is_the_same_archive_in_less_space(built: Store) -> None:
    gz, zst = artifact_of(built, built.data, "archive"), artifact_of(built, built.data, "archive", "tar.zst")
    assert zst.stat().st_size < gz.stat().st_size
    with (
        zst.open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as raw,
        tarfile.open(fileobj=io.BufferedReader(raw), mode="r|") as stream,
    ):
        names = [member.name for member in stream]
    with tarfile.open(gz) as archive:
        assert names == archive.getnames()


def test_nasty_packages_survive_the_archive(store: Store, nasty_channel: str, channel: str, tmp_path: Path) -> None:
    packages = "nasty-text, nasty-binary, nasty-names, nasty-links, nasty-modes, nasty-activation"
    view = store.build(
        f"name: n\nchannels: [{nasty_channel}, {channel}]\ndependencies: ['python={PYTHON}', {packages}]"
    )
    prefix = tmp_path / "n"
    prefix.mkdir()
    subprocess.run(["tar", "-xf", str(artifact_of(store, view, "archive")), "-C", str(prefix)], check=True)
    subprocess.run([str(prefix / "bin" / "python"), str(prefix / "bin" / "conda-unpack")], check=True)
    assert (prefix / "etc" / "nasty.conf").read_text() == f"home={prefix}\nlib={prefix}/lib:{prefix}/lib64\n"
    assert str(prefix).encode() + b"/lib/plugin\x00" in (prefix / "lib" / "nasty.bin").read_bytes()
    assert (prefix / "lib" / "libnasty.so").is_symlink()
    assert (prefix / "share" / "odd names" / "grün — ok.txt").read_text() == "grün\n"
    assert shell(prefix, 'echo "$NASTY"').strip() == f"{prefix}/nasty"


def test_small_artifacts_say_what_they_should(built: Store) -> None:
    explicit = artifact_of(built, built.data, "explicit").read_text()
    assert "@EXPLICIT" in explicit.splitlines()
    assert "# pip cowsay @ http" in explicit
    view = built.envstore.builds.show(built.data["id"])
    for artifact in view["artifacts"]:
        assert artifact["state"] == "ready"
        assert artifact["duration"] is not None
        json.dumps(artifact)
