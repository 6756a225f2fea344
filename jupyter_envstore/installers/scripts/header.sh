#!/bin/sh
#
# NAME:    @@TITLE@@
# VERSION: @@VERSION_LINE@@
# PLATFORM: @@PLATFORM_LINE@@
# SHA256:  @@DIGEST_LINE@@ (of all that follows this script)
#
# Installs an environment, package for package as it was locked. Needs no network and no root.
#   sh FILE -h    tells how

# All of it is one function, so that a file that was cut short does nothing.
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
PARTIAL=
OLD=
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
  if [ "$SWAPPED" = 0 ]; then
    if [ -n "$OLD" ] && [ -e "$OLD" ]; then
      if [ -e "$PREFIX" ]; then put_aside "$OLD"; else rm -f "$OLD/$MARK" && mv "$OLD" "$PREFIX"; fi
    fi
    remove "$PARTIAL"
    while [ -n "$MADE" ]; do # folders that were made for the target, as long as they are empty
      rmdir "$MADE" 2>/dev/null || break
      case $MADE in "$TOP") break ;; esac
      MADE=$(dirname "$MADE")
    done
  fi
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

# -- can it run here? ----------------------------------------------------------------------------------------------

for tool in tar gzip tail head awk sed df dirname basename mkdir mv rm chmod find uname cat; do
  command -v "$tool" >/dev/null 2>&1 || fail "this machine has no $tool, which the installer needs."
done
if command -v sha256sum >/dev/null 2>&1; then
  digest() { sha256sum | awk '{print $1}'; }
elif command -v shasum >/dev/null 2>&1; then
  digest() { shasum -a 256 | awk '{print $1}'; }
elif command -v openssl >/dev/null 2>&1; then
  digest() { openssl dgst -sha256 | awk '{print $NF}'; }
else
  fail "this machine has none of sha256sum, shasum and openssl; without one the file cannot be checked."
fi
if [ ! -f "$0" ]; then
  fail "the installer does not find itself as '$0'; run it as: sh FILE"
fi
system=$(uname -s)
machine=$(uname -m)
[ "$system" = "$SYSTEM" ] || fail "this installer is for $PLATFORM, this machine runs $system."
case " $MACHINES " in
  *" $machine "*) ;;
  *) fail "this installer is for $PLATFORM, this machine's processor is $machine." ;;
esac

# Prints the version of the C library; nothing where it cannot be told.
libc_version() {
  if [ -n "${CONDA_OVERRIDE_GLIBC:-}" ]; then
    printf '%s\n' "$CONDA_OVERRIDE_GLIBC"
    return
  fi
  found=$(getconf GNU_LIBC_VERSION 2>/dev/null | awk '{print $2}')
  if [ -z "$found" ]; then
    for library in /lib/*/libc.so.6 /lib64/libc.so.6 /lib/libc.so.6 /usr/lib/libc.so.6; do
      if [ -x "$library" ]; then
        found=$("$library" 2>/dev/null | head -n 1 | sed -n 's/.*version \([0-9][0-9.]*[0-9]\).*/\1/p')
        [ -z "$found" ] || break
      fi
    done
  fi
  printf '%s\n' "$found"
}
# Whether version $1 is at least $2.
is_at_least() {
  awk -v have="$1" -v need="$2" 'BEGIN {
    split(have, a, "."); split(need, b, ".")
    exit !(a[1] + 0 > b[1] + 0 || (a[1] + 0 == b[1] + 0 && a[2] + 0 >= b[2] + 0)) }'
}
if [ -n "$MACOS" ] && [ "$system" = Darwin ]; then
  have=$(SYSTEM_VERSION_COMPAT=0 sw_vers -productVersion)
  is_at_least "$have" "$MACOS" || fail "macOS $MACOS or newer is needed, this machine has $have."
fi
if [ -n "$LIBC" ]; then
  have=$(libc_version)
  if [ -z "$have" ] && ls /lib/ld-musl-* >/dev/null 2>&1; then
    fail "glibc $LIBC or newer is needed, this machine has another C library (musl)."
  elif [ -z "$have" ]; then
    complain "WARNING: the version of the C library cannot be told; glibc $LIBC or newer is needed."
  elif ! is_at_least "$have" "$LIBC"; then
    fail "glibc $LIBC or newer is needed, this machine has $have."
  fi
fi

# -- what and where ------------------------------------------------------------------------------------------------

