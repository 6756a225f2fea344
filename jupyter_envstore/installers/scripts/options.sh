say() { printf '%s\n' "$*"; }
stop_unpacking() {
  set +u
  if [ "$STARTING" = 1 ]; then UNPACKING="$UNPACKING $!"; fi # stopped before it was noted
  STARTING=0
  set -u
  for pid in $UNPACKING; do kill "$pid" 2>/dev/null; done
  for pid in $UNPACKING; do wait "$pid" 2>/dev/null; done
  UNPACKING=
}
# Whatever happens, the target is as it was, or is the whole new environment.
clean() {
  code=$?
  trap '' INT TERM HUP QUIT PIPE
  stop_unpacking
  if [ -n "$LOCK" ]; then
    if [ "$SWAPPED" = 0 ] && [ -e "$WORK/old" ]; then
      if [ -e "$PREFIX" ]; then put_aside "$WORK/old"; else mv "$WORK/old" "$PREFIX"; fi
    fi
    let_go
  fi
  while [ "$SWAPPED" = 0 ] && [ -n "$MADE" ]; do # folders that were made for the target, as long as they are empty
    if [ -e "$MADE" ]; then rmdir "$MADE" 2>/dev/null || break; fi
    case $MADE in "$TOP") break ;; esac
    MADE=$(dirname "$MADE")
  done
  trap - EXIT
  exit "$code"
}
heed() {
  on_signal 'complain; complain "Interrupted; nothing was installed."; exit 130' INT
  on_signal 'exit 129' HUP
  on_signal 'exit 131' QUIT
  on_signal 'exit 141' PIPE
  on_signal 'exit 143' TERM
}
trap clean EXIT
heed

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

