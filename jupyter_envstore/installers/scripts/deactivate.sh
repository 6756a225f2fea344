# Deactivates the environment that its bin/activate activated, in the shell that reads this: . deactivate
case $(command -V deactivate 2>/dev/null || :) in
  *function*) ;;
  *) # in a shell that was started from the activated one
    if [ -n "${CONDA_PREFIX-}" ] && grep -q envstore_prefix "$CONDA_PREFIX/bin/activate" 2>/dev/null; then
      . "$CONDA_PREFIX/bin/activate"
    fi
    ;;
esac
case $(command -V deactivate 2>/dev/null || :) in
  *function*) deactivate ;;
esac
