# -- is the file whole? --------------------------------------------------------------------------------------------

if [ ! -e "$WORK" ]; then check_target; fi # else behind what puts right what is left there
say "Checking the installer ..."
found=$(head -n "$SCRIPT_LINES" <"$0" | sed '/^HEADER=/d' | digest)
[ "$found" = "$HEADER" ] ||
  fail "this file is damaged or was changed, in its first $SCRIPT_LINES lines. Nothing was installed; get it again."
found=$(tail -c "+$OFFSET" <"$0" | digest)
[ "$found" = "$DIGEST" ] ||
  fail "this file is damaged or was changed: its SHA-256 is $found," "not $DIGEST. Nothing was installed; get it again."

# -- install -------------------------------------------------------------------------------------------------------

TOP=$PARENT
while [ ! -e "$TOP" ]; do # the uppermost folder that is not there yet
  above=$(dirname "$TOP")
  [ ! -e "$above" ] || break
  TOP=$above
done
if [ ! -d "$PARENT" ]; then
  MADE=$PARENT
  made=$(mkdir -p "$PARENT" 2>&1) || fail "$PARENT cannot be made: ${made##*: }"
fi
[ -w "$PARENT" ] || fail "$PARENT cannot be written." "Choose another folder: -p PREFIX"
take
recover
check_target
free=$(df -Pk "$PARENT" 2>/dev/null | awk 'NR == 2 {print $4}')
case $free in
  '' | *[!0-9]*) ;;
  *) [ "$free" -gt "$SIZE_KB" ] ||
    fail "$((SIZE_KB / 1024)) MB are needed, $PARENT has $((free / 1024)) MB free." ;;
esac
PARTIAL=$WORK/new.${LOCK##*.}
mkdir -m 700 "$PARTIAL" || fail "$PARTIAL cannot be made; is the disk full?"
say "Unpacking $ENTRIES files ..."
# Unpacks the parts of what follows this script, all at once: each is packed for itself, and $! is the tar of a pipeline.
shared_folders() {
  cat <<'ENVSTORE_FOLDERS'
@@FOLDERS@@
ENVSTORE_FOLDERS
}
unpack() {
  # Folders with files of several parts: a tar that finds one missing and then there, made by another, gives up.
  shared_folders | while IFS= read -r folder; do mkdir -p "$PARTIAL/$folder" || exit 1; done || return 1
  from=$OFFSET
  for size in $PARTS; do
    STARTING=1
    tail -c "+$from" <"$0" | head -c "$size" | gzip -dc | tar "$1" - -C "$PARTIAL" &
    UNPACKING="$UNPACKING $!"
    STARTING=0
    from=$((from + size))
  done
  unpacked=0
  for pid in $UNPACKING; do
    if ! wait "$pid"; then
      [ "$unpacked" = 1 ] || stop_unpacking # the others need not go on
      unpacked=1
    fi
  done
  UNPACKING=
  return "$unpacked"
}
if [ -t 1 ]; then
  {
    on_signal 'stop_unpacking; exit 130' INT TERM HUP QUIT # a shell's jobs in the background hear of no interrupt
    unpack -xvof 2>&1
    printf 'envstore-status %s\n' $?
  } | awk -v all="$ENTRIES" '
      /^envstore-status / { status = $2; next }
      /^(tar|bsdtar): / { print > "/dev/stderr"; next }
      ++seen % 200 == 0 { printf "\r  %d %%", (seen < all ? seen : all) * 100 / all; fflush() }
      END { printf "\r        \r"; exit status }'
else
  unpack -xof
fi
unpacked=$?
[ "$unpacked" = 0 ] && [ -f "$PARTIAL/$OWN/files" ] && [ -f "$PARTIAL/$OWN/relocations" ] || fail "the files could not be unpacked (see above; is the disk full?); nothing was installed."
chmod "$(umask -S)" "$PARTIAL"

say "Setting paths ..."
if [ -n "$PYTHON" ]; then
  "$PARTIAL/$PYTHON" -E -s -S -B "$PARTIAL/$OWN/relocate.py" relocate "$PARTIAL" "$PLACEHOLDER" "$PREFIX"
else
  relocate_text() {
    new=$(printf '%s' "$PREFIX" | sed 's/[\\&|]/\\&/g')
    while read -r _ _ old name; do
      file=$PARTIAL/$name
      sed "s|$PLACEHOLDER|$new|g" "$file" >"$file.envstore-new" || return 1
      cat "$file.envstore-new" >"$file" || return 1 # the mode stays
      rm -f "$file.envstore-new"
      [ "$old" = - ] || printf 's/%s/%s/\n' "$old" "$(digest <"$file")" >>"$PARTIAL/$OWN/hashes.sed"
    done <"$PARTIAL/$OWN/relocations" || return 1
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
  "$PARTIAL/$PYTHON" -E -s -B "$PARTIAL/$OWN/relocate.py" compile "$PARTIAL" "$PREFIX" ||
    fail "its byte code could not be compiled (see above; is the disk full?); nothing was installed."
fi

check_target # it may have appeared meanwhile
# Renames a folder, or does nothing: where mv would copy (to another disk, out of a layer of a container) it must not.
rename() {
  if [ -n "$PYTHON" ]; then
    "$PARTIAL/$PYTHON" -E -s -S -B -c 'import os, sys
try:
    os.rename(sys.argv[1], sys.argv[2])
except OSError as error:
    sys.exit("%s: %s" % (sys.argv[1], error.strerror))' "$1" "$2"
  else
    mv "$1" "$2"
  fi
}
trap '' INT TERM HUP QUIT PIPE # from old to new in two renames, which nobody shall part; and what was old is put in order
cp "$PARTIAL/uninstall.sh" "$WORK/uninstall.sh" || fail "$WORK cannot be written; is the disk full?"
if [ -d "$PREFIX" ]; then
  say "Replacing what is at $PREFIX ..."
  rename "$PREFIX" "$WORK/old" || fail "$PREFIX cannot be moved as a whole; it is as it was." \
    "It is a mount point, or lies in a layer of a container's image. Choose another folder: -p PREFIX/env"
fi
if [ -e "$PREFIX" ]; then
  fail "$PREFIX appeared while this ran. Nothing there was touched."
fi
rename "$PARTIAL" "$PREFIX" || fail "the environment cannot be moved to $PREFIX; what was there is as it was."
if [ -e "$PREFIX/${PARTIAL##*/}/$OWN/files" ]; then # somebody was quicker by a hair, and it went into their folder
  mv "$PREFIX/${PARTIAL##*/}" "$PARTIAL"
  fail "$PREFIX appeared while this ran. Nothing there was touched."
fi
SWAPPED=1
if [ -d "$WORK/old" ]; then mv "$WORK/old" "$WORK/replaced" && clear_replaced; fi
let_go
on_signal 'exit 130' INT
on_signal 'exit 143' TERM HUP QUIT PIPE

if [ "$TEST" = 1 ]; then
  say "Testing ..."
  if [ -n "$PYTHON" ]; then
    "$PREFIX/$PYTHON" -E -s -B "$PREFIX/$OWN/relocate.py" test "$PREFIX"
  else
    (cd "$PREFIX" && while IFS= read -r name; do
      [ -e "$name" ] || [ -h "$name" ] || { complain "$name is missing"; exit 1; }
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
