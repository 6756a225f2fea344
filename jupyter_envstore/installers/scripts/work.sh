# -- what is not finished, and who works on it ------------------------------------------------------------------------

# All of it lies in one folder beside the environment: new.N, one that is made; old, the one that is replaced, until new
# is in its place; replaced, what is left of it then; uninstall.sh, which clears that away; lock.N, links whose targets
# say who is at work: the highest holds, as long as its process runs.

complain() { printf '%s\n' "$*" >&2; }
# Traps signals: at each, the commands of $1 run, the last of which exits. bash 5.2 may read them as the inside of a $(...)
# that it looked at when the signal came, and goes on without them where no ) follows. Others never come as far as the ).
on_signal() {
  at_signal=$1
  shift
  if [ -n "${BASH_VERSION:-}" ]; then
    trap "$at_signal
)" "$@"
  else
    trap "$at_signal" "$@"
  fi
}
fail() {
  complain "ERROR: $1"
  shift
  for line in "$@"; do complain "       $line"; done
  exit 1
}
remove() {
  if [ -n "$1" ] && [ -e "$1" ]; then
    chmod -R u+w "$1" 2>/dev/null
    rm -rf "$1" 2>/dev/null
  fi
}
target_of() { ls -ld "$1" 2>/dev/null | sed -n 's/.* -> //p'; }
# This machine, and the processes that can be seen here: those of a container are not those of another.
place_of_processes() {
  seen=$(target_of /proc/self/ns/pid)
  printf '%s %s' "$(uname -n)" "${seen:--}"
}
# When a process began, so that another one of its number is not taken for it; - where that cannot be told.
began() {
  found=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '{print $20}')
  printf '%s' "${found:--}"
}
# Whether a process runs that began then; one that ended and that nobody asked after does not.
runs() {
  case $1 in '' | *[!0-9]*) return 1 ;; esac
  if [ -r "/proc/$1/stat" ]; then
    case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in Z* | X*) return 1 ;; esac
    [ "$2" = - ] || [ "$(began "$1")" = "$2" ]
  else
    kill -0 "$1" 2>/dev/null || ps -p "$1" >/dev/null 2>&1
  fi
}
# Whether the holder of a lock may still be at work; who it is, is in $holder.
holds() {
  holder=$(target_of "$1")
  [ -n "$holder" ] || return 1
  host=${holder%% *}
  rest=${holder#* }
  space=${rest%% *}
  rest=${rest#* }
  process=${rest%% *}
  [ "$host $space" != "$HERE" ] || runs "$process" "${rest#* }"
}
refuse_held() {
  if [ "$host $space" = "$HERE" ]; then
    fail "another installation is at work on $PREFIX (process $process); wait until it is done." \
      "If that process is none: rm $WORK/lock.*, and run this again."
  fi
  fail "an installation on another machine or in another container, $host, is at work on $PREFIX." \
    "If it was killed: rm $WORK/lock.*, and run this again."
}
# Takes what is not finished at PREFIX for this process alone.
take() {
  HERE=$(place_of_processes)
  ME="$HERE $$ $(began $$)"
  trap '' INT TERM HUP QUIT PIPE
  tries=0
  until try_to_take; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || fail "$WORK/lock cannot be made; is the disk full?"
  done
  heed
}
try_to_take() {
  if ! mkdir -m 700 "$WORK" 2>/dev/null; then
    if [ -h "$WORK" ] || { [ -e "$WORK" ] && [ ! -d "$WORK" ]; }; then
      fail "$WORK is no folder of an installer, and in the way." "Remove it, or choose another folder."
    fi
    owner=$(ls -ldn "$WORK" 2>/dev/null | awk '{print $3}')
    if [ -z "$owner" ]; then # whoever had it is done; or it cannot be made
      [ -w "$PARENT" ] || fail "$PARENT cannot be written." "Choose another folder."
      return 1
    fi
    [ "$owner" = "$(id -u)" ] ||
      fail "somebody else works on $PREFIX, or did not finish: $WORK is theirs." "Choose another folder."
  fi
  last=0
  for lock in "$WORK/lock."*; do
    number=${lock##*.}
    case $number in *[!0-9]*) continue ;; esac
    if holds "$lock"; then refuse_held; fi
    [ "$number" -le "$last" ] || last=$number
  done
  number=$((last + 1))
  if ! ln -s "$ME" "$WORK/lock.$number" 2>/dev/null; then
    rmdir "$WORK" 2>/dev/null
    return 1
  fi
  for lock in "$WORK/lock."*; do # another one that looked at the same moment
    if [ "${lock##*.}" != "$number" ] && holds "$lock"; then
      rm -f "$WORK/lock.$number"
      return 1
    fi
  done
  LOCK=$WORK/lock.$number
}
let_go() {
  for left in "$WORK/new."*; do remove "$left"; done
  rm -f "$WORK/uninstall.sh"
  for left in "$WORK/lock."*; do # those of processes that ended
    [ "$left" = "$LOCK" ] || rm -f "$left"
  done
  rm -f "$LOCK"
  rmdir "$WORK" 2>/dev/null
  LOCK=
}
# Removes what an installer brought of an environment that was replaced; the rest is somebody's own, and is kept.
clear_replaced() {
  if [ -f "$WORK/replaced/$OWN/files" ] && [ -f "$WORK/uninstall.sh" ]; then
    find "$WORK/replaced" -type d ! -perm -200 -exec chmod u+w {} + 2>/dev/null
    sh "$WORK/uninstall.sh" -q -r "$WORK/replaced"
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
  begun=0 # whether one had not come as far as its second rename: then what is at PREFIX now is somebody else's
  for left in "$WORK/new."*; do
    if [ -d "$left" ]; then begun=1; fi
  done
  if [ -d "$WORK/old" ] && [ ! -e "$PREFIX" ]; then
    mv "$WORK/old" "$PREFIX" && say "$PREFIX, which an update had lost, is back."
  elif [ -d "$WORK/old" ] && [ "$begun" = 1 ]; then
    put_aside "$WORK/old"
  elif [ -d "$WORK/old" ]; then
    mv "$WORK/old" "$WORK/replaced"
  fi
  if [ -d "$WORK/replaced" ]; then clear_replaced; fi
  for left in "$WORK/new."*; do
    remove "$left"
    tries=0
    while [ -e "$left" ] && [ "$tries" -lt 60 ]; do # its tar may go on writing, though its shell was killed
      [ "$tries" -gt 0 ] || say "Waiting for what is left of an installation that was killed ..."
      tries=$((tries + 1))
      sleep 1
      remove "$left"
    done
  done
}

