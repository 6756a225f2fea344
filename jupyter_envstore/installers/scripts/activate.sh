# Activates the environment in the shell that reads this (sh, bash, zsh): . PREFIX/bin/activate
# It works under set -eu, too. Packages' scripts are not written for that: -e, -u and pipefail are off while they run, and
# are put back behind them. So one that fails stops nothing, as with conda.
@@LOCATE@@
case $(command -V deactivate 2>/dev/null || :) in
  *function*) envstore_known=${ENVSTORE_OLD_PATH:+yes} ;;
  *) envstore_known= ;;
esac
case "${CONDA_PREFIX:-} :${PATH-}:" in
  "$envstore_prefix "*":$envstore_prefix/bin:"*) envstore_active=yes ;;
  *) envstore_active= ;;
esac
if [ -n "$envstore_known" ] && [ -z "$envstore_active" ]; then deactivate; fi # another one
if [ -z "$envstore_active" ] || [ -z "$envstore_known" ]; then
  envstore_line='
'
  # Prints the scripts of a folder, one in a line, in the order of their names.
  envstore_scripts() {
    (
      [ -z "${ZSH_VERSION-}" ] || emulate sh
      set +f
      LC_ALL=C
      for envstore_script in "$1"/*.sh; do
        [ ! -f "$envstore_script" ] || printf '%s\n' "$envstore_script"
      done
    )
  }
  if [ -n "$envstore_active" ]; then # in the shell that this one was started from: its variables are here already
    ENVSTORE_OLD_PATH=:$PATH:
    ENVSTORE_OLD_PATH=${ENVSTORE_OLD_PATH%%":$envstore_prefix/bin:"*}:${ENVSTORE_OLD_PATH#*":$envstore_prefix/bin:"}
    ENVSTORE_OLD_PATH=${ENVSTORE_OLD_PATH#:}
    ENVSTORE_OLD_PATH=${ENVSTORE_OLD_PATH%:}
    ENVSTORE_OLD_CONDA_PREFIX=
    ENVSTORE_OLD_CONDA_DEFAULT_ENV=
  else
    ENVSTORE_OLD_PATH=${PATH-}
    ENVSTORE_OLD_CONDA_PREFIX=${CONDA_PREFIX:-}
    ENVSTORE_OLD_CONDA_DEFAULT_ENV=${CONDA_DEFAULT_ENV:-}
    export PATH="$envstore_prefix/bin${PATH:+:$PATH}"
  fi
  ENVSTORE_PREFIX=$envstore_prefix
  export CONDA_PREFIX="$envstore_prefix"
  export CONDA_DEFAULT_ENV="$envstore_prefix"
  ENVSTORE_OLD_PS1=${PS1+set$PS1}
  case ${PS1-} in
    "($envstore_name) "*) ENVSTORE_OLD_PS1=set${PS1#"($envstore_name) "} ;;
    *) if [ -n "${PS1+set}" ]; then PS1="($envstore_name) $PS1"; fi ;;
  esac
  deactivate() {
    envstore_left=$(envstore_scripts "$ENVSTORE_PREFIX/etc/conda/deactivate.d" | sed '1!G;h;$!d')
    envstore_options=$-
    envstore_pipefail=$(set -o | sed -n 's/^pipefail[[:space:]]*//p')
    while [ -n "$envstore_left" ]; do # the last one first, as conda does
      envstore_script=${envstore_left%%"$envstore_line"*}
      case $envstore_left in
        *"$envstore_line"*) envstore_left=${envstore_left#*"$envstore_line"} ;;
        *) envstore_left= ;;
      esac
      set +eu # for each: a script may set them
      if [ "$envstore_pipefail" = on ]; then set +o pipefail; fi
      . "$envstore_script"
    done
    case $envstore_options in *u*) set -u ;; *) set +u ;; esac
    case $envstore_pipefail in
      on) set -o pipefail ;;
      off) set +o pipefail ;;
    esac
    case $envstore_options in *e*) set -e ;; *) set +e ;; esac
    export PATH="$ENVSTORE_OLD_PATH"
    if [ -n "$ENVSTORE_OLD_PS1" ]; then PS1=${ENVSTORE_OLD_PS1#set}; else unset PS1; fi
    if [ -n "$ENVSTORE_OLD_CONDA_PREFIX" ]; then export CONDA_PREFIX="$ENVSTORE_OLD_CONDA_PREFIX"; else unset CONDA_PREFIX; fi
    if [ -n "$ENVSTORE_OLD_CONDA_DEFAULT_ENV" ]; then
      export CONDA_DEFAULT_ENV="$ENVSTORE_OLD_CONDA_DEFAULT_ENV"
    else
      unset CONDA_DEFAULT_ENV
    fi
    unset ENVSTORE_OLD_PATH ENVSTORE_OLD_PS1 ENVSTORE_OLD_CONDA_PREFIX ENVSTORE_OLD_CONDA_DEFAULT_ENV ENVSTORE_PREFIX
    unset envstore_script envstore_left envstore_line envstore_options envstore_pipefail
    unset -f deactivate envstore_scripts
    hash -r 2>/dev/null || :
  }
  if [ -z "$envstore_active" ]; then
    envstore_left=$(envstore_scripts "$envstore_prefix/etc/conda/activate.d")
    envstore_options=$-
    envstore_pipefail=$(set -o | sed -n 's/^pipefail[[:space:]]*//p')
    while [ -n "$envstore_left" ]; do
      envstore_script=${envstore_left%%"$envstore_line"*}
      case $envstore_left in
        *"$envstore_line"*) envstore_left=${envstore_left#*"$envstore_line"} ;;
        *) envstore_left= ;;
      esac
      set +eu # for each: a script may set them
      if [ "$envstore_pipefail" = on ]; then set +o pipefail; fi
      . "$envstore_script"
    done
    case $envstore_options in *u*) set -u ;; *) set +u ;; esac
    case $envstore_pipefail in
      on) set -o pipefail ;;
      off) set +o pipefail ;;
    esac
    case $envstore_options in *e*) set -e ;; *) set +e ;; esac
  fi
  hash -r 2>/dev/null || :
fi
unset envstore_script envstore_left envstore_known envstore_active envstore_prefix envstore_name
unset envstore_options envstore_pipefail
