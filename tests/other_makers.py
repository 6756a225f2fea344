"""An environment of Python that has all of this one, and a package that makes an artifact; and one that is broken."""

from __future__ import annotations

import site
import subprocess
import sys
import textwrap
import venv
from pathlib import Path

from tests import hostile

MAKER = """
    from jupyter_envstore.policy.artifact_kinds import ArtifactKind

    NAMES = ArtifactKind("names", "PACKAGE_NAMES", "list of names", "package_names:Names", at_once=True)


    class Names:
        def check_variant(self, variant):
            pass

        def file_name(self, name, platform, variant):
            return f"{name}-{platform}-names.txt"

        def media_type(self, variant):
            return "text/plain; charset=utf-8"

        def make(self, request, sink):
            lock = request.record.lock(request.platform)
            sink.write("".join(f"{entry['name']}\\n" for entry in lock.conda).encode())
            return {"package-names": "1.0"}
"""
BROKEN = "from nowhere import KIND\n"


def python_with_makers(folder: Path) -> Path:
    """Return the interpreter of a new virtual environment in ``folder``."""
    venv.create(folder / "venv", symlinks=True)
    (folder / "venv" / "share").symlink_to(Path(sys.prefix) / "share")  # JupyterLab and its extensions
    python = folder / "venv" / "bin" / "python"
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    beside = [path for path in map(Path, site.getsitepackages()) if path.is_dir()]
    (packages / "beside.pth").write_text("".join(f"import site; site.addsitedir({str(path)!r})\n" for path in beside))
    for name, text, point in (
        ("package_names", textwrap.dedent(MAKER), "names = package_names:NAMES"),
        ("broken_kind", BROKEN, "broken = broken_kind:KIND"),
    ):
        wheel = hostile.wheel(folder, name, {f"{name}.py": text}, point, group="jupyter_envstore.artifact_kinds")
        command = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(python),
            "install",
            "--no-index",
            "--no-deps",
            "--quiet",
        ]
        subprocess.run([*command, "--disable-pip-version-check", str(wheel)], check=True)
    return python
