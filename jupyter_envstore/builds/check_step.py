"""The step Check: whether what was asked for can be used. It runs beside an environment that is in use already.

Requested packages are imported, kernels are started, libraries are looked for. What fails stands at the build as a
warning; the build stays what it is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_envstore.builds.activation import program_path, programs_of, recorded_activation
from jupyter_envstore.builds.module_imports import import_modules
from jupyter_envstore.builds.workspace import Workspace
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database.warnings import CHECK
from jupyter_envstore.engine.bounded_run import MOST, run_bounded
from jupyter_envstore.engine.kernel_checks import brought_kernels
from jupyter_envstore.engine.kernel_files import kernel_command
from jupyter_envstore.engine.package_list import contents
from jupyter_envstore.engine.package_modules import Installed, installed_packages, top_modules
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.engine.sandbox import Reach
from jupyter_envstore.engine.shared_objects import Missing, check_libraries
from jupyter_envstore.engine.stray_processes import JOB_MARK, end_strays, job_mark
from jupyter_envstore.spec.wording import counted

KERNEL_SECONDS = 60.0
MOST_NAMED = 3
"""How many files of one fault are named."""


@dataclass(frozen=True)
class Scene:
    """Where the code of packages runs: the prefix, the variables of its activation, and a folder of its own."""

    prefix: Path
    environment: dict[str, str]
    folder: Path


def run_check(workspace: Workspace) -> None:
    """Check a build, and keep what fails as its warnings."""
    with workspace.database.read() as session:
        build = rows.find_build(session, workspace.claim.build_id).build
    if not build.is_here or not build.record_digest:
        return
    record = workspace.read_record(build)
    prefix = workspace.config.builds / build.directory
    with workspace.step("check", "Check"):
        workspace.clear_warnings(CHECK)
        started = time.monotonic()
        scene = _scene(prefix, workspace.temporary("check"))
        packages = installed_packages(prefix)
        owners = {path: package.name for package in packages for path in package.files}
        done = [
            counted(_check_imports(workspace, scene, asked_for(record, build.platform, packages)), "module")
            + " imported",
            counted(_check_kernels(workspace, scene, owners), "kernel") + " started",
            counted(_check_libraries(workspace, prefix, owners), "shared object") + " looked at",
        ]
        workspace.log(f"{', '.join(done)}, {time.monotonic() - started:.1f} s")


def _scene(prefix: Path, folder: Path) -> Scene:
    """Make a home for the code of packages: none of the server's variables, no screen, no browser, no byte code."""
    home = folder / "home"
    home.mkdir(parents=True)
    activated = recorded_activation(prefix)
    activated["PATH"] = program_path(activated, os.defpath)
    words = {name: value for name, value in os.environ.items() if re.fullmatch(r"LANG|LANGUAGE|TZ|LC_\w+", name)}
    own = {
        "HOME": str(home),
        "TMPDIR": str(folder),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "IPYTHONDIR": str(home / ".ipython"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "MPLBACKEND": "agg",
        "BROWSER": "true",
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
    }
    return Scene(prefix, {**words, **activated, **own, **job_mark()}, folder)


def asked_for(record: BuildRecord, platform: str, packages: Sequence[Installed]) -> list[Installed]:
    """Return the packages that were asked for; of a lockfile, which asks for nothing, those that no other needs.

    One that only stands for others (``matplotlib`` for ``matplotlib-base``) is followed by those of its name.
    """
    entries = contents(record, platform)
    asked = [entry for entry in entries if entry["requested"]] or [entry for entry in entries if not entry["needed_by"]]
    known = {(package.manager, package.name): package for package in packages}
    found: dict[tuple[str, str], Installed] = {}
    for entry in asked:
        package = known.get((entry["manager"], entry["name"]))
        if package is not None and top_modules(package):
            found[package.manager, package.name] = package
            continue
        for other in entries:
            if entry["name"] in other["needed_by"] and other["name"].startswith(f"{entry['name']}-"):
                beside = known.get((other["manager"], other["name"]))
                if beside is not None:
                    found[beside.manager, beside.name] = beside
    return list(found.values())


def _check_imports(workspace: Workspace, scene: Scene, asked: Iterable[Installed]) -> int:
    """Import what was asked for; return how many modules could be."""
    owners = {module: package.name for package in asked for module in top_modules(package)}
    if not owners or not (scene.prefix / "bin" / "python").exists():
        return 0
    failed = 0
    workspace.advance(0, len(owners), "modules")
    for fault in import_modules(scene.prefix, list(owners), scene.environment, scene.folder, workspace.sandbox):
        failed += 1
        package = owners[fault.module]
        workspace.warn(CHECK, f"{package}: import {fault.module} fails: {fault.reason}", package, fault.module)
    workspace.advance(len(owners), len(owners), "modules")
    return len(owners) - failed


def _check_kernels(workspace: Workspace, scene: Scene, owners: Mapping[str, str]) -> int:
    """Start each kernel that is offered once, as it is offered; return how many could be."""
    good = 0
    programs = programs_of(scene.prefix)  # as for kernelspecs
    for kernel in brought_kernels(scene.prefix, programs):
        path, spec = kernel.source, kernel.spec
        if spec is None:  # left out, which is told
            continue
        folder = scene.folder / f"kernel-{good}-{os.urandom(4).hex()}"
        folder.mkdir()
        program, *words = kernel_command(spec, path.parent, scene.prefix)
        told: dict[str, object] = {
            "argv": [shutil.which(program, path=programs) or program, *words],
            "display_name": path.parent.name,
            "language": "any",
            "env": {**scene.environment, **spec["env"], **job_mark()},
        }
        reason = _start_kernel(told, folder, scene.prefix, workspace)
        good += not reason
        if reason:
            place = path.relative_to(scene.prefix).as_posix()
            package = owners.get(place, "")
            message = f"{package + ': ' if package else ''}the kernel {path.parent.name} does not start: {reason}"
            workspace.warn(CHECK, message, package, place)
    return good


def _start_kernel(spec: dict[str, object], folder: Path, prefix: Path, workspace: Workspace) -> str:
    command = [sys.executable, "-m", "jupyter_envstore.builds.kernel_start", str(KERNEL_SECONDS)]
    own = {name: str(folder) for name in ("JUPYTER_RUNTIME_DIR", "HOME", "TMPDIR")}
    environment = {"PATH": os.defpath, **own, **job_mark()}  # the kernel has all of it: nothing of the server's
    words = workspace.sandbox.command(command, Reach((prefix,), (folder,), own_python=True), folder)
    seconds = min(KERNEL_SECONDS + 30, workspace.time_left())
    try:
        with tempfile.TemporaryFile() as told:
            told.write(json.dumps(spec).encode())
            told.seek(0)
            done = run_bounded(words, environment, folder, seconds, told=told)
    except subprocess.TimeoutExpired:
        return f"it does not answer within {KERNEL_SECONDS:g} s"
    finally:  # a kernel has a session of its own, and may have started more
        end_strays(JOB_MARK, str(workspace.staging))
    if not done.is_whole:
        return f"it says more than {MOST >> 20} MB"
    said = (done.stderr if done.returncode else done.stdout).decode("utf-8", "replace").strip().splitlines()
    return said[-1] if said else "it cannot be started" if done.returncode else ""


def _check_libraries(workspace: Workspace, prefix: Path, owners: Mapping[str, str]) -> int:
    """Look for the libraries that shared objects need; return how many objects there are."""
    found = check_libraries(prefix)
    for lost in found.missing:
        package = owners.get(lost.objects[0], "")
        message = f"{package + ': ' if package else ''}the library {lost.library} is missing, for {_named(lost)}"
        if lost.is_used:
            workspace.warn(CHECK, message, package, lost.objects[0])
        else:
            workspace.log(f"{message}; nothing loads them by itself")
    for lost in found.elsewhere:
        workspace.log(f"the library {lost.library} is not where it is looked for, for {_named(lost)}")
    return found.count


def _named(lost: Missing) -> str:
    more = len(lost.objects) - MOST_NAMED
    return ", ".join(lost.objects[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
