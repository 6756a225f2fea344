"""A notebook brings its environment back: where its kernel is missing, and where the environment has moved on."""

from __future__ import annotations

import base64
import hashlib
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Locator, expect

from jupyter_envstore.remote.logins import Login, Logins
from tests.lab.conftest import LAB, Lab, shown
from tests.lab.test_notebook_bond import bond_in, close, is_dirty, leave, run_all, until_bond, wait_until_idle
from tests.server.live import Server

Json = dict[str, Any]
BAR = ".jp-EnvStore-bar:visible"


CODE = "import numpy; print('numpy', 'is here')"


def write_notebook(
    server: Server, name: str, bond: Json, kernel: str = "envstore-gone--data", code: str = CODE
) -> Path:
    """Write a notebook that remembers an environment."""
    metadata = {
        "kernelspec": {"name": kernel, "display_name": "Python (data)", "language": "python"},
        "language_info": {"name": "python"},
        "envstore": bond,
    }
    made = nbformat.v4.new_notebook(metadata=metadata)
    made.cells = [nbformat.v4.new_code_cell(code)]
    path = server.notebooks / f"{name}.ipynb"
    nbformat.write(made, path)
    return path


def open_notebook(tab: Lab, path: Path) -> Locator:
    """Open a notebook; return its bar."""
    tab.page.evaluate("path => void window.jupyterapp.commands.execute('docmanager:open', {path})", path.name)
    shown(tab.page.locator(".jp-NotebookPanel:visible"))
    return tab.page.locator(BAR)


def kernel_of(tab: Lab) -> str:
    """Return the name of the kernel of the notebook in front."""
    name: str = tab.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.name ?? ''")
    return name


def output(tab: Lab) -> Locator:
    """Return the output of the notebook in front."""
    return tab.page.locator(".jp-NotebookPanel:visible .jp-OutputArea-output")


def with_record(bond: Json, change: Callable[[Json], None]) -> Json:
    """Return a bond whose record was changed, with the hash that fits."""
    record = json.loads(lzma.decompress(base64.b64decode(bond["lock"]["data"])))
    change(record)
    data = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    text = base64.b64encode(lzma.compress(data)).decode()
    lock = {**bond["lock"], "size": len(text), "data": text}
    return {**bond, "record": f"sha256:{hashlib.sha256(data).hexdigest()}", "lock": lock}


@pytest.fixture
def written(lab: Server, example: int) -> Json:
    """What a notebook holds that was written in ``team/data``, with its lock."""
    found: Json = lab.data("GET", f"build/{example}/bond/?lock=true")
    return found


def test_on_another_server_the_lock_in_the_notebook_suffices(
    open_lab: Callable[..., Lab], make_server: Callable[[str], Server], written: Json, channel: str, base: Path
) -> None:
    other = make_server(LAB.format(channel=channel, base=base))
    tab = open_lab(other)
    path = write_notebook(other, "sent", written, "envstore-team--data")
    bar = open_notebook(tab, path)
    expect(bar).to_contain_text("This notebook was written in team/data, build 2. Its kernel is not here.")
    expect(bar).to_contain_text("From the lock in the notebook, as default/data")
    expect(tab.page.locator(".jp-Dialog")).to_have_count(0)
    tab.picture("notebook-bring-back")
    tab.check_accessibility(".jp-EnvStore-barContent")
    tab.button("bring-back").click()
    dialog = tab.page.locator(".jp-Dialog")
    if dialog.count() or written["pip"]:  # the index of PyPI is named by no setting
        dialog.get_by_role("button", name="Download").click()
    expect(bar).to_have_count(0, timeout=60_000)
    assert kernel_of(tab) == "envstore-default--data"
    wait_until_idle(tab)
    run_all(tab)
    expect(output(tab)).to_contain_text("numpy is here")
    bond = until_bond(tab, lambda found: found.get("namespace") == "default")
    assert (bond["record"], bond["lock"]["data"]) == (written["record"], written["lock"]["data"])
    close(tab)


def test_a_store_that_one_is_logged_in_to_has_the_build(
    open_lab: Callable[..., Lab],
    make_server: Callable[[str], Server],
    lab: Server,
    written: Json,
    channel: str,
    base: Path,
) -> None:
    other = make_server(LAB.format(channel=channel, base=base))
    logins = Logins(other.folder / "none" / "envstore_logins.json")
    tab = open_lab(other)
    bond = {key: value for key, value in written.items() if key != "lock"}
    gone = open_notebook(tab, write_notebook(other, "nowhere", bond, "envstore-team--data"))
    expect(gone).to_contain_text("This store does not have the build, and the notebook does not contain its lock.")
    expect(tab.button("bring-back")).to_have_count(0)
    leave(tab)
    logins.note(Login("http://127.0.0.1:9/envstore", "es_nobody"))
    away = open_notebook(tab, write_notebook(other, "away", bond, "envstore-team--data"))
    expect(away).to_contain_text("Not found in 127.0.0.1:9: cannot be reached")
    tab.picture("notebook-other-store-away")
    leave(tab)
    logins.note(Login(f"{lab.origin}/envstore", lab.token({"team/*": ["viewer"]})))
    bar = open_notebook(tab, write_notebook(other, "elsewhere", bond, "envstore-team--data"))
    expect(bar).to_contain_text(f"From the store at 127.0.0.1:{lab.port}, as default/data: ")
    tab.picture("notebook-other-store")
    tab.check_accessibility(".jp-EnvStore-barContent")
    tab.button("bring-back").click()
    dialog = tab.page.locator(".jp-Dialog")
    if dialog.count() or written["pip"]:  # the index of PyPI is named by no setting
        dialog.get_by_role("button", name="Download").click()
    expect(bar).to_have_count(0, timeout=60_000)
    wait_until_idle(tab)
    run_all(tab)
    expect(output(tab)).to_contain_text("numpy is here")
    assert until_bond(tab, lambda found: found.get("namespace") == "default")["record"] == written["record"]
    close(tab)


