"""Artifacts and logs over the REST API: made, sent whole and in parts, noted."""

from __future__ import annotations

import io
import json
import tarfile
import time
from pathlib import Path

import pytest
import requests

from tests.server.live import MASTER, Server


def test_artifacts_are_sent_with_their_names_types_and_digests(server: Server) -> None:
    made = {item["type"]: item for item in server.data("GET", f"build/{server.build_id}/artifacts/")}
    archive = server.ask("GET", f"build/{server.build_id}/archive/")
    assert archive.headers["Content-Type"] == "application/gzip"
    assert archive.headers["Content-Disposition"].startswith('attachment; filename="data-')
    assert archive.headers["ETag"] == f'"{made["archive"]["sha256"]}"'
    assert len(archive.content) == made["archive"]["size"]
    with tarfile.open(fileobj=io.BytesIO(archive.content)) as tar:
        assert "bin/conda-unpack" in tar.getnames()
    text = server.ask("GET", f"build/{server.build_id}/yaml/")
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert text.headers["Content-Disposition"] == 'inline; filename="data.yml"'
    assert "numpy=" in text.text
    download = server.ask("GET", f"build/{server.build_id}/yaml/?download=1")
    assert download.headers["Content-Disposition"].startswith("attachment")
    as_json = json.loads(server.ask("GET", f"build/{server.build_id}/lockfile/").content)
    as_yaml = server.ask("GET", f"build/{server.build_id}/conda-lock.yml")
    assert as_json["metadata"]["platforms"] == ["linux-64"]
    assert as_yaml.content == server.ask("GET", "environment/team/data/conda-lock.yml").content
    assert as_json == json.loads(server.ask("GET", "environment/team/data/lockfile/").content)


