#!/usr/bin/env bash
# FedLoom from one command. `./start.sh` shows a menu, `./start.sh help` says what there is.
#
# It makes a Python environment on first use, keeps it in step with the pinned requirements, and hands over to Python.
# Works with bash 3.2, as macOS has it. In the environment it leaves:
#   .fedloom-own     this script made the folder, and may empty it when an installation was cut short
#   .fedloom-stamp   checksums of the requirements that are completely installed
#   .fedloom-lock    exists while one start.sh installs; others wait
set -u

script=${BASH_SOURCE[0]} # perhaps a link somewhere in PATH; macOS has no readlink -f
while [ -L "$script" ]; do
    target=$(readlink "$script") || exit 1
    case $target in /*) script=$target ;; *) script=$(dirname -- "$script")/$target ;; esac
done
root=$(CDPATH='' cd -- "$(dirname -- "$script")" && pwd -P) || exit 1
venv=${FEDLOOM_VENV:-$root/.venv}
case $venv in /*) ;; *) venv=$PWD/$venv ;; esac
python=$venv/bin/python
home=${FEDLOOM_HOME:-$root/.fedloom}
export FLWR_TELEMETRY_ENABLED=0

say() { printf '%s\n' "$*"; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

usage() {
    cat <<'END'
usage: ./start.sh [COMMAND [ARGUMENTS]]

  demo     a server, three clients and a run on this machine   (run_demo.py)
  app      the same with any Flower app: ./start.sh app DIR    (run_demo.py --app DIR)
  server   the server with the page                            (run_server.py)
  client   one client: ./start.sh client --client-id client-1  (run_client.py)
  test     the whole test suite                                (pytest)
  check    lint, types and unit tests, for whoever changes a line
  doctor   check this machine and say what is missing; with ARGUMENTS of a client:
           whether that can join, and what is wrong            (client.doctor)
  confirm  confirm a run that a client here was asked to join   (client.confirm)
  ledger   what clients here have spent of their data's privacy (client.ledger)
  help     this text

ARGUMENTS are passed on: `./start.sh demo --help` shows those of the demo. Without COMMAND there is a menu.
FEDLOOM_VENV names the folder of the Python environment (default: .venv in this checkout).
END
}

# Python

old_python=   # a Python that is too old, with its version
bare_python=  # a Python that cannot make environments

find_python() { # prints the first Python >= 3.11 that can make environments; returns 1 if there is none
    local name version
    for name in python3.14 python3.13 python3.12 python3.11 python3 python; do
        version=$("$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        if ! "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            old_python="$name is version $version"
        elif ! "$name" -c 'import ensurepip, venv' 2>/dev/null; then
            bare_python=${bare_python:-$version}
        else
            found_python=$(command -v "$name")
            return 0
        fi
    done
    return 1
}

explain_python() { # in words, why find_python found none and what to do
    if [ -n "$bare_python" ]; then
        say "Python $bare_python is here, but its module for environments (venv, ensurepip) is missing."
        say "  Debian, Ubuntu: sudo apt install python3-venv   (or python$bare_python-venv)"
        return
    fi
    say "FedLoom needs Python 3.11 or newer${old_python:+; $old_python}."
    say "  Debian 12, Ubuntu 24.04 or newer: sudo apt install python3 python3-venv"
    say "  Fedora:                           sudo dnf install python3"
    say "  macOS with Homebrew:              brew install python"
    say "  others:                           https://www.python.org/downloads/"
}

# the environment

checksum() { cksum <"$root/$1" | tr ' ' '-'; }

python_works() { "$python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

ready() { # whether the requirements in file $1 are completely installed
    grep -qxF "$1 $(checksum "$1")" "$venv/.fedloom-stamp" 2>/dev/null && python_works
}

prepare() { # bring the environment to the requirements in file $1
    ready "$1" && return
    claim_folder
    lock
    ready "$1" || build "$1"
    unlock
}

claim_folder() { # make the folder, unless it is an environment already
    if [ -z "$(ls -A "$venv" 2>/dev/null)" ]; then
        if ! mkdir -p "$venv" || ! : >"$venv/.fedloom-own"; then
            die "The folder $venv cannot be made. Name another with FEDLOOM_VENV."
        fi
    elif [ ! -e "$venv/.fedloom-own" ] && [ ! -e "$venv/pyvenv.cfg" ]; then
        die "$venv exists and is not a Python environment. Name another folder with FEDLOOM_VENV."
    fi
}

lock() { # wait until no other start.sh works on this environment
    local holder said='' failures=0
    while ! mkdir "$venv/.fedloom-lock" 2>/dev/null; do
        if [ ! -d "$venv/.fedloom-lock" ]; then
            failures=$((failures + 1))
            [ "$failures" -lt 3 ] || die "Nothing can be written into $venv. Free some room there, or name another folder with FEDLOOM_VENV."
            continue
        fi
        holder=$(cat "$venv/.fedloom-lock/pid" 2>/dev/null)
        if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then
            # Left by a process that is gone. Of several that see this, only one can move it away.
            mv "$venv/.fedloom-lock" "$venv/.fedloom-lock.$$" 2>/dev/null && rm -rf "$venv/.fedloom-lock.$$"
            continue
        fi
        [ -n "$said" ] || say "Another start.sh (process ${holder:-unknown}) is installing into $venv; waiting for it."
        said=yes
        sleep 1
    done
    echo $$ >"$venv/.fedloom-lock/pid"
    trap unlock EXIT
}

unlock() {
    rm -rf "$venv/.fedloom-lock"
    trap - EXIT
}

build() { # with the lock held
    local stamp=$venv/.fedloom-stamp
    if [ -e "$venv/.fedloom-own" ]; then
        if [ ! -e "$stamp" ] || ! python_works; then
            rm -f "$stamp" "$stamp.before"
            empty_folder
            make_venv
        fi
    elif ! python_works; then
        die "The Python of $venv does not work, has no pip or is older than 3.11. Remove the folder and start again."
    fi
    if [ -e "$stamp" ]; then
        say "The requirements have changed or grown."
    fi
    # Without the stamp the environment counts as cut short. A failed update that changed nothing gets it back.
    [ ! -e "$stamp" ] || mv "$stamp" "$stamp.before"
    install "$1"
    rm -f "$stamp.before"
    # requirements-dev.txt holds everything in requirements.txt, at the same versions
    { say "requirements.txt $(checksum requirements.txt)" && say "$1 $(checksum "$1")"; } >"$stamp.new"
    mv "$stamp.new" "$stamp"
}

empty_folder() { # throw away what an installation left that was cut short
    [ -n "$(find "$venv" -mindepth 1 -maxdepth 1 ! -name '.fedloom-*')" ] || return 0
    say "The environment in $venv is not complete (an installation ended early, or its Python is gone): it is made anew."
    find "$venv" -mindepth 1 -maxdepth 1 ! -name '.fedloom-*' -exec rm -rf {} +
}

make_venv() {
    find_python || die "$(explain_python)"
    say "Step 1 of 2: making a Python environment in $venv with $found_python."
    "$found_python" -m venv "$venv" || die "The environment could not be made; the message is above."
}

install() { # with progress: what pip does now, and for how long
    local log=$venv/.fedloom-pip.log start=$SECONDS pip status now shown=0
    say "Step 2 of 2: installing the packages in $1. PyTorch alone is several GB on Linux; this takes minutes."
    "$python" -m pip install --disable-pip-version-check --no-input --progress-bar off --root-user-action ignore \
        --requirement "$root/$1" >"$log" 2>&1 </dev/null &
    pip=$!
    trap 'interrupted "$pip"' INT TERM HUP
    while kill -0 "$pip" 2>/dev/null; do
        now=$((SECONDS - start))
        if [ -t 1 ]; then
            printf '\r\033[K  %d:%02d  %.70s' $((now / 60)) $((now % 60)) "$(last_step "$log")"
        elif [ $((now - shown)) -ge 30 ]; then
            shown=$now
            printf '  %d:%02d  %s\n' $((now / 60)) $((now % 60)) "$(last_step "$log")"
        fi
        sleep 1
    done
    wait "$pip"
    status=$?
    trap - INT TERM HUP
    [ ! -t 1 ] || printf '\r\033[K'
    if [ "$status" -ne 0 ]; then
        tail -n 30 "$log" >&2
        # pip fetches everything before it says this, and changes nothing before
        if [ -e "$venv/.fedloom-stamp.before" ] && ! grep -q '^Installing collected packages' "$log"; then
            mv "$venv/.fedloom-stamp.before" "$venv/.fedloom-stamp"
        fi
        die "The packages could not be installed; pip's message is above, all of it in $log. Start again when the cause is mended."
    fi
    now=$((SECONDS - start))
    printf 'Installed after %d:%02d.\n' $((now / 60)) $((now % 60))
}

last_step() { # the newest line of pip's log, without paths
    grep -E '^ *(Collecting|Downloading|Using cached|Processing|Building|Installing)' "$1" | tail -n 1 |
        sed -e 's/^ *//' -e 's/^\(Installing collected packages\):.*/\1/' -e 's|[^ ]*/||g'
}

