"""An environment of Python that has all of this one, and packages that add an artifact or an executor to a store."""

from __future__ import annotations

import site
import subprocess
import sys
import textwrap
import venv
from pathlib import Path
from typing import NamedTuple

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
EXECUTOR = """
    import os
    import signal
    import subprocess
    import sys

    from jupyter_envstore.builds.seen import Seen
    from jupyter_envstore.database.jobs import Handle


    class Noting:
        # Starts workers that the store knows by their heartbeats alone, and notes who started each.

        def __init__(self, config):
            self.config = config
            self.workers = {}

        def start(self, claim):
            command = [sys.executable, "-m", "jupyter_envstore.builds.worker", str(claim.job_id), str(claim.attempt)]
            worker = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, cwd="/")
            self.workers[str(worker.pid)] = worker
            worker.stdin.write(self.config.to_text().encode())
            worker.stdin.close()
            with (self.config.root / "started").open("a") as notes:
                notes.write(f"{claim.kind} {os.getpid()}\\n")
            return Handle("noting", str(worker.pid), "")

        def ready(self):
            return ""

        def alive(self, handle):
            return Seen(handle.id in self.workers)

        def stop(self, handle):
            worker = self.workers.pop(handle.id, None)
            if worker is None or worker.poll() is not None:
                return False
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
            return True

        def reap(self):
            self.workers = {name: worker for name, worker in self.workers.items() if worker.poll() is None}

        def close(self):
            for worker in self.workers.values():
                worker.returncode = 0  # it goes on
"""


class Module(NamedTuple):
    """A package of one module, and its entry point."""

    name: str
    text: str
    point: str
    group: str = "jupyter_envstore.artifact_kinds"


def python_with_makers(folder: Path) -> Path:
    """Return the interpreter of a new environment with a package that makes an artifact, and a broken one."""
    makers = Module("package_names", textwrap.dedent(MAKER), "names = package_names:NAMES")
    return python_with(folder, makers, Module("broken_kind", BROKEN, "broken = broken_kind:KIND"))


def python_with_executors(folder: Path) -> Path:
    """Return the interpreter of a new environment with a package that starts workers, and a broken one."""
    group = "jupyter_envstore.executors"
    noting = Module("noting_executor", textwrap.dedent(EXECUTOR), "noting = noting_executor:Noting", group)
    return python_with(folder, noting, Module("broken_executor", BROKEN, "broken = broken_executor:KIND", group))


def python_with(folder: Path, *modules: Module) -> Path:
    """Return the interpreter of a new virtual environment in ``folder``, in which ``modules`` are installed."""
    venv.create(folder / "venv", symlinks=True)
    (folder / "venv" / "share").symlink_to(Path(sys.prefix) / "share")  # JupyterLab and its extensions
    python = folder / "venv" / "bin" / "python"
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    beside = [path for path in map(Path, site.getsitepackages()) if path.is_dir()]
    (packages / "beside.pth").write_text("".join(f"import site; site.addsitedir({str(path)!r})\n" for path in beside))
    for name, text, point, group in modules:
        wheel = hostile.wheel(folder, name, {f"{name}.py": text}, point, group=group)
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
