"""The channel maker: what of requirements and wheels conda has no words for is carried over or told."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Mapping
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest
from conda_package_streaming.extract import extract

from jupyter_envstore.channel_maker.channel import make_channel
from jupyter_envstore.channel_maker.wheel_requirements import (
    WheelTarget,
    metadata_of,
    python_spec,
    tell_of_requirements,
)
from jupyter_envstore.channel_maker.wheels import package_wheel
from jupyter_envstore.errors import EnvStoreError, PipError
from tests.hostile import wheel

TARGET = WheelTarget("3.11.7", "linux-64")
VERSION = "{}.{}.{}".format(*sys.version_info[:3])


def described(folder: Path, name: str, *lines: str, files: Mapping[str, str] | None = None) -> Path:
    """Write a wheel with more lines in its METADATA."""
    path = wheel(folder, name, {f"{name}.py": "", **(files or {})})
    info = f"{name}-1.0.dist-info/METADATA"
    with zipfile.ZipFile(path) as archive:
        held = {entry: archive.read(entry) for entry in archive.namelist()}
    held[info] = "\n".join([held[info].decode().strip(), *lines, ""]).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for entry, data in held.items():
            archive.writestr(entry, data)
    return path


def needs_of(package: Path, folder: Path) -> list[str]:
    """Return what a conda package depends on."""
    extract(str(package), str(folder))
    found: list[str] = json.loads((folder / "info" / "index.json").read_text())["depends"]
    return found


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Wheels of a server with extras, one of which stands for others, and of a tool that needs it with one."""
    folder = tmp_path / "wheels"
    described(
        folder,
        "server",
        "Requires-Dist: click>=0.7",
        "Requires-Dist: fastloop>=0.14,<2; extra == 'standard' and sys_platform != 'win32'",
        "Requires-Dist: oldloop; extra == 'standard' and python_version < '3.0'",
        "Requires-Dist: server[dev_tools]; extra == 'all'",
        "Requires-Dist: server[standard]; extra == 'all'",
        "Requires-Dist: watcher[fast]; extra == 'dev-tools'",
        *(f"Provides-Extra: {extra}" for extra in ("standard", "all", "dev-tools", "nothing")),
    )
    described(folder, "watcher", "Requires-Dist: inotify==2.*; extra == 'fast'", "Provides-Extra: fast")
    described(folder, "tool", "Requires-Dist: Server[Standard]>=1")
    for name in ("click", "fastloop", "inotify"):
        described(folder, name)
    return folder


def beside(folder: Path) -> dict[str, Message]:
    """Return what all wheels of a folder say of themselves."""
    return metadata_of(sorted(folder.glob("*.whl")))


def test_a_package_needs_what_the_extras_of_its_needs_stand_for(wheels: Path, tmp_path: Path) -> None:
    package, _ = package_wheel(wheels / "tool-1.0-py3-none-any.whl", tmp_path / "chan", TARGET, beside(wheels))
    assert needs_of(package, tmp_path / "out") == ["python", "fastloop <2,>=0.14", "server >=1"]
    assert package.name == "tool-1.0-pyhd_1.conda"  # not the one that was packed without them


def test_extras_that_are_asked_for_are_told_with_what_they_stand_for(wheels: Path) -> None:
    told = tell_of_requirements(
        ["server[all,nothing]>=1", "click", "./tool-1.0-py3-none-any.whl"], TARGET, beside(wheels)
    )
    assert tell_of_requirements(["/x/server-1.0-py3-none-any.whl[all]"], TARGET, beside(wheels)) == told
    assert told == [
        "server[all]: packages of conda have no extras; ask for what it stands for beside server: "
        "fastloop <2,>=0.14, inotify 2.*, watcher"
    ]


def test_what_is_not_there_or_does_not_hold_is_told(wheels: Path) -> None:
    unknown, condition = tell_of_requirements(
        ["server[strong]", "click; sys_platform == 'win32'"], TARGET, beside(wheels)
    )
    assert unknown == "server 1.0 has no extra 'strong'; it has: all, dev-tools, nothing, standard"
    assert condition.startswith(
        "click; sys_platform == 'win32' left out: its condition does not hold for Python 3.11.7"
    )


