"""Two channels have other packages under one name: builds of both at once each have what their channel has."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import tarfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.channel_maker.channel import index_channel
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.cache_claims import packages_claimed
from jupyter_envstore.engine.link import link_conda
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.engine.solve import current_platform
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.spec.lock_entries import CondaEntry
from tests.helpers import LEASE_SECONDS, Store, Told
from tests.hostile import Raw

FILES = 60
ROUNDS = 8
NAMES = ("first", "second", "third")
SPAWN = multiprocessing.get_context("spawn")


def contents(who: str, name: str) -> dict[str, str]:
    """The files of a package of one of the channels: their sizes are the same, and what is in them is not."""
    return {f"share/{name}/{number}": f"{who} {name} {number}\n" for number in range(FILES)}


def write_packages(channel: Path, who: str) -> list[Any]:
    """Write the packages of a channel; one of them is the same in both."""
    records = [Raw(name, contents(who, name)).write(channel) for name in NAMES]
    return [*records, Raw("common", {"share/common": "of both\n"}).write(channel)]


def link_again_and_again(root: Path, who: str, records: Sequence[CondaEntry], begin: Any) -> None:
    """Link an environment several times, and look at every file of all of them at the end."""
    begin.wait()
    expected = {path: text for name in NAMES for path, text in contents(who, name).items()}
    prefixes = [root / f"prefix-{who}-{number}" for number in range(ROUNDS)]
    for prefix in prefixes:
        link_conda(PlatformLock(tuple(records)), current_platform(), prefix, prefix, root / "pkgs" / "conda", Silent())
    for prefix in prefixes:
        assert {path: (prefix / path).read_text() for path in expected} == expected
        hashes = {json.loads(meta.read_bytes())["sha256"] for meta in prefix.glob("conda-meta/*.json")}
        assert hashes == {record["sha256"] for record in records}


def test_processes_that_link_at_once_each_get_their_own_packages(tmp_path: Path) -> None:
    (tmp_path / "pkgs").mkdir()
    begin = SPAWN.Barrier(2)
    workers = [
        SPAWN.Process(
            target=link_again_and_again, args=(tmp_path, who, write_packages(tmp_path / f"channel-{who}", who), begin)
        )
        for who in ("a", "b")
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert [path.name for path in (tmp_path / "pkgs" / "claims").iterdir()] == ["turn.lock"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with a package cache of its own, which makes artifacts when they are asked for."""
    settings: dict[str, Any] = {"artifacts_at_once": []}
    config = StoreConfig(
        str(tmp_path / "store"), settings=settings, docker_base_image="scratch", lease_seconds=LEASE_SECONDS
    )
    made = Store(EnvStore.open(config))
    yield made
    made.end_workers()
    made.close()
    remove_tree(made.root)


def specification(channel: Path, name: str) -> str:
    return f"name: {name}\nchannels: ['{channel.as_uri()}']\ndependencies: [{', '.join(NAMES)}, common]\n"


