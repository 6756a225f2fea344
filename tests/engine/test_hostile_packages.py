"""Packages that lie about their paths: nothing outside of prefix and cache is read, written or removed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.channel_maker.wheel_requirements import WheelTarget
from jupyter_envstore.channel_maker.wheels import package_wheel
from jupyter_envstore.engine.archives import fetch_archives
from jupyter_envstore.engine.finish import finish_prefix
from jupyter_envstore.engine.link import LinkedPackages, link_conda
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.engine.sandbox import Unbounded
from jupyter_envstore.engine.solve import current_platform, solve
from jupyter_envstore.errors import PackageError, PipError
from tests.hostile import PLACEHOLDER, Raw, file_entry, locked_wheel, noarch_python, wheel

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
SECRET = "what nobody shall read\n"


def entry(path: str, **more: object) -> dict[str, object]:
    return file_entry(path, SECRET, **more)


def lie(path: str, **more: object) -> Raw:
    """A package that lists a path which it does not have."""
    return Raw("liar", {"share/honest": "honest"}, listed=[entry(path, **more)])


def old(files: str, has_prefix: str = "") -> Raw:
    """A package without ``info/paths.json``, as they were before 2017."""
    info = {"paths.json": None, "files": files, "has_prefix": has_prefix or None}
    return Raw("liar", {"share/honest": "honest"}, info=info)


LIES: dict[str, tuple[Raw, str]] = {
    "above the prefix": (lie("../victim/file"), r"'\.\./victim/file' leads out"),
    "far above": (lie("../../../../../../../../victim"), "leads out"),
    "up again": (lie("share/../../victim/file"), "leads out"),
    "up and back": (lie("share/../share/honest"), "leads out"),
    "absolute": (lie("/VICTIM/file"), "is absolute"),
    "above, with a placeholder": (lie("../victim/file", prefix_placeholder=PLACEHOLDER, file_mode="text"), "leads out"),
    "a link above": (lie("../victim/link", path_type="softlink"), "leads out"),
    "a folder above": (lie("../victim/new", path_type="directory"), "leads out"),
    "a folder listed": (
        Raw("liar", {"share/x/a": "1"}, listed=[entry("share/x", path_type="directory")]),
        "package liar-.* lists the folder 'share/x' itself, which the linker .* a limit of the linker, and no fault",
    ),
    "a missing file": (lie("share/gone"), r"of file:.*/chan is not linked: it lists 'share/gone', which it does not"),
    "a missing link": (lie("share/gone", path_type="softlink"), "chan is not linked: it lists 'share/gone', which"),
    "a missing link without a hash": (
        Raw("liar", {"share/a": "1"}, listed=[{"_path": "share/gone", "path_type": "softlink"}]),
        "it lists 'share/gone', which it does not contain",
    ),
    "several missing": (
        Raw("liar", {"share/a": "1"}, listed=[{"_path": f"share/{n}", "path_type": "softlink"} for n in "bcd"]),
        "it lists 'share/b', and 2 more paths, which it does not contain",
    ),
    "a missing one of no type": (Raw("liar", listed=[{"_path": "share/gone"}]), "it lists 'share/gone', which"),
    "a missing one below a file": (
        Raw("liar", {"share/a": "1"}, listed=[{"_path": "share/a/b", "path_type": "softlink"}]),
        "share/a/b",
    ),
    "an older one, missing": (old("share/honest\nshare/gone\n"), "it lists 'share/gone', which"),
    "a link that is a file": (
        Raw(
            "liar",
            {"share/a": "1"},
            info={"paths.json": json.dumps({"paths": [{"_path": "share/a", "path_type": "softlink"}]})},
        ),
        "'share/a' should be a link and is a file",
    ),
    "a file that is a link to nowhere": (
        Raw("liar", links={"share/a": "nowhere"}).relisted("share/a", path_type="hardlink"),
        "'share/a' should be a file and is a link that leads to none",
    ),
    "an empty part": (lie("share//honest"), "names nothing"),
    "a dot": (lie("./share/honest"), "names nothing"),
    "nothing": (lie(""), "is no path"),
    "a NUL": (lie("share/a\0b"), "holds a NUL"),
    "half a letter": (lie("share/\ud800"), "is no text"),
    "a list": (Raw("liar", listed=[{"_path": ["x"], "path_type": "hardlink"}]), "is no path"),
    "twice": (Raw("liar", {"share/a": "1"}, listed=[file_entry("share/a", "1")]), "twice"),
    "no list": (Raw("liar", info={"paths.json": '{"paths": {"a": 1}}'}), "no list of paths"),
    "no JSON": (Raw("liar", info={"paths.json": "{"}), "cannot be read|paths.json"),
    "another's record": (Raw("liar", {"conda-meta/other-1.0-0.json": "{}"}), "a record of the environment"),
    "its own record as a link": (Raw("liar", links={"conda-meta/liar-1.0-0.json": "../../victim/file"}), "record"),
    "the history": (Raw("liar", {"conda-meta/history": "x"}), "a record of the environment"),
    "the record of activation": (Raw("liar", {"conda-meta/envstore-activation": "{}"}), "a record of the environment"),
    "the state as a link": (Raw("liar", links={"conda-meta/state": "../../victim/file"}), "is a link"),
    "where rattler puts losers": (Raw("liar", {"__clobbers__/other/x": "1"}), "files go that collide"),
    "a placeholder of one letter": (
        Raw("liar", {"share/a": "1"}, listed=[file_entry("share/b", "1", prefix_placeholder="e", file_mode="text")]),
        "is no prefix",
    ),
    "an empty placeholder": (
        Raw("liar", listed=[file_entry("share/b", "1", prefix_placeholder="", file_mode="text")]),
        "is no prefix",
    ),
    "an unknown mode": (
        Raw("liar", listed=[file_entry("share/b", "1", prefix_placeholder=PLACEHOLDER, file_mode="odd")]),
        "is not one that conda knows|is not valid|file_mode|unknown variant",
    ),
    "scripts as a link": (Raw("liar", links={"etc/conda/activate.d": "../../../victim"}), "is a link"),
    "programs as a link": (Raw("liar", links={"bin": "/VICTIM"}), "is a link"),
    "byte code as a link": (Raw("liar", links={"lib/x/__pycache__": "/VICTIM"}), "is a link"),
    "a secret through a link": (
        Raw("liar", links={"share/s": "/VICTIM/file"}).relisted(
            "share/s", path_type="hardlink", prefix_placeholder=PLACEHOLDER, file_mode="text"
        ),
        "leads out of the package",
    ),
    "python's place": (Raw("liar", {"share/a": "1"}, index={"python_site_packages_path": "../../victim"}), "leads out"),
    "an older one above": (old("../victim/file\n"), "leads out"),
    "an older one, absolute": (old("/VICTIM/file\n"), "is absolute"),
    "an older one, its prefixes": (old("share/honest\n", f'"{PLACEHOLDER}" text "../victim/file"\n'), "leads out"),
    "a list beside the list": (Raw("liar", {"share/a": "1"}, info={"files": "share/a\n../victim/file\n"}), "leads out"),
    "a list as a link": (
        Raw("liar", {"share/a": "1"}, {"info/files": "/VICTIM/file"}, unlisted=["info/files"]),
        "info/files is a link",
    ),
}
"""What packages say, and what is said of them. ``VICTIM`` stands for a folder outside."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder with what must not change; deep enough for paths that go up."""
    root = tmp_path / "a" / "b" / "c"
    (root / "store" / "victim").mkdir(parents=True)
    (root / "victim").mkdir()
    for folder in (root / "victim", root / "store" / "victim"):
        (folder / "file").write_text(SECRET)
        (folder / "link").symlink_to("file")
    before = surroundings(tmp_path)
    yield root
    assert surroundings(tmp_path) == before


