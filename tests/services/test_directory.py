"""Tokens of people whom a directory knows: they are worth what it says now, and of nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from jupyter_envstore.database.connection import now
from jupyter_envstore.errors import AuthenticationError
from jupyter_envstore.policy.access import AccessRules, own_namespaces
from jupyter_envstore.policy.directory import Person
from tests.helpers import Store


class Known:
    """A directory in memory: a fake, to have people of any age."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}

    async def look(self, name: str) -> None:
        """Know it already."""

    def known(self, name: str) -> Person | None:
        """Return them."""
        return self.people.get(name)


@pytest.fixture
def rules() -> AccessRules:
    return AccessRules(shared=True, group_role="developer", directory=Known())


def test_a_token_is_not_that_of_who_has_the_name_later(store: Store, rules: AccessRules) -> None:
    people = store.envstore.people
    assert isinstance(rules.directory, Known)
    rules.directory.people["heir"] = Person("heir", ("data",), since=now() - timedelta(days=1))
    token, _ = store.envstore.tokens.make(people.identify(rules, "heir", ["data"]))
    assert people.owner_of(token) == "heir"
    found = people.identify_token(rules, token)
    assert found is not None and found.groups == ("data",)
    assert found.may("environment:create", "data", "x")
    rules.directory.people["heir"] = Person("heir", (), since=now() + timedelta(minutes=2))
    with pytest.raises(AuthenticationError, match="somebody who was called heir before"):
        people.identify_token(rules, token)
    rules.directory.people["heir"] = Person("heir", ())
    found = people.identify_token(rules, token)
    assert found is not None and not found.may("environment::read", "data", "x")
    assert people.identify_token(replace(rules, directory=None), token) is not None
    del rules.directory.people["heir"]
    with pytest.raises(AuthenticationError, match="not known any more"):
        people.identify_token(rules, token)


def test_namespaces_of_groups_are_nobody_elses(store: Store, rules: AccessRules) -> None:
    people = store.envstore.people

    def spaces(name: str, *groups: str) -> set[str]:
        return {entity.split("/")[0] for entity in people.identify(rules, name, groups).bindings}

    assert spaces("jo", "data") == {"jo", "data"}
    assert spaces("data") == {own_namespaces("data")[1]}
    store.envstore.namespaces.create("lake", "lake")
    both = spaces("kim", "lake", "group:lake") - {"kim"}
    assert len(both) == 2
    assert "lake" not in both
    assert spaces("eve", "group:lake", "lake") - {"eve"} == both
    for name in ("data science", "api", "Team", "a+b", "x" * 70):
        (shared,) = spaces("jo", name) - {"jo"}
        assert shared not in spaces(name), name
    # somebody who found another name with the same short hash has the long one
    short, long = own_namespaces("Team")
    store.envstore.namespaces.create(short, "somebody")
    assert spaces("Team") == {long}
    store.envstore.namespaces.create(long, "somebody")
    with pytest.raises(AuthenticationError, match="belong to others"):
        spaces("Team")
