"""Become a kernel of a store elsewhere: ``python -m … CONFIGURATION RECORD BUILD BUILD_ID KERNEL CONNECTION_FILE``.

The environment is brought to this machine first, unless it is there. The kernelspecs of a server that is a client of a
store lead here (:mod:`jupyter_envstore.kernels.remote_builds`). With ``--`` in the place of the kernel, the environment
is brought and nothing is started. What is printed stands in the log of the server that started the kernel.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from functools import partial
from pathlib import Path

from jupyter_envstore.builds.waiting_worker import WaitingWorker
from jupyter_envstore.cli.become_kernel import become
from jupyter_envstore.errors import EnvStoreError
from jupyter_envstore.remote.brought import BroughtEnvironments
from jupyter_envstore.remote.client_configuration import ClientConfiguration

NO_KERNEL = "--"
TRIES = 3
WORKER_SECONDS = 300.0
"""How long a worker waits for its job, while the packages that the store keeps are fetched."""


def main(arguments: list[str]) -> int:
    """Bring the environment, and run its kernel in place of this process."""
    configuration, record, build, build_id, name, *connection_file = arguments
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # there is no cell yet that an interrupt could mean
    client = ClientConfiguration.read(Path(configuration))
    known = BroughtEnvironments(client.root)
    try:
        for _ in range(TRIES):
            if known.use(record) is None:
                waiting = early_worker(client.root)  # it loads while this process does
                from jupyter_envstore.cli.bring_remote import bring, kernel_token

                bring(client, partial(kernel_token, client), record, build, int(build_id), waiting)
            if name == NO_KERNEL:
                return 0
            with known.locked():  # until this process is the kernel, so that its environment counts as used
                found = known.use(record)
                if found is None:
                    continue  # it was removed meanwhile, to make room for another
                if name not in found.kernels:
                    print(f"{build} brings no kernel {name}", file=sys.stderr)
                    return 1
                signal.signal(signal.SIGINT, before)
                become(found.kernels[name], name, connection_file[0])
                return 1
    except (EnvStoreError, OSError, ValueError) as error:
        place = f"to {known.root} (c.EnvStoreApp.remote_cache_dir)"
        print(f"the environment of {build} cannot be brought {place}: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, EnvStoreError) else 1
    print(f"{build} does not stay on this machine: there is too little room for it", file=sys.stderr)
    return 1


def early_worker(root: Path) -> WaitingWorker:
    """Start the worker that will link the environment."""
    found = WaitingWorker(WORKER_SECONDS, root)
    with contextlib.suppress(OSError):  # a worker is started for the job then
        found.begin()
    return found


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # threads of rattler now and then crash an interpreter that takes itself apart