def surroundings(root: Path) -> dict[str, object]:
    """Return all that lies outside of prefix, cache and channel."""
    found: dict[str, object] = {}
    for folder, folders, files in os.walk(root):
        here = os.path.relpath(folder, root)
        folders[:] = [n for n in folders if f"{here}/{n}" not in ("a/b/c/store/prefix", "a/b/c/pkgs", "a/b/c/chan")]
        for name in [*folders, *files]:
            path = Path(folder, name)
            if path.name in ("wheels", "uv"):
                continue
            info = path.lstat()
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            found[f"{here}/{name}"] = (info.st_mode, info.st_ino, 0 if path.is_dir() else info.st_nlink, content)
    return {name: value for name, value in found.items() if not name.startswith(("a/b/c/wheels", "a/b/c/uv"))}


def lock_of(place: Path, *packages: Raw, python: bool = False, channel: str = "") -> PlatformLock:
    records = [package.write(place / "chan") for package in packages]
    if python:
        records += solve([f"python={PYTHON}"], [channel], current_platform(), place / "pkgs" / "repodata").records
    return PlatformLock(tuple(records))


def link(place: Path, lock: PlatformLock) -> LinkedPackages:
    prefix = place / "store" / "prefix"
    (place / "pkgs").mkdir(exist_ok=True)
    return link_conda(lock, current_platform(), prefix, prefix, place / "pkgs" / "conda", Silent())


