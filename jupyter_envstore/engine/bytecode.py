"""Byte code: compiled once for each package and Python minor, hard-linked into every prefix like any file."""

from __future__ import annotations

import base64
import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.bounded_run import Said, run_bounded
from jupyter_envstore.engine.byte_code_paths import byte_code_path, python_folder
from jupyter_envstore.engine.digest import file_digest
from jupyter_envstore.engine.prefix import is_within, site_packages_folders, storage_error
from jupyter_envstore.engine.process_environment import package_environment
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.engine.record import PlatformLock, package_hash
from jupyter_envstore.engine.sandbox import NONE, Reach, Sandbox
from jupyter_envstore.engine.script_products import changed_files
from jupyter_envstore.errors import PackageError
from jupyter_envstore.spec.wording import counted

# Runs in the environment's own Python. Reads pairs of (source, path to name in tracebacks, destination) and writes
# unchecked hash-based files (PEP 552): no time of day in them, and no look at the source at import. What cannot be read
# or written ends it, so that nothing half made is kept.
COMPILER = """
import importlib._bootstrap_external as b, importlib.util, json, os, sys
failed = 0
for source, name, target in json.load(sys.stdin):
    try:
        with open(source, "rb") as file:
            data = file.read()
        code = compile(data, name, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError):
        failed += 1
        continue
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(b._code_to_hash_pyc(code, importlib.util.source_hash(data), False))
print(failed)
"""
JOBS = 2
BATCH_FILES = 1500
CLAIMS = "claims"
"""Folder of the locks of packages that are being compiled, beside the folders of byte code."""
FORMAT = 3
"""Raised when other byte code comes of the same packages, so that what was kept before is not found again."""


@dataclass(frozen=True)
class CompileUnit:
    """The Python sources of one package: its hash, and their paths relative to the prefix."""

    name: str
    sha256: str
    sources: tuple[str, ...]


def compile_units(prefix: Path, lock: PlatformLock) -> list[CompileUnit]:
    """Return what there is to compile in ``prefix``: sources that have no byte code yet.

    Left out are sources that the prefix was written into, whose byte code would be right in that prefix alone; those
    that are not what their package brought, since another package wrote over them, and links, which may lead to another
    package's file: byte code is kept for all who have the package, and must not come of somebody else's file. So are
    those whose byte code some package brings.
    """
    folder = python_folder(lock)
    hashes = {record["name"]: package_hash(record) for record in lock.conda}
    units = []
    metas = [json.loads(path.read_bytes()) for path in sorted((prefix / "conda-meta").glob("*.json"))]
    claims = Counter(name for meta in metas for name in meta["files"])
    changed = changed_files(prefix)
    for meta in metas:
        files = set(meta["files"]) - changed
        paths = meta.get("paths_data", {}).get("paths", ())
        files -= {entry["_path"] for entry in paths if entry.get("prefix_placeholder")}
        files -= {entry["_path"] for entry in paths if entry.get("path_type") == "softlink"}
        doubtful = [e for e in paths if e["_path"].endswith(".py") and (lock.pip or claims[e["_path"]] > 1)]
        files -= {entry["_path"] for entry in doubtful if _is_other(prefix, entry)}
        placed = {name: byte_code_path(name, folder) for name in files}
        sources = sorted(name for name, target in placed.items() if target and not claims[target])
        if sources and hashes.get(meta["name"]):
            units.append(CompileUnit(meta["name"], hashes[meta["name"]], tuple(sources)))
    wheels = {_key(package["name"], package["version"]): package for package in lock.pip}
    for site in site_packages_folders(prefix):
        for info in sorted(site.glob("*.dist-info")):
            package = wheels.get(info.name.removesuffix(".dist-info").lower().replace("_", "-"))
            if package:
                names = tuple(sorted(name for name in _recorded_sources(info, prefix) if byte_code_path(name, folder)))
                digest = package.get("wheel", package)["sha256"]
                units.append(CompileUnit(package["name"], digest, names))
    return units


def bytecode_folder(packages: Path, sandbox: Sandbox, namespace_id: int) -> Path:
    """Return where byte code is kept that an environment may share.

    It is made by the Python of an environment. Where environments are kept from each other by a sandbox, those of one
    namespace share it: the Python of another one may have made anything of a source.
    """
    return packages / "bytecode" if sandbox.name == NONE else packages / "bytecode-of" / str(namespace_id)


