# Activates the environment in the shell that reads this (sh, bash, zsh): . PREFIX/bin/activate
case "${CONDA_PREFIX:-} :${PATH}:" in
  "@@PREFIX@@ "*":@@PREFIX@@/bin:"*) ;; # it is active
  *)
    if [ -n "${ENVSTORE_OLD_PATH:-}" ] && command -v deactivate >/dev/null 2>&1; then deactivate; fi
    ENVSTORE_OLD_PATH=$PATH
    ENVSTORE_OLD_PS1=${PS1:-}
    ENVSTORE_OLD_CONDA_PREFIX=${CONDA_PREFIX:-}
    ENVSTORE_OLD_CONDA_DEFAULT_ENV=${CONDA_DEFAULT_ENV:-}
    export CONDA_PREFIX='@@PREFIX@@'
    export CONDA_DEFAULT_ENV='@@PREFIX@@'
    export PATH="@@PREFIX@@/bin:$PATH"
    PS1="(@@NAME@@) ${PS1:-}"
    for envstore_script in $(cd '@@PREFIX@@/etc/conda/activate.d' 2>/dev/null && command ls | sed -n '/\.sh$/p'); do
      . "@@PREFIX@@/etc/conda/activate.d/$envstore_script"
    done
    unset envstore_script
    deactivate() {
      for envstore_script in $(cd '@@PREFIX@@/etc/conda/deactivate.d' 2>/dev/null && command ls | sed -n '/\.sh$/p'); do
        . "@@PREFIX@@/etc/conda/deactivate.d/$envstore_script"
      done
      export PATH="$ENVSTORE_OLD_PATH"
      PS1=$ENVSTORE_OLD_PS1
      if [ -n "$ENVSTORE_OLD_CONDA_PREFIX" ]; then export CONDA_PREFIX="$ENVSTORE_OLD_CONDA_PREFIX"; else unset CONDA_PREFIX; fi
      if [ -n "$ENVSTORE_OLD_CONDA_DEFAULT_ENV" ]; then
        export CONDA_DEFAULT_ENV="$ENVSTORE_OLD_CONDA_DEFAULT_ENV"
      else
        unset CONDA_DEFAULT_ENV
      fi
      unset ENVSTORE_OLD_PATH ENVSTORE_OLD_PS1 ENVSTORE_OLD_CONDA_PREFIX ENVSTORE_OLD_CONDA_DEFAULT_ENV envstore_script
      unset -f deactivate
      hash -r 2>/dev/null
    }
    hash -r 2>/dev/null
    ;;
esac
