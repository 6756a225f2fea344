"""Commands that work on a store elsewhere."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_envstore.cli.recorded_build import RecordElsewhere, recorded_build
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.recorded_builds import NOTEBOOK
from jupyter_envstore.remote.client_configuration import ClientConfiguration
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.spec import read_specification
from tests.conftest import PYTHON
from tests.images.conftest import clients, registry
from tests.server.live import MASTER
from tests.team.conftest import UNSANDBOXED, short_folder
from tests.team.live import GUEST, JO, PEOPLE, Service, Terminal

__all__ = ["clients", "registry"]

ENVIRONMENT = "name: x\nchannels: [{channel}]\ndependencies: [nasty-text]\n"


@pytest.fixture(scope="module")
def store(base: Path) -> Iterator[Service]:
    with short_folder() as folder:
        images = f"c.EnvStoreApp.docker_base_image = 'oci:{base}'\n"
        found = Service(folder, UNSANDBOXED + PEOPLE + images).start()
        yield found
        found.stop()


@pytest.fixture(scope="module")
def jo(store: Service) -> Iterator[Terminal]:
    with short_folder() as folder:
        yield Terminal(folder, f"{store.origin}/", JO)


@pytest.fixture(scope="module")
def file(jo: Terminal, nasty_channel: str) -> Path:
    path = jo.folder / "environment.yml"
    path.write_text(ENVIRONMENT.format(channel=nasty_channel))
    return path


@pytest.fixture(scope="module")
def built(jo: Terminal, file: Path) -> str:
    """``jo/x:1`` of the store."""
    done = jo.run("build", str(file))
    assert "jo/x:1 is ready" in done.stdout
    assert "Link packages" in done.stderr
    return "jo/x:1"


def test_what_is_built_is_in_the_store_and_nothing_is_here(jo: Terminal, store: Service, built: str) -> None:
    rows = jo.json("list")
    assert [(row["namespace"], row["name"], row["build"]["number"]) for row in rows] == [("jo", "x", 1)]
    assert not (jo.folder / "data" / "envstore").exists()
    shown = jo.json("show", built)
    told = store.data("GET", f"build/{shown['id']}/")
    same = {"id", "status", "size", "number", "active", "packed_away", "own_size", "trigger", "created_by"}
    assert {key: shown[key] for key in same} == {key: told[key] for key in same}
    assert (shown["key"], shown["packages"]) == (told["build_key"], told["package_count"])
    assert {"solve", "link"} <= {step["name"] for step in shown["steps"]}
    words = jo.run("show", "jo/x").stdout
    assert "jo/x:1  COMPLETED, active" in words
    assert "prefix  on the machine of the store" in words
    log = store.ask("GET", f"build/{shown['id']}/logs/").text
    assert jo.run("logs", "-f", built).stdout == log
    assert jo.json("logs", built)["log"] == log


def test_builds_are_changed_compared_and_taken_back(jo: Terminal, store: Service, built: str) -> None:
    assert "jo/x:2 is ready" in jo.run("add", "jo/x", "nasty-links").stdout
    changes = jo.json("diff", "jo/x:1", "jo/x:2")
    assert [(change["change"], change["name"]) for change in changes] == [("added", "nasty-links")]
    assert jo.json("show", "jo/x")["number"] == 2
    assert jo.run("activate", built).stdout == "jo/x:1 is active\n"
    assert "delete jo/x:1? say --yes" in jo.run("delete", built, status=2).stderr
    assert "the active one" in jo.run("delete", built, "--yes", status=4).stderr
    jo.run("delete", "jo/x:2", "--yes")
    assert "jo/x has no build 2" in jo.run("show", "jo/x:2", status=3).stderr
    assert jo.run("cancel", built, status=4).stderr.endswith("there is nothing to cancel\n")
    jo.run("delete", "jo/x", "--yes")
    assert jo.json("list") == []
    assert jo.run("undelete", "jo/x").returncode == 0
    assert [row["name"] for row in jo.json("list")] == ["x"]


def test_a_folder_of_files_is_applied(jo: Terminal, file: Path) -> None:
    folder = jo.folder / "files"
    folder.mkdir()
    (folder / "one.yml").write_text(file.read_text().replace("name: x", "name: one"))
    (folder / "two.yml").write_text("name: two\ndependencies: [ <")
    assert [line["result"] for line in jo.json("apply", "files", "--dry-run", status=5)] == ["failed", "would build"]
    assert [line["result"] for line in jo.json("apply", "files", status=5)] == ["failed", "built"]
    (folder / "two.yml").unlink()
    assert jo.json("apply", "files")[0] == {
        "file": "files/one.yml",
        "name": "jo/one",
        "result": "unchanged",
        "reason": "",
    }
    pruned = jo.json("apply", "files", "--namespace", "jo", "--prune", "--dry-run")
    assert ("jo/x", "would delete") in {(line["name"], line["result"]) for line in pruned}


def test_choices_of_a_build_reach_the_store(jo: Terminal, store: Service, file: Path) -> None:
    choices = ("--virtual-package", "__cuda=12.4", "--all-platforms", "--exclude-newer", "2036-01-31")
    shown = jo.json("build", str(file), "--name", "choices", *choices)
    told = store.data("GET", f"build/{shown['id']}/")
    assert (told["virtual_packages"], told["all_platforms"]) == (["__cuda=12.4"], True)
    jo.run("add", "jo/choices", "nasty-links", "--no-wait")
    newest = store.data("GET", f"build/?environment_id={told['environment_id']}&order=desc")[0]["id"]
    assert store.data("GET", f"build/{newest}/")["virtual_packages"] == ["__cuda=12.4"]
    assert "__cuda" in jo.run("build", str(file), "--virtual-package", "cuda", status=2).stderr


def test_artifacts_come_whole_and_are_checked(jo: Terminal, built: str) -> None:
    shown = {item["type"]: item for item in jo.json("show", built)["artifacts"]}
    told = jo.json("download", built, "--artifact", "lockfile")
    assert (jo.folder / told["path"]).stat().st_size == shown["lockfile"]["size"]
    jo.run("download", built, "--artifact", "docker", "-o", "image.tar")
    with tarfile.open(jo.folder / "image.tar") as archive:
        assert "index.json" in archive.getnames()
    printed = jo.run("download", built, "--artifact", "yaml", "-o", "-").stdout
    assert "nasty-text=" in printed
    assert "installer is not made here" in jo.run("download", built, "--artifact", "installer", status=2).stderr


def test_a_file_with_faults_is_repaired_on_the_way(jo: Terminal, nasty_channel: str) -> None:
    path = jo.folder / "faulty.yml"
    path.write_text(f"name: faulty\nchannels: [{nasty_channel}]\ndependencies:\n  - nasty-text\nprefix: /home/jo\n")
    (jo.folder / "requirements.txt").write_text("requests\n")
    assert "--fix" in jo.run("build", "requirements.txt", "--name", "r", status=2).stderr
    done = jo.run("build", "faulty.yml", "--fix")
    assert "jo/faulty:1 is ready" in done.stdout
    assert "dependencies:" in jo.run("import", "requirements.txt").stdout


def test_what_the_store_refuses_has_its_words_and_status(jo: Terminal, store: Service, file: Path, built: str) -> None:
    guest = {"ENVSTORE_REMOTE_TOKEN": GUEST}
    assert jo.run("show", built, status=1, **guest).stderr.startswith("error: ")
    assert "guest" in jo.run("build", str(file), "--namespace", "team", status=1, **guest).stderr
    assert jo.json("list")
    assert json.loads(jo.run("list", "--json", **guest).stdout) == []
    assert "setting::update" in jo.run("gc", "--dry-run", status=1).stderr
    assert "no environment jo/none" in jo.run("show", "jo/none", status=3).stderr
    assert "no namespace nowhere" in jo.run("list", "nowhere", status=3).stderr
    wrong = jo.run("list", status=1, ENVSTORE_REMOTE_TOKEN="es_nonsense").stderr
    assert f"{store.place} does not take the token in the variable ENVSTORE_REMOTE_TOKEN; set another one" in wrong
    none = {k: v for k, v in jo.environment.items() if k != "ENVSTORE_REMOTE_TOKEN"}
    done = subprocess.run([*jo.program, "list"], capture_output=True, text=True, check=False, env=none)
    assert (done.returncode, "jupyter envstore login" in done.stderr) == (6, True)
    jo.json("setting", "--scope", "jo", 'artifacts_at_once=["yaml"]')
    assert jo.json("setting", "--scope", "jo")["artifacts_at_once"] == ["yaml"]
    assert "nonsense" in jo.run("setting", "--scope", "jo", "nonsense=1", status=2).stderr


def test_admins_free_space(store: Service, jo: Terminal, built: str) -> None:
    admin = {"ENVSTORE_REMOTE_TOKEN": MASTER}
    assert "would be freed" in jo.run("gc", "--dry-run", **admin).stdout
    assert "freed" in jo.run("gc", **admin).stdout


def test_prefixes_are_restored_and_kept_in_the_store(jo: Terminal, store: Service, file: Path) -> None:
    first = jo.json("build", str(file), "--name", "old")
    jo.run("build", str(file), "--name", "old")
    store.ask("POST", f"build/{first['id']}/pack-away/")
    shown = jo.json("restore", "jo/old:1", "--check")
    assert (shown["missing"], [package["name"] for package in shown["packages"]]) == ([], ["nasty-text"])
    assert jo.run("restore", "jo/old:1").stdout == "jo/old:1 is back\n"
    assert "it is there" in jo.run("restore", "jo/old:1", status=4).stderr
    assert "is pinned" in jo.run("keep", "jo/old:1").stdout
    assert store.data("GET", f"build/{first['id']}/")["pinned"]
    assert jo.json("keep", "jo/old:1", "--packages")["packages"] == 1


def test_links_are_made_listed_followed_and_ended(jo: Terminal, built: str) -> None:
    made = jo.json("share", "jo/x", "--days", "2")
    assert [link["id"] for link in jo.json("share")] == [made["id"]]
    refused = jo.run("import", made["link"], "-n", "from-link", status=2).stderr
    accept = [word for word in refused.split() if "://" in word]
    done = jo.run("import", made["link"], "-n", "from-link", *(w for place in accept for w in ("--accept", place)))
    assert "jo/from-link:1 is ready" in done.stdout
    jo.run("share", "--revoke", str(made["id"]))
    assert jo.json("share") == []


def test_packages_are_searched_by_the_store(jo: Terminal, nasty_channel: str) -> None:
    assert [row["name"] for row in jo.json("search", "nasty-text", "-c", nasty_channel)] == ["nasty-text"]
    assert "no package nasty-none" in jo.run("search", "nasty-none", "-c", nasty_channel, status=3).stderr


def test_commands_run_here_in_what_was_brought(jo: Terminal, store: Service, channel: str) -> None:
    (jo.folder / "k.yml").write_text(f"name: k\nchannels: [{channel}]\ndependencies: [python={PYTHON}, ipykernel]")
    shown = jo.json("build", "k.yml")
    script = "import sys; print(sys.prefix)"
    done = jo.run("run", "jo/k", "--", "python", "-c", script)
    assert "bringing it" in done.stderr
    prefix = Path(done.stdout.strip())
    assert jo.folder in prefix.parents
    again = jo.run("run", "--store", store.origin, "jo/k", "--", "python", "-c", script)
    assert (again.stdout, again.stderr) == (done.stdout, "")
    bond = store.data("GET", f"build/{shown['id']}/bond/", params={"lock": "1"})
    notebook = new_notebook(metadata={"envstore": bond}, cells=[new_code_cell("import sys\nprint(sys.prefix)")])
    nbformat.write(notebook, jo.folder / "n.ipynb")
    jo.run("run-notebook", "n.ipynb", "-o", "out.ipynb")
    out = nbformat.read(jo.folder / "out.ipynb", as_version=4)
    assert out.cells[0].outputs[0]["text"] == done.stdout
    assert (out.metadata.envstore.record, out.metadata.kernelspec.name) == (bond["record"], "envstore-jo--k")
    assert "python" in jo.run("script-block", "n.ipynb", "--print").stdout
    (jo.folder / "code").mkdir()
    (jo.folder / "code" / "s.py").write_text("import ipykernel\n")
    asked = jo.run("from-notebook", "code/s.py")
    assert "ipykernel" in asked.stdout
    assert "contains it, as in jo/k" in asked.stderr


def test_wheels_that_the_store_built_come_from_it(
    jo: Terminal, store: Service, built: str, channel: str, tmp_path: Path
) -> None:
    assert built
    source, dist = tmp_path / "madesrc-1.0", tmp_path / "dist"
    source.mkdir()
    dist.mkdir()
    (source / "madesrc.py").write_text("PLACE = 'of the store'\n")
    (source / "setup.py").write_text(
        "from setuptools import setup; setup(name='madesrc', version='1.0', py_modules=['madesrc'])"
    )
    subprocess.run(["tar", "-czf", dist / "madesrc-1.0.tar.gz", source.name], cwd=tmp_path, check=True)
    store.data("PUT", "setting/jo/", json={"pypi_allow_sdists": True})
    text = (
        f"name: wheels\nchannels: [{channel}]\ndependencies:\n  - python={PYTHON}\n  - pip\n"
        f"  - pip: ['--find-links {dist.as_uri()}', madesrc]\n"
    )
    (jo.folder / "wheels.yml").write_text(text)
    shown = jo.json("build", "wheels.yml")
    jo.run("keep", "jo/wheels", "--packages")
    store.wait(shown["id"])
    shutil.rmtree(dist)  # nobody can build it again
    done = jo.run("run", "jo/wheels", "--", "python", "-c", "import madesrc; print(madesrc.PLACE)")
    assert done.stdout == "of the store\n", done.stderr


def test_what_one_may_not_do_is_told_with_its_place(jo: Terminal, file: Path, built: str) -> None:
    assert built
    for words, place in ((("--name", "team/mine"), "team/mine"), (("--namespace", "team"), "team")):
        refused = jo.run("build", str(file), *words, status=1, ENVSTORE_REMOTE_TOKEN=GUEST).stderr
        assert f"environment:create on {place}" in refused


def test_an_attempt_that_failed_keeps_an_environment_from_nothing(
    jo: Terminal, store: Service, nasty_channel: str
) -> None:
    """Its packages could not be had when it was brought first: its channel was away."""
    text = f"name: later\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"
    build = store.submit(text, "jo")
    store.wait(build)
    bond = store.data("GET", f"build/{build}/bond/", params={"lock": "1"})
    config = StoreConfig(str(jo.folder / "cache"))
    with contextlib.closing(EnvStore.open(config)) as own:
        client = ClientConfiguration(store.place, "", "", False, config.to_text(), 10**12)
        digest = bond["record"].removeprefix("sha256:")
        wanted = RecordElsewhere(client, lambda: JO, digest, ("jo", "later"), build)
        tried = own.builds.submit(read_specification(text), *wanted.own_place, "tests", NOTEBOOK)
        own.builds.cancel(tried.id)
        assert own.builds.progress(tried.id)["status"] == "CANCELED"
        found = recorded_build(own, wanted)
        assert (found.id != tried.id, own.builds.progress(found.id)["status"]) == (True, "COMPLETED")
        assert own.records.read(found.id).sha256 == digest
        assert recorded_build(own, wanted).id == found.id


def test_records_go_to_registries_and_come_back(jo: Terminal, built: str, registry: str) -> None:
    jo.run("push", built, f"oci://{registry}/x:1")
    assert " has this very build record" in jo.run("pull", f"oci://{registry}/x:1", status=4).stderr
    refused = jo.run("pull", f"oci://{registry}/x:1", "-n", "pulled", status=2).stderr
    accept = [word for place in refused.split() if "://" in place for word in ("--accept", place)]
    assert "jo/pulled:1 is ready" in jo.run("pull", f"oci://{registry}/x:1", "-n", "pulled", *accept).stdout
    assert "skopeo copy" in jo.run("push", built, f"{registry}/image:1", status=2).stderr


@pytest.mark.parametrize("words", [("backup", "b.tar"), ("restore-backup", "b.tar")])
def test_what_works_beside_the_files_says_so(jo: Terminal, store: Service, words: tuple[str, ...]) -> None:
    done = jo.run(*words, status=2)
    assert f"{words[0]} works on the files of a store, and those of {store.place} are elsewhere" in done.stderr
    assert "on this machine alone" in jo.run(*words, "--store", store.place, status=2).stderr


def test_a_store_of_this_machine_is_named_by_its_folder(jo: Terminal) -> None:
    assert jo.json("list", "--root", str(jo.folder / "own")) == []
    assert "not allowed with" in jo.run("list", "--root", "own", "--store", "http://127.0.0.1:1", status=2).stderr


def test_the_doctor_looks_at_the_login_and_the_room(jo: Terminal, store: Service) -> None:
    found = {finding["what"]: finding for finding in jo.json("doctor")}
    assert store.place in found["store"]["text"]
    assert "jo" in found["login"]["text"]
    assert str(jo.folder) in found["cache"]["text"]
    done = jo.run("doctor", "--store", "http://127.0.0.1:9", status=1, ENVSTORE_REMOTE_TOKEN=JO)
    assert "✗ store" in done.stdout


def test_the_token_of_one_store_is_not_sent_to_another(jo: Terminal, listener: list[str]) -> None:
    address = listener[0]
    done = jo.run("list", "--store", address, status=6)
    assert "no login to the store" in done.stderr
    assert listener[1:] == []


def test_a_token_of_the_hub_goes_to_services_of_the_hub_alone(jo: Terminal, listener: list[str]) -> None:
    hub = {"JUPYTERHUB_PUBLIC_HUB_URL": f"{listener[0]}/hub/", "JUPYTERHUB_API_TOKEN": "hubsecret"}
    for path in ("user/mallory", "services/../user/mallory", "services/%2e%2e/user/mallory", ""):
        jo.run("list", "--store", f"{listener[0]}/{path}", status=6, **hub)
    assert listener[1:] == []
    jo.run("list", "--store", f"{listener[0]}/services/envs", status=6, **hub)
    assert listener[1:] == ["Bearer hubsecret"]


def test_what_a_hostile_store_tells_is_bounded(jo: Terminal, hostile: Hostile) -> None:
    here = {"ENVSTORE_REMOTE_URL": hostile.url}
    for name in ("../escaped", "/tmp/escaped", ".profile", "a/b", "", "..", 5):
        hostile.file_name = name
        told = jo.run("download", "jo/x", "--artifact", "yaml", status=6, **here).stderr
        assert "does not answer like a store of environments" in told
    hostile.file_name = "x.yml"
    assert "is not the yaml that was made" in jo.run("download", "jo/x", "--artifact", "yaml", status=5, **here).stderr
    assert not list(jo.folder.rglob("*escaped*")) and not list(jo.folder.glob("*.part"))
    listed = jo.run("list", **here).stdout
    assert ("\x1b" in listed, "\\x1b]0;evil" in listed) == (False, True)
    for data in ([1], 5, None, "x", {"a": 1}):
        hostile.listing = data
        assert "Traceback" not in jo.run("list", status=6, **here).stderr
    hostile.encoding = "zstd"
    assert "does not answer like a store" in jo.run("list", status=6, **here).stderr


def test_a_store_that_is_away_or_none_is_told(jo: Terminal, listener: list[str]) -> None:
    away = {"ENVSTORE_REMOTE_URL": "http://127.0.0.1:9"}
    assert "does not answer: nothing listens there" in jo.run("list", status=6, **away).stderr
    none = {"ENVSTORE_REMOTE_URL": listener[0]}
    assert "there is no store" in jo.run("list", status=6, **none).stderr
    assert "is no address of a store" in jo.run("list", "--store", "nonsense", status=2).stderr


class Hostile:
    """A server that answers like a store, and not well."""

    def __init__(self) -> None:
        self.file_name: object = "x.yml"
        self.listing: object = [ROW]
        self.encoding = ""
        self.url = ""

    def answer(self, path: str) -> tuple[object, bytes]:
        """Return the data of an address, or a file."""
        if path.endswith("environment/"):
            return self.listing, b""
        if "/artifacts/yaml/file" in path:
            return None, b"something else"
        if path.endswith("artifacts/yaml/"):
            return {**ARTIFACT, "file_name": self.file_name}, b""
        if path.endswith("artifacts/"):
            return [ARTIFACT], b""
        if path.endswith("progress/"):
            return {"status": "COMPLETED", "busy": False, "steps": [], "id": 1, "number": 1}, b""
        return {**BUILD, **ROW} if "/environment/" in path else {**BUILD}, b""


BUILD = {
    "id": 1, "number": 1, "build_key": "k", "status": "COMPLETED", "status_info": "\x1b]0;evil", "active": True,
    "packed_away": False, "package_count": 1, "size": 1, "own_size": 1, "warning_count": 0, "platform": "linux-64",
    "kept_packages": {"state": "no", "size": 0, "missing": 0}, "trigger": "", "created_by": "", "started_on": None,
    "scheduled_on": "2026-01-31T00:00:00", "ended_on": None, "namespace": "jo", "environment": "x",
    "exclude_newer": None, "warnings": [],
}  # fmt: skip
ROW = {
    "id": 1, "namespace": {"name": "jo"}, "name": "x", "description": "\x1b]0;evil", "active": True,
    "current_build": BUILD, "newest_build_status": None,
}  # fmt: skip
ARTIFACT = {
    "id": 1, "type": "yaml", "variant": "", "state": "ready", "size": 14, "sha256": "0" * 64, "reason": "",
    "reach": "anywhere", "media_type": "text/plain", "file_name": "x.yml",
}  # fmt: skip


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    found = Hostile()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data, text = found.answer(self.path.partition("?")[0])
            body = text or json.dumps({"status": "ok", "data": data, "count": 1}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if found.encoding:
                self.send_header("Content-Encoding", found.encoding)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Drop it."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


@pytest.fixture
def listener() -> Iterator[list[str]]:
    """A server that is no store: its address, and behind it the tokens that it was sent."""
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(str(self.headers.get("Authorization")))
            self.send_response(404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Drop it."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        seen.append(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield seen
        server.shutdown()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it mounts a small disk")
def test_what_finds_no_room_on_this_machine_is_told_and_comes_later(
    jo: Terminal, store: Service, channel: str, tmp_path: Path
) -> None:
    (jo.folder / "big.yml").write_text(f"name: big\nchannels: [{channel}]\ndependencies: [python={PYTHON}]")
    jo.run("build", "big.yml")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", tmp_path], check=False).returncode:
        pytest.skip("needs a file system of its own: mount is not allowed here")
    try:
        config = jo.folder / "small"
        config.mkdir()
        (config / "jupyter_envstore_config.py").write_text(f"c.EnvStoreApp.remote_cache_dir = '{tmp_path}/c'\n")
        words = ("run", "jo/big", "--", "python", "-c", "print(1)")
        told = jo.run(*words, status=6, JUPYTER_CONFIG_DIR=str(config)).stderr
        assert f"there is no room for it in {tmp_path}/c (c.EnvStoreApp.remote_cache_dir)" in told
        subprocess.run(["mount", "-o", "remount,size=2g", tmp_path], check=True)
        assert jo.run(*words, JUPYTER_CONFIG_DIR=str(config)).stdout == "1\n"
    finally:
        subprocess.run(["umount", "--lazy", tmp_path], check=True)
