"""What is wrong with a site, before a build finds out: disk, limits, tools, channels, proxies."""

from __future__ import annotations

import contextlib
import os
import queue
import resource
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from jupyter_envstore.blobs import blob_store
from jupyter_envstore.blobs.bucket import shown
from jupyter_envstore.builds.executor import CountsWorkers, ends_with_process
from jupyter_envstore.builds.executors import executor_for
from jupyter_envstore.builds.local_executor import LOCAL
from jupyter_envstore.builds.own_files import check_mounted_files, check_owner
from jupyter_envstore.builds.own_place import check_database, check_identity, files_elsewhere, known_place
from jupyter_envstore.builds.prefix_disk import check_disk
from jupyter_envstore.builds.split_executor import SplitExecutor
from jupyter_envstore.config import MAX_PREFIX, StoreConfig
from jupyter_envstore.database import settings as settings_rows
from jupyter_envstore.database.connection import Database
from jupyter_envstore.database.placements import all_places
from jupyter_envstore.database.retention import present_builds
from jupyter_envstore.database.schema import HEAD, check_known
from jupyter_envstore.database.sqlite import NETWORK_FILE_SYSTEMS, file_system
from jupyter_envstore.engine.channels import ChannelPolicy, redact
from jupyter_envstore.engine.question_process import ask
from jupyter_envstore.engine.questions import SearchAnswer, SearchQuestion
from jupyter_envstore.engine.sandbox import NONE, check_sandbox, sandbox_for
from jupyter_envstore.engine.uv import find_uv
from jupyter_envstore.errors import EnvStoreError, MissingDiskError
from jupyter_envstore.images.base_images import open_source
from jupyter_envstore.images.reference import SCRATCH
from jupyter_envstore.installers.constructor_finder import constructor_version
from jupyter_envstore.policy import effective
from jupyter_envstore.services.file_modes import close_to_others, unreachable
from jupyter_envstore.services.root_folder import make_root
from jupyter_envstore.spec.wording import counted

GOOD, WARNING, BAD = "ok", "warning", "error"
LOW_SPACE = 5e9
MOST_SKEW = 2.0
"""Seconds; clocks of one site differ by a few milliseconds."""
MOST_BUCKET_SKEW = 60.0
"""Seconds; S3 refuses requests from 15 minutes on."""
QUESTIONS = 7
"""What is asked of a bucket to store, date and remove a blob."""
LOW_FILES = 1024
CHANNEL_SECONDS = 30.0
BASE_SECONDS = BUCKET_SECONDS = 10.0
WITHOUT_BASE = "no image can be made; jupyter envstore base-image DIR makes a base, to be named in docker_base_image"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")