@pytest.mark.parametrize("kind", LIES)
def test_a_package_that_lies_is_refused_with_its_name_and_its_channel(place: Path, kind: str) -> None:
    package, words = LIES[kind]
    lock = lock_of(place, package.aimed(place / "victim"), Raw("honest", {"share/h": "h"}))
    with pytest.raises(PackageError, match=words) as caught:
        link(place, lock)
    assert "liar-1.0-0.tar.bz2" in str(caught.value)
    assert not (place / "store" / "prefix").exists()


@pytest.mark.parametrize("with_hash", [True, False])
@pytest.mark.parametrize("kind", LIES)
def test_a_package_that_lies_is_refused_out_of_a_cache_that_was_filled_before(
    place: Path, kind: str, with_hash: bool
) -> None:
    package, words = LIES[kind]
    lock = lock_of(place, package.aimed(place / "victim"))
    fill_cache(place / "pkgs" / "conda", lock.conda[0])
    if not with_hash:  # as of a lock that has MD5 alone: rattler takes what is in the cache then
        md5 = hashlib.md5((place / "chan" / "noarch" / package.file_name).read_bytes()).hexdigest()  # noqa: S324
        lock = PlatformLock(({**lock.conda[0], "sha256": None, "md5": md5},))
    with pytest.raises(PackageError, match=words):
        link(place, lock)
    assert not list((place / "pkgs").glob("paths/liar*"))


def fill_cache(cache: Path, record: Mapping[str, Any]) -> None:
    """Unpack a package as rattler does, and note its hash."""
    folder = cache / "liar-1.0-0"
    folder.mkdir(parents=True)
    with tarfile.open(record["url"].removeprefix("file://")) as archive:
        for member in archive:
            archive.extract(member, folder)
    (cache / "liar-1.0-0.lock").write_bytes((1).to_bytes(8, "big") + bytes.fromhex(record["sha256"]))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "../x"),
        ("build", "../../../victim"),
        ("version", "1/../../2"),
        ("fn", "../x-1-0.conda"),
        ("subdir", ".."),
        ("python_site_packages_path", "../../victim"),
        ("python_site_packages_path", "/victim"),
    ],
)
def test_a_lock_that_lies_about_a_package_is_refused(place: Path, key: str, value: str) -> None:
    record = Raw("liar", {"share/a": "1"}).write(place / "chan") | {key: value}
    with pytest.raises(PackageError, match=key):
        link(place, PlatformLock((record,)))


@pytest.mark.parametrize(
    "line",
    [
        "../../victim/x = liar:main",
        "/tmp/x = liar:main",
        "a/b = liar:main",
        ".. = liar:main",
        "x",
        "x = liar",
        "x=a b:c",
        "two\nlines = liar:main",
        "a \x1b[31mcolour = liar:main",
    ],
)
def test_a_program_that_is_no_name_of_a_file_is_refused(place: Path, channel: str, line: str) -> None:
    with pytest.raises(PackageError, match=r"entry point|entry_point|EntryPoint|liar-1\.0-0"):
        link(place, lock_of(place, noarch_python("liar", line), python=True, channel=channel))