def test_a_build_of_this_store_is_used(tab: Lab, lab: Server, written: Json) -> None:
    elsewhere = {**written, "namespace": "gone"}
    bar = open_notebook(tab, write_notebook(lab, "renamed", elsewhere))
    expect(bar).to_contain_text("This store has it as build 2 of team/data.")
    tab.button("bring-back").click()
    expect(bar).to_have_count(0, timeout=30_000)
    wait_until_idle(tab)
    assert kernel_of(tab) == "envstore-team--data"
    assert until_bond(tab, lambda found: found["namespace"] == "team")["build"] == 2
    close(tab)


def test_another_environment_can_be_chosen(tab: Lab, lab: Server, written: Json) -> None:
    def strange(record: Json) -> None:
        record["platforms"] = {"osx-arm64": {"conda": [], "pip": [], "virtual_packages": []}}

    bond = {**with_record(written, strange), "namespace": "gone"}
    bar = open_notebook(tab, write_notebook(lab, "mac", bond))
    expect(bar).to_contain_text("The lock in the notebook cannot be used: the lock is for osx-arm64")
    expect(tab.button("bring-back")).to_have_count(0)
    expect(tab.button("build-requests")).to_be_visible()
    tab.page.set_viewport_size({"width": 700, "height": 700})
    tab.picture("notebook-other-platform")
    tab.button("choose-another").click()
    menu = tab.page.locator(".lm-Menu")
    first = menu.locator(".lm-Menu-itemLabel").first
    expect(first).to_have_text("team/data (has all that it asked for)")
    tab.picture("notebook-choose-another")
    first.click()
    expect(bar).to_have_count(0, timeout=30_000)
    wait_until_idle(tab)
    assert kernel_of(tab) == "envstore-team--data"
    close(tab)


def test_what_it_asked_for_is_built(tab: Lab, lab: Server, written: Json) -> None:
    bond = {key: value for key, value in written.items() if key != "lock"}
    bond |= {"record": "sha256:" + "0" * 64, "namespace": "gone", "environment": "asked"}
    bond["packages"] = [package for package in written["packages"] if "numpy" not in package]
    bond["channels"] = []  # those of the settings
    bar = open_notebook(tab, write_notebook(lab, "asked", bond))
    expect(bar).to_contain_text("the notebook does not contain its lock")
    tab.button("build-requests").click()
    expect(bar).to_have_count(0, timeout=60_000)
    wait_until_idle(tab)
    assert kernel_of(tab) == "envstore-default--asked"
    close(tab)
    again = open_notebook(tab, write_notebook(lab, "asked again", bond, "envstore-elsewhere--asked"))
    expect(again).to_contain_text("1 line of what it asked for is not in the notebook.")
    tab.picture("notebook-made-before")
    expect(tab.button("use-asked")).to_have_text("Use default/asked")
    tab.button("use-asked").click()
    expect(again).to_have_count(0, timeout=30_000)
    wait_until_idle(tab)
    assert kernel_of(tab) == "envstore-default--asked"
    close(tab)
    lab.ask("DELETE", "environment/default/asked/")


def test_the_lockfile_beside_it_is_built(tab: Lab, lab: Server, written: Json, example: int) -> None:
    folder = lab.notebooks / "with lockfile"
    folder.mkdir()
    lab.make(example, "lockfile")
    lockfile = lab.ask("GET", f"build/{example}/lockfile/").text
    (folder / "conda-lock.yml").write_text(lockfile)
    bond = {key: value for key, value in written.items() if key != "lock"}
    bond |= {"record": "sha256:" + "0" * 64, "namespace": "gone", "store": "https://store.example/team"}
    path = write_notebook(lab, "beside", bond)
    path.rename(folder / path.name)
    relative = Path(folder.name) / path.name
    tab.page.evaluate("path => void window.jupyterapp.commands.execute('docmanager:open', {path})", str(relative))
    bar = tab.page.locator(BAR)
    expect(bar).to_contain_text(
        "It was written with the store at store.example/team (jupyter envstore login https://store.example/team)."
    )
    expect(tab.button("build-beside")).to_have_text("Build from conda-lock.yml")
    tab.picture("notebook-lockfile-beside")
    tab.button("build-beside").click()
    expect(bar).to_have_count(0, timeout=60_000)
    wait_until_idle(tab)
    assert kernel_of(tab) == "envstore-default--data"
    close(tab)
    made = lab.data("GET", "environment/default/data/")["current_build_id"]
    found = [
        {item["name"]: item["version"] for item in lab.data("GET", f"build/{build}/packages/?size=100")}
        for build in (made, example)
    ]
    assert found[0] == found[1]
    lab.ask("DELETE", "environment/default/data/")


