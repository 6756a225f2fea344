"""What a prefix of linked conda packages gets beside them: PyPI packages and variables."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import stat
import tempfile
from functools import partial
from pathlib import Path

from jupyter_envstore.engine.collisions import Collision
from jupyter_envstore.engine.environment_variables import write_variables
from jupyter_envstore.engine.kept_files import Find, install_wheels
from jupyter_envstore.engine.link import LinkedPackages
from jupyter_envstore.engine.prefix import site_packages_folders, write_new
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.engine.sandbox import Sandbox
from jupyter_envstore.engine.sdist import built_wheels
from jupyter_envstore.engine.wheel_contents import with_index
from jupyter_envstore.engine.wheel_faults import check_wheels, faults_told
from jupyter_envstore.engine.wheel_paths import overwritten, uv_records, without_links


def finish_prefix(
    record: BuildRecord,
    platform: str,
    staging: Path,
    target: Path,
    pip_cache: Path,
    sandbox: Sandbox,
    find_wheel: Find,
    progress: Progress,
    linked: LinkedPackages,
) -> list[Collision]:
    """Add PyPI packages and variables to a prefix that :func:`~jupyter_envstore.engine.link.link_conda` made.

    Parameters
    ----------
    sandbox : Sandbox
        Where the Python of the prefix runs.
    find_wheel : callable
        Returns the place of a file in the store by its SHA-256: a wheel that was built here, or is kept.
    linked : LinkedPackages
        What came of linking.

    Returns
    -------
    list of Collision
        Files of PyPI packages that stand for others'.

    Raises
    ------
    PipError
        A package cannot be installed, or puts files where it must not.
    """
    lock = record.lock(platform)
    written_over: list[Collision] = []
    (staging / "CACHEDIR.TAG").unlink(missing_ok=True)
    if lock.pip:
        progress.log(f"installing {len(lock.pip)} PyPI packages")
        with (
            tempfile.TemporaryDirectory(prefix="envstore-wheels-") as folder,
            without_links(staging, linked.outside_links),
        ):
            listed = [with_index(package, record.pip_options) for package in lock.pip]
            wheels = built_wheels(listed, find_wheel, Path(folder))
            check_wheels(wheels)
            install = partial(install_wheels, find_wheel, staging, pip_cache, sandbox, progress)
            with faults_told(wheels, find_wheel):
                install(wheels)
            written_over = overwritten(
                staging,
                staging / linked.site_packages,
                wheels,
                linked.files,
                lambda wheel: install([wheel], reinstall=True),
            )
            relocate_scripts(staging, staging, target)
    write_variables(staging, record.variables)
    history = staging / "conda-meta" / "history"
    specs = ", ".join(repr(spec) for spec in record.requested_conda)
    write_new(history, f"# update specs: [{specs}]\n".encode() if specs else b"")
    return written_over


def relocate_scripts(prefix: Path, old: Path, new: Path) -> None:
    """Rewrite ``old`` to ``new`` in the scripts that PyPI packages put into ``bin/``, and in their ``RECORD``."""
    old_bytes, new_bytes = os.fsencode(old), os.fsencode(new)
    for site in site_packages_folders(prefix):
        for record_path in uv_records(site):
            rows = list(csv.reader(io.StringIO(record_path.read_text(encoding="utf-8"))))
            changed = False
            for row in rows:
                script = Path(os.path.realpath(site / row[0]))
                if script.parent != Path(os.path.realpath(prefix)) / "bin" or not script.is_file():
                    continue
                data = script.read_bytes()
                if old_bytes not in data:
                    continue
                replaced = data.replace(old_bytes, new_bytes)
                write_new(script, replaced, stat.S_IMODE(script.stat().st_mode))
                digest = base64.urlsafe_b64encode(hashlib.sha256(replaced).digest()).rstrip(b"=").decode()
                row[1:] = [f"sha256={digest}", str(len(replaced))]
                changed = True
            if changed:
                text = io.StringIO()
                csv.writer(text, lineterminator="\n").writerows(rows)
                write_new(record_path, text.getvalue().encode())
