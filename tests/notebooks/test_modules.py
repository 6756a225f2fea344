"""Which packages have a module that a notebook lacks."""

from __future__ import annotations

import pytest

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


def test_other_names_are_known_or_follow_a_convention(built: Store) -> None:
    modules = built.envstore.modules
    found = modules.providers(JO, "cv2")
    assert [(item["package"], item["manager"]) for item in found] == [("opencv", "conda"), ("opencv-python", "pip")]
    assert [item["source"] for item in modules.providers(JO, "dplyr", "r")] == ["convention"]
    with pytest.raises(InvalidInputError, match="is no name of a module"):
        modules.providers(JO, "../etc")
