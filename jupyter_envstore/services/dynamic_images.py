"""Images on demand: builds that a pull asks for, used again while they are fresh."""

from __future__ import annotations

from datetime import timedelta

from jupyter_envstore.database import images
from jupyter_envstore.database.connection import Database, now
from jupyter_envstore.database.states import ON_DEMAND
from jupyter_envstore.errors import QuotaError
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
        with self._database.read() as session:
            known = images.usable_build(
                session, DYNAMIC, image.name, fresh_since, now() - timedelta(seconds=AGAIN_SECONDS)
            )
            mine, everybody = images.count_fresh(session, DYNAMIC, who, fresh_since)
        if known is not None:
            return known
        if not may_create:
            return None
        limit = settings["dynamic_limit"]
        if mine >= limit or everybody >= limit * IN_ALL:
            owner = f"you have {mine}" if mine >= limit else f"there are {everybody}"
            msg = (
                f"{owner} images on demand, which is the limit (dynamic_limit); delete one, or wait until some are old"
            )
            raise QuotaError(msg)
        found: BuildRef = self._builds.submit(read_specification(image.text), DYNAMIC, image.name, who, ON_DEMAND)
        return found.id

    def forget_old(self) -> list[str]:
        """Delete images on demand that nobody would be given any more; return their names."""
        hours = self._settings.effective()["dynamic_fresh_hours"]
        with self._database.read() as session:
            old = images.stale_environments(session, DYNAMIC, now() - timedelta(hours=hours) - LEFT_ALONE)
        for name in old:
            self._environments.delete(DYNAMIC, name, "retention", at_once=True)
        return old