Found = TypeVar("Found")
Look = Callable[[SearchQuestion, float, threading.Event], SearchAnswer]
"""Asks channels, as :func:`~jupyter_envstore.engine.question_process.ask` does."""


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it stands (``ok``, ``warning``, ``error``), and in words what to do."""

    what: str
    state: str
    text: str


def examine(config: StoreConfig) -> Iterator[Finding]:
    """Yield a finding for everything that a build needs, as each becomes known."""
    for what, look in (
        ("system", _system),
        ("store", _root),
        ("other accounts", _others),
        ("sandbox", _sandbox),
        ("disk", _disk),
        ("file system", _file_system),
        ("hard links", _links),
        ("database", _database),
        ("environments", _places),
        ("object store", _object_store),
        ("executor", _executor),
        ("limits", _limits),
        ("uv", _uv),
        ("proxy and certificates", _network),
    ):
        if (look is _object_store and not config.blob_url) or (look is _executor and config.executor == LOCAL):
            continue
        try:
            yield look(what, config)
        except (EnvStoreError, OSError, sqlite3.Error) as error:
            yield Finding(what, BAD, redact(str(error)))
    yield _base_image("base of images", config)
    yield _constructor("constructor", config)
    yield from _channels(config)


def _system(what: str, _: StoreConfig) -> Finding:
    text = f"{sys.platform}, Python {sys.version.split()[0]}"
    return Finding(what, GOOD if sys.platform in ("linux", "darwin") else BAD, text)


def _root(what: str, config: StoreConfig) -> Finding:
    make_root(config)
    room = MAX_PREFIX - len(str(config.builds)) - len("/01234567-1234567")
    return Finding(what, GOOD, f"{config.root} ({room} characters to spare in paths of prefixes)")


def _others(what: str, config: StoreConfig) -> Finding:
    """Look at what other accounts of the machine may read; what can be closed is."""
    told = close_to_others(config)
    if config.share_prefixes and (folder := unreachable(config)) is not None:
        told.append(f"environments are shared with other accounts, who cannot pass {folder}: chmod o+x {folder}")
    if told:
        return Finding(what, WARNING, "; ".join(told))
    return Finding(what, GOOD, "may read environments only" if config.share_prefixes else "may read nothing")


def _sandbox(what: str, config: StoreConfig) -> Finding:
    sandbox = sandbox_for(config)
    check_sandbox(sandbox)
    if sandbox.name != NONE and os.geteuid() == 0:
        words = f"{sandbox.name}, as root: there is no second layer behind it, and no limit of processes in it"
        return Finding(what, WARNING, f"{words}; use an account of its own where several people build")
    return Finding(what, GOOD, sandbox.name)


def _disk(what: str, config: StoreConfig) -> Finding:
    free = shutil.disk_usage(config.root).free
    text = f"{free / 1e9:.1f} GB free"
    return Finding(what, GOOD, text) if free > LOW_SPACE else Finding(what, WARNING, f"{text}; free some: envstore gc")


def _file_system(what: str, config: StoreConfig) -> Finding:
    kind = file_system(config.root)
    if kind in NETWORK_FILE_SYSTEMS:
        return Finding(
            what, WARNING, f"{kind} is on the network: SQLite is slower and less safe there; set database_url"
        )
    return Finding(what, GOOD, kind or "not known")


def _links(what: str, config: StoreConfig) -> Finding:
    with tempfile.TemporaryDirectory(dir=config.builds) as folder:
        (config.staging / Path(folder).name).mkdir()
        try:
            (config.staging / Path(folder).name).rename(Path(folder) / "moved")
        except OSError as error:
            (config.staging / Path(folder).name).rmdir()
            words = "nothing can be built: staging/ and builds/ must be on one file system; mount a disk for all of"
            return Finding(what, BAD, f"{error.strerror}: {words} {config.root}")
    with (
        tempfile.TemporaryDirectory(dir=config.packages) as first,
        tempfile.TemporaryDirectory(dir=config.builds) as second,
    ):
        source = Path(first) / "file"
        source.touch()
        try:
            (Path(second) / "link").hardlink_to(source)
        except OSError as error:
            text = f"{error.strerror}: each environment costs its whole size; keep pkgs/ and builds/ on one file system"
            return Finding(what, WARNING, text)
    return Finding(what, GOOD, "packages are shared between environments")


def _database(what: str, config: StoreConfig) -> Finding:
    database = Database(config.url, busy_timeout=5)
    try:
        check_database(config, database)
        database.make()
        trouble = database.check()
        revision = None if trouble else database.revision()
        check_known(revision)
        ahead = 0.0 if trouble else database.clock_ahead()
    finally:
        database.close()
    if trouble:
        return Finding(what, BAD, f"it cannot be used as it is: {trouble}")
    if abs(ahead) > MOST_SKEW:
        words = f"the clock of {database.kind.place} is {ahead:+.0f} s from that of this machine; set both by NTP"
        return Finding(what, WARNING, words)
    return Finding(what, GOOD, f"{database.kind.place}, revision {revision or 'none yet'}")


def _places(what: str, config: StoreConfig) -> Finding:
    """Compare the prefixes that are said to be in this folder with those that are, and name the other folders."""
    with contextlib.closing(Database(config.url, busy_timeout=5)) as database:
        check_database(config, database)
        if database.revision() != HEAD:
            return Finding(what, GOOD, "none yet")
        with database.read() as session:
            check_identity(config, database, session)
            here = known_place(config, session)
            database.place = here.id if here is not None else 0
            others = [found for found in all_places(session) if found.place.id != database.place]
        if here is None and others and config.database_url and not config.blob_url:
            return Finding(what, BAD, files_elsewhere(config, others[0]))
        disk = ""
        with database.read() as session:
            directories = [build.directory for build in present_builds(session)]
            try:
                check_disk(config, session)
            except MissingDiskError as error:
                disk = str(error)
    missing = [name for name in directories if not (config.builds / name).is_dir()]
    text = f"{counted(len(directories), 'environment')} in this folder"
    if others:
        named = (
            f"#{found.place.id} {found.place.root_dir or '(not opened yet)'} of {found.place.host or '?'} "
            f"({counted(found.prefixes, 'environment')}, {counted(found.waiting, 'job')} waiting)"
            for found in others
        )
        text += f"; in other folders: {', '.join(named)}; if one is gone for good: jupyter envstore forget-place NUMBER"
    if disk:
        return Finding(what, BAD, f"{text}; {disk}")
    if missing:
        words = "somebody removed them; jupyter envstore restore NAME brings one back, and gc forgets them"
        return Finding(what, WARNING, f"{text}; {len(missing)} of them cannot be found: {words}")
    return Finding(what, GOOD, text)


def _object_store(what: str, config: StoreConfig) -> Finding:
    """Store a small blob, look when that was, and remove it."""

    def look() -> tuple[float, float]:
        blobs = blob_store(config)
        with contextlib.closing(Database(config.url, busy_timeout=5)) as database:
            if database.revision() == HEAD:
                check_owner(config, database, blobs)
                check_mounted_files(config, database, blobs)
        began = time.monotonic()
        blob = blobs.put(os.urandom(32))
        age = blobs.age(blob.digest)
        blobs.delete(blob.digest)
        return age, (time.monotonic() - began) / QUESTIONS

    found = _within(BUCKET_SECONDS, look)
    if found is None:
        return Finding(what, BAD, f"{shown(config.blob_url)} gave no answer within {BUCKET_SECONDS:g} s")
    age, asked = found
    if abs(age) > MOST_BUCKET_SKEW:
        words = f"the clock of {shown(config.blob_url)} is {-age:+.0f} s from that of this machine; set both by NTP"
        return Finding(what, WARNING, words)
    sent = "clients are sent there" if config.blob_redirects else "this server sends everything"
    return Finding(what, GOOD, f"{shown(config.blob_url)}, {asked * 1000:.0f} ms for a question; {sent}")


def _executor(what: str, config: StoreConfig) -> Finding:
    """Look whether what starts workers can be reached."""
    with contextlib.closing(executor_for(config)) as executor:
        why = executor.ready()
        count = executor.worker_count() if not why and isinstance(executor, CountsWorkers) else None
        is_own = ends_with_process(executor)
    if why:
        return Finding(what, BAD, f"{config.executor}: {redact(why)}")
    if count == 0 and not is_own:
        return Finding(what, WARNING, f"{config.executor}: the scheduler has no worker; jobs wait until one comes")
    workers = f"; {counted(count, 'worker')} now" if count and not is_own else ""
    own = "workers have folders of their own" if isinstance(executor, SplitExecutor) else "workers share the folder"
    return Finding(what, GOOD, f"{config.executor}; {own}{workers}")


def _limits(what: str, _: StoreConfig) -> Finding:
    files, _most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 < files < LOW_FILES:
        return Finding(what, WARNING, f"{files} open files at most; 1024 or more are wanted (ulimit -n)")
    return Finding(what, GOOD, f"{files} open files, {os.cpu_count()} processors")


def _uv(what: str, _: StoreConfig) -> Finding:
    return Finding(what, GOOD, find_uv())


def _network(what: str, _: StoreConfig) -> Finding:
    found = [f"{name}={redact(os.environ[name])}" for name in PROXIES if os.environ.get(name)]
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        path = os.environ.get(name)
        if path and not Path(path).is_file():
            return Finding(what, BAD, f"{name} names {path}, which is not there")
    return Finding(what, GOOD, ", ".join(found) or "none set")


def _base_image(what: str, config: StoreConfig) -> Finding:
    """Look whether the base can be read, for a few seconds where a registry has it."""
    text = config.docker_base_image
    if text == SCRATCH:
        return Finding(what, GOOD, text)

    def look() -> bool:
        with open_source(text, config.docker_insecure_registries) as source:
            return bool(source.manifest())

    try:
        found = _within(BASE_SECONDS, look)
    except EnvStoreError as error:
        return Finding(what, WARNING, f"{text}: {redact(str(error))}; {WITHOUT_BASE}")
    if found is None:
        return Finding(what, WARNING, f"{text}: no answer within {BASE_SECONDS:g} s; {WITHOUT_BASE}")
    return Finding(what, GOOD, text)


def _within(seconds: float, look: Callable[[], Found]) -> Found | None:
    """Return what a look finds that may hang; None if it takes too long."""
    answers: queue.SimpleQueue[Found | Exception] = queue.SimpleQueue()

    def answer() -> None:
        try:
            answers.put(look())
        except Exception as error:  # raised below, where somebody sees it
            answers.put(error)

    threading.Thread(target=answer, daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        return None
    if isinstance(found, Exception):
        raise found
    return found


def _constructor(what: str, config: StoreConfig) -> Finding:
    """Look for constructor; where there is none, it may still be linked from a channel when an installer is made."""
    named = config.constructor or shutil.which("constructor") or ""
    if not named:
        return Finding(what, GOOD, "none here: installers are self-extracting, unless a default channel has it")
    try:
        return Finding(what, GOOD, f"{named}, {constructor_version(Path(named))}")
    except EnvStoreError as error:
        return Finding(what, WARNING, str(error))


def _global_settings(config: StoreConfig) -> list[dict[str, Any]]:
    """Return the settings of the whole store, none where the database cannot tell."""
    database = Database(config.url, busy_timeout=5)
    try:
        check_database(config, database)
        if database.revision() is None:
            return []
        with database.read() as session:
            return settings_rows.scope_settings(session, None, None)
    except EnvStoreError:
        return []
    finally:
        database.close()


def _channels(
    config: StoreConfig, look: Callable[[SearchQuestion, float, threading.Event], SearchAnswer] = ask
) -> Iterator[Finding]:
    settings = effective([config.settings, *_global_settings(config)])
    naming = ChannelPolicy.of(settings, config.channel_alias)
    for channel in naming.default_channels:
        question: SearchQuestion = {
            "do": "search",
            "package": "python",
            "versions_of": 0,
            "channels": [channel],
            "platforms": [],
            "alias": naming.alias,
            "defaults": naming.defaults,
            "default_channels": [channel],
            "cache": str(config.packages / "repodata"),
        }
        try:
            found = look(question, CHANNEL_SECONDS, threading.Event())["packages"]
        except EnvStoreError as error:
            yield Finding(f"channel {channel}", BAD, redact(str(error)))
        else:
            yield Finding(f"channel {channel}", GOOD, f"{redact(naming.url(channel))}: {len(found)} builds of python")
