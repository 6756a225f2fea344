"""A build from its specification to a prefix that can be used: the steps, in order."""

from __future__ import annotations

import json
from pathlib import Path

from jupyter_envstore.blobs.interface import StoredBlob
from jupyter_envstore.builds.activation import ACTIVATION_FILE, activation_variables
from jupyter_envstore.builds.active_links import sync_link
from jupyter_envstore.builds.build_job import Job
from jupyter_envstore.builds.link_scripts import bring_back, check_link_scripts, run_scripts
from jupyter_envstore.builds.link_warnings import tell_collisions
from jupyter_envstore.builds.lock_steps import Locking
from jupyter_envstore.builds.package_keeping import keep_where_wanted
from jupyter_envstore.builds.package_rows import package_rows
from jupyter_envstore.builds.prefix_notices import tell_of_packages
from jupyter_envstore.builds.workspace import Workspace
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import people
from jupyter_envstore.database.blob_references import refer
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.jobs import ARTIFACT, CHECK, FINISH, enqueue
from jupyter_envstore.database.models import Artifact, Build, Change
from jupyter_envstore.database.states import COMPLETED, ON_DEMAND, PENDING, PREFIX_PRESENT
from jupyter_envstore.engine.bytecode import link_bytecode
from jupyter_envstore.engine.environment_variables import replaced_variables
from jupyter_envstore.engine.link import finish_prefix
from jupyter_envstore.engine.prefix import remove_tree, seal_prefix, tree_size, unseal_prefix
from jupyter_envstore.engine.record import BuildRecord


def run_build(workspace: Workspace) -> None:
    """Make a new build: find versions, download, resolve PyPI packages, record, link, activate."""
    build = _Pipeline(workspace)
    if build.job.build.status == COMPLETED:  # the attempt before was lost after its last step
        sync_link(workspace.config, workspace.database, build.job.environment.id)
        return
    if build.job.build.record_digest:  # the attempt before got as far as the record: no need to solve again
        record, staging = build.job.read_record()
    else:
        record, staging = Locking(build.job).make_record()
        build.keep_record(record)
    build.complete(build.link(record, staging))


def run_restore(workspace: Workspace) -> None:
    """Make the prefix of an old build again from its record, without solving."""
    build = _Pipeline(workspace)
    if build.job.build.prefix_state == PREFIX_PRESENT:
        return
    record, staging = build.job.read_record()
    build.restored(build.link(record, staging, again=True))


def run_finish(workspace: Workspace) -> None:
    """Add byte code, compiling what no build before had, while the environment can be used. Then close the prefix."""
    _Pipeline(workspace).finish()


