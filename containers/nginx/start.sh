#!/bin/sh
# nginx before FedLoom's dashboards, in a container or on any machine that has nginx (1.22 or newer) with its `stream` module:
#   start.sh         starts it, and stays until it ends; SIGTERM ends it
#   start.sh check   says whether the settings are right
#   start.sh reload  has the nginx that runs take over other settings or a new certificate; open connections go on
#
# Settings, all by the environment:
#   FEDLOOM_PUBLIC_URL        where people open the page, as the dashboards' --public-url (http://localhost); also below a path
#   FEDLOOM_SERVER_NAMES      further names that it answers to (localhost 127.0.0.1 [::1])
#   FEDLOOM_HTTP_LISTEN       [ADDRESS:]PORT (8080); with a certificate it only sends people on to HTTPS; none: nothing listens
#   FEDLOOM_HTTPS_LISTEN      the same for HTTPS (8443), where there is a certificate
#   FEDLOOM_TLS_CERT, _KEY    files with the certificate (with those that vouch for it) and its key; without them there is no HTTPS
#   FEDLOOM_HSTS_S            how long browsers come by HTTPS only (15552000, which is 180 days); 0 for a certificate of your own
#   FEDLOOM_UPSTREAM_HOST     the name of the dashboards, which stands for the addresses of all of them (dashboard)
#   FEDLOOM_UPSTREAM_PORT     at which they listen (5000)
#   FEDLOOM_UPSTREAM_SERVERS  in place of both, a fixed list: 127.0.0.1:5001 127.0.0.1:5002
#   FEDLOOM_LINK_LISTEN       [ADDRESS:]PORT at which the link for clients is passed on (5050); none: it is not
#   FEDLOOM_FEDERATION_HOST   where to: the federation (federation)
#   FEDLOOM_LINK_PORT         and its --link-port (5050)
#   FEDLOOM_RESOLVER          DNS servers that know these names (the first in /etc/resolv.conf: nginx asks all alike, and Podman has others after it); names in /etc/hosts are not looked up
#   FEDLOOM_REQUESTS_PER_S    of one address (50); ten times as many at once
#   FEDLOOM_CONNECTIONS       of one address at once (512)
#   FEDLOOM_LINK_CONNECTIONS  the same for the link (2048)
#   FEDLOOM_WORKERS           processes (auto)
#   FEDLOOM_ACCESS_LOG        (/dev/stdout)
#   FEDLOOM_NGINX_DIR         the one folder that it writes to (/tmp/fedloom-nginx)
# shellcheck disable=SC2034 # fill_in reads settings by their names
set -eu
umask 077

die() {
    printf 'error: %s\n' "$*" >&2
    exit 2
}

case ${1:-start} in
    start | check | reload) ;;
    *) die "usage: start.sh [check | reload]" ;;
esac
[ "$(id -u)" != 0 ] || die 'nginx needs no rights of root here: start this as another user, who may read the key of the certificate'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)

: "${FEDLOOM_PUBLIC_URL=http://localhost}"
: "${FEDLOOM_SERVER_NAMES=localhost 127.0.0.1 [::1]}"
: "${FEDLOOM_HTTP_LISTEN=8080}" "${FEDLOOM_HTTPS_LISTEN=8443}"
: "${FEDLOOM_TLS_CERT=}" "${FEDLOOM_TLS_KEY=}" "${FEDLOOM_HSTS_S=15552000}"
: "${FEDLOOM_UPSTREAM_HOST=dashboard}" "${FEDLOOM_UPSTREAM_PORT=5000}" "${FEDLOOM_UPSTREAM_SERVERS=}"
: "${FEDLOOM_LINK_LISTEN=5050}" "${FEDLOOM_FEDERATION_HOST=federation}" "${FEDLOOM_LINK_PORT=5050}"
: "${FEDLOOM_RESOLVER=$(awk '$1 == "nameserver" { print ($2 ~ /:/ ? "[" $2 "]" : $2); exit }' /etc/resolv.conf 2>/dev/null)}"
: "${FEDLOOM_REQUESTS_PER_S=50}" "${FEDLOOM_CONNECTIONS=512}" "${FEDLOOM_LINK_CONNECTIONS=2048}"
: "${FEDLOOM_WORKERS=auto}" "${FEDLOOM_ACCESS_LOG=/dev/stdout}" "${FEDLOOM_NGINX_DIR=/tmp/fedloom-nginx}"

check() { # $1: name of a setting; $2: its value; $3: a pattern (grep -E) of all that it may be; $4: in words
    # A value with a line break is none of them: grep would look at each line by itself.
    case $2 in *'
'*) die "$1 has a line break in it; it has to be $4" ;; esac
    printf '%s\n' "$2" | grep -Eqx -- "$3" || die "$1 is '$2'; it has to be $4"
}

