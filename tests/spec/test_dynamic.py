"""Images on demand: what their names ask for."""

from __future__ import annotations

import pytest

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.spec import read_specification
from jupyter_envstore.spec.dynamic_images import parse_dynamic


@pytest.mark.parametrize(
    ("constraints", "specs"),
    [
        ("python.lt.3.10/numpy.gt.1.0", ("numpy>=1.0", "python<=3.10")),
        ("numpy.gt.1.0/python.lt.3.10", ("numpy>=1.0", "python<=3.10")),
        ("python.ge.3.8.lt.3.11", ("python<=3.11,>=3.8",)),
        ("python.ge.3.8/python.lt.3.11", ("python<=3.11,>=3.8",)),
        ("ruamel.yaml.eq.0.18.6", ("ruamel.yaml==0.18.6",)),
        ("_libgcc_mutex/r-base.le.4", ("_libgcc_mutex", "r-base<=4")),
    ],
)
def test_constraints_are_read_whatever_their_order(constraints: str, specs: tuple[str, ...]) -> None:
    image = parse_dynamic(f"conda-store-dynamic/{constraints}")
    assert image.specs == specs
    specification = read_specification(image.text)
    assert (specification.name, sorted(specification.dependencies)) == (image.name, sorted(specs))


def test_the_same_constraints_have_one_name_and_others_another() -> None:
    first, second, third = (
        parse_dynamic(f"conda-store-dynamic/{text}").name for text in ("a.lt.1/b", "b/a.le.1", "a.lt.2/b")
    )
    assert first == second != third


def test_bounds_can_be_strict_as_the_code_of_conda_store_had_them() -> None:
    assert parse_dynamic("conda-store-dynamic/a.lt.1.gt.0/b.le.2", strict=True).specs == ("a<1,>0", "b<=2")


@pytest.mark.parametrize(
    "text", ["a.lt", "a.lt.", ".lt.1", "a.lt.b", "A", "", "a.lt.1.gt", "python.xx.3", "python.3.10"]
)
def test_what_is_no_constraint_is_refused_with_the_grammar(text: str) -> None:
    with pytest.raises(InvalidInputError, match="PACKAGE or PACKAGE"):
        parse_dynamic(f"conda-store-dynamic/{text}")