@pytest.mark.parametrize("what", ["archive/", "yaml/", "lockfile/", "conda-lock.yml", "logs/"])
def test_parts_conditions_and_heads_are_answered(server: Server, what: str) -> None:
    path = f"build/{server.build_id}/{what}"
    whole = server.ask("GET", path).content
    etag = server.ask("HEAD", path).headers["ETag"]
    assert int(server.ask("HEAD", path).headers["Content-Length"]) == len(whole)
    part = server.ask("GET", path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"
    assert server.ask("GET", path, headers={"Range": "bytes=-5"}).content == whole[-5:]
    outside = server.ask("GET", path, headers={"Range": f"bytes={len(whole)}-"})
    assert (outside.status_code, outside.headers["Content-Range"]) == (416, f"bytes */{len(whole)}")
    assert outside.json()["code"] == "range_not_satisfiable"
    assert f"which has {len(whole)} bytes" in outside.json()["message"]
    assert server.ask("HEAD", path, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    assert server.ask("GET", path, headers={"Range": "bytes=0-9", "If-Range": '"other"'}).content == whole
    assert server.ask("GET", path, headers={"If-None-Match": etag}).status_code == 304
    assert server.ask("GET", path, headers={"If-None-Match": '"other"'}).status_code == 200
    assert server.ask("GET", path, headers={"If-Match": f'"other", {etag}'}).status_code == 200
    for others in ('"other"', f"W/{etag}", f'"more{etag[1:]}'):
        assert server.ask("GET", path, headers={"If-Match": others}).status_code == 412


def test_a_log_is_sent_whole_from_an_offset_and_followed(server: Server, nasty_channel: str) -> None:
    whole = server.ask("GET", f"build/{server.build_id}/logs/").content
    assert b"Ready after" in whole
    assert server.ask("GET", f"build/{server.build_id}/logs/?offset=100").content == whole[100:]
    assert server.ask("GET", f"build/{server.build_id}/logs/?follow=true").content == whole
    build_id = server.submit(f"name: follow\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    followed = server.ask("GET", f"build/{build_id}/logs/?follow=true").content
    server.wait(build_id)
    assert followed == server.ask("GET", f"build/{build_id}/logs/").content
    assert b"Ready after" in followed


def test_a_follower_that_leaves_does_not_hold_up_the_others(server: Server, channel: str) -> None:
    build_id = server.submit(f"name: left\nchannels: [{channel}]\ndependencies: [python, numpy, pandas]")
    url = f"{server.api}build/{build_id}/logs/?follow=true"
    headers = {"Authorization": f"Bearer {MASTER}"}
    with requests.get(url, headers=headers, stream=True, timeout=120) as staying:
        with requests.get(url, headers=headers, stream=True, timeout=120) as leaving:
            next(leaving.iter_content(1))
        assert requests.get(f"{server.api}permission/", headers=headers, timeout=5).ok
        followed = staying.content
    server.wait(build_id)
    assert followed == server.ask("GET", f"build/{build_id}/logs/").content
    server.data("DELETE", "environment/team/left/")


def test_an_artifact_that_was_never_made_is_listed_as_absent(server: Server, nasty_channel: str) -> None:
    text = f"name: lazy\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"
    server.wait(server.submit(text))
    server.data("PUT", "setting/team/lazy/", json={"artifacts_at_once": ["lockfile"]})
    build_id = server.submit(text)
    server.wait(build_id)
    states = {a["type"]: a["state"] for a in server.data("GET", f"build/{build_id}/artifacts/")}
    assert states["lockfile"] == "ready"
    assert states["archive"] == "absent"
    server.data("DELETE", "environment/team/lazy/")


def test_an_artifact_is_made_on_request_and_tells_why_it_cannot(server: Server) -> None:
    path = f"build/{server.build_id}/artifacts/CONDA_PACK/"
    assert server.ask("GET", path + "?variant=tar.zst").status_code == 404
    made = server.ask("POST", path, json={"variant": "tar.zst"})
    assert made.status_code == 202
    server.wait(server.build_id)
    archive = server.ask("GET", f"build/{server.build_id}/archive/?format=tar.zst")
    assert archive.headers["Content-Type"] == "application/zstd"
    assert archive.content[:4] == b"\x28\xb5\x2f\xfd"
    assert server.ask("POST", f"build/{server.build_id}/artifacts/nonsense/").status_code == 400


def test_what_a_setting_keeps_of_a_deleted_build_can_still_be_downloaded(server: Server, nasty_channel: str) -> None:
    server.data("PUT", "setting/", json={"build_artifacts_kept_on_deletion": ["YAML", "LOGS"]})
    build_id = server.submit(f"name: ghost\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    server.wait(build_id)
    log = server.ask("GET", f"build/{build_id}/logs/").text
    server.data("DELETE", "environment/team/ghost/")
    assert server.ask("GET", f"build/{build_id}/").status_code == 404
    assert "nasty-text=" in server.ask("GET", f"build/{build_id}/yaml/").text
    assert server.ask("GET", f"build/{build_id}/logs/").text == log
    assert server.ask("GET", f"build/{build_id}/archive/").status_code == 404
    server.data("PUT", "setting/", json={"build_artifacts_kept_on_deletion": []})
    build_id = server.submit(f"name: ghost\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    server.wait(build_id)
    server.data("DELETE", "environment/team/ghost/")
    for path in ("logs", "yaml"):
        assert server.ask("GET", f"build/{build_id}/{path}/").status_code == 404


def test_the_audit_notes_downloads_and_nothing_else(server: Server) -> None:
    path = f"build/{server.build_id}/explicit/"
    last = max((row["id"] for row in server.data("GET", "audit/?verb=artifact.download&size=1000")), default=0)
    etag = server.ask("GET", path).headers["ETag"]
    server.ask("GET", path, headers={"Range": "bytes=0-"})
    server.ask("GET", path, headers={"If-None-Match": etag})
    server.ask("GET", path, headers={"Range": "bytes=5-9"})
    server.ask("HEAD", path)
    noted = server.data("GET", f"audit/?verb=artifact.download&after={last}")
    assert [row["subject"] for row in noted] == [f"build:{server.build_id}:explicit"] * 2


def test_a_client_that_goes_away_in_mid_download_harms_nobody(server: Server) -> None:
    url = f"{server.api}build/{server.build_id}/archive/"
    with requests.get(url, headers={"Authorization": f"Bearer {MASTER}"}, stream=True, timeout=10) as answer:
        next(answer.iter_content(1000))
    assert server.ask("GET", "permission/").ok
    assert "Traceback" not in Path(server.log).read_text()


def test_a_download_of_another_file_than_expected_is_refused(server: Server) -> None:
    path = f"build/{server.build_id}/explicit/"
    etag = server.ask("GET", path).headers["ETag"]
    assert server.ask("GET", path, headers={"If-Match": etag}).status_code == 200
    assert server.ask("GET", path, headers={"If-Match": '"other"'}).status_code == 412


def test_a_variant_that_is_missing_is_told_how_it_is_made(server: Server) -> None:
    viewer = server.token({"team/*": ["viewer"]})
    message = server.ask("GET", f"build/{server.build_id}/yaml/?variant=win-64", viewer).json()["message"]
    assert message.endswith(f'POST build/{server.build_id}/artifacts/yaml/ with {{"variant": "win-64"}} makes it')


def test_who_downloads_a_log_is_noted(server: Server) -> None:
    def noted() -> int:
        found = server.data("GET", "audit/?verb=artifact.download&size=1000")
        return [entry["subject"] for entry in found].count(f"build:{server.build_id}:logs")

    for path in ("logs/", "logs/?offset=1", "logs/"):
        server.ask("GET", f"build/{server.build_id}/{path}")
    deadline = time.monotonic() + 10
    while not noted():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert noted() == 1  # whoever reads on and on is noted once an hour