def link_bytecode(
    prefix: Path,
    lock: PlatformLock,
    cache_dir: Path,
    sandbox: Sandbox,
    progress: Progress,
    only_cached: bool = False,
    placed: dict[str, str] | None = None,
) -> list[CompileUnit]:
    """Link the byte code of every package into ``prefix``, compiling what the cache lacks.

    Parameters
    ----------
    cache_dir : Path
        Where byte code is kept: ``<tag>/<sha256[:2]>/<sha256>/<path in prefix>``.
    sandbox : Sandbox
        Where the Python of the prefix compiles.
    only_cached : bool
        Link what is there and compile nothing.
    placed : dict or None
        Is told of each file that was put there: its path in the prefix, to the hash of the package that it is of.

    Returns
    -------
    list of CompileUnit
        What was left uncompiled (empty unless ``only_cached``).
    """
    if lock.python is None:
        return []
    minor = ".".join(lock.python.split(".")[:2])
    root = cache_dir / f"cpython-{minor.replace('.', '')}-{FORMAT}"
    folder = python_folder(lock)
    units = compile_units(prefix, lock)
    missing = [unit for unit in units if not _folder(root, unit).is_dir()]
    if missing and not only_cached:
        files = counted(sum(len(unit.sources) for unit in missing), "file")
        progress.log(f"compiling {files} of {counted(len(missing), 'package')}")
        _compile(prefix, missing, root, folder, sandbox, progress)
        missing = []
    left = {unit.sha256 for unit in missing}
    for unit in units:
        if unit.sha256 not in left:
            _link(prefix, unit, _folder(root, unit), folder, placed)
    return missing


def _compile(
    prefix: Path, units: Sequence[CompileUnit], root: Path, folder: str, sandbox: Sandbox, progress: Progress
) -> None:
    """Compile packages into the cache, some at once; what another build compiles meanwhile is left to it."""
    root.mkdir(parents=True, exist_ok=True)
    total = sum(len(unit.sources) for unit in units)
    done = 0
    left = list(units)
    while left:
        with contextlib.ExitStack() as claims:
            batch = _claim_some(left, root, claims, progress)
            fresh = [unit for unit in batch if not _folder(root, unit).is_dir()]
            if fresh:
                _compile_batch(prefix, fresh, root, folder, sandbox)
        left = [unit for unit in left if unit not in batch]
        done += sum(len(unit.sources) for unit in batch)
        progress.advance(done, total, "files", batch[-1].name)


def _claim_some(
    units: Sequence[CompileUnit], root: Path, claims: contextlib.ExitStack, progress: Progress
) -> list[CompileUnit]:
    """Claim packages that no other build compiles; where there is none, wait until the first of them is free."""
    batch: list[CompileUnit] = []
    files = 0
    for unit in units:
        if files >= BATCH_FILES:
            break
        if _claim(root, unit, claims, wait=False):
            batch.append(unit)
            files += len(unit.sources)
    if not batch:
        progress.log(f"waiting for another build that compiles {units[0].name}")
        _claim(root, units[0], claims, wait=True)
        batch.append(units[0])
    return batch


