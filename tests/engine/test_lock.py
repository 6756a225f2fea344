"""Locks: ours is read by conda-lock, others' are built by us, both without solving."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from jupyter_envstore.artifacts.yaml import pinned_yaml
from jupyter_envstore.engine.conda_lock_models import conda_lock_models
from jupyter_envstore.engine.lock import content_hash, lock_text, sort_topologically, with_all_hashes
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.engine.solve import current_platform
from jupyter_envstore.errors import PlatformError
from tests import nasty
from tests.helpers import Store

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def record(built: Store) -> BuildRecord:
    """The record of the full environment."""
    return built.envstore.records.read(built.data["id"])


def test_a_record_survives_its_bytes(record: BuildRecord) -> None:
    assert BuildRecord.from_bytes(record.to_bytes()) == record


def test_a_record_holds_no_path_of_the_store(record: BuildRecord, built: Store) -> None:
    assert str(built.root).encode() not in record.to_bytes()


def test_conda_lock_itself_renders_our_lockfile(record: BuildRecord, tmp_path: Path) -> None:
    (tmp_path / "conda-lock.yml").write_text(lock_text(record))
    command = [
        str(Path(sys.executable).with_name("conda-lock")),
        "render",
        "--kind",
        "explicit",
        "-p",
        current_platform(),
    ]
    done = subprocess.run([*command, "conda-lock.yml"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rendered = (tmp_path / f"conda-{current_platform()}.lock").read_text()
    urls = {line.split("#")[0] for line in rendered.splitlines() if line.startswith(("file:", "http")) and "#" in line}
    assert {entry["url"] for entry in record.lock(current_platform()).conda} <= urls


def written_by_conda_lock(record: BuildRecord, path: Path) -> str:
    """Return what conda-lock's own models and writer make of ``record``."""
    with conda_lock_models():
        from conda_lock.lockfile import write_conda_lock_file
        from conda_lock.lockfile.v1.models import HashModel, LockMeta
        from conda_lock.lockfile.v2prelim.models import LockedDependency, Lockfile

    packages = []
    for platform, lock in record.platforms.items():
        for entry in lock.conda:
            specs = [spec.partition(" ") for spec in entry.get("depends", ())]
            packages.append(
                LockedDependency(
                    name=entry["name"],
                    version=entry["version"],
                    manager="conda",
                    platform=platform,
                    dependencies={name: bounds.strip() for name, _, bounds in specs},
                    url=entry["url"],
                    hash=HashModel(md5=entry.get("md5"), sha256=entry.get("sha256")),
                    build=entry["build"],
                    categories={"main"},
                )
            )
        for package in lock.pip:
            packages.append(
                LockedDependency(
                    name=package["name"],
                    version=package["version"],
                    manager="pip",
                    platform=platform,
                    dependencies=dict.fromkeys(package.get("dependencies", ()), "*"),
                    url=package["url"],
                    hash=HashModel(sha256=package["sha256"]),
                    categories={"main"},
                )
            )
    custom = {"name": record.name, "description": record.description}
    if record.variables:
        custom["variables"] = json.dumps(record.variables, sort_keys=True)
    metadata = LockMeta(
        content_hash={platform: content_hash(record, platform) for platform in sorted(record.platforms)},
        channels=list(record.channels),
        platforms=sorted(record.platforms),
        sources=["environment.yml"],
        custom_metadata={key: value for key, value in custom.items() if value},
    )
    lockfile = Lockfile(package=packages, metadata=metadata)
    write_conda_lock_file(lockfile, path, metadata_choices=None, include_help_text=False)
    return path.read_text(encoding="utf-8")


