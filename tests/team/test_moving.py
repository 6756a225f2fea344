"""Environments that move: from a private store to one of a team, and from conda-store."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.services.store import EnvStore
from tests.server.live import MASTER
from tests.team.conftest import UNSANDBOXED, short_folder
from tests.team.live import JO, PEOPLE, Service, Terminal


@pytest.fixture(scope="module")
def store() -> Iterator[Service]:
    with short_folder() as folder:
        found = Service(folder, UNSANDBOXED + PEOPLE).start()
        yield found
        found.stop()


@pytest.fixture(scope="module")
def jo(store: Service, nasty_channel: str) -> Iterator[Terminal]:
    """The terminal of jo, with a private store: ``default/x`` with three builds and one that failed."""
    with short_folder() as folder:
        found = Terminal(folder, f"{store.origin}/", JO)
        own = ("--root", str(folder / "own"))
        for packages in ("nasty-text", "nasty-text, nasty-links", "nasty-links", "nasty-none"):
            text = f"name: x  # what jo calls it\ndescription: of jo\nchannels: [{nasty_channel}]\n"
            (folder / "x.yml").write_text(f"{text}dependencies: [{packages}]\n")
            found.run("build", "x.yml", *own, status=5 if "none" in packages else 0)
        found.run("activate", "default/x:2", *own)
        yield found


def push(jo: Terminal, *words: str, status: int = 0) -> list[tuple[str, str, str]]:
    """Send the private store; return what became of each build."""
    lines = jo.json("push-to", jo.url, *words, "--root", str(jo.folder / "own"), status=status)
    return [(line["source"], line["target"], line["result"]) for line in lines]


def test_environments_are_sent_with_their_history(jo: Terminal, store: Service, nasty_channel: str) -> None:
    assert [line[2] for line in push(jo, "--dry-run")] == ["would send"] * 3 + ["left out"]
    assert jo.json("list") == []
    refused = jo.json("push-to", jo.url, "--root", str(jo.folder / "own"), status=5)
    assert f"--accept {nasty_channel}" in refused[0]["reason"]
    assert jo.json("list") == []
    assert push(jo, "--accept", nasty_channel) == [
        ("default/x:1", "jo/x:1", "sent"),
        ("default/x:2", "jo/x:2", "sent"),
        ("default/x:3", "jo/x:3", "sent"),
        ("default/x:4", "jo/x", "left out"),
    ]
    builds = store.data("GET", "build/?name=x&namespace=jo")
    store.wait(builds[1]["id"])
    told = store.data("GET", "build/?name=x&namespace=jo")
    assert [(row["number"], row["active"], row["packed_away"]) for row in told] == [
        (1, False, True), (2, True, False), (3, False, True)
    ]  # fmt: skip
    assert told[0]["trigger"].startswith("moved: default/x:1, 20")
    assert told[0]["created_by"] == "token:jo"
    own = jo.json("show", "default/x:1", "--root", str(jo.folder / "own"))
    assert jo.json("show", "jo/x:1")["packages"] == own["packages"]
    full = store.data("GET", f"build/{told[0]['id']}/")
    assert "# what jo calls it" in full["specification"]["text"]
    assert store.data("GET", "environment/jo/x/")["description"] == "of jo"
    with contextlib.closing(EnvStore.open(StoreConfig(str(jo.folder / "own")))) as private:
        record = private.bonds.of_build(own["id"])["record"]
    assert store.data("GET", f"build/{told[0]['id']}/bond/")["record"] == record
    assert [line[2] for line in push(jo, "--accept", nasty_channel)] == ["there already"] * 3 + ["left out"]
    assert jo.run("restore", "jo/x:1").stdout == "jo/x:1 is back\n"
    assert [change["change"] for change in jo.json("diff", "jo/x:1", "jo/x:2")] == ["added"]


def test_what_has_the_name_of_another_environment_is_not_mixed_with_it(
    jo: Terminal, store: Service, nasty_channel: str
) -> None:
    store.wait(store.submit(f"name: x\nchannels: [{nasty_channel}]\ndependencies: [nasty-short]"))
    accept = ("--accept", nasty_channel)
    assert push(jo, "--into", "team", *accept, status=5) == [("default/x", "team/x", "failed")]
    assert [line[2] for line in push(jo, "default/x", "--into", "jo", "--active-only", *accept)] == ["there already"]
    assert push(jo, "--into", "other", *accept, status=5) == [("default/x", "other/x", "failed")]
    told = jo.run("push-to", jo.url, "nowhere", "--root", str(jo.folder / "own"), status=3)
    assert "no environment in namespace nowhere" in told.stderr
    assert "to itself" in jo.run("push-to", jo.url, "--store", jo.url, status=2).stderr


def test_they_may_be_there_without_files(jo: Terminal, store: Service, nasty_channel: str) -> None:
    store.ask("POST", "namespace/later/")
    token = store.token({"later/*": ["admin"]})
    lines = jo.json(
        "push-to", jo.url, "--into", "later", "--later", "--accept", nasty_channel, "--root", str(jo.folder / "own"),
        ENVSTORE_REMOTE_TOKEN=token,
    )  # fmt: skip
    assert [line["result"] for line in lines] == ["sent"] * 3 + ["left out"]
    row = store.data("GET", "environment/later/x/")
    assert (row["current_build"]["number"], row["current_build"]["packed_away"]) == (2, True)


def test_what_was_built_twice_is_sent_once_and_is_active(jo: Terminal, store: Service, nasty_channel: str) -> None:
    own = ("--root", str(jo.folder / "twice"))
    (jo.folder / "t.yml").write_text(f"name: t\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]\n")
    for _ in range(2):
        jo.run("build", "t.yml", *own)
    words = ("push-to", jo.url, "--accept", nasty_channel, *own)
    lines = [(line["source"], line["result"]) for line in jo.json(*words)]
    assert lines == [("default/t:1", "left out"), ("default/t:2", "sent")]
    repeated = [(line["source"], line["result"]) for line in jo.json(*words)]  # while it may be building still
    assert repeated == [("default/t:1", "left out"), ("default/t:2", "there already")]
    store.wait(store.data("GET", "build/?name=t&namespace=jo")[0]["id"])
    assert [row["active"] for row in store.data("GET", "build/?name=t&namespace=jo")] == [True]


def test_at_once_it_comes_once_and_its_text_is_what_was_built(jo: Terminal, store: Service, nasty_channel: str) -> None:
    with contextlib.closing(EnvStore.open(StoreConfig(str(jo.folder / "own")))) as private:
        bond = private.bonds.of_build(private.builds.find("default", "x", "3").id, lock=True)
    body = {"envstore": bond, "built_on": "2026-01-31", "accept": [nasty_channel]}
    other = f"channels: [{nasty_channel}]\ndependencies: [something-else]"

    def send(_number: int) -> tuple[int, bool]:
        told = store.data("POST", "environment/team/once/record/", json={**body, "specification": other})
        return told["build_id"], told["is_new"]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert (len({build for build, _ in answers}), sum(is_new for _, is_new in answers)) == (1, 1)
    shown = store.data("GET", f"build/{answers[0][0]}/")["specification"]["text"]
    assert ("something-else" in shown, "nasty-links" in shown) == (False, True)
    assert store.data("GET", "environment/team/once/")["active"] is False
    store.ask("POST", "environment/team/once/record/", json={**body, "active": True, "later": True})
    assert store.data("GET", "environment/team/once/")["active"] is True


def test_what_is_no_build_is_refused(store: Service) -> None:
    body = {"envstore": {"version": 1}, "built_on": "2026-01-31"}
    for change, words in (
        ({}, "namespace"),
        ({"built_on": "yesterday"}, "must be a day"),
        ({"built_on": "9999-12-31"}, "must be a day"),
        ({"envstore": []}, "not a mapping"),
        ({"accept": "x"}, "accept"),
        ({"later": 1}, "later"),
    ):
        answer = store.ask("POST", "environment/team/n/record/", json={**body, **change})
        assert (answer.status_code, words in answer.json()["message"]) == (400, True), answer.text
    assert store.ask("GET", "environment/team/n/").status_code == 404


def test_environments_come_from_conda_store(jo: Terminal, store: Service, nasty_channel: str) -> None:
    text = f"name: old\ndescription: old one\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"
    build = store.submit(text)
    store.wait(build)
    address = f"{store.origin}/conda-store"
    own = ("--root", str(jo.folder / "taken"))
    words = ("from-conda-store", address, "team/old", "--specifications", "specs", *own)
    token = {"CONDA_STORE_TOKEN": MASTER}
    planned = json.loads(jo.run(*words, "--dry-run", "--json", **token).stdout)
    assert planned == [{"source": "team/old", "target": "team/old", "result": "would take", "reason": ""}]
    done = jo.run(*words, **token)
    assert done.stdout == "taken over    team/old -> team/old:1\n"
    assert "nasty-text" in (jo.folder / "specs" / "team" / "old.yml").read_text()
    shown = jo.json("show", "team/old", *own)
    assert (shown["status"], shown["description"], shown["packages"]) == ("COMPLETED", "old one", 1)
    assert "there already" in jo.run(*words, **token).stdout
    store.wait(store.submit(text.replace("name: old", "name: OLD"), "jo"))
    clash = jo.run("from-conda-store", address, "team/old", "jo/OLD", "--into", "all", *own, status=5, **token).stdout
    assert clash.count("several would be called so") == 2
    assert (
        "no environment team/none" in jo.run("from-conda-store", address, "team/none", *own, status=3, **token).stderr
    )
    wrong = jo.run("from-conda-store", address, *own, status=1, CONDA_STORE_TOKEN="wrong").stderr
    assert "does not take the token (401)" in wrong
    strange = jo.run("from-conda-store", store.origin, *own, status=3, **token)
    assert "there is nothing that a conda-store server has" in strange.stderr
    assert "no address of conda-store" in jo.run("from-conda-store", "hub", *own, status=2, **token).stderr
