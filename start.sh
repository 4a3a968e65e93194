#!/usr/bin/env bash
# FedLoom from one command. `./start.sh` shows a menu, `./start.sh help` says what there is.
#
# It makes a Python environment on first use, keeps it in step with the pinned requirements, and hands over to Python.
# Works with bash 3.2, as macOS has it. In the environment it leaves:
#   .fedloom-own     this script made the folder, and may empty it when an installation was cut short
#   .fedloom-stamp   checksums of the requirements that are completely installed
#   .fedloom-lock    exists while one start.sh installs; others wait
set -u

WAIT_S=600 # for a server in a container, whose database may have to be made first

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
wheels=${FEDLOOM_WHEELS:-}
export FLWR_TELEMETRY_ENABLED=0

say() { printf '%s\n' "$*"; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

usage() {
    cat <<'END'
usage: ./start.sh [--offline DIR] [COMMAND [ARGUMENTS]]

  demo     a server, three clients and a run on this machine   (run_demo.py)
  app      the same with any Flower app: ./start.sh app DIR    (run_demo.py --app DIR)
  server   the server with the page                            (run_server.py)
  client   one client: ./start.sh client --client-id client-1  (run_client.py)
  mesh     a node of the mesh: ./start.sh mesh node --name NAME; its other commands pair it
           with others, and ask it: ./start.sh mesh --help     (mesh)
  test     the whole test suite                                (pytest)
  check    lint, types and unit tests, for whoever changes a line; with 'python' or
           'page' of that alone
  doctor   check this machine and say what is missing; with 'server' and a server's
           ARGUMENTS: whether that can run here                (app.doctor); with ARGUMENTS of a
           client: whether that can join, and what is wrong    (client.doctor)
  confirm  confirm a run that a client here was asked to join   (client.confirm)
  ledger   what clients here have spent of their data's privacy (client.ledger)
  members  whose keys clients here remember, and forgetting one (client.members)
  bench    a benchmark beside its peer: ./start.sh bench round   (bench)
  backup   all of a server in one encrypted file: ./start.sh backup FILE    (app.backup)
  restore  a server's folder of it: ./start.sh restore FILE FOLDER          (app.restore)
  bundle   ./start.sh bundle DIR: a folder with all packages, for machines without a network
  install  the Python environment alone
  containers
           server, dashboards, clients, nginx, Redis and PostgreSQL in containers, with Docker or Podman, whichever
           is here; 'containers small': one server, clients and nginx; other ARGUMENTS are for Compose,
           as in ./start.sh containers logs server            (docs/containers.md)
  help     this text

ARGUMENTS are passed on: `./start.sh demo --help` shows those of the demo. Without COMMAND there is a menu.
FEDLOOM_VENV names the folder of the Python environment (default: .venv in this checkout).
FEDLOOM_TORCH_BACKEND=cpu takes a small PyTorch, for machines without a GPU; it may be whatever uv takes for
--torch-backend: auto (what suits this machine), cu130, rocm7.1 ...
FEDLOOM_TORCH_INDEX is in its place the address of an index with the build of PyTorch that is to be taken.
--offline DIR, or FEDLOOM_WHEELS, installs the packages from a bundle, without a network.
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
    check_torch
    [ -z "$wheels" ] || check_bundle "$1" # before anything is changed
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

install() { # the requirements in file $1
    local log=$venv/.fedloom-install.log start=$SECONDS list=$root/$1 took
    : >"$log"
    if [ -n "$wheels" ]; then
        say "Step 2 of 2: installing from $wheels, without a network."
        installing "$log" --no-index --find-links "$wheels" --requirement "$wheels/requirements.txt"
    elif [ -n "${FEDLOOM_TORCH_BACKEND:-}" ]; then
        say "Step 2 of 2: installing the packages in $1, with PyTorch for '$FEDLOOM_TORCH_BACKEND'."
        list=$venv/.fedloom-requirements.txt
        torch_of "$root/$1" >"$list"
        torch_by_uv "$log" "$list"
        without_cuda "$root/$1" >"$list"
        installing "$log" --requirement "$list"
    elif [ -n "${FEDLOOM_TORCH_INDEX:-}" ]; then
        say "Step 2 of 2: installing the packages in $1, with PyTorch from $FEDLOOM_TORCH_INDEX."
        list=$venv/.fedloom-requirements.txt
        torch_of "$root/$1" >"$list"
        installing "$log" --no-deps --index-url "$FEDLOOM_TORCH_INDEX" --requirement "$list"
        without_cuda "$root/$1" >"$list"
        installing "$log" --requirement "$list"
    else
        say "Step 2 of 2: installing the packages in $1. PyTorch alone is several GB on Linux; this takes minutes."
        [ "$(uname -s)" != Linux ] || say "  (a small PyTorch, for machines without a GPU: FEDLOOM_TORCH_BACKEND=cpu, before the first start)"
        installing "$log" --requirement "$list"
    fi
    took=$((SECONDS - start))
    printf 'Installed after %d:%02d.\n' $((took / 60)) $((took % 60))
    sizes
}

TORCH_TWICE="FEDLOOM_TORCH_BACKEND and FEDLOOM_TORCH_INDEX both say which PyTorch to take. Unset one of them."

check_torch() { # whether it is clear which PyTorch is meant
    local backend=${FEDLOOM_TORCH_BACKEND:-} index=${FEDLOOM_TORCH_INDEX:-}
    [ -z "$backend" ] || [ -z "$index" ] || die "$TORCH_TWICE"
    [ -z "$wheels" ] || [ -z "$backend$index" ] || die "A bundle holds one PyTorch, which was chosen when it was made: unset FEDLOOM_TORCH_BACKEND and FEDLOOM_TORCH_INDEX here."
}

torch_by_uv() { # $1: the log; $2: a list of PyTorch's packages
    find_uv "$1" "$python" || not_installed "$1"
    watched "$1" "$uv" pip install --python "$python" --no-progress --no-deps \
        --torch-backend "$FEDLOOM_TORCH_BACKEND" --requirement "$2" && return
    not_installed "$1" "$(explain_backend)"
}

uv= # one that knows where each build of PyTorch is

find_uv() { # $1: the log; $2: the Python of an environment, which gets the pinned uv where none here will do
    local name own pin
    own=$(dirname -- "$2")/uv
    for name in uv "$own"; do
        if "$name" pip install --help 2>/dev/null | grep -e --torch-backend >/dev/null; then
            uv=$name
            return
        fi
    done
    pin=$(grep -E '^uv==' "$root/requirements.txt") || die "requirements.txt names no version of uv, which FEDLOOM_TORCH_BACKEND needs. Install uv, or unset it."
    uv=$own
    watched "$1" "$2" -m pip install --disable-pip-version-check --no-input --progress-bar off --root-user-action ignore "$pin"
}

explain_backend() { # why uv may have found no PyTorch, and what to do
    say "uv takes PyTorch for '$FEDLOOM_TORCH_BACKEND' from an index of PyTorch's own. If that cannot be reached from here, name a mirror of it by
FEDLOOM_TORCH_INDEX, or take a bundle that was made elsewhere (--offline DIR); with neither PyTorch comes from where all else does."
}

torch_of() { grep -E '^torch(vision)?==' "$1"; }

without_cuda() { # what a PyTorch for the CPU does not need
    grep -vE '^(nvidia|cuda|triton)([-=]|$)' "$1"
}

uses_uv() { # it is faster, but knows nothing of an index or a certificate that pip was told of
    command -v uv >/dev/null && { [ -n "$wheels" ] || [ -z "$("$python" -m pip config list 2>/dev/null)" ]; }
}

installing() { # $1: the log; the rest: arguments that pip and uv have in common
    local log=$1
    shift
    if uses_uv; then
        watched "$log" uv pip install --python "$python" --no-progress "$@"
    else
        watched "$log" "$python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
            --root-user-action ignore "$@"
    fi && return
    not_installed "$log"
}

not_installed() { # $1: the log; $2: more to say
    local log=$1
    tail -n 30 "$log" >&2
    # Everything is fetched before this is said, and nothing changed before.
    if [ -e "$venv/.fedloom-stamp.before" ] && ! grep -qE '^(Installing collected packages|Prepared)' "$log"; then
        mv "$venv/.fedloom-stamp.before" "$venv/.fedloom-stamp"
    fi
    die "The packages could not be installed; the message is above, all of it in $log. Start again when the cause is mended.${2:+
$2}"
}

watched() { # run a command with progress: what it does now, and for how long; $1: its log
    local log=$1 start=$SECONDS command status now shown=0
    shift
    "$@" >>"$log" 2>&1 </dev/null &
    command=$!
    trap 'interrupted "$command"' INT TERM HUP
    while kill -0 "$command" 2>/dev/null; do
        now=$((SECONDS - start))
        if [ -t 1 ]; then
            printf '\r\033[K  %d:%02d  %.70s' $((now / 60)) $((now % 60)) "$(last_step "$log")"
        elif [ $((now - shown)) -ge 30 ]; then
            shown=$now
            printf '  %d:%02d  %s\n' $((now / 60)) $((now % 60)) "$(last_step "$log")"
        fi
        sleep 1
    done
    wait "$command"
    status=$?
    trap - INT TERM HUP
    [ ! -t 1 ] || printf '\r\033[K'
    return "$status"
}

sizes() { # what the environment takes, and most of it for what
    local largest
    largest=$(du -sk "$venv"/lib/python3*/site-packages/* 2>/dev/null | sort -rn | head -n 4 |
        awk '{ name = $0; sub(/^.*\//, "", name); printf "%s%s %.1f MB", (NR > 1 ? ", " : ""), name, $1 / 1024 }')
    say "The environment takes $(du -sk "$venv/" | awk '{ printf "%.2f GB", $1 / 1048576 }')${largest:+, of which $largest}."
}

last_step() { # the newest line of a log of pip or uv, without paths
    grep -E '^ *(Collecting|Downloading|Using cached|Processing|Building|Installing|Saved|Resolved|Prepared)' "$1" | tail -n 1 |
        sed -e 's/^ *//' -e 's/^\(Installing collected packages\):.*/\1/' -e 's|[^ ]*/||g'
}

interrupted() { # $1: the process of pip or uv
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null
    printf '\nInterrupted. The next start makes the environment anew.\n' >&2
    exit 130
}

# bundles of wheels

bundle() { # $1: the folder to make
    local folder=${1:-} made maker list
    check_torch
    [ -n "$folder" ] || die "Where to? Give a folder that is not there yet: $(printf %q "$0") bundle DIR"
    case $folder in /*) ;; *) folder=$PWD/$folder ;; esac
    [ -z "$(ls -A "$folder" 2>/dev/null)" ] || die "$folder is not empty. Name a folder that is not there yet."
    find_python || die "$(explain_python)"
    maker=$(mktemp -d) || die "There is no room for a temporary folder."
    made=$folder.part.$$
    # shellcheck disable=SC2064 # the folders of now
    trap "rm -rf $(printf '%q %q' "$maker" "$made")" EXIT
    mkdir -p "$made" || die "The folder $made cannot be made. Name another."
    say "Fetching the wheels of requirements.txt for $(platform "$found_python"); PyTorch alone is several GB on Linux."
    "$found_python" -m venv "$maker/venv" || die "The environment could not be made; the message is above."
    list=$made/requirements.txt
    if [ -n "${FEDLOOM_TORCH_BACKEND:-}${FEDLOOM_TORCH_INDEX:-}" ]; then
        torch_of "$root/requirements.txt" >"$list"
        torch_index=(--index-url "${FEDLOOM_TORCH_INDEX:-}")
        [ -z "${FEDLOOM_TORCH_BACKEND:-}" ] || find_index "$maker" "$list"
        fetching "$maker" --no-deps "${torch_index[@]}" --wheel-dir "$made" --requirement "$list"
        without_cuda "$root/requirements.txt" >"$list"
    else
        cp "$root/requirements.txt" "$list"
    fi
    fetching "$maker" --find-links "$made" --wheel-dir "$made" --requirement "$list"
    { checksum requirements.txt && platform "$found_python"; } >"$made/for"
    "$found_python" -c "$WRITE_SUMS" "$made" || die "The checksums could not be written; the message is above."
    rmdir "$folder" 2>/dev/null
    mv "$made" "$folder" || die "The bundle could not be moved to $folder."
    say "$folder holds $(find "$folder" -name '*.whl' | wc -l | tr -d ' ') wheels, $(du -sk "$folder" | awk '{ printf "%.2f GB", $1 / 1048576 }')."
    say "On a machine without a network, with this checkout and the same kind of Python:"
    say "  ./start.sh --offline $(printf %q "$folder") demo"
}

torch_index=() # for pip: where PyTorch is

find_index() { # ask uv for it; $1: a folder with an environment; $2: a list of PyTorch's packages, which is pinned to the build
    local maker=$1 list=$2 found flag=--index-url address
    found=$maker/found.txt
    find_uv "$maker/log" "$maker/venv/bin/python" || not_fetched "$maker"
    watched "$maker/log" "$uv" pip compile --python "$maker/venv/bin/python" --no-progress --no-deps --no-header \
        --torch-backend "$FEDLOOM_TORCH_BACKEND" --emit-index-annotation --output-file "$found" "$list" ||
        not_fetched "$maker" "$(explain_backend)"
    torch_index=()
    while read -r address; do
        torch_index+=("$flag" "$address")
        flag=--extra-index-url
    done < <(sed -n 's/^ *# from //p' "$found" | sort -u)
    [ "${#torch_index[@]}" -gt 0 ] || not_fetched "$maker" "uv did not say where PyTorch is."
    cp "$found" "$list"
}

fetching() { # $1: a folder with an environment; the rest: arguments of `pip wheel`
    local maker=$1
    shift
    watched "$maker/log" "$maker/venv/bin/python" -m pip wheel --disable-pip-version-check --no-input \
        --progress-bar off "$@" && return
    not_fetched "$maker"
}

not_fetched() { # $1: the folder with the log; $2: more to say
    tail -n 30 "$1/log" >&2
    die "The wheels could not be fetched; the message is above. Nothing is left of the bundle.${2:+
$2}"
}

platform() { # the kind of Python $1, as wheels depend on it
    "$1" -c 'import sys, sysconfig; print("Python %d.%d on %s" % (*sys.version_info[:2], sysconfig.get_platform()))'
}

check_bundle() { # whether $wheels is whole, and for these requirements ($1: their file) and this Python
    local checker=$python here
    [ "$1" = requirements.txt ] || die "A bundle holds what is in requirements.txt: this needs $1, and so a network."
    { [ -e "$wheels/SHA256SUMS" ] && [ -e "$wheels/for" ]; } || die "$wheels is no bundle: it has no list of checksums. Make one with: $(printf %q "$0") bundle DIR"
    if ! python_works; then
        find_python || die "$(explain_python)"
        checker=$found_python
    fi
    "$checker" -c "$CHECK_SUMS" "$wheels" || die "The bundle $wheels is not as it was made. Copy it again."
    [ "$(head -n 1 "$wheels/for")" = "$(checksum requirements.txt)" ] || die "The bundle $wheels is for another version of FedLoom. Make it anew from this checkout."
    here=$(platform "$checker")
    [ "$(tail -n 1 "$wheels/for")" = "$here" ] || die "The bundle $wheels is for $(tail -n 1 "$wheels/for"), and here is $here. Make one on a machine like this."
}

# The list has the form of sha256sum, which macOS does not have.
WRITE_SUMS='import hashlib, pathlib, sys
folder = pathlib.Path(sys.argv[1])
sums = ["%s  %s\n" % (hashlib.file_digest(path.open("rb"), "sha256").hexdigest(), path.name) for path in sorted(folder.iterdir())]
(folder / "SHA256SUMS").write_text("".join(sums))'

CHECK_SUMS='import hashlib, pathlib, sys
folder = pathlib.Path(sys.argv[1])
listed = dict(reversed(line.split("  ", 1)) for line in (folder / "SHA256SUMS").read_text().splitlines())
here = {path.name: path for path in folder.iterdir() if path.name != "SHA256SUMS"}
for name in sorted(listed.keys() | here.keys()):
    path = here.get(name)
    if path is None:
        sys.exit("%s is missing" % name)
    if name not in listed:
        sys.exit("%s is not in the list of checksums" % name)
    if hashlib.file_digest(path.open("rb"), "sha256").hexdigest() != listed[name]:
        sys.exit("%s has another checksum" % name)'

# containers

compose=() # the command that is here

find_compose() {
    if docker compose version >/dev/null 2>&1; then
        compose=(docker compose)
    elif command -v podman >/dev/null && command -v podman-compose >/dev/null; then
        compose=(podman-compose)
    else
        die "Neither Docker with Compose (docker compose) nor Podman with podman-compose is here. Install one of them:
  https://docs.docker.com/compose/install/ or https://github.com/containers/podman-compose
Without containers: $(printf %q "$0") server"
    fi
}

containers() { # nothing, or `small`: bring them up; other arguments go to Compose
    local server=server client=client page said began up=(up --detach --build)
    find_compose
    cd -- "$root/containers" || exit 1 # where .env and the files are that it names
    # Not by --profile, to which podman-compose adds those of .env.
    COMPOSE_PROFILES=$(setting COMPOSE_PROFILES)
    export COMPOSE_PROFILES=${COMPOSE_PROFILES:-full}
    case ${1:-} in
        '') ;;
        small) COMPOSE_PROFILES=small ;;
        up | create | start | run | build | pull | config | -*) exec "${compose[@]}" "$@" ;;
        *) COMPOSE_PROFILES=full,mesh,small exec "${compose[@]}" "$@" ;; # down, logs, ps, exec: of whatever runs
    esac
    if [ "$COMPOSE_PROFILES" = small ]; then
        server=small-server
        client=small-client
    fi
    say "Building and starting the containers of $root/containers/docker-compose.yml (profile $COMPOSE_PROFILES) with ${compose[*]}."
    if [ -n "$(setting FEDLOOM_TORCH_INDEX)" ]; then
        [ -z "$(setting FEDLOOM_TORCH_BACKEND)" ] || die "$TORCH_TWICE"
    elif set_to_nothing FEDLOOM_TORCH_BACKEND; then
        say "FEDLOOM_TORCH_BACKEND is empty, so the images have PyTorch's default build, with CUDA, and take several GB: see docs/containers.md."
    fi
    if [ "${compose[0]}" = podman-compose ]; then
        # It would build an image once for each service that has it, all at the same time: GBs for each.
        { "${compose[@]}" build "$server" && "${compose[@]}" build "$client"; } || die "The images could not be built; the message is above."
        # Podman's own order of containers keeps one from being restarted while another, such as `secrets`, has ended.
        up=(up --detach --no-deps)
    fi
    "${compose[@]}" "${up[@]}" || die "The containers could not be started; the message is above."
    say "Waiting until the server answers; its log: $(printf %q "$0") containers logs $server"
    began=$SECONDS # the images may have taken long
    while ! answers "$server"; do
        [ $((SECONDS - began)) -lt "$WAIT_S" ] || die "The server has not answered for a long time. Its log says why: $(printf %q "$0") containers logs $server"
        sleep 2
    done
    page=$(setting FEDLOOM_PUBLIC_URL)
    say "The page: ${page:-http://localhost}"
    # As long as the address is good for; an older one in the log has expired. podman-compose colours what it shows, also where nobody sees it.
    said=$("${compose[@]}" logs --since 1h "$server" 2>&1 | grep -Eo 'https?://[^ ]*#setup=[A-Za-z0-9_-]*' | tail -n 1)
    if [ -n "$said" ]; then
        say "Make the first administrator, if there is none yet, within an hour after the start of the server, at"
        say "    $said"
    fi
    say "To end them, and keep all that they know: $(printf %q "$0") containers down"
}

answers() { # $1: the service with the server; it has told where the first administrator is made before it answers
    "${compose[@]}" exec -T "$1" python -c '
import urllib.request as web
web.urlopen("http://127.0.0.1:5000/healthz", timeout=4)' </dev/null >/dev/null 2>&1
}

setting() { # $1: a setting of the containers: what the environment or .env says
    local name=$1
    if [ -n "${!name:-}" ]; then
        say "${!name}"
    else
        sed -n "s/^$name=//p" .env 2>/dev/null | tail -n 1
    fi
}

set_to_nothing() { # $1: a setting of the containers: whether it is there and empty
    local name=$1 line
    if [ -n "${!name+there}" ]; then
        [ -z "${!name}" ]
    else
        line=$(grep "^$name=" .env 2>/dev/null | tail -n 1)
        case $line in "$name=" | "$name=''" | "$name=\"\"") ;; *) return 1 ;; esac
    fi
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
    doctor_torch
    doctor_disk
    doctor_data
    doctor_tools
    if [ "$problems" -gt 0 ]; then
        say "Something that FedLoom needs is missing: see the problems above."
        return 1
    fi
    say "Nothing that FedLoom needs is missing."
    say "Whether a server can run here, with its flags: $(printf %q "$0") doctor server"
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

doctor_torch() { # which PyTorch the next installation takes
    if [ -n "${FEDLOOM_TORCH_BACKEND:-}" ] && [ -n "${FEDLOOM_TORCH_INDEX:-}" ]; then
        missing PyTorch "$TORCH_TWICE"
    elif [ -n "${FEDLOOM_TORCH_BACKEND:-}" ]; then
        ok PyTorch "an installation takes it by uv, for '$FEDLOOM_TORCH_BACKEND'"
    elif [ -n "${FEDLOOM_TORCH_INDEX:-}" ]; then
        ok PyTorch "an installation takes it from $FEDLOOM_TORCH_INDEX"
    elif [ "$(uname -s)" = Linux ] && [ ! -e "$python" ] && ! command -v nvidia-smi >/dev/null; then
        note PyTorch "would come with CUDA, several GB, and there seems to be no NVIDIA GPU here: FEDLOOM_TORCH_BACKEND=cpu takes a small one"
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

check() { # in the checkout; $1: 'python' or 'page', to check that alone
    trap 'exit 130' INT # also where the tool itself ends in order
    [ "$1" = page ] || check_python
    if [ "$1" = python ]; then
        :
    elif command -v npm >/dev/null; then
        check_page
    else
        leave_out Node.js "the page's source in app/frontend (version 20.19 or newer)"
    fi
    conclude
}

check_python() { # with the development requirements
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
  8  mesh     a node of the mesh, without a server
  9  bench    a benchmark, beside its peer or the limit
 10  backup   all of a server in one encrypted file
 11  containers: server, clients and all else with Docker or Podman
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
        8 | mesh)
            printf 'Name of this node [node-1]: '
            read -r name
            run mesh node --name "${name:-node-1}"
            ;;
        9 | bench)
            printf 'Which benchmark [round]: '
            read -r name
            run bench "${name:-round}"
            ;;
        10 | backup)
            printf 'File to write [%s]: ' "fedloom-$(date +%Y-%m-%d).backup"
            read -r name
            run backup "${name:-fedloom-$(date +%Y-%m-%d).backup}"
            ;;
        11 | containers)
            printf 'All of it, or a small installation (small) [all]: '
            read -r name
            case $name in '' | all) run containers ;; *) run containers "$name" ;; esac
            ;;
        q | quit) exit 0 ;;
        *) die "There is no choice '$choice'." ;;
    esac
}

module() { # $1: a module that is a command; the rest is passed on
    local module=$1
    shift
    case $module in bench) prepare requirements-dev.txt ;; *) prepare requirements.txt ;; esac
    export FEDLOOM_HOME=$home PYTHONPATH=$root
    exec "$python" -m "$module" "$@"
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
            case ${1:-} in
                '' | python) prepare requirements-dev.txt ;;
                page) ;;
                *) die "There is no part '$1' to check. There are: python, page; without one, both are checked." ;;
            esac
            cd -- "$root" || exit 1
            check "${1:-}"
            ;;
        doctor)
            case ${1:-} in
                '') doctor ;;
                server)
                    shift
                    module app.doctor "$@"
                    ;;
                *) module client.doctor "$@" ;;
            esac
            ;;
        bench) module bench "$@" ;;
        backup) module app.backup "$@" ;;
        restore) module app.restore "$@" ;;
        bundle) bundle "$@" ;;
        install)
            prepare requirements.txt
            say "The Python environment in $venv has all that requirements.txt asks for."
            ;;
        containers) containers "$@" ;;
        confirm) module client.confirm "$@" ;;
        ledger) module client.ledger "$@" ;;
        members) module client.members "$@" ;;
        mesh) module mesh "$@" ;;
        help | -h | --help) usage ;;
        *)
            printf "error: there is no command '%s'\n\n" "$command" >&2
            usage >&2
            exit 2
            ;;
    esac
}

if [ "${1:-}" = --offline ]; then
    [ $# -ge 2 ] || die "Which bundle? Give its folder: $(printf %q "$0") --offline DIR COMMAND"
    wheels=$2
    shift 2
fi
case $wheels in '' | /*) ;; *) wheels=$PWD/$wheels ;; esac
if [ $# -eq 0 ]; then menu; else run "$@"; fi
