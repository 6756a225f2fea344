"""Images on demand: builds that a pull asks for, used again while they are fresh."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta

from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import images
from jupyter_envstore.database.connection import Database, Session, now
from jupyter_envstore.database.states import ON_DEMAND
from jupyter_envstore.errors import NotFoundError, QuotaError
from jupyter_envstore.services.builds import Builds
from jupyter_envstore.services.environments import Environments
from jupyter_envstore.services.settings import Settings
from jupyter_envstore.services.values import BuildRef
from jupyter_envstore.spec import read_specification
from jupyter_envstore.spec.dynamic_images import DynamicImage, parse_dynamic
from jupyter_envstore.spec.names import DYNAMIC

IN_ALL = 10
"""All users together may have this many times what one may."""

AGAIN_SECONDS = 30
"""How long the reason of a build that failed is told before it is tried again."""

LEFT_ALONE = timedelta(days=1)
"""How long an image that is not fresh any more is kept for who is pulling it."""


class DynamicImages:
    """What pulls from ``conda-store-dynamic`` ask for."""

    def __init__(self, database: Database, settings: Settings, builds: Builds, environments: Environments) -> None:
        self._database = database
        self._settings = settings
        self._builds = builds
        self._environments = environments

    def parse(self, repository: str) -> DynamicImage:
        """Return what a repository's name asks for, as the settings read it.

        Raises
        ------
        InvalidInputError
            It has another form.
        """
        return parse_dynamic(repository, self._settings.effective()["dynamic_bounds"] == "strict")

    def build(self, image: DynamicImage, who: str, may_create: bool) -> int | None:
        """Return the id of a build of an image: one that is fresh or under way, or a new one.

        ``may_create`` says whether ``who`` may have one made; None where nothing is there and they may not.

        Raises
        ------
        QuotaError
            They, or all together, have as many images as the settings allow.
        """
        settings = self._settings.effective()
        fresh_since = now() - timedelta(hours=settings["dynamic_fresh_hours"])

        def known(session: Session) -> int | None:
            failed_since = now() - timedelta(seconds=AGAIN_SECONDS)
            return images.usable_build(session, DYNAMIC, image.name, fresh_since, failed_since)

        def known_or_allowed(session: Session) -> BuildRef | None:
            """Look once more where nobody comes between: another server may have been asked at the same time."""
            if (found := known(session)) is not None:
                row = rows.find_build(session, found)
                return BuildRef(row.namespace.name, row.environment.name, row.build.number, found, is_new=False)
            self._check_limit(session, who, fresh_since, settings["dynamic_limit"])
            return None

        with self._database.read() as session:
            found = known(session)
        if found is not None or not may_create:
            return found
        specification = read_specification(image.text)
        return self._builds.submit(specification, DYNAMIC, image.name, who, ON_DEMAND, instead=known_or_allowed).id

    @staticmethod
    def _check_limit(session: Session, who: str, fresh_since: datetime, limit: int) -> None:
        mine, everybody = images.count_fresh(session, DYNAMIC, who, fresh_since)
        if mine >= limit or everybody >= limit * IN_ALL:
            owner = f"you have {mine}" if mine >= limit else f"there are {everybody}"
            msg = (
                f"{owner} images on demand, which is the limit (dynamic_limit); delete one, or wait until some are old"
            )
            raise QuotaError(msg)

    def forget_old(self) -> list[str]:
        """Delete images on demand that nobody would be given any more; return their names."""
        hours = self._settings.effective()["dynamic_fresh_hours"]
        with self._database.read() as session:
            old = images.stale_environments(session, DYNAMIC, now() - timedelta(hours=hours) - LEFT_ALONE)
        gone = []
        for name in old:
            with contextlib.suppress(NotFoundError):  # another server has just deleted it
                self._environments.delete(DYNAMIC, name, "retention", at_once=True)
                gone.append(name)
        return gone
