"""Handlers know the store through protocols alone: here they stand upon one that is kept in a dictionary."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from jupyter_server.utils import url_path_join

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.paging import Filters, Page
from jupyter_envstore.errors import NotFoundError
from jupyter_envstore.kernels.kernel_specs import KernelState
from jupyter_envstore.policy.access import AccessRules, Identity
from jupyter_envstore.server.artifact_waits import ArtifactWaits
from jupyter_envstore.server.change_feed import ChangeFeed
from jupyter_envstore.server.context import SETTING, ServerContext
from jupyter_envstore.server.download_notes import DownloadNotes
from jupyter_envstore.server.identities import Identities
from jupyter_envstore.server.image_waits import ImageWaits
from jupyter_envstore.server.log_feeds import LogFeeds
from jupyter_envstore.server.registry_address import RegistryAddress, RegistryOptions
from jupyter_envstore.server.retention_plan import RetentionPlan
from jupyter_envstore.server.routes import routes
from jupyter_envstore.server.solver_service import SolverService
from jupyter_envstore.server.specification_reader import SpecificationReader
from jupyter_envstore.server.threads import Threads
from jupyter_envstore.services.interfaces import Environments, Store

ROW = {"id": 7, "name": "data", "active": True}


class Elsewhere:
    """The environments of a store that is somewhere else. A fake: three methods of the protocol, and no database."""

    def __init__(self) -> None:
        self.described: list[tuple[str, str, str, str]] = []

    def page(self, identity: Identity, filters: Filters, page: Page) -> tuple[int, list[dict[str, Any]]]:
        """Return the one environment."""
        assert identity.may("environment::read", "team", "data")
        return 1, [dict(ROW)]

    def get(self, identity: Identity, namespace: str, name: str) -> dict[str, Any]:
        """Return it, where it is called so."""
        if (namespace, name) != ("team", "data"):
            msg = f"there is no environment {namespace}/{name}"
            raise NotFoundError(msg)
        return dict(ROW)

    def describe(self, namespace: str, name: str, description: str, who: str) -> None:
        """Note it."""
        self.described.append((namespace, name, description, who))


class Access:
    """The store, which is open from the beginning."""

    def __init__(self, environments: Elsewhere, root: Path) -> None:
        self.store = cast(Store, SimpleNamespace(environments=cast(Environments, environments)))
        self.rules = AccessRules(False, "default", frozenset(), {}, {}, ())
        self.configuration = StoreConfig(str(root))

    @property
    def kernels(self) -> Any:
        """One kernel for every environment."""
        state = KernelState(("envstore-team--data",), "", ("Python",))
        return SimpleNamespace(state=lambda _: state, offer=lambda _: state.ids)

    async def ready(self) -> None:
        """It is."""


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    """A Jupyter server without the extension."""
    return {"ServerApp": {"jpserver_extensions": {}, "allow_unauthenticated_access": False}}


@pytest.fixture
def elsewhere(jp_serverapp: Any, tmp_path: Path) -> Elsewhere:
    """Handlers on that server, upon the other store."""
    environments = Elsewhere()
    access, threads = Access(environments, tmp_path), Threads()
    waits = ArtifactWaits(access, threads)
    ending = SimpleNamespace(is_set=lambda: False)
    log = logging.getLogger("test")
    jp_serverapp.web_app.settings[SETTING] = ServerContext(
        access=access,
        threads=threads,
        identities=Identities(access, threads),
        solver=SolverService(access, threads, cast(Any, ending)),
        specifications=SpecificationReader(access, threads, cast(Any, ending)),
        artifact_waits=waits,
        image_waits=ImageWaits(access, threads, waits),
        log_feeds=LogFeeds(access, threads, log),
        change_feed=ChangeFeed(),
        registry=RegistryAddress(RegistryOptions("", 0, "", "", ""), jp_serverapp.base_url),
        retention_plan=RetentionPlan(access, threads),
        download_notes=DownloadNotes(),
        api_url="/envstore/api/v1/",
        artifact_wait_seconds=1.0,
        has_terminals=False,
    )
    found = [(url_path_join(jp_serverapp.base_url, pattern), handler) for pattern, handler in routes()]
    jp_serverapp.web_app.add_handlers(".*$", found)
    return environments


async def test_handlers_answer_from_another_implementation(elsewhere: Elsewhere, jp_fetch: Callable[..., Any]) -> None:
    listed = json.loads((await jp_fetch("envstore", "api", "v1", "environment")).body)
    assert listed["count"] == 1
    kernels = {"kernels": ["envstore-team--data"], "kernel_note": None, "languages": ["Python"], "presence": None}
    assert listed["data"] == [{**ROW, **kernels}]
    shown = json.loads((await jp_fetch("envstore", "api", "v1", "environment", "team", "data")).body)
    assert shown["data"]["id"] == 7
    body = json.dumps({"description": "of the other one"})
    await jp_fetch("envstore", "api", "v1", "environment", "team", "data", method="PUT", body=body)
    ((namespace, name, description, who),) = elsewhere.described
    assert (namespace, name, description) == ("team", "data", "of the other one")
    assert who


async def test_its_errors_are_told_as_those_of_any_store(elsewhere: Elsewhere, jp_fetch: Callable[..., Any]) -> None:
    assert elsewhere.described == []
    answer = await jp_fetch("envstore", "api", "v1", "environment", "team", "other", raise_error=False)
    assert (answer.code, json.loads(answer.body)["code"]) == (404, "not_found")
