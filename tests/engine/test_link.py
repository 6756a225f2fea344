"""Linking: hand-made nasty packages come out as they should, damaged ones are refused."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_envstore.engine.environment_variables import write_variables
from jupyter_envstore.engine.link import link_conda
from jupyter_envstore.engine.prefix import remove_tree, seal_prefix
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.engine.solve import current_platform, solve
from jupyter_envstore.errors import ChannelError, PackageError, SolveError
from tests.helpers import Store, serve
from tests.nasty import LONG

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
ALL = [
    *("nasty-text", "nasty-binary", "nasty-short", "nasty-activation", "nasty-links", "nasty-names", "nasty-modes"),
    *("nasty-clobber-a", "nasty-clobber-b", "nasty-old-format", "nasty-python"),
]


@pytest.fixture(scope="module")
def nasty_view(channel: str, nasty_channel: str, package_cache: Path) -> Iterator[dict[str, object]]:
    """An environment of all nasty packages, built."""
    import tempfile

    from jupyter_envstore.config import StoreConfig
    from jupyter_envstore.services.store import EnvStore

    folder = Path(tempfile.mkdtemp(prefix="es-nasty-"))
    (folder / "pkgs").symlink_to(package_cache)
    store = Store(EnvStore.open(StoreConfig(str(folder))))
    listed = "".join(f"\n  - {name}" for name in ["python=" + PYTHON, *ALL])
    yield store.build(f"name: nasty\nchannels:\n  - {nasty_channel}\n  - {channel}\ndependencies:{listed}\n")
    store.close()
    remove_tree(folder)


@pytest.fixture
def prefix(nasty_view: dict[str, object]) -> Path:
    """The prefix of that environment."""
    assert nasty_view["status"] == "COMPLETED", nasty_view["reason"]
    return Path(str(nasty_view["prefix"]))


def test_text_prefixes_are_replaced(prefix: Path) -> None:
    assert (prefix / "etc" / "nasty.conf").read_text() == f"home={prefix}\nlib={prefix}/lib:{prefix}/lib64\n"
    assert (prefix / "share" / "short.txt").read_text() == f"{prefix}/share\n"


def test_binary_prefixes_are_replaced_and_padded_to_the_same_length(prefix: Path) -> None:
    data = (prefix / "lib" / "nasty.bin").read_bytes()
    new = str(prefix).encode()
    before = b"\x7fBIN\x00" + LONG.encode() + b"/lib/plugin\x00" + LONG.encode() + b"\x00tail\xff\xfe"
    assert len(data) == len(before)
    assert LONG.encode() not in data
    assert new + b"/lib/plugin\x00" in data
    assert data.endswith(b"tail\xff\xfe")


def test_links_stay_links(prefix: Path) -> None:
    link = prefix / "lib" / "libnasty.so"
    assert link.is_symlink()
    assert link.resolve().name == "libnasty.so.1.2"


def test_odd_names_arrive(prefix: Path) -> None:
    names = {path.name for path in (prefix / "share" / "odd names").iterdir()}
    assert names == {"grün — ok.txt", "a file with  spaces", "quote'and$dollar", "long" * 40}


def test_of_two_packages_with_one_file_one_wins_and_the_build_completes(prefix: Path) -> None:
    assert (prefix / "share" / "clobbered.txt").read_text() in ("a\n", "b\n")


def test_sources_that_do_not_compile_do_not_stop_the_others(prefix: Path) -> None:
    cache = prefix / "lib" / f"python{PYTHON}" / "site-packages" / "nastypy" / "__pycache__"
    assert {path.name.split(".")[0] for path in cache.iterdir()} == {"__init__", "latin"}


def test_modes_in_the_cache_are_untouched(prefix: Path) -> None:
    assert (prefix / "share" / "readonly.txt").stat().st_mode & 0o777 == 0o444


def test_every_file_has_the_digest_that_its_package_says(prefix: Path) -> None:
    checked = 0
    for path in (prefix / "conda-meta").glob("*.json"):
        meta = json.loads(path.read_text())
        for entry in meta["paths_data"]["paths"]:
            file = prefix / entry["_path"]
            if file.is_symlink() or "clobber" in entry["_path"]:
                continue
            expected = entry.get("sha256_in_prefix") or entry["sha256"]
            assert hashlib.sha256(file.read_bytes()).hexdigest() == expected, file
            checked += 1
    assert checked > 500


@pytest.fixture
def small_channel(nasty_channel: str, tmp_path: Path) -> Path:
    """A copy of the nasty channel, to be damaged."""
    target = tmp_path / "channel"
    shutil.copytree(Path(nasty_channel.removeprefix("file://")), target)
    return target


def lock_of(channel: str, tmp_path: Path, package: str = "nasty-text") -> PlatformLock:
    solution = solve([package], [channel], current_platform(), tmp_path / "repodata")
    return PlatformLock(solution.records)


def link(lock: PlatformLock, tmp_path: Path) -> Path:
    prefix = tmp_path / "prefix"
    link_conda(lock, current_platform(), prefix, prefix, tmp_path / "pkgs", Silent())
    return prefix


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    other = path.with_name("nasty-short-1.0-0.conda").read_bytes()
    place = len(data) // 2
    changed = {
        "cut short": data[: len(data) // 2],
        "one bit": data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :],
        "another package": other,
        "empty": b"",
    }
    path.write_bytes(changed[how])


@pytest.mark.parametrize("how", ["cut short", "one bit", "another package", "empty"])
def test_a_damaged_local_package_is_refused_by_name(small_channel: Path, tmp_path: Path, how: str) -> None:
    lock = lock_of(small_channel.as_uri(), tmp_path)
    damage(small_channel / "noarch" / "nasty-text-1.0-0.conda", how)
    with pytest.raises(PackageError, match=r"nasty-text-1\.0-0\.conda"):
        link(lock, tmp_path)
    assert not (tmp_path / "prefix").exists()


@pytest.fixture
def web(small_channel: Path) -> Iterator[str]:
    """The channel, served over HTTP."""

    with serve(str(small_channel)) as place:
        yield f"http://{place}"


@pytest.mark.parametrize("how", ["cut short", "one bit", "another package", "empty"])
def test_a_damaged_package_from_the_web_is_refused_by_name(
    web: str, small_channel: Path, tmp_path: Path, how: str
) -> None:
    lock = lock_of(web, tmp_path)
    damage(small_channel / "noarch" / "nasty-text-1.0-0.conda", how)
    with pytest.raises(PackageError, match=r"nasty-text-1\.0-0"):
        link(lock, tmp_path)


def test_a_package_from_the_web_links(web: str, tmp_path: Path) -> None:
    assert (link(lock_of(web, tmp_path), tmp_path) / "etc" / "nasty.conf").is_file()


def test_a_package_that_is_gone_is_named(small_channel: Path, tmp_path: Path) -> None:
    lock = lock_of(small_channel.as_uri(), tmp_path)
    (small_channel / "noarch" / "nasty-text-1.0-0.conda").unlink()
    with pytest.raises(PackageError, match="is gone"):
        link(lock, tmp_path)


def test_a_channel_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChannelError, match="there is no folder"):
        lock_of((tmp_path / "nowhere").as_uri(), tmp_path)


def test_a_channel_without_an_index_says_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    with pytest.raises(ChannelError, match="jupyter envstore channel"):
        lock_of((tmp_path / "bare").as_uri(), tmp_path)


def test_a_channel_that_cannot_be_reached_is_named_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ChannelError, match=r"127\.0\.0\.1:9/channel.*[Cc]onnection refused"):
        lock_of("http://127.0.0.1:9/channel", tmp_path)


def test_a_broken_index_is_said_to_be_broken(small_channel: Path, tmp_path: Path) -> None:
    for path in small_channel.glob("*/repodata*"):
        path.unlink()
    for folder in ("noarch", current_platform()):
        (small_channel / folder).mkdir(exist_ok=True)
        (small_channel / folder / "repodata.json").write_text("{broken")
    with pytest.raises(ChannelError, match="index of a channel is broken"):
        lock_of(small_channel.as_uri(), tmp_path)


def test_an_unknown_package_is_named(nasty_channel: str, tmp_path: Path) -> None:
    with pytest.raises(SolveError, match="no package seabron in"):
        lock_of(nasty_channel, tmp_path, "seabron")


def test_the_second_of_two_channels_is_shadowed_strictly(nasty_channel: str, channel: str, tmp_path: Path) -> None:
    lock = solve(["python"], [nasty_channel, channel], current_platform(), tmp_path / "repodata")
    assert {record["channel"] for record in lock.records if record["name"] == "python"} == {channel}


def test_an_override_gives_a_system_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, nasty_channel: str, tmp_path: Path
) -> None:
    with pytest.raises(SolveError, match=r"the system has none; .system-requirements."):
        solve(["__cuda >=12"], [nasty_channel], current_platform(), tmp_path / "repodata")
    monkeypatch.setenv("CONDA_OVERRIDE_CUDA", "12.4")
    solution = solve(["nasty-text"], [nasty_channel], current_platform(), tmp_path / "repodata")
    assert any(package.startswith("__cuda=12.4") for package in solution.virtual_packages)


def test_sealing_and_removing_leave_other_links_of_the_same_files_alone(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "file").write_text("shared")
    (tmp_path / "prefix").mkdir()
    (tmp_path / "prefix" / "file").hardlink_to(tmp_path / "cache" / "file")
    mode = (tmp_path / "cache" / "file").stat().st_mode
    seal_prefix(tmp_path / "prefix")
    remove_tree(tmp_path / "prefix")
    assert (tmp_path / "cache" / "file").read_text() == "shared"
    assert (tmp_path / "cache" / "file").stat().st_mode == mode


def test_variables_are_recorded_where_conda_looks(tmp_path: Path) -> None:
    (tmp_path / "conda-meta").mkdir()
    write_variables(tmp_path, {"B": "2", "A": "1"})
    assert json.loads((tmp_path / "conda-meta" / "state").read_text())["env_vars"] == {"A": "1", "B": "2"}
