# -- can it run here? ----------------------------------------------------------------------------------------------

for tool in tar gzip tail head awk sed df dirname basename mkdir rmdir mv rm ln ls cp id sleep chmod find uname cat; do
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

