"""A store whose artifacts, layers, records and logs lie in a bucket: built, downloaded, pulled, moved, collected."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from jupyter_envstore.builds import retention
from jupyter_envstore.client import EnvStore as Client
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import retention as queries
from jupyter_envstore.database.models import Build, LogChunk
from jupyter_envstore.errors import NotFoundError, StorageError
from jupyter_envstore.services.backup import back_up, bring_back
from jupyter_envstore.services.doctor import examine
from jupyter_envstore.services.move_blobs import move_blobs
from jupyter_envstore.services.store import EnvStore
from tests.commands import run_command
from tests.helpers import LEASE_SECONDS, WITH_ARCHIVES, Store, executor_of
from tests.images.conftest import clients as clients
from tests.object_store import SECRET, ObjectStore
from tests.server.live import MASTER, Server

SPECIFICATION = "name: e\nchannels: [{channel}]\ndependencies: [nasty-text]"


@pytest.fixture
def open_store(package_cache: Path) -> Iterator[Callable[..., Store]]:
    """Open stores, each as of a machine."""
    found: list[Store] = []

    def open_one(root: Path, **values: Any) -> Store:
        root.mkdir(exist_ok=True)
        if not (root / "pkgs").exists():
            (root / "pkgs").symlink_to(package_cache)
        given: dict[str, Any] = {"lease_seconds": LEASE_SECONDS, "settings": dict(WITH_ARCHIVES), **values}
        config = StoreConfig(str(root), **given)
        found.append(Store(EnvStore.open(config, executor_of(config))))
        return found[-1]

    yield open_one
    for store in found:
        store.end_workers()
        store.close()


@pytest.fixture
def values(server: ObjectStore, bucket: str) -> dict[str, Any]:
    """What the configuration says of the bucket."""
    return {"blob_url": f"{bucket}/store", "blob_options": server.options()}


def test_a_build_leaves_nothing_on_the_machine_that_only_it_has(
    open_store: Callable[..., Store], root: Path, values: dict[str, Any], nasty_channel: str
) -> None:
    store = open_store(root / "a", **values)
    view = store.build(SPECIFICATION.format(channel=nasty_channel))
    assert view["status"] == "COMPLETED", view
    made = {artifact["type"]: artifact for artifact in store.envstore.artifacts.of_build(view["id"])}
    assert made["archive"]["state"] == "ready", made["archive"]["reason"]
    assert not (root / "a" / "blobs").exists()
    other = open_store(root / "b", **values, database_url=store.envstore.config.url)
    path = other.envstore.artifacts.path(made["archive"]["sha256"] or "")
    with tarfile.open(path) as tar:
        assert "conda-meta/history" in tar.getnames()
    assert b"nasty-text" in b"".join(other.envstore.artifacts.pieces(view["id"], "lockfile"))
    assert "Find versions" in other.envstore.logs.read(view["id"])
    assert other.envstore.records.read(view["id"]).name == "e"


def test_an_image_shares_its_layers_through_the_bucket(
    open_store: Callable[..., Store], root: Path, base: Path, values: dict[str, Any], nasty_channel: str
) -> None:
    values["docker_base_image"] = f"oci:{base}"
    first = open_store(root / "a", **values)
    second = open_store(root / "b", **values, database_url=first.envstore.config.url)
    digests = []
    for store in (first, second):
        view = store.build(SPECIFICATION.format(channel=nasty_channel))
        artifact = store.envstore.artifacts.request(view["id"], "docker")
        store.wait(view["id"])
        made = store.envstore.artifacts.get(artifact)
        assert made["state"] == "ready", made["reason"]
        digests.append(made["sha256"])
        archive = store.envstore.images.archive(view["id"])
        with tarfile.open(fileobj=io.BytesIO(b"".join(archive.pieces()))) as tar:
            for member in tar.getmembers():
                if member.name.startswith("blobs/sha256/"):
                    file = tar.extractfile(member)
                    assert file is not None
                    assert hashlib.sha256(file.read()).hexdigest() == member.name.rpartition("/")[2]
    assert digests[0] == digests[1]


def log_rows(store: Store) -> int:
    """Return how many rows of logs there are."""
    with store.envstore.database.read() as session:
        return session.query(LogChunk).count()


def test_what_nobody_needs_goes_from_the_bucket(
    open_store: Callable[..., Store],
    root: Path,
    values: dict[str, Any],
    nasty_channel: str,
    server: ObjectStore,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = open_store(root, **values)
    view = store.build(SPECIFICATION.format(channel=nasty_channel))
    store.until(lambda: all(job.state == "done" for job in store.jobs()) and not log_rows(store))  # the log comes last
    store.envstore.environments.delete("team", "e", "tester")
    (store.root / "pkgs").unlink()  # other tests use these packages
    monkeypatch.setattr(retention, "GRACE_SECONDS", -10.0)
    monkeypatch.setattr(retention, "UNDO", retention.timedelta(0))
    plan = store.envstore.retention.collect()
    assert {removal.kind for removal in plan.removals} >= {"environment", "blob"}
    assert server.files().find(bucket.removeprefix("s3://")) == [f"{bucket.removeprefix('s3://')}/store/store"]
    assert view["status"] == "COMPLETED"


def test_a_build_waits_for_a_bucket_that_comes_back(
    open_store: Callable[..., Store], root: Path, values: dict[str, Any], nasty_channel: str, server: ObjectStore
) -> None:
    store = open_store(root, **values)
    server.stop_gateway()
    comes_back = threading.Timer(8.0, server.start_gateway)
    comes_back.start()
    started = time.monotonic()
    view = store.build(SPECIFICATION.format(channel=nasty_channel))
    comes_back.join()
    assert view["status"] == "COMPLETED", view["reason"]
    assert time.monotonic() - started > 7
    assert [job.attempt for job in store.jobs()] == [1] * len(store.jobs())


def test_a_bucket_on_a_private_address_is_reached_where_users_may_name_none(
    open_store: Callable[..., Store], root: Path, values: dict[str, Any], nasty_channel: str, server: ObjectStore
) -> None:
    store = open_store(root, **values, block_private_addresses=True)
    assert store.build(SPECIFICATION.format(channel=nasty_channel))["status"] == "COMPLETED"
    view = store.build(f"name: e\nchannels: ['{server.endpoint}/channel']\ndependencies: [nasty-text]")
    assert view["status"] == "FAILED"
    assert "127.0.0.1 is an address of this machine or of a private network" in view["reason"]


def test_a_build_that_the_bucket_refuses_fails_with_the_reason(
    open_store: Callable[..., Store], root: Path, values: dict[str, Any], nasty_channel: str, server: ObjectStore
) -> None:
    store = open_store(root, **values)
    server.deny(denied=True)
    reference = store.submit(SPECIFICATION.format(channel=nasty_channel))
    view = store.wait(reference.id)
    assert view["status"] == "FAILED"
    assert "store refuses (UserSuspended); check the credentials" in view["reason"]
    assert SECRET not in view["reason"]
    with pytest.raises(StorageError, match="refuses"):
        store.envstore.blobs.put(b"x")
    assert store.files() == set()
    server.deny(denied=False)
    assert store.build(SPECIFICATION.format(channel=nasty_channel))["status"] == "COMPLETED"


def log_is_kept(store: Store, build_id: int) -> bool:
    """Whether the worker has put the whole log into a file: it does so behind all else."""
    with store.envstore.database.read() as session:
        return session.get_one(Build, build_id).log_digest is not None and not rows.log_chunks(session, build_id)


def test_a_store_moves_into_a_bucket_and_back(
    open_store: Callable[..., Store], root: Path, values: dict[str, Any], nasty_channel: str, tmp_path: Path
) -> None:
    store = open_store(root)
    view = store.build(SPECIFICATION.format(channel=nasty_channel))
    store.until(lambda: log_is_kept(store, view["id"]))
    lines = "".join(f"c.EnvStoreApp.{name} = {value!r}\n" for name, value in values.items())
    (tmp_path / "jupyter_envstore_config.py").write_text(lines)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path)}
        return run_command([*words, f"--root={root}"], tmp_path, variables)

    told = run("move-blobs")
    assert told.returncode == 0, told.stderr
    assert f"are in {values['blob_url']} now, 0 were there before" in told.stdout
    assert "0 files (0 B)" in run("move-blobs").stdout
    (root / "blobs").rename(root / "away")
    assert "nasty-text" in run("download", "team/e", "--artifact=lockfile", "--output=-").stdout
    told = run("move-blobs", "--back")
    assert told.returncode == 0, told.stderr
    assert "take blob_url out of the configuration" in told.stdout

    def names(folder: str) -> set[str]:
        return {path.name for path in (root / folder / "sha256").rglob("*") if path.is_file()}

    with store.envstore.database.read() as session:
        known = queries.all_digests(session)
    assert names("blobs") == known <= names("away")
    with pytest.raises(StorageError, match=r"are in its folder, and blob_url names s3://.*: copy them with: .*blobs"):
        open_store(root, **values)
    assert "are in" in run("move-blobs", "--copied").stdout
    with pytest.raises(StorageError, match=r"are in s3://.*, and blob_url names no bucket: .* move-blobs --back"):
        open_store(root)
    other = {**values, "blob_url": f"{values['blob_url']}-other"}
    with pytest.raises(StorageError, match=r"are in s3://.*, and blob_url names s3://.*-other: .* --copied"):
        open_store(root, **other)
    with pytest.raises(NotFoundError, match=r"files are not in s3://.*-other, for example"):
        move_blobs(replace(store.envstore.config, **other), lambda *_: None, copied=True)
    there = open_store(root, **values)
    assert there.envstore.prefixes.path(view["id"]).is_dir()
    assert "Find versions" in store.envstore.logs.read(view["id"])


def test_files_that_are_lost_or_damaged_are_told(
    open_store: Callable[..., Store], root: Path, values: dict[str, Any], nasty_channel: str, server: ObjectStore
) -> None:
    store = open_store(root)
    view = store.build(SPECIFICATION.format(channel=nasty_channel))
    store.until(lambda: log_is_kept(store, view["id"]))
    digest = next(a["sha256"] for a in store.envstore.artifacts.of_build(view["id"]) if a["type"] == "archive") or ""
    store.envstore.blobs.delete(digest)
    record = store.envstore.records.read(view["id"])
    damaged = hashlib.sha256(record.to_bytes()).hexdigest()
    path = store.envstore.blobs.local_file(damaged)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"?")
    counts: list[tuple[int, int]] = []
    config = replace(store.envstore.config, **values)
    moved = move_blobs(config, lambda *count: counts.append(count))
    assert sorted(moved.missing) == sorted([digest, damaged])
    assert counts[-1] == (moved.copied + 2, moved.copied + 2)
    path.write_bytes(whole)
    files, place = server.files(), f"{values['blob_url'].removeprefix('s3://')}/sha256"
    short = next(name for name in files.find(place) if not name.endswith(damaged))
    files.pipe_file(short, b"x")
    again = move_blobs(config, lambda *_: None)
    assert (again.copied, again.missing) == (2, (digest,))
    assert not list((root / "blob-cache").glob("??/*"))  # the disk may be full


def test_a_backup_takes_the_files_from_the_bucket_and_brings_them_into_one(
    open_store: Callable[..., Store], root: Path, values: dict[str, Any], nasty_channel: str, tmp_path: Path
) -> None:
    store = open_store(root / "a", **values)
    view = store.build(SPECIFICATION.format(channel=nasty_channel))
    saved = back_up(store.envstore.config, tmp_path / "b.tar")
    assert not saved.missing
    assert saved.files >= 4
    there = replace(store.envstore.config, root_dir=str(root / "b"), blob_url=f"{values['blob_url']}-other")
    assert bring_back(there, tmp_path / "b.tar") == saved
    assert not (root / "b" / "blobs").exists()
    again = open_store(root / "b", **{**values, "blob_url": there.blob_url})
    assert "Find versions" in again.envstore.logs.read(view["id"])
    assert again.envstore.records.read(view["id"]).name == "e"
    plain = bring_back(StoreConfig(str(root / "c")), tmp_path / "b.tar")
    assert plain == saved


def test_the_doctor_looks_at_the_bucket(values: dict[str, Any], tmp_path: Path, server: ObjectStore) -> None:
    def look(**more: Any) -> tuple[str, str]:
        config = StoreConfig(str(tmp_path / "s"), **{**values, **more})
        found = next(finding for finding in examine(config) if finding.what == "object store")
        return found.state, found.text

    state, text = look()
    assert state == "ok"
    assert text.startswith(f"{values['blob_url']}, ")
    assert text.endswith("this server sends everything")
    assert look(blob_redirects=True)[1].endswith("clients are sent there")
    state, text = look(blob_options=server.options(secret="wrong"))
    assert (state, "check the credentials" in text, "wrong" in text) == ("error", True, False)
    state, text = look(blob_url=f"file://{tmp_path}/place", blob_options={})
    assert (state, text.startswith(f"file://{tmp_path}/place, ")) == ("ok", True)
    state, text = look(blob_url=f"file://bob:sekrit@{tmp_path}/place", blob_options={})
    assert (state, "is no whole path" in text, "sekrit" in text) == ("error", True, False)
    assert look(blob_url="s3://nothing-here")[1].startswith("there is no bucket at s3://nothing-here")
    server.hang_gateway(True)
    began = time.monotonic()
    state, text = look()
    server.hang_gateway(False)
    assert (state, text) == ("error", f"{values['blob_url']} gave no answer within 10 s")
    assert time.monotonic() - began < 25
    assert "object store" not in [finding.what for finding in examine(StoreConfig(str(tmp_path / "t")))]


@pytest.fixture(params=[True, False], ids=["redirects", "through the server"])
def served(
    request: pytest.FixtureRequest, root: Path, values: dict[str, Any], package_cache: Path, base: Path
) -> Iterator[tuple[Server, bool]]:
    """A Jupyter server whose store is in the bucket, which clients are sent to, or not."""
    more = {**values, "blob_redirects": request.param, "docker_base_image": f"oci:{base}"}
    lines = "".join(f"c.EnvStoreApp.{name} = {value!r}\n" for name, value in more.items())
    running = Server(root, f"{lines}c.EnvStoreApp.default_settings = {WITH_ARCHIVES!r}\n")
    running.root.mkdir()
    (running.root / "pkgs").symlink_to(package_cache)
    running.start()
    yield running, request.param
    running.stop()


def test_clients_download_and_pull(
    served: tuple[Server, bool], server: ObjectStore, channel: str, clients: None, tmp_path: Path
) -> None:
    running, redirects = served
    build_id = running.submit(f"name: e\nchannels: [{channel}]\ndependencies: [python]")
    build = running.wait(build_id)
    address = f"{running.api}build/{build_id}/archive/"
    login = {"Authorization": f"Bearer {MASTER}"}
    first = requests.get(address, headers=login, allow_redirects=False, timeout=60)
    assert first.status_code == (307 if redirects else 200)
    if redirects:
        assert first.headers["Location"].startswith(server.endpoint)
        assert "no-store" in first.headers["Cache-Control"]
    whole = requests.get(address, headers=login, timeout=60)
    assert whole.status_code == 200, whole.text
    assert whole.headers["Content-Disposition"].startswith("attachment; filename=")
    made = {artifact["type"]: artifact for artifact in running.data("GET", f"build/{build_id}/artifacts/")}
    assert hashlib.sha256(whole.content).hexdigest() == made["archive"]["sha256"]
    for more in ({"Sec-Fetch-Mode": "cors"}, {"EnvStore-Version": "1"}, {"If-Match": "*"}):  # these cannot follow
        direct = requests.get(address, headers={**login, **more}, allow_redirects=False, timeout=60)
        assert (direct.status_code, direct.content) == (200, whole.content)
    client = Client(f"{running.origin}/envstore", token=MASTER)
    assert Path(client.download("team/e", "archive", tmp_path)).read_bytes() == whole.content
    part = requests.get(address, headers={**login, "Range": "bytes=1000-1999"}, timeout=60)
    assert (part.status_code, part.content) == (206, whole.content[1000:2000])
    head = requests.head(address, headers=login, timeout=60)
    assert (head.status_code, int(head.headers["Content-Length"])) == (200, len(whole.content))
    same = {**login, "If-None-Match": f'"{made["archive"]["sha256"]}"'}
    assert requests.get(address, headers=same, timeout=60).status_code == 304
    assert '"name": "python"' in running.ask("GET", f"build/{build_id}/lockfile/").text
    assert requests.get(address, timeout=60).status_code == 401  # nobody is sent there who may not read it
    running.make(build_id, "docker")
    place = f"docker://127.0.0.1:{running.port}/team/e:{build['build_key']}"
    command = ["skopeo", "copy", "--src-tls-verify=false", f"--src-creds=any:{MASTER}", place, f"dir:{tmp_path}/image"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    for path in (tmp_path / "image").iterdir():
        if len(path.name) == 64:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
