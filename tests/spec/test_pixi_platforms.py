"""Platforms of a pixi workspace: which entry is taken for the one to build for, and what holds there."""

from __future__ import annotations

import pytest

from jupyter_envstore.spec import Specification, read_specification
from jupyter_envstore.spec.converting.draft import Pick
from jupyter_envstore.spec.converting.pixi_platforms import matches, read_platforms
from jupyter_envstore.spec.repair import repair

GPU = '["linux-64", { name = "c", platform = "linux-64", cuda = "12.0" }, { platform = "osx-arm64", macos = "14.0" }]'


def read(platforms: str, rest: str, environment: str = "") -> tuple[Specification, dict[str, str]]:
    """Read a workspace with a package ``all`` for linux-64; return also what was told, by what it is about."""
    text = f'[workspace]\nname = "w"\nchannels = ["c"]\nplatforms = {platforms}\n[dependencies]\nall = "*"\n{rest}'
    repaired = repair(text, "pixi.toml", platform="linux-64", pick=Pick(environment))
    return read_specification(repaired.text), {change.what: change.why for change in repaired.changes}


def test_a_feature_names_the_entry_that_its_environment_is_for() -> None:
    rest = """
[target.c.dependencies]
for-c = "*"
[feature.gpu]
platforms = ["c"]
[feature.gpu.dependencies]
gpu = "*"
[feature.gpu.target.c.dependencies]
more = "*"
[environments]
gpu = ["gpu"]
"""
    found, told = read(GPU, rest, "gpu")
    assert found.dependencies == ("all", "for-c", "gpu", "more")
    assert (found.platforms, found.system_requirements) == (("linux-64",), {"cuda": "12.0"})
    assert told["platform linux-64 of linux-64 left out"] == "c is taken: features of the environment name it"
    found, told = read(GPU, rest)
    assert found.dependencies == ("all",)
    assert (found.platforms, found.system_requirements) == (("linux-64", "osx-arm64"), {"macos": "14.0"})
    assert told["platform c of linux-64 left out"] == "linux-64 is taken: it stands before it in the file"
    assert told["target.c left out"] == "the platform linux-64 is taken"


def test_targets_are_patterns_of_names_and_the_last_one_has_the_last_word() -> None:
    platforms = '[{ name = "gpu", platform = "linux-64", cuda = "12.4" }, { name = "cpu", platform = "linux-64" }]'
    rest = """
[target.linux-64.dependencies]
p = "1"
[target."*gpu*".dependencies]
p = "2"
[target.unix.dependencies]
p = "3"
q = "1"
[target."*pu".dependencies]
r = "1"
[target.cpu.dependencies]
s = "1"
[target."*cpu*".dependencies]
s = "1"
[target.win.dependencies]
t = "1"
[target.unheard.dependencies]
u = "1"
"""
    found, told = read(platforms, rest)
    assert found.dependencies == ("all", "p 3", "q 1", "r 1")
    assert found.system_requirements == {"cuda": "12.4"}
    assert told["target.cpu, target.*cpu* left out"] == "the platform gpu is taken"
    assert told["target.win left out"] == "it is for another platform"
    assert told["target.unheard left out"] == "no platform is called so"


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ('{ platform = "linux-64", cuda = "12.0" }', "linux-64-cuda-12-0"),
        ('{ platform = "linux-64", glibc = "2.28", cuda = "12.0" }', "linux-64-cuda-12-0"),
        ('{ glibc = "2.17", cuda = "12", platform = "linux-64" }', "linux-64-cuda-12-glibc-2-17"),
        ('{ platform = "linux-64", cuda = { driver = "12.0", arch = "8.6" } }', "linux-64-cuda-12-0-cuda-arch-8-6"),
        ('{ platform = "linux-64" }', "linux-64"),
        ('{ name = "linux-64" }', "linux-64"),
        ('{ name = "mine", platform = "linux-64", cuda = "12.0" }', "mine"),
    ],
)
def test_an_entry_without_a_name_has_the_one_that_pixi_makes(entry: str, name: str) -> None:
    found, _ = read(f"[{entry}]", f'[target.{name}.dependencies]\nhere = "*"\n')
    assert found.dependencies == ("all", "here")


def test_what_a_system_has_is_carried_over_part_by_part() -> None:
    platforms = """[
  { name = "a", platform = "linux-64", cuda = { driver = "12.0", arch = "8.6" }, glibc = "2.17", archspec = "v3" },
  { platform = "win-64", cuda = "11.8", windows = "10" },
  { platform = "osx-arm64", osx = "14.0" },
]"""
    found, told = read(platforms, "")
    assert found.system_requirements == {"cuda": "12.0", "glibc": "2.17", "macos": "14.0"}
    left = {what for what in told if what.endswith("left out")}
    assert left == {
        "platforms.a.cuda.arch left out",
        "platforms.a.archspec left out",
        "platforms.win-64-cuda-11-8-windows-10.cuda left out",
        "platforms.win-64-cuda-11-8-windows-10.windows left out",
    }
    found, told = read('["linux-64"]', '[system-requirements]\nlibc = { family = "glibc", version = "2.17" }\n')
    assert found.system_requirements == {"glibc": "2.17"}
    found, told = read('[{ platform = "linux-64", __cuda = "12.1", linux = "5.10", glibc = "2" }]', "")
    assert found.system_requirements == {"cuda": "12.1", "linux": "5.10"}
    (why,) = (why for what, why in told.items() if what.endswith("glibc left out"))
    assert "is no version" in why


def test_the_plain_name_of_a_platform_is_all_of_its_entries() -> None:
    platforms = '[{ name = "gpu", platform = "linux-64", cuda = "12.0" }, "osx-arm64"]'
    rest = '[feature.a]\nplatforms = ["linux-64"]\n[environments]\na = ["a"]\n'
    found, _ = read(platforms, rest, "a")
    assert (found.platforms, found.system_requirements) == (("linux-64",), {"cuda": "12.0"})


def test_features_that_name_different_entries_have_what_all_of_them_have() -> None:
    platforms = (
        '[{ name = "g", platform = "linux-64", cuda = "12" }, { name = "o", platform = "linux-64", glibc = "2.17" }]'
    )
    rest = '[feature.a]\nplatforms = ["g"]\n[feature.b]\nplatforms = ["o"]\n[environments]\nab = ["a", "b"]\n'
    found, _ = read(platforms, rest, "ab")
    assert found.system_requirements == {"cuda": "12", "glibc": "2.17"}


def test_an_environment_for_other_platforms_is_told() -> None:
    rest = '[feature.mac]\nplatforms = ["osx-arm64"]\n[environments]\nmac = ["mac"]\n'
    found, told = read(GPU, rest, "mac")
    assert found.platforms == ("osx-arm64",)
    assert told["packages for linux-64 taken"] == "the file has the environment for osx-arm64"


def test_patterns_mean_whole_names() -> None:
    assert matches("cuda-*", "cuda-64")
    assert matches("*gpu**", "gpu")
    assert not matches("cuda-*", "my-cuda-64")
    assert not matches("*.64", "linux-64")
    assert [one.name for one in read_platforms(["linux-64"])] == ["linux-64"]
