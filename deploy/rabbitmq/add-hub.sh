#!/bin/sh
# add-hub.sh HUB [VHOST]: makes the account with which the hub's own node uses its own broker. It has
# no password: a certificate that the hub issues to itself opens it.
#
# The account may do everything with the exchanges and queues that carry the hub's id, and nothing
# else. Accounts and policies are the business of another one: add-management.sh.
set -eu
# shellcheck source=deploy/rabbitmq/account.sh
. "$(dirname "$0")/account.sh"
[ $# -eq 1 ] || [ $# -eq 2 ] || fail "usage: add-hub.sh HUB [VHOST]"
node_id "$1"
account "$1" "${2:-/}" "^zt[.]$1[.]" "^zt[.]$1[.]" "^zt[.]$1[.]"
