"""Builds of a store elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from jupyter_envstore.builds.options import BuildOptions
from jupyter_envstore.errors import Fault, InvalidInputError, NotFoundError, PolicyError, SpecificationError
from jupyter_envstore.remote_store.connection import StoreConnection, path_of
from jupyter_envstore.remote_store.views import build_view
from jupyter_envstore.services.values import BuildRef, CheckedSpecification

if TYPE_CHECKING:
    from jupyter_envstore.representation.builds import BuildProgress, BuildView, FullBuildView
    from jupyter_envstore.representation.conda_store_types import BuildJson, EnvironmentJson, FullBuildJson
    from jupyter_envstore.spec.specification import Specification


class Builds:
    """Builds of all environments that one may see."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def submit(
        self,
        specification: Specification,
        namespace: str,
        name: str | None,
        who: str,
        trigger: str = "submitted",
        options: BuildOptions | None = None,
        *,
        is_new: bool = False,
        accepted: Sequence[str] | None = None,
    ) -> BuildRef:
        """Add a build and return at once; the store starts it.

        The store reads the text of the specification itself, and notes who sent it; ``who`` and ``trigger`` are not
        sent. The other parameters and errors are those of :meth:`jupyter_envstore.services.builds.Builds.submit`.

        Raises
        ------
        InvalidInputError
            The specification has no text, or the environment no name.
        """
        del who, trigger
        name = name or specification.name
        if not name:
            msg = "the environment has no name: put 'name:' into the file, or give --name"
            raise InvalidInputError(msg)
        if not specification.text:
            msg = "the specification has no text that could be sent"
            raise InvalidInputError(msg)
        choices = options or BuildOptions()
        body: dict[str, object] = {
            "specification": specification.text,
            "namespace": namespace,
            "environment_name": name,
            "exclude_newer": choices.exclude_newer,
        }
        if choices.virtual_packages:
            body["virtual_packages"] = list(choices.virtual_packages)
        if choices.all_platforms:
            body["all_platforms"] = True
        if is_new:
            body["is_new"] = True
        if accepted is not None:
            body["accept"] = list(accepted)
        told = self._connection.send("POST", "specification/", body)
        return self.reference(told["build_id"], tuple(told["notes"]))

    def check(self, specification: Specification, namespace: str, name: str) -> CheckedSpecification:
        """Return what a specification would be built as in a place.

        Raises
        ------
        PolicyError
            The settings of the place forbid something in it.
        SpecificationError
            It cannot be used.
        """
        body = {"specification": specification.text, "namespace": namespace, "environment": name}
        told = self._connection.send("POST", "specification/check/", body)
        if told["refused"]:
            raise PolicyError(told["refused"])
        if told["faults"]:
            faults = [Fault(fault["message"], fault["line"], fault["field"]) for fault in told["faults"]]
            raise SpecificationError(faults)
        return CheckedSpecification(told["sha256"], tuple(told["notes"]))

    def options(self, build_id: int) -> BuildOptions:
        """Return the choices of a build, for another one that goes on from it."""
        told = self._connection.get(path_of("build", build_id))
        packages = tuple(told.get("virtual_packages", ()))  # stores of an older version do not tell
        return BuildOptions(told["exclude_newer"] or "", packages, bool(told.get("all_platforms")))

    def find(self, namespace: str, name: str, build: str | None = None) -> BuildRef:
        """Return a build by number or key; without one the active build, or the newest.

        Raises
        ------
        NotFoundError
            There is no such environment or build.
        """
        told: EnvironmentJson = self._connection.get(path_of("environment", namespace, name))
        place = (told["namespace"]["name"], told["name"])
        current = told["current_build"]
        rows = self._rows(told["id"]) if build is not None else iter([current] if current else [])
        for row in rows:
            if build is None or build in (str(row["number"]), row["build_key"]):
                return BuildRef(*place, row["number"], row["id"])
        which = f"{'/'.join(place)} has no build" + (f" {build}" if build is not None else " yet")
        raise NotFoundError(which)

    def reference(self, build_id: int, notes: tuple[str, ...] = ()) -> BuildRef:
        """Return where a build is found."""
        told: FullBuildJson = self._connection.get(path_of("build", build_id))
        return BuildRef(told["namespace"], told["environment"], told["number"], told["id"], notes)

    def of_environment(self, namespace: str, name: str) -> list[BuildView]:
        """Return the builds of an environment, newest first."""
        told: EnvironmentJson = self._connection.get(path_of("environment", namespace, name))
        return [build_view(row) for row in self._rows(told["id"])]

    def _rows(self, environment_id: int) -> Sequence[BuildJson]:
        return list(self._connection.rows("build/", environment_id=environment_id, order="desc"))

    def show(self, build_id: int) -> FullBuildView:
        """Return all about a build: states, steps, artifacts. Its prefix is on the machine of the store."""
        told: FullBuildJson = self._connection.get(path_of("build", build_id))
        environment = self._connection.get(path_of("environment", told["namespace"], told["environment"]))
        return {
            "namespace": told["namespace"],
            "name": told["environment"],
            "description": environment["description"],
            **build_view(told),
            "prefix": None,
            "other_places": [],
            "exclude_newer": told["exclude_newer"],
            "warnings": told["warnings"],
            "steps": self.progress(build_id)["steps"],
            "artifacts": self._connection.get(path_of("build", build_id, "artifacts")),
        }

    def progress(self, build_id: int) -> BuildProgress:
        """Return how far a build is, and whether work on it is queued or runs."""
        return cast("BuildProgress", self._connection.get(path_of("build", build_id, "progress")))

    def text(self, build_id: int) -> str:
        """Return the specification as it was typed."""
        return str(self._connection.get(path_of("build", build_id))["specification"]["text"])

    def cancel(self, build_id: int, who: str = "") -> list[str]:
        """Stop a build that is queued or runs, or the artifacts of one that is ready; return what was stopped.

        Raises
        ------
        ConflictError
            Nothing of it is queued or runs.
        """
        del who
        told = self._connection.send("PUT", path_of("build", build_id, "cancel")) or {}
        return list(told.get("stopped", ["build"]))  # stores of an older version do not tell

    def delete(self, build_id: int, who: str = "") -> None:
        """Delete a build that is not active and does not run.

        Raises
        ------
        ConflictError
            It is active, or it runs.
        """
        del who
        self._connection.send("DELETE", path_of("build", build_id))
