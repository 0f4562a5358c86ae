#!/bin/sh
# add-hub.sh HUB [VHOST], with the password on standard input: makes the account with which the
# hub's own node uses its own broker. Run again, it sets a new password. The node needs it for the
# management API; to the broker itself a certificate opens the account.
#
# The account may do everything with the exchanges and queues that carry the hub's id, and set
# policies in this virtual host; nothing else.
set -eu
# shellcheck source=deploy/rabbitmq/account.sh
. "$(dirname "$0")/account.sh"
[ $# -eq 1 ] || [ $# -eq 2 ] || fail "usage: add-hub.sh HUB [VHOST] < password"
node_id "$1"
read_password
account "$1" "${2:-/}" "^zt[.]$1[.]" "^zt[.]$1[.]" "^zt[.]$1[.]"
ctl set_user_tags "$1" policymaker </dev/null
