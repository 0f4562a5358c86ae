#!/bin/sh
# Enrols the four offices of docker-compose.yml, from the top down: keys, tables, the hubs' brokers with
# their certificates and accounts, requests, approvals, welcomes. The databases are running; the nodes
# are not yet.
#
# Can be run again: whoever has a certificate is left as he is.
#
# Three variables say how to reach the offices; without them it is through docker compose.
#   ZT_INSIDE       runs a command inside an office: $ZT_INSIDE SERVICE COMMAND…
#   ZT_START        starts a broker, and waits:      $ZT_START SERVICE
#   ZT_RABBITMQCTL  runs rabbitmqctl on a broker:    $ZT_RABBITMQCTL SERVICE ARGUMENTS…
# ZT_DATA is the office's folder as the office itself sees it, ZT_ENV_FILE the file of settings,
# ZT_SECRETS where make-secrets.sh wrote the secrets. ZT_BROKER_HOST is one more name or address under
# which the brokers are dialled.
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
    docker compose run --rm --no-deps -T --entrypoint env "$service" "$@"
}

# hub SERVICE ID PASSWORD: its tables; its broker, running with a certificate of its own; there, the
# accounts of the hub's node, and not the one that RabbitMQ comes with.
hub() {
    inside "$1" zhitong migrate "$data" </dev/null
    certify "$1"
    if [ -n "${ZT_START:-}" ]; then
        "$ZT_START" "$1-broker" </dev/null
        ctl="$ZT_RABBITMQCTL $1-broker"
    else
        docker compose up --detach --wait "$1-broker" </dev/null
        ctl="docker compose exec -T $1-broker rabbitmqctl"
    fi
    echo "$1-broker: the accounts of $2"
    RABBITMQCTL=$ctl "$here/../rabbitmq/add-hub.sh" "$2"
    printf '%s\n' "$3" | RABBITMQCTL=$ctl "$here/../rabbitmq/add-management.sh" "$2"
    if $ctl --quiet list_users </dev/null | cut -f 1 | grep -qx guest; then
        $ctl --quiet delete_user guest </dev/null
    fi
}

# certify SERVICE: the key and certificates of a hub's broker, where the broker's container finds them.
certify() {
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
}

# enter [--hub]: the request goes up, is approved, and the welcome comes back. Both are files, since no
# node is running yet. Neither holds a secret.
enter() {
    if ! inside "$service" test -e "$data/zhitong.toml" </dev/null; then
        inside "$service" zhitong init "$data" --id "$id" --name "$name" --level "$level" "$@" </dev/null
    fi
    inside "$service" zhitong enrol --request - --config "$data" \
        </dev/null > "$papers/$id.request.json"
    inside "$parent" zhitong enrolment import - --config "$data" < "$papers/$id.request.json"
    inside "$parent" zhitong enrolment approve "$id" --output - --config "$data" \
        </dev/null > "$papers/$id.welcome"
    inside "$service" zhitong enrol --welcome - --config "$data" < "$papers/$id.welcome"
}

papers=$(mktemp -d)
trap 'rm -rf "$papers"' EXIT

top province "$ZT_PROVINCE_ID" "$ZT_PROVINCE_NAME" province
hub province "$ZT_PROVINCE_ID" "$ZT_PROVINCE_MANAGEMENT_PASSWORD"
below city "$ZT_CITY_ID" "$ZT_CITY_NAME" city province --hub
hub city "$ZT_CITY_ID" "$ZT_CITY_MANAGEMENT_PASSWORD"
below county-a "$ZT_COUNTY_A_ID" "$ZT_COUNTY_A_NAME" county city
below county-b "$ZT_COUNTY_B_ID" "$ZT_COUNTY_B_NAME" county city
echo "All four offices are enrolled."
