"""Asking for artifacts: made once, on request, again after a failure; by makers of other packages too."""

from __future__ import annotations

import subprocess
import sys

import pytest

from jupyter_envstore.artifacts import base
from jupyter_envstore.cli.arguments.parser import make_parser
from jupyter_envstore.errors import ArtifactError, ConflictError, InvalidInputError
from jupyter_envstore.policy.artifact_kinds import ArtifactKind, artifact_kinds
from jupyter_envstore.policy.settings import effective
from tests.helpers import Store


def text(channel: str) -> str:
    return f"name: e\nchannels: [{channel}]\ndependencies: [nasty-text]"


def test_asking_twice_makes_it_once(store: Store, nasty_channel: str) -> None:
    store.envstore.settings.change({"artifacts_at_once": []}, (), "tester")
    view = store.build(text(nasty_channel))
    assert view["artifacts"] == []
    first = store.envstore.artifacts.request(view["id"], "yaml")
    assert store.envstore.artifacts.request(view["id"], "yaml") == first
    store.wait(view["id"])
    assert store.envstore.artifacts.request(view["id"], "yaml") == first
    assert len([job for job in store.jobs() if job.kind == "artifact"]) == 1


def test_what_does_not_exist_is_refused_with_what_does(store: Store, nasty_channel: str) -> None:
    view = store.build(text(nasty_channel))
    with pytest.raises(
        InvalidInputError,
        match="known: yaml, lockfile, explicit, archive, docker, installer, pixi, pylock, requirements, sbom",
    ):
        store.envstore.artifacts.request(view["id"], "floppy")
    with pytest.raises(InvalidInputError, match=r"known: tar\.gz, tar\.zst"):
        store.envstore.artifacts.request(view["id"], "archive", "rar")


def test_an_artifact_that_fails_has_its_reason_and_can_be_retried(store: Store, nasty_channel: str) -> None:
    view = store.build(text(nasty_channel))
    artifact = store.envstore.artifacts.request(view["id"], "yaml", "win-64")
    store.wait(view["id"])
    state = store.envstore.artifacts.get(artifact)
    assert state["state"] == "failed"
    assert "not for win-64" in state["reason"]
    assert store.envstore.builds.show(view["id"])["status"] == "COMPLETED"
    assert store.envstore.artifacts.request(view["id"], "yaml", "win-64") == artifact
    assert store.envstore.artifacts.get(artifact)["state"] == "pending"


def test_a_build_that_failed_has_no_artifacts(store: Store, nasty_channel: str) -> None:
    view = store.build(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [no-such-package]")
    with pytest.raises(ConflictError, match="is FAILED"):
        store.envstore.artifacts.request(view["id"], "yaml")


def test_an_artifact_whose_file_was_lost_is_made_again(store: Store, nasty_channel: str) -> None:
    view = store.build(text(nasty_channel))
    before = next(a for a in view["artifacts"] if a["type"] == "yaml")
    store.envstore.artifacts.path(before["sha256"]).unlink()
    artifact = store.envstore.artifacts.request(view["id"], "yaml")
    store.wait(view["id"])
    assert store.envstore.artifacts.get(artifact)["sha256"] == before["sha256"]
    assert store.envstore.artifacts.path(before["sha256"]).is_file()


def test_every_kind_that_is_declared_has_a_maker() -> None:
    assert list(artifact_kinds()) == [
        "yaml", "lockfile", "explicit", "archive", "docker", "installer", "pixi", "pylock", "requirements", "sbom",
    ]  # fmt: skip
    for name in artifact_kinds():
        maker = base.find_maker(name)
        assert maker.media_type("")
        assert maker.file_name("e", "linux-64", "")


def test_the_help_of_the_command_line_names_every_kind(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        make_parser().parse_args(["download", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert f"{', '.join(artifact_kinds())}, or one that another package adds" in said


def test_the_parser_of_the_command_line_looks_at_no_installed_packages() -> None:
    code = (
        "import sys; from jupyter_envstore.cli.arguments.parser import make_parser; make_parser(); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"jupyter_envstore.policy", "jupyter_envstore.spec"} & set(loaded)


@pytest.mark.parametrize("fields", [{"name": "Pixi"}, {"wire_name": "pixi"}, {"maker": "nowhere"}, {"name": "../x"}])
def test_kinds_with_other_names_are_refused(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="does not match"):
        ArtifactKind(**{"name": "pixi", "wire_name": "PIXI", "title": "pixi", "maker": "pixi:Pixi", **fields})


def test_a_maker_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = ArtifactKind("other", "OTHER", "other", "no_such_module:Other")
    monkeypatch.setattr(base, "artifact_kinds", lambda: {"other": kind})
    with pytest.raises(ArtifactError, match="no_such_module:Other, cannot be loaded"):
        base.find_maker("other")


def test_a_kind_whose_setting_does_not_exist_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = ArtifactKind("pixi", "PIXI", "pixi.toml", "pixi:Pixi", settings=("installer_compnay", "installer_company"))
    monkeypatch.setattr(base, "artifact_kinds", lambda: {"pixi": kind})
    with pytest.raises(ArtifactError, match=r"settings that do not exist: installer_compnay$"):
        base.made_for("pixi", effective([]))
