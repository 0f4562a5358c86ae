#!/bin/sh
# Enrols the four offices of docker-compose.yml, from the top down: keys, requests, certificates, also
# those of the brokers, tables. The databases are running; the brokers and the nodes are not yet. The
# brokers' accounts follow with accounts.sh.
#
# Can be run again: whoever has a certificate is left as he is.
#
# ZT_INSIDE says how to run a command inside an office, $ZT_INSIDE SERVICE COMMAND…; without it, it
# is through docker compose. ZT_DATA is the office's folder as the office itself sees it, ZT_ENV_FILE
# the file of settings, ZT_SECRETS where make-secrets.sh wrote the secrets. ZT_BROKER_HOST is one more
# name or address under which the brokers are dialled.
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
[ -n "${ZT_INSIDE:-}" ] || cd "$here/../.."
set -a
# shellcheck source=/dev/null
. "${ZT_ENV_FILE:-./.env}"
set +a
data=${ZT_DATA:-/data}
secrets=${ZT_SECRETS:-./data/secrets}

inside() {
    if [ -n "${ZT_INSIDE:-}" ]; then
        "$ZT_INSIDE" "$@"
        return
    fi
    service=$1
    shift
    # Until the welcome is installed there is no [parent] that this variable could complete.
    docker compose run --rm --no-deps -T --entrypoint env "$service" \
        -u ZHITONG_PARENT__BROKER "$@"
}

# broker SERVICE: the key and certificates of a hub's broker, where the broker's container finds them.
broker() {
    if [ -e "$secrets/$1-broker-ca.pem" ]; then
        echo "$1-broker: has its certificate"
        return
    fi
    inside "$1" zhitong certificates broker --config "$data" --output "$data/broker" \
        --host "$1-broker" ${ZT_BROKER_HOST:+--host "$ZT_BROKER_HOST"} </dev/null
    for file in server.key server.pem ca.pem; do
        inside "$1" cat "$data/broker/$file" </dev/null > "$papers/$file"
    done
    inside "$1" rm -r "$data/broker" </dev/null
    # The image reads them as another user; the folder lets nobody else in.
    chmod 444 "$papers"/*.key "$papers"/*.pem
    for file in server.key server.pem ca.pem; do
        mv -f "$papers/$file" "$secrets/$1-broker-$file"
    done
}

# top SERVICE ID NAME LEVEL
top() {
    if inside "$1" test -e "$data/keys/node.pem" </dev/null; then
        echo "$1: has its certificate"
    else
        inside "$1" zhitong init "$data" --id "$2" --name "$3" --level "$4" --top </dev/null
    fi
    inside "$1" zhitong migrate "$data" </dev/null
}

# below SERVICE ID NAME LEVEL PARENT-SERVICE [--hub]
below() {
    service=$1 id=$2 name=$3 level=$4 parent=$5
    shift 5
    if inside "$service" test -e "$data/keys/node.pem" </dev/null; then
        echo "$service: has its certificate"
    else
        enter "$@"
    fi
    inside "$service" zhitong migrate "$data" </dev/null
}

# enter [--hub]: the request goes up, the welcome comes back. Neither holds a secret.
enter() {
    if ! inside "$service" test -e "$data/request.json" </dev/null; then
        inside "$service" zhitong init "$data" --id "$id" --name "$name" --level "$level" "$@" </dev/null
    fi
    inside "$service" cat "$data/request.json" </dev/null > "$papers/$id.request.json"
    inside "$parent" zhitong certify - --output - --config "$data" \
        --broker "amqps://$parent-broker:5671/" \
        < "$papers/$id.request.json" > "$papers/$id.welcome.json"
    inside "$service" zhitong init "$data" --welcome - < "$papers/$id.welcome.json"
}

papers=$(mktemp -d)
trap 'rm -rf "$papers"' EXIT

top province "$ZT_PROVINCE_ID" "$ZT_PROVINCE_NAME" province
broker province
below city "$ZT_CITY_ID" "$ZT_CITY_NAME" city province --hub
broker city
below county-a "$ZT_COUNTY_A_ID" "$ZT_COUNTY_A_NAME" county city
below county-b "$ZT_COUNTY_B_ID" "$ZT_COUNTY_B_NAME" county city
echo "All four offices are enrolled. Start the brokers, then run accounts.sh."
