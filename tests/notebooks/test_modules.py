"""Which packages have a module that a notebook lacks."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name

from jupyter_envstore.engine.import_names import SAME_NAME, TWO_NAMES, known_packages
from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.policy.access import EVERYWHERE, Identity
from tests.helpers import Store

JO = Identity("jo", "jo", {EVERYWHERE: ["admin"]})
STRANGER = Identity("eve", "eve", {"eve/*": ["admin"]})


def test_packages_of_conda_and_pip_are_found_by_what_they_contain(built: Store) -> None:
    modules = built.envstore.modules
    place = f"{built.data['namespace']}/{built.data['name']}"
    for module, package, manager in (("numpy.linalg", "numpy", "conda"), ("cowsay", "cowsay", "pip")):
        found = modules.providers(JO, module)
        assert [(item["package"], item["manager"], item["source"]) for item in found] == [
            (package, manager, "contents")
        ]
        assert place in found[0]["places"]
        assert modules.providers(STRANGER, module) == []
    assert modules.providers(JO, "no_such_module") == []


def test_the_list_of_names_holds_those_alone_that_differ() -> None:
    assert not SAME_NAME.keys() & TWO_NAMES.keys()
    for module, package in SAME_NAME.items():
        assert module != package, module
        assert canonicalize_name(package) == package or "." in package, package
    for module, (conda, pypi) in TWO_NAMES.items():
        assert canonicalize_name(conda) != canonicalize_name(pypi) or conda == "typing_extensions", module
    assert list(SAME_NAME) == sorted(SAME_NAME)
    assert list(TWO_NAMES) == sorted(TWO_NAMES)


@pytest.mark.parametrize(
    ("module", "packages"),
    [
        ("google.protobuf.message", ("protobuf", "protobuf")),
        ("google", None),
        ("mpl_toolkits.mplot3d", ("matplotlib", "matplotlib")),
        ("mpl_toolkits.basemap", ("basemap", "basemap")),
        ("graphviz", ("python-graphviz", "graphviz")),
        ("yaml", ("pyyaml", "pyyaml")),
        ("numpy", None),
    ],
)
def test_the_longest_part_of_a_name_counts(module: str, packages: tuple[str, str] | None) -> None:
    assert known_packages(module) == packages


def test_other_names_are_known_or_follow_a_convention(built: Store) -> None:
    modules = built.envstore.modules
    found = modules.providers(JO, "cv2")
    assert [(item["package"], item["manager"]) for item in found] == [("opencv", "conda"), ("opencv-python", "pip")]
    assert [item["source"] for item in modules.providers(JO, "dplyr", "r")] == ["convention"]
    with pytest.raises(InvalidInputError, match="is no name of a module"):
        modules.providers(JO, "../etc")
