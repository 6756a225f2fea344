"""Lists of lines for pip: several of them, texts of several lines, lists in lists, indexes and folders of wheels."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec import Specification, read_specification
from jupyter_envstore.spec.included_files import FilesBeside
from jupyter_envstore.spec.package_editing import edit_packages
from jupyter_envstore.spec.repair import repair

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HEAD = "name: a\ndependencies:\n  - ipykernel\n"
FIRST, SECOND, THIRD = (f"https://{host}.example/simple" for host in ("one", "two", "three"))


def mended(entries: str, folder: Path | None = None) -> tuple[Specification, str]:
    """Repair a file with some more dependencies; return what it says then, and all that was told."""
    beside = FilesBeside(folder) if folder else None
    repaired = repair(HEAD + entries, platform="linux-64", beside=beside)
    again = repair(repaired.text, platform="linux-64", beside=beside)
    assert (again.text, again.changes) == (repaired.text, [])
    return read_specification(repaired.text), "\n".join(change.what for change in repaired.changes)


@pytest.mark.parametrize(
    ("entries", "pip"),
    [
        ("  - pip: [rich]\n  - pip: ['-e .']\n", ("rich",)),
        ("  - pip: ['-e .']\n  - pip: ['-e .', ./x, --pre]\n", ()),
        ("  - pip:\n  - pip:\n    - ./x\n    - cowsay\n", ("cowsay",)),
        (
            "  - pip:\n    - rich\n  - numpy\n  - pip:\n    - --pre\n    - C:\\x\n    - cowsay=6.1\n",
            ("rich", "cowsay==6.1"),
        ),
        (
            f"  - pip: [rich]\n  - pip:\n    - -e git+https://host.example/b@{COMMIT}#egg=b\n    - d @ file:///home/x\n",
            ("rich", f"b @ git+https://host.example/b@{COMMIT}"),
        ),
        ("  - pip: [rich]\n  - pip:\n    - git+https://host.example/b@main\n", ("rich",)),
        ("  - pip:\n    - |\n      rich\n      -e .\n      cowsay\n    - six\n", ("rich", "cowsay", "six")),
        ("  - pip: ['rich', \"six\\n-e .\"]\n", ("rich", "six")),
        ("  - pip:\n    - - rich\n      - -e .\n    - six: 1.16\n", ("rich", "six==1.16")),
        ("  - Pip:\n    - rich\n    - -e .\n", ("rich",)),
        ("  - rich=13.1=pypi_0\n  - pip: [six]\n", ("six", "rich==13.1")),
    ],
)
def test_every_line_for_pip_is_mended_wherever_it_stands(entries: str, pip: tuple[str, ...]) -> None:
    found, told = mended(entries)
    assert found.pip == pip
    assert "numpy" not in entries or found.dependencies == ("ipykernel", "numpy")
    assert told


def test_a_text_of_several_lines_that_can_be_followed_stays_as_it_is() -> None:
    text = HEAD + "  - pip:\n    - |\n      rich\n      cowsay\n"
    assert repair(text, platform="linux-64").text == text


def test_an_entry_with_more_than_lines_for_pip_keeps_the_rest_for_the_fault() -> None:
    repaired = repair(HEAD + "  - pip:\n    - -e .\n    foo: 1\n", platform="linux-64")
    with pytest.raises(SpecificationError, match="'foo: 1' is a mapping") as caught:
        read_specification(repaired.text)
    assert len(caught.value.faults) == 1


def test_files_that_a_second_list_names_are_taken_in_and_bound_all_lists(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("requests\n")
    (tmp_path / "bounds.txt").write_text("rich<14\nrequests<3\n")
    found, _ = mended("  - pip: [rich]\n  - pip:\n    - -r more.txt\n    - -c bounds.txt\n", tmp_path)
    assert set(found.pip) == {"rich<14", "requests<3"}


@pytest.mark.parametrize(
    "entries",
    [
        f"  - pip: [-i {FIRST}, rich]\n  - pip: [--index-url={SECOND}, -i {FIRST}, '--index-url {THIRD}']\n",
        f"  - pip:\n    - rich --index-url {FIRST}\n    - six -i {SECOND}\n    - cowsay -i {THIRD}\n",
    ],
)
def test_a_second_index_becomes_an_extra_one(entries: str) -> None:
    found, told = mended(entries)
    assert found.pip_options.index_url == FIRST
    assert found.pip_options.extra_index_urls == (SECOND, THIRD)
    assert "became --extra-index-url" in told


@pytest.mark.parametrize(
    "line",
    ["-f ./wheels", "-f wheels", "-f../w", "--find-links=wheels", "--find-links ~/w", "-f C:\\w", "six -f ./w"],
)
def test_folders_of_wheels_of_another_machine_are_left_out(line: str) -> None:
    found, told = mended(f"  - pip:\n    - '{line}'\n    - six\n    - -f /opt/wheels\n    - -f {FIRST}\n")
    assert found.pip == ("six",)
    assert found.pip_options.find_links == ("/opt/wheels", FIRST)
    assert line.removeprefix("six ") in told


def test_what_is_told_of_a_line_holds_no_password() -> None:
    _, told = mended("  - pip: [six]\n  - pip:\n    - bar @ git+https://me:word@host.example/bar\n")
    assert "login for host.example left out" in told
    assert "bar @ git+https://host.example/bar" in told
    assert "word" not in told


def test_packages_of_a_second_list_are_changed_and_removed_there() -> None:
    text = HEAD + "  - pip: [rich]\n  - pip:\n    - six==1.15\n    - cowsay\n"
    changed = edit_packages(text, ["pip:six==1.16"], ["pip:cowsay"])
    assert changed == HEAD + "  - pip: [rich]\n  - pip:\n    - six==1.16\n"
    assert edit_packages(changed, (), ["pip:six"]) == HEAD + "  - pip: [rich]\n"
