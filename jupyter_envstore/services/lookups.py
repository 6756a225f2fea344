"""Everything that only looks."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from jupyter_envstore.builds.deletion import is_gone
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database.jobs import unfinished_jobs
from jupyter_envstore.database.models import Build, Package
from jupyter_envstore.database.models import Specification as SpecificationRow
from jupyter_envstore.database.states import COMPLETED, PREFIX_PRESENT, UNSETTLED
from jupyter_envstore.database.warnings import warnings_of
from jupyter_envstore.engine.package_cache import in_cache
from jupyter_envstore.engine.package_list import contents, requested_names
from jupyter_envstore.engine.package_metadata import about_package, about_wheel
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.errors import ConflictError, EnvStoreError, InvalidInputError, NotFoundError
from jupyter_envstore.representation import views
from jupyter_envstore.services.base import BuildRef, OpenStore
from jupyter_envstore.spec.package_editing import pip_name
from jupyter_envstore.spec.pip_lines import without_hashes


@dataclass(frozen=True)
class LogMark:
    """How much of a log was seen: the last piece, the blob before it, and bytes in all."""

    chunk: int = 0
    digest: str | None = None
    seen: int = 0


class Looking(OpenStore):
    """What is there."""

    def find(self, namespace: str, name: str, build: str | None = None) -> BuildRef:
        """Return a build by number or key; without one the active build, or the newest.

        Raises
        ------
        NotFoundError
            There is no such environment or build.
        """
        with self.database.read() as session:
            space, environment = rows.find_environment(session, namespace, name)
            found = rows.resolve_build(session, environment, build)
            return BuildRef(space.name, environment.name, found.number, found.id)

    def environments(self, namespace: str | None = None) -> list[dict[str, Any]]:
        """Return all environments, or those of a namespace."""
        with self.database.read() as session:
            return [views.environment_view(*row) for row in rows.list_environments(session, namespace)]

    def builds(self, namespace: str, name: str) -> list[dict[str, Any]]:
        """Return the builds of an environment, newest first."""
        with self.database.read() as session:
            _, environment = rows.find_environment(session, namespace, name)
            current = environment.current_build_id
            return [views.build_view(build, build.id == current) for build in rows.list_builds(session, environment.id)]

    def show(self, build_id: int) -> dict[str, Any]:
        """Return all about a build: states, steps, prefix, artifacts."""
        with self.database.read() as session:
            row = rows.find_build(session, build_id)
            artifacts = rows.list_artifacts(session, build_id)
            steps = rows.list_steps(session, build_id)
            warnings = warnings_of(session, build_id) if row.build.warning_count else []
            channels = rows.channels_of(session, build_id)
        return views.full_view(row, artifacts, steps, warnings, channels, self.config.builds)

    def text(self, build_id: int) -> str:
        """Return the specification as it was typed."""
        with self.database.read() as session:
            return rows.specification_of(session, rows.find_build(session, build_id).build).text

    def record(self, build_id: int) -> BuildRecord:
        """Return the build record.

        Raises
        ------
        ConflictError
            The build did not get that far.
        """
        with self.database.read() as session:
            row = rows.find_build(session, build_id)
        if not row.build.record_digest:
            msg = f"build {row} is {row.build.status} and has no lock"
            raise ConflictError(msg)
        return BuildRecord.from_bytes(self.blobs.read(row.build.record_digest))

    def failed_platforms(self, build_id: int) -> dict[str, str]:
        """Return the platforms that a build could not be locked for, each with the reason; none before its lock."""
        with self.database.read() as session:
            build = rows.find_build(session, build_id).build
        return dict(self.record(build_id).failed_platforms) if build.record_digest else {}

    def locked_platforms(self, build_id: int) -> dict[str, str | None]:
        """Return the platforms that a build is locked for (None), or why it is not; none before its lock."""
        with self.database.read() as session:
            if not rows.find_build(session, build_id).build.record_digest:
                return {}
        try:
            record = self.record(build_id)
        except (EnvStoreError, OSError, ValueError):  # what else is known of the build can be told without it
            return {}
        return {**dict.fromkeys(record.platforms), **record.failed_platforms}

    def contents(self, build_id: int) -> list[dict[str, Any]]:
        """Return the packages of a build, what was asked for, and what needs the others.

        Raises
        ------
        ConflictError
            The build has no lock yet.
        """
        with self.database.read() as session:
            platform = rows.find_build(session, build_id).build.platform
        return contents(self.record(build_id), platform)

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
        with self.database.read() as session:
            row = rows.find_build(session, build_id)
        build = row.build
        lock = self.record(build_id).lock(build.platform)
        for entry in lock.conda if manager == "conda" else ():
            if entry["name"] == package.lower():
                return about_package(self.config.packages / "conda", entry)
        for entry in lock.pip if manager == "pip" else ():
            if canonicalize_name(entry["name"]) == canonicalize_name(package):
                return about_wheel(self.config.builds / build.directory, entry)
        msg = f"build {row} has no {manager[:20]} package {package[:100]}"
        raise NotFoundError(msg)

    def log(self, build_id: int) -> str:
        """Return the log so far."""
        with self.database.read() as session:
            build = self._with_log(session, build_id)
            text = zlib.decompress(self.blobs.read(build.log_digest)).decode() if build.log_digest else ""
            return text + "".join(chunk.text for chunk in rows.log_chunks(session, build_id))

    def _with_log(self, session: Any, build_id: int) -> Build:
        build = rows.find_build(session, build_id, deleted=True).build
        if build.deleted_on is not None and (not build.log_digest or is_gone(self.config, session, build, "logs")):
            msg = f"there is no build {build_id}"
            raise NotFoundError(msg)
        return build

    def log_since(self, build_id: int, mark: LogMark | None = None) -> tuple[bytes, LogMark, bool]:
        """Return what the log has behind a mark, the new mark, and whether more may come.

        Pieces of a log become one blob now and then; the mark holds how many bytes were seen: none is told twice.
        """
        mark = mark or LogMark()
        with self.database.read() as session:
            digest = self._with_log(session, build_id).log_digest
            busy = bool(unfinished_jobs(session, build_id))
            found = rows.log_chunks(session, build_id, mark.chunk if digest == mark.digest else 0)
            text = "".join(row.text for row in found).encode()
            if digest != mark.digest and digest:
                text = (zlib.decompress(self.blobs.read(digest)) + text)[mark.seen :]
        same = mark.chunk if digest == mark.digest else 0  # SQLite gives numbers of deleted rows to new ones
        last = found[-1].id if found else same
        return text, LogMark(last, digest, mark.seen + len(text)), busy

    def changes_against(
        self, namespace: str, name: str, records: Sequence[dict[str, Any]], pip: Sequence[str] = ()
    ) -> list[dict[str, str]]:
        """Return what packages found by a solve would change in the active build; all are new without one.

        Parameters
        ----------
        pip : sequence of str
            What is asked for from PyPI. Versions are not found here, so of these it is told which come and go.
        """
        asked: tuple[str, ...] = ()
        try:
            build_id = self.find(namespace, name).id
        except NotFoundError:
            before = []
        else:
            with self.database.read() as session:
                before = rows.list_packages(session, build_id)
                if rows.find_build(session, build_id).build.record_digest:
                    asked = self.record(build_id).requested_pip
        fields = ("name", "version", "build")
        after = [Package(manager="conda", **{key: record[key] for key in fields}) for record in records]
        changes = views.package_diff([package for package in before if package.manager == "conda"], after)
        had = {pip_name(package.name): package.version for package in before if package.manager == "pip"}
        wanted = {pip_name(line): without_hashes(line) for line in pip}
        for key in sorted(wanted.keys() - had.keys()):
            changes.append({"change": "added", "manager": "pip", "name": key, "from": "", "to": wanted[key]})
        for key in sorted({pip_name(line) for line in asked} & had.keys() - wanted.keys()):
            changes.append({"change": "removed", "manager": "pip", "name": key, "from": had[key], "to": ""})
        return changes

    def bytes_to_download(self, records: Sequence[dict[str, Any]]) -> int:
        """Return the bytes of those packages that the cache does not hold."""
        cache = self.config.packages / "conda"
        return sum(int(record.get("size") or 0) for record in records if not in_cache(record, cache))

    def diff(self, first: int, second: int) -> list[dict[str, str]]:
        """Return what changed from one build to another: packages added, removed, changed; first what was asked for.

        Raises
        ------
        ConflictError
            One of them has no lock.
        """
        with self.database.read() as session:
            for row in (rows.find_build(session, first), rows.find_build(session, second)):
                if not row.build.record_digest:
                    msg = f"build {row} is {row.build.status} and has no lock to compare"
                    raise ConflictError(msg)
            before = rows.list_packages(session, first)
            after = rows.list_packages(session, second)
        asked = requested_names(self.record(first)) | requested_names(self.record(second))

        def is_asked(change: dict[str, str]) -> bool:
            name = pip_name(change["name"]) if change["manager"] == "pip" else change["name"]
            return (change["manager"], name) in asked

        return sorted(views.package_diff(before, after), key=is_asked, reverse=True)

    def prefix(self, build_id: int) -> Path:
        """Return the prefix of a build.

        Raises
        ------
        ConflictError
            It is not there.
        """
        with self.database.read() as session:
            row = rows.find_build(session, build_id)
        if row.build.prefix_state != PREFIX_PRESENT:
            name = f"{row.namespace.name}/{row.environment.name}:{row.build.number}"
            done = row.build.status == COMPLETED
            what = f"packed away; bring it back: jupyter envstore restore {name}" if done else row.build.status
            msg = f"{name} is {what}"
            raise ConflictError(msg)
        return self.config.builds / row.build.directory

    def busy(self, build_id: int) -> bool:
        """Whether work on a build is queued or runs."""
        with self.database.read() as session:
            return bool(unfinished_jobs(session, build_id))

    def newest_specification(self, namespace: str, name: str) -> tuple[str | None, int | None]:
        """Return the hash of what the newest build was made of, and the build's id while it is queued or runs.

        Both are of one moment. The hash is None where there is no build, or where it did not work.
        """
        with self.database.read() as session:
            try:
                _, environment = rows.find_environment(session, namespace, name)
            except NotFoundError:
                return None, None
            builds = rows.list_builds(session, environment.id)
            if not builds or builds[0].status not in (COMPLETED, *UNSETTLED):
                return None, None
            digest = session.get_one(SpecificationRow, builds[0].specification_id).sha256
            return digest, builds[0].id if builds[0].status in UNSETTLED else None
