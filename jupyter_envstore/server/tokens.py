"""Who one is, what one may, one's tokens; what was done by whom."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from jupyter_envstore.database.paging import Page
from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.policy.access import ROLES
from jupyter_envstore.representation import conda_store, moments
from jupyter_envstore.server.base import EnvStoreHandler
from jupyter_envstore.server.request_reader import MAX_ID

LONGEST_HOURS = 24 * 7
"""How long a token for a kernel holds at most, in hours."""


def own_command(*options: str) -> list[str]:
    """Return how a store is worked with in a terminal of this server, whatever its ``PATH``."""
    program = Path(sys.executable).with_name("jupyter-envstore")
    return [str(program) if program.exists() else "jupyter-envstore", *options]


class VersionHandler(EnvStoreHandler):
    """``/``"""

    async def get(self) -> None:
        """Show the version."""
        from jupyter_envstore import __version__

        self.answer({"version": __version__})


class PermissionHandler(EnvStoreHandler):
    """``permission/``"""

    async def get(self) -> None:
        """Show who the caller is and may; each namespace by its own key too, since conda-store-ui looks for that."""
        identity = self.identity
        primary = identity.primary_namespace
        _, spaces = await self.run(self.store.namespaces.page, identity, Page(size=1000))
        entities = list(dict.fromkeys([*identity.bindings, f"{primary}/*", *(f"{row['name']}/*" for row in spaces)]))
        permissions = {entity: sorted(identity.permissions(*entity.split("/"))) for entity in entities}
        self.answer(
            {
                "authenticated": identity.authenticated,
                "username": identity.name or None,
                "primary_namespace": primary,
                "entity_permissions": {entity: found for entity, found in permissions.items() if found},
                "entity_roles": {entity: list(roles) for entity, roles in identity.bindings.items()},
                "expiration": moments.expiration_json(identity.expires_on),
                "command": own_command("--root", self.store.config.root_dir)
                if identity.authenticated and self.context.has_terminals
                else None,
            }
        )


class UsageHandler(EnvStoreHandler):
    """``usage/``"""

    async def get(self) -> None:
        """Show environments, builds and bytes of the namespaces that the caller may read."""
        self.answer(await self.run(self.store.namespaces.usage, self.identity))


class TokensHandler(EnvStoreHandler):
    """``token/``"""

    async def get(self) -> None:
        """List one's tokens; their texts were shown once and are not kept."""
        self.require_login()
        self.answer(await self.run(self.store.tokens.of_person, self.identity))

    async def post(self) -> None:
        """Make one. conda-store's client sends ``exp`` for ``expiration``, and empty bindings for all of one's own."""
        self.require_login()
        body = self.json_body(("name", "primary_namespace", "expiration", "exp", "role_bindings"))
        ends = moments.read_moment(
            body.get("exp") if body.get("expiration") is None else body["expiration"], "expiration"
        )
        token, view = await self.run(
            self.store.tokens.make,
            self.identity,
            self.field(body, "name", str, ""),
            self.field(body, "primary_namespace", str, "") or None,
            body.get("role_bindings"),
            ends,
        )
        self.answer({"token": token, **view})


class KernelTokenHandler(EnvStoreHandler):
    """``token/kernel/``"""

    async def post(self) -> None:
        """Make a token for a kernel that one starts elsewhere: it may look, download and build where one may."""
        self.require_login()
        hours = self.json_body(("hours",)).get("hours", LONGEST_HOURS)
        if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours <= LONGEST_HOURS:
            msg = f"'hours' must be a number above 0 and at most {LONGEST_HOURS}"
            raise InvalidInputError(msg)
        token = await self.run(self.store.tokens.for_kernel, self.identity, timedelta(hours=hours))
        self.answer({"token": token or None})


class TokenHandler(EnvStoreHandler):
    """``token/{token_id}/``"""

    async def delete(self, token_id: str) -> None:
        """Revoke one."""
        self.require_login()
        number = self.read_id(token_id, "token")
        await self.run(self.store.tokens.revoke, self.identity, number)
        self.acknowledge()


class RolesHandler(EnvStoreHandler):
    """``roles/``"""

    async def get(self) -> None:
        """List the roles and what each permits."""
        self.answer({role: sorted(permissions) for role, permissions in ROLES.items()})


class SpaceHandler(EnvStoreHandler):
    """``space/``"""

    async def get(self) -> None:
        """Show how full the store's disk is; for admins of everything, with ``plan``, what could be freed."""
        self.require_login()
        space = await self.run(self.store.retention.space)
        if not self.flag("plan"):
            self.answer(space)
            return
        self.require("setting::update", "*")
        self.answer({**space, "plan": conda_store.plan_json(await self.context.retention_plan.show())})

    async def post(self) -> None:
        """Free what the retention settings do not want kept."""
        self.require("setting::update", "*")
        self.json_body(())
        plan = await self.context.retention_plan.carry_out(self.identity.name)
        self.answer({**await self.run(self.store.retention.space), "plan": conda_store.plan_json(plan)})


class AuditHandler(EnvStoreHandler):
    """``audit/``"""

    async def get(self) -> None:
        """List what was done, for admins of everything."""
        self.require("setting::update", "*")
        after = self.whole_number("after", 0, 0, MAX_ID)
        size = self.whole_number("size", 100, 1, 1000)
        who, verb = self.text_argument("who"), self.text_argument("verb")
        self.answer(await self.run(self.store.audit.entries, after, size, who, verb))


ROUTES = [
    ("", VersionHandler),
    ("permission/", PermissionHandler),
    ("roles/", RolesHandler),
    ("usage/", UsageHandler),
    ("token/", TokensHandler),
    ("token/kernel/", KernelTokenHandler),
    ("token/{token_id}/", TokenHandler),
    ("space/", SpaceHandler),
    ("audit/", AuditHandler),
]
