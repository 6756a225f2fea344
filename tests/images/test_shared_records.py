"""Build records in registries: pushed to Debian's registry and brought back, served by our own."""

from __future__ import annotations

import base64
import hashlib
import http.server
import io
import json
import os
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests

from jupyter_envstore.engine.pip import find_uv
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.engine.record_reader import read_foreign_record
from jupyter_envstore.errors import (
    ConflictError,
    ImageError,
    InvalidInputError,
    NotFoundError,
    PolicyError,
    SpecificationError,
    UnknownPlacesError,
)
from jupyter_envstore.images.push import push_image
from jupyter_envstore.images.record_artifact import RECORD, RecordArtifact, read_artifact
from jupyter_envstore.images.reference import Reference, parse_image, parse_record
from jupyter_envstore.images.registry_client import RegistryClient
from jupyter_envstore.services.shared_records import _wheels_along
from jupyter_envstore.spec.lock_entries import BuiltWheel
from tests.helpers import Store, opened_stores
from tests.images.conftest import LOGIN, image_of, refused, run
from tests.images.test_transfer import PROGRAM
from tests.server.live import MASTER, Server

BOTH = f"{RECORD}, application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def text(channel: str, *packages: str) -> str:
    return f"name: data\ndescription: For all\nchannels: ['{channel}']\ndependencies: [{', '.join(packages)}]\n"


@pytest.fixture
def stores(package_cache: Path, base: Path) -> Iterator[Callable[..., Store]]:
    """Stores of their own: two laptops."""
    with opened_stores(package_cache) as make:
        yield lambda **more: make(docker_base_image=f"oci:{base}", **more)


def push(store: Store, build_id: int, address: str) -> Any:
    return store.envstore.shared_records.push(build_id, parse_record(address), "tester", lambda *_: None)


def bring(store: Store, address: str, name: str = "there", accepted: tuple[str, ...] = ()) -> dict[str, Any]:
    """Pull a record and build it; return the build."""
    pulled = store.envstore.shared_records.pull(parse_record(address))
    found = store.envstore.shared_records.build(pulled, ("team", name), "tester", accepted)
    return store.wait(found.id)


def test_a_record_goes_to_another_store_as_it_is(
    stores: Callable[..., Store], registry: str, nasty_channel: str
) -> None:
    one, other = stores(), stores(allow_local_files=True)
    view = one.build(text(nasty_channel, "nasty-text", "nasty-links"))
    address = f"oci://{registry}/team/data:1"
    pushed = push(one, view["id"], address)
    assert push(one, view["id"], address).sent == 0
    with pytest.raises(UnknownPlacesError) as asked:
        bring(other, address)
    assert asked.value.places == [nasty_channel]
    brought = bring(other, address, accepted=(nasty_channel,))
    assert brought["status"] == "COMPLETED", brought["reason"]
    record = one.envstore.records.read(view["id"])
    assert other.envstore.records.read(brought["id"]) == record
    exact = bring(other, f"oci://{registry}/team/data@{pushed.digest}", "exact", (nasty_channel,))
    assert other.envstore.records.read(exact["id"]) == record
    pulled = other.envstore.shared_records.pull(parse_record(address))
    assert pulled.artifact.digest == record.sha256
    assert pulled.artifact.annotations == {
        "org.opencontainers.image.title": "team/data",
        "org.opencontainers.image.description": "For all",
        "dev.jupyter-envstore.build": "1",
        "dev.jupyter-envstore.platforms": view["platform"],
    }
    here = other.envstore.shared_records.builds_with(pulled)
    assert [str(reference) for reference in here] == ["team/exact:1", "team/there:1"]
    with pytest.raises(ConflictError, match="team/there"):
        bring(other, address, accepted=(nasty_channel,))
    raw = json.loads(run("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{registry}/team/data:1").stdout)
    assert (raw["artifactType"], raw["layers"][0]["digest"]) == (RECORD, f"sha256:{record.sha256}")


