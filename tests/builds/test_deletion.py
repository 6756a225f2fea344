"""What deleting takes, when, and how a deleted environment comes back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from jupyter_envstore.builds.deletion import UNDO
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.models import Environment
from jupyter_envstore.database.retention import builds_deleted_with
from jupyter_envstore.errors import ConflictError, NotFoundError
from tests.helpers import Store


def text(channel: str) -> str:
    return f"name: gone\nchannels: [{channel}]\ndependencies: [nasty-text]"


def age(store: Store, by: timedelta) -> None:
    """Have what was deleted been deleted earlier."""
    with store.envstore.database.write() as session:
        for environment in session.query(Environment).where(Environment.deleted_on.is_not(None)):
            for build in builds_deleted_with(session, environment):
                build.deleted_on = build.deleted_on and build.deleted_on - by
            environment.deleted_on = (environment.deleted_on or now()) - by


def test_deleting_frees_the_name_at_once_and_the_files_ten_minutes_later(store: Store, nasty_channel: str) -> None:
    view = store.build(text(nasty_channel))
    store.envstore.environments.delete("team", "GONE")
    assert not (store.root / "envs" / "team" / "gone").is_symlink()
    assert store.envstore.environments.list_all() == []
    for ask in (
        store.envstore.builds.show,
        store.envstore.logs.read,
        lambda build: store.envstore.artifacts.find(build, "yaml"),
    ):
        with pytest.raises(NotFoundError):
            ask(view["id"])
    again = store.build(text(nasty_channel))
    assert (again["number"], again["status"]) == (1, "COMPLETED")

    age(store, UNDO - timedelta(seconds=30))
    assert store.envstore.retention.clear_deleted() == 0
    assert "environment" not in [r.kind for r in store.envstore.retention.collect().removals]
    assert Path(view["prefix"]).exists()
    age(store, timedelta(seconds=31))
    planned = [r for r in store.envstore.retention.collect(dry_run=True).removals if r.kind == "environment"]
    assert [(r.name, r.size > 0) for r in planned] == [("team/gone", True)]
    assert Path(view["prefix"]).exists()
    assert [r for r in store.envstore.retention.collect().removals if r.kind == "environment"] == planned
    assert not Path(view["prefix"]).exists()
    assert Path(again["prefix"]).exists()
    with pytest.raises(NotFoundError, match="no deleted environment team/gone"):
        store.envstore.environments.undelete("team", "gone")


def test_at_once_nothing_stays(store: Store, nasty_channel: str) -> None:
    store.build(text(nasty_channel))
    store.envstore.environments.delete("team", "gone", at_once=True)
    assert store.files() == set()
    with pytest.raises(NotFoundError, match="no deleted environment"):
        store.envstore.environments.undelete("team", "gone")


def test_a_deleted_environment_comes_back_as_it_was(store: Store, nasty_channel: str) -> None:
    first, second, third = (store.build(text(nasty_channel)) for _ in range(3))
    store.envstore.environments.activate("team", "gone", "2")
    store.envstore.builds.delete(third["id"])
    store.envstore.environments.describe("team", "gone", "words", "tester")
    before = [store.envstore.builds.show(view["id"]) for view in (first, second)]
    log = store.envstore.logs.read(first["id"])
    store.envstore.environments.delete("team", "gone", "tester")
    store.envstore.retention.collect()
    assert store.envstore.environments.undelete("TEAM", "Gone", "tester") == 2
    assert [store.envstore.builds.show(view["id"]) for view in (first, second)] == before
    assert store.envstore.logs.read(first["id"]) == log
    assert store.envstore.builds.find("team", "gone", None).id == second["id"]
    link = store.root / "envs" / "team" / "gone"
    assert link.resolve() == Path(second["prefix"])
    with pytest.raises(NotFoundError, match="no deleted environment"):
        store.envstore.environments.undelete("team", "gone")
    fourth = store.build(text(nasty_channel))
    assert fourth["number"] == 4
    age(store, UNDO)
    store.envstore.retention.collect()
    assert Path(first["prefix"]).exists()


def test_the_last_of_a_name_comes_back_and_not_over_another(store: Store, nasty_channel: str) -> None:
    old, new = [], []
    for views in (old, new):
        views.append(store.build(text(nasty_channel)))
        store.envstore.environments.delete("team", "gone")
    third = store.build(text(nasty_channel))
    with pytest.raises(ConflictError, match="there is a new environment team/gone now"):
        store.envstore.environments.undelete("team", "gone")
    store.envstore.environments.delete("team", "gone", at_once=True)
    assert not Path(third["prefix"]).exists()
    store.envstore.environments.undelete("team", "gone")
    assert store.envstore.builds.find("team", "gone", None).id == new[0]["id"]


def test_what_ran_is_stopped_and_comes_back_canceled(store: Store, nasty_channel: str) -> None:
    reference = store.submit(text(nasty_channel))
    store.envstore.environments.delete("team", "gone")
    assert [job.state for job in store.jobs()] == ["canceled"]
    store.envstore.environments.undelete("team", "gone")
    assert store.envstore.builds.show(reference.id)["status"] == "CANCELED"
    assert store.build(text(nasty_channel))["status"] == "COMPLETED"


def test_a_crash_between_the_stages_keeps_and_loses_nothing(store: Store, nasty_channel: str) -> None:
    views = []
    for _ in range(2):
        views.append(store.build(text(nasty_channel)))
        with store.envstore.database.write() as session:  # as far as a killed delete came
            _, environment = rows.find_environment(session, "team", "gone")
            environment.name_key, environment.deleted_on = rows.free_key(environment), now()
    store.envstore.environments.undelete("team", "gone")
    assert store.envstore.builds.show(views[1]["id"])["status"] == "COMPLETED"
    age(store, UNDO)
    store.envstore.retention.collect()
    assert [Path(view["prefix"]).exists() for view in views] == [False, True]
