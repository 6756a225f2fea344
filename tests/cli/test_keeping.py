"""Doctor, backup and its way back."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
from pathlib import Path

import pytest

from jupyter_envstore.application.configuration import read_files
from jupyter_envstore.application.housekeeper import Housekeeper
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.errors import InvalidInputError, StorageError
from jupyter_envstore.kernels.kernel_specs import KernelSpecs
from jupyter_envstore.kernels.stored_builds import StoredBuilds
from jupyter_envstore.services.backup import back_up, bring_back
from jupyter_envstore.services.doctor import examine
from jupyter_envstore.services.store import EnvStore
from tests.helpers import Store


@pytest.mark.archives
def test_a_backup_brings_everything_back_but_prefixes_which_are_restored(
    store: Store, channel: str, tmp_path: Path
) -> None:
    view = store.build(f"name: kept\nchannels: [{channel}]\ndependencies: [python, ipykernel]")
    before = store.envstore.logs.read(view["id"])
    saved = back_up(store.envstore.config, tmp_path / "backup.tar")
    assert not saved.missing
    assert saved.files >= 6

    root = Path(tempfile.mkdtemp(prefix="es-back-"))
    try:
        bring_back(StoreConfig(str(root)), tmp_path / "backup.tar")
        (root / "pkgs").symlink_to(store.root / "pkgs")
        again = Store(EnvStore.open(StoreConfig(str(root))))
        found = again.envstore.builds.show(view["id"])
        assert found["packed_away"]
        assert [item["state"] for item in found["artifacts"]] == ["ready"] * 4
        assert again.envstore.logs.read(view["id"]) == before
        again.envstore.prefixes.restore(view["id"])
        assert not (root / "envs").exists()
        prefix = Path(again.wait(view["id"])["prefix"])
        assert (prefix / "bin" / "python").exists()
        link = root / "envs" / "team" / "kept"
        assert link.readlink() == prefix
        kernels = KernelSpecs(again.envstore.config, StoredBuilds(again.envstore.config, again.envstore.database))
        kernels.sync()
        (kernel,) = kernels.directory.glob("*/kernel.json")
        assert str(prefix) in kernel.read_text()
        ended = threading.Event()
        ended.set()
        for wrong in ("missing", "elsewhere"):
            link.unlink()
            if wrong == "elsewhere":
                link.symlink_to(root / "builds" / "nowhere")
            Housekeeper(again.envstore, 0, logging.getLogger(__name__)).run(ended)  # as a server does when it starts
            assert link.readlink() == prefix
        again.close()
        with pytest.raises(InvalidInputError, match="already"):
            bring_back(StoreConfig(str(root)), tmp_path / "backup.tar")
    finally:
        from jupyter_envstore.engine.prefix import remove_tree

        (root / "pkgs").unlink(missing_ok=True)
        remove_tree(root)


def test_a_folder_without_a_store_is_not_backed_up_and_gets_none(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    with pytest.raises(StorageError, match="the backup cannot be written: unable to open database file"):
        back_up(StoreConfig(str(tmp_path / "root")), tmp_path / "backup.tar")
    assert list((tmp_path / "root").iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


@pytest.mark.archives
def test_archives_can_be_left_out_and_are_dropped_then(store: Store, nasty_channel: str, tmp_path: Path) -> None:
    view = store.build(f"name: small\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    back_up(store.envstore.config, tmp_path / "backup.tar", archives=False)
    root = tmp_path / "root"
    bring_back(StoreConfig(str(root)), tmp_path / "backup.tar")
    again = EnvStore.open(StoreConfig(str(root)))
    states = {item["type"]: item["state"] for item in again.builds.show(view["id"])["artifacts"]}
    assert states == {"yaml": "ready", "lockfile": "ready", "explicit": "ready", "archive": "dropped"}
    again.close()


def test_a_backup_that_is_damaged_cut_or_forged_is_refused_and_nothing_is_left(
    store: Store, nasty_channel: str, tmp_path: Path
) -> None:
    store.build(f"name: x\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    good = tmp_path / "backup.tar"
    back_up(store.envstore.config, good)
    data = good.read_bytes()
    with tarfile.open(good) as tar:
        blob = next(entry for entry in tar if entry.name.startswith("blobs/"))
    (tmp_path / "cut.tar").write_bytes(data[: len(data) // 2])
    (tmp_path / "empty.tar").write_bytes(b"")
    (tmp_path / "none.tar").write_bytes(b"something else entirely" * 100)
    (tmp_path / "damaged.tar").write_bytes(
        data[: blob.offset_data] + bytes([data[blob.offset_data] ^ 255]) + data[blob.offset_data + 1 :]
    )
    shutil.copy(good, tmp_path / "forged.tar")
    with tarfile.open(tmp_path / "forged.tar", "a") as tar:
        (tmp_path / "evil").write_text("evil")
        tar.add(tmp_path / "evil", "blobs/sha256/../../../evil-file")
    for name in ("cut", "empty", "none", "damaged", "forged"):
        with pytest.raises(InvalidInputError, match=f"{name}.tar cannot be brought back"):
            bring_back(StoreConfig(str(tmp_path / "root")), tmp_path / f"{name}.tar")
        assert not (tmp_path / "root" / "envstore.sqlite").exists()
        assert not list((tmp_path / "root").iterdir())


def test_the_doctor_looks_at_everything_and_names_what_is_wrong(store: Store, channel: str) -> None:
    config = StoreConfig(str(store.root), settings={"conda_default_channels": [channel, "file:///nowhere"]})
    found = {finding.what: finding for finding in examine(config)}
    assert {"system", "store", "disk", "hard links", "database", "limits", "uv"} <= found.keys()
    assert found["database"].state == "ok"
    assert found[f"channel {channel}"].state == "ok"
    assert found["channel file:///nowhere"].state == "error"
    assert "does not exist" in found["channel file:///nowhere"].text
    wrong = StoreConfig(str(store.root), docker_base_image="oci:/nowhere", constructor="/nowhere/constructor")
    found = {finding.what: finding for finding in examine(wrong)}
    assert (found["base of images"].state, found["constructor"].state) == ("warning", "warning")
    assert "base-image DIR" in found["base of images"].text
    assert "does not run" in found["constructor"].text


def test_the_doctor_asks_the_registry_for_the_base_of_images_and_does_not_wait_long(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    EnvStore.open(StoreConfig(str(root))).close()
    monkeypatch.setattr("jupyter_envstore.services.doctor.BASE_SECONDS", 1.0)

    def base(address: str) -> tuple[str, str]:
        config = StoreConfig(str(root), docker_base_image=address, settings={"conda_default_channels": []})
        found = next(finding for finding in examine(config) if finding.what == "base of images")
        return found.state, found.text

    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and says nothing
        port = silent.getsockname()[1]
        state, text = base(f"docker://127.0.0.1:{port}/base:1")
        assert state == "warning"
        assert "no answer within 1 s" in text
    state, text = base(f"docker://127.0.0.1:{port}/base:1")
    assert state == "warning"
    assert "cannot be reached" in text
    assert "base-image DIR" in text
    assert base("scratch") == ("ok", "scratch")


def test_the_command_line_and_the_server_read_the_same_files_in_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_server.serverapp import ServerApp

    from jupyter_envstore.application.app import EnvStoreApp

    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    own = "c.EnvStoreApp.docker_base_image = 'oci:/own'\nc.EnvStoreApp.constructor = '/own'\n"
    (tmp_path / "jupyter_envstore_config.py").write_text(own)
    lines = ["print('said')", "c.EnvStoreApp.max_build_bytes = 7", "c.EnvStoreApp.docker_base_image = 'oci:/server'"]
    (tmp_path / "jupyter_server_config.py").write_text("\n".join(lines))
    (tmp_path / "jupyter_server_config.json").write_text('{"EnvStoreApp": {"lease_seconds": 9}}')
    server = ServerApp()
    server.load_config_file()
    extension = EnvStoreApp()
    extension._link_jupyter_server_extension(server)
    expected = extension.store_config(worker_wait_seconds=0.0)
    found = read_files()
    config, files = found.command_config(), found.files_read
    assert config == expected
    assert (config.docker_base_image, config.constructor) == ("oci:/server", "/own")
    assert (config.max_build_bytes, config.lease_seconds) == (7, 9.0)
    names = {Path(file).name for file in files}
    assert {"jupyter_envstore_config.py", "jupyter_server_config.py", "jupyter_server_config.json"} <= names
    program = str(Path(sys.executable).with_name("jupyter-envstore"))
    command = [program, "doctor", "--json", "--root", str(tmp_path / "root")]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert str(tmp_path / "jupyter_server_config.py") in told[0]["text"]


def test_the_doctor_finds_a_damaged_database(root: Path) -> None:
    EnvStore.open(StoreConfig(str(root))).close()
    path = root / "envstore.sqlite"
    path.write_bytes(b"no database" * 1000)
    found = {
        finding.what: finding for finding in examine(StoreConfig(str(root), settings={"conda_default_channels": []}))
    }
    assert found["database"].state == "error"
    assert "damaged" in found["database"].text