def test_a_record_beside_an_image_refers_to_it(stores: Callable[..., Store], registry: str, nasty_channel: str) -> None:
    store = stores()
    view = store.build(text(nasty_channel, "nasty-text"))
    image = image_of(store, view)
    push_image(store.envstore.blobs, image["sha256"], parse_image(f"{registry}/team/data:1"), lambda *_: None)
    address = f"oci://{registry}/team/data:1"
    with pytest.raises(ImageError, match="no build record, and none refers to it; push one"):
        bring(store, address)
    pushed = push(store, view["id"], address)
    assert pushed.attached_to == f"sha256:{image['sha256']}"
    found = json.loads(run("skopeo", "inspect", "--tls-verify=false", f"docker://{registry}/team/data:1").stdout)
    assert found["Digest"] == pushed.attached_to  # the image stays under its tag
    index = requests.get(
        f"http://{registry}/v2/team/data/manifests/sha256-{image['sha256']}", headers={"Accept": OCI_INDEX}, timeout=10
    ).json()
    assert [item["digest"] for item in index["manifests"]] == [pushed.digest]
    push(store, view["id"], address)  # twice is once
    brought = bring(store, address, accepted=(nasty_channel,))
    assert store.envstore.records.read(brought["id"]) == store.envstore.records.read(view["id"])
    other = store.build(text(nasty_channel, "nasty-text", "nasty-links"))
    by_digest = f"oci://{registry}/team/data@{pushed.attached_to}"
    second = push(store, other["id"], by_digest)
    with pytest.raises(ImageError, match="2 build records refer to") as several:
        bring(store, address, "third")
    assert pushed.digest in str(several.value)
    assert second.digest in str(several.value)
    with pytest.raises(ImageError, match="is not there; push to a tag"):
        push(store, view["id"], f"oci://{registry}/team/data@sha256:{'0' * 64}")


def test_wheels_that_were_built_from_source_go_along(
    stores: Callable[..., Store], registry: str, channel: str, tmp_path: Path
) -> None:
    project = tmp_path / "ore"
    project.mkdir()
    (project / "ore_of_here.py").write_text("KIND = 'iron'\n")
    (project / "pyproject.toml").write_text(
        "[build-system]\nrequires = ['flit_core']\nbuild-backend = 'flit_core.buildapi'\n"
        "[project]\nname = 'ore-of-here'\nversion = '1.0'\ndescription = 'ore'\n"
    )
    (project / "ore_of_here.py").write_text('"""ore"""\nKIND = "iron"\n')
    subprocess.run([find_uv(), "build", "--sdist", "--out-dir", str(tmp_path / "files"), str(project)], check=True,
                   capture_output=True)  # fmt: skip
    one, other, strict = stores(), stores(), stores()
    one.envstore.settings.change({"pypi_allow_sdists": True}, (), "tester")
    view = one.build(text(channel, "python", f"{{pip: [--find-links {tmp_path / 'files'}, ore-of-here]}}"))
    assert view["status"] == "COMPLETED", view["reason"]
    record = one.envstore.records.read(view["id"])
    (wheel,) = record.wheels
    address = f"oci://{registry}/team/ore:1"
    push(one, view["id"], address)
    shutil.rmtree(tmp_path / "files")
    with pytest.raises(UnknownPlacesError) as asked:
        bring(other, address)
    assert f"oci://{registry}" in asked.value.places
    brought = bring(other, address, accepted=tuple(asked.value.places))
    assert brought["status"] == "COMPLETED", brought["reason"]
    assert other.envstore.records.read(brought["id"]) == record
    assert list(Path(brought["prefix"]).glob("lib/python3*/site-packages/ore_of_here.py"))
    assert other.envstore.blobs.exists(wheel["sha256"])
    strict.envstore.settings.change({"pypi_allowed_indexes": ["https://index.example/simple"]}, (), "tester")
    with pytest.raises(PolicyError, match="ore-of-here"):
        bring(strict, address, accepted=tuple(asked.value.places))


def put(registry: str, name: str, tag: str, manifest: bytes, *blobs: bytes) -> None:
    """Put something that nobody of us wrote into a registry."""
    for blob in blobs:
        digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
        location = requests.post(f"http://{registry}/v2/{name}/blobs/uploads/", timeout=10).headers["Location"]
        sent = requests.put(location, params={"digest": digest}, data=blob, timeout=10)
        assert sent.status_code == 201, sent.text
    answer = requests.put(
        f"http://{registry}/v2/{name}/manifests/{tag}",
        data=manifest,
        headers={"Content-Type": "application/vnd.oci.image.manifest.v1+json"},
        timeout=10,
    )
    assert answer.status_code == 201, answer.text


