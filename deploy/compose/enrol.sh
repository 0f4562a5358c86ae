#!/bin/sh
# Enrols the four offices of docker-compose.yml, from the top down: keys, tables, requests, approvals,
# welcomes. The databases and brokers are running; the nodes are not yet.
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
    docker compose run --rm --no-deps -T --entrypoint env "$service" "$@"
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
# node is running yet; the welcome's password can be read with the child's key alone.
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

broker province-broker "$ZT_PROVINCE_ID" "$ZT_PROVINCE_BROKER_PASSWORD" \
    "$ZT_PROVINCE_MANAGEMENT_PASSWORD"
broker city-broker "$ZT_CITY_ID" "$ZT_CITY_BROKER_PASSWORD" \
    "$ZT_CITY_MANAGEMENT_PASSWORD"
top province "$ZT_PROVINCE_ID" "$ZT_PROVINCE_NAME" province
below city "$ZT_CITY_ID" "$ZT_CITY_NAME" city province --hub
inside city zhitong migrate "$data" </dev/null
below county-a "$ZT_COUNTY_A_ID" "$ZT_COUNTY_A_NAME" county city
below county-b "$ZT_COUNTY_B_ID" "$ZT_COUNTY_B_NAME" county city
echo "All four offices are enrolled."
