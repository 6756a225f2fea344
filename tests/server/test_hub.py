"""Who may do what where people log in: names and groups of a hub, guests, configured tokens, an own Authorizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.server.live import Server

HUB = """
from jupyter_server.auth import Authorizer, IdentityProvider, User

class People(IdentityProvider):
    def get_user(self, handler):
        name = handler.request.headers.get("X-Test-User")
        return User(name) if name else None

    @property
    def token(self):
        return ""

class ReadOnlyForGuests(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        assert resource == "envstore" or "envstore" not in handler.request.path
        return not (user.username == "guest" and action == "write")

c.ServerApp.identity_provider_class = People
c.ServerApp.authorizer_class = ReadOnlyForGuests
c.ServerApp.disable_check_xsrf = True
c.EnvStoreApp.admins = {"boss"}
c.EnvStoreApp.kernel_token_hours = 1
c.EnvStoreApp.role_bindings = {"*": {"common/*": ["viewer"]}, "group:lab": {"lab/*": ["developer"]}}
c.EnvStoreApp.unauthenticated_role_bindings = {"public/*": ["viewer"]}
c.EnvStoreApp.identity_mapper = lambda user: (user.username, ["lab"] if user.username == "jo" else [])
c.EnvStoreApp.predefined_tokens = {
    "a-token-of-the-configuration": {"primary_namespace": "robots", "role_bindings": {"common/*": ["developer"]}},
}
"""


@pytest.fixture(scope="module")
def hub(make_server: Callable[[str], Server]) -> Server:
    return make_server(HUB)


@pytest.fixture(scope="module")
def careful(make_server: Callable[[str], Server]) -> Server:
    return make_server("c.EnvStoreApp.allow_local_files = False")


def test_local_files_are_refused_wherever_they_stand(careful: Server, nasty_channel: str) -> None:
    def text(channels: str, packages: str) -> dict[str, str]:
        return {"namespace": "x", "specification": f"name: x\nchannels: {channels}\ndependencies: {packages}"}

    for body in (
        text(f"[{nasty_channel}]", "[a]"),
        text("[a]", f"['{nasty_channel}::a']"),
        text("[a]", f"['{nasty_channel}/noarch/a-1-0.conda#x']"),
        text("[a]", "['http://h.example/noarch/a-1-0.conda#x']"),
        text("[a]", "['conda-forge:other:a']"),
    ):
        assert careful.ask("POST", "specification/", json=body).status_code == 400, body
    for setting in (
        {"conda_default_channels": [nasty_channel]},
        {"conda_channel_alias": nasty_channel},
        {"defaults_channel": nasty_channel},
    ):
        answer = careful.ask("PUT", "setting/", json=setting)
        assert answer.status_code == 400, setting


def as_user(hub: Server, user: str | None, method: str, path: str, **options: Any) -> requests.Response:
    headers = {"X-Test-User": user} if user else {}
    return hub.ask(method, path, None, headers=headers, **options)


def test_a_hub_binds_people_groups_guests_and_tokens(hub: Server, nasty_channel: str) -> None:
    for space in ("common", "lab", "public", "secret"):
        assert as_user(hub, "boss", "POST", f"namespace/{space}/").ok
    body = {"specification": f"name: x\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"}
    made = as_user(hub, "jo", "POST", "specification/", json=body)
    assert made.ok, made.text
    assert as_user(hub, "jo", "GET", "environment/jo/x/").ok
    assert as_user(hub, "kim", "GET", "environment/jo/x/").status_code == 403
    assert as_user(hub, "jo", "POST", "specification/", json=body | {"namespace": "lab"}).ok
    assert as_user(hub, "kim", "POST", "specification/", json=body | {"namespace": "lab"}).status_code == 403
    seen = {who: {row["name"] for row in as_user(hub, who, "GET", "namespace/").json()["data"]}
            for who in ("boss", "jo", "kim", None)}  # fmt: skip
    assert seen == {
        "boss": {"common", "lab", "public", "secret", "jo"},
        "jo": {"common", "lab", "jo"},
        "kim": {"common"},
        None: {"public"},
    }
    token = "a-token-of-the-configuration"
    assert hub.ask("GET", "namespace/common/", token).ok
    assert hub.ask("GET", "namespace/lab/", token).status_code == 403
    assert hub.data("GET", "permission/", token)["primary_namespace"] == "robots"
    assert hub.ask("GET", "namespace/common/", token + "x").status_code == 401


def test_a_namespace_is_opened_to_another_person(hub: Server) -> None:
    assert as_user(hub, "kim", "POST", "namespace/kim/").ok
    assert as_user(hub, "jo", "GET", "namespace/kim/").status_code == 403
    assert as_user(hub, "kim", "POST", "namespace/kim/role", json={"other_namespace": "jo", "role": "developer"}).ok
    assert as_user(hub, "jo", "GET", "namespace/kim/").ok
    assert as_user(hub, "jo", "DELETE", "namespace/kim/").status_code == 403
    token = as_user(hub, "jo", "POST", "token/", json={}).json()["data"]["token"]
    assert hub.ask("GET", "namespace/kim/", token).ok
    assert as_user(hub, "kim", "DELETE", "namespace/kim/roles").ok
    assert as_user(hub, "jo", "GET", "namespace/kim/").status_code == 403
    assert hub.ask("GET", "namespace/kim/", token).status_code == 403  # a token made for all of one's own follows


def test_a_token_loses_what_its_owner_loses(hub: Server) -> None:
    as_user(hub, "boss", "POST", "namespace/lent/")
    body = {"other_namespace": "kim", "role": "admin"}
    assert as_user(hub, "boss", "POST", "namespace/lent/role", json=body).ok
    bindings = {"role_bindings": {"lent/*": ["admin"]}}
    token = as_user(hub, "kim", "POST", "token/", json=bindings).json()["data"]["token"]
    assert hub.ask("PUT", "namespace/lent/", token, json={"metadata": {"a": 1}}).ok
    assert as_user(hub, "boss", "DELETE", "namespace/lent/roles").ok
    assert hub.ask("GET", "namespace/lent/", token).status_code == 403


def test_settings_that_bind_people_are_the_store_admins_alone(hub: Server) -> None:
    as_user(hub, "kim", "POST", "namespace/kim/")
    assert as_user(hub, "kim", "PUT", "setting/kim/", json={"add_ipykernel": True}).ok
    for body in (
        {"conda_allowed_channels": []},
        {"pypi_allow_sdists": True},
        {"conda_required_packages": []},
        {"conda_channel_alias": ""},
    ):
        assert as_user(hub, "kim", "PUT", "setting/kim/", json=body).status_code == 403, body
        assert as_user(hub, "boss", "PUT", "setting/kim/", json=body).ok, body
    as_user(hub, "boss", "PUT", "setting/kim/", json={"pypi_allow_sdists": False})


def test_the_servers_own_authorizer_has_a_word(hub: Server) -> None:
    assert as_user(hub, "guest", "GET", "namespace/").ok
    answer = as_user(hub, "guest", "POST", "namespace/guest/")
    assert answer.status_code == 403
    assert "authorizer" in answer.json()["message"]


def test_tokens_of_others_are_not_there(hub: Server) -> None:
    made = as_user(hub, "jo", "POST", "token/", json={"name": "jo's"}).json()["data"]
    assert made["id"] not in {row["id"] for row in as_user(hub, "kim", "GET", "token/").json()["data"]}
    assert as_user(hub, "kim", "DELETE", f"token/{made['id']}/").status_code == 404
    assert as_user(hub, "boss", "DELETE", f"token/{made['id']}/").ok


def test_the_audit_tells_who_did_what_to_admins_alone(hub: Server) -> None:
    assert as_user(hub, "jo", "GET", "audit/").status_code == 403
    entries = as_user(hub, "boss", "GET", "audit/?who=jo").json()["data"]
    assert {"build.create", "token.create"} <= {entry["verb"] for entry in entries}
    assert all("es_" not in str(entry) for entry in entries)


def test_a_namespace_that_somebody_else_made_is_not_the_own_one_of_its_namesake(hub: Server) -> None:
    assert as_user(hub, "boss", "POST", "namespace/ocean/").ok
    found = as_user(hub, "ocean", "GET", "permission/").json()["data"]
    assert found["primary_namespace"].startswith("ocean+")
    assert as_user(hub, "ocean", "GET", "namespace/ocean/").status_code == 403


def test_a_token_of_the_configuration_has_what_role_mappings_give_its_namespace(hub: Server) -> None:
    token = "a-token-of-the-configuration"
    assert as_user(hub, "boss", "POST", "namespace/fleet/").ok
    assert hub.ask("GET", "namespace/fleet/", token).status_code == 403
    body = {"other_namespace": "robots", "role": "developer"}
    assert as_user(hub, "boss", "POST", "namespace/fleet/role", json=body).ok
    assert hub.ask("GET", "namespace/fleet/", token).ok
    assert as_user(hub, "boss", "DELETE", "namespace/fleet/role", json=body).ok
    assert hub.ask("GET", "namespace/fleet/", token).status_code == 403
