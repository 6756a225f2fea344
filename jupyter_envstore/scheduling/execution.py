"""How a job of jupyter-scheduler runs its notebook: by ``jupyter envstore run-notebook``, in a process of its own."""

from __future__ import annotations

import ctypes
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from jupyter_scheduler.executors import DefaultExecutionManager
from jupyter_scheduler.parameterize import add_parameters
from jupyter_server.serverapp import ServerApp

from jupyter_envstore.scheduling.environments import OWN
from jupyter_envstore.server.context import SETTING, context_of

BUILD = re.compile(r"[^/:\s-][^/:\s]*/[^/:\s]+:[0-9]+")
"""A build, as the list of environments names it."""
PR_SET_PDEATHSIG = 1
SHOWN = 1_000
"""Characters of a reason that a job shows."""


class EnvStoreExecution(DefaultExecutionManager):
    """Runs the notebook of a job in the build that the job names, or in the one that the notebook remembers.

    A job that names neither, or whose notebook remembers nothing, runs as jupyter-scheduler does it: with the kernel of
    the notebook. It is made in the server, and executed in a process of its own.
    """

    def __init__(self, job_id: str, root_dir: str, db_url: str, staging_paths: dict[str, str]) -> None:
        super().__init__(job_id, root_dir, db_url, staging_paths)
        self.store_root = _store_root()

    def execute(self) -> None:
        """Run the notebook, and write its outputs.

        Raises
        ------
        RuntimeError
            It could not be run, or a cell failed; with the reason.
        """
        job, source = self.model, Path(self.staging_paths["input"])
        notebook = nbformat.read(source, as_version=4)
        environment = job.runtime_environment_name
        if not BUILD.fullmatch(environment) and not (environment == OWN and "envstore" in notebook.metadata):
            super().execute()
            return
        if job.parameters:
            notebook = add_parameters(notebook, job.parameters)
        with tempfile.TemporaryDirectory(prefix="es-job-") as folder:
            output = Path(folder) / "output.ipynb"
            done = subprocess.run(
                self._command(environment, output),
                input=nbformat.writes(notebook).encode(),
                stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                cwd=source.parent,
                check=False,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
            if output.exists():
                self.add_side_effects_files(str(source.parent))
                self.create_output_files(job, nbformat.read(output, as_version=4))
        if done.returncode:
            raise RuntimeError(_reason(done.stderr.decode(errors="replace")))

    def _command(self, environment: str, output: Path) -> list[str]:
        """Return what runs the notebook that comes at its input."""
        code = "from jupyter_envstore.cli import run; run()"
        command = [sys.executable, "-c", code, "run-notebook", "-", "--output", str(output)]
        if environment != OWN:
            command += ["--environment", environment]
        return [*command, "--root", self.store_root] if self.store_root else command


def _end_with_parent() -> None:
    """Let this process be ended when its parent is: jupyter-scheduler stops a job by killing that (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _reason(printed: str) -> str:
    """Return the error that a command ended with; what it printed before is its progress."""
    _, found, error = f"\n{printed}".rpartition("\nerror: ")
    return (error if found else printed).strip()[
        -SHOWN:
    ] or "the notebook could not be run; the server's log may tell why"


def _store_root() -> str:
    """Return the folder of the server's store; empty in another process."""
    if not ServerApp.initialized():
        return ""
    settings = ServerApp.instance().web_app.settings
    return str(context_of(settings).access.store.config.root_dir) if SETTING in settings else ""
