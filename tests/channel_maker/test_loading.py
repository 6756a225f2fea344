"""The channel maker: what it packs can be loaded, and what cannot is told."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conda_package_streaming.extract import extract

from jupyter_envstore.channel_maker.channel import index_channel, make_channel, platform_subdir
from jupyter_envstore.channel_maker.load_check import find_unloadable
from jupyter_envstore.channel_maker.python_package import patchelf
from jupyter_envstore.channel_maker.wheel_requirements import WheelTarget
from jupyter_envstore.channel_maker.wheels import package_wheel
from jupyter_envstore.errors import PackageError, PipError
from tests.conftest import PYTHON
from tests.hostile import wheel

VERSION = "{}.{}.{}".format(*sys.version_info[:3])


@pytest.fixture
def bare(channel: str, tmp_path: Path) -> Path:
    """A channel with this Python alone."""
    subdir = platform_subdir()
    python = Path(urlsplit(channel).path) / subdir / f"python-{VERSION}-0_cpython.conda"
    (tmp_path / "channel" / subdir).mkdir(parents=True)
    shutil.copy2(python, tmp_path / "channel" / subdir)
    return tmp_path / "channel"


def pack(folder: Path, channel: Path, name: str, library: Path) -> list[Path]:
    """Put a wheel with one extension into a channel, and return what it has."""
    tag = f"cp{PYTHON.replace('.', '')}"
    wheel = folder / f"{name}-1.0-{tag}-{tag}-linux_x86_64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(library, f"{name}/_native.so")
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    subdir = platform_subdir()
    package_wheel(wheel, channel, WheelTarget(VERSION, subdir))
    index_channel(channel)
    return sorted((channel / subdir).glob("*.conda"))


def some_extension() -> Path:
    """An extension module of this Python."""
    return next(Path(sys.base_prefix, "lib", f"python{PYTHON}", "lib-dynload").glob("_json.*.so"))


def test_libraries_that_wheels_bundle_find_each_other(bare: Path) -> None:
    # numpy 1 bundles libgfortran beside libopenblas, which has no place of its own to look for it
    made = make_channel(bare, ["numpy<2"])
    assert (made.added, made.unloadable) == (1, ())
    again = make_channel(bare, ["numpy<2"])
    assert (again.added, again.unloadable) == (0, ())


def test_an_extension_that_lacks_a_library_is_told_with_its_package(bare: Path, tmp_path: Path) -> None:
    library = tmp_path / "native.so"
    shutil.copy2(some_extension(), library)
    patchelf("--add-needed", "libnowhere.so.7", library)
    (lost,) = find_unloadable(bare, platform_subdir(), pack(tmp_path, bare, "lacking", library))
    assert lost.package == "lacking"
    assert lost.path == f"lib/python{PYTHON}/site-packages/lacking/_native.so"
    assert "libnowhere.so.7" in lost.reason
    assert str(lost).startswith("lacking: lib/")


def test_an_extension_that_ends_python_is_told_and_the_others_are_tried(bare: Path, tmp_path: Path) -> None:
    source, library = tmp_path / "crash.c", tmp_path / "native.so"
    source.write_text("#include <signal.h>\n__attribute__((constructor)) static void begin(void) { raise(SIGSEGV); }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    pack(tmp_path, bare, "crashing", library)
    shutil.copy2(some_extension(), library)
    patchelf("--add-needed", "libnowhere.so.7", library)
    first, second = find_unloadable(bare, platform_subdir(), pack(tmp_path, bare, "zlacking", library))
    assert (first.package, first.reason) == ("crashing", "it ends Python with signal 11")
    assert second.package == "zlacking"


def test_a_channel_that_was_packed_otherwise_before_gets_packages_of_a_higher_build_number(
    bare: Path, tmp_path: Path
) -> None:
    packed = pack(tmp_path, bare, "fine", some_extension())
    assert any(path.name.startswith("fine-1.0-py") and path.name.endswith("_1.conda") for path in packed)
    assert find_unloadable(bare, platform_subdir(), packed) == []


def listed(package: Path, folder: Path) -> list[str]:
    """Return the files that a package has, and the programs that a linker makes for it."""
    extract(str(package), str(folder))
    link = folder / "info" / "link.json"
    programs = json.loads(link.read_text())["noarch"]["entry_points"] if link.exists() else []
    return [*(folder / "info" / "files").read_text().splitlines(), *programs]


def test_headers_lie_where_pip_puts_them_and_bind_a_package_to_its_python(tmp_path: Path) -> None:
    path = wheel(tmp_path, "heads", {"heads.py": "", "heads-1.0.data/headers/sub/heads.h": "int x;\n"})
    package, _ = package_wheel(path, tmp_path / "chan", WheelTarget("3.11.7", "linux-64"))
    assert (package.parent.name, package.name) == ("linux-64", "heads-1.0-py311_1.conda")
    found = listed(package, tmp_path / "out")
    assert {"include/python3.11/heads/sub/heads.h", "lib/python3.11/site-packages/heads.py"} <= set(found)


def test_programs_with_windows_are_made_too(tmp_path: Path) -> None:
    programs = "[gui_scripts]\nshow = shows:main\n[console_scripts]\ntell = shows:tell\n"
    path = wheel(tmp_path, "shows", {"shows.py": "", "shows-1.0.dist-info/entry_points.txt": programs})
    package, _ = package_wheel(path, tmp_path / "chan", WheelTarget("3.11.7", "linux-64"))
    assert {"show = shows:main", "tell = shows:tell"} <= set(listed(package, tmp_path / "out"))


def test_what_cannot_be_packed_is_told_with_the_name_of_the_wheel(tmp_path: Path) -> None:
    target = WheelTarget("3.11.7", "linux-64")
    path = wheel(tmp_path, "odd", {"odd.py": "", "odd-1.0.data/kinds/x": "x"})
    with pytest.raises(PipError, match=r"odd-1\.0-py3-none-any\.whl .*odd-1\.0\.data/kinds"):
        package_wheel(path, tmp_path / "chan", target)
    path = wheel(tmp_path, "entry", {"entry.py": ""}, "x = entry:main; import os")
    with pytest.raises(PackageError, match=r"entry-1\.0-py3-none-any\.whl.*entry point"):
        package_wheel(path, tmp_path / "chan", target)
    assert not list((tmp_path / "chan").rglob("*.conda"))
