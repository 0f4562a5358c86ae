#!/bin/sh
# add-child.sh HUB CHILD [VHOST]: makes the account with which the office CHILD dials up to the broker
# of the office HUB. It has no password: the certificate that the hub issued to CHILD opens it. Run
# again, it takes away a password that it was given otherwise.
#
# The account may write to the hub's exchange for what goes up, read its own three queues,
# and configure nothing. It is named exactly as the child's node: so certificates name it, and the
# broker vouches for who sent a message.
set -eu
# shellcheck source=deploy/rabbitmq/account.sh
. "$(dirname "$0")/account.sh"
[ $# -eq 2 ] || [ $# -eq 3 ] || fail "usage: add-child.sh HUB CHILD [VHOST]"
node_id "$1"
node_id "$2"
[ "$1" != "$2" ] || fail "an office is not its own child"
account "$2" "${3:-/}" '^$' "^zt[.]$1[.]up\$" "^zt[.]$1[.]to[.]$2([.](blob|dead))?\$"
# A node holds two connections with up to five channels each; more is a mistake or an attack.
ctl set_user_limits "$2" '{"max-connections": 8, "max-channels": 32}' </dev/null