def test_a_link_out_is_told_and_what_stays_inside_is_not(place: Path) -> None:
    links = {
        "lib/out": "/etc/hostname",
        "lib/up": "../../x",
        "lib/by-way": "up/deeper",
        "lib/in": "../share/a",
        "lib/round": "round",
        "lib/nowhere": "missing",
        "lib/deep/home": "../..",
        "lib/tricky": "deep/home/../x",
    }
    linked = link(place, lock_of(place, Raw("linker", {"share/a": "1", "lib/deep/f": "1"}, links)))
    told = {found.path: found.target for found in linked.outside_links}
    assert told == {path: links[path] for path in ("lib/out", "lib/up", "lib/by-way", "lib/tricky")}
    assert {found.package for found in linked.outside_links} == {"linker"}


@pytest.mark.parametrize(
    "said",
    [
        {"noarch": {"type": "generic"}, "package_metadata_version": 1},
        {"noarch": {}, "package_metadata_version": 1},
        {"noarch": None, "package_metadata_version": 1},
        {"noarch": {"type": "python"}},
        {"other": 1},
    ],
    ids=str,
)
def test_a_python_package_whose_link_json_says_something_else_is_refused(
    place: Path, channel: str, said: dict[str, object]
) -> None:
    package = Raw("liar", {"site-packages/liar.py": ""}, depends=["python"], index={"noarch": "python"}, link=said)
    with pytest.raises(PackageError, match=r"its info/link\.json .*liar-1\.0-0|liar-1\.0-0.*its info/link\.json"):
        link(place, lock_of(place, package, python=True, channel=channel))


@pytest.mark.parametrize("target", ["/VICTIM", "../../../victim", "share"])
@pytest.mark.parametrize("order", [("a-linker", "b-filer"), ("b-linker", "a-filer")])
def test_no_package_writes_through_the_link_of_another(place: Path, target: str, order: tuple[str, str]) -> None:
    linker = Raw(order[0], {"share/x": "1"}, {"lib/evil": target}).aimed(place / "victim")
    filer = Raw(order[1], {"lib/evil/deep/er/file": "written"})
    for _ in range(2):  # without and with a cache
        with pytest.raises(PackageError, match=r"'lib/evil' is a link of .*-linker and a folder of .*-filer"):
            link(place, lock_of(place, linker, filer))


def test_a_program_does_not_write_through_the_link_of_another_package(place: Path, channel: str) -> None:
    linker = Raw("linker", links={"bin/run": "/VICTIM/file"}).aimed(place / "victim")
    lock = lock_of(place, linker, noarch_python("runner", "run = runner:main"), python=True, channel=channel)
    linked = link(place, lock)
    run = place / "store" / "prefix" / "bin" / "run"
    assert not run.is_symlink()
    assert "from runner import main" in run.read_text()
    assert [(c.path, c.winner, c.losers) for c in linked.collisions] == [("bin/run", "runner", ("linker",))]


def test_a_program_does_not_write_into_the_cache_of_another_package(place: Path, channel: str) -> None:
    filer = Raw("filer", {"bin/run": "#!/bin/sh\n"})
    lock = lock_of(place, filer, noarch_python("runner", "run = runner:main"), python=True, channel=channel)
    for _ in range(3):
        prefix = place / "store" / "prefix"
        if prefix.exists():
            prefix.rename(place / "pkgs" / f"old-{os.urandom(4).hex()}")
        link(place, lock)
        assert (place / "pkgs" / "conda" / "filer-1.0-0" / "bin" / "run").read_text() == "#!/bin/sh\n"


def test_what_was_found_of_a_package_is_not_believed_of_another_in_its_place(place: Path) -> None:
    lock = lock_of(place, Raw("liar", {"share/a": "1"}))
    link(place, lock)
    memo = place / "pkgs" / "paths" / "liar-1.0-0.json"
    assert json.loads(memo.read_bytes())["paths"]["files"] == ["share/a"]
    (place / "store" / "prefix").rename(place / "pkgs" / "first")
    listed = place / "pkgs" / "conda" / "liar-1.0-0" / "info" / "paths.json"
    text = listed.read_text().replace("share/a", "../victim/file")
    listed.unlink()
    listed.write_text(text)
    link(place, lock)  # as it was packed: what lies in the cache is taken for damaged
    assert (place / "store" / "prefix" / "share" / "a").read_text() == "1"
    (place / "store" / "prefix").rename(place / "pkgs" / "second")
    listed.unlink()
    listed.write_text(text)
    shutil.rmtree(place / "chan")
    with pytest.raises(PackageError, match=r"is gone.*its info/paths.json is not what was packed"):
        link(place, lock)


