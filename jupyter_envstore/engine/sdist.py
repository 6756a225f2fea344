"""Source archives of PyPI packages: built into a wheel once, when the build is locked."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from jupyter_envstore.engine.checked_network import way_out
from jupyter_envstore.engine.digest import file_digest
from jupyter_envstore.engine.foreign_files import is_regular_below
from jupyter_envstore.engine.pip import index_arguments, local_places
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.engine.pylock import is_repository, pylock_text
from jupyter_envstore.engine.sandbox import Reach, Sandbox
from jupyter_envstore.engine.uv import Bounds, find_uv, run_uv
from jupyter_envstore.errors import PipError
from jupyter_envstore.spec.lock_entries import BuiltWheel, PypiEntry
from jupyter_envstore.spec.specification import PipOptions

REFUSED = (
    "{name} {version} has no wheel for this platform, only a source archive, and those are not built here; "
    "ask for a version that has a wheel, take the package from conda, or let an admin set pypi_allow_sdists"
)


def is_source(package: PypiEntry) -> bool:
    """Whether a locked PyPI package is a source archive."""
    return not package["filename"].endswith(".whl")


def build_sdists(
    packages: Sequence[PypiEntry],
    python: Path,
    keep: Callable[[Path], str],
    progress: Progress,
    sandbox: Sandbox,
    allowed: bool,
    options: PipOptions | None = None,
    timeout: float = 1800.0,
) -> tuple[PypiEntry, ...]:
    """Return ``packages``, each source archive with the wheel that was built of it.

    Parameters
    ----------
    packages : sequence of dict
        The PyPI packages of a lock for this platform.
    python : Path
        The interpreter that they are built for.
    keep : callable
        Stores a wheel and returns its SHA-256; the wheel is found again by that.
    progress : Progress
        Told what is built.
    sandbox : Sandbox
        Where they are built.
    allowed : bool
        Whether building is allowed at all (the setting ``pypi_allow_sdists``).
    options : PipOptions or None
        Indexes that build requirements come from.
    timeout : float
        Seconds for each.

    Raises
    ------
    PipError
        It is not allowed, or a build fails; the text is the build's own.
    """
    done: list[PypiEntry] = []
    for package in packages:
        if not is_source(package):
            done.append(package)
            continue
        if not allowed:
            raise PipError(REFUSED.format(**package))
        source = f"commit {package['sha256']}" if is_repository(package) else "its source archive"
        progress.log(f"building {package['name']} {package['version']} from {source}")
        done.append({**package, "wheel": _build(package, python, keep, sandbox, timeout, options or PipOptions())})
    return tuple(done)


def _build(
    package: PypiEntry,
    python: Path,
    keep: Callable[[Path], str],
    sandbox: Sandbox,
    timeout: float,
    options: PipOptions,
) -> BuiltWheel:
    """Let uv fetch, check and build; the wheel lies in uv's cache, which is a fresh one for each."""
    with tempfile.TemporaryDirectory(prefix="envstore-sdist-") as folder:
        root = Path(folder)
        lock = root / "pylock.toml"
        lock.write_text(pylock_text([package]), encoding="utf-8")
        command = [find_uv(), "pip", "install", "--python", str(python), "--target", str(root / "target")]
        command += ["--no-deps", "--requirements", str(lock), "--no-config", "--quiet"]
        command += [] if is_repository(package) else ["--require-hashes"]  # a commit is the hash of all its files
        command += ["--cache-dir", str(root / "cache"), *index_arguments(options)]
        reads = (python.parent.parent, Path(find_uv()), *local_places([package["url"]], options, sandbox))
        bounds = Bounds(sandbox, Reach(reads, (root,), network=True, way_out=way_out(root, sandbox)), root)
        what = f"{package['name']} {package['version']} cannot be built from its source"
        run_uv(command, timeout, what, bounds=bounds)
        found = sorted((root / "cache").glob("sdists-*/**/*.whl"))  # those of build requirements too
        wheels = [path for path in found if _is_of(path, package)]
        if len(wheels) != 1:
            msg = f"{package['name']} {package['version']}: its build left {len(wheels)} wheels instead of one"
            raise PipError(msg)
        wheel = wheels[0]
        if not is_regular_below(wheel, root):
            msg = f"{package['name']} {package['version']}: its build left something else than a wheel"
            raise PipError(msg)
        return {
            "filename": wheel.name,
            "sha256": keep(wheel),
            "size": wheel.stat().st_size,
        }


def _is_of(wheel: Path, package: PypiEntry) -> bool:
    try:
        name, version, _, _ = parse_wheel_filename(wheel.name)
    except InvalidWheelFilename:
        return False
    return name == canonicalize_name(package["name"]) and str(version) == str(Version(package["version"]))


def built_wheels(packages: Sequence[PypiEntry], find: Callable[[str], Path], folder: Path) -> tuple[PypiEntry, ...]:
    """Return ``packages`` as wheels alone: a wheel that was built here is put into ``folder`` under its own name.

    Raises
    ------
    PipError
        A wheel is not in the store any more, or was changed there.
    """
    ready: list[PypiEntry] = []
    for package in packages:
        wheel = package.get("wheel")
        if wheel is None:
            if is_source(package):
                raise PipError(REFUSED.format(**package))
            ready.append(package)
            continue
        folder.mkdir(exist_ok=True)
        path = folder / wheel["filename"]
        try:
            shutil.copyfile(find(wheel["sha256"]), path)
        except FileNotFoundError:
            msg = f"the wheel {wheel['filename']}, built from source here, is not in the store any more"
            raise PipError(msg) from None
        if file_digest(path) != wheel["sha256"]:
            msg = f"the wheel {wheel['filename']} in the store is not the one that was locked: it is damaged"
            raise PipError(msg)
        ready.append({**package, **wheel, "url": path.as_uri()})
    return tuple(ready)


def built_elsewhere(package: PypiEntry, built: dict[str, PypiEntry]) -> PypiEntry:
    """Return a package of another platform, with the wheel that was built here if it runs everywhere.

    ``built`` are the packages that were built here, by their hash.

    Raises
    ------
    PipError
        It was not built here, or its wheel is for one platform.
    """
    if not is_source(package):
        return package
    same = built.get(package["sha256"])
    wheel = same.get("wheel") if same is not None else None
    if wheel is None or not wheel["filename"].endswith("-none-any.whl"):
        raise PipError(REFUSED.format(**package))
    return {**package, "wheel": wheel}
