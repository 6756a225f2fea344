"""Check a foreign lockfile with conda-lock's own models, in a process that ends right after.

Its models take half a second to import; a server that accepts lockfiles need not keep them in memory.
"""

from __future__ import annotations

import json
import subprocess
import sys

from jupyter_envstore.engine.conda_lock_models import conda_lock_models
from jupyter_envstore.engine.process_environment import scrubbed_environment
from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec.lock_entries import CondaLockfile

TIME_LIMIT = 60.0


def check_lock(lock: CondaLockfile) -> None:
    """Refuse a lock that conda-lock would not read.

    Raises
    ------
    SpecificationError
        With conda-lock's words.
    """
    command = [sys.executable, "-m", "jupyter_envstore.engine.lockcheck"]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(lock),
            capture_output=True,
            text=True,
            check=False,
            timeout=TIME_LIMIT,
            env=scrubbed_environment(),
        )
    except subprocess.TimeoutExpired:
        msg = f"the lockfile could not be checked within {TIME_LIMIT:g} s"
        raise SpecificationError(msg) from None
    if done.returncode:
        msg = f"conda-lock does not accept this lockfile: {done.stdout.strip() or 'its check failed'}"
        raise SpecificationError(msg)


def main() -> int:
    """Read a lock as JSON from standard input; print what is wrong with it."""
    with conda_lock_models():
        from conda_lock.lockfile.v1.models import Lockfile
    from pydantic import ValidationError

    lock = json.load(sys.stdin)
    for package in lock["package"]:
        package["hash"].setdefault("md5", "0" * 32)  # filled in after the download; the models demand it
        package.setdefault("optional", False)
    try:
        Lockfile.model_validate(lock)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:10]]
        print("; ".join(faults))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
