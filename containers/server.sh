#!/bin/sh
# Starts a server in a container. Arguments go to run_server.py, and so do the words of FEDLOOM_FLAGS.
set -eu
# shellcheck disable=SC2086 # it is words
exec python /opt/fedloom/run_server.py "$@" ${FEDLOOM_FLAGS:-}
