"""The commands that make environments, and what is made of them."""

from __future__ import annotations

from jupyter_envstore.cli.arguments.common import (
    Add,
    add_accept,
    add_environment,
    add_json,
    add_later,
    add_picking,
    add_several,
)

OTHER_FILES = """\
pixi.lock, pixi.toml, pyproject.toml, pylock.toml, uv.lock, requirements.txt, an @EXPLICIT list, what
conda list --export prints, a CycloneDX bill of materials, or a script or notebook with a script block (PEP 723)"""


def register_demo(add: Add) -> None:
    """Add the command that shows all of it."""
    demo = add(
        "demo",
        "demo:demo",
        "Make a local channel, build an example environment from it, and open JupyterLab on it\n"
        "With --json or --no-server it ends with what came out.",
    )
    demo.add_argument("--no-browser", action="store_true", help="print the address of JupyterLab, open no browser")
    demo.add_argument(
        "--port", type=int, default=0, help="port of JupyterLab; default: the first free one from 8888 on"
    )
    demo.add_argument("--no-server", action="store_true", help="do not start JupyterLab")
    add_json(demo)


def register_building(add: Add) -> None:
    """Add the commands that build environments."""
    build = add(
        "build",
        "build:build",
        "Build an environment from a file\nThe file is an environment.yml or a conda-lock.yml; with --fix also one of\n"
        f"{OTHER_FILES}.",
    )
    build.add_argument("file", metavar="FILE", help="one of the files above; - for standard input")
    build.add_argument("--namespace", help="where it belongs (default: default, or one's own in a store elsewhere)")
    build.add_argument(
        "--name", metavar="[NAMESPACE/]NAME", help="name of the environment (default: the file's 'name:')"
    )
    build.add_argument("--no-wait", action="store_true", help="return at once; follow it with: logs -f")
    build.add_argument(
        "--exclude-newer", default="", metavar="DATE", help="leave out packages uploaded later, for example 2026-01-31"
    )
    build.add_argument(
        "--virtual-package",
        action="append",
        metavar="__NAME=VERSION",
        help="solve as if the system had it, for example __cuda=12.4; may be given several times",
    )
    build.add_argument("--all-platforms", action="store_true", help="fail when one of 'platforms:' cannot be locked")
    build.add_argument(
        "--fix", action="store_true", help="repair the file, or read one of another tool; says what was changed"
    )
    add_picking(build)
    add_json(build)
    added = add(
        "add",
        "edit:add",
        "Add packages to an environment and build it\n"
        "Its newest specification is changed line by line; comments and order live. A package that is listed\n"
        "already gets the new bounds.",
    )
    add_environment(added)
    add_several(
        added,
        "packages",
        nargs="*",
        metavar="PACKAGE",
        help="numpy, 'numpy <2', conda-forge::numpy; pip:rich from PyPI",
    )
    added.add_argument("--remove", action="append", metavar="PACKAGE", help="may be given several times")
    added.add_argument("--dry-run", action="store_true", help="print the changed specification, build nothing")
    added.add_argument(
        "--take-newer",
        action="store_true",
        help="also what was uploaded after the date (exclude-newer) of the build before",
    )
    added.add_argument("--no-wait", action="store_true", help="return at once; follow it with: logs -f")
    add_json(added)


def register_files(add: Add) -> None:
    """Add the commands that write what is made of a build into files."""
    apply = add(
        "apply",
        "build:apply",
        "Build every environment whose file changed\nOne line for each; what is up to date stays.",
    )
    add_several(apply, "paths", nargs="+", metavar="DIR|FILE", help="files, or folders with *.yml and *.yaml")
    apply.add_argument("--namespace", help="where they belong (default: default, or one's own in a store elsewhere)")
    apply.add_argument("--prune", action="store_true", help="delete environments of the namespace that have no file")
    apply.add_argument("--yes", action="store_true", help="with --prune: delete without a question")
    apply.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")
    add_json(apply)
    imported = add(
        "import",
        "sharing:import_file_or_link",
        f"Repair a file and print it as a specification; build the environment of a share link\n"
        f"Reads environment.yml, conda-lock.yml,\n{OTHER_FILES}.\n"
        "With a link, nothing is solved: these are the same packages. Put it in quotes, or give - and the link on\n"
        "standard input, so that it is in no list of processes.",
    )
    imported.add_argument("file", metavar="FILE or LINK or -")
    add_picking(imported)
    imported.add_argument("-o", "--output", metavar="FILE", help="write it there instead of printing it")
    name = "of a link: the new environment; default: as it is called there"
    imported.add_argument("-n", "--name", metavar="[NAMESPACE/]NAME", help=name)
    add_accept(imported, "the environment of a link")
    imported.add_argument("--no-wait", action="store_true", help="of a link: do not wait for the build")
    add_later(imported, "of a link: ")
    add_json(imported)


def register_images(add: Add) -> None:
    """Add the commands of Docker images and their registries."""
    base = add(
        "base-image",
        "images:base_image",
        "Make a small base for Docker images of this machine's own libraries\nFor where no registry is in reach; "
        "then set c.EnvStoreApp.docker_base_image = 'oci:DIR'.",
    )
    base.add_argument("directory", metavar="DIR", help="an OCI layout is made there; it must not be there yet")
    add_json(base)
    push = add(
        "push",
        "images:push",
        "Copy the Docker image of a build to a registry, or its build record\nParts that it has are skipped. Log in "
        "with docker login or podman login before.",
    )
    add_environment(push)
    place = "REGISTRY/NAME[:TAG] for the image, oci://REGISTRY/NAME[:TAG] for the record; default tag: the build's key"
    push.add_argument("target", metavar="TARGET", help=place)
    add_json(push)
    share = add(
        "share",
        "sharing:share",
        "Make a link with which others can look at an environment and bring it back\nThe link is for a server on this "
        "store that has c.EnvStoreApp.public_url. Without an environment: list the links.",
    )
    share.add_argument("environment", metavar="NAMESPACE/NAME", nargs="?", help="the environment")
    share.add_argument("--days", type=int, default=7, help="after how many days the link ends; default 7, at most 366")
    share.add_argument("--revoke", type=int, metavar="ID", help="end a link at once")
    add_json(share)
    pull = add(
        "pull",
        "records:pull",
        "Build the environment whose build record is in a registry\nNothing is solved: these are the same packages. If "
        "an image is there, the record that refers to it is taken.",
    )
    pull.add_argument("source", metavar="oci://REGISTRY/NAME[:TAG][@sha256:DIGEST]", help="default tag: latest")
    pull.add_argument("-n", "--name", metavar="[NAMESPACE/]NAME", help="the new environment; default: as it was called")
    add_accept(pull, "the build record")
    pull.add_argument("--no-wait", action="store_true", help="do not wait for the build")
    add_later(pull)
    add_json(pull)