ask() {
  printf '%s\n>>> ' "$1"
  if ! read -r answer; then
    complain
    complain "No answer; nothing was installed. For an installation without questions: sh $0 -b -p PREFIX"
    exit 2
  fi
}

if [ "$BATCH" = 0 ]; then
  say "$NAME $VERSION ($PLATFORM)"
  show_welcome() {
    cat <<'ENVSTORE_WELCOME'
@@WELCOME@@
ENVSTORE_WELCOME
  }
  show_welcome
  if [ @@HAS_LICENCE@@ = 1 ]; then
    show_licence() {
      cat <<'ENVSTORE_LICENCE'
@@LICENCE@@
ENVSTORE_LICENCE
    }
    ask "Please read the licence (press Enter)."
    if [ -t 1 ] && command -v more >/dev/null 2>&1; then show_licence | more; else show_licence; fi
    while :; do
      ask "Do you accept its terms? [yes|no]"
      case $answer in
        [Yy][Ee][Ss] | [Yy]) break ;;
        [Nn][Oo] | [Nn])
          complain "Nothing was installed."
          exit 2
          ;;
      esac
    done
  fi
fi
if [ -z "$PREFIX" ]; then
  if [ -n "${HOME:-}" ]; then PREFIX=$HOME/$NAME; fi
  if [ "$BATCH" = 0 ]; then
    if [ -n "$PREFIX" ]; then
      ask "Where shall it be installed? Enter takes $PREFIX"
      [ -z "$answer" ] || PREFIX=$answer
    else
      ask "Where shall it be installed?"
      PREFIX=$answer
    fi
  fi
fi
case $PREFIX in # as a shell would have it
  "~" | "~"/*)
    [ -n "${HOME:-}" ] || fail "HOME is not set, so '$PREFIX' is no folder; write its whole path."
    PREFIX=$HOME${PREFIX#"~"}
    ;;
esac
[ -n "$PREFIX" ] || fail "HOME is not set, so there is no usual place; name one: sh $0 -b -p PREFIX"

case $PREFIX in /*) ;; *) PREFIX=$(pwd)/${PREFIX#./} ;; esac
while :; do # no slash at the end, none doubled
  case $PREFIX in
    */) PREFIX=${PREFIX%/} ;;
    *//*) PREFIX=${PREFIX%%//*}/${PREFIX#*//} ;;
    *) break ;;
  esac