class _Pipeline:
    def __init__(self, workspace: Workspace) -> None:
        self.job = job = Job(workspace)
        self.workspace = workspace
        self.config = job.config
        self.platform = job.platform
        self.build = job.build
        self.environment = job.environment
        self.settings = job.settings
        self.prefix = job.prefix

    def keep_record(self, record: BuildRecord) -> None:
        """Make the record durable: from here on the build can be made again without solving."""
        with self.workspace.step("record", "Write build record"):
            blob = self.workspace.blobs.put(record.to_bytes())
            with self.workspace.claim.write(self.workspace.database) as session:
                build = session.get_one(Build, self.build.id)
                refer(session, self.workspace.blobs, blob, f"build:{build.id}:record")
                for wheel in record.wheels:
                    kept = StoredBlob(wheel["sha256"], wheel["size"])
                    refer(session, self.workspace.blobs, kept, f"build:{build.id}:wheel:{kept.digest}")
                build.record_digest = blob.digest
                build.platform = self.platform
                packages = list(package_rows(record.lock(self.platform)))
                build.package_count = len(packages)
                rows.set_packages(session, build.id, packages)

    def link(self, record: BuildRecord, staging: Path, again: bool = False) -> tuple[int, int]:
        """Finish the staged prefix and move it to its place; ``again`` where it was there before.

        Return its size and that of what is its own, in bytes, as far as they are known before it is compiled.
        """
        lock = record.lock(self.platform)
        with self.workspace.step("link", "Link packages"):
            replaced = replaced_variables(staging, record.variables)
            written_over = finish_prefix(
                record,
                self.platform,
                staging,
                self.prefix,
                self.config.packages / "uv",
                self.workspace.blobs.local_path,
                self.workspace,
                self.job.linked,
            )
            tell_collisions(self.workspace, written_over)
            scripts = [] if again else check_link_scripts(self.workspace, staging, lock, self.settings["link_scripts"])
            if again or scripts:  # a kernel waits for what is brought back; what scripts write is looked for next
                link_bytecode(staging, lock, self.config.packages / "bytecode", self.workspace, only_cached=True)
            self.prefix.parent.mkdir(parents=True, exist_ok=True)
            if self.prefix.exists():  # left by an attempt that was lost; no row says that it can be used
                remove_tree(self.prefix)
            staging.rename(self.prefix)
        try:
            if again:
                bring_back(self.workspace, self.prefix)
            elif scripts:
                with self.workspace.step("scripts", "Run scripts of packages"):
                    run_scripts(self.workspace, self.prefix, scripts, self.settings["allow_outside_links"])
            with self.workspace.step("activate", "Activate"):
                variables, complaints = activation_variables(
                    self.prefix, self.workspace.staging, self.workspace.time_left()
                )
                for complaint in complaints:
                    self.workspace.log(f"activation says: {complaint}")
                text = json.dumps(variables, indent=1, sort_keys=True)
                (self.prefix / ACTIVATION_FILE).write_text(text, encoding="utf-8")
                tell_of_packages(self.workspace, self.prefix, variables, replaced)
        except BaseException:  # nobody knows of this prefix yet
            remove_tree(self.prefix)
            raise
        linked = self.job.linked
        if self.job.is_hard_linked and not (lock.pip or scripts or again):  # walked through when it is compiled
            return linked.size, linked.own_size
        return tree_size(self.prefix)

    def complete(self, sizes: tuple[int, int]) -> None:
        """Make the build usable, active if it is the newest, and ask for what is still to be done."""
        with self.workspace.claim.write(self.workspace.database) as session:
            row = rows.find_build(session, self.build.id)  # it may have been deleted meanwhile
            build, environment = row.build, row.environment
            build.status, build.status_info, build.ended_on = COMPLETED, "", now()
            build.prefix_state = PREFIX_PRESENT
            build.size, build.own_size = sizes
            if environment.deleted_on is None and (environment.current_build_id or 0) < build.id:
                environment.current_build_id = build.id
                people.audit(session, build.created_by, "build.activate", str(row), {"by": "completion"})
            enqueue(session, FINISH, build.id)
            for kind in self.settings["artifacts_at_once"]:
                if kind not in self.settings["build_artifacts"]:
                    continue
                if rows.find_artifact(session, build.id, kind, "") is None:
                    artifact = Artifact(build_id=build.id, type=kind, state=PENDING, created_on=now())
                    session.add(artifact)
                    session.flush()
                    enqueue(session, ARTIFACT, build.id, artifact.id)
            if self._wants_check():
                enqueue(session, CHECK, self.build.id)
            keep_where_wanted(self.config, session, row.namespace, environment, build)
            session.add(Change(kind="build", subject_id=build.id, at=now()))
            taken = (build.ended_on - (build.started_on or build.ended_on)).total_seconds()
        sync_link(self.config, self.workspace.database, self.environment.id)
        self.workspace.log(f"Ready after {taken:.1f} s")

    def restored(self, sizes: tuple[int, int]) -> None:
        """Note that an old build has its prefix again."""
        with self.workspace.claim.write(self.workspace.database) as session:
            build = session.get_one(Build, self.build.id)
            build.prefix_state = PREFIX_PRESENT
            build.size, build.own_size = sizes
            enqueue(session, FINISH, build.id)
            if self._wants_check():
                enqueue(session, CHECK, self.build.id)
            session.add(Change(kind="build", subject_id=build.id, at=now()))
        sync_link(self.config, self.workspace.database, self.environment.id)  # a store that came of a backup has none

    def _wants_check(self) -> bool:
        """Whether the build is tried out; images on demand are not: who pulls one sees at once whether it runs."""
        return bool(self.settings["check_imports"]) and self.build.trigger != ON_DEMAND

    def finish(self) -> None:
        """Link all byte code, compiling what is missing, and close the folders; may be done again."""
        if self.build.prefix_state != PREFIX_PRESENT:
            return
        record = BuildRecord.from_bytes(self.workspace.blobs.read(self.build.record_digest or ""))
        cache = self.config.packages / "bytecode"
        unseal_prefix(self.prefix)
        try:
            with self.workspace.step("compile", "Compile"):
                link_bytecode(self.prefix, record.lock(self.platform), cache, self.workspace)
        finally:
            seal_prefix(self.prefix)
        size, own = tree_size(self.prefix)
        with self.workspace.claim.write(self.workspace.database) as session:
            build = session.get_one(Build, self.build.id)
            build.size, build.own_size = size, own
