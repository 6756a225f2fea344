# Activates the environment in the shell that reads this: . PREFIX/bin/activate
if [ "${CONDA_PREFIX:-}" != "@@PREFIX@@" ]; then
  if [ -n "${ENVSTORE_OLD_PATH:-}" ] && command -v deactivate >/dev/null 2>&1; then deactivate; fi
  ENVSTORE_OLD_PATH=$PATH
  ENVSTORE_OLD_PS1=${PS1:-}
  ENVSTORE_OLD_CONDA_PREFIX=${CONDA_PREFIX:-}
  export CONDA_PREFIX='@@PREFIX@@'
  export CONDA_DEFAULT_ENV='@@PREFIX@@'
  export PATH="@@PREFIX@@/bin:$PATH"
  PS1="(@@NAME@@) ${PS1:-}"
  for envstore_script in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do
    if [ -r "$envstore_script" ]; then . "$envstore_script"; fi
  done
  unset envstore_script
  deactivate() {
    for envstore_script in "$CONDA_PREFIX"/etc/conda/deactivate.d/*.sh; do
      if [ -r "$envstore_script" ]; then . "$envstore_script"; fi
    done
    export PATH="$ENVSTORE_OLD_PATH"
    PS1=$ENVSTORE_OLD_PS1
    if [ -n "$ENVSTORE_OLD_CONDA_PREFIX" ]; then
      export CONDA_PREFIX="$ENVSTORE_OLD_CONDA_PREFIX"
    else
      unset CONDA_PREFIX
    fi
    unset CONDA_DEFAULT_ENV ENVSTORE_OLD_PATH ENVSTORE_OLD_PS1 ENVSTORE_OLD_CONDA_PREFIX envstore_script
    unset -f deactivate
    hash -r 2>/dev/null
  }
  hash -r 2>/dev/null
fi
