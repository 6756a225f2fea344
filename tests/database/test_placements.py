"""Which folder has which prefix: of stores of older versions, and what sessions of other folders are told."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import func, select

from jupyter_envstore.builds.own_place import settle_place
from jupyter_envstore.builds.place_marks import MARK
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.connection import Database, now
from jupyter_envstore.database.models import Build, Job, Place, Placement
from jupyter_envstore.database.placements import all_places, note_gone, note_here, places_of
from jupyter_envstore.database.schema import upgrade

DAY = "2026-01-01 00:00:00"
BUILDS = {1: "present", 2: "dropped", 3: "none"}


@pytest.fixture
def older(tmp_path: Path) -> StoreConfig:
    """A store of the version before places: three builds, and four jobs."""
    config = StoreConfig(str(tmp_path))
    with contextlib.closing(Database(config.url)) as database:
        upgrade(database.engine, "0012")
    with contextlib.closing(sqlite3.connect(tmp_path / "envstore.sqlite")) as connection:

        def insert(table: str, **values: object) -> None:
            names, marks = ", ".join(values), ", ".join("?" * len(values))
            connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))

        made = {"created_on": DAY, "created_by": ""}
        insert("namespace", id=1, name="n", name_key="n", metadata="{}", **made)
        insert("specification", id=1, name="s", sha256="x", spec="{}", text="", is_lockfile=0, **made)
        insert("environment", id=1, namespace_id=1, name="e", name_key="e", description="", **made)
        none = dict.fromkeys(("package_count", "pinned", "warning_count", "kept_size", "kept_missing"), 0)
        empty = dict.fromkeys(("platform", "status_info", "keep_state", "trigger", "created_by"), "")
        for number, state in BUILDS.items():
            insert(
                "build", id=number, environment_id=1, specification_id=1, number=number, key=f"k{number}",
                directory=f"abcd-{number}", status="COMPLETED", options="{}", prefix_state=state, size=9, own_size=9,
                scheduled_on=DAY, **none, **empty,
            )  # fmt: skip
        none = dict.fromkeys(("attempt", "given_back", "cancel_requested", "pid"), 0)
        empty = dict.fromkeys(("host", "process_started", "executor", "handle", "reason"), "")
        jobs = [("build", "queued"), ("artifact", "queued"), ("restore", "running"), ("build", "done")]
        for number, (kind, state) in enumerate(jobs, 1):
            insert(
                "job", id=number, kind=kind, namespace_id=1, build_id=1, state=state, created_on=DAY, **none, **empty
            )
        connection.commit()
    return config


def test_an_older_store_keeps_its_prefixes_and_jobs(older: StoreConfig) -> None:
    (older.builds / "abcd-1").mkdir(parents=True)
    with contextlib.closing(Database(older.url)) as database:
        database.migrate()
        settle_place(older, database)
        with database.read() as session:
            builds = {build.id: (build.is_here, build.is_made) for build in session.scalars(select(Build))}
            (place,) = all_places(session)
            jobs = [(job.place_id, job.runner_id) for job in session.scalars(select(Job).order_by(Job.id))]
        assert builds == {1: (True, True), 2: (False, True), 3: (False, False)}
        assert (place.place.root_dir, place.prefixes, place.waiting) == (older.root_dir, 1, 1)
        assert jobs == [(1, 0), (0, 0), (1, 1), (1, 0)]
        assert (older.root / MARK).read_text().splitlines()[0] == place.place.mark


def test_an_older_store_without_any_prefix_has_no_place_until_it_is_opened(older: StoreConfig) -> None:
    with contextlib.closing(sqlite3.connect(older.root / "envstore.sqlite")) as connection:
        connection.execute("UPDATE build SET prefix_state = 'dropped'")
        connection.commit()
    with contextlib.closing(Database(older.url)) as database:
        database.migrate()
        with database.read() as session:
            assert all_places(session) == []
            assert session.scalar(select(func.count()).where(Job.place_id != 0)) == 0
        settle_place(older, database)
        with database.read() as session:
            assert len(all_places(session)) == 1


def test_a_session_is_told_what_is_in_its_own_folder(older: StoreConfig) -> None:
    with contextlib.closing(Database(older.url)) as database:
        database.migrate()
        settle_place(older, database)
        mine = database.place
        with database.write() as session:
            session.add(Place(mark="other", root_dir="/other", host="there", platform="", seen_on=now()))
            session.flush()
            other = session.scalars(select(Place.id).where(Place.mark == "other")).one()
            session.add(Placement(build_id=3, place_id=other, since=now()))
        database.place = other
        with database.read() as session:
            assert [build.id for build in session.scalars(select(Build).where(Build.is_here))] == [3]
            assert [place.id for place in places_of(session, [1, 3])[1]] == [mine]
            assert 3 not in places_of(session, [1, 3])
        with database.write() as session:
            build = session.get_one(Build, 1)
            assert not build.is_here
            note_here(session, 1)
            note_here(session, 1)
            assert build.is_here
            note_gone(session, 1)
            assert not build.is_here
        database.place = mine
        with database.write() as session:
            assert session.get_one(Build, 1).is_here
            note_gone(session, 1, everywhere=True)
            note_gone(session, 3, everywhere=True)
            assert session.scalar(select(func.count()).select_from(Placement)) == 0
        database.place = 0
        with database.read() as session:
            assert not any(session.scalars(select(Build.is_here)))
