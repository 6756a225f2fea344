"""Builds kept with their packages: asked for, looked at, let go."""

from __future__ import annotations

from typing import Any

from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import kept_packages as kept
from jupyter_envstore.database import people
from jupyter_envstore.database.jobs import KEEP
from jupyter_envstore.database.states import COMPLETED, KEEPING
from jupyter_envstore.errors import ConflictError
from jupyter_envstore.representation.rest import kept_json
from jupyter_envstore.services.base import OpenStore


class Kept(OpenStore):
    """The files of packages, as long as somebody keeps them."""

    def keep_packages(self, build_id: int, wanted: bool, who: str = "") -> None:
        """Store the files of a build's packages, in the background, or let them go; either way, the setting rests.

        Asked for again, what is stored is checked, and what was missing or damaged is fetched anew.

        Raises
        ------
        ConflictError
            The build never completed, so there is nothing to keep.
        """
        if not wanted:
            self.scheduler.cancel(build_id, kind=KEEP)
        with self.database.write() as session:
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
        self.scheduler.wake()

    def kept(self, build_id: int) -> dict[str, Any]:
        """Return what is kept of a build, and what could not be had."""
        with self.database.read() as session:
            build = rows.find_build(session, build_id).build
            files = kept.kept_of(session, build_id)
            shared = kept.shared_bytes(session, build_id)
        return {
            **kept_json(build),
            "shared": shared if build.keep_state != KEEPING else 0,
            "packages": sum(file.digest is not None for file in files),
            "missing_packages": [
                {"name": file.name, "manager": file.manager, "filename": file.filename, "reason": file.reason}
                for file in files
                if file.digest is None
            ],
        }
