"""From where the addresses in lists of packages can be reached: said where the lists are offered."""

from __future__ import annotations

import pytest

from jupyter_envstore.artifacts.artifact_reach import reach_of_artifact
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.spec.address_reach import reach_of
from jupyter_envstore.spec.specification import PipOptions
from tests.helpers import Store

PUBLIC = "https://conda.example.org/forge"


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        (PUBLIC, "anywhere"),
        ("https://user:secret@conda.example.org:8443/t/token/forge", "anywhere"),
        ("conda-forge", "anywhere"),
        ("https://8.8.8.8/forge", "anywhere"),
        ("https://[2001:4860:4860::8888]/forge", "anywhere"),
        ("s3://bucket/channel", "anywhere"),
        ("git+https://git.example.org/a/b@0123456789012345678901234567890123456789", "anywhere"),
        ("http://mirror/forge", "private"),
        ("http://mirror:8080/forge", "private"),
        ("https://conda.corp.internal/forge", "private"),
        ("https://nas.LOCAL./forge", "private"),
        ("https://10.1.2.3/forge", "private"),
        ("https://192.168.0.1:81/forge", "private"),
        ("https://172.31.0.1/forge", "private"),
        ("https://100.64.1.1/forge", "private"),
        ("https://169.254.1.1/forge", "private"),
        ("https://[fd00::1]/forge", "private"),
        ("https://[fe80::1%25eth0]/forge", "private"),
        ("https://[::ffff:10.0.0.1]/forge", "private"),
        ("https://0xa000001/forge", "private"),
        ("git+ssh://git@gitlab/a/b", "private"),
        ("file:///srv/channel", "here"),
        ("git+file:///srv/repository", "here"),
        ("/srv/wheels", "here"),
        ("./wheels", "here"),
        ("http://localhost:8000/forge", "here"),
        ("http://conda.localhost/forge", "here"),
        ("http://127.0.0.1:8000/forge", "here"),
        ("http://127.1/forge", "here"),
        ("http://[::1]/forge", "here"),
    ],
)
def test_each_kind_of_address_is_known(address: str, reach: str) -> None:
    assert reach_of(address) == reach


def package(channel: str, name: str = "a") -> dict[str, str]:
    return {"name": name, "channel": channel, "url": f"{channel}/noarch/{name}-1-0.conda"}


def wheel(url: str, name: str = "w") -> dict[str, str]:
    return {"name": name, "url": url}


def reaches(record: BuildRecord) -> list[str | None]:
    """Return what is said of pinned YAML, explicit list and lockfile."""
    return [reach_of_artifact(kind, record, "linux-64") for kind in ("yaml", "explicit", "lockfile")]


def test_each_list_is_judged_by_what_stands_in_it() -> None:
    local = package("file:///srv/channel")
    plain = PlatformLock((package(PUBLIC),))
    assert reaches(BuildRecord("e", (PUBLIC,), {"linux-64": plain})) == ["anywhere"] * 3
    # a channel that gives no package: conda asks it all the same when it solves the YAML
    assert reaches(BuildRecord("e", (PUBLIC, "http://mirror/c"), {"linux-64": plain})) == [
        "private", "anywhere", "anywhere",
    ]  # fmt: skip
    # another platform's packages stand in the lockfile alone
    record = BuildRecord("e", (PUBLIC,), {"linux-64": plain, "osx-arm64": PlatformLock((local,))})
    assert reaches(record) == ["anywhere", "anywhere", "here"]
    index = PipOptions(index_url="https://index.corp.internal/simple")
    wheels = PlatformLock((package(PUBLIC),), (wheel("https://index.corp.internal/w-1-py3-none-any.whl"),))
    assert reaches(BuildRecord("e", (PUBLIC,), {"linux-64": wheels}, pip_options=index)) == ["private"] * 3
    assert reach_of_artifact("archive", BuildRecord("e", (), {"linux-64": plain}), "linux-64") is None


def test_lists_of_a_local_channel_say_so_made_or_not_and_what_holds_the_packages_does_not(
    store: Store, nasty_channel: str
) -> None:
    store.envstore.settings.change({"artifacts_at_once": ["lockfile", "archive"]}, (), "tester")
    view = store.build(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    told = {item["type"]: item["reach"] for item in store.envstore.artifacts.of_build(view["id"])}
    assert {kind for kind, reach in told.items() if reach == "here"} == {"yaml", "explicit", "lockfile", "pixi"}
    assert {kind for kind, reach in told.items() if reach == "anywhere"} == {"archive", "docker", "installer", "sbom"}
    made = store.envstore.artifacts.find(view["id"], "lockfile")
    assert made["reach"] == "here"
    assert list(made["tools"]) == ["PyYAML"]
