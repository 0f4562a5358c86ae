#!/bin/sh
# Makes the accounts on the brokers of docker-compose.yml, which are running, and removes the one that
# RabbitMQ comes with. Can be run again.
#
# ZT_RABBITMQCTL says how to run rabbitmqctl on a broker, $ZT_RABBITMQCTL SERVICE ARGUMENTS…; without
# it, it is through docker compose. ZT_ENV_FILE is the file of settings.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ -n "${ZT_RABBITMQCTL:-}" ] || cd "$here/../.."
set -a
# shellcheck source=/dev/null
. "${ZT_ENV_FILE:-./.env}"
set +a

# on BROKER: how to call rabbitmqctl there.
on() {
    if [ -n "${ZT_RABBITMQCTL:-}" ]; then
        RABBITMQCTL="$ZT_RABBITMQCTL $1"
    else
        RABBITMQCTL="docker compose exec -T $1 rabbitmqctl"
    fi
    export RABBITMQCTL
}

# hub BROKER ID PASSWORD
hub() {
    on "$1"
    echo "$1: the account of $2"
    printf '%s\n' "$3" | "$here/../rabbitmq/add-hub.sh" "$2"
    if $RABBITMQCTL --quiet list_users </dev/null | cut -f 1 | grep -qx guest; then
        $RABBITMQCTL --quiet delete_user guest </dev/null
    fi
}

# child BROKER HUB-ID ID
child() {
    on "$1"
    echo "$1: the account of $3"
    "$here/../rabbitmq/add-child.sh" "$2" "$3"
}

hub province-broker "$ZT_PROVINCE_ID" "$ZT_PROVINCE_BROKER_PASSWORD"
child province-broker "$ZT_PROVINCE_ID" "$ZT_CITY_ID"
hub city-broker "$ZT_CITY_ID" "$ZT_CITY_BROKER_PASSWORD"
child city-broker "$ZT_CITY_ID" "$ZT_COUNTY_A_ID"
child city-broker "$ZT_CITY_ID" "$ZT_COUNTY_B_ID"