# -- wheels ------------------------------------------------------------------------------------------------------------


def install(place: Path, channel: str, wheels: list[Path], *packages: Raw) -> tuple[Path, list[object]]:
    """Make an environment of a Python, conda packages and wheels."""
    lock = lock_of(place, *packages, python=True, channel=channel)
    lock = PlatformLock(lock.conda, tuple(map(locked_wheel, wheels)))
    record = BuildRecord("hostile", (), {current_platform(): lock})
    prefix = place / "store" / "prefix"
    linked = link(place, lock)
    found = finish_prefix(record, current_platform(), prefix, prefix, place / "uv", Unbounded(), Path, Silent(), linked)
    return prefix, list(found)


@pytest.mark.parametrize(
    ("files", "programs", "words"),
    [
        ({"../../../../victim/file": "x"}, "", "leads out"),
        ({"bad/../../../../victim/file": "x"}, "", "leads out"),
        ({"/VICTIM/file": "x"}, "", "is absolute"),
        ({"bad-1.0.data/data/../../../victim/file": "x"}, "", "leads out"),
        ({"bad-1.0.data/scripts/../../victim/file": "x"}, "", "leads out"),
        ({"..\\..\\victim\\file": "x"}, "", "leads out"),
        ({"bad-1.0.data/data/conda-meta/history": "x"}, "", "record"),
        ({"bad-1.0.data/data/conda-meta/other-1-0.json": "{}"}, "", "record"),
        ({"bad-1.0.data/data/conda-meta/state": "{}"}, "", "records"),
        ({"bad.py": ""}, "../../../victim/file = bad:main", "is no name of a file"),
        ({"bad.py": ""}, "/VICTIM/file = bad:main", "is no name of a file"),
        ({"bad-1.0.data/odd/x": ""}, "", "kind that no wheel has"),
    ],
)
def test_a_wheel_that_lies_is_refused_by_name(
    place: Path, channel: str, files: dict[str, str], programs: str, words: str
) -> None:
    aimed = {path.replace("/VICTIM", str(place / "victim")): text for path, text in files.items()}
    path = wheel(place / "wheels", "bad", aimed, programs.replace("/VICTIM", str(place / "victim")))
    with pytest.raises(PipError, match=words) as caught:
        install(place, channel, [path])
    assert "bad" in str(caught.value)


def test_no_wheel_writes_through_the_link_of_a_conda_package(place: Path, channel: str) -> None:
    site = f"lib/python{PYTHON}/site-packages"
    linker = Raw("linker", links={f"{site}/evil": "/VICTIM"}).aimed(place / "victim")
    path = wheel(place / "wheels", "through", {"evil/file": "written", "evil/new.py": "1"})
    with pytest.raises(PipError, match=r"evil.* of the conda package linker|conda package linker has a link"):
        install(place, channel, [path], linker)


def test_a_link_out_is_there_again_after_wheels_are_installed(place: Path, channel: str) -> None:
    linker = Raw("linker", links={"lib/out": "/VICTIM"}).aimed(place / "victim")
    path = wheel(place / "wheels", "good", {"good.py": "1"})
    prefix, found = install(place, channel, [path], linker)
    assert (prefix / "lib" / "out").readlink() == place / "victim"
    assert (prefix / "lib" / f"python{PYTHON}" / "site-packages" / "good.py").is_file()
    assert found == []


