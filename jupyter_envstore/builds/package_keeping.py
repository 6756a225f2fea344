"""Builds kept with their packages: who wants it, and the job that stores the files."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from jupyter_envstore import policy
from jupyter_envstore.blobs.interface import StoredBlob
from jupyter_envstore.builds.workspace import Workspace
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import kept_packages as kept
from jupyter_envstore.database import settings as settings_rows
from jupyter_envstore.database.connection import Session
from jupyter_envstore.database.kept_packages import PackageFile
from jupyter_envstore.database.models import Build, Environment, Namespace
from jupyter_envstore.database.states import COMPLETED, NOT_KEPT
from jupyter_envstore.database.warnings import KEPT_PACKAGES
from jupyter_envstore.engine.archives import index_logins
from jupyter_envstore.engine.channels import conda_credentials
from jupyter_envstore.engine.package_files import fetch_file, package_files
from jupyter_envstore.errors import PackageError
from jupyter_envstore.policy.setting_values import SettingValues
from jupyter_envstore.spec.lock_entries import CondaEntry
from jupyter_envstore.spec.wording import counted

AT_ONCE = 6
"""Downloads that run beside each other."""


def is_wanted(build: Build, environment: Environment, settings: SettingValues) -> bool:
    """Whether a build shall be kept with its packages: as somebody decided by hand, else by the setting."""
    if build.keep_packages is not None:
        return build.keep_packages
    chosen = settings["keep_packages"]
    return bool(
        chosen == "all"
        or (chosen == "active" and environment.current_build_id == build.id)
        or (chosen in ("active", "pinned") and build.pinned)
    )


def keep_where_wanted(
    config: StoreConfig, session: Session, namespace: Namespace, environment: Environment, build: Build
) -> None:
    """Have the packages of a completed build stored where they shall be, and nobody tried yet."""
    if build.status != COMPLETED or build.keep_state != NOT_KEPT:
        return
    scopes = settings_rows.scope_settings(session, namespace.id, environment.id)
    if is_wanted(build, environment, policy.effective([config.settings, *scopes])):
        kept.request_keeping(session, build)


def run_keep(workspace: Workspace) -> None:
    """Store the files of a build's packages; what an attempt before stored is looked at, and stays."""
    with workspace.database.read() as session:
        build = rows.find_build(session, workspace.claim.build_id).build
    record = workspace.read_record(build)
    files = package_files(record.lock(build.platform))
    workspace.clear_warnings(KEPT_PACKAGES)
    with workspace.step("keep", "Keep packages"):
        with conda_credentials():
            asyncio.run(_Keeper(workspace, build.id, files, index_logins(record.pip_options)).run())
        with workspace.claim.write(workspace.database) as session:
            row = rows.find_build(session, build.id)  # it may have been deleted meanwhile
            kept.settle_kept(session, row.build)
            size, missing, shared = row.build.kept_size, row.build.kept_missing, kept.shared_bytes(session, build.id)
        others = f", {shared / 1e6:.1f} MB of them shared with other builds" if shared else ""
        stored = counted(len(files) - missing, "package")
        workspace.log(f"{stored} kept in the store, {size / 1e6:.1f} MB{others}")
        if missing:
            workspace.log(f"kept but for {counted(missing, 'package')}: see the warnings; keep them again to try again")
        if extras := record.lock(build.platform).installer_extras:
            workspace.log(f"{what_is_not_kept(extras)} is not kept")
        for platform in sorted(record.platforms.keys() - {build.platform}):
            workspace.log(f"packages for {platform} are not kept: only those of the build's own platform are")


def what_is_not_kept(extras: Sequence[CondaEntry]) -> str:
    """Name the packages beside an environment that come from their channels whenever an installer is made."""
    return f"what constructor's installers bring beside the environment ({counted(len(extras), 'package')})"


class _Keeper:
    def __init__(
        self, workspace: Workspace, build_id: int, files: list[PackageFile], logins: Mapping[str, str]
    ) -> None:
        self.workspace = workspace
        self.build_id = build_id
        self.files = files
        self.logins = logins
        self.total = sum(file.size for file in files)
        self.done = 0
        self.turns = asyncio.Semaphore(AT_ONCE)
        self.folder = workspace.temporary("kept")

    async def run(self) -> None:
        """Store all files; what cannot be had is noted, what the disk cannot hold ends it."""
        self.folder.mkdir(exist_ok=True)
        self.workspace.advance(0, self.total, "bytes")
        tasks = [asyncio.ensure_future(self._keep(place, file)) for place, file in enumerate(self.files)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, place: int, file: PackageFile) -> None:
        async with self.turns:
            self.workspace.check_time()
            blob, reason = await asyncio.to_thread(self._stored, file), ""
            if blob is None:
                try:
                    blob = await self._fetch(file, self.folder / str(place))
                except PackageError as error:
                    reason = str(error)
            await asyncio.to_thread(self._note, file, blob, reason)
            self.done += file.size
            self.workspace.advance(self.done, self.total, "bytes", file.name)

    def _stored(self, file: PackageFile) -> StoredBlob | None:
        """Return the file where the store has it already, for another build or from an attempt before, and whole."""
        if file.hash_kind != "sha256":
            return None
        self.workspace.blobs.touch([file.hash])  # first, so that what is found stays
        if not self.workspace.blobs.verify(file.hash):
            return None
        return StoredBlob(file.hash, self.workspace.blobs.size(file.hash))

    async def _fetch(self, file: PackageFile, target: Path) -> StoredBlob:
        if file.built_here:
            msg = f"{file.filename}, built from source here, is not in the store any more, or is damaged"
            raise PackageError(msg)
        try:
            await fetch_file(file, target, self.logins)
            return await asyncio.to_thread(self.workspace.blobs.copy, target)
        finally:
            target.unlink(missing_ok=True)

    def _note(self, file: PackageFile, blob: StoredBlob | None, reason: str) -> None:
        confirmed = self.workspace.confirmed(blob.digest) if blob is not None else {}
        with self.workspace.claim.write(self.workspace.database) as session:
            rows.find_build(session, self.build_id)  # a deleted one keeps nothing
            kept.note_file(session, confirmed, self.build_id, file, blob, reason)
        if reason:
            self.workspace.warn(KEPT_PACKAGES, f"not kept: {reason}", package=file.name)
