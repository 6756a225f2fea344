#!/bin/sh
# Removes this environment: what its installer brought, and nothing else.
#   -b        ask nothing
#   -q        say nothing, ask nothing
#   -r PREFIX the environment to remove; default: the one that this file lies in
[ -z "${ZSH_VERSION:-}" ] || emulate sh
set -u
set +e # whoever starts this with sh -e: what fails is looked at here
if (set +o pipefail) 2>/dev/null; then set +o pipefail; fi
LC_ALL=C
export LC_ALL
unset CDPATH
PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}
OWN=@@OWN@@
BATCH=0
QUIET=0
PREFIX=
@@WORK@@
while getopts bqr:h option; do
  case $option in
    b) BATCH=1 ;;
    q) BATCH=1 QUIET=1 ;;
    r)
      PREFIX=$OPTARG
      [ -n "$PREFIX" ] || fail "-r names no folder; nothing is touched."
      ;;
    h)
      sed -n '2,5s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    *)
      sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
      exit 2
      ;;
  esac
done
shift $((OPTIND - 1))
[ $# = 0 ] || fail "'$1' is no option; nothing is touched. To remove another environment: -r PREFIX"
[ -n "$PREFIX" ] || PREFIX=$(dirname "$0")
PREFIX=$(cd "$PREFIX" && pwd -P) || exit 1
say() { [ "$QUIET" = 1 ] || printf '%s\n' "$*"; }
if [ ! -f "$PREFIX/$OWN/files" ]; then
  fail "$PREFIX is no environment that this installer made; nothing is touched."
fi
if [ ! -w "$PREFIX" ] || [ ! -w "$(dirname "$PREFIX")" ]; then
  fail "$PREFIX cannot be written; nothing is touched."
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
heed() { # by the trap on exit, the lock goes; what is removed by then stays so, and the next run removes the rest
  on_signal 'exit 130' INT
  on_signal 'exit 129' HUP
  on_signal 'exit 131' QUIT
  on_signal 'exit 141' PIPE
  on_signal 'exit 143' TERM
}
case $PREFIX in
  */.*.envstore-installing/replaced) ;; # an installer has it removed, and the lock
  *)
    PARENT=$(dirname "$PREFIX")
    WORK=$PARENT/.$(basename "$PREFIX").envstore-installing
    LOCK=
    take
    trap 'if [ -n "$LOCK" ]; then let_go; fi' EXIT
    recover
    ;;
esac
OURS=$PREFIX/$OWN
# The folders that files of the installer lie in, the deepest first.
folders() {
  awk '{ while (sub("/[^/]*$", "")) print }' "$OURS/files" | LC_ALL=C sort -u -r
}
quoted() { sed "s/'/'\\\\''/g; s/.*/'&'/"; }
cd "$PREFIX" || exit 1
# Where a folder was replaced by a link, what it leads to is somebody's own.
linked=$(folders | while IFS= read -r folder; do [ ! -h "$folder" ] || printf '%s\n' "$folder"; done)
ours() {
  if [ -z "$linked" ]; then cat; return; fi
  LINKED=$linked awk 'BEGIN { count = split(ENVIRON["LINKED"], away, "\n") }
    { for (place = 1; place <= count; place++) if (index($0 "/", away[place] "/") == 1) next; print }'
}
# A folder that stands where a file was is somebody's own.
files() {
  grep -v -e "^$OWN/" -e '^uninstall\.sh$' -e '/$' "$OURS/files" | ours | while IFS= read -r file; do
    if [ -h "$file" ] || [ ! -d "$file" ]; then printf '%s\n' "$file"; fi
  done
}
removed=1
folders | ours | sed -n 's|$|/__pycache__|p' | quoted | xargs rm -rf || removed=0
files | quoted | xargs rm -f || removed=0
if [ "$removed" = 0 ]; then
  fail "not all files of $PREFIX can be removed (see above); run this again when they can."
fi
# The list goes last but for what it lies in: whoever is stopped before can go on.
folders | ours | grep -v -e "^$OWN\$" | quoted | xargs rmdir 2>/dev/null
grep "^$OWN/" "$OURS/files" | grep -v "^$OWN/files\$" | quoted | xargs rm -f
rm -f uninstall.sh .nonadmin "$OURS/files"
rmdir "$OURS" "${OURS%/*}" 2>/dev/null
cd / || exit 1
rmdir "$PREFIX" 2>/dev/null
if [ -d "$PREFIX" ]; then
  say "The environment is removed. $PREFIX stays: it has files that were added to it."
else
  say "$PREFIX is removed."
fi
exit 0
