"""Images on demand in the store: used again while they are fresh, made again when not, cleaned up at last."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from jupyter_envstore.database.connection import now
from jupyter_envstore.database.models import Build, Environment
from jupyter_envstore.errors import QuotaError
from jupyter_envstore.spec.names import DYNAMIC
from tests.helpers import Store


@pytest.fixture
def factory(store_on: Callable[..., Store], nasty_channel: str) -> Store:
    """A store where images on demand come of the hand-made channel, and one user may have two."""
    return store_on(settings={"conda_default_channels": [nasty_channel], "dynamic_limit": 2})


def build(store: Store, constraints: str, who: str = "ana", may_create: bool = True) -> int | None:
    image = store.envstore.dynamic_images.parse(f"{DYNAMIC}/{constraints}")
    return store.envstore.dynamic_images.build(image, who, may_create)


def grow_old(store: Store, number: int, hours: float) -> None:
    with store.envstore.database.write() as session:
        made = session.get_one(Build, number)
        made.scheduled_on = now() - timedelta(hours=hours)
        session.get_one(Environment, made.environment_id).created_on = made.scheduled_on


def test_it_is_used_while_it_is_fresh_and_made_again_when_it_is_not(factory: Store) -> None:
    first = build(factory, "nasty-text")
    assert first is not None
    assert build(factory, "nasty-text", "bo") == first  # it is under way
    assert factory.wait(first)["status"] == "COMPLETED"
    assert build(factory, "nasty-text", "bo", may_create=False) == first
    grow_old(factory, first, 25)
    assert build(factory, "nasty-text", "bo", may_create=False) is None
    second = build(factory, "nasty-text", "bo")
    assert second != first
    assert second is not None
    assert factory.wait(second)["number"] == 2


def test_a_failure_is_told_for_a_while_and_then_tried_again(factory: Store) -> None:
    failed = build(factory, "no-such-package")
    assert failed is not None
    assert factory.wait(failed)["status"] == "FAILED"
    assert build(factory, "no-such-package") == failed
    grow_old(factory, failed, 1)
    assert build(factory, "no-such-package") != failed


def test_a_user_has_so_many_and_all_ten_times_as_many(factory: Store) -> None:
    build(factory, "nasty-text")
    build(factory, "nasty-links")
    with pytest.raises(QuotaError, match="you have 2"):
        build(factory, "nasty-modes")
    assert build(factory, "nasty-modes", "bo") is not None
    for place in range(8):
        for package in ("nasty-binary", "nasty-short"):
            build(factory, f"{package}.gt.0.{place}", f"user-{place}")
    with pytest.raises(QuotaError, match="there are 2"):
        for place in range(9):
            build(factory, f"nasty-old-format.gt.0.{place}", f"other-{place}")


def test_what_nobody_would_be_given_any_more_is_deleted(factory: Store) -> None:
    old, new = build(factory, "nasty-text"), build(factory, "nasty-links")
    assert old is not None
    assert new is not None
    for number in (old, new):
        factory.wait(number)
    grow_old(factory, old, 24 + 25)
    assert factory.envstore.dynamic_images.forget_old() == [
        factory.envstore.dynamic_images.parse(f"{DYNAMIC}/nasty-text").name
    ]
    assert build(factory, "nasty-links", may_create=False) == new
    assert build(factory, "nasty-text", may_create=False) is None
