# Activates the environment in the shell that reads this (sh, bash, zsh): . PREFIX/bin/activate
case $(command -V deactivate 2>/dev/null) in
  *function*) envstore_known=${ENVSTORE_OLD_PATH:+yes} ;;
  *) envstore_known= ;;
esac
case "${CONDA_PREFIX:-} :${PATH}:" in
  "@@PREFIX@@ "*":@@PREFIX@@/bin:"*) envstore_active=yes ;;
  *) envstore_active= ;;
esac
if [ -z "$envstore_active" ] || [ -z "$envstore_known" ]; then
  if [ -n "$envstore_active" ]; then # in the shell that this one was started from: its variables are here already
    ENVSTORE_OLD_PATH=$(printf '%s' ":$PATH:" | sed 's|:@@PREFIX@@/bin:|:|; s/^://; s/:$//')
    ENVSTORE_OLD_CONDA_PREFIX=
    ENVSTORE_OLD_CONDA_DEFAULT_ENV=
  else
    if [ -n "$envstore_known" ]; then deactivate; fi
    ENVSTORE_OLD_PATH=$PATH
    ENVSTORE_OLD_CONDA_PREFIX=${CONDA_PREFIX:-}
    ENVSTORE_OLD_CONDA_DEFAULT_ENV=${CONDA_DEFAULT_ENV:-}
    export PATH="@@PREFIX@@/bin:$PATH"
  fi
  export CONDA_PREFIX='@@PREFIX@@'
  export CONDA_DEFAULT_ENV='@@PREFIX@@'
  ENVSTORE_OLD_PS1=${PS1+set$PS1}
  case ${PS1-} in
    "(@@NAME@@) "*) ENVSTORE_OLD_PS1=set${PS1#"(@@NAME@@) "} ;;
    *) if [ -n "${PS1+set}" ]; then PS1="(@@NAME@@) $PS1"; fi ;;
  esac
  if [ -z "$envstore_active" ]; then
    for envstore_script in $(cd '@@PREFIX@@/etc/conda/activate.d' 2>/dev/null && command ls | sed -n '/\.sh$/p'); do
      . "@@PREFIX@@/etc/conda/activate.d/$envstore_script"
    done
  fi
  deactivate() {
    for envstore_script in $(cd '@@PREFIX@@/etc/conda/deactivate.d' 2>/dev/null && command ls | sed -n '/\.sh$/p'); do
      . "@@PREFIX@@/etc/conda/deactivate.d/$envstore_script"
    done
    export PATH="$ENVSTORE_OLD_PATH"
    if [ -n "$ENVSTORE_OLD_PS1" ]; then PS1=${ENVSTORE_OLD_PS1#set}; else unset PS1; fi
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
fi
unset envstore_script envstore_known envstore_active
