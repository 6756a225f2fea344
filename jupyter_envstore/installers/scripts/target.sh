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

# What is there may be replaced, or it is said why not.
check_target() {
  if [ -e "$PREFIX" ] || [ -h "$PREFIX" ]; then
    [ "$FORCE" = 1 ] || fail "$PREFIX exists already." \
      "To replace the environment there: -u. To install elsewhere: -p PREFIX"
    [ -d "$PREFIX" ] && [ ! -h "$PREFIX" ] || fail "$PREFIX is not a folder."
    if [ -n "$(ls -A "$PREFIX" 2>/dev/null)" ] && [ ! -d "$PREFIX/conda-meta" ] && [ ! -f "$PREFIX/$OWN/files" ]; then
      fail "$PREFIX is neither empty nor an environment; nothing there is touched." "Choose another folder: -p PREFIX"
    fi
    [ -w "$PREFIX" ] || fail "$PREFIX cannot be written."
    [ -w "$PARENT" ] || fail "$PARENT cannot be written, and the environment is made beside $PREFIX." \
      "Choose a folder in it: -p $PREFIX/env"
  fi
}

# -- one at a time -------------------------------------------------------------------------------------------------

# All that is not finished lies in one folder beside the target: new, the environment that is made; old, the one that is
# replaced, until new is in its place; replaced, what is left of it then; lock, a link whose target says who is at work.
WORK=$PARENT/.$BASE.envstore-installing
HOST=$(uname -n)
# Whether a process runs on this machine; one that ended and that nobody asked after does not.
runs() {
  case $1 in '' | *[!0-9]*) return 1 ;; esac
  if [ -r "/proc/$1/stat" ]; then
    case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in Z* | X*) return 1 ;; esac
    return 0
  fi
  kill -0 "$1" 2>/dev/null || ps -p "$1" >/dev/null 2>&1
}
target_of() { ls -ld "$1" 2>/dev/null | sed -n 's/.* -> //p'; }
# Takes what is not finished at PREFIX for this process alone.
take() {
  tries=0
  until try_to_take; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || fail "$WORK/lock cannot be made; is the disk full?"
  done
  HELD=1
  for left in "$WORK/lock."*; do # of one that was killed while it took the lock of another
    runs "${left##*.}" || rm -f "$left"
  done
}
try_to_take() {
  if mkdir -m 700 "$WORK" 2>/dev/null; then
    NEW=1
  else
    [ ! -h "$WORK" ] || fail "$WORK is a link, and no folder of an installer."
    owner=$(ls -ldn "$WORK" 2>/dev/null | awk '{print $3}')
    [ -n "$owner" ] || return 1 # whoever had it is done
    [ "$owner" = "$(id -u)" ] || fail "somebody else installs at $PREFIX, or did not finish: $WORK is theirs."
  fi
  ln -s "$HOST:$$" "$WORK/lock" 2>/dev/null && return
  holder=$(target_of "$WORK/lock")
  [ -n "$holder" ] || return 1
  if [ "${holder%:*}" != "$HOST" ]; then
    fail "an installation on another machine, ${holder%:*}, is at work on $PREFIX." \
      "If it was killed: rm $WORK/lock, and run this again."
  elif [ "${holder##*:}" != "$$" ] && runs "${holder##*:}"; then
    fail "another installation is at work on $PREFIX (process ${holder##*:}); wait until it is done."
  elif mv "$WORK/lock" "$WORK/lock.$$" 2>/dev/null; then
    found=$(target_of "$WORK/lock.$$")
    [ "$found" = "$holder" ] || ln -s "$found" "$WORK/lock" # another one was quicker: it is theirs
    rm -f "$WORK/lock.$$"
  fi
  return 1
}
let_go() {
  remove "$WORK/new"
  rm -f "$WORK/lock"
  rmdir "$WORK" 2>/dev/null
  HELD=0
}
# Removes what an installer brought of an environment that was replaced; the rest is somebody's own, and is kept.
clear_replaced() {
  if [ -f "$WORK/replaced/$OWN/files" ]; then
    script=$PREFIX/uninstall.sh
    [ -f "$script" ] || script=$WORK/replaced/uninstall.sh
    sh "$script" -q -r "$WORK/replaced"
  fi
  rmdir "$WORK/replaced" 2>/dev/null
  if [ -d "$WORK/replaced" ]; then put_aside "$WORK/replaced"; fi
}
put_aside() {
  number=1
  while [ -e "$PREFIX.before-$number" ] || [ -h "$PREFIX.before-$number" ]; do number=$((number + 1)); done
  if mv "$1" "$PREFIX.before-$number"; then
    say "What this installer does not know of the old environment is kept in $PREFIX.before-$number"
  else
    complain "WARNING: what was added to the old environment lies in $1"
  fi
}
# Puts right what an installation left that was killed: between its two renames, or behind them.
recover() {
  remove "$WORK/new"
  if [ -d "$WORK/old" ] && [ -e "$PREFIX" ]; then
    mv "$WORK/old" "$WORK/replaced"
  elif [ -d "$WORK/old" ]; then
    mv "$WORK/old" "$PREFIX" && say "$PREFIX, which an update had lost, is back."
  fi
  if [ -d "$WORK/replaced" ]; then clear_replaced; fi
}

