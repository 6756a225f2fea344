"""Wheels that uv refuses: the error names package, index without its login, and path or entry point."""

from __future__ import annotations

import sys
import venv
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jupyter_envstore.engine.pip import PipTarget, install_pip, resolve_pip
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.engine.sandbox import Unbounded
from jupyter_envstore.engine.solve import current_platform
from jupyter_envstore.engine.wheel_contents import check_wheel, with_index
from jupyter_envstore.engine.wheel_faults import check_wheels, faults_told
from jupyter_envstore.engine.wheel_paths import installed_records, overwritten
from jupyter_envstore.errors import PipError
from jupyter_envstore.spec.lock_entries import PypiEntry
from jupyter_envstore.spec.specification import PipOptions
from tests.helpers import Store, serve
from tests.hostile import locked_wheel, wheel

INFO = "bad-1.0.dist-info"
DATA = "bad-1.0.data"
OTHER = b"Metadata-Version: 2.1\nName: other\nVersion: 1.0\n"
Bytes = Mapping[str, bytes | None]


@dataclass(frozen=True)
class Made:
    """A wheel: its files, its entry points, members that are replaced or (None) left out, and what is done to it."""

    words: str
    programs: str = ""
    files: Mapping[str, str] = field(default_factory=lambda: {"bad.py": "print(1)"})
    members: Bytes = field(default_factory=dict)
    spoil: Callable[[Path], object] = lambda _: None

    def write(self, folder: Path) -> Path:
        """Write it."""
        place = wheel(folder, "bad", self.files, self.programs)
        if self.members:
            with zipfile.ZipFile(place) as archive:
                found: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
            with zipfile.ZipFile(place, "w") as archive:
                for name, data in (found | dict(self.members)).items():
                    if data is not None:
                        archive.writestr(name, data)
        self.spoil(place)
        return place


def said(name: str, data: bytes | None) -> Bytes:
    return {f"{INFO}/{name}": data}


def twice(place: Path) -> None:
    with zipfile.ZipFile(place, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("bad.py", "other")


def damaged(place: Path) -> None:
    place.write_bytes(place.read_bytes().replace(b"print(1)", b"print(2)"))


def no_text(place: Path) -> None:
    with zipfile.ZipFile(place, "a") as archive:
        archive.writestr("bad_é.py", "")
    place.write_bytes(place.read_bytes().replace("é".encode(), b"\xe9\xe9"))


def cut_off(place: Path) -> None:
    place.write_bytes(place.read_bytes()[:300])


FAULTS: Mapping[str, Made] = {
    "a program above": Made(r"entry point '\.\./x = bad:main'.* is no name of a file", "../x = bad:main"),
    "a program in a folder": Made(r"entry point 'a/b = bad:main'.* is no name of a file", "a/b = bad:main"),
    "an absolute program": Made(r"entry point '/tmp/x = bad:main'.* is no name of a file", "/tmp/x = bad:main"),
    "two dots": Made(r"entry point '\.\. = bad:main'.* is no name of a file", ".. = bad:main"),
    "a NUL": Made(r"'a\\x00b' is no name of a file", "a\0b = bad:main"),
    "a long name": Made("has more than 255 bytes", f"{'x' * 300} = bad:main"),
    "python": Made(r"'python3' is one of Python's own programs", "python3 = bad:main"),
    "no target": Made(r"entry point 'x = ' of .*entry_points.txt is not valid", "x = "),
    "no function": Made(r"entry point 'x = bad' of .* name = module:function", "x = bad"),
    "code": Made("entry point 'x = os;import sys:c' of", "x = os;import sys:c"),
    "no line": Made(r"entry_points\.txt cannot be read: .*line 2", "x"),
    "one program twice": Made(r"entry_points\.txt cannot be read: .*'x'.* already exists", "x = bad:a\nx = bad:b"),
    "no text": Made(r"entry_points\.txt is no text", "x = bad:a", members=said("entry_points.txt", b"[a]\n\xff=1\n")),
    "one file twice": Made("'bad.py' is there several times, with other contents", spoil=twice),
    "file and folder": Made("its path 'bad' is a file and a folder", files={"bad": "x", "bad/y": "1"}),
    "a long path": Made("has a name of more than 255 bytes", files={"l" * 300: "x"}),
    "no RECORD": Made(f"it has no {INFO}/RECORD", members=said("RECORD", None)),
    "no WHEEL": Made(f"it has no {INFO}/WHEEL", members=said("WHEEL", None)),
    "no METADATA": Made(f"it has no {INFO}/METADATA", members=said("METADATA", None)),
    "short lines": Made("RECORD has a line that says nothing, line 1: 'bad.py'", members=said("RECORD", b"bad.py\n")),
    "no size": Made("RECORD has a line that says nothing, line 1", members=said("RECORD", b"bad.py,,many\n")),
    "RECORD is no text": Made("RECORD is no text", members=said("RECORD", b"\xff,,\n")),
    "another format": Made("has Wheel-Version 2.0", members=said("WHEEL", b"Wheel-Version: 2.0\n")),
    "no format": Made("has Wheel-Version none", members=said("WHEEL", b"junk")),
    "another name": Made("METADATA is that of other 1.0", members=said("METADATA", OTHER)),
    "another version": Made("METADATA is that of bad 2.0", members=said("METADATA", b"Name: bad\nVersion: 2.0\n")),
    "no name": Made("METADATA has no Name", members=said("METADATA", b"junk")),
    "two of it": Made(
        r"several \.dist-info folders: bad-1.0.dist-info, o-1.dist", files={"o-1.dist-info/METADATA": ""}
    ),
    "none of it": Made(
        r"it has no \.dist-info folder", members={f"{INFO}/{name}": None for name in ("METADATA", "WHEEL", "RECORD")}
    ),
    "odd data": Made(f"its path '{DATA}/odd/x' is of a kind that no wheel has", files={f"{DATA}/odd/x": "1"}),
    "a data file": Made(f"its path '{DATA}/file' is of a kind", files={f"{DATA}/file": "1"}),
    "a program's folder": Made(f"'{DATA}/scripts/a/b' is a program in a folder", files={f"{DATA}/scripts/a/b": "1"}),
    "python's program": Made("'python' .*has the name of one of Python's own", files={f"{DATA}/scripts/python": "1"}),
    "a checksum": Made("'bad.py' is damaged: its checksum is wrong", spoil=damaged),
    "a name that is no UTF-8": Made("no ZIP archive, or is damaged", spoil=no_text),
    "cut off": Made("no ZIP archive, or is damaged", spoil=cut_off),
    "a page": Made("no ZIP archive", spoil=lambda place: place.write_bytes(b"<html>")),
}
FINE: Mapping[str, Made] = {
    "attributes": Made("", "x = bad:a.b"),
    "extras": Made("", "x = bad:main [more]"),
    "extras in two lines": Made("", "x = bad:main [more,\n  and]"),
    "a file with the name of a folder": Made("", files={"bad.py": "print(1)", "notes.dist-info": "x"}),
    "a module that nobody could import": Made("", "x = bad-module:main"),
    "a name with a space": Made("", "a b = bad:main"),
    "another group": Made("", "x = bad:main\n[odd]\n../x = no target"),
    "an empty RECORD": Made("", members=said("RECORD", b"")),
    "headers": Made("", files={f"{DATA}/headers/bad.h": "", f"{DATA}/data/share/x": "", f"{DATA}/scripts/run": ""}),
    "another's data": Made("", files={"other-1.0.data/odd/x": ""}),
    "one file twice, the same": Made("", files={"bad.py": "other"}, spoil=twice),
    "a version that is spelled otherwise": Made("", members=said("METADATA", b"Name: Bad\nVersion: 1.0.0\n")),
}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("python") / "prefix"
    venv.create(folder, symlinks=True)
    return folder


@pytest.fixture
def prefix(python: Path) -> Iterator[Path]:
    """An environment without packages."""
    yield python
    (site,) = python.glob("lib/python3*/site-packages")
    remove_tree(site)
    site.mkdir()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "wheels").mkdir()
    with serve(str(tmp_path / "wheels")) as place:
        yield place