class ScopedTokens(http.server.BaseHTTPRequestHandler):
    """A fake of a registry whose tokens give no right to pull from a repository that is not there, as Docker Hub is."""

    store: ClassVar[dict[str, bytes]] = {}

    def answer(self, status: int, data: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def do_GET(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        host, path = self.headers["Host"], self.path.partition("?")[0]
        if path == "/token":
            self.answer(200, json.dumps({"token": "writer" if "push" in self.path else "reader"}).encode())
        elif self.headers.get("Authorization") != "Bearer writer":
            self.answer(401, WWW_Authenticate=f'Bearer realm="http://{host}/token",service="x"')
        elif self.command == "POST":
            self.answer(202, Location=f"{path}1")
        elif self.command == "PUT":
            digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
            self.store[digest] = self.store[path.rpartition("/")[2]] = data
            self.answer(201)
        elif (found := self.store.get(path.rpartition("/")[2])) is None:
            self.answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')
        else:
            self.answer(200, found, Content_Type="application/vnd.oci.image.manifest.v1+json")

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815 - as http.server calls them

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_a_repository_that_is_not_there_yet_is_pushed_to(stores: Callable[..., Store], nasty_channel: str) -> None:
    store = stores()
    view = store.build(text(nasty_channel, "nasty-text"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), ScopedTokens) as registry:
        threading.Thread(target=registry.serve_forever).start()
        try:
            pushed = push(store, view["id"], f"oci://127.0.0.1:{registry.server_port}/me/new:1")
        finally:
            registry.shutdown()
    assert hashlib.sha256(ScopedTokens.store["1"]).hexdigest() == pushed.digest.removeprefix("sha256:")


def test_a_record_with_a_name_that_leads_elsewhere_is_refused() -> None:
    good = BuildRecord("data", (), {"linux-64": PlatformLock(())})
    for change, fault in (
        ({"name": "../../evil"}, "name"),
        ({"pip_options": {"index_url": None, "extra_index_urls": [], "find_links": None}}, "find_links"),
        ({"pip_options": {"index_url": None, "extra_index_urls": [], "find_links": [7]}}, "pip_options"),
    ):
        data = json.dumps({**json.loads(good.to_bytes()), **change}, sort_keys=True, separators=(",", ":")).encode()
        with pytest.raises(SpecificationError, match=fault):
            read_foreign_record(data, allow_local_files=True)


def test_the_files_of_a_pulled_environment_have_its_own_name(
    stores: Callable[..., Store], registry: str, nasty_channel: str
) -> None:
    store = stores()
    view = store.build(text(nasty_channel, "nasty-text"))
    push(store, view["id"], f"oci://{registry}/data:1")
    brought = bring(store, f"oci://{registry}/data:1", "other", (nasty_channel,))
    store.envstore.artifacts.request(brought["id"], "pixi")
    store.wait(brought["id"])
    data = b"".join(store.envstore.artifacts.pieces(brought["id"], "pixi"))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert sorted(archive.namelist()) == ["other/pixi.lock", "other/pixi.toml"]
        assert b'name = "other"' in archive.read("other/pixi.toml")


def test_a_wheel_of_another_size_does_not_go_along() -> None:
    wheel = BuiltWheel(filename="a-1-py3-none-any.whl", sha256="a" * 64, size=2**52)
    package = {"name": "a", "version": "1", "filename": "a-1.tar.gz", "url": "https://h.example/a-1.tar.gz",
               "sha256": "b" * 64, "size": 1, "index": "", "dependencies": [], "wheel": wheel}  # fmt: skip
    record = BuildRecord("data", (), {"linux-64": PlatformLock((), (package,))})  # type: ignore[arg-type]
    assert _wheels_along(record, RecordArtifact("c" * 64, 1, (wheel,))) == [wheel]
    smaller = BuiltWheel(filename="a-1-py3-none-any.whl", sha256="a" * 64, size=10)
    assert _wheels_along(record, RecordArtifact("c" * 64, 1, (smaller,))) == []


def test_what_is_no_record_is_refused(stores: Callable[..., Store], registry: str) -> None:
    store = stores()
    for number, data in enumerate((b"{}", b"not json", b'{"format": 7}', b"[" * 100_000)):
        artifact = RecordArtifact(hashlib.sha256(data).hexdigest(), len(data))
        put(registry, "bad/record", f"{number}", artifact.manifest(), b"{}", data)
        with pytest.raises(SpecificationError):
            bring(store, f"oci://{registry}/bad/record:{number}")
    for layers in ([], [{"mediaType": "text/plain", "digest": f"sha256:{'0' * 64}", "size": 1}], [{"size": -1}], "x"):
        with pytest.raises(ImageError):
            read_artifact({"artifactType": RECORD, "layers": layers})
    with pytest.raises(ImageError, match="has no"):
        bring(store, f"oci://{registry}/bad/record:none")
    assert not store.envstore.environments.list_all()


@pytest.mark.parametrize(
    "address",
    ["", "oci://", "oci://host", "registry.example/a:1", "oci://name/x", "oci://h.example/UPPER:1", "oci://h.example/a@1",
     "oci://h.example/a b", "oci://h.example/../x", "oci:folder"],
)  # fmt: skip
def test_addresses_that_name_no_record(address: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_record(address)


def test_addresses_that_do() -> None:
    assert parse_record("oci://h.example:5000/a/b:1") == Reference("h.example:5000", "a/b", "1")
    assert parse_record("oci://localhost/a") == Reference("localhost", "a")


def test_from_the_command_line(
    registry: str, nasty_channel: str, root: Path, package_cache: Path, tmp_path: Path
) -> None:
    (root / "pkgs").symlink_to(package_cache)
    here, there = root / "here", root / "there"
    config = "c.EnvStoreApp.default_settings = {'check_imports': False, 'artifacts_at_once': []}\n"
    (tmp_path / "jupyter_envstore_config.py").write_text(config)
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path)}
    (tmp_path / "data.yml").write_text(text(nasty_channel, "nasty-text"))

    def command(*arguments: str, store: Path = here, code: int = 0) -> subprocess.CompletedProcess[str]:
        return run(PROGRAM, *arguments, "--root", str(store), code=code, env=environment)

    command("build", str(tmp_path / "data.yml"))
    pushed = command("push", "default/data", f"oci://{registry}/data:v1")
    assert f"Bring it back: jupyter envstore pull oci://{registry}/data:v1" in pushed.stdout
    assert "warning: the addresses of its packages: works on this machine alone" in pushed.stderr
    told = json.loads(command("push", "default/data", f"oci://{registry}/data", "--json").stdout)
    assert told["sent"] == 0
    assert told["record"].startswith(f"oci://{registry}/data:")
    address = f"oci://{registry}/data@{told['digest']}"
    asked = command("pull", address, store=there, code=2)
    assert f"give --accept {nasty_channel}" in asked.stderr
    done = command("pull", address, "--accept", nasty_channel, "--name", "team/mine", store=there)
    assert "building team/mine:1" in done.stderr
    again = command("pull", address, "--accept", nasty_channel, store=there, code=4)
    assert "team/mine:1 has this very build record; --name NAME makes another" in again.stderr
    assert "write oci://HOST/NAME:TAG" in command("pull", "data", store=there, code=2).stderr


@pytest.fixture(scope="module")
def hub(make_server: Callable[[str], Server], base: Path, nasty_channel: str) -> Server:
    found = make_server(f'c.EnvStoreApp.docker_base_image = "oci:{base}"\n')
    found.build_id = found.submit(text(nasty_channel, "nasty-text"))
    assert found.wait(found.build_id)["status"] == "COMPLETED"
    return found


def ask(hub: Server, path: str, accept: str = BOTH, **more: Any) -> requests.Response:
    return requests.get(f"{hub.origin}/v2/{path}", auth=LOGIN, headers={"Accept": accept}, timeout=60, **more)


def test_our_own_registry_serves_records_without_an_image(
    hub: Server, stores: Callable[..., Store], nasty_channel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = base64.b64encode(f"x:{MASTER}".encode()).decode()
    (tmp_path / "auth.json").write_text(json.dumps({"auths": {f"127.0.0.1:{hub.port}": {"auth": login}}}))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    store = stores()
    key = hub.data("GET", f"build/{hub.build_id}/")["build_key"]
    for number, tag in enumerate(("latest", key)):
        address = f"oci://127.0.0.1:{hub.port}/team/data:{tag}"
        brought = bring(store, address, f"e{number}", (nasty_channel,))
        assert brought["status"] == "COMPLETED"
    states = {item["type"]: item["state"] for item in hub.data("GET", f"build/{hub.build_id}/artifacts/")}
    assert states["docker"] == "absent"  # nobody asked for an image
    digest = ask(hub, "team/data/manifests/latest").headers["Docker-Content-Digest"]
    exact = ask(hub, f"team/data/manifests/{digest}", "application/vnd.oci.image.manifest.v1+json")
    assert (exact.status_code, exact.json()["artifactType"]) == (200, RECORD)
    assert f"sha256:{hashlib.sha256(exact.content).hexdigest()}" == digest
    for part in (exact.json()["config"], *exact.json()["layers"]):
        answer = ask(hub, f"team/data/blobs/{part['digest']}")
        assert f"sha256:{hashlib.sha256(answer.content).hexdigest()}" == part["digest"]
        assert len(answer.content) == part["size"]
    record = BuildRecord.from_bytes(ask(hub, f"team/data/blobs/{exact.json()['layers'][0]['digest']}").content)
    assert record.name == "data"
    missing = ask(hub, f"team/data/blobs/sha256:{'0' * 64}")
    assert refused(missing) == (404, "BLOB_UNKNOWN")
    assert refused(ask(hub, f"team/data/manifests/sha256:{'0' * 64}")) == (404, "MANIFEST_UNKNOWN")
    assert refused(ask(hub, "team/data/manifests/none")) == (404, "MANIFEST_UNKNOWN")


def test_an_image_of_our_registry_has_its_record_as_referrer(
    hub: Server, clients: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    inspected = run("skopeo", "inspect", "--creds", f"x:{MASTER}", "--tls-verify=false",
                    f"docker://127.0.0.1:{hub.port}/team/data:latest")  # fmt: skip
    image = json.loads(inspected.stdout)["Digest"]
    answer = ask(hub, f"team/data/referrers/{image}", OCI_INDEX, params={"artifactType": RECORD})
    assert answer.headers["Content-Type"].startswith(OCI_INDEX)
    assert answer.headers["OCI-Filters-Applied"] == "artifactType"
    (listed,) = answer.json()["manifests"]
    manifest = ask(hub, f"team/data/manifests/{listed['digest']}")
    assert f"sha256:{hashlib.sha256(manifest.content).hexdigest()}" == listed["digest"]
    assert (len(manifest.content), listed["artifactType"]) == (listed["size"], RECORD)
    assert manifest.json()["subject"]["digest"] == image
    assert ask(hub, f"team/data/referrers/{image}", OCI_INDEX, params={"artifactType": "x"}).json()["manifests"] == []
    assert ask(hub, f"team/data/referrers/sha256:{'0' * 64}", OCI_INDEX).json()["manifests"] == []
    assert refused(ask(hub, "team/data/referrers/latest", OCI_INDEX)) == (400, "DIGEST_INVALID")
    login = base64.b64encode(f"x:{MASTER}".encode()).decode()
    (tmp_path / "auth.json").write_text(json.dumps({"auths": {f"127.0.0.1:{hub.port}": {"auth": login}}}))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    client = RegistryClient(parse_image(f"127.0.0.1:{hub.port}/team/data@{image}"))
    assert [json.loads(page)["manifests"] for page in client.referrers(image, RECORD)] == [[listed]]


def test_who_may_not_read_an_environment_gets_no_record_of_it(hub: Server) -> None:
    token = hub.token({"other/*": ["viewer"]}, name="elsewhere")
    record = ask(hub, "team/data/manifests/latest").json()["layers"][0]["digest"]
    for below in ("manifests/latest", f"blobs/{record}", f"referrers/sha256:{'0' * 64}"):
        answer = requests.get(
            f"{hub.origin}/v2/team/data/{below}", auth=("x", token), headers={"Accept": BOTH}, timeout=10
        )
        assert refused(answer) == (403, "DENIED"), below


def test_a_build_that_did_not_complete_has_no_record_to_share(
    stores: Callable[..., Store], registry: str, nasty_channel: str
) -> None:
    store = stores()
    view = store.build(text(nasty_channel, "no-such-package"))
    with pytest.raises(ConflictError, match="is FAILED; records of completed builds are shared"):
        push(store, view["id"], f"oci://{registry}/a:1")
    with pytest.raises(NotFoundError):
        push(store, 999, f"oci://{registry}/a:1")