port='[0-9]{1,5}'
host='([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])'
listen="($host:)?$port"
check FEDLOOM_PUBLIC_URL "$FEDLOOM_PUBLIC_URL" "https?://$host(:$port)?(/[A-Za-z0-9._~-]+)*/?" 'http://HOST[:PORT][/PATH] or https://…'
check FEDLOOM_SERVER_NAMES "$FEDLOOM_SERVER_NAMES" '[][A-Za-z0-9.:* _-]*' 'names with spaces between them'
check FEDLOOM_HTTP_LISTEN "$FEDLOOM_HTTP_LISTEN" "($listen)?" '[ADDRESS:]PORT, or nothing'
check FEDLOOM_HTTPS_LISTEN "$FEDLOOM_HTTPS_LISTEN" "$listen" '[ADDRESS:]PORT'
check FEDLOOM_HSTS_S "$FEDLOOM_HSTS_S" '[0-9]{1,9}' 'a number of seconds'
check FEDLOOM_UPSTREAM_HOST "$FEDLOOM_UPSTREAM_HOST" "$host" 'a name or an address'
check FEDLOOM_UPSTREAM_PORT "$FEDLOOM_UPSTREAM_PORT" "$port" 'a port'
check FEDLOOM_UPSTREAM_SERVERS "$FEDLOOM_UPSTREAM_SERVERS" "( *$host:$port)* *" 'HOST:PORT, with spaces between them'
check FEDLOOM_LINK_LISTEN "$FEDLOOM_LINK_LISTEN" "($listen)?" '[ADDRESS:]PORT, or nothing'
check FEDLOOM_FEDERATION_HOST "$FEDLOOM_FEDERATION_HOST" "$host" 'a name or an address'
check FEDLOOM_LINK_PORT "$FEDLOOM_LINK_PORT" "$port" 'a port'
check FEDLOOM_RESOLVER "$FEDLOOM_RESOLVER" "( *$host(:$port)?)* *" 'addresses of DNS servers, with spaces between them'
for name in FEDLOOM_REQUESTS_PER_S FEDLOOM_CONNECTIONS FEDLOOM_LINK_CONNECTIONS; do
    eval "check $name \"\$$name\" '[1-9][0-9]{0,5}' 'a number from 1 on'"
done
check FEDLOOM_WORKERS "$FEDLOOM_WORKERS" 'auto|[1-9][0-9]{0,2}' 'auto, or a number from 1 on'
for name in FEDLOOM_TLS_CERT FEDLOOM_TLS_KEY FEDLOOM_ACCESS_LOG FEDLOOM_NGINX_DIR; do
    eval "check $name \"\$$name\" '(/[A-Za-z0-9._/+-]*)?' 'a whole path, of letters, digits and ._/+-'"
done

[ -n "$FEDLOOM_NGINX_DIR" ] || die 'FEDLOOM_NGINX_DIR is empty; it has to be a folder that may be written to'
[ -n "$FEDLOOM_ACCESS_LOG" ] || die 'FEDLOOM_ACCESS_LOG is empty; it has to be a file, or /dev/null'
case ${FEDLOOM_TLS_CERT:+cert}${FEDLOOM_TLS_KEY:+key} in
    '' | certkey) ;;
    *) die 'FEDLOOM_TLS_CERT and FEDLOOM_TLS_KEY belong together: give both, or none' ;;
esac
for file in "$FEDLOOM_TLS_CERT" "$FEDLOOM_TLS_KEY"; do
    [ -z "$file" ] || [ -r "$file" ] || die "$file cannot be read by user $(id -un 2>/dev/null || id -u)"
done
command -v nginx >/dev/null || die 'there is no nginx here: install it, with its stream module (Debian: nginx libnginx-mod-stream)'

