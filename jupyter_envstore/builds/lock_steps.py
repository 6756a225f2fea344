"""The steps of a build that make its record: versions found, PyPI packages resolved, source archives built."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from jupyter_envstore.builds.build_job import Job
from jupyter_envstore.builds.package_rows import needs_python
from jupyter_envstore.database import warnings
from jupyter_envstore.database.kept_packages import kept_digests
from jupyter_envstore.engine.channels import ChannelPolicy, strip_credentials
from jupyter_envstore.engine.distributions import distribution_names
from jupyter_envstore.engine.hashes import with_sha256
from jupyter_envstore.engine.lock import complete_from_cache, record_from_lock
from jupyter_envstore.engine.pip import Distribution, PipTarget, given_hashes, provided_distributions, resolve_pip
from jupyter_envstore.engine.prefix import site_packages_folders
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.engine.sdist import build_sdists, built_elsewhere
from jupyter_envstore.engine.solve import SolveOptions, solve
from jupyter_envstore.errors import EnvStoreError, LimitError, PipError
from jupyter_envstore.spec.lock_entries import CondaEntry, PypiEntry
from jupyter_envstore.spec.wording import counted

EXTRAS = ("conda", "pip")
"""What installers bring where the environment lacks it (setting ``installer_extras``)."""


class Locking:
    """Makes the record of a build."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.workspace = job.workspace
        self.config = job.config
        self.platform = job.platform
        self.specification = job.specification
        self.settings = job.settings
        self.options = job.options

    def make_record(self) -> tuple[BuildRecord, Path]:
        """Return the build record, and the staging folder where its conda packages are linked already."""
        if self.specification.lockfile is not None:
            record = record_from_lock(self.specification, self.job.environment.name, self.platform)
            self._check_size(record.lock(self.platform))
            lock = with_sha256(record.lock(self.platform), self._stored, self.workspace)
            record = replace(record, platforms={**record.platforms, self.platform: lock})
            staging = self.job.fetch(lock, ())
            record = complete_from_cache(record, self.platform, staging, self._stored)
            lock = record.lock(self.platform)
            lock = replace(lock, pip=self._wheels(lock.pip, staging))
            return replace(record, platforms={**record.platforms, self.platform: lock}), staging
        channels = self._channel_policy()
        urls = channels.resolve(self.specification.channels)
        locks, failed = self._solve(channels, urls)
        self._check_size(locks[self.platform])
        staging = self.job.fetch(locks[self.platform], self.specification.dependencies)
        if self.specification.pip:
            with self.workspace.step("pip", "Find PyPI packages"):
                locks = self._resolve_pip(locks, failed, staging)
                self._check_size(locks[self.platform])
        return self._record(urls, locks, failed), staging

    def _stored(self, entry: CondaEntry) -> list[Path]:
        """Return the files in the store that may be a package's of a lock."""
        digests = [entry["sha256"]] if entry.get("sha256") else []
        if not digests:
            with self.workspace.database.read() as session:
                digests = kept_digests(session, entry["subdir"], entry["fn"])
        return [self.workspace.blobs.local_file(digest) for digest in digests]

    def _channel_policy(self) -> ChannelPolicy:
        return ChannelPolicy.of(self.settings, self.config.channel_alias)

    def _solve(self, channels: ChannelPolicy, urls: list[str]) -> tuple[dict[str, PlatformLock], dict[str, str]]:
        locks: dict[str, PlatformLock] = {}
        failed: dict[str, str] = {}
        wanted = [self.platform, *self.specification.platforms, *self.settings["conda_solve_platforms"]]
        options = SolveOptions(
            timeout=self.settings["conda_max_solve_time"],
            exclude_newer=self.options.moment,
            extras=EXTRAS if self._wants_extras() else (),
            any_channel=bool(self.specification.channel_priority),
        )
        with self.workspace.step("solve", "Find versions"):
            for note in self.options.notes:
                self.workspace.log(note)
            for warning in self.options.warnings:
                self.workspace.warn(warnings.SPECIFICATION, warning)
            alike = "; their packages are looked at alike" if options.any_channel else ""
            self.workspace.log(f"channels: {', '.join(urls)}{alike}")
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

    def _resolve_pip(
        self, locks: dict[str, PlatformLock], failed: dict[str, str], staging: Path
    ) -> dict[str, PlatformLock]:
        resolved = {}
        built: dict[str, PypiEntry] = {}
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
                    self.workspace.sandbox,
                    exclude_newer=moment.isoformat() if (moment := self.options.moment) else "",
                    sdists=self.settings["pypi_allow_sdists"],
                    allowed=self.settings["pypi_allowed_indexes"],
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

    def _wheels(self, packages: tuple[PypiEntry, ...], staging: Path) -> tuple[PypiEntry, ...]:
        """Build the source archives among ``packages``, and keep the wheels."""
        allowed = self.settings["pypi_allow_sdists"]
        python = staging / "bin" / "python"
        return build_sdists(
            packages,
            python,
            lambda path: self.workspace.blobs.copy(path).digest,
            self.workspace,
            self.workspace.sandbox,
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
            name=self.job.environment.name,
            channels=tuple(strip_credentials(url) for url in urls),
            platforms=locks,
            description=self.specification.description,
            variables=self.specification.variables,
            requested_conda=self.specification.dependencies,
            requested_pip=self.specification.pip,
            pip_options=self.specification.pip_options,
            failed_platforms=failed,
            channel_priority=self.specification.channel_priority,
        )
