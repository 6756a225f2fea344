"""A real Slurm of one machine for tests: its controller, its daemon, and the munged by which they trust each other."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from jupyter_envstore.engine.prefix import remove_tree
from tests.ports import free_port

SECONDS = 60.0
PAUSE = 0.1
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
CONFIGURATION = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={daemon_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=2
KillWait=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=4000 State=UNKNOWN
PartitionName=tests Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class Slurm:
    """A controller and one machine with four places, whatever this machine has; it starts the jobs of ``sbatch``."""

    def __init__(self) -> None:
        missing = [program for program in PROGRAMS if programs_path(program) is None]
        if missing:
            pytest.skip(f"needs Slurm and munge ({', '.join(missing)})")
        if os.geteuid() != 0:
            pytest.skip("needs root, who starts the jobs of a Slurm")
        self.folder = Path(tempfile.mkdtemp(prefix="es-slurm-"))
        self.folder.chmod(0o711)  # munged wants that everybody can reach its socket
        self.host = socket.gethostname().partition(".")[0]
        self.configuration = self.folder / "slurm.conf"
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> Slurm:
        """Start all, and wait until the machine takes jobs."""
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        values = {"folder": self.folder, "host": self.host}
        self.configuration.write_text(
            CONFIGURATION.format(**values, controller_port=free_port(), daemon_port=free_port())
        )
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(128))
        files = [f"--{name}={self.folder}/munge.{name.partition('-')[0]}" for name in ("socket", "key-file")]
        files += [f"--{name}-file={self.folder}/munge.{name}" for name in ("pid", "log", "seed")]
        self._begin("munged", "--foreground", "--num-threads=1", *files)
        self._until(lambda: (self.folder / "munge.socket").exists())
        self._begin("slurmctld", "-D", "-f", str(self.configuration))
        self._begin("slurmd", "-D", "-f", str(self.configuration))
        self._until(self.answers)
        return self

    def answers(self) -> bool:
        """Whether the controller answers, and has its machine."""
        running = self._processes and all(process.poll() is None for process in self._processes)
        return bool(running) and self.run("sinfo", "--noheader", "--format=%t", check=False) in ("idle", "mix", "alloc")

    def run(self, program: str, *arguments: str, check: bool = True) -> str:
        """Run one of the users' programs; return what it prints."""
        command = [program, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=self._environment())
        assert not check or done.returncode == 0, done.stderr + self.log()
        return done.stdout.strip()

    def jobs(self, state: str = "") -> list[int]:
        """Return the numbers of the jobs that wait, run or end, or of those in a state such as ``RUNNING``."""
        states = [f"--states={state}"] if state else []
        return [int(number) for number in self.run("squeue", "--noheader", "--format=%A", *states).split()]

    def cancel(self, *jobs: int) -> None:
        """Cancel jobs."""
        self.run("scancel", *map(str, jobs))

    def wait(self, jobs: int, state: str = "") -> list[int]:
        """Wait until there are so many jobs, of a state perhaps; return their numbers."""
        self._until(lambda: len(self.jobs(state)) == jobs)
        return self.jobs(state)

    def log(self) -> str:
        """Return what all wrote."""
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in sorted(self.folder.glob("*.log")))

    def remove(self) -> None:
        """End all, and remove it."""
        if self.answers():
            self.run("scancel", f"--user={os.geteuid()}")
            self.wait(0)
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        for left in psutil.process_iter():  # a step's keeper is nobody's child
            with contextlib.suppress(psutil.Error):
                if left.pid != os.getpid() and left.environ().get("SLURM_CONF") == str(self.configuration):
                    left.kill()
        remove_tree(self.folder)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "SLURM_CONF": str(self.configuration)}

    def _begin(self, program: str, *arguments: str) -> None:
        found = programs_path(program)
        assert found is not None
        with (self.folder / f"{program}.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    [found, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self._environment(),
                    start_new_session=True,
                )
            )

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert all(process.poll() is None for process in self._processes), self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(PAUSE)


def programs_path(program: str) -> str | None:
    """Return where a program is; a user's path need not have the daemons' folder."""
    return shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