def fetched(path: Path, served: str) -> PypiEntry:
    """What a lock of somebody else may have of a wheel: its index with a login."""
    return {**locked_wheel(path), "url": f"http://{served}/{path.name}", "index": f"http://user:secret@{served}/simple"}


def install(prefix: Path, cache: Path, package: PypiEntry) -> None:
    with faults_told([package]):
        install_pip([package], prefix, cache, Unbounded())


@pytest.mark.parametrize("kind", FAULTS)
def test_a_faulty_wheel_is_refused_with_package_index_and_path(
    tmp_path: Path, prefix: Path, served: str, kind: str
) -> None:
    made = FAULTS[kind]
    path = made.write(tmp_path / "wheels")
    with pytest.raises(PipError, match=made.words) as caught:
        install(prefix, tmp_path / "uv", fetched(path, served))
    found = str(caught.value)
    assert found.startswith(f"PyPI package bad 1.0 ({path.name}, http://{served}/simple) is not installed: ")
    assert "secret" not in found
    assert str(tmp_path) not in found
    here = locked_wheel(path)
    with pytest.raises(PipError, match=made.words) as caught:
        if kind == "a checksum":  # what reads the whole file is left to uv
            install(prefix, tmp_path / "uv", here)
        check_wheels([here])
    assert f"({path.name}, {path.parent.as_uri()})" in str(caught.value)


@pytest.mark.parametrize("kind", FINE)
def test_what_uv_installs_is_not_refused(tmp_path: Path, prefix: Path, kind: str) -> None:
    path = FINE[kind].write(tmp_path / "wheels")
    check_wheel(locked_wheel(path), path, thorough=True)
    install(prefix, tmp_path / "uv", locked_wheel(path))


def test_a_fault_of_another_kind_is_told_in_uvs_words_with_the_index(tmp_path: Path, prefix: Path, served: str) -> None:
    package = fetched(wheel(tmp_path / "wheels", "bad", {"bad.py": ""}), served)
    with pytest.raises(PipError, match=r"bad-1\.0-py3-none-any\.whl of http://127.*/simple: .*[Hh]ash") as caught:
        install(prefix, tmp_path / "uv", {**package, "sha256": "0" * 64, "size": 0})
    assert "secret" not in str(caught.value)


