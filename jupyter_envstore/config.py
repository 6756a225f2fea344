"""The configuration of a store: plain values that a worker process can be given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MAX_PREFIX = 120
"""Longest path of a prefix. A shebang has 127 bytes (``BINPRM_BUF_SIZE`` of older Linux kernels); beyond it rattler
writes ``#!/bin/sh`` with a second line, which not every script survives."""


@dataclass(frozen=True)
class StoreConfig:
    """Where a store is, and its limits.

    Parameters
    ----------
    root_dir : str
        Folder of the store.
    database_url : str
        SQLAlchemy address; empty for SQLite in ``root_dir``.
    blob_url : str
        Address of a bucket for artifacts, layers and records, as fsspec has it; empty for files in ``root_dir``.
    blob_options : dict
        What fsspec makes its file system with.
    blob_cache_gigabytes : float
        How much of a bucket is kept as copies on this machine.
    blob_redirects : bool
        Whether clients fetch large files from the bucket itself.
    blob_public_endpoint : str
        Where clients reach the bucket's endpoint, if not where this machine does.
    channel_alias : str
        Address that plain channel names are appended to; empty for conda's own.
    allow_local_files : bool
        Whether ``file://`` channels and local ``--find-links`` are allowed.
    max_concurrent_builds : int
        How many workers run at once.
    lease_seconds : float
        How long a worker may be silent before its work is given to another.
    build_time_limit : float
        Seconds that a build may take.
    max_build_bytes : int
        Bytes of packages that a build may have; 0 for no limit.
    docker_base_image : str
        What Docker images stand on.
    docker_insecure_registries : sequence of str
        Registries (``HOST[:PORT]``) that speak plain HTTP.
    constructor : str
        Path of constructor's program; empty for the one on ``PATH``, or one that is linked from a channel.
    executor : str
        What starts workers: ``local``, or the name of an entry point.
    worker_wait_seconds : float
        How long a worker waits ready for the next job; 0 for none that waits.
    public_url : str
        Where others reach this server; empty where notebooks shall not remember it.
    sandbox : str
        Where code of packages runs when environments are built: ``none`` or ``bubblewrap``.
    sandbox_reads : sequence of str
        What this code may read beside the system's own folders.
    share_prefixes : bool
        Whether other accounts of the machine may read the environments.
    block_private_addresses : bool
        Whether builds and searches are kept from addresses of this machine and of private networks.
    allowed_addresses : sequence of str
        Hosts and networks that they may reach all the same.
    ask_other_stores : bool
        Whether stores that the account is logged in to are asked for builds of notebooks.
    settings : dict
        Values of settings where the database has none.
    executor_options : dict
        What the executor is made with.
    at_home : bool
        Whether this process has the folder of the store's servers, in which environments are used; a worker of a
        cluster may have a folder of its own.
    package_cache_gigabytes : float
        How much the caches of a worker with a folder of its own may hold; 0 for no limit.
    hand_on : bool
        Whether a worker starts what waits before it ends: so it is on the command line, where no server may run.
    """

    root_dir: str
    database_url: str = field(default="", repr=False)
    blob_url: str = field(default="", repr=False)
    blob_options: dict[str, Any] = field(default_factory=dict, repr=False)
    blob_cache_gigabytes: float = 10.0
    blob_redirects: bool = False
    blob_public_endpoint: str = ""
    channel_alias: str = ""
    allow_local_files: bool = True
    max_concurrent_builds: int = 2
    lease_seconds: float = 30.0
    build_time_limit: float = 3600.0
    max_build_bytes: int = 0
    docker_base_image: str = "docker://debian:bookworm-slim"
    docker_insecure_registries: Sequence[str] = ()
    constructor: str = ""
    executor: str = "local"
    executor_options: dict[str, Any] = field(default_factory=dict, repr=False)
    worker_wait_seconds: float = 0.0
    public_url: str = ""
    sandbox: str = "none"
    sandbox_reads: Sequence[str] = ()
    share_prefixes: bool = False
    block_private_addresses: bool = False
    allowed_addresses: Sequence[str] = ()
    ask_other_stores: bool = True
    settings: dict[str, Any] = field(default_factory=dict)
    hand_on: bool = False
    at_home: bool = True
    package_cache_gigabytes: float = 0.0

    @property
    def root(self) -> Path:
        """Folder of the store."""
        return Path(self.root_dir)

    @property
    def builds(self) -> Path:
        """Folder of the prefixes."""
        return self.root / "builds"

    @property
    def packages(self) -> Path:
        """Folder of the caches: conda packages, uv, byte code, channel indexes."""
        return self.root / "pkgs"

    @property
    def tools(self) -> Path:
        """Folder of the programs that are linked from a channel to make artifacts with."""
        return self.root / "tools"

    @property
    def shims(self) -> Path:
        """Folder of the programs that stand in for pip and uv where an environment has none."""
        return self.root / "shims"

    def kernels_of(self, namespaces: Sequence[str]) -> Path:
        """Return the folder of the kernelspecs that a server offers: those of ``namespaces``, of all without any.

        Servers of one store may offer different ones, so each choice has a folder.
        """
        if not namespaces:
            return self.root / "kernels"
        mark = hashlib.sha256("\n".join(sorted(namespaces)).encode()).hexdigest()[:12]
        return self.root / f"offered-{mark}" / "kernels"

    @property
    def blobs(self) -> Path:
        """Folder of the files that are addressed by their hash."""
        return self.root / "blobs"

    @property
    def blob_cache(self) -> Path:
        """Folder of the copies of a bucket's files."""
        return self.root / "blob-cache"

    @property
    def staging(self) -> Path:
        """Folder of everything that is not finished; below it, one folder for each attempt of a job."""
        return self.root / "staging"

    def staging_of(self, job_id: int, attempt: int) -> Path:
        """Return the folder for what an attempt of a job has not finished."""
        return self.staging / staging_name(job_id, attempt)

    @property
    def url(self) -> str:
        """Address of the database."""
        return self.database_url or f"sqlite:///{self.root / 'envstore.sqlite'}"

    def to_text(self) -> str:
        """Return the values as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> StoreConfig:
        """Return what :meth:`to_text` gave."""
        values: dict[str, Any] = json.loads(text)
        return cls(**values)


def staging_name(job_id: int, attempt: int) -> str:
    """Return the name of the folder for what an attempt of a job has not finished."""
    return f"job-{job_id}-{attempt}"