interrupted() { # $1: the process of pip
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null
    printf '\nInterrupted. The next start makes the environment anew.\n' >&2
    exit 130
}

# doctor

problems=0
line() { printf '  %-9s%-14s%s\n' "$1" "$2" "$3"; } # as client/doctor/finding.py has it
ok() { line ok "$1" "$2"; }
note() { line warning "$1" "$2"; }
missing() {
    problems=$((problems + 1))
    line problem "$1" "$2"
}

doctor() {
    say "FedLoom in $root"
    if find_python; then
        ok Python "$("$found_python" --version) ($found_python)"
        doctor_port 5000 --port
        doctor_port 5050 --link-port
    else
        missing Python "$(explain_python)"
    fi
    doctor_environment
    doctor_disk
    doctor_data
    doctor_tools
    if [ "$problems" -gt 0 ]; then
        say "Something that FedLoom needs is missing: see the problems above."
        return 1
    fi
    say "Nothing that FedLoom needs is missing."
    say "Whether a client here can join a server: $(printf %q "$0") doctor --client-id client-1"
}

doctor_environment() {
    if [ ! -e "$python" ]; then
        note environment "not in $venv yet: the first start makes it"
    elif ! python_works; then
        missing environment "the Python of $venv does not work: the next start says more"
    elif ! ready requirements.txt; then
        note environment "$venv does not have all of requirements.txt: the next start installs it"
    else
        ok environment "$venv"
        doctor_packages || problems=$((problems + 1))
    fi
}