def _claim(root: Path, unit: CompileUnit, claims: contextlib.ExitStack, wait: bool) -> bool:
    """Claim a package for as long as ``claims`` is open, or until this process ends (flock(2)).

    It saves work, and no more: on a file system that has no such locks, several may compile the same.
    """
    path = root.with_name(CLAIMS) / _folder(root, unit).name
    path.parent.mkdir(exist_ok=True)
    file = claims.enter_context(path.open("w"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    claims.callback(path.unlink, missing_ok=True)
    return True


def _compile_batch(prefix: Path, units: Sequence[CompileUnit], root: Path, folder: str, sandbox: Sandbox) -> None:
    staging = Path(tempfile.mkdtemp(dir=root, prefix=".staging-"))
    try:
        jobs: list[list[tuple[str, str, str]]] = [[] for _ in range(JOBS)]
        sources = [(unit.sha256, path) for unit in units for path in unit.sources]
        for place, (sha256, source) in enumerate(sources):
            target = staging / sha256 / byte_code_path(source, folder)
            jobs[place % JOBS].append((str(prefix / source), source, str(target)))
        _run_compilers(prefix, [job for job in jobs if job], staging, sandbox)
        _check_compiled(staging, {unit.sha256 for unit in units}, {target for job in jobs for _, _, target in job})
        for unit in units:
            made, final = staging / unit.sha256, _folder(root, unit)
            made.mkdir(exist_ok=True)
            final.parent.mkdir(exist_ok=True)
            try:
                made.rename(final)
            except OSError:  # another worker was first
                if not final.is_dir():
                    raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _check_compiled(staging: Path, folders: set[str], targets: set[str]) -> None:
    """Refuse what a compiler left that is no byte code: it is the Python of an environment, and others use the cache.

    Raises
    ------
    PackageError
        There is something else than the files that were asked for.
    """
    for folder, names, files in os.walk(staging):
        known = folders if folder == str(staging) else None
        strange = [name for name in names if Path(folder, name).is_symlink() or (known and name not in known)]
        strange += [
            name
            for name in files
            if f"{folder}/{name}" not in targets or not stat.S_ISREG(Path(folder, name).lstat().st_mode)
        ]
        if strange:
            msg = f"the Python of the environment left {strange[0][:100]!r} in place of byte code"
            raise PackageError(msg)


def _run_compilers(prefix: Path, jobs: Sequence[list[tuple[str, str, str]]], target: Path, sandbox: Sandbox) -> None:
    """Run one compiler for each job at once; their work goes in through files, so that none waits for another."""
    with tempfile.TemporaryDirectory(prefix="envstore-compile-") as folder:
        words = [str(prefix / "bin" / "python"), "-I", "-S", "-B", "-c", COMPILER]
        command = sandbox.command(words, Reach((prefix,), (target,)), Path("/"))

        def compile_one(place: int) -> Said:
            path = Path(folder) / f"{place}.json"
            path.write_text(json.dumps(jobs[place]), encoding="utf-8")
            with path.open("rb") as file:
                return run_bounded(command, package_environment(), None, None, told=file)

        with ThreadPoolExecutor(max(1, len(jobs))) as pool:
            ended = list(pool.map(compile_one, range(len(jobs))))
    for done in ended:
        if done.returncode:
            text = done.stderr.decode(errors="replace").strip()
            if "No space left on device" in text:
                raise storage_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
            msg = f"byte code cannot be compiled: {text[-500:]}"
            raise PackageError(msg)


def _link(prefix: Path, unit: CompileUnit, compiled: Path, folder: str, placed: dict[str, str] | None) -> None:
    made: set[str] = set()
    outside: set[str] = set()
    for source in unit.sources:
        name = byte_code_path(source, folder)
        target = f"{prefix}/{name}"
        parent = target.rpartition("/")[0]
        if parent not in made:
            try:
                os.mkdir(parent)  # noqa: PTH102 - hundreds of folders, above which the sources lie
            except FileExistsError:
                pass
            except FileNotFoundError:
                os.makedirs(parent)  # noqa: PTH103
            made.add(parent)
            if not is_within(prefix, f"{parent}/x"):  # a script of a package put a link there
                outside.add(parent)
        if parent in outside:
            continue
        if _place(f"{compiled}/{name}", target) and placed is not None:
            placed[name] = unit.sha256


def _place(compiled: str, target: str) -> bool:
    """Put byte code at ``target``; what is there already stays if it is the same, and is replaced at once if not.

    Return whether it was put there.
    """
    try:
        os.link(compiled, target)
    except FileNotFoundError:  # a source that does not compile has none
        return False
    except OSError:  # it is there; or another file system; or too many links
        if os.path.exists(target) and os.path.getsize(target) == os.path.getsize(compiled):  # noqa: PTH110, PTH202
            return False
        fresh = f"{target}.{uuid.uuid4().hex}"  # a name that nobody could have put a link at
        try:
            os.link(compiled, fresh)
        except OSError:
            shutil.copyfile(compiled, fresh)
        os.replace(fresh, target)  # noqa: PTH105
    return True


def _folder(root: Path, unit: CompileUnit) -> Path:
    # A package's hash names its sources; the list guards against one package linked for two layouts.
    digest = hashlib.sha256("\n".join((unit.sha256, *unit.sources)).encode()).hexdigest()
    return root / digest[:2] / digest


def _key(name: str, version: str) -> str:
    return f"{name.lower().replace('_', '-').replace('.', '-')}-{version.lower()}"


def _recorded_sources(info: Path, prefix: Path) -> Iterator[str]:
    """Yield the sources of a wheel that are what its ``RECORD`` says."""
    site = info.parent.relative_to(prefix).as_posix()
    for line in (info / "RECORD").read_text(encoding="utf-8").splitlines():
        name, kind, *_ = [*line.rsplit(",", 2), "", ""]
        name = name.strip('"')
        if name.endswith(".py") and not name.startswith("..") and kind.startswith("sha256="):
            digest = base64.urlsafe_b64decode(kind.removeprefix("sha256=") + "==").hex()
            if _hash_of(prefix / site / name) == digest:
                yield f"{site}/{name}"


def _is_other(prefix: Path, entry: Mapping[str, Any]) -> bool:
    """Whether a file is not the one that its conda package brought (``paths_data`` of ``conda-meta``)."""
    expected = entry.get("sha256_in_prefix") or entry.get("sha256")
    return expected is None or _hash_of(prefix / entry["_path"]) != expected


def _hash_of(path: Path) -> str:
    """Return the hash of a file; of a link, that of what it leads to; empty where there is none."""
    try:
        return file_digest(path)
    except (FileNotFoundError, IsADirectoryError):
        return ""
