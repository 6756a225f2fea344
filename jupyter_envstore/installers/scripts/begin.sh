#!/bin/sh
trap 'echo "ERROR: this file is cut short; nothing was installed. Get it again." >&2; exit 1' EXIT
#
# NAME:    @@TITLE@@
# VERSION: @@VERSION_LINE@@
# PLATFORM: @@PLATFORM_LINE@@
# SHA256:  @@DIGEST_LINE@@ (of all that follows this script)
#
# Installs an environment, package for package as it was locked. Needs no network and no root.
#   sh FILE -h    tells how

# A file that was cut short does nothing, and says so: all of it is one function, which the last line calls.
# sh does the work where it is another shell than zsh, which may crash when a signal comes while it waits (5.9).
if [ -n "${ZSH_VERSION:-}" ]; then
  emulate sh
  if [ -z "${ENVSTORE_STARTED_BY_ZSH:-}" ] && [ -x /bin/sh ]; then
    export ENVSTORE_STARTED_BY_ZSH=1
    exec /bin/sh "$0" "$@"
  fi
fi
main() {
unset ENVSTORE_STARTED_BY_ZSH
set -u
set +e # whoever starts this with sh -e: what fails is looked at here
if (set +o pipefail) 2>/dev/null; then set +o pipefail; fi
LC_ALL=C
export LC_ALL
unset LD_LIBRARY_PATH LD_PRELOAD LD_AUDIT DYLD_LIBRARY_PATH DYLD_FALLBACK_LIBRARY_PATH DYLD_INSERT_LIBRARIES
unset PYTHONHOME PYTHONPATH PYTHON_SYSCONFIGDATA_NAME _CONDA_PYTHON_SYSCONFIGDATA_NAME
unset CDPATH TAR_OPTIONS GZIP POSIXLY_CORRECT
PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}
export PATH

NAME=@@NAME@@
VERSION=@@VERSION@@
PLATFORM=@@PLATFORM@@
DIGEST=@@DIGEST@@
HEADER=@@HEADER@@
SCRIPT_LINES=@@LINES@@
OFFSET=@@OFFSET@@
PARTS=@@PARTS@@
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
LOCK=
MADE=
SWAPPED=0
UNPACKING=
STARTING=0

