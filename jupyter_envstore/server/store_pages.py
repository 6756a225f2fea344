"""Pages of a store that runs alone: what is in it, for people without JupyterLab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from jupyter_envstore.database.paging import Filters, Page
from jupyter_envstore.database.states import ABSENT, COMPLETED, DROPPED, READY, UNSETTLED
from jupyter_envstore.errors import NotFoundError
from jupyter_envstore.server.artifacts import is_shown, with_address
from jupyter_envstore.server.base import EnvStoreHandler, route
from jupyter_envstore.server.pages import error_page_of, login_url_of, page_of
from jupyter_envstore.server.request_reader import MAX_ID
from jupyter_envstore.spec.wording import counted, human_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_envstore.representation.artifacts import ArtifactView
    from jupyter_envstore.representation.builds import BuildView
    from jupyter_envstore.representation.conda_store_types import EnvironmentJson

HTML = "text/html; charset=utf-8"
ROWS = 50
"""Environments on a page, and builds of one."""
WORDS = {"yaml": "Show yml file", "lockfile": "Show lockfile", "archive": "Download archive", "docker": "Docker image"}
"""What links to artifacts are called, as conda-store calls them."""
MADE_AGAIN = (ABSENT, DROPPED, "failed")


@dataclass(frozen=True)
class ShownBuild:
    """A build as a page shows it: moments and sizes in words."""

    id: int
    number: int
    status: str
    reason: str
    active: bool
    packed_away: bool
    made: str
    who: str
    size: str
    facts: str
    is_shown: bool


@dataclass(frozen=True)
class ShownArtifact:
    """An artifact as a page shows it; ``url`` and ``address`` (of an image) are empty where there are none."""

    kind: str
    title: str
    words: str
    url: str
    address: str
    size: str
    state: str
    told: str
    can_be_made: bool


@dataclass(frozen=True)
class ShownEnvironment:
    """An environment as the list shows it: ``place`` is its part of an address."""

    name: str
    place: str
    build: str
    status: str
    made: str
    size: str
    description: str


class StorePageHandler(EnvStoreHandler):
    """Base of the pages: who is not known is sent to log in, and errors are pages too."""

    def get_login_url(self) -> str:
        """Return the page to log in at."""
        return login_url_of(self)

    def write_error(self, status_code: int, **keywords: Any) -> None:
        """Render an error as a page."""
        page = error_page_of(self, status_code, keywords.get("exc_info", (None, None))[1])
        self.finish(page, set_content_type=HTML)

    def is_known(self) -> bool:
        """Whether it is known who asks; who is not is sent to log in."""
        if not self.identity.authenticated:
            self.redirect(self.get_login_url())
            return False
        self.xsrf_token  # noqa: B018 - sets the cookie that the page sends back
        return True


class EnvironmentsPageHandler(StorePageHandler):
    """``envstore/``"""

    async def get(self) -> None:
        """List the environments that one may see."""
        if not self.is_known():
            return
        search, number = self.text_argument("search"), self.whole_number("page", 1, 1, MAX_ID)
        filters = Filters(visible=self.identity.visible(), search=search)
        page = Page(number, ROWS, ("namespace", "name"))
        count, found = await self.run(self.store.environments.page, self.identity, filters, page)

        def address(of: int) -> str:
            return f"?{urlencode({'search': search, 'page': of})}"

        values = {
            "count": counted(count, "environment"),
            "earlier": address(number - 1) if number > 1 else "",
            "later": address(number + 1) if number * ROWS < count else "",
            "person": self.identity.name,
            "rows": [_environment(row) for row in found],
            "search": search,
        }
        self.send_text(page_of(self, "environments.html", **values), HTML)


class EnvironmentPageHandler(StorePageHandler):
    """``envstore/environment/{namespace}/{name}/``"""

    async def get(self, namespace: str, name: str) -> None:
        """Show one environment, one of its builds (``build``, else the active one), and what is made of that."""
        if not self.is_known():
            return
        self.check_place(namespace, name)
        self.require("environment::read", namespace, name)
        found = await self.run(self.store.environments.get, self.identity, namespace, name)
        builds = await self.run(self.store.builds.of_environment, namespace, name)
        builds = sorted(builds, key=lambda build: -build["number"])
        chosen = self._chosen(builds)
        artifacts: list[ShownArtifact] = []
        if chosen is not None and chosen["status"] == COMPLETED:
            artifacts = await self._artifacts(chosen["id"], "environment::update" in found["permissions"])
        number = chosen["number"] if chosen else 0
        values = {
            "artifacts": artifacts,
            "build": None if chosen is None else _build(chosen, number),
            "builds": [_build(build, number) for build in builds[:ROWS]],
            "description": found["description"],
            "is_running": chosen is not None and chosen["status"] in UNSETTLED,
            "more": max(0, len(builds) - ROWS),
            "name": f"{found['namespace']['name']}/{found['name']}",
        }
        self.send_text(page_of(self, "environment.html", **values), HTML)

    def _chosen(self, builds: Sequence[BuildView]) -> BuildView | None:
        """Return the build that the query names; else the active one, else the newest."""
        number = self.whole_number("build", 0, 0, MAX_ID)
        if not number:
            return next((build for build in builds if build["active"]), builds[0] if builds else None)
        named = next((build for build in builds if build["number"] == number), None)
        if named is None:
            msg = f"there is no build {number} of this environment"
            raise NotFoundError(msg)
        return named

    async def _artifacts(self, build_id: int, may_make: bool) -> list[ShownArtifact]:
        try:
            host = self.context.registry.host(self.request)
            image = await self.run(self.store.images.address, build_id, host)
        except NotFoundError:  # no registry can be reached
            image = ""
        found = await self.run(self.store.artifacts.of_build, build_id)
        return [
            _artifact(view, build_id, self.context.api_url, image, may_make) for view in found if not view["variant"]
        ]


def _environment(row: EnvironmentJson) -> ShownEnvironment:
    build = row["current_build"] or row["newest_build"]
    newest = row["newest_build_status"] or ""
    namespace, name = row["namespace"]["name"], row["name"]
    return ShownEnvironment(
        f"{namespace}/{name}",
        f"{quote(namespace, safe='')}/{quote(name, safe='')}",
        str(build["number"]) if build else "",
        newest if newest != COMPLETED else "",
        _day(build["ended_on"] or build["scheduled_on"]) if build else "",
        human_size(build["size"]) if build and build["size"] else "",
        row["description"],
    )


def _build(build: BuildView, shown: int) -> ShownBuild:
    facts = (
        [counted(build["packages"], "package"), human_size(build["size"]), build["platform"]] if build["size"] else []
    )
    return ShownBuild(
        build["id"],
        build["number"],
        build["status"],
        build["reason"] if build["status"] != COMPLETED else "",
        build["active"],
        build["packed_away"],
        _day(build["scheduled_on"]),
        build["created_by"],
        human_size(build["size"]) if build["size"] else "",
        ", ".join([*facts, f"asked for by {build['created_by']} on {_day(build['scheduled_on'])} (UTC)"]),
        build["number"] == shown,
    )


def _artifact(view: ArtifactView, build_id: int, api_url: str, image: str, may_make: bool) -> ShownArtifact:
    kind, state = view["type"], view["state"]
    is_ready = state == READY
    address = image if kind == "docker" and is_ready else ""
    url = with_address(view, api_url, build_id)["url"] if is_ready else ""
    words = WORDS.get(kind) or f"{'Show' if is_shown(kind, view['media_type']) else 'Download'} {view['title'].lower()}"
    if kind == "docker":
        url, words = (f"{url}?download=true", "Download Docker image") if is_ready else ("", WORDS[kind])
    told = {READY: "ready", ABSENT: "not made yet", DROPPED: "was freed, and can be made again"}.get(state, state)
    return ShownArtifact(
        kind,
        view["title"],
        words,
        url,
        address,
        human_size(view["size"]) if is_ready else "",
        state,
        f"{told}: {view['reason']}" if view["reason"] else told,
        may_make and state in MADE_AGAIN and not (state == ABSENT and bool(view["reason"])),
    )


def _day(moment: str | None) -> str:
    """Return date and time without seconds."""
    return (moment or "")[:16].replace("T", " ")


ROUTES = [
    ("/envstore/?", EnvironmentsPageHandler),
    (f"/envstore/{route('environment/{namespace}/{name}/')}", EnvironmentPageHandler),
]
