"""Bring an environment back, then become its kernel: ``python -m … CONFIGURATION BUILD KERNEL CONNECTION_FILE``.

The kernelspecs of environments that are not on the disk lead here (:mod:`jupyter_envstore.kernels.late_kernels`). What
is printed stands in the log of the server, or in the terminal, that started the kernel.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from jupyter_envstore.cli.become_kernel import become
from jupyter_envstore.cli.common import ask_for_files, find
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.active_build import ActiveBuild
from jupyter_envstore.errors import BuildFailedError, EnvStoreError, NotFoundError
from jupyter_envstore.kernels.own_kernels import own_kernels
from jupyter_envstore.representation.builds import BuildProgress
from jupyter_envstore.services.interfaces import Store
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.services.values import BuildRef


def main(arguments: list[str]) -> int:
    """Bring the environment, and run its kernel in place of this process."""
    configuration, build, name, connection_file = arguments
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # there is no cell yet that an interrupt could mean
    try:
        text = Path(configuration).read_text(encoding="utf-8")
        config = replace(StoreConfig.from_text(text), hand_on=True, worker_wait_seconds=0.0)
        with contextlib.closing(EnvStore.open(config)) as store:
            reference = find(store, build)
            if store.builds.show(reference.id)["packed_away"]:
                print(f"{reference} is not here yet; bringing it", file=sys.stderr, flush=True)
            prefix = bring(store, reference)
            row = ActiveBuild(0, reference.namespace, reference.name, reference.id, reference.number, None, True)
            kernels = dict(own_kernels(prefix, row, store.config.shims))
        if name not in kernels:
            msg = f"{row.namespace}/{row.name} brings no kernel {name}"
            raise NotFoundError(msg)
    except (EnvStoreError, OSError) as error:
        print(f"the environment of this kernel cannot be brought: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, EnvStoreError) else 1
    signal.signal(signal.SIGINT, before)
    become(kernels[name], name, connection_file)
    return 1


def bring(store: Store, reference: BuildRef, told: Callable[[BuildProgress], None] = lambda _view: None) -> Path:
    """Return the prefix of a build; it is brought first, unless it is there.

    Parameters
    ----------
    told : callable
        Called with the state of the build while it is brought.

    Raises
    ------
    BuildFailedError
        It cannot be brought.
    """
    ask_for_files(store, reference)
    while store.builds.show(reference.id)["packed_away"]:
        store.scheduler.tick()
        progress = store.builds.progress(reference.id)
        told(progress)
        if not progress["busy"] and store.builds.show(reference.id)["packed_away"]:
            msg = f"{reference}: {_why(store.logs.read(reference.id))}"
            raise BuildFailedError(msg)
        time.sleep(store.poll_seconds)
    return store.prefixes.path(reference.id)


def _why(text: str) -> str:
    """Return the reason in a build's log why the last attempt to bring it failed."""
    _, failed, reason = text.rpartition("Failed: ")
    return reason.strip() if failed else "it was stopped, or failed; the log of the build may tell why"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