def test_a_channel_tells_of_extras_each_time_it_is_asked_for(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    made = make_channel(tmp_path / "chan", ["server[standard]"])
    assert made.notes == (
        "server[standard]: packages of conda have no extras; ask for what it stands for beside server: "
        "fastloop <2,>=0.14",
    )
    assert {path.name for path in (tmp_path / "chan" / "noarch").glob("*.conda")} == {
        f"{name}-1.0-pyhd_0.conda" for name in ("server", "click", "fastloop")
    }
    again = make_channel(tmp_path / "chan", ["server[standard]"])
    assert (again.added, again.notes) == (0, made.notes)


@pytest.mark.parametrize(
    ("requires", "expected"),
    [(">=3.8,!=3.9.*", "python !=3.9.*,>=3.8"), ("~=3.8", "python ~=3.8"), ("==3.*", "python 3.*"), ("", "python")],
)
def test_bounds_of_python_are_kept(requires: str, expected: str) -> None:
    assert python_spec("python", message_from_string(f"Name: a\nRequires-Python: {requires}\n")) == expected


def raw(folder: Path, name: str, files: Mapping[str, bytes]) -> Path:
    """Write a wheel of these files alone."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for place, data in files.items():
            archive.writestr(place, data)
    return path


METADATA = b"Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n"
INFO = "odd-1.0.dist-info"


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({f"{INFO}/METADATA": METADATA, "odd/" + "a" * 256: b""}, r"aaaa.* has a name of more than 255 bytes"),
        ({f"{INFO}/METADATA": METADATA, "ä" * 128: b""}, r"has a name of more than 255 bytes"),
        ({f"{INFO}/METADATA": METADATA, "/".join(["b" * 250] * 20): b""}, r"name too long"),
        ({f"{INFO}/METADATA": METADATA, "odd": b"", "odd/x.py": b""}, r"'odd' is a file and a folder"),
        ({f"{INFO}/METADATA": METADATA, "odd/x/y": b"", "odd-1.0.data/purelib/odd/x": b""}, r"'x': is a file and a f"),
        ({f"{INFO}/METADATA": METADATA, "odd/x": b"", "odd-1.0.data/purelib/odd/x/y": b""}, r"'x': File exists"),
        ({"odd.py": b""}, r"no file \*\.dist-info/METADATA"),
        ({f"{INFO}/METADATA": METADATA, "more.dist-info/METADATA": METADATA}, r"several files"),
        ({f"{INFO}/METADATA": b"Name: \xff\xfe\n"}, r"codec can't decode"),
        ({f"{INFO}/METADATA": METADATA + b"Requires-Dist: a (b\n"}, r"a \(b"),
        ({f"{INFO}/METADATA": METADATA, f"{INFO}/entry_points.txt": b"no section\n"}, r"no section"),
        (
            {
                f"{INFO}/METADATA": METADATA,
                f"{INFO}/entry_points.txt": b"[console_scripts]\n" + b"e" * 256 + b" = a:b\n",
            },
            r"more than 255 bytes",
        ),
    ],
)
def test_a_wheel_that_cannot_be_unpacked_is_told_with_its_name_the_fault_and_the_way_out(
    tmp_path: Path, files: Mapping[str, bytes], fault: str
) -> None:
    path = raw(tmp_path / "wheels", "odd", files)
    with pytest.raises(EnvStoreError, match=fault) as caught:
        package_wheel(path, tmp_path / "chan", TARGET)
    assert "odd-1.0-py3-none-any.whl" in str(caught.value)
    assert "another version" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert not list((tmp_path / "chan").rglob("*.conda"))


def test_a_wheel_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = raw(tmp_path, "odd", {f"{INFO}/METADATA": METADATA, "odd.py": b"x = 1\n" * 1000})
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(PipError, match=r"odd-1\.0-py3-none-any\.whl cannot be made a package: it cannot be unpacked"):
        package_wheel(path, tmp_path / "chan", TARGET)


def test_an_object_that_no_linker_made_is_packed_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "odd-1.0-cp311-cp311-linux_x86_64.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{INFO}/METADATA", METADATA)
        archive.writestr("odd/kernel.o", b"\x7fELF and no more")
    package, _ = package_wheel(path, tmp_path / "chan", TARGET)
    extract(str(package), str(tmp_path / "out"))
    assert next((tmp_path / "out").rglob("kernel.o")).read_bytes() == b"\x7fELF and no more"
