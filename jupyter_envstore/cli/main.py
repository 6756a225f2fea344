"""The parser, and the one place where errors become exit codes."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from jupyter_envstore.errors import EnvStoreError, InvalidInputError

EPILOG = """\
Without a command, or with options of a server (--port, --ServerApp.…) alone, a Jupyter server starts with this
extension.

An environment is named NAMESPACE/NAME, one of its builds NAMESPACE/NAME:NUMBER.

exit codes: 0 done, 1 failed, 2 bad input, 3 not found, 4 conflicting state, 5 the build failed,
6 the store cannot be used, 7 canceled, 8 the exact build of a notebook cannot be had, 9 a cell of a notebook failed,
130 interrupted
"""
HERE_ALONE = ("demo", "base-image", "login", "logout", "serve", "backup", "restore-backup", "channel")
"""Commands that work on files of this machine, or on its logins."""
SEVERAL = "several"
"""Default of a command's parser: the name of its option that is a list of words."""
OTHER_FILES = """\
pixi.lock, pixi.toml, pyproject.toml, pylock.toml, uv.lock, requirements.txt, an @EXPLICIT list, what
conda list --export prints, a CycloneDX bill of materials, or a script or notebook with a script block (PEP 723)"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    options = parse(arguments)
    if sys.platform == "win32":
        print("error: the store runs on Linux and macOS; on Windows, use it in WSL", file=sys.stderr)
        return 6
    try:
        return int(options.run(options) or 0)
    except EnvStoreError as error:
        if getattr(options, "json", False):
            print(json.dumps({"status": "error", "code": error.code, "message": str(error)}))
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except (OSError, EOFError) as error:
        place = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
        print(f"error: {place}{getattr(error, 'strerror', None) or 'the input ended'}", file=sys.stderr)
        return 1


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options; words of a list count to it wherever they stand, also behind an option."""
    parser = make_parser()
    options, rest = parser.parse_known_args(arguments)
    several: str = getattr(options, SEVERAL, "")
    if rest and (not several or any(word.startswith("-") for word in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        setattr(options, several, [*(getattr(options, several) or ()), *rest])
    return options


def run() -> None:
    """Run a command and end the process; without a command, start a Jupyter server.

    Without Python's own way out: the threads of rattler 0.28 now and then crash an interpreter that takes itself apart
    (about one in fifty ends with SIGSEGV after all work is done).
    """
    arguments = root_behind_command(sys.argv[1:])
    if not arguments or (arguments[0].startswith("--") and arguments[0] not in ("--help", "--version")):
        from jupyter_envstore.application.app import EnvStoreApp

        EnvStoreApp.launch_instance(arguments)  # type: ignore[no-untyped-call]
        return
    code = main(arguments)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        code = code or 1
    os._exit(code)


def root_behind_command(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with a ``--root DIR`` or ``--store URL`` that stands before the command behind its name."""
    words = list(arguments)
    if words and words[0].startswith(("--root=", "--store=")):
        return [*words[1:2], words[0], *words[2:]] if len(words) > 1 else words
    if len(words) > 2 and words[0] in ("--root", "--store") and not words[2].startswith("-"):
        return [words[2], *words[:2], *words[3:]]
    return words


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="jupyter envstore",
        description="Environments that can be shared and brought back exactly.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for register in (
        _register_demo,
        _register_building,
        _register_files,
        _register_looking,
        _register_images,
        _register_using,
        _register_other_stores,
        _register_moving,
        _register_notebooks,
        _register_keeping,
        _register_site,
        _register_channels,
    ):
        register(lambda name, run, help_text: _command(commands, name, run, help_text))
    return parser


class _Version(argparse.Action):
    """Prints the version, which is read only then: the other commands need not wait for it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from jupyter_envstore import __version__

        print(f"jupyter-envstore {__version__}")
        parser.exit()


Add = Callable[[str, str, str], argparse.ArgumentParser]


def _command(commands: Any, name: str, run: str, help_text: str) -> argparse.ArgumentParser:
    """Add a command; the module that does it is imported when it runs."""
    first, _, rest = help_text.partition("\n")
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=first, description=f"{first}\n{rest}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--root", metavar="DIR", help="folder of the store (default: root_dir of the configuration)")
    place.add_argument(
        "--store",
        metavar="URL",
        help=argparse.SUPPRESS
        if name in HERE_ALONE
        else "address of a store elsewhere (default: remote_url of the "
        "configuration, where it names one); log in first: jupyter envstore login URL",
    )

    def call(options: argparse.Namespace) -> int | None:
        if options.store and name in HERE_ALONE:
            msg = f"{name} works on this machine alone, not on a store elsewhere; leave --store away"
            raise InvalidInputError(msg)
        from importlib import import_module

        module, _, function = run.partition(":")
        found: Callable[[argparse.Namespace], int | None] = getattr(
            import_module(f"jupyter_envstore.cli.{module}"), function
        )
        return found(options)

    parser.set_defaults(run=call)
    return parser


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")


def _picking(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--environment",
        metavar="NAME",
        help="of a pixi.toml or pixi.lock that has several, or project of a uv.lock (default: the default one)",
    )
    parser.add_argument(
        "--category",
        action="append",
        metavar="NAME",
        help="of a lockfile (main is always taken), or group or extra of a pyproject.toml, pylock.toml or uv.lock; "
        "may be given several times",
    )


def _environment(parser: argparse.ArgumentParser, build: bool = True) -> None:
    form = "NAMESPACE/NAME[:BUILD]" if build else "NAMESPACE/NAME"
    parser.add_argument(
        "environment", metavar=form, help="the build's number; without one, the active build" if build else ""
    )


def _register_demo(add: Add) -> None:
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
    _json(demo)


def _register_building(add: Add) -> None:
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
    _picking(build)
    _json(build)
    added = add(
        "add",
        "edit:add",
        "Add packages to an environment and build it\n"
        "Its newest specification is changed line by line; comments and order live. A package that is listed\n"
        "already gets the new bounds.",
    )
    _environment(added)
    added.add_argument(
        "packages", nargs="*", metavar="PACKAGE", help="numpy, 'numpy <2', conda-forge::numpy; pip:rich from PyPI"
    )
    added.set_defaults(**{SEVERAL: "packages"})
    added.add_argument("--remove", action="append", metavar="PACKAGE", help="may be given several times")
    added.add_argument("--dry-run", action="store_true", help="print the changed specification, build nothing")
    added.add_argument(
        "--take-newer",
        action="store_true",
        help="also what was uploaded after the date (exclude-newer) of the build before",
    )
    added.add_argument("--no-wait", action="store_true", help="return at once; follow it with: logs -f")
    _json(added)


def _register_files(add: Add) -> None:
    apply = add(
        "apply",
        "build:apply",
        "Build every environment whose file changed\nOne line for each; what is up to date stays.",
    )
    apply.add_argument("paths", nargs="+", metavar="DIR|FILE", help="files, or folders with *.yml and *.yaml")
    apply.set_defaults(**{SEVERAL: "paths"})
    apply.add_argument("--namespace", help="where they belong (default: default, or one's own in a store elsewhere)")
    apply.add_argument("--prune", action="store_true", help="delete environments of the namespace that have no file")
    apply.add_argument("--yes", action="store_true", help="with --prune: delete without a question")
    apply.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")
    _json(apply)
    imported = add(
        "import",
        "sharing:import_file_or_link",
        f"Repair a file and print it as a specification; build the environment of a share link\n"
        f"Reads environment.yml, conda-lock.yml,\n{OTHER_FILES}.\n"
        "With a link, nothing is solved: these are the same packages. Put it in quotes, or give - and the link on\n"
        "standard input, so that it is in no list of processes.",
    )
    imported.add_argument("file", metavar="FILE or LINK or -")
    _picking(imported)
    imported.add_argument("-o", "--output", metavar="FILE", help="write it there instead of printing it")
    name = "of a link: the new environment; default: as it is called there"
    imported.add_argument("-n", "--name", metavar="[NAMESPACE/]NAME", help=name)
    _accept(imported, "the environment of a link")
    imported.add_argument("--no-wait", action="store_true", help="of a link: do not wait for the build")
    _later(imported, "of a link: ")
    _json(imported)


def _register_looking(add: Add) -> None:
    listed = add("list", "show:list_environments", "List environments")
    listed.add_argument("namespace", nargs="?", metavar="NAMESPACE")
    _json(listed)
    show = add("show", "show:show", "Show a build: status, steps, prefix, artifacts")
    _environment(show)
    _json(show)
    logs = add("logs", "show:logs", "Print the log of a build")
    _environment(logs)
    _json(logs)
    logs.add_argument("-f", "--follow", action="store_true", help="go on until the build has ended")
    diff = add("diff", "show:diff", "Show packages added, removed and changed between two builds")
    diff.add_argument("first", metavar="A", help="NAMESPACE/NAME[:BUILD]")
    diff.add_argument("second", metavar="B", help="NAMESPACE/NAME[:BUILD]")
    _json(diff)
    search = add(
        "search",
        "channels:search",
        "Find packages in channels\nA name lists its versions; 'nump*' lists names.",
    )
    search.add_argument("package", metavar="PACKAGE")
    search.add_argument("-c", "--channel", action="append", metavar="CHANNEL", help="may be given several times")
    search.add_argument("--platform", help="for example osx-arm64 (default: this machine's)")
    _json(search)


def _register_images(add: Add) -> None:
    base = add(
        "base-image",
        "images:base_image",
        "Make a small base for Docker images of this machine's own libraries\nFor where no registry is in reach; "
        "then set c.EnvStoreApp.docker_base_image = 'oci:DIR'.",
    )
    base.add_argument("directory", metavar="DIR", help="an OCI layout is made there; it must not be there yet")
    _json(base)
    push = add(
        "push",
        "images:push",
        "Copy the Docker image of a build to a registry, or its build record\nParts that it has are skipped. Log in "
        "with docker login or podman login before.",
    )
    _environment(push)
    place = "REGISTRY/NAME[:TAG] for the image, oci://REGISTRY/NAME[:TAG] for the record; default tag: the build's key"
    push.add_argument("target", metavar="TARGET", help=place)
    _json(push)
    share = add(
        "share",
        "sharing:share",
        "Make a link with which others can look at an environment and bring it back\nThe link is for a server on this "
        "store that has c.EnvStoreApp.public_url. Without an environment: list the links.",
    )
    share.add_argument("environment", metavar="NAMESPACE/NAME", nargs="?", help="the environment")
    share.add_argument("--days", type=int, default=7, help="after how many days the link ends; default 7, at most 366")
    share.add_argument("--revoke", type=int, metavar="ID", help="end a link at once")
    _json(share)
    pull = add(
        "pull",
        "records:pull",
        "Build the environment whose build record is in a registry\nNothing is solved: these are the same packages. If "
        "an image is there, the record that refers to it is taken.",
    )
    pull.add_argument("source", metavar="oci://REGISTRY/NAME[:TAG][@sha256:DIGEST]", help="default tag: latest")
    pull.add_argument("-n", "--name", metavar="[NAMESPACE/]NAME", help="the new environment; default: as it was called")
    _accept(pull, "the build record")
    pull.add_argument("--no-wait", action="store_true", help="do not wait for the build")
    _later(pull)
    _json(pull)


def _register_using(add: Add) -> None:
    run = add(
        "run",
        "use:run",
        "Run a command in an environment\njupyter envstore run team/data -- python script.py",
    )
    _environment(run)
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    shell = add("shell", "use:shell", "Open a shell in an environment")
    _environment(shell)
    download = add("download", "use:download", "Write an artifact to a file; it is made if it is not ready")
    _environment(download)
    kinds = (
        "yaml, lockfile, explicit, archive, docker, installer, pixi, pylock, requirements, sbom, "
        "or one that another package adds"
    )
    download.add_argument("--artifact", required=True, metavar="TYPE", help=kinds)
    variants = "platform of a list of packages or of an installer; tar.zst for an archive"
    download.add_argument("--variant", default="", help=variants)
    download.add_argument("-o", "--output", metavar="PATH", help="file or folder; - for standard output")
    download.add_argument("--force", action="store_true", help="write over another file of the artifact's own name")
    _json(download)


def _later(command: argparse.ArgumentParser, of: str = "") -> None:
    words = "download no packages now: the kernel of the environment brings them when it is started"
    command.add_argument("--later", action="store_true", help=of + words)


def _accept(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "--accept",
        action="append",
        metavar="ADDRESS",
        type=_address,
        help=f"where {what} may take packages from although no setting names it; may be given several times",
    )


def _address(text: str) -> str:
    """Return an address of a channel or index, or a folder."""
    if "://" not in text and not text.startswith("/"):
        msg = f"{text!r} is no address"
        raise argparse.ArgumentTypeError(msg)
    return text


def _port(text: str) -> int:
    """Return the number of a port."""
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        msg = f"{text!r} is no port: 1 to 65535"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _seconds(text: str) -> int:
    """Return a time that has passed some day."""
    if not text.isdecimal() or int(text) < 1:
        msg = f"{text!r} is no time: whole seconds, at least 1"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _bringing_back(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--exact", action="store_true", help="fail if the exact build cannot be had")
    _accept(parser, "the lock in the notebook")
    parser.add_argument("--environment", metavar="NAMESPACE/NAME[:BUILD]", help="run in this environment instead")


def _register_other_stores(add: Add) -> None:
    login = add(
        "login",
        "logins:login",
        "Log in to a store elsewhere, or list the stores that you are logged in to\n"
        "Notebooks that were written there bring their environments back from it. Make a token on the page of the\n"
        "store's tokens; you are asked for it, and it is kept in a file that you alone can read.",
    )
    login.add_argument("url", metavar="URL", nargs="?", help="address of its Jupyter server (default: list them)")
    login.add_argument("--token-stdin", action="store_true", help="read the token from standard input")
    login.add_argument("--no-check", action="store_true", help="keep the token without asking the store about it")
    _json(login)
    logout = add(
        "logout", "logins:logout", "Forget the login to a store elsewhere\nIts token works until it is revoked there."
    )
    logout.add_argument("url", metavar="URL", help="address of its Jupyter server")
    _json(logout)


def _register_moving(add: Add) -> None:
    push = add(
        "push-to",
        "push_to:push_to",
        "Send environments with their history to a store elsewhere\n"
        "Each build goes as its record: nothing is solved there, no version changes. The active build is built there,\n"
        "the others come without files until somebody wants them. What is there already stays, so it may be repeated.\n"
        "Log in before: jupyter envstore login URL.",
    )
    push.add_argument("url", metavar="URL", help="address of the store")
    push.add_argument(
        "environments", nargs="*", metavar="NAMESPACE[/NAME]", help="what is sent (default: all environments)"
    )
    push.set_defaults(**{SEVERAL: "environments"})
    push.add_argument(
        "--into",
        metavar="NAMESPACE",
        help="where they belong there (default: namespaces of the same names, and one's own for 'default')",
    )
    push.add_argument("--active-only", action="store_true", help="send active builds alone")
    push.add_argument("--later", action="store_true", help="download nothing there now, active builds neither")
    push.add_argument("--dry-run", action="store_true", help="say what would be sent, send nothing")
    _accept(push, "the environments")
    _json(push)
    taken = add(
        "from-conda-store",
        "from_conda_store:from_conda_store",
        "Take environments over from a conda-store server\n"
        "Of each environment, the current build's lockfile is built: the same packages. Where it has none, the\n"
        "specification is solved anew, and that is told. The token is read from CONDA_STORE_TOKEN, or asked for.",
    )
    taken.add_argument("url", metavar="URL", help="address of conda-store, such as https://hub.example.org/conda-store")
    taken.add_argument(
        "environments", nargs="*", metavar="NAMESPACE[/NAME]", help="what is taken over (default: all that one may see)"
    )
    taken.set_defaults(**{SEVERAL: "environments"})
    taken.add_argument("--into", metavar="NAMESPACE", help="where they belong here (default: as there)")
    taken.add_argument(
        "--specifications",
        metavar="DIR",
        help="write the specifications there, as NAMESPACE/NAME.yml, to solve them later",
    )
    taken.add_argument("--token-stdin", action="store_true", help="read the token from standard input")
    taken.add_argument("--dry-run", action="store_true", help="say what would be built, build nothing")
    _json(taken)


def _register_notebooks(add: Add) -> None:
    opened = add(
        "open",
        "open_notebook:open_notebook",
        "Open a notebook in JupyterLab, in the environment that it was written in\n"
        "The environment is found in the store, or made from the lock in the notebook, else from what it asked for.\n"
        "The notebook is opened in a Jupyter server that runs already and shows its folder, else in a new one.",
    )
    opened.add_argument("notebook", metavar="NOTEBOOK", help="an .ipynb file")
    _bringing_back(opened)
    opened.add_argument(
        "--app", choices=["lab", "notebook"], default="", help="JupyterLab, which is the default, or Jupyter Notebook"
    )
    opened.add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    opened.add_argument(
        "--port", type=_port, default=0, help="port of a new server; default: the first free one from 8888 on"
    )
    made = add(
        "from-notebook",
        "from_notebook:from_notebook",
        "Make an environment for a notebook or script that remembers none\n"
        "What it needs is taken from its script block (PEP 723); else from environment.yml, pixi.toml, pyproject.toml\n"
        "or requirements.txt beside it; else from its imports. It is printed; with --build it is built.",
    )
    made.add_argument("file", metavar="FILE", help="an .ipynb, .py or .R file; notebooks in Python or R")
    made.add_argument("-o", "--output", metavar="FILE", help="write the environment.yml there instead of printing it")
    made.add_argument("--build", action="store_true", help="show what would be built, ask, and build it")
    made.add_argument("--yes", action="store_true", help="build without asking")
    made.add_argument("--name", metavar="[NAMESPACE/]NAME", help="name of the environment (default: the file's)")
    made.add_argument(
        "--package",
        action="append",
        metavar="MODULE=PACKAGE",
        help="the package that has a module, for example cv2=opencv or cv2=pip:opencv-python; empty for none; may be "
        "given several times",
    )
    made.add_argument(
        "--accept-guesses", action="store_true", help="also build packages of which only the name is that of a module"
    )
    made.add_argument("--no-wait", action="store_true", help="return at once; follow it with: logs -f")
    made.add_argument(
        "--exclude-newer", default="", metavar="DATE", help="leave out packages uploaded later, for example 2026-01-31"
    )
    _picking(made)
    _json(made)
    block = add(
        "script-block",
        "script_block:write_script_block",
        "Write what an environment was asked for into a notebook or script, for uv and juv (PEP 723)\n"
        "A script block that is there is replaced; its tables, as [tool.uv], stay.",
    )
    block.add_argument("file", metavar="FILE", help="an .ipynb or .py file")
    block.add_argument(
        "--environment",
        metavar="NAMESPACE/NAME[:BUILD]",
        help="the environment (default: the one that the notebook remembers)",
    )
    block.add_argument("--print", action="store_true", help="print the block, write nothing")
    _json(block)
    run = add(
        "run-notebook",
        "notebook:run_notebook",
        "Run a notebook in the environment that it was written in\n"
        "The environment is found in the store, or made from the lock in the notebook, else from what it asked for.",
    )
    run.add_argument("notebook", metavar="NOTEBOOK", help="an .ipynb file; - for standard input")
    run.add_argument("-o", "--output", metavar="FILE", help="write the notebook with its outputs there; - prints it")
    run.add_argument(
        "-p",
        "--parameter",
        action="append",
        metavar="NAME=VALUE",
        help="a value for the cell with the tag 'parameters', as papermill does; may be given several times",
    )
    _bringing_back(run)
    run.add_argument(
        "--timeout", type=_seconds, metavar="SECONDS", help="how long one cell may take (default: any time)"
    )
    run.add_argument("--allow-errors", action="store_true", help="go on behind a cell that failed")
    _json(run)


def _register_keeping(add: Add) -> None:
    cancel = add("cancel", "change:cancel", "Stop a build that is queued or runs")
    _environment(cancel)
    _json(cancel)
    activate = add("activate", "change:activate", "Make a build the active one: roll back, or forward")
    _environment(activate)
    _json(activate)
    delete = add("delete", "change:delete", "Delete an environment with all its builds, or one build")
    _environment(delete)
    _json(delete)
    delete.add_argument("--yes", action="store_true", help="do not ask")
    delete.add_argument("--now", action="store_true", help="free an environment's space at once: it cannot come back")
    undelete = add("undelete", "change:undelete", "Bring back an environment deleted in the last ten minutes")
    _environment(undelete)
    _json(undelete)
    restore = add("restore", "packages:restore", "Bring the prefix of a packed-away build back, exactly")
    _environment(restore)
    _json(restore)
    restore.add_argument("--check", action="store_true", help="only say where each package would come from")
    keep = add(
        "keep",
        "packages:keep",
        "Keep the prefix of a build for good (pin it), or the files of its packages\n"
        "With --packages the build comes back even when its channels are gone.",
    )
    _environment(keep)
    keep.add_argument("--packages", action="store_true", help="store the files of its packages")
    keep.add_argument("--stop", action="store_true", help="keep it no more")
    _json(keep)
    collect = add("gc", "change:collect", "Free space: old builds beyond the retention settings, caches nobody needs")
    collect.add_argument("--dry-run", action="store_true", help="say what would be freed")
    _json(collect)
    setting = add("setting", "change:setting", "Show or change settings")
    setting.add_argument(
        "assignments",
        nargs="*",
        metavar="KEY=VALUE",
        help="value as JSON or text; null takes the setting of this scope back",
    )
    setting.set_defaults(**{SEVERAL: "assignments"})
    setting.add_argument("--scope", metavar="NAMESPACE[/NAME]", help="default: the whole store")
    _json(setting)


def _register_site(add: Add) -> None:
    serve = add(
        "serve",
        "serve:serve",
        "Run the store alone, for a team: as a service of a JupyterHub, or behind a reverse proxy\n"
        "It reads jupyter_envstore_config; the documentation of EnvStoreService lists what can be set.",
    )
    serve.add_argument("--config", metavar="FILE", help="read this configuration file too")
    serve.add_argument("--ip", help="address to listen on (default: that of the JupyterHub, or 127.0.0.1)")
    serve.add_argument("--port", type=_port, help="port to listen on (default: that of the JupyterHub, or 8890)")
    serve.add_argument("--base-url", metavar="PATH", help="path under which a proxy shows the service (default: /)")
    doctor = add("doctor", "maintain:doctor", "Look at disk, limits, tools, proxies and channels, and say what to mend")
    _json(doctor)
    backup = add(
        "backup",
        "maintain:backup",
        "Write the store into one file, while it is in use\nDatabase, build records, artifacts, logs; no prefixes.",
    )
    backup.add_argument("file", metavar="FILE.tar")
    backup.add_argument("--without-archives", action="store_true", help="leave out what can be made again")
    backup.add_argument("--packages", action="store_true", help="take the kept files of packages along")
    _json(backup)
    back = add(
        "restore-backup",
        "maintain:restore_backup",
        "Make a store of a backup, where none is yet\nEach prefix comes back with: restore",
    )
    back.add_argument("file", metavar="FILE.tar")
    _json(back)


def _register_channels(add: Add) -> None:
    channel = add(
        "channel",
        "channels:channel",
        "Make a conda channel of Python installations and PyPI wheels\nFor sites that reach PyPI only.",
    )
    channel.add_argument("directory", metavar="DIR")
    channel.add_argument("requirements", nargs="*", metavar="REQUIREMENT", help="for example 'pandas>=2'")
    channel.add_argument(
        "--python",
        action="extend",
        nargs="+",
        metavar="PREFIX",
        help="prefixes of CPython installations; write requirements before it, or -- between",
    )
    _json(channel)