def test_our_lockfile_is_the_one_that_conda_lock_writes(record: BuildRecord, tmp_path: Path) -> None:
    assert lock_text(record) == written_by_conda_lock(record, tmp_path / "conda-lock.yml")
    here = record.lock(current_platform())
    no_sha256 = [{key: value for key, value in entry.items() if key != "sha256"} for entry in here.conda]
    odd = {
        **here.conda[0],
        "name": "yes",
        "version": "1.0",
        "build": "0",
        "depends": ["on", "z", "a >=1.0 , <2", "a >=1.5,<2.0a0", "m >=3.10,<3.11.0a0 *_cpython " + "| 3.12.* " * 12],
    }
    several = replace(
        record,
        name="1.0",
        description="naïve, 数据: a line that is longer than YAML's eighty columns " * 3 + "\n# not a comment\n\ttab ",
        variables={"A": "é: '\"", "B": "null", "C": "long words " * 20},
        channels=("conda-forge/label/rust_dev", *record.channels),
        platforms={"osx-arm64": replace(here, conda=tuple(no_sha256)), "linux-64": replace(here, conda=(odd,))},
    )
    assert lock_text(several) == written_by_conda_lock(several, tmp_path / "several.yml")
    empty = BuildRecord("none", (), {"linux-64": PlatformLock((), ())})
    assert lock_text(empty) == written_by_conda_lock(empty, tmp_path / "empty.yml")


def test_the_same_record_gives_the_same_lockfile(record: BuildRecord) -> None:
    assert lock_text(record) == lock_text(BuildRecord.from_bytes(record.to_bytes()))


def test_our_lockfile_builds_the_same_packages_without_solving(built: Store, store: Store, record: BuildRecord) -> None:
    view = store.build(lock_text(record), name="copy")
    assert view["status"] == "COMPLETED", view["reason"]
    assert "solve" not in [step["name"] for step in view["steps"]]
    mine, theirs = store.envstore.records.read(view["id"]), record
    here = current_platform()
    keys = ("name", "version", "build", "build_number", "sha256", "md5", "depends", "noarch", "url")
    assert [{k: e.get(k) for k in keys} for e in mine.lock(here).conda] == [
        {k: e.get(k) for k in keys} for e in theirs.lock(here).conda
    ]
    assert mine.variables == theirs.variables
    assert [(p["name"], p["sha256"]) for p in mine.lock(here).pip] == [
        (p["name"], p["sha256"]) for p in theirs.lock(here).pip
    ]


def test_a_foreign_lock_with_sha256_only_gets_its_md5_after_the_download(store: Store, record: BuildRecord) -> None:
    lock = yaml.safe_load(lock_text(record))
    for package in lock["package"]:
        package["hash"].pop("md5", None)
        package.pop("build", None)
        package["dependencies"] = {}
    view = store.build(yaml.safe_dump(lock), name="foreign")
    assert view["status"] == "COMPLETED", view["reason"]
    assert lock_text(store.envstore.records.read(view["id"])).count("md5:") == len(
        record.lock(current_platform()).conda
    )


def test_a_lock_whose_hash_was_changed_is_refused_by_name(store: Store, record: BuildRecord) -> None:
    lock = yaml.safe_load(lock_text(record))
    flask = next(package for package in lock["package"] if package["name"] == "flask")
    flask["hash"] = {"sha256": "0" * 64}
    store.root.joinpath("pkgs").unlink()  # a cold cache, so that the package is read again
    view = store.build(yaml.safe_dump(lock), name="tampered")
    assert view["status"] == "FAILED"
    assert "flask" in view["reason"]
    assert "not the one that was locked" in view["reason"]


def test_a_lock_for_another_platform_says_so(store: Store, record: BuildRecord) -> None:
    other = "osx-arm64" if current_platform() != "osx-arm64" else "linux-64"
    text = lock_text(record).replace(current_platform(), other)
    view = store.build(text, name="elsewhere")
    assert view["status"] == "FAILED"
    assert f"is for {other}, not for {current_platform()}" in view["reason"]


def test_solving_the_pinned_yaml_gives_the_same_packages(store: Store, record: BuildRecord) -> None:
    view = store.build(pinned_yaml(record, current_platform()), name="pinned")
    assert view["status"] == "COMPLETED", view["reason"]
    again = store.envstore.records.read(view["id"])
    assert again.lock(current_platform()).conda == record.lock(current_platform()).conda
    assert again.lock(current_platform()).pip == record.lock(current_platform()).pip
    assert again.variables == record.variables


