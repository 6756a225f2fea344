# Finds the environment by this file, as each shell tells; what is written here is right behind conda-unpack.
IFS= read -r envstore_prefix <<'ENVSTORE_PREFIX'
@@PREFIX@@
ENVSTORE_PREFIX
if [ -n "${BASH_VERSION-}" ]; then
  eval 'envstore_found=${BASH_SOURCE[0]-}'
elif [ -n "${ZSH_VERSION-}" ]; then
  eval 'envstore_found=${(%):-%x}'
elif [ -n "${KSH_VERSION-}" ]; then
  eval 'envstore_found=${.sh.file-}' 2>/dev/null || envstore_found=
else # dash, busybox: the file that the shell reads is open
  envstore_found=
  envstore_process=$$
  if [ -r /proc/self/stat ]; then read -r envstore_process envstore_rest </proc/self/stat; fi
  if [ -d "/proc/$envstore_process/fd" ]; then
    for envstore_open in "/proc/$envstore_process/fd"/*; do
      envstore_open=$(readlink "$envstore_open" 2>/dev/null || :)
      case $envstore_open in */bin/activate) envstore_found=$envstore_open ;; esac
    done
  elif command -v lsof >/dev/null 2>&1; then
    envstore_found=$(lsof -p $$ -Fn 2>/dev/null | sed -n 's|^n\(.*/bin/activate\)$|\1|p' | tail -n 1)
  fi
  unset envstore_process envstore_rest envstore_open
fi
case $envstore_found in
  */*) envstore_found=$(CDPATH= cd "${envstore_found%/*}/.." 2>/dev/null && pwd || :) ;;
  ?*) envstore_found=$(CDPATH= cd .. 2>/dev/null && pwd || :) ;;
esac
if [ -n "$envstore_found" ] && [ -d "$envstore_found/conda-meta" ]; then envstore_prefix=$envstore_found; fi
unset envstore_found
if [ ! -d "$envstore_prefix/conda-meta" ]; then
  echo "ERROR: this shell does not tell where the environment lies; run its conda-unpack first: PREFIX/bin/python PREFIX/bin/conda-unpack" >&2
  unset envstore_prefix
  return 1
fi
envstore_name=${envstore_prefix##*/}
