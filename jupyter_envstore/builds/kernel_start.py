"""Start a kernel once: ``python -m jupyter_envstore.builds.kernel_start SECONDS``, a kernelspec as JSON at its input.

A process of its own, so that what a kernel leaves behind ends with it. The answer is a line: empty where the kernel
told what it is (``kernel_info_reply``), else the reason.
"""

from __future__ import annotations

import contextlib
import json
import queue
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_envstore.builds.module_imports import MEMORY

if TYPE_CHECKING:
    from jupyter_client.blocking.client import BlockingKernelClient
    from jupyter_client.manager import KernelManager

MOST_BYTES = 64 << 10
"""Of what a kernel says, how much is read."""


def start(spec: dict[str, object], folder: Path, seconds: float) -> str:
    """Start a kernel, wait for it to say what it is, and stop it; return why it does not, or nothing.

    Parameters
    ----------
    spec : dict
        ``argv`` and ``env``, complete.
    folder : Path
        Where the connection file, and what the kernel says, are kept.
    seconds : float
        How long it may take.
    """
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import KernelManager

    (folder / "kernels" / "checked").mkdir(parents=True)
    (folder / "kernels" / "checked" / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    said = folder / "kernel.err"
    specs = KernelSpecManager(kernel_dirs=[str(folder / "kernels")], ensure_native_kernel=False)
    manager = KernelManager(
        kernel_name="checked", kernel_spec_manager=specs, connection_file=str(folder / "connection.json")
    )
    with said.open("wb") as file:
        try:
            manager.start_kernel(stdout=file, stderr=file, cwd=str(folder))
        except OSError as error:
            return f"{spec['argv'][0]}: {error.strerror}"  # type: ignore[index]
        client = manager.blocking_client()
        client.start_channels()
        try:
            _wait(client, manager, seconds)
        except RuntimeError as error:
            lines = _last_words(said)
            return lines[-1].strip() if lines else str(error)
        else:
            return ""
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def _wait(client: BlockingKernelClient, manager: KernelManager, seconds: float) -> None:
    """Wait until the kernel answers.

    Raises
    ------
    RuntimeError
        It ended, or does not answer.
    """
    deadline = time.monotonic() + seconds
    client.kernel_info()
    while time.monotonic() < deadline:
        if not manager.is_alive():
            msg = "it ends at once"
            raise RuntimeError(msg)
        with contextlib.suppress(queue.Empty):
            if client.get_shell_msg(timeout=1)["msg_type"] == "kernel_info_reply":
                return
    msg = f"it does not answer within {seconds:g} s"
    raise RuntimeError(msg)


def _last_words(said: Path) -> list[str]:
    with said.open("rb") as file:
        file.seek(max(0, said.stat().st_size - MOST_BYTES))
        return file.read().decode("utf-8", "replace").strip().splitlines()


def _limit_memory() -> None:
    """Bound what this process and the kernel may have, as where modules are imported."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard), hard))


if __name__ == "__main__":
    _limit_memory()
    print(start(json.load(sys.stdin), Path.cwd(), float(sys.argv[1])))
