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
  "~"*) fail "'$PREFIX' is no folder here; write its whole path." ;;
esac
[ -n "$PREFIX" ] || fail "HOME is not set, so there is no usual place; name one: sh $0 -b -p PREFIX"

case $PREFIX in
  /*) ;;
  *)
    here=$(pwd)
    [ -n "$here" ] && [ -d "$here" ] || fail "this folder is gone, so '$PREFIX' is nowhere; write its whole path."
    PREFIX=$here/${PREFIX#./}
    ;;
esac
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
WORK=$PARENT/.$BASE.envstore-installing

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