doctor_packages() {
    "$python" -P -W ignore "$root/shared/packages.py" # -P: what lies beside it is no package
}

doctor_port() { # $1: port; $2: the flag that chooses another
    local hint=
    if "$found_python" -c 'import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))' "$1" 2>/dev/null; then
        ok "port $1" free
        return
    fi
    [ "$1-$(uname -s)" != 5000-Darwin ] || hint=" (on macOS often by AirPlay Receiver)"
    note "port $1" "in use$hint: end that program, or choose another port with $2"
}

doctor_disk() { # for what is still to be installed
    local folder=$venv free needed=2
    [ "$(uname -s)" != Linux ] || needed=8
    [ ! -e "$venv/.fedloom-stamp" ] || needed=1
    while [ ! -d "$folder" ]; do folder=$(dirname -- "$folder"); done
    free=$(df -Pk "$folder" | awk 'NR == 2 { print int($4 / 1048576) }')
    if [ "$free" -ge "$needed" ]; then
        ok disk "$free GB free"
    else
        missing disk "$free GB free at $folder, about $needed GB are needed: make room, or name another disk with FEDLOOM_VENV"
    fi
}

doctor_data() {
    local data=${FEDLOOM_DATA_DIR:-$home/data}
    ok digits "comes with scikit-learn"
    data_set mnist "$data/MNIST/raw/train-images-idx3-ubyte"
    data_set fashion-mnist "$data/FashionMNIST/raw/train-images-idx3-ubyte" "$data/datasets/fashion-mnist/train-images-idx3-ubyte"
    data_set cifar10 "$data/cifar-10-batches-py/data_batch_1"
}

data_set() { # $1: name; then the files of which one shows that it is there
    local name=$1 file
    shift
    for file; do
        if [ -e "$file" ] || [ -e "$file.gz" ]; then
            ok "$name" "in $(dirname -- "$file")"
            return
        fi
    done
    note "$name" "not in ${FEDLOOM_DATA_DIR:-$home/data}: downloaded at first use, or name its folder with FEDLOOM_DATA_DIR"
}

doctor_tools() {
    local browser
    if browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome); then
        ok browser "$browser"
    else
        note browser "no Chromium: only the browser test needs it (Debian: sudo apt install chromium)"
    fi
    if command -v node >/dev/null; then
        ok node "$(node --version)"
    else
        note node "not here: only needed to change the page's source in app/frontend"
    fi
}

# check

failed=   # the steps that failed, one a line
left_out= # what this machine lacks, one a line

check() { # in the checkout, with the development requirements
    trap 'exit 130' INT # also where the tool itself ends in order
    step "ruff: lint" "$venv/bin/ruff" check .
    step "ruff: format" "$venv/bin/ruff" format --check .
    step "import-linter: which package may import which" "$venv/bin/lint-imports"
    if command -v shellcheck >/dev/null; then
        step "shellcheck: shell scripts" shellcheck start.sh .ci/run
    else
        leave_out shellcheck "the shell scripts (Debian: sudo apt install shellcheck)"
    fi
    step "mypy: types" "$venv/bin/mypy"
    step "pytest: unit tests" one_thread "$python" -m pytest -q -n "$(cores)" tests/unit
    if command -v npm >/dev/null; then
        check_page
    else
        leave_out Node.js "the page's source in app/frontend (version 20.19 or newer)"
    fi
    conclude
}