@pytest.mark.parametrize(
    ("files", "conda", "words"),
    [
        ({"case/a.py": "1", "case/A.py": "2"}, {}, r"case/[aA]\.py' of case and '.*/case/[aA]\.py' of case"),
        ({"case.py": "1"}, {"site-packages/Case.py": "2"}, r"case\.py' of case and '.*/Case\.py' of other"),
    ],
)
def test_paths_of_wheels_that_differ_only_in_case_are_refused_where_the_file_system_folds_it(
    place: Path,
    channel: str,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str],
    conda: dict[str, str],
    words: str,
) -> None:
    path = wheel(place / "wheels", "case", files)
    packages = [noarch_python("other", files=conda)] if conda else []
    monkeypatch.setattr("jupyter_envstore.engine.wheel_paths.folds_case", lambda _: True)
    with pytest.raises(PipError, match=f"{words} differ only in case, which the file system of the store does not"):
        install(place, channel, [path], *packages)


def test_paths_of_packages_that_differ_only_in_case_are_refused_where_the_file_system_folds_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = lock_of(place, Raw("upper", {"share/A": "1"}), Raw("lower", {"share/a": "2"}))
    monkeypatch.setattr("jupyter_envstore.engine.package_guard.folds_case", lambda _: True)
    for _ in range(2):  # without and with a cache
        with pytest.raises(PackageError, match=r"'share/[aA]' of (upper|lower) and .* differ only in case"):
            link(place, lock)
    assert not (place / "store" / "prefix").exists()


def test_no_wheel_lies_behind_a_link_within_the_environment(place: Path, channel: str) -> None:
    site = f"lib/python{PYTHON}/site-packages"
    linker = Raw("linker", {"share/there/x": "1"}, {f"{site}/evil": "../../../share/there"})
    path = wheel(place / "wheels", "through", {"evil/x": "written"})
    with pytest.raises(PipError, match="behind a link"):
        install(place, channel, [path], linker)


# -- what is handed on, or unpacked elsewhere --------------------------------------------------------------------------


ON_DISK = {"a secret through a link", "a list as a link", "scripts as a link", "programs as a link"}
ON_DISK |= {"byte code as a link", "the state as a link", "a folder listed"}
ON_DISK |= {"a link that is a file", "a file that is a link to nowhere"}
"""What is a lie of links, which whoever unpacks an archive looks at; and a folder, which conda links as one."""


@pytest.mark.parametrize("kind", sorted(LIES.keys() - ON_DISK))
def test_a_package_that_lies_is_not_handed_on_to_constructor(place: Path, kind: str) -> None:
    package, words = LIES[kind]
    record = package.aimed(place / "victim").write(place / "chan")
    with pytest.raises(PackageError, match=words) as caught:
        fetch_archives([record], [place / "pkgs" / package.file_name], Silent())
    assert "liar-1.0-0.tar.bz2" in str(caught.value)


def test_an_honest_package_is_handed_on_to_constructor(place: Path) -> None:
    package = noarch_python("honest", "run = honest:main")
    fetch_archives([package.write(place / "chan")], [place / "pkgs" / package.file_name], Silent())
    assert (place / "pkgs" / package.file_name).is_file()


def test_backslashes_are_folders_where_the_installer_is_for_windows(place: Path) -> None:
    package = Raw("liar", {"share/..\\..\\victim": "x"})
    record = package.write(place / "chan")
    fetch_archives([record], [place / "pkgs" / package.file_name], Silent())
    windows = Raw("other", {"share/a": "1"}).write(place / "chan") | {"subdir": "win-64"}
    places = [place / "pkgs" / "1.tar.bz2", place / "pkgs" / "2.tar.bz2"]
    with pytest.raises(PackageError, match="leads out"):
        fetch_archives([record, windows], places, Silent())


@pytest.mark.parametrize(
    ("files", "programs"),
    [
        ({"../victim/file": "x"}, ""),
        ({"bad-1.0.data/data/../../victim/file": "x"}, ""),
        ({"bad.py": ""}, "../../../../victim/file = bad:main"),
        ({"bad.py": ""}, "x = bad:main\ny = a b:c"),
    ],
)
def test_no_channel_is_made_of_a_wheel_that_lies(place: Path, files: dict[str, str], programs: str) -> None:
    path = wheel(place / "wheels", "bad", files, programs)
    with pytest.raises((PipError, PackageError), match=r"bad|entry point"):
        package_wheel(path, place / "chan", WheelTarget("3.11.7", "linux-64"))
    assert not list((place / "chan").rglob("*.conda"))
