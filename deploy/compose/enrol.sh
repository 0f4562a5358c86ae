#!/bin/sh
# Enrols the four offices of docker-compose.yml, from the top down: accounts on the brokers, keys,
# requests, certificates, tables. The databases and brokers are running; the nodes are not yet.
#
# Can be run again: an office that has its certificate is left as it is.
#
# Two variables say how to reach the offices; without them it is through docker compose.
#   ZT_INSIDE       runs a command inside an office: $ZT_INSIDE SERVICE COMMAND…
#   ZT_RABBITMQCTL  runs rabbitmqctl on a broker:    $ZT_RABBITMQCTL SERVICE ARGUMENTS…
# ZT_DATA is the office's folder as the office itself sees it, ZT_ENV_FILE the file of settings.
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
[ -n "${ZT_INSIDE:-}" ] || cd "$here/../.."
set -a
# shellcheck source=/dev/null
. "${ZT_ENV_FILE:-./.env}"
set +a
data=${ZT_DATA:-/data}

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

on_broker() {
    if [ -n "${ZT_RABBITMQCTL:-}" ]; then
        echo "$ZT_RABBITMQCTL $1"
    else
        echo "docker compose exec -T $1 rabbitmqctl"
    fi
}

# broker SERVICE HUB PASSWORD MANAGEMENT-PASSWORD: the hub's own accounts; the one RabbitMQ comes
# with is removed.
broker() {
    echo "$1: the account of $2"
    ctl=$(on_broker "$1")
    printf '%s\n' "$3" | RABBITMQCTL=$ctl "$here/../rabbitmq/add-hub.sh" "$2"
    printf '%s\n' "$4" | RABBITMQCTL=$ctl "$here/../rabbitmq/add-management.sh" "$2"
    if $ctl --quiet list_users </dev/null | cut -f 1 | grep -qx guest; then
        $ctl --quiet delete_user guest </dev/null
    fi
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

# below SERVICE ID NAME LEVEL PARENT-SERVICE PARENT-ID PASSWORD [--hub]
below() {
    service=$1 id=$2 name=$3 level=$4 parent=$5 parent_id=$6 password=$7
    shift 7
    printf '%s\n' "$password" |
        RABBITMQCTL=$(on_broker "$parent-broker") "$here/../rabbitmq/add-child.sh" "$parent_id" "$id"
    if inside "$service" test -e "$data/keys/node.pem" </dev/null; then
        echo "$service: has its certificate"
    else
        enter "$@"
    fi
    inside "$service" zhitong migrate "$data" </dev/null
}

# enter [--hub]: the request goes up, the welcome comes back. Neither holds a secret: the child is
# given the broker's password in its environment, and only the broker's address here.
enter() {
    if ! inside "$service" test -e "$data/request.json" </dev/null; then
        inside "$service" zhitong init "$data" --id "$id" --name "$name" --level "$level" "$@" </dev/null
    fi
    inside "$service" cat "$data/request.json" </dev/null > "$papers/$id.request.json"
    inside "$parent" zhitong certify - --output - --config "$data" \
        --broker "amqp://$parent-broker:5672/" \
        < "$papers/$id.request.json" > "$papers/$id.welcome.json"
    inside "$service" zhitong init "$data" --welcome - < "$papers/$id.welcome.json"
}

papers=$(mktemp -d)
trap 'rm -rf "$papers"' EXIT

broker province-broker "$ZT_PROVINCE_ID" "$ZT_PROVINCE_BROKER_PASSWORD" \
    "$ZT_PROVINCE_MANAGEMENT_PASSWORD"
broker city-broker "$ZT_CITY_ID" "$ZT_CITY_BROKER_PASSWORD" \
    "$ZT_CITY_MANAGEMENT_PASSWORD"
top province "$ZT_PROVINCE_ID" "$ZT_PROVINCE_NAME" province
below city "$ZT_CITY_ID" "$ZT_CITY_NAME" city \
    province "$ZT_PROVINCE_ID" "$ZT_CITY_LINK_PASSWORD" --hub
below county-a "$ZT_COUNTY_A_ID" "$ZT_COUNTY_A_NAME" county \
    city "$ZT_CITY_ID" "$ZT_COUNTY_A_LINK_PASSWORD"
below county-b "$ZT_COUNTY_B_ID" "$ZT_COUNTY_B_NAME" county \
    city "$ZT_CITY_ID" "$ZT_COUNTY_B_LINK_PASSWORD"
echo "All four offices are enrolled."