def test_the_pinned_yaml_reads_as_documented(record: BuildRecord) -> None:
    data = yaml.safe_load(pinned_yaml(record, current_platform()))
    assert data["name"] == "data"
    assert data["variables"] == {"GREETING": 'it\'s "fine" $HOME'}
    conda = [spec for spec in data["dependencies"] if isinstance(spec, str)]
    assert all(spec.count("=") == 2 for spec in conda)
    assert data["dependencies"][-1]["pip"][0].startswith("cowsay==")


def test_a_platform_that_was_not_locked_is_named(record: BuildRecord) -> None:
    with pytest.raises(PlatformError, match="not for win-64"):
        record.lock("win-64")


def test_a_platform_that_cannot_be_solved_is_reported_and_spoils_nothing(
    store: Store, nasty_channel: str, channel: str
) -> None:
    view = store.build(
        f"""
        name: several
        channels: [{nasty_channel}, {channel}]
        platforms: [osx-arm64, win-64]
        dependencies: [nasty-text]
        """
    )
    record = store.envstore.records.read(view["id"])
    assert set(record.platforms) == {current_platform(), "osx-arm64", "win-64"}
    second = store.build(
        f"name: partly\nchannels: [{channel}]\nplatforms: [osx-arm64]\ndependencies: ['python={PYTHON}']"
    )
    assert second["status"] == "COMPLETED"
    partly = store.envstore.records.read(second["id"])
    assert "no package python" in partly.failed_platforms["osx-arm64"]
    assert "osx-arm64 cannot be locked" in store.envstore.logs.read(second["id"])


def test_explicit_lists_are_in_order_of_dependency(record: BuildRecord) -> None:
    ordered = sort_topologically(record.lock(current_platform()).conda)
    seen: set[str] = set()
    names = {entry["name"] for entry in ordered}
    for entry in ordered:
        needs = {spec.split(" ")[0] for spec in entry["depends"]} & names
        assert needs <= seen
        seen.add(entry["name"])


def test_a_channel_that_only_a_spec_names_stands_in_the_pinned_yaml(
    store: Store, nasty_channel: str, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    nasty.index_channel(nasty.add(empty, "nothing", nasty.links).parent.parent)
    text = f"name: named\nchannels: [{empty.as_uri()}]\ndependencies: ['{nasty_channel}::nasty-text']"
    record = store.envstore.records.read(store.build(text)["id"])
    again = store.build(pinned_yaml(record, current_platform()), name="again")
    assert again["status"] == "COMPLETED", again["reason"]
    mine = store.envstore.records.read(again["id"]).lock(current_platform()).conda
    assert [entry["url"] for entry in mine] == [e["url"] for e in record.lock(current_platform()).conda]


def test_a_wheel_that_was_given_by_address_keeps_it_in_the_pinned_yaml(record: BuildRecord) -> None:
    here = current_platform()
    lock = record.lock(here)
    wheel = {**lock.pip[0], "name": "mine", "index": "", "url": "https://host.example/mine-1-py3-none-any.whl",
             "filename": "mine-1-py3-none-any.whl"}  # fmt: skip
    asked = ("mine @ https://host.example/mine-1-py3-none-any.whl",)
    other = replace(record, platforms={here: replace(lock, pip=(wheel,))}, requested_pip=asked)
    assert '- "mine @ https://host.example/mine-1-py3-none-any.whl"' in pinned_yaml(other, here)


def test_a_foreign_lock_of_several_platforms_with_sha256_only_is_written_with_md5(
    store: Store, nasty_channel: str
) -> None:
    text = f"name: two\nchannels: [{nasty_channel}]\nplatforms: [linux-64, osx-arm64]\ndependencies: [nasty-text]"
    record = store.envstore.records.read(store.build(text)["id"])
    data = yaml.safe_load(lock_text(record))
    for entry in data["package"]:
        del entry["hash"]["md5"]
    view = store.build(yaml.safe_dump(data), name="foreign")
    assert {a["type"]: a["state"] for a in view["artifacts"]}["lockfile"] == "ready", view["artifacts"]
    mine = with_all_hashes(store.envstore.records.read(view["id"]), Silent(), lambda _: [])
    assert lock_text(mine).count("md5:") == len(data["package"])
