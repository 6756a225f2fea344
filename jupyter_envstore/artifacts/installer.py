"""The installer: one file that puts exactly the locked environment on a machine without a network."""

from __future__ import annotations

from typing import BinaryIO, cast

from jupyter_envstore import __version__
from jupyter_envstore.artifacts.archive import link_for_export, refuse_outside_links
from jupyter_envstore.artifacts.base import MADE_AS, ArtifactRequest, version_of
from jupyter_envstore.engine.channels import ChannelPolicy
from jupyter_envstore.engine.environment_variables import write_activation
from jupyter_envstore.engine.package_guard import cached_registry
from jupyter_envstore.engine.sdist import built_wheels
from jupyter_envstore.engine.solve import current_platform
from jupyter_envstore.engine.tarstream import Sink
from jupyter_envstore.errors import ArtifactError, InvalidInputError
from jupyter_envstore.installers import selfextracting
from jupyter_envstore.installers.construct_input import Job
from jupyter_envstore.installers.constructor import run_constructor
from jupyter_envstore.installers.constructor_finder import ConstructorMissingError, Toolbox
from jupyter_envstore.installers.description import about
from jupyter_envstore.spec.reader import PLATFORMS

PKG = ".pkg"


class Installer:
    """A file to run: ``.sh``, on Windows ``.exe``. The variant is a platform, that of the build without one."""

    def check_variant(self, variant: str) -> None:
        """The variant is a platform; for macOS with ``.pkg`` behind it where a package is wanted.

        Raises
        ------
        InvalidInputError
            It is no platform that installers are made for.
        """
        platform = variant.removesuffix(PKG)
        if (variant and platform not in PLATFORMS) or (variant.endswith(PKG) and not platform.startswith("osx-")):
            msg = f"there is no installer {variant[:60]!r}; known: {', '.join(PLATFORMS)}, osx-64.pkg, osx-arm64.pkg"
            raise InvalidInputError(msg)

    def file_name(self, name: str, platform: str, variant: str) -> str:
        """``<name>-<platform>.sh``, ``.exe``, ``.pkg``."""
        target = variant.removesuffix(PKG) or platform
        ending = PKG if variant.endswith(PKG) else ".exe" if target.startswith("win-") else ".sh"
        return f"{name}-{target}{ending}"

    def media_type(self, variant: str) -> str:
        """By ending."""
        if variant.endswith(PKG):
            return "application/x-newton-compatible-pkg"
        return "application/vnd.microsoft.portable-executable" if variant.startswith("win-") else "application/x-sh"

    def make(self, request: ArtifactRequest, sink: Sink) -> dict[str, str]:
        """Let constructor make it, or make a self-extracting one, as the setting ``installer_maker`` says.

        Raises
        ------
        ArtifactError
            No tool can make it; the message names what is missing.
        """
        wanted = request.settings["installer_maker"]
        if wanted == "self-extracting":
            return make_self_extracting(request, sink)
        try:
            return make_with_constructor(request, sink)
        except ConstructorMissingError as error:
            if wanted == "constructor":
                raise
            request.progress.log(f"constructor makes no installer here: {error}")
            missing = str(error)
        try:
            return make_self_extracting(request, sink)
        except ArtifactError as error:
            msg = f"{error}\n{missing}"
            raise ArtifactError(msg) from None


def make_with_constructor(request: ArtifactRequest, sink: Sink) -> dict[str, str]:
    """Hand the locked packages to constructor."""
    config, record = request.config, request.record
    platform = request.variant.removesuffix(PKG) or request.platform
    made_as = request.variant
    if request.settings["installer_pkg"] and platform.startswith("osx-"):
        made_as = f"{platform}{PKG}"
    lock = record.lock(platform)
    channels = ChannelPolicy.of(request.settings, config.channel_alias)
    toolbox = Toolbox(
        config.constructor, config.tools, config.packages / "conda", config.packages / "repodata", channels
    )
    tool = toolbox.find(platform, request.progress)
    kind = "exe" if platform.startswith("win-") else "pkg" if made_as.endswith(PKG) else "sh"
    if platform == request.platform:  # of other platforms there is nothing here that tells
        refuse_outside_links(cached_registry(lock, config.packages / "conda").outside_links(), request)
    request.staging.mkdir(parents=True)
    extras = lock.installer_extras if request.settings["installer_extras"] else ()
    kept = request.blobs.local_file
    wheels = built_wheels(lock.pip, kept, request.staging / "built")
    job = Job(
        about=about(record, platform, request.settings),
        records=(*lock.conda, *extras),
        wheels=wheels,
        variables=record.variables,
        requested=record.requested_conda,
        kind=kind,
        pip_options=record.pip_options,
        kept=kept,
    )
    folder = request.staging / "constructor"
    folder.mkdir()
    arguments = run_constructor(tool, job, folder, cast(BinaryIO, sink), request.progress, config.build_time_limit)
    return {
        "maker": "constructor",
        "constructor": tool.version,
        "extras": ", ".join(record["name"] for record in extras) or "none",
        "flags": " ".join(arguments),
        **({MADE_AS: made_as} if made_as != request.variant else {}),
    }


def make_self_extracting(request: ArtifactRequest, sink: Sink) -> dict[str, str]:
    """Link the environment and write it behind a shell script."""
    platform = request.variant.removesuffix(PKG) or request.platform
    selfextracting.check_platform(platform, current_platform())
    lock = request.record.lock(platform)
    link_for_export(request, selfextracting.PREFIX)
    write_activation(request.staging, selfextracting.PLACEHOLDER)
    selfextracting.write_installer(
        request.staging,
        lock,
        about(request.record, platform, request.settings),
        request.staging.with_name(f"{request.staging.name}.payload"),
        cast(BinaryIO, sink),
        request.progress,
    )
    return {
        "maker": "self-extracting",
        "jupyter-envstore": __version__,
        "py-rattler": version_of("py-rattler"),
        "uv": version_of("uv"),
        "flags": selfextracting.FLAGS,
    }
