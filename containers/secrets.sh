#!/bin/sh
# Makes the secrets by which the containers know each other, each in a folder of its own below /run/fedloom, which is
# a volume that only those have who need it. What is there stays as it is, so this may run at every start.
set -eu

folder=${1:-/run/fedloom}

random() { od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'; }

keep() { # $1: a file; standard input: what is to be in it, if it is not there yet. PostgreSQL and Redis are other users.
    [ ! -s "$1" ] || return 0
    cat >"$1.part"
    chmod 0444 "$1.part"
    mv "$1.part" "$1"
}

random | keep "$folder/postgres/password"
printf 'postgresql://fedloom:%s@postgres:5432/fedloom\n' "$(cat "$folder/postgres/password")" | keep "$folder/postgres/url"
random | keep "$folder/redis/password"
printf 'redis://:%s@redis:6379/0\n' "$(cat "$folder/redis/password")" | keep "$folder/redis/url"
printf 'requirepass %s\n' "$(cat "$folder/redis/password")" | keep "$folder/redis/redis.conf"
random | keep "$folder/replica/key"
echo "The secrets of the containers are there."