check_page() {
    cd app/frontend || exit 1
    if [ package-lock.json -nt node_modules/.package-lock.json ]; then
        step "npm ci: the page's packages" npm ci --no-audit --no-fund
    fi
    step "tsc: types of the page" npm run --silent typecheck
    step "npm run lint: the page's source" npm run --silent lint
    step "npm run format:check: the page's source" npm run --silent format:check
    step "npm test: unit tests of the page" npm test --silent
    cd -- "$root" || exit 1
}

step() { # $1: what it checks; the rest: the command
    local name=$1 start=$SECONDS result=ok
    shift
    printf '\n== %s\n' "$name"
    if ! "$@"; then
        result=FAILED
        failed="$failed  $name
"
    fi
    printf -- '-- %s: %s, %d s\n' "$name" "$result" $((SECONDS - start))
}

leave_out() { # $1: what is not here; $2: what it would check
    printf '\n== %s is not here: left out is %s\n' "$1" "$2"
    left_out="$left_out  $1, for $2
"
}

one_thread() { OMP_NUM_THREADS=1 "$@"; } # as many processes as cores train in the tests

cores() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }

conclude() { # say what failed and what was left out; the exit code
    printf '\nChecked in %d:%02d.\n' $((SECONDS / 60)) $((SECONDS % 60))
    [ -z "$left_out" ] || printf 'Left out, because something is not here:\n%s' "$left_out"
    [ -z "$failed" ] || printf 'FAILED:\n%s' "$failed"
    [ -z "$failed" ] || return 1
    if [ -n "$left_out" ] && [ "${FEDLOOM_REQUIRE_ALL:-}" = 1 ]; then
        say "With FEDLOOM_REQUIRE_ALL=1 nothing may be left out."
        return 1
    fi
}

# commands

menu() {
    local choice name
    cat <<'END'
FedLoom: federated learning, live in the browser

  1  demo     a server, three clients and a run on this machine
  2  app      the same with any Flower app
  3  server   the server with the page
  4  client   one client
  5  test     the test suite
  6  doctor   check this machine
  7  check    lint, types and unit tests, for whoever changes a line
  q  quit

END
    printf 'Choice [1]: '
    if ! read -r choice; then
        say
        usage
        exit 2
    fi
    case ${choice:-1} in
        1 | demo) run demo ;;
        2 | app)
            printf 'Folder of the Flower app: '
            read -r name
            case $name in \~/*) name=$HOME${name#?} ;; esac # as a shell has it
            run app "$name"
            ;;
        3 | server) run server ;;
        4 | client)
            printf 'Name of this client [client-1]: '
            read -r name
            run client --client-id "${name:-client-1}"
            ;;
        5 | test) run test ;;
        6 | doctor) run doctor ;;
        7 | check) run check ;;
        q | quit) exit 0 ;;
        *) die "There is no choice '$choice'." ;;
    esac
}

of_client() { # $1: a module of client that is a command; the rest is passed on
    local module=$1
    shift
    prepare requirements.txt
    export FEDLOOM_HOME=$home PYTHONPATH=$root
    exec "$python" -m "client.$module" "$@"
}

run() { # $1: command; the rest is passed on
    local command=$1
    shift
    case $command in
        demo | server | client)
            prepare requirements.txt
            export FEDLOOM_HOME=$home # the same data sets from whatever folder this was called
            if [ "$command" = demo ] && [ $# -eq 0 ]; then
                say "A quick look: each client trains on at most 4,000 samples. For all of them: $(printf %q "$0") demo --max-samples 0"
                set -- --max-samples 4000
            fi
            exec "$python" "$root/run_$command.py" "$@"
            ;;
        app)
            case ${1:-} in
                '') die "Which app? Give its folder, with the pyproject.toml: $(printf %q "$0") app DIR" ;;
                -h | --help) ;;
                -*) die "The folder of the app comes first: $(printf %q "$0") app DIR $1 ..." ;;
                *) set -- --app "$@" ;;
            esac
            run demo "$@"
            ;;
        test)
            prepare requirements-dev.txt
            cd -- "$root" || exit 1
            exec "$python" -m pytest "$@"
            ;;
        check)
            prepare requirements-dev.txt
            cd -- "$root" || exit 1
            check
            ;;
        doctor)
            [ $# -gt 0 ] || { doctor; return; }
            of_client doctor "$@"
            ;;
        confirm) of_client confirm "$@" ;;
        ledger) of_client ledger "$@" ;;
        help | -h | --help) usage ;;
        *)
            printf "error: there is no command '%s'\n\n" "$command" >&2
            usage >&2
            exit 2
            ;;
    esac
}

if [ $# -eq 0 ]; then menu; else run "$@"; fi
