#!/bin/sh
#
# NAME:    @@TITLE@@
# VERSION: @@VERSION_LINE@@
# PLATFORM: @@PLATFORM_LINE@@
# SHA256:  @@DIGEST_LINE@@ (of all that follows this script)
#
# Installs an environment, package for package as it was locked. Needs no network and no root.
#   sh FILE -h    tells how

# A file that was cut short does nothing, and says so: all of it is one function, which the last line calls.
trap 'echo "ERROR: this file is cut short; nothing was installed. Get it again." >&2; exit 1' EXIT
main() {
set -u
LC_ALL=C
export LC_ALL
unset LD_LIBRARY_PATH LD_PRELOAD LD_AUDIT DYLD_LIBRARY_PATH DYLD_FALLBACK_LIBRARY_PATH DYLD_INSERT_LIBRARIES
unset PYTHONHOME PYTHONPATH PYTHON_SYSCONFIGDATA_NAME _CONDA_PYTHON_SYSCONFIGDATA_NAME CDPATH
PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}
export PATH

NAME=@@NAME@@
VERSION=@@VERSION@@
PLATFORM=@@PLATFORM@@
DIGEST=@@DIGEST@@
HEADER=@@HEADER@@
SCRIPT_LINES=@@LINES@@
OFFSET=@@OFFSET@@
SYSTEM=@@SYSTEM@@
MACHINES=@@MACHINES@@
LIBC=@@LIBC@@
MACOS=@@MACOS@@
SIZE_KB=@@SIZE_KB@@
ENTRIES=@@ENTRIES@@
LONGEST=@@LONGEST@@
PYTHON=@@PYTHON@@
PLACEHOLDER=@@PLACEHOLDER@@
OWN=@@OWN@@

BATCH=0
FORCE=0
TEST=0
COMPILE=0
PREFIX=
WORK=
NEW=0
HELD=0
MADE=
SWAPPED=0

say() { printf '%s\n' "$*"; }
complain() { printf '%s\n' "$*" >&2; }
fail() {
  complain "ERROR: $1"
  shift
  for line in "$@"; do complain "       $line"; done
  exit 1
}

remove() {
  if [ -n "$1" ] && [ -e "$1" ]; then
    chmod -R u+w "$1" 2>/dev/null
    rm -rf "$1"
  fi
}

# Whatever happens, the target is as it was, or is the whole new environment.
clean() {
  status=$?
  trap '' INT TERM HUP QUIT PIPE
  if [ "$HELD" = 1 ]; then
    if [ "$SWAPPED" = 0 ] && [ -e "$WORK/old" ]; then
      if [ -e "$PREFIX" ]; then put_aside "$WORK/old"; else mv "$WORK/old" "$PREFIX"; fi
    fi
    let_go
  elif [ "$NEW" = 1 ]; then
    rmdir "$WORK" 2>/dev/null # made, and not taken
  fi
  while [ "$SWAPPED" = 0 ] && [ -n "$MADE" ]; do # folders that were made for the target, as long as they are empty
    rmdir "$MADE" 2>/dev/null || break
    case $MADE in "$TOP") break ;; esac
    MADE=$(dirname "$MADE")
  done
  trap - EXIT
  exit "$status"
}
trap clean EXIT
trap 'complain; complain "Interrupted; nothing was installed."; exit 130' INT
trap 'exit 129' HUP
trap 'exit 131' QUIT
trap 'exit 141' PIPE
trap 'exit 143' TERM

usage() {
  cat <<END
usage: sh $0 [options]

Installs $NAME $VERSION ($PLATFORM), without a network.

-b           batch: ask nothing (who runs it agrees to the licences, if there are any)
-p PREFIX    folder to install into; default: ${HOME:-\$HOME}/$NAME
             at most $LONGEST characters, no spaces
-f           no error if PREFIX exists already: an empty folder is used, an
             environment is replaced, anything else is refused
-u           update: replace the environment at PREFIX; files that were added to it
             are kept beside it
-C           compile Python's byte code now, where users cannot write into PREFIX
-s           run no scripts of packages (none are ever run; known from other installers)
-t           test what was installed: every file's hash, and that Python starts
-h           print this and end

Afterwards:  . PREFIX/bin/activate       use it in a shell
             PREFIX/bin/python           use it without
             sh PREFIX/uninstall.sh      remove it
END
}

case ${1:-} in --help) set -- -h ;; esac
while getopts bCfhstup: option; do
  case $option in
    b) BATCH=1 ;;
    p)
      PREFIX=$OPTARG
      [ -n "$PREFIX" ] || fail "-p names no folder."
      ;;
    f | u) FORCE=1 ;;
    s) ;;
    t) TEST=1 ;;
    C) COMPILE=1 ;;
    h)
      usage
      exit 0
      ;;
    *)
      complain "sh $0 -h tells what there is."
      exit 2
      ;;
  esac
done
shift $((OPTIND - 1))
if [ $# -gt 0 ]; then
  complain "ERROR: '$1' is no option; sh $0 -h tells what there is."
  exit 2
fi