def test_a_deletion_can_be_undone(tab: Lab, lab: Server, nasty_channel: str, written: Json) -> None:
    text = f"name: deleted\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"
    build = lab.submit(text)
    lab.wait(build)
    bond = lab.data("GET", f"build/{build}/bond/")
    lab.data("DELETE", "environment/team/deleted/")
    bar = open_notebook(tab, write_notebook(lab, "deleted", bond, "envstore-team--deleted"))
    expect(bar).to_contain_text("It was deleted a few minutes ago.")
    tab.button("undelete").click()
    expect(bar).to_contain_text("no package in it brings a kernel")  # this one is empty, but it is back
    assert lab.data("GET", "environment/team/deleted/")["name"] == "deleted"
    leave(tab)
    lab.data("DELETE", "environment/team/deleted/")


def test_after_a_failure_it_can_be_tried_again(tab: Lab, lab: Server, written: Json) -> None:
    def damaged(record: Json) -> None:
        for lock in record["platforms"].values():
            lock["conda"][0]["sha256"] = "0" * 64
            lock["conda"][0].pop("md5", None)

    bond = {**with_record(written, damaged), "namespace": "gone", "environment": "broken"}
    bar = open_notebook(tab, write_notebook(lab, "broken", bond))
    for _ in range(2):  # the failed build takes no name away
        expect(bar).to_contain_text("From the lock in the notebook, as default/broken:")
        tab.button("bring-back").click()
        expect(bar).to_contain_text("The environment could not be brought back.", timeout=60_000)
        expect(bar).not_to_contain_text("exists already")
        tab.button("bar-back").click()
    assert kernel_of(tab) == ""
    assert [build["status"] for build in lab.data("GET", "build/?name=broken")] == ["FAILED", "FAILED"]
    lab.ask("DELETE", "environment/default/broken/")
    leave(tab)


def test_a_kernel_that_runs_is_left_alone(tab: Lab, open_lab: Callable[..., Lab], lab: Server, written: Json) -> None:
    """A second page opens the notebook before it knows the kernels of the server."""
    path = write_notebook(lab, "running", written, "envstore-team--data")
    open_notebook(tab, path)
    wait_until_idle(tab)
    kernel = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.id"
    running = tab.page.evaluate(kernel)
    second = open_lab(lab)
    bar = open_notebook(second, path)
    wait_until_idle(second)
    assert second.page.evaluate(kernel) == running
    expect(bar).to_have_count(0)
    close(second)
    assert tab.page.evaluate(kernel) == running
    close(tab)


@pytest.mark.parametrize(
    ("bond", "message"),
    [
        ({"version": 9, "namespace": "a", "environment": "b", "build": 1}, "this version reads 1: update"),
        ({"version": 1, "namespace": "<b>a</b>", "environment": [], "build": "x"}, "namespace cannot be used"),
    ],
)
def test_what_cannot_be_read_starts_nothing(tab: Lab, lab: Server, bond: Json, message: str) -> None:
    bar = open_notebook(tab, write_notebook(lab, "odd", bond))
    expect(bar).to_contain_text(message)
    expect(tab.page.locator(".jp-Dialog")).to_have_count(0)
    assert kernel_of(tab) == ""
    tab.button("bar-close").click()
    expect(bar).to_have_count(0)
    assert not is_dirty(tab)
    leave(tab)


def test_an_environment_that_moved_on_can_go_back(tab: Lab, lab: Server, example: int) -> None:
    environment = lab.data("GET", "environment/team/data/")["id"]
    first = min(build["id"] for build in lab.data("GET", f"build/?environment_id={environment}"))
    bond = lab.data("GET", f"build/{first}/bond/")
    path = write_notebook(lab, "older", bond, "envstore-team--data")
    bar = open_notebook(tab, path)
    expect(bar).to_contain_text("Written in build 1 of team/data; its kernel runs in build 2.", timeout=30_000)
    expect(bar).to_contain_text("pandas")
    wait_until_idle(tab)
    tab.picture("notebook-moved-on")
    tab.check_accessibility(".jp-EnvStore-barContent")
    tab.button("use-build").click()
    expect(bar).to_have_count(0, timeout=30_000)
    wait_until_idle(tab)
    assert kernel_of(tab) == "envstore-team--data--python3--build-1"
    assert bond_in(tab) == bond
    close(tab)
    bar = open_notebook(tab, write_notebook(lab, "moves", bond, "envstore-team--data"))
    shown(bar)
    wait_until_idle(tab)
    tab.button("move-on").click()
    assert until_bond(tab, lambda found: found["build"] == 2) == lab.data("GET", f"build/{example}/bond/")
    expect(bar).to_have_count(0)
    close(tab)
