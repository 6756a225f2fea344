"""Builds kept with their packages come back when their channels are gone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from jupyter_envstore.builds import retention
from jupyter_envstore.channel_maker.channel import index_channel
from jupyter_envstore.database import kept_packages as kept
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.engine.solve import current_platform
from jupyter_envstore.errors import ConflictError
from jupyter_envstore.policy.access import EVERYWHERE, Identity
from jupyter_envstore.services.backup import back_up, bring_back
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.spec.repair import repair
from tests.builds.test_trouble import StoppingExecutor, stopped
from tests.engine.test_pip import wheel
from tests.helpers import LEASE_SECONDS, Store, store_config
from tests.nasty import add

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def text(channel: str, *packages: str) -> str:
    return f"name: e\nchannels: ['{channel}']\ndependencies: [{', '.join(packages or ('nasty-text',))}]"


def contents(prefix: str) -> dict[str, bytes]:
    """Return all files of a prefix but byte code, which is compiled when it is needed."""
    root = Path(prefix)
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


@pytest.fixture
def own_cache(store: Store) -> Path:
    """Caches that no other test uses."""
    (store.root / "pkgs").unlink()
    (store.root / "pkgs").mkdir()
    return store.root / "pkgs"


@pytest.fixture
def own_channel(nasty_channel: str, tmp_path: Path) -> Path:
    """A channel that the test may destroy."""
    return Path(shutil.copytree(nasty_channel.removeprefix("file://"), tmp_path / "channel"))


def keep(store: Store, build_id: int) -> dict[str, object]:
    store.envstore.packages.keep(build_id, True, "tester")
    assert store.envstore.packages.kept(build_id)["state"] == "keeping"
    store.wait(build_id)
    found = store.envstore.packages.kept(build_id)
    print(store.envstore.logs.read(build_id))
    return found


def blobs(store: Store, build_id: int) -> list[Path]:
    with store.envstore.database.read() as session:
        return [store.envstore.blobs.local_file(row.digest) for row in kept.kept_of(session, build_id) if row.digest]


def pack_away(store: Store, build_id: int, *caches: Path) -> None:
    assert store.retention.pack_away(build_id)
    for cache in caches:
        remove_tree(cache)
        cache.mkdir()


def places(store: Store, build_id: int) -> set[str]:
    return {source.place for source in store.envstore.prefixes.sources(build_id)}


def test_a_kept_build_comes_back_exactly_when_channel_index_and_caches_are_gone(
    store: Store, own_cache: Path, channel: str, tmp_path: Path
) -> None:
    wheel(tmp_path / "wheels", "mineral", "1.2")
    source = channel.removeprefix("file://")
    copy = Path(shutil.copytree(source, tmp_path / "channel"))
    view = store.build(
        f"name: e\nchannels: ['{copy.as_uri()}']\ndependencies:\n  - python={PYTHON}\n"
        f"  - pip: ['--find-links {tmp_path / 'wheels'}', mineral]"
    )
    assert view["status"] == "COMPLETED", store.envstore.logs.read(view["id"])
    before = contents(view["prefix"])
    state = keep(store, view["id"])
    assert (state["state"], state["missing"]) == ("kept", 0)
    assert state["packages"] == view["packages"]
    extras = store.envstore.records.read(view["id"]).lock(current_platform()).installer_extras
    told = "constructor's installers bring beside the environment" in store.envstore.logs.read(view["id"])
    assert told == bool(extras)
    store.build(text(copy.as_uri(), f"python={PYTHON}"))
    pack_away(store, view["id"], own_cache)
    shutil.rmtree(copy)
    shutil.rmtree(tmp_path / "wheels")
    assert places(store, view["id"]) == {"kept"}
    store.envstore.prefixes.restore(view["id"])
    again = store.wait(view["id"])
    assert again["prefix"], store.envstore.logs.read(view["id"])
    after = contents(again["prefix"])
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == set()
    assert "packages are taken from the store" in store.envstore.logs.read(view["id"])
    subprocess.run([f"{again['prefix']}/bin/python", "-c", "import mineral, json"], check=True)


def test_a_lock_that_names_kept_packages_by_hash_is_built_after_the_channel_is_gone(
    store: Store, own_cache: Path, own_channel: Path
) -> None:
    view = store.build(text(own_channel.as_uri(), "nasty-text", "nasty-links"))
    assert view["status"] == "COMPLETED", view["reason"]
    keep(store, view["id"])
    (lock,) = [a for a in view["artifacts"] if a["type"] == "lockfile"]
    lockfile = store.envstore.blobs.read(lock["sha256"]).decode()
    shutil.rmtree(own_channel)
    remove_tree(own_cache)
    own_cache.mkdir()
    made = store.build(lockfile, "other", "again")
    assert made["status"] == "COMPLETED", store.envstore.logs.read(made["id"])
    assert (Path(made["prefix"]) / "etc" / "nasty.conf").exists()
    artifact = store.envstore.artifacts.request(made["id"], "archive", "tar.zst")
    remove_tree(own_cache)
    own_cache.mkdir()
    store.wait(made["id"])
    assert store.envstore.artifacts.get(artifact)["state"] == "ready"


def with_one_hash(store: Store, build_id: int, kind: str) -> str:
    """Return the lockfile of a build with one hash of each package, as other tools write them."""
    (found,) = [a for a in store.envstore.builds.show(build_id)["artifacts"] if a["type"] == "lockfile"]
    lock = yaml.safe_load(store.envstore.blobs.read(found["sha256"]))
    for package in lock["package"]:
        package["hash"] = {kind: package["hash"][kind]}
    return yaml.safe_dump(lock)


@pytest.mark.parametrize("kind", ["md5", "sha256"])
@pytest.mark.parametrize("form", ["lockfile", "explicit"])
def test_a_lock_with_one_hash_is_built_from_the_store_and_recorded_with_both(
    store: Store, own_cache: Path, own_channel: Path, kind: str, form: str
) -> None:
    view = store.build(text(own_channel.as_uri(), "nasty-text", "nasty-links"))
    keep(store, view["id"])
    before = store.envstore.records.read(view["id"]).lock(current_platform())
    lockfile = with_one_hash(store, view["id"], kind)
    if form == "explicit":
        lines = [f"{record['url']}#{record[kind]}" for record in before.conda]
        lockfile = repair("\n".join([f"# platform: {current_platform()}", "@EXPLICIT", *lines]), "explicit.txt").text
    shutil.rmtree(own_channel)
    remove_tree(own_cache)
    own_cache.mkdir()
    made = store.build(lockfile, "other", "again")
    assert made["status"] == "COMPLETED", store.envstore.logs.read(made["id"])
    after = store.envstore.records.read(made["id"]).lock(current_platform())
    hashes = [[(r["name"], r["sha256"], r["md5"]) for r in lock.conda] for lock in (before, after)]
    assert hashes[0] == hashes[1]
    assert keep(store, made["id"])["state"] == "kept"


def test_of_two_packages_of_one_name_the_one_is_taken_whose_md5_is_locked(
    store: Store, own_cache: Path, tmp_path: Path
) -> None:
    channels = []
    for word in ("first", "second"):

        def fill(root: Path, word: str = word) -> None:
            (root / "share").mkdir()
            (root / "share" / "word").write_text(word)

        add(tmp_path / word, "twin", fill)
        index_channel(tmp_path / word)
        channels.append((tmp_path / word).as_uri())
    views = [store.build(text(channel, "twin"), "team", name) for channel, name in zip(channels, "ab", strict=True)]
    for view in views:
        keep(store, view["id"])
    locks = [with_one_hash(store, view["id"], "md5") for view in views]
    for word in ("second", "first", "second"):  # the cache has the other one each time
        lockfile = locks[0 if word == "first" else 1]
        made = store.build(lockfile, "team", "again")
        assert made["status"] == "COMPLETED", store.envstore.logs.read(made["id"])
        assert (Path(made["prefix"]) / "share" / "word").read_text() == word
        if word == "first":
            shutil.rmtree(tmp_path / "first")
            shutil.rmtree(tmp_path / "second")
    swapped = locks[0].replace(f"md5: {md5_in(locks[0])}", f"md5: {'0' * 32}")
    refused = store.build(swapped, "team", "none")
    assert refused["status"] == "FAILED"
    assert "twin-1.0-0.conda is not in its channel any more" in refused["reason"]


def md5_in(lock: str) -> str:
    return str(yaml.safe_load(lock)["package"][0]["hash"]["md5"])


def test_what_cannot_be_had_is_told_with_the_reason_and_kept_once_it_can(
    store: Store, own_channel: Path, own_cache: Path
) -> None:
    view = store.build(text(own_channel.as_uri(), "nasty-text", "nasty-links"))
    away = own_channel / "noarch" / "nasty-text-1.0-0.conda"
    data = away.read_bytes()
    away.unlink()
    state = keep(store, view["id"])
    assert (state["state"], state["missing"], state["packages"]) == ("partly", 1, 1)
    (missing,) = store.envstore.packages.kept(view["id"])["missing_packages"]
    assert missing["name"] == "nasty-text"
    assert "not at its address any more" in missing["reason"]
    (warning,) = [w for w in store.envstore.builds.show(view["id"])["warnings"] if w["kind"] == "kept_packages"]
    assert warning["package"] == "nasty-text"
    assert "kept but for 1 package" in store.envstore.logs.read(view["id"])
    away.write_bytes(data[:-1] + b"x")
    assert keep(store, view["id"])["state"] == "partly"
    assert "not the one that was locked" in store.envstore.packages.kept(view["id"])["missing_packages"][0]["reason"]
    away.write_bytes(data)
    assert keep(store, view["id"])["state"] == "kept"
    assert [w for w in store.envstore.builds.show(view["id"])["warnings"] if w["kind"] == "kept_packages"] == []


def test_a_damaged_file_is_noticed_left_aside_and_mended(store: Store, own_channel: Path, own_cache: Path) -> None:
    view = store.build(text(own_channel.as_uri()))
    store.build(text(own_channel.as_uri()))
    before = contents(view["prefix"])
    keep(store, view["id"])
    (blob,) = blobs(store, view["id"])
    blob.write_bytes(blob.read_bytes()[:-1])
    pack_away(store, view["id"], own_cache)
    (source,) = store.envstore.prefixes.sources(view["id"])
    assert (source.place, source.detail) == ("channel", "the kept file is damaged")
    store.envstore.prefixes.restore(view["id"])
    again = store.wait(view["id"])
    assert contents(again["prefix"]) == before
    assert "is damaged; it is fetched anew" in store.envstore.logs.read(view["id"])
    assert keep(store, view["id"])["state"] == "kept"
    assert store.envstore.blobs.verify(blob.name)


def gone(path: Path) -> None:
    path.unlink()


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def written_into(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])


def copied(path: Path) -> None:
    path.write_bytes(path.read_bytes())


DAMAGES = [
    *[(how, "etc/nasty.conf") for how in (gone, cut_off, written_into)],
    *[(how, f"info/{name}.json") for how in (gone, cut_off) for name in ("index", "paths")],
]


@pytest.mark.parametrize(("damage", "name"), DAMAGES)
@pytest.mark.parametrize("is_kept", [True, False])
def test_a_package_that_is_damaged_in_the_cache_is_taken_anew(
    store: Store, own_channel: Path, own_cache: Path, damage: Callable[[Path], None], name: str, is_kept: bool
) -> None:
    view = store.build(text(own_channel.as_uri()))
    before = contents(view["prefix"])
    assert store.build(text(own_channel.as_uri()))["status"] == "COMPLETED"
    assert store.retention.pack_away(view["id"])
    damage(own_cache / "conda" / "nasty-text-1.0-0" / name)
    if is_kept:
        keep(store, view["id"])
        shutil.rmtree(own_channel)
    store.envstore.prefixes.restore(view["id"])
    again = store.wait(view["id"])
    assert again["prefix"], store.envstore.logs.read(view["id"])
    assert contents(again["prefix"]) == before
    told = "nasty-text-1.0-0.conda in the package cache is damaged, so it is taken anew"
    assert told in store.envstore.logs.read(view["id"])


def test_where_a_damaged_package_cannot_be_had_anew_both_are_told(
    store: Store, own_channel: Path, own_cache: Path
) -> None:
    view = store.build(text(own_channel.as_uri()))
    store.build(text(own_channel.as_uri()))
    assert store.retention.pack_away(view["id"])
    cut_off(own_cache / "conda" / "nasty-text-1.0-0" / "etc" / "nasty.conf")
    shutil.rmtree(own_channel)
    store.envstore.prefixes.restore(view["id"])
    assert not store.wait(view["id"])["prefix"]
    log = store.envstore.logs.read(view["id"])
    assert "nasty-text-1.0-0.conda is not in its channel any more" in log
    assert "its etc/nasty.conf has" in log


def test_a_cache_whose_files_have_other_times_is_not_taken_for_damaged(
    store: Store, own_channel: Path, own_cache: Path
) -> None:
    view = store.build(text(own_channel.as_uri()))
    copied(own_cache / "conda" / "nasty-text-1.0-0" / "etc" / "nasty.conf")
    (own_channel / "noarch" / "nasty-text-1.0-0.conda").unlink()
    made = store.build(text(own_channel.as_uri()))
    assert made["status"] == "COMPLETED", store.envstore.logs.read(made["id"])
    assert "damaged" not in store.envstore.logs.read(made["id"])
    assert contents(made["prefix"]).keys() == contents(view["prefix"]).keys()


def test_builds_share_files_and_the_last_keeper_frees_them(
    store: Store, nasty_channel: str, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "GRACE_SECONDS", -1.0)
    first, second = (store.build(text(nasty_channel)) for _ in range(2))
    size = keep(store, first["id"])["size"]
    assert keep(store, second["id"])["shared"] == size
    (blob,) = set(blobs(store, first["id"]) + blobs(store, second["id"]))
    usage = store.envstore.namespaces.usage(Identity("t", "team", {EVERYWHERE: ["admin"]}))["team"]
    assert usage["kept_packages"] == size  # once, though two builds have it
    assert usage["storage"] > usage["kept_packages"]
    store.envstore.retention.collect()
    assert blob.exists()
    store.envstore.packages.keep(first["id"], False, "tester")
    store.envstore.retention.collect()
    assert blob.exists()
    store.envstore.builds.delete(first["id"], "tester")
    store.envstore.packages.keep(second["id"], False, "tester")
    plan = store.envstore.retention.collect()
    assert not blob.exists()
    assert size in [removal.size for removal in plan.removals if removal.kind == "blob"]


def test_a_deleted_environment_keeps_its_packages_until_it_cannot_come_back(
    store: Store, nasty_channel: str, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "GRACE_SECONDS", -1.0)
    view = store.build(text(nasty_channel))
    keep(store, view["id"])
    (blob,) = blobs(store, view["id"])
    store.envstore.environments.delete("team", "e", "tester")
    store.envstore.retention.collect()
    assert blob.exists()
    store.envstore.environments.undelete("team", "e", "tester")
    assert store.envstore.packages.kept(view["id"])["state"] == "kept"
    store.envstore.environments.delete("team", "e", "tester", True)
    store.envstore.retention.collect()
    assert not blob.exists()


EXPECTED = {"no": ["no", "no"], "pinned": ["kept", "no"], "active": ["kept", "kept"], "all": ["kept", "kept"]}


@pytest.mark.parametrize("value", EXPECTED)
def test_the_setting_keeps_builds_and_lets_them_go(
    store: Store, nasty_channel: str, own_cache: Path, value: str
) -> None:
    expected = EXPECTED[value]
    store.build(text(nasty_channel))
    store.envstore.settings.change({"keep_packages": value}, ("team",), "tester")
    first = store.envstore.builds.of_environment("team", "e")[0]["id"]
    store.envstore.prefixes.pin(first, True, "tester")
    store.wait(first)
    second = store.build(text(nasty_channel))["id"]
    found = [store.envstore.packages.kept(build_id)["state"] for build_id in (first, second)]
    assert found == expected
    store.envstore.settings.change({"keep_packages": "no"}, ("team",), "tester")
    freed = [
        removal.name
        for removal in store.envstore.retention.collect(dry_run=True).removals
        if removal.kind == "packages"
    ]
    assert len(freed) == expected.count("kept")
    store.envstore.retention.collect()
    assert {store.envstore.packages.kept(build_id)["state"] for build_id in (first, second)} == {"no"}


def test_what_is_decided_by_hand_comes_before_the_setting(store: Store, nasty_channel: str, own_cache: Path) -> None:
    view = store.build(text(nasty_channel))
    store.envstore.packages.keep(view["id"], False, "tester")
    store.envstore.settings.change({"keep_packages": "all"}, (), "tester")
    store.envstore.retention.collect()
    assert store.envstore.packages.kept(view["id"])["state"] == "no"
    keep(store, view["id"])
    store.envstore.settings.change({"keep_packages": "no"}, (), "tester")
    store.envstore.retention.collect()
    assert store.envstore.packages.kept(view["id"])["state"] == "kept"


def test_a_build_that_never_completed_is_not_kept(store: Store, nasty_channel: str) -> None:
    view = store.build(text(nasty_channel, "no-such-package"))
    with pytest.raises(ConflictError, match="only a completed build"):
        store.envstore.packages.keep(view["id"], True, "tester")


def test_a_worker_that_is_killed_in_the_middle_goes_on_where_it_was(
    store: Store, nasty_channel: str, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = store.build(text(nasty_channel, "nasty-text", "nasty-links"))
    store.start_with(StoppingExecutor(store.envstore.config, "keep", 1))
    store.envstore.packages.keep(view["id"], True, "tester")
    store.until(lambda: any(stopped(job.pid) for job in store.jobs() if job.pid))
    monkeypatch.setattr(retention, "GRACE_SECONDS", -1.0)
    (job,) = [job for job in store.jobs() if job.kind == "keep"]
    store.envstore.retention.collect()  # beside a running keep: what it referred to stays
    assert len(blobs(store, view["id"])) == 2
    os.killpg(job.pid, signal.SIGKILL)
    store.wait(view["id"])
    (job,) = [job for job in store.jobs() if job.kind == "keep"]
    assert (job.state, job.attempt) == ("done", 2)
    assert store.envstore.packages.kept(view["id"])["state"] == "kept"
    assert all(store.envstore.blobs.verify(path.name) for path in blobs(store, view["id"]))


def test_keeping_can_be_canceled_and_asked_for_again(store: Store, nasty_channel: str, own_cache: Path) -> None:
    view = store.build(text(nasty_channel))
    store.start_with(StoppingExecutor(store.envstore.config, "keep", 1))
    store.envstore.packages.keep(view["id"], True, "tester")
    store.until(lambda: any(stopped(job.pid) for job in store.jobs() if job.pid))
    assert store.envstore.builds.cancel(view["id"], "tester") == ["keep"]
    assert store.envstore.packages.kept(view["id"])["state"] == "failed"
    assert keep(store, view["id"])["state"] == "kept"


@pytest.mark.parametrize("packages", [True, False])
def test_a_backup_takes_packages_along_by_choice(
    store: Store, own_channel: Path, own_cache: Path, tmp_path: Path, packages: bool
) -> None:
    view = store.build(text(own_channel.as_uri()))
    before = contents(view["prefix"])
    keep(store, view["id"])
    shutil.rmtree(own_channel)
    back_up(store.envstore.config, tmp_path / "backup.tar", archives=False, packages=packages)
    bring_back(store_config(tmp_path / "r"), tmp_path / "backup.tar")
    again = Store(EnvStore.open(store_config(tmp_path / "r", lease_seconds=LEASE_SECONDS)))
    state = again.envstore.packages.kept(view["id"])
    if packages:
        assert (state["state"], places(again, view["id"])) == ("kept", {"kept"})
        again.envstore.prefixes.restore(view["id"])
        found = contents(str(again.wait(view["id"])["prefix"]))
        assert found.keys() == before.keys()
    else:
        assert (state["state"], places(again, view["id"])) == ("partly", {"gone"})
        assert "without the files of packages" in state["missing_packages"][0]["reason"]
    again.close()
    remove_tree(tmp_path / "r")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who may mount a small disk")
def test_a_full_disk_ends_keeping_with_the_reason_and_leaves_the_build(
    store: Store, channel: str, own_cache: Path
) -> None:
    view = store.build(f"name: e\nchannels: ['{channel}']\ndependencies: [python={PYTHON}]")
    small = store.envstore.config.staging  # where files are until they are whole
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs root, who may mount a small disk")
    try:
        state = keep(store, view["id"])
        assert state["state"] == "failed"
        assert "no space left" in store.envstore.logs.read(view["id"]).lower()
        assert store.envstore.builds.show(view["id"])["status"] == "COMPLETED"
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)
    assert keep(store, view["id"])["state"] == "kept"
