"""What the steps of a build share: its rows, its settings, and its packages in a staging folder."""

from __future__ import annotations

from pathlib import Path

from jupyter_envstore import policy
from jupyter_envstore.builds.link_warnings import tell_collisions, tell_misstated, tell_outside_links
from jupyter_envstore.builds.options import BuildOptions
from jupyter_envstore.builds.worker_caches import note_use
from jupyter_envstore.builds.workspace import Workspace
from jupyter_envstore.config import MAX_PREFIX
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import settings as settings_rows
from jupyter_envstore.engine.link import is_hard_linked, link_conda
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.engine.solve import current_platform
from jupyter_envstore.errors import LimitError
from jupyter_envstore.spec.wording import counted

LINKS = "hard links into the package cache"
COPIES = "copies or reflinks, since the file system (or the one of the cache) allows no hard links"


class Job:
    """A build that a worker makes: its rows, settings and choices, and its conda packages in a staging folder.

    Raises
    ------
    LimitError
        The prefix's path would be too long.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.config = workspace.config
        self.platform = current_platform()
        with workspace.database.read() as session:
            row = rows.find_build(session, workspace.claim.build_id)
            self.build, self.environment = row.build, row.environment
            self.specification = rows.specification_of(session, self.build)
            scopes = settings_rows.scope_settings(session, row.namespace.id, row.environment.id)
        self.settings = policy.effective([self.config.settings, *scopes])
        self.options = BuildOptions.from_json(self.build.options)
        self.prefix = self.config.builds / self.build.directory
        if len(str(self.prefix)) > MAX_PREFIX:
            msg = f"the path {self.prefix} is longer than {MAX_PREFIX} characters; choose a shorter root_dir"
            raise LimitError(msg)

    def read_record(self) -> BuildRecord:
        """Return the record of the build."""
        return self.workspace.read_record(self.build)

    def fetch_recorded(self) -> tuple[BuildRecord, Path]:
        """Return the record of the build, and a staging folder with its conda packages."""
        record = self.read_record()
        return record, self.fetch(record.lock(self.platform), record.requested_conda)

    def fetch(self, lock: PlatformLock, requested: tuple[str, ...]) -> Path:
        """Download the packages and link them in a staging folder."""
        staging = self.workspace.temporary("prefix")
        with self.workspace.step("fetch", "Download packages"):
            linked = link_conda(
                lock,
                self.platform,
                staging,
                self.prefix,
                self.config.packages / "conda",
                self.workspace,
                requested,
                kept=self.workspace.blobs.local_file,
            )
            if not self.config.at_home:
                note_use(self.config, lock)
            packages = counted(len(lock.conda), "package")
            self.workspace.log(f"{packages}, {len(lock.conda) - linked.downloaded} of them without download")
            tell_collisions(self.workspace, linked.collisions)
            tell_outside_links(self.workspace, linked.outside_links, self.settings["allow_outside_links"])
            tell_misstated(self.workspace, linked.misstated)
            self.linked = linked
            self.is_hard_linked = is_hard_linked(staging)
            self.workspace.log(f"files are {LINKS if self.is_hard_linked else COPIES}")
        return staging
