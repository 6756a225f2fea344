"""Packages of builds: listed, compared, kept."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.utils import canonicalize_name

from jupyter_envstore.builds.scheduler import Scheduler
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import kept_packages as kept
from jupyter_envstore.database import listings as listing
from jupyter_envstore.database import people
from jupyter_envstore.database.connection import Database
from jupyter_envstore.database.jobs import KEEP
from jupyter_envstore.database.models import Package
from jupyter_envstore.database.paging import Page
from jupyter_envstore.database.states import COMPLETED, KEEPING
from jupyter_envstore.engine.package_cache import in_cache
from jupyter_envstore.engine.package_list import ListedPackage, contents, requested_names
from jupyter_envstore.engine.package_metadata import about_package, about_wheel
from jupyter_envstore.errors import ConflictError, InvalidInputError, NotFoundError
from jupyter_envstore.representation import conda_store
from jupyter_envstore.representation.builds import KeptPackages, kept_view
from jupyter_envstore.representation.conda_store_types import PackageJson
from jupyter_envstore.representation.packages import PackageChange, package_diff
from jupyter_envstore.services.builds import Builds
from jupyter_envstore.services.records import BuildRecords
from jupyter_envstore.spec.lock_entries import CondaEntry
from jupyter_envstore.spec.package_editing import pip_name
from jupyter_envstore.spec.pip_lines import without_hashes


class Packages:
    """What builds consist of."""

    def __init__(
        self, config: StoreConfig, database: Database, scheduler: Scheduler, builds: Builds, records: BuildRecords
    ) -> None:
        self._config = config
        self._database = database
        self._scheduler = scheduler
        self._builds = builds
        self._records = records

    def of_build(self, build_id: int) -> list[ListedPackage]:
        """Return the packages of a build, what was asked for, and what needs the others.

        Raises
        ------
        ConflictError
            The build has no lock yet.
        """
        with self._database.read() as session:
            platform = rows.find_build(session, build_id).build.platform
        return contents(self._records.read(build_id), platform)

    def page(self, build_id: int, search: str, exact: bool, build: str, page: Page) -> tuple[int, list[PackageJson]]:
        """Return the packages of a build."""
        with self._database.read() as session:
            count, found = listing.list_packages(session, build_id, search, exact, build, page)
        return count, [conda_store.package_json(package) for package in found]

    def about(self, build_id: int, package: str, manager: str) -> dict[str, str]:
        """Return what a package of a build says of itself; what is not known is empty.

        Raises
        ------
        NotFoundError
            The build has no such package.
        InvalidInputError
            ``manager`` is neither conda nor pip.
        """
        if manager not in ("conda", "pip"):
            msg = f"manager {manager[:60]!r} must be conda or pip"
            raise InvalidInputError(msg)
        with self._database.read() as session:
            row = rows.find_build(session, build_id)
        build = row.build
        lock = self._records.read(build_id).lock(build.platform)
        for entry in lock.conda if manager == "conda" else ():
            if entry["name"] == package.lower():
                return about_package(self._config.packages / "conda", entry)
        for wheel in lock.pip if manager == "pip" else ():
            if canonicalize_name(wheel["name"]) == canonicalize_name(package):
                return about_wheel(self._config.builds / build.directory, wheel)
        msg = f"build {row} has no {manager[:20]} package {package[:100]}"
        raise NotFoundError(msg)

    def diff(self, first: int, second: int) -> list[PackageChange]:
        """Return what changed from one build to another: packages added, removed, changed; first what was asked for.

        Raises
        ------
        ConflictError
            One of them has no lock.
        """
        with self._database.read() as session:
            for row in (rows.find_build(session, first), rows.find_build(session, second)):
                if not row.build.record_digest:
                    msg = f"build {row} is {row.build.status} and has no lock to compare"
                    raise ConflictError(msg)
            before = rows.list_packages(session, first)
            after = rows.list_packages(session, second)
        asked = requested_names(self._records.read(first)) | requested_names(self._records.read(second))

        def is_asked(change: PackageChange) -> bool:
            name = pip_name(change["name"]) if change["manager"] == "pip" else change["name"]
            return (change["manager"], name) in asked

        return sorted(package_diff(before, after), key=is_asked, reverse=True)

    def changes_against(
        self, namespace: str, name: str, records: Sequence[CondaEntry], pip: Sequence[str] = ()
    ) -> list[PackageChange]:
        """Return what packages found by a solve would change in the active build; all are new without one.

        Parameters
        ----------
        pip : sequence of str
            What is asked for from PyPI. Versions are not found here, so of these it is told which come and go.
        """
        asked: tuple[str, ...] = ()
        try:
            build_id = self._builds.find(namespace, name).id
        except NotFoundError:
            before = []
        else:
            with self._database.read() as session:
                before = rows.list_packages(session, build_id)
                if rows.find_build(session, build_id).build.record_digest:
                    asked = self._records.read(build_id).requested_pip
        after = [Package(manager="conda", name=r["name"], version=r["version"], build=r["build"]) for r in records]
        changes = package_diff([package for package in before if package.manager == "conda"], after)
        had = {pip_name(package.name): package.version for package in before if package.manager == "pip"}
        wanted = {pip_name(line): without_hashes(line) for line in pip}
        for key in sorted(wanted.keys() - had.keys()):
            changes.append({"change": "added", "manager": "pip", "name": key, "from": "", "to": wanted[key]})
        for key in sorted({pip_name(line) for line in asked} & had.keys() - wanted.keys()):
            changes.append({"change": "removed", "manager": "pip", "name": key, "from": had[key], "to": ""})
        return changes

    def bytes_to_download(self, records: Sequence[CondaEntry]) -> int:
        """Return the bytes of those packages that the cache does not hold."""
        cache = self._config.packages / "conda"
        return sum(int(record.get("size") or 0) for record in records if not in_cache(record, cache))

    def keep(self, build_id: int, wanted: bool, who: str = "") -> None:
        """Store the files of a build's packages, in the background, or let them go; either way, the setting rests.

        Asked for again, what is stored is checked, and what was missing or damaged is fetched anew.

        Raises
        ------
        ConflictError
            The build never completed, so there is nothing to keep.
        """
        if not wanted:
            self._scheduler.cancel(build_id, kind=KEEP)
        with self._database.write() as session:
            row = rows.find_build(session, build_id)
            build = row.build
            if wanted and (build.status != COMPLETED or not build.record_digest):
                msg = f"build {row} is {build.status}; only a completed build can be kept with its packages"
                raise ConflictError(msg)
            build.keep_packages = wanted
            if wanted:
                kept.request_keeping(session, build)
            else:
                kept.drop_kept(session, build)
            rows.changed(session, "build", build_id)
            verb = "build.keep-packages" if wanted else "build.release-packages"
            people.audit(session, who, verb, f"build:{build_id}")
        self._scheduler.wake()

    def kept(self, build_id: int) -> KeptPackages:
        """Return what is kept of a build, and what could not be had."""
        with self._database.read() as session:
            build = rows.find_build(session, build_id).build
            files = kept.kept_of(session, build_id)
            shared = kept.shared_bytes(session, build_id)
        return {
            **kept_view(build),
            "shared": shared if build.keep_state != KEEPING else 0,
            "packages": sum(file.digest is not None for file in files),
            "missing_packages": [
                {"name": file.name, "manager": file.manager, "filename": file.filename, "reason": file.reason}
                for file in files
                if file.digest is None
            ],
        }
