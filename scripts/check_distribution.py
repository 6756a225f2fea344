"""Check that a wheel and a source distribution are whole: ``check_distribution.py SOURCE FILE...``.

``SOURCE`` is a folder with the files of the commit, and nothing else. Each fault is printed as a line; the exit code is
1 then. It needs ``packaging``.
"""

from __future__ import annotations

import json
import sys
import tarfile
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

from packaging.version import Version

EXTENSION = "jupyter_envstore/labextension"
"""What npm builds. It is in no commit, and in each distribution."""
OPENAPI = "jupyter_envstore/server/openapi.yaml"
SERVER_CONFIG = "etc/jupyter/jupyter_server_config.d/"


def version_of(source: Path) -> str:
    """Return the version as ``labextension/package.json`` has it."""
    return str(json.loads((source / "labextension" / "package.json").read_text(encoding="utf-8"))["version"])


def files_of(folder: Path) -> set[str]:
    """Return the paths of all files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def metadata_faults(metadata: Message, version: str) -> list[str]:
    """Return what is wrong with the metadata that a package index shows."""
    faults = []
    if Version(metadata["Version"]) != Version(version):  # npm's 0.2.0-rc.1 is 0.2.0rc1 here
        faults.append(f"the version is {metadata['Version']}, not {version}")
    if metadata["License-Expression"] != "BSD-3-Clause" or metadata.get_all("License-File") != ["LICENSE"]:
        faults.append("the licence is not named")
    if len(metadata.get_payload()) < 1000 or metadata["Description-Content-Type"] != "text/markdown":
        faults.append("the README is not the description")
    if not metadata["Requires-Python"]:
        faults.append("no version of Python is named")
    return faults


def extension_faults(files: dict[str, bytes], place: str, version: str) -> list[str]:
    """Return what is missing of the built JupyterLab extension, whose files are below ``place``."""
    if f"{place}package.json" not in files:
        return [f"{place}package.json is missing: the JupyterLab extension was not built"]
    package = json.loads(files[f"{place}package.json"])
    faults = [] if package["version"] == version else [f"the JupyterLab extension is built for {package['version']}"]
    needed = [package["jupyterlab"]["_build"]["load"], "static/style.js", "static/third-party-licenses.json"]
    needed += ["schemas/jupyter-envstore/package.json.orig", "schemas/jupyter-envstore/panel.json"]
    return faults + [f"{place}{name} is missing" for name in needed if f"{place}{name}" not in files]


def wheel_faults(path: Path, source: Path) -> list[str]:
    """Return what is missing in a wheel, or should not be there."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    (information,) = {name.split("/")[0] for name in files if name.split("/")[0].endswith(".dist-info")}
    data = information.removesuffix(".dist-info") + ".data/data/"
    version = version_of(source)
    faults = metadata_faults(message_from_string(files[f"{information}/METADATA"].decode()), version)
    faults += extension_faults(files, f"{data}share/jupyter/labextensions/jupyter-envstore/", version)
    expected = {f"jupyter_envstore/{name}" for name in files_of(source / "jupyter_envstore")} | {
        OPENAPI,
        f"{information}/licenses/LICENSE",
        f"{information}/entry_points.txt",
        f"{data}share/jupyter/labextensions/jupyter-envstore/install.json",
        f"{data}{SERVER_CONFIG}jupyter_envstore.json",
    }
    faults += [f"{name} is missing" for name in sorted(expected - files.keys())]
    allowed = ("jupyter_envstore/", f"{information}/", f"{data}share/jupyter/labextensions/", f"{data}{SERVER_CONFIG}")
    faults += [f"{name} does not belong there" for name in sorted(files) if not name.startswith(allowed)]
    return faults


def sdist_faults(path: Path, source: Path) -> list[str]:
    """Return what is missing in a source distribution, or should not be there."""
    with tarfile.open(path) as archive:
        members = {member.name.partition("/")[2]: member for member in archive if member.isfile()}
        files = {name: archive.extractfile(member).read() for name, member in members.items()}  # type: ignore[union-attr]
    version = version_of(source)
    faults = metadata_faults(message_from_string(files.pop("PKG-INFO").decode()), version)
    faults += extension_faults(files, f"{EXTENSION}/", version)
    wanted = files_of(source)
    faults += [f"{name} is missing" for name in sorted(wanted - files.keys())]
    more = {name for name in files.keys() - wanted if not name.startswith(f"{EXTENSION}/")}
    return faults + [f"{name} is in no commit" for name in sorted(more)]


def main(source: Path, paths: list[Path]) -> int:
    """Check the files; print their faults."""
    code = 0
    for path in paths:
        faults = wheel_faults(path, source) if path.suffix == ".whl" else sdist_faults(path, source)
        for fault in faults:
            print(f"{path.name}: {fault}", file=sys.stderr)
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]]))
