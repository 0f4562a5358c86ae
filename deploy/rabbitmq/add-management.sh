#!/bin/sh
# add-management.sh HUB, with the password on standard input: makes the account HUB.management with
# which the hub's node makes and closes the accounts of the offices below, and sets policies, through
# the management API. Run again, it sets a new password.
#
# RabbitMQ lets only administrators do that. The account has no permissions, so it sends and reads no
# messages; its name is no node's, so no office can be called like it.
set -eu
# shellcheck source=deploy/rabbitmq/account.sh
. "$(dirname "$0")/account.sh"
[ $# -eq 1 ] || fail "usage: add-management.sh HUB < password"
node_id "$1"
account_without_rights "$1.management"
ctl set_user_tags "$1.management" administrator </dev/null