url=${FEDLOOM_PUBLIC_URL%/}
rest=${url#*://}
authority=${rest%%/*}
FEDLOOM_PUBLIC_ORIGIN=${url%%://*}://$authority
FEDLOOM_PREFIX=${rest#"$authority"}
case /$FEDLOOM_PREFIX/ in */./* | */../*) die "FEDLOOM_PUBLIC_URL has . or .. in its path" ;; esac
public_name=$(printf '%s\n' "$authority" | sed 's/:[0-9]*$//' | tr '[:upper:]' '[:lower:]')
FEDLOOM_SERVER_NAMES=$(printf '%s\n' "$public_name" "$FEDLOOM_SERVER_NAMES" | tr ' ' '\n' | grep . | sort -u | tr '\n' ' ')
FEDLOOM_BURST=$((FEDLOOM_REQUESTS_PER_S * 10))
FEDLOOM_FEDERATION=$FEDLOOM_FEDERATION_HOST:$FEDLOOM_LINK_PORT
FEDLOOM_RESOLVER_LINE=
if [ -n "$(printf '%s' "$FEDLOOM_RESOLVER" | tr -d ' ')" ]; then
    FEDLOOM_RESOLVER_LINE="resolver $FEDLOOM_RESOLVER valid=2s;"
fi
FEDLOOM_UPSTREAM=$FEDLOOM_UPSTREAM_HOST:$FEDLOOM_UPSTREAM_PORT
FEDLOOM_UPSTREAM_BLOCK=
if [ -n "$FEDLOOM_UPSTREAM_SERVERS" ]; then
    FEDLOOM_UPSTREAM=listed_dashboards
    FEDLOOM_UPSTREAM_BLOCK="upstream $FEDLOOM_UPSTREAM { zone dashboards 64k;"
    for server in $FEDLOOM_UPSTREAM_SERVERS; do
        FEDLOOM_UPSTREAM_BLOCK="$FEDLOOM_UPSTREAM_BLOCK server $server max_fails=0;"
    done
    FEDLOOM_UPSTREAM_BLOCK="$FEDLOOM_UPSTREAM_BLOCK }"
fi

# nginx says HTTP/2 in a line of its own from 1.25.1 on, and warns where it stands at the address; before, it knows no other place.
FEDLOOM_HTTP2_LISTEN=" http2" FEDLOOM_HTTP2_LINE=
if nginx -v 2>&1 | awk -F '[/. ]' '{ exit !($4 * 1000000 + $5 * 1000 + $6 >= 1025001) }'; then
    FEDLOOM_HTTP2_LISTEN="" FEDLOOM_HTTP2_LINE="http2 on;"
fi

# shellcheck disable=SC3045 # dash, bash and busybox have it
files=$(ulimit -Hn)
case $files in *[!0-9]*) files=65536 ;; esac
[ "$files" -le 65536 ] || files=65536
# shellcheck disable=SC3045
ulimit -n "$files"
FEDLOOM_WORKER_CONNECTIONS=$((files - 64))

# Into a new folder, which then takes the place of the old one: a reload that goes wrong leaves what there was.
conf=$FEDLOOM_NGINX_DIR/conf
made=$FEDLOOM_NGINX_DIR/conf.new
mkdir -p "$FEDLOOM_NGINX_DIR" 2>/dev/null || true
[ -w "$FEDLOOM_NGINX_DIR" ] || die "$FEDLOOM_NGINX_DIR cannot be written to: name another folder with FEDLOOM_NGINX_DIR"
# Nor one of another user, who could put settings of his own there.
[ -n "$(find "$FEDLOOM_NGINX_DIR" -prune \( -user "$(id -u)" -o -user 0 \))" ] ||
    die "$FEDLOOM_NGINX_DIR belongs to another user: name another folder with FEDLOOM_NGINX_DIR"
rm -rf "$made"
mkdir -p "$made/snippets" "$made/servers"
cp -R "$here/pages" "$made/pages"

fillings=$(
    for name in PUBLIC_ORIGIN PREFIX SERVER_NAMES HTTP_LISTEN HTTPS_LISTEN HTTP2_LISTEN HTTP2_LINE TLS_CERT TLS_KEY HSTS_S UPSTREAM UPSTREAM_BLOCK \
        LINK_LISTEN FEDERATION RESOLVER_LINE REQUESTS_PER_S BURST CONNECTIONS LINK_CONNECTIONS WORKERS WORKER_CONNECTIONS \
        ACCESS_LOG NGINX_DIR; do
        eval "printf 's|\${FEDLOOM_%s}|%s|g\n' $name \"\$FEDLOOM_$name\""
    done
)
fill_in() { # $1: file; $2: where to
    sed "$fillings" "$1" >"$2"
}

fill_in "$here/nginx.conf.template" "$made/nginx.conf"
for file in "$here"/snippets/*.conf; do
    fill_in "$file" "$made/snippets/${file##*/}"
done
wanted() { fill_in "$here/servers/$1.conf" "$made/servers/$1.conf"; }
if [ -n "$FEDLOOM_TLS_CERT" ]; then
    wanted https
    [ -z "$FEDLOOM_HTTP_LISTEN" ] || wanted http_to_https
else
    [ -n "$FEDLOOM_HTTP_LISTEN" ] || die 'neither FEDLOOM_HTTP_LISTEN nor a certificate for HTTPS is given: nobody could open the page'
    wanted http
fi
[ -z "$FEDLOOM_LINK_LISTEN" ] || wanted link

nginx -e stderr -t -q -c "$made/nginx.conf" || die 'nginx does not take these settings; above it says why'
[ "${1:-start}" != check ] || exit 0
rm -rf "$conf.old"
[ ! -d "$conf" ] || mv "$conf" "$conf.old"
mv "$made" "$conf"
rm -rf "$conf.old"
case ${1:-start} in
    start) exec nginx -e stderr -c "$conf/nginx.conf" -g 'daemon off;' ;;
    reload) exec nginx -e stderr -c "$conf/nginx.conf" -s reload ;;
esac