done
[ -n "$PREFIX" ] || fail "the root folder cannot be an environment; name a folder in it."
case $PREFIX in
  */.. | */../* | */. | */./*) fail "'$PREFIX' has . or .. in it; name the folder itself." ;;
  *[[:space:]]*) fail "'$PREFIX' has a space in it, which scripts of the environment cannot have in their path." ;;
  *[!A-Za-z0-9/._+@%,=~-]*)
    odd=$(printf '%s' "$PREFIX" | sed 's/[A-Za-z0-9/._+@%,=~-]//g')
    case $odd in
      *[:\'\"\\\$\`\|\&\;\<\>\(\)\*\?\[\]\#\!\{\}]*)
        fail "'$PREFIX' has characters in it that scripts cannot have in their path; choose another folder." ;;
    esac
    ;;
esac
[ ${#PREFIX} -le "$LONGEST" ] ||
  fail "'$PREFIX' has ${#PREFIX} characters; at most $LONGEST fit into the files of this environment." \
    "Choose a shorter path."

PARENT=$(dirname "$PREFIX")
BASE=$(basename "$PREFIX")
HOST=$(uname -n)
MARK=.envstore-installing
# Whether the installation with this number still runs, here.
runs() { kill -0 "$1" 2>/dev/null || [ -d "/proc/$1" ]; }
is_number() { case $1 in '' | *[!0-9]*) return 1 ;; esac; }
put_aside() {
  number=1
  while [ -e "$PREFIX.before-$number" ] || [ -h "$PREFIX.before-$number" ]; do number=$((number + 1)); done
  rm -f "$1/$MARK"
  if mv "$1" "$PREFIX.before-$number"; then
    say "What this installer does not know of the old environment is kept in $PREFIX.before-$number"
  else
    complain "WARNING: what was added to the old environment lies in $1"
  fi
}
# Whether a folder is what an installation on this machine left behind: its mark is in it.
is_left() {
  [ -d "$1" ] && [ ! -h "$1" ] && [ -f "$1/$MARK" ] && read -r host process <"$1/$MARK" &&
    [ "$host" = "$HOST" ] && is_number "$process" && { [ "$process" = "$$" ] || ! runs "$process"; }
}
for left in "$PARENT/.$BASE.replaced-"*; do # of an update that was killed between its two renames, or behind them
  if [ -w "$PARENT" ] && is_left "$left"; then
    if [ -e "$PREFIX" ]; then
      put_aside "$left"
    elif [ -d "$left/conda-meta" ]; then
      rm -f "$left/$MARK"
      mv "$left" "$PREFIX" && say "$PREFIX, which an update had lost, is back."
    fi
  fi
done

# What is there may be replaced, or it is said why not.
check_target() {
  if [ -e "$PREFIX" ] || [ -h "$PREFIX" ]; then
    [ "$FORCE" = 1 ] || fail "$PREFIX exists already." \
      "To replace the environment there: -u. To install elsewhere: -p PREFIX"
    [ -d "$PREFIX" ] && [ ! -h "$PREFIX" ] || fail "$PREFIX is not a folder."
    if [ -n "$(ls -A "$PREFIX" 2>/dev/null)" ] && [ ! -d "$PREFIX/conda-meta" ]; then
      fail "$PREFIX is neither empty nor an environment; nothing there is touched." "Choose another folder: -p PREFIX"
    fi
    [ -w "$PREFIX" ] || fail "$PREFIX cannot be written."
  fi
}
check_target

TOP=$PARENT
while [ ! -e "$TOP" ]; do # the uppermost folder that is not there yet
  above=$(dirname "$TOP")
  [ ! -e "$above" ] || break
  TOP=$above
done
if [ ! -d "$PARENT" ]; then
  made=$(mkdir -p "$PARENT" 2>&1) || fail "$PARENT cannot be made: ${made##*: }"
  MADE=$PARENT
fi
[ -w "$PARENT" ] || fail "$PARENT cannot be written."
for left in "$PARENT/.$BASE.installing-"*; do # of an installation that was killed on this machine: its mark is in it
  if is_left "$left"; then remove "$left" 2>/dev/null; fi
done
free=$(df -Pk "$PARENT" 2>/dev/null | awk 'NR == 2 {print $4}')
case $free in
  '' | *[!0-9]*) ;;
  *) [ "$free" -gt "$SIZE_KB" ] ||
    fail "$((SIZE_KB / 1024)) MB are needed, $PARENT has $((free / 1024)) MB free." ;;
esac

# -- is the file whole? --------------------------------------------------------------------------------------------

say "Checking the installer ..."
found=$(head -n "$SCRIPT_LINES" "$0" | sed '/^HEADER=/d' | digest)
[ "$found" = "$HEADER" ] ||
  fail "this file is damaged or was changed, in its first $SCRIPT_LINES lines. Nothing was installed; get it again."
found=$(tail -c "+$OFFSET" "$0" | digest)
[ "$found" = "$DIGEST" ] ||
  fail "this file is damaged or was changed: its SHA-256 is $found," "not $DIGEST. Nothing was installed; get it again."

# -- install -------------------------------------------------------------------------------------------------------

number=$$
until mkdir -m 700 "$PARENT/.$BASE.installing-$number" 2>/dev/null; do # a number may be taken, by another machine
  number=$((number + 1))
  [ "$number" -lt $(($$ + 100)) ] || fail "no folder can be made in $PARENT."
done
PARTIAL=$PARENT/.$BASE.installing-$number
printf '%s %s\n' "$HOST" "$$" >"$PARTIAL/$MARK" || fail "$PARTIAL cannot be written; is the disk full?"
say "Unpacking $ENTRIES files ..."
if [ -t 1 ]; then
  {
    tail -c "+$OFFSET" "$0" | gzip -dc | tar -xvof - -C "$PARTIAL" 2>&1
    printf 'envstore-status %s\n' $?
  } | awk -v all="$ENTRIES" '
      /^envstore-status / { status = $2; next }
      /^(tar|bsdtar): / { print > "/dev/stderr"; next }
      ++seen % 200 == 0 { printf "\r  %d %%", (seen < all ? seen : all) * 100 / all; fflush() }
      END { printf "\r        \r"; exit status }'
else
  tail -c "+$OFFSET" "$0" | gzip -dc | tar -xof - -C "$PARTIAL"
fi
unpacked=$?
[ "$unpacked" = 0 ] || fail "the files could not be unpacked (see above; is the disk full?); nothing was installed."
chmod "$(umask -S)" "$PARTIAL"

say "Setting paths ..."
if [ -n "$PYTHON" ]; then
  "$PARTIAL/$PYTHON" -E -s -S -B "$PARTIAL/$OWN/relocate.py" relocate "$PARTIAL" "$PLACEHOLDER" "$PREFIX"
else
  relocate_text() {
    new=$(printf '%s' "$PREFIX" | sed 's/[\\&|]/\\&/g')
    while read -r _ _ old path; do
      file=$PARTIAL/$path
      sed "s|$PLACEHOLDER|$new|g" "$file" >"$file.envstore-new" || return 1
      cat "$file.envstore-new" >"$file" || return 1 # the mode stays
      rm -f "$file.envstore-new"
      [ "$old" = - ] || printf 's/%s/%s/\n' "$old" "$(digest <"$file")" >>"$PARTIAL/$OWN/hashes.sed"
    done <"$PARTIAL/$OWN/relocations"
    if [ -s "$PARTIAL/$OWN/hashes.sed" ]; then
      for file in "$PARTIAL"/conda-meta/*.json; do
        sed -f "$PARTIAL/$OWN/hashes.sed" "$file" >"$PARTIAL/$OWN/new" || return 1
        cat "$PARTIAL/$OWN/new" >"$file" || return 1
      done
      rm -f "$PARTIAL/$OWN/new" "$PARTIAL/$OWN/hashes.sed"
    fi
  }
  relocate_text
fi || fail "the paths in its files could not be set; nothing was installed."

if [ "$COMPILE" = 1 ] && [ -n "$PYTHON" ]; then
  say "Compiling ..."
  "$PARTIAL/$PYTHON" -E -s -B "$PARTIAL/$OWN/relocate.py" compile "$PARTIAL" "$PREFIX"
fi

check_target # it may have appeared meanwhile
trap '' INT TERM HUP QUIT PIPE # from old to new in two renames, which nobody shall part; and what was old is put in order
if [ -d "$PREFIX" ]; then
  say "Replacing what is at $PREFIX ..."
  number=$$
  while [ -e "$PARENT/.$BASE.replaced-$number" ]; do number=$((number + 1)); done
  OLD=$PARENT/.$BASE.replaced-$number
  printf '%s %s\n' "$HOST" "$$" >"$PREFIX/$MARK" || fail "$PREFIX cannot be written; it is as it was."
  if ! mv "$PREFIX" "$OLD"; then
    rm -f "$PREFIX/$MARK"
    fail "$PREFIX cannot be moved; it is as it was."
  fi
fi
if [ -e "$PREFIX" ]; then
  fail "$PREFIX appeared while this ran: somebody else installs there. Nothing there was touched."
fi
mv "$PARTIAL" "$PREFIX" || fail "the environment cannot be moved to $PREFIX; what was there is as it was."
if [ -e "$PREFIX/${PARTIAL##*/}" ]; then # somebody was quicker by a hair, and it went into their folder
  PARTIAL=$PREFIX/${PARTIAL##*/}
  fail "$PREFIX appeared while this ran: somebody else installs there."
fi
SWAPPED=1
rm -f "$PREFIX/$MARK"
if [ -n "$OLD" ]; then
  if [ -f "$OLD/$OWN/files" ]; then sh "$PREFIX/uninstall.sh" -q -r "$OLD"; fi
  if [ -d "$OLD" ]; then rm -f "$OLD/$MARK"; fi
  rmdir "$OLD" 2>/dev/null
  if [ -d "$OLD" ]; then put_aside "$OLD"; fi
fi
trap 'exit 130' INT
trap 'exit 143' TERM HUP QUIT PIPE

if [ "$TEST" = 1 ]; then
  say "Testing ..."
  if [ -n "$PYTHON" ]; then
    "$PREFIX/$PYTHON" -E -s -B "$PREFIX/$OWN/relocate.py" test "$PREFIX"
  else
    (cd "$PREFIX" && while IFS= read -r path; do
      [ -e "$path" ] || [ -h "$path" ] || { complain "$path is missing"; exit 1; }
    done <"$OWN/files")
  fi || {
    complain "ERROR: the test failed; the environment is at $PREFIX all the same. To remove it: sh $PREFIX/uninstall.sh"
    exit 1
  }
fi
say "$NAME $VERSION is installed at $PREFIX"
say "  use it:     . $PREFIX/bin/activate"
say "  remove it:  sh $PREFIX/uninstall.sh"
exit 0
}
main "$@"; exit 1
