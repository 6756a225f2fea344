"""Roles, entities and what covers what."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_envstore.errors import AuthenticationError, PermissionDeniedError
from jupyter_envstore.policy.access import ADMIN, ROLES, AccessRules, Identity, covers, matches, own_namespace
from jupyter_envstore.spec.names import NAME


def person(**bindings: list[str]) -> Identity:
    return Identity("jo", "jo", {key.replace("__", "/").replace("ANY", "*"): roles for key, roles in bindings.items()})


@pytest.mark.parametrize(
    ("entity", "other", "expected"),
    [
        ("*/*", "team/data", True),
        ("team/*", "team/data", True),
        ("team/*", "Team/DATA", True),
        ("team/*", "teams/data", False),
        ("team/data", "team/*", False),
        ("a.b/*", "axb/c", False),
        ("a_b/*", "aXb/c", False),
        ("a+/*", "aa/c", False),
        ("te*/*", "team/data", True),
        ("te*/*", "t*/data", False),
        ("t*/*", "te*/data", True),
        ("*/data", "team/*", False),
        ("*a/*", "b*/x", False),
    ],
)
def test_an_entity_covers_what_it_names_and_nothing_else(entity: str, other: str, expected: bool) -> None:
    assert covers(entity, other) is expected


def test_a_pattern_with_many_stars_is_looked_at_quickly() -> None:
    started = time.perf_counter()
    assert not matches("*a" * 30 + "*b", "a" * 64)
    assert time.perf_counter() - started < 0.05


@given(st.text("ab*", max_size=6), st.text("ab", max_size=6))
def test_a_pattern_matches_what_the_same_expression_does(pattern: str, text: str) -> None:
    expression = ".*".join(re.escape(piece) for piece in pattern.split("*"))
    assert matches(pattern, text) == (re.fullmatch(expression, text) is not None)


NAMES = st.text("ab.*_+", min_size=1, max_size=4)


@given(NAMES, NAMES, st.text("ab._+", min_size=1, max_size=6))
def test_what_covers_a_pattern_covers_all_that_it_matches(first: str, second: str, name: str) -> None:
    if covers(f"{first}/x", f"{second}/x") and covers(f"{second}/x", f"{name}/x"):
        assert covers(f"{first}/x", f"{name}/x")


def test_permissions_are_the_union_of_all_bindings() -> None:
    identity = person(ANY__ANY=["viewer"], team__data=["developer"])
    assert identity.may("environment::update", "team", "data")
    assert not identity.may("environment::update", "team", "other")
    assert identity.may("environment::read", "team", "other")
    assert ROLES["editor"] == ROLES["developer"] < ADMIN


def test_a_namespace_can_be_read_by_who_may_read_an_environment_in_it() -> None:
    identity = person(team__data=["viewer"])
    assert identity.may("namespace::read", "team")
    assert not identity.may("namespace::read", "other")
    assert not identity.may("environment::read", "team", "*")


def test_nobody_is_asked_to_log_in_and_somebody_is_refused() -> None:
    with pytest.raises(AuthenticationError):
        AccessRules().nobody().require("environment::read", "team", "data")
    with pytest.raises(PermissionDeniedError, match="environment::read on team/data"):
        person().require("environment::read", "team", "data")


def test_nobody_hands_out_more_than_they_have() -> None:
    identity = person(team__ANY=["developer"], mine__ANY=["admin"])
    assert identity.holds({"team/*": ["viewer"], "mine/x": ["admin"]})
    assert identity.holds({"team/data": ["developer"]})
    assert not identity.holds({"team/*": ["admin"]})
    assert not identity.holds({"*/*": ["viewer"]})
    assert not identity.holds({"te*/*": ["viewer"]})


def test_a_laptop_has_one_user_who_may_do_everything() -> None:
    identity = AccessRules().person("jo", ["staff"])
    assert identity.primary_namespace == "default"
    assert identity.visible() is None


def test_a_hub_gives_each_their_own_namespace_and_what_is_bound() -> None:
    rules = AccessRules(
        shared=True,
        admins=frozenset({"boss", "group:ops"}),
        bindings={"*": {"common/*": ["viewer"]}, "group:lab": {"lab/*": ["developer"]}, "jo": {"x/y": ["viewer"]}},
    )
    jo = rules.person("jo", ["lab"], {"shared/*": ["viewer"]})
    assert jo.visible() == ("common/*", "jo/*", "lab/*", "shared/*", "x/y")
    assert jo.may("environment::delete", "jo", "any")
    assert not jo.may("environment::delete", "lab", "any")
    assert rules.person("boss").visible() is None
    assert rules.person("kim", ["ops"]).visible() is None
    assert rules.person("kim").visible() == ("common/*", "kim/*")


@given(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=80))
def test_no_two_people_share_their_own_namespace(first: str, second: str) -> None:
    one, other = own_namespace(first), own_namespace(second)
    assert NAME.fullmatch(one)
    assert (one == other) == (first == second)
    assert one.lower() == one


@pytest.mark.parametrize("name", ["Jo", "jo@example.org", "jo+1", "v2", "ZÜ", "../etc", "a" * 70])
def test_names_that_are_no_namespaces_get_one_of_their_own(name: str) -> None:
    assert own_namespace(name) != own_namespace(name.lower() + "x")
    assert "+" in own_namespace(name)
    assert own_namespace(own_namespace(name)) != own_namespace(name)


def test_nobody_takes_the_place_of_a_group_or_token_by_their_name() -> None:
    rules = AccessRules(
        shared=True,
        admins=frozenset({"group:ops"}),
        bindings={"group:lab": {"lab/*": ["developer"]}, "jo": {"x/*": ["viewer"]}, "*": {"common/*": ["viewer"]}},
    )
    for name in ("group:ops", "group:lab", "*"):
        found = rules.person(name).bindings
        assert {entity for entity in found if entity.split("/")[0] in ("*", "lab", "x")} == set(), name
    assert "x/*" in rules.person("jo").bindings
    assert "lab/*" in rules.person("jo", ["lab"]).bindings


def test_a_namespace_that_the_configuration_opens_to_others_is_nobodys_own() -> None:
    rules = AccessRules(shared=True, bindings={"group:lab": {"lab/*": ["developer"]}, "jo": {"jo/*": ["admin"]}})
    assert rules.opens_to_others("lab", "lab")
    assert not rules.opens_to_others("jo", "jo")
    assert own_namespace("lab", taken=True) != "lab"
    assert own_namespace("lab", taken=True).startswith("lab+")


def test_a_kernel_is_given_at_most_a_role_that_its_user_has() -> None:
    bindings = {"jo/*": ["admin"], "lab/*": ["editor"], "common/*": ["viewer"], "*/x": ["developer"]}
    identity = Identity("jo", "jo", bindings)
    assert identity.at_most("developer", "viewer") == {
        "jo/*": ["developer"],
        "lab/*": ["developer"],
        "common/*": ["viewer"],
        "*/x": ["developer"],
    }
