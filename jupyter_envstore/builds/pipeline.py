"""A build from its specification to a prefix that can be used: the steps, in order."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from jupyter_envstore import policy
from jupyter_envstore.builds.activation import ACTIVATION_FILE, activation_variables
from jupyter_envstore.builds.contents import distribution_names, needs_python, package_rows
from jupyter_envstore.builds.keeping import keep_where_wanted
from jupyter_envstore.builds.link_scripts import bring_back, check_link_scripts, run_scripts
from jupyter_envstore.builds.links import sync_link
from jupyter_envstore.builds.notices import tell_of_packages
from jupyter_envstore.builds.options import BuildOptions
from jupyter_envstore.builds.telling import tell_collisions, tell_outside_links
from jupyter_envstore.builds.workspace import Workspace
from jupyter_envstore.config import MAX_PREFIX
from jupyter_envstore.engine.bytecode import link_bytecode
from jupyter_envstore.engine.channels import ChannelPolicy, strip_credentials
from jupyter_envstore.engine.link import finish_prefix, link_conda, link_method, site_packages_folders
from jupyter_envstore.engine.lock import complete_from_cache, record_from_lock
from jupyter_envstore.engine.pip import Distribution, PipTarget, given_hashes, provided_distributions, resolve_pip
from jupyter_envstore.engine.prefix import remove_tree, seal_prefix, tree_size, unseal_prefix
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.engine.sdist import build_sdists, built_elsewhere
from jupyter_envstore.engine.solve import SolveOptions, current_platform, solve
from jupyter_envstore.errors import EnvStoreError, LimitError, PipError
from jupyter_envstore.spec.words import counted
from jupyter_envstore.store import builds as rows
from jupyter_envstore.store import people, warnings
from jupyter_envstore.store import settings as settings_rows
from jupyter_envstore.store.blobs import StoredBlob, refer
from jupyter_envstore.store.database import now
from jupyter_envstore.store.jobs import ARTIFACT, CHECK, FINISH, enqueue
from jupyter_envstore.store.models import Artifact, Build, Change
from jupyter_envstore.store.states import COMPLETED, ON_DEMAND, PENDING, PREFIX_PRESENT


def run_build(workspace: Workspace) -> None:
    """Make a new build: find versions, download, resolve PyPI packages, record, link, activate."""
    job = _Job(workspace)
    if job.build.status == COMPLETED:  # the attempt before was lost after its last step
        sync_link(workspace.config, workspace.database, job.environment.id)
        return
    if job.build.record_digest:  # the attempt before got as far as the record: no need to solve again
        record, staging = job.read_record()
    else:
        record, staging = job.make_record()
        job.keep_record(record)
    job.complete(record, job.link(record, staging))


def run_restore(workspace: Workspace) -> None:
    """Make the prefix of an old build again from its record, without solving."""
    job = _Job(workspace)
    if job.build.prefix_state == PREFIX_PRESENT:
        return
    record, staging = job.read_record()
    job.restored(job.link(record, staging, again=True))


def run_finish(workspace: Workspace) -> None:
    """Compile what no build before had, while the environment can be used already. Then close the prefix."""
    _Job(workspace).finish()


EXTRAS = ("conda", "pip")
"""What installers bring where the environment lacks it (setting ``installer_extras``)."""


class _Job:
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

    def read_record(self) -> tuple[BuildRecord, Path]:
        """Return the record of the build, and the staging folder with its conda packages."""
        record = BuildRecord.from_bytes(self.workspace.blobs.read(self.build.record_digest or ""))
        return record, self.fetch(record.lock(self.platform), record.requested_conda)

    # -- the lock --------------------------------------------------------------------------------------------------

    def make_record(self) -> tuple[BuildRecord, Path]:
        """Return the build record, and the staging folder where its conda packages are linked already."""
        if self.specification.lockfile is not None:
            record = record_from_lock(self.specification, self.environment.name, self.platform)
            self._check_size(record.lock(self.platform))
            staging = self.fetch(record.lock(self.platform), ())
            record = complete_from_cache(record, self.platform, staging)
            lock = record.lock(self.platform)
            lock = replace(lock, pip=self._wheels(lock.pip, staging))
            return replace(record, platforms={**record.platforms, self.platform: lock}), staging
        channels = self._channel_policy()
        urls = channels.resolve(self.specification.channels)
        locks, failed = self._solve(channels, urls)
        self._check_size(locks[self.platform])
        staging = self.fetch(locks[self.platform], self.specification.dependencies)
        if self.specification.pip:
            with self.workspace.step("pip", "Find PyPI packages"):
                locks = self._resolve_pip(locks, failed, staging)
                self._check_size(locks[self.platform])
        return self._record(urls, locks, failed), staging

    def _channel_policy(self) -> ChannelPolicy:
        return ChannelPolicy.of(self.settings, self.config.channel_alias)

    def _solve(self, channels: ChannelPolicy, urls: list[str]) -> tuple[dict[str, PlatformLock], dict[str, str]]:
        locks: dict[str, PlatformLock] = {}
        failed: dict[str, str] = {}
        wanted = [self.platform, *self.specification.platforms, *self.settings["conda_solve_platforms"]]
        options = SolveOptions(
            timeout=float(self.settings["conda_max_solve_time"]),
            exclude_newer=self.options.moment,
            extras=EXTRAS if self._wants_extras() else (),
        )
        with self.workspace.step("solve", "Find versions"):
            for note in self.options.notes:
                self.workspace.log(note)
            for warning in self.options.warnings:
                self.workspace.warn(warnings.SPECIFICATION, warning)
            self.workspace.log(f"channels: {', '.join(urls)}")
            for place, platform in enumerate(dict.fromkeys(wanted)):
                self.workspace.advance(place, len(set(wanted)), "platforms", platform)
                with self._left_out_if_it_fails(platform, failed):
                    cache = self.config.packages / "repodata"
                    virtual = (*self.specification.virtual_packages(platform), *self.options.virtual_packages)
                    there = replace(options, virtual_packages=virtual)
                    solution = solve(self.specification.dependencies, urls, platform, cache, channels, there)
                    locks[platform] = PlatformLock(solution.records, (), solution.virtual_packages, solution.extras)
                    self.workspace.log(f"{platform}: {counted(len(solution.records), 'package')}")
                    if solution.without:
                        left = " and ".join(solution.without)
                        without = f"{left} cannot be had beside these packages: constructor's installers come without"
                        self.workspace.log(f"{platform}: {without}")
        return locks, failed

    def _wants_extras(self) -> bool:
        """Whether an installer of this build may be made that brings conda and pip."""
        made = "installer" in self.settings["build_artifacts"] and self.settings["installer_maker"] != "self-extracting"
        return bool(made and self.settings["installer_extras"])

    @contextlib.contextmanager
    def _left_out_if_it_fails(self, platform: str, failed: dict[str, str]) -> Iterator[None]:
        """Let another platform that cannot be locked be missing, unless all were asked for."""
        try:
            yield
        except EnvStoreError as error:
            if platform != self.platform and self.options.all_platforms:
                msg = f"{platform} cannot be locked: {error}"
                raise type(error)(msg) from None
            if platform == self.platform:
                raise
            failed[platform] = str(error)
            self.workspace.log(f"{platform} cannot be locked: {error}")

    def _check_size(self, lock: PlatformLock) -> None:
        if self.config.max_build_bytes and lock.size > self.config.max_build_bytes:
            msg = (
                f"the packages have {lock.size / 1e6:.0f} MB; at most "
                f"{self.config.max_build_bytes / 1e6:.0f} MB are allowed (max_build_bytes)"
            )
            raise LimitError(msg)

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
                kept=self.workspace.blobs.path,
            )
            packages = counted(len(lock.conda), "package")
            self.workspace.log(f"{packages}, {len(lock.conda) - linked.downloaded} of them without download")
            tell_collisions(self.workspace, linked.collisions)
            tell_outside_links(self.workspace, linked.outside_links, self.settings["allow_outside_links"])
            self.linked = linked
            self.workspace.log(f"files are {link_method(staging)}")
        return staging

    def _resolve_pip(
        self, locks: dict[str, PlatformLock], failed: dict[str, str], staging: Path
    ) -> dict[str, PlatformLock]:
        resolved = {}
        built: dict[str, dict[str, Any]] = {}
        for platform, lock in locks.items():  # this server's own platform comes first
            with self._left_out_if_it_fails(platform, failed):
                if lock.python is None:
                    msg = "packages from PyPI need Python: add python to dependencies"
                    raise PipError(msg)
                pip = resolve_pip(
                    self.specification.pip,
                    self.specification.pip_options,
                    PipTarget(platform, lock.python, lock.virtual_packages),
                    self._provided(lock, platform, staging),
                    self.config.packages / "uv",
                    exclude_newer=moment.isoformat() if (moment := self.options.moment) else "",
                    sdists=self.settings["pypi_allow_sdists"],
                )
                self._tell_unchecked(lock, platform, staging)
                if platform == self.platform:
                    pip = self._wheels(pip, staging)
                    built = {package["sha256"]: package for package in pip if "wheel" in package}
                else:
                    pip = tuple(built_elsewhere(package, built) for package in pip)
                resolved[platform] = replace(lock, pip=pip)
                self.workspace.log(f"{platform}: {len(pip)} PyPI packages")
        return resolved

    def _tell_unchecked(self, lock: PlatformLock, platform: str, staging: Path) -> None:
        """Warn of hashes that are given for packages which conda installs: its files are others."""
        provided = {canonicalize_name(found.name) for found in self._provided(lock, platform, staging)}
        for name in sorted(given_hashes(self.specification.pip).keys() & provided):
            message = f"{name}: conda installs it, so the --hash that is given for PyPI's file is not checked"
            self.workspace.warn(warnings.SPECIFICATION, message, package=name)

    def _wheels(self, packages: tuple[dict[str, Any], ...], staging: Path) -> tuple[dict[str, Any], ...]:
        """Build the source archives among ``packages``, and keep the wheels."""
        allowed = self.settings["pypi_allow_sdists"]
        python = staging / "bin" / "python"
        return build_sdists(
            packages,
            python,
            lambda path: self.workspace.blobs.copy(path).digest,
            self.workspace,
            allowed,
            self.specification.pip_options,
        )

    def _provided(self, lock: PlatformLock, platform: str, staging: Path) -> list[Distribution]:
        """Return the distributions that conda provides; for other platforms by the names that they have on this one."""
        here = [d for site in site_packages_folders(staging) for d in provided_distributions(site)]
        if platform == self.platform:
            return here
        names = distribution_names(staging)
        return [
            Distribution(
                name,
                record["version"],
                f"Metadata-Version: 2.1\nName: {name}\nVersion: {record['version']}\n",
            )
            for record in lock.conda
            for name in names.get(record["name"], [record["name"]] if needs_python(record) else [])
        ]

    def _record(self, urls: list[str], locks: dict[str, PlatformLock], failed: dict[str, str]) -> BuildRecord:
        return BuildRecord(
            name=self.environment.name,
            channels=tuple(strip_credentials(url) for url in urls),
            platforms=locks,
            description=self.specification.description,
            variables=self.specification.variables,
            requested_conda=self.specification.dependencies,
            requested_pip=self.specification.pip,
            pip_options=self.specification.pip_options,
            failed_platforms=failed,
        )

    # -- the prefix ------------------------------------------------------------------------------------------------

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

    def link(self, record: BuildRecord, staging: Path, again: bool = False) -> Path:
        """Finish the staged prefix and move it to its place; ``again`` where it was there before."""
        lock = record.lock(self.platform)
        with self.workspace.step("link", "Link packages"):
            written_over = finish_prefix(
                record,
                self.platform,
                staging,
                self.prefix,
                self.config.packages / "uv",
                self.workspace.blobs.path,
                self.workspace,
                self.linked,
            )
            tell_collisions(self.workspace, written_over)
            scripts = [] if again else check_link_scripts(self.workspace, staging, lock, self.settings["link_scripts"])
            left = link_bytecode(
                staging,
                lock,
                self.config.packages / "bytecode",
                self.workspace,
                only_cached=True,
            )
            self.uncompiled = bool(left)
            self.prefix.parent.mkdir(parents=True, exist_ok=True)
            if self.prefix.exists():  # left by an attempt that was lost; no row says that it can be used
                remove_tree(self.prefix)
            staging.rename(self.prefix)
        try:
            if again:
                bring_back(self.workspace, self.prefix)
            elif scripts:
                with self.workspace.step("scripts", "Run scripts of packages"):
                    run_scripts(self.workspace, self.prefix, scripts)
            with self.workspace.step("activate", "Activate"):
                variables, complaints = activation_variables(
                    self.prefix, self.workspace.staging, self.workspace.time_left()
                )
                for complaint in complaints:
                    self.workspace.log(f"activation says: {complaint}")
                text = json.dumps(variables, indent=1, sort_keys=True)
                (self.prefix / ACTIVATION_FILE).write_text(text, encoding="utf-8")
                tell_of_packages(self.workspace, self.prefix, variables)
        except BaseException:  # nobody knows of this prefix yet
            remove_tree(self.prefix)
            raise
        return self.prefix

    def complete(self, record: BuildRecord, prefix: Path) -> None:
        """Make the build usable, active if it is the newest, and ask for what is still to be done."""
        size, own = tree_size(prefix)
        with self.workspace.claim.write(self.workspace.database) as session:
            row = rows.find_build(session, self.build.id)  # it may have been deleted meanwhile
            build, environment = row.build, row.environment
            build.status, build.status_info, build.ended_on = COMPLETED, "", now()
            build.prefix_state, build.size, build.own_size = PREFIX_PRESENT, size, own
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

    def restored(self, prefix: Path) -> None:
        """Note that an old build has its prefix again."""
        size, own = tree_size(prefix)
        with self.workspace.claim.write(self.workspace.database) as session:
            build = session.get_one(Build, self.build.id)
            build.prefix_state, build.size, build.own_size = PREFIX_PRESENT, size, own
            enqueue(session, FINISH, build.id)
            if self._wants_check():
                enqueue(session, CHECK, self.build.id)
            session.add(Change(kind="build", subject_id=build.id, at=now()))

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
