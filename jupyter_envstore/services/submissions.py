"""New builds: of a specification, of an old one's, of another's lock."""

from __future__ import annotations

import shutil
from dataclasses import replace

from jupyter_envstore import policy
from jupyter_envstore.blobs.local import StoredBlob
from jupyter_envstore.builds.options import BuildOptions
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import people
from jupyter_envstore.database import settings as settings_rows
from jupyter_envstore.database.blob_references import refer
from jupyter_envstore.database.jobs import BUILD, enqueue
from jupyter_envstore.database.models import Specification as SpecificationRow
from jupyter_envstore.database.states import ON_DEMAND
from jupyter_envstore.engine.channels import ChannelPolicy
from jupyter_envstore.engine.lockcheck import check_lock
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.errors import ConflictError, InvalidInputError, PolicyError, StorageError
from jupyter_envstore.services.base import BuildRef
from jupyter_envstore.services.lookups import Looking
from jupyter_envstore.services.settings import Keeping
from jupyter_envstore.spec import Specification, check_name
from jupyter_envstore.spec.names import DYNAMIC
from jupyter_envstore.spec.reader import check_channel


class Submitting(Looking, Keeping):
    """What makes builds."""

    def submit(
        self,
        specification: Specification,
        namespace: str,
        name: str | None,
        who: str,
        trigger: str = "submitted",
        options: BuildOptions | None = None,
    ) -> BuildRef:
        """Add a build and return at once; a scheduler starts it.

        Parameters
        ----------
        name : str or None
            Name of the environment; None for the one in the specification.
        options : BuildOptions or None
            Choices for this build alone.

        Raises
        ------
        InvalidInputError
            A name is missing or cannot be used.
        SpecificationError
            It is a lockfile that conda-lock does not accept.
        PolicyError
            The settings of the place forbid something in it.
        StorageError
            The disk is too full.
        """
        if (namespace, trigger) != (DYNAMIC, ON_DEMAND):
            check_name("namespace", namespace)
        name = name or specification.name
        if not name:
            msg = "the environment has no name: put 'name:' into the file, or give --name"
            raise InvalidInputError(msg)
        check_name("environment", name)
        options = options or BuildOptions()
        options.check()
        if specification.lockfile is not None:
            check_lock(specification.lockfile)
        self._check_space()
        told = specification.notes
        specification, notes = self.as_settings_want(specification, namespace, name)
        changed = tuple(note for note in notes if note not in told)
        options = replace(options, notes=changed, warnings=told or options.warnings)
        with self.database.write() as session:
            space = rows.ensure_namespace(session, namespace, who)
            environment = rows.ensure_environment(session, space, name, who)
            row = rows.ensure_specification(session, specification, name, who)
            before = rows.newest_specification(session, environment)
            if specification.description and (
                before is None or before.spec.get("description") != specification.description
            ):  # what people set since then stays
                environment.description = specification.description
            build = rows.add_build(session, environment, row, who, trigger, options.to_json(), specification.text)
            enqueue(session, BUILD, build.id)
            found = BuildRef(space.name, environment.name, build.number, build.id, notes)
            people.audit(session, who, "build.create", str(found), {"trigger": trigger, "build_id": build.id})
        self.scheduler.wake()
        return found

    def rebuild(self, build_id: int, who: str) -> BuildRef:
        """Build the specification of an old build again: newer versions may come of it."""
        with self.database.read() as session:
            row = rows.find_build(session, build_id)
            specification = rows.specification_of(session, row.build)
        options = self.options_of(build_id)
        place = (row.namespace.name, row.environment.name)
        return self.submit(specification, *place, who, f"rebuild of {row.build.number}", options)

    def options_of(self, build_id: int) -> BuildOptions:
        """Return the choices of a build, for another one that goes on from it."""
        with self.database.read() as session:
            return replace(BuildOptions.from_json(rows.find_build(session, build_id).build.options), notes=())

    def clone(self, source: tuple[str, str, int | None], target: tuple[str, str], who: str) -> BuildRef:
        """Build the record of a build under another name: nothing is solved, no version changes.

        Raises
        ------
        NotFoundError
            The source has no such build.
        ConflictError
            The source has no lock, or the target is there.
        PolicyError
            The settings of the target forbid something in it.
        """
        namespace, name, build_id = source
        for kind, text in zip(("namespace", "environment"), target, strict=True):
            check_name(kind, text)
        with self.database.read() as session:
            _, environment = rows.find_environment(session, namespace, name)
            build = (
                rows.build_of(session, environment, build_id)
                if build_id
                else rows.resolve_build(session, environment, None)
            )
            spec_id, text = build.specification_id, rows.specification_of(session, build).text
        record = replace(self.record(build.id), name=target[1])
        self._check_space()
        self._check_record(record, *target)
        blob = self.blobs.put(record.to_bytes())
        with self.database.write() as session:
            if settings_rows.scope_ids(session, *target)[1] is not None:
                msg = f"environment {'/'.join(target)} exists already"
                raise ConflictError(msg)
            space = rows.ensure_namespace(session, target[0], who)
            made = rows.ensure_environment(session, space, target[1], who)
            made.description = environment.description
            row = session.get_one(SpecificationRow, spec_id)
            trigger = f"clone of {namespace}/{name}:{build.number}"
            new = rows.add_build(session, made, row, who, trigger, build.options, text)
            new.record_digest, new.platform, new.package_count = blob.digest, build.platform, build.package_count
            refer(session, self.blobs, blob, f"build:{new.id}:record")
            for wheel in record.wheels:
                kept = StoredBlob(wheel["sha256"], wheel["size"])
                refer(session, self.blobs, kept, f"build:{new.id}:wheel:{kept.digest}")
            rows.copy_packages(session, build.id, new.id)
            enqueue(session, BUILD, new.id)
            found = BuildRef(space.name, made.name, new.number, new.id)
            people.audit(session, who, "build.create", str(found), {"trigger": new.trigger, "build_id": new.id})
        self.scheduler.wake()
        return found

    def _check_record(self, record: BuildRecord, namespace: str, name: str) -> None:
        """Refuse a record that the settings of a place forbid: what is built counts, not what was typed."""
        settings = self.settings_near((namespace, name))
        packages = [
            policy.LockedPackage(platform, manager, entry["name"], entry["url"], entry.get("index") or "")
            for platform, lock in record.platforms.items()
            for manager, entries in (("conda", lock.conda), ("pip", lock.pip))
            for entry in entries
        ]
        naming = ChannelPolicy.of(settings, self.config.channel_alias)
        policy.check_lock_policy(packages, settings, f"{namespace}/{name}", naming)
        for channel in record.channels:
            try:
                check_channel(channel, self.config.allow_local_files)
            except ValueError as error:
                raise PolicyError(str(error)) from None

    def describe(self, namespace: str, name: str, description: str, who: str) -> None:
        """Change the description of an environment."""
        with self.database.write() as session:
            _, environment = rows.find_environment(session, namespace, name)
            environment.description = description
            rows.changed(session, "environment", environment.id)
            people.audit(session, who, "environment.describe", f"{namespace}/{name}")

    def _check_space(self) -> None:
        wanted = int(self.settings()["storage_threshold"])
        free = shutil.disk_usage(self.config.root).free
        if free < wanted:
            msg = (
                f"{free / 1e9:.1f} GB are free on the store's disk, and a build is taken on from {wanted / 1e9:.1f} GB "
                "(storage_threshold); free some with: jupyter envstore gc"
            )
            raise StorageError(msg)

    def as_settings_want(
        self, specification: Specification, namespace: str, name: str
    ) -> tuple[Specification, tuple[str, ...]]:
        """Return the specification as the settings of its place want it, and what was changed, in words.

        Raises
        ------
        PolicyError
            They forbid something in it.
        """
        settings = self.settings_near((namespace, name))
        naming = ChannelPolicy.of(settings, self.config.channel_alias)
        return policy.apply_policy(specification, settings, f"{namespace}/{name}", naming)
