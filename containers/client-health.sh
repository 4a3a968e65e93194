#!/bin/sh
# Whether a client in a container is connected to its server's link: its port, by the invitation, is that of a
# connection which is established. Ends with 1 where it is not.
set -eu

invitation=${FEDLOOM_INVITE:-}
[ -n "$invitation" ] || invitation=$(cat "${FEDLOOM_INVITE_FILE:-/dev/null}")
port=$(printf '%s\n' "$invitation" | sed -n 's|^fedloom://[^?]*:\([0-9]*\)[/?].*|\1|p')
# state 01 is ESTABLISHED; addresses are in hexadecimal, as 0100007F:13BA
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$(printf ':%04X' "${port:-5050}")" '
    $4 == "01" && substr($3, length($3) - 4) == port { found = 1 }
    END { exit !found }
' # the second is not there without IPv6