def archived(path: Path, start: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = member.name.removeprefix(start)
            file = archive.extractfile(member) if member.isfile() and name.startswith("share/") else None
            if file is not None:
                found[name] = file.read().decode()
    return found


def test_builds_at_once_and_their_artifacts_and_kept_packages_are_of_their_own_channel(
    store: Store, tmp_path: Path
) -> None:
    whose = ("a", "b")
    for who in whose:
        write_packages(tmp_path / who, who)
        index_channel(tmp_path / who)
    built: list[tuple[str, dict[str, Any]]] = []
    for _ in range(2):
        refs = [(who, store.submit(specification(tmp_path / who, f"of-{who}"))) for who in whose]
        built += [(who, store.wait(ref.id)) for who, ref in refs]
    assert [view["status"] for _, view in built] == ["COMPLETED"] * 4, [view["reason"] for _, view in built]
    assert not [view["id"] for _, view in built if "damaged" in store.envstore.logs.read(view["id"])]
    asked = {
        (view["id"], kind): store.envstore.artifacts.request(view["id"], kind)
        for _, view in built[:2]
        for kind in ("archive", "docker")
    }
    for _, view in built[:2]:
        store.envstore.packages.keep(view["id"], True, "tester")
    for who, view in built:
        store.wait(view["id"])
        expected = {path: text for name in NAMES for path, text in contents(who, name).items()}
        assert {path: (Path(view["prefix"]) / path).read_text() for path in expected} == expected
    paths = store.envstore.artifacts
    made = {key: paths.path(paths.get(artifact_id)["sha256"]) for key, artifact_id in asked.items()}
    for who, view in built[:2]:
        expected = {path: text for name in NAMES for path, text in contents(who, name).items()}
        expected["share/common"] = "of both\n"
        assert archived(made[view["id"], "archive"]) == expected
        manifest = json.loads(made[view["id"], "docker"].read_bytes())
        digests = [layer["digest"].removeprefix("sha256:") for layer in manifest["layers"]]
        layers = [archived(store.envstore.artifacts.path(digest), "opt/conda/") for digest in digests]
        assert {path: text for layer in layers for path, text in layer.items()} == expected
        assert store.envstore.packages.kept(view["id"])["state"] == "kept"
        channel = {path.name: path for path in (tmp_path / who / "noarch").glob("*.tar.bz2")}
        for path in channel.values():
            path.rename(path.with_suffix(".gone"))
        assert store.retention.pack_away(view["id"])
        remove_tree(store.root / "pkgs")
        store.envstore.prefixes.restore(view["id"], "tester")
        again = store.wait(view["id"])
        assert again["status"] == "COMPLETED", again["reason"]
        assert {path: (Path(again["prefix"]) / path).read_text() for path in expected} == expected


def test_a_package_that_is_fetched_in_place_of_another_is_not_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "pkgs").mkdir()
    told = Told()
    locks = {who: PlatformLock(tuple(write_packages(tmp_path / who, who))) for who in ("a", "b")}
    for number, who in enumerate("abab"):
        prefix = tmp_path / f"prefix-{number}"
        link_conda(locks[who], current_platform(), prefix, prefix, tmp_path / "pkgs" / "conda", told)
        assert (prefix / "share/first/1").read_text() == f"{who} first 1\n"
    assert not told.lines
    fetched = (tmp_path / "pkgs" / "conda" / "first-1.0-0.lock").read_bytes()[:8]
    assert int.from_bytes(fetched, "big") == 4, "it was fetched more than once for each"


# -- claims ------------------------------------------------------------------------------------------------------------


def entry(sha256: str, name: str = "a") -> Any:
    return {"name": name, "version": "1", "build": "0", "sha256": sha256 * 64}


def test_who_comes_later_waits_for_all_that_came_before_and_only_for_those(tmp_path: Path) -> None:
    cache = tmp_path / "conda"
    ended: list[str] = []
    told = {name: Told() for name in ("second", "third", "same", "other")}

    def claim(name: str, sha256: str, package: str = "a") -> threading.Thread:
        def run() -> None:
            with packages_claimed([entry(sha256, package)], cache, told[name]):
                ended.append(name)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    with packages_claimed([entry("1"), entry("1", "b")], cache):
        for name, sha256, package in (("same", "1", "a"), ("other", "2", "c")):
            claim(name, sha256, package).join(20)
        assert ended == ["same", "other"]
        second = claim("second", "2")
        until(lambda: bool(told["second"].lines))
        third = claim("third", "1")  # what is claimed now, but somebody waits for it to end: first come, first served
        until(lambda: bool(told["third"].lines))
        assert ended == ["same", "other"]
    second.join(20)
    third.join(20)
    assert ended == ["same", "other", "second", "third"]
    assert told["second"].lines == ["waiting for a build that links another package with the name a-1-0"]
    assert not told["same"].lines + told["other"].lines
    assert [path.name for path in (tmp_path / "claims").iterdir()] == ["turn.lock"]


def until(condition: Any) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def hold(cache: Path, ready: Any) -> None:
    with packages_claimed([entry("1")], cache):
        ready.set()
        time.sleep(600)


def test_a_claim_ends_with_its_process(tmp_path: Path) -> None:
    ready = SPAWN.Event()
    process = SPAWN.Process(target=hold, args=(tmp_path / "conda", ready))
    process.start()
    assert ready.wait(60)
    threading.Timer(0.5, os.kill, (process.pid, signal.SIGKILL)).start()
    told = Told()
    with packages_claimed([entry("2")], tmp_path / "conda", told):
        assert told.lines
        process.join(20)
        assert process.exitcode == -signal.SIGKILL
    with packages_claimed([entry("1")], tmp_path / "conda", told):  # what it left is removed
        assert len(list((tmp_path / "claims").glob("*.json"))) == 1
