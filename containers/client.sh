#!/bin/sh
# Starts a client in a container: under a name of its own, with a folder of its own, and a key in that.
# FEDLOOM_CLIENT_ID names it (client- and the container's host name); FEDLOOM_INVITE_FILE is waited for; the client
# listens for the mesh in the network FEDLOOM_MESH_SUBNET, if that is set. Arguments go to
# run_client.py, and so do the words of FEDLOOM_FLAGS.
set -eu

name=${FEDLOOM_CLIENT_ID:-client-$(uname -n)}
export FEDLOOM_HOME="$FEDLOOM_HOME/$name" # also where containers were given one volume together

said=
while [ -n "${FEDLOOM_INVITE_FILE:-}" ] && [ ! -s "$FEDLOOM_INVITE_FILE" ]; do
    [ -n "$said" ] || echo "$name waits for the invitation that the server leaves in $FEDLOOM_INVITE_FILE."
    said=yes
    sleep 1
done

if [ -n "${FEDLOOM_MESH_SUBNET:-}" ]; then
    address=$(python -c '
import ifaddr, ipaddress, sys
network = ipaddress.ip_network(sys.argv[1])
own = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]
found = [text for text in own if ipaddress.ip_address(text) in network]
sys.exit("error: This container has no address in FEDLOOM_MESH_SUBNET=%s: put it into that network." % network if not found else print(found[0]))
' "$FEDLOOM_MESH_SUBNET")
    set -- --enable-mesh --mesh-interface "$address" "$@"
fi

# shellcheck disable=SC2086 # it is words
exec python /opt/fedloom/run_client.py --client-id "$name" "$@" ${FEDLOOM_FLAGS:-}
