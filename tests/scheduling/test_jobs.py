"""jupyter-scheduler runs notebooks in environments of the store: real jobs, by its own REST API."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import requests

from tests.helpers import python_beside
from tests.server.live import MASTER, Server

MORE = """
c.ServerApp.jpserver_extensions = {{"jupyter_envstore": True, "jupyter_scheduler": True}}
c.SchedulerApp.db_url = "sqlite:///{database}"
c.SchedulerApp.environment_manager_class = "jupyter_envstore.scheduling.EnvStoreEnvironments"
c.Scheduler.execution_manager_class = "jupyter_envstore.scheduling.EnvStoreExecution"
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with jupyter-scheduler beside what the tests' Python has: its extension would change JupyterLab."""
    return python_beside(tmp_path_factory.mktemp("scheduler") / "venv", "jupyter-scheduler>=2.11,<3")


@pytest.fixture(scope="module")
def scheduler(
    make_server: Callable[..., Server], python: Path, channel: str, tmp_path_factory: pytest.TempPathFactory
) -> Server:
    """A server with jupyter-scheduler, and ``team/data`` with two builds: ``WHICH`` says which one it is."""
    database = tmp_path_factory.mktemp("jobs") / "scheduler.sqlite"
    found = make_server(MORE.format(database=database), python)
    version = f"python={sys.version_info.major}.{sys.version_info.minor}"
    text = (
        f"name: data\nchannels: [{channel}]\ndependencies: [{version}, ipykernel]\nvariables: {{{{WHICH: '{{}}'}}}}\n"
    )
    found.builds = []  # type: ignore[attr-defined]
    for which in ("first", "second"):
        build = found.submit(text.format(which))
        assert found.wait(build)["status"] == "COMPLETED"
        found.builds.append(build)  # type: ignore[attr-defined]
    other = found.submit(f"name: silent\nchannels: [{channel}]\ndependencies: [{version}]\n")
    assert found.wait(other)["status"] == "COMPLETED"
    return found


def ask(server: Server, method: str, path: str, **more: Any) -> Any:
    answer = requests.request(
        method, f"{server.origin}/scheduler/{path}", headers={"Authorization": f"token {MASTER}"}, timeout=30, **more
    )
    assert answer.status_code in (200, 204), answer.text
    return answer.json() if answer.content else None


def write(server: Server, name: str, *cells: str, **metadata: Any) -> str:
    """Write a notebook below the server's root; return its path there."""
    path = server.notebooks / f"{name}.ipynb"
    code = [nbformat.v4.new_code_cell(cell) for cell in cells]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=code, metadata={**kernel, **metadata}), path)
    return path.name


def run_job(server: Server, notebook: str, environment: str, **more: Any) -> tuple[dict[str, Any], str]:
    """Have a job made and wait for its end; return it, and the text that its notebook printed."""
    body = {"name": "job", "input_uri": notebook, "runtime_environment_name": environment, "output_formats": ["ipynb"]}
    job = ask(server, "POST", "jobs", data=json.dumps({**body, **more}))["job_id"]
    end = time.monotonic() + 90
    while (found := ask(server, "GET", f"jobs/{job}"))["status"] not in ("COMPLETED", "FAILED"):
        assert time.monotonic() < end, found
        time.sleep(0.3)
    folder = Path(server.folder).glob(f"**/*{job}*/*.ipynb")
    texts = [path.read_text() for path in folder if path.name != notebook]
    cells = [cell for text in texts for cell in nbformat.reads(text, as_version=4).cells]
    said = [output.get("text", "") for cell in cells for output in cell.get("outputs", ())]
    return found, "".join(said).strip()


def test_jobs_are_offered_the_builds_with_a_kernel(scheduler: Server) -> None:
    offered = ask(scheduler, "GET", "runtime_environments")
    assert [(item["name"], item["label"]) for item in offered] == [
        ("notebook", "The environment of the notebook"),
        ("team/data:2", "team/data, build 2"),
    ]
    assert offered[1]["output_formats"] == [{"name": "ipynb", "label": "Notebook"}, {"name": "html", "label": "HTML"}]
    assert ask(scheduler, "GET", "config")["manage_environments_command"] == "envstore:open-panel"


def test_a_job_runs_in_the_build_that_it_was_made_with(scheduler: Server) -> None:
    name = write(scheduler, "named", "import os; print(os.environ['WHICH'], which, number + 1)")
    parameters = {"which": "5", "number": 4}
    for number, said in ((2, "second 5 5"), (1, "first 5 5")):
        job, text = run_job(scheduler, name, f"team/data:{number}", parameters=parameters)
        assert (job["status"], text) == ("COMPLETED", said), job
    scheduler.data("POST", f"build/{scheduler.builds[0]}/pack-away/")  # type: ignore[attr-defined]
    job, text = run_job(scheduler, name, "team/data:1", parameters=parameters)  # which is brought back
    assert (job["status"], text) == ("COMPLETED", "first 5 5"), job


def test_a_job_runs_in_what_its_notebook_remembers(scheduler: Server) -> None:
    bond = scheduler.data("GET", f"build/{scheduler.builds[0]}/bond/")  # type: ignore[attr-defined]
    name = write(scheduler, "bound", "import os; print(os.environ['WHICH'])", envstore=bond)
    job, text = run_job(scheduler, name, "notebook")
    assert (job["status"], text) == ("COMPLETED", "first"), job
    free = write(scheduler, "free", "import sys; print(sys.prefix)")  # as jupyter-scheduler runs it without us
    job, text = run_job(scheduler, free, "notebook")
    assert job["status"] == "COMPLETED", job
    assert str(scheduler.root) not in text


def test_a_job_that_fails_says_why(scheduler: Server) -> None:
    name = write(scheduler, "failing", "print('so far')", "1 / 0")
    job, text = run_job(scheduler, name, "team/data:2")
    assert job["status"] == "FAILED"
    assert job["status_message"].startswith("cell 2 of 2 failed: ZeroDivisionError")
    assert text.startswith("so far")
    job, _ = run_job(scheduler, name, "team/data:77")
    assert job["status"] == "FAILED"
    assert job["status_message"].startswith("data has no build 77")


def test_a_job_that_is_stopped_stops_its_notebook(scheduler: Server, tmp_path: Path) -> None:
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    touch = "import pathlib, time; pathlib.Path({!r}).touch()"
    name = write(scheduler, "long", touch.format(str(begun)), f"time.sleep(6); pathlib.Path({str(ended)!r}).touch()")
    body = {"name": "job", "input_uri": name, "runtime_environment_name": "team/data:2", "output_formats": ["ipynb"]}
    job = ask(scheduler, "POST", "jobs", data=json.dumps(body))["job_id"]
    end = time.monotonic() + 60
    while not begun.exists():
        assert time.monotonic() < end, ask(scheduler, "GET", f"jobs/{job}")
        time.sleep(0.1)
    ask(scheduler, "PATCH", f"jobs/{job}", data=json.dumps({"status": "STOPPED"}))
    time.sleep(8)
    assert not ended.exists()
    assert ask(scheduler, "GET", f"jobs/{job}")["status"] == "STOPPED"
