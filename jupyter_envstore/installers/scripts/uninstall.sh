#!/bin/sh
# Removes this environment: what its installer brought, and nothing else.
#   -b        ask nothing
#   -q        say nothing, ask nothing
#   -r PREFIX the environment to remove; default: the one that this file lies in
set -u
LC_ALL=C
export LC_ALL
PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}
OWN=@@OWN@@
BATCH=0
QUIET=0
PREFIX=
while getopts bqr:h option; do
  case $option in
    b) BATCH=1 ;;
    q) BATCH=1 QUIET=1 ;;
    r) PREFIX=$OPTARG ;;
    *)
      sed -n '2,5s/^# \{0,1\}//p' "$0"
      exit 2
      ;;
  esac
done
[ -n "$PREFIX" ] || PREFIX=$(cd "$(dirname "$0")" && pwd) || exit 1
say() { [ "$QUIET" = 1 ] || printf '%s\n' "$*"; }
if [ ! -f "$PREFIX/$OWN/files" ] || [ ! -d "$PREFIX/conda-meta" ]; then
  printf 'ERROR: %s is no environment that this installer made; nothing is touched.\n' "$PREFIX" >&2
  exit 1
fi
if [ ! -w "$PREFIX" ] || [ ! -w "$(dirname "$PREFIX")" ]; then
  printf 'ERROR: %s cannot be written; nothing is touched.\n' "$PREFIX" >&2
  exit 1
fi
if [ "$BATCH" = 0 ]; then
  printf 'Remove the environment at %s? [yes|no]\n>>> ' "$PREFIX"
  read -r answer || answer=no
  case $answer in
    [Yy][Ee][Ss] | [Yy]) ;;
    *)
      say "Nothing was removed."
      exit 2
      ;;
  esac
fi
cd "$PREFIX" || exit 1
chmod -R u+w . 2>/dev/null
find . -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null
rm -f .nonadmin conda-meta/history conda-meta/state
sed "s/'/'\\\\''/g; s/.*/'&'/" "$OWN/files" | xargs rm -f
rm -f "$OWN/files"
cd / || exit 1
find "$PREFIX" -depth -type d -exec rmdir {} + 2>/dev/null
if [ -d "$PREFIX" ]; then
  say "The environment is removed. $PREFIX stays: it has files that were added to it."
else
  say "$PREFIX is removed."
fi
exit 0