def test_a_wheel_without_a_folder_of_its_name_is_refused_where_nobody_could_tell_what_it_wrote(tmp_path: Path) -> None:
    package = locked_wheel(wheel(tmp_path / "wheels", "bad", {"bad.py": ""}))
    site = tmp_path / "lib/python3.12/site-packages"
    site.mkdir(parents=True)
    with pytest.raises(PipError, match=r"bad 1\.0 .* it has no \.dist-info folder of its name"):
        overwritten(tmp_path, site, [package], {}, lambda _: None)


def test_a_package_is_not_taken_for_one_whose_folder_has_dashes(tmp_path: Path) -> None:
    for folder in ("my-1.0", "my-pkg-1.0"):
        info = tmp_path / f"{folder}.dist-info"
        info.mkdir()
        (info / "INSTALLER").write_text("uv")
        (info / "RECORD").write_text("")
    found = {name: record.parent.name for name, record in installed_records(tmp_path).items()}
    assert found == {"my": "my-1.0.dist-info", "my-pkg": "my-pkg-1.0.dist-info"}


@pytest.mark.parametrize(
    ("url", "index"),
    [
        ("https://index.example/files/bad-1.0-py3-none-any.whl", "https://index.example/simple"),
        ("https://elsewhere.example/bad-1.0-py3-none-any.whl", ""),
        ("git+https://index.example/bad@0123456789012345678901234567890123456789", ""),
        ("file:///wheels/bad-1.0-py3-none-any.whl", ""),
    ],
)
def test_the_index_of_a_specification_is_named_only_for_files_of_its_host(tmp_path: Path, url: str, index: str) -> None:
    package = locked_wheel(wheel(tmp_path / "wheels", "bad", {"bad.py": ""}))
    options = PipOptions(index_url="https://me:hush@index.example/simple")
    assert with_index({**package, "url": url, "index": ""}, options)["index"] == index


# -- before there is a lock --------------------------------------------------------------------------------------------


PYTHON = PipTarget(current_platform(), ".".join(map(str, sys.version_info[:3])))


@pytest.mark.parametrize("kind", ["one file twice", "no RECORD", "two of it", "no METADATA", "a page"])
def test_a_faulty_wheel_of_a_folder_is_refused_when_packages_are_chosen(tmp_path: Path, served: str, kind: str) -> None:
    made = FAULTS[kind]
    path = made.write(tmp_path / "here")
    options = PipOptions(index_url=f"http://{served}", find_links=(str(path.parent),))
    with pytest.raises(PipError, match=made.words) as caught:
        resolve_pip(["bad"], options, PYTHON, [], tmp_path / "uv", Unbounded())
    assert f"bad 1.0 ({path.name}, {path.parent.as_uri()})" in str(caught.value)


@pytest.mark.parametrize("kind", ["one file twice", "two of it", "no METADATA", "a page"])
def test_the_indexes_are_named_where_one_of_them_has_a_faulty_wheel(tmp_path: Path, served: str, kind: str) -> None:
    path = FAULTS[kind].write(tmp_path / "wheels")
    (tmp_path / "wheels" / "bad").mkdir()
    (tmp_path / "wheels" / "bad" / "index.html").write_text(f'<a href="/{path.name}">{path.name}</a>')
    options = PipOptions(index_url=f"http://user:secret@{served}")
    with pytest.raises(PipError, match=rf"bad==1\.0.* \(asked were http://{served}\)") as caught:
        resolve_pip(["bad"], options, PYTHON, [], tmp_path / "uv", Unbounded())
    assert "secret" not in str(caught.value)


def test_a_build_fails_with_the_index_of_its_specification(
    store: Store, tmp_path: Path, channel: str, served: str
) -> None:
    path = FAULTS["a program above"].write(tmp_path / "wheels")
    page = tmp_path / "wheels" / "simple" / "bad" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text(f'<a href="/{path.name}">{path.name}</a>')
    minor = ".".join(PYTHON.python.split(".")[:2])
    lines = f"['--index-url http://{served}/simple', bad]"
    view = store.build(f"name: e\nchannels: ['{channel}']\ndependencies: [python={minor}, pip, {{pip: {lines}}}]")
    assert view["status"] == "FAILED"
    assert f"({path.name}, http://{served}/simple) is not installed: its entry point '../x" in view["reason"]


def test_a_build_fails_with_the_entry_point_that_is_no_program(store: Store, tmp_path: Path, channel: str) -> None:
    path = FAULTS["a program above"].write(tmp_path / "wheels")
    minor = ".".join(PYTHON.python.split(".")[:2])
    lines = f"['--find-links {path.parent}', bad]"
    view = store.build(f"name: e\nchannels: ['{channel}']\ndependencies: [python={minor}, pip, {{pip: {lines}}}]")
    assert view["status"] == "FAILED"
    assert (
        f"({path.name}, {path.parent.as_uri()}) is not installed: its entry point '../x = bad:main'" in view["reason"]
    )
