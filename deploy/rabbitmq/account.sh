# shellcheck shell=sh
# Sourced by add-hub.sh, add-management.sh and add-child.sh: makes or changes one account.
#
# RABBITMQCTL is how to call rabbitmqctl on the hub's broker, for instance
# "docker compose exec -T city-broker rabbitmqctl".

RABBITMQCTL=${RABBITMQCTL:-rabbitmqctl}

ctl() {
    # shellcheck disable=SC2086  # a command with its first arguments
    $RABBITMQCTL --quiet "$@"
}

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

node_id() {
    printf '%s\n' "$1" | LC_ALL=C grep -Eqx '[a-z][a-z0-9-]{1,38}[a-z0-9]' || fail "'$1' is no node id"
}

# Reads the password from standard input, unseen if that is a terminal.
read_password() {
    if [ -t 0 ]; then
        trap 'stty echo' EXIT
        stty -echo
        printf 'Password: ' >&2
    fi
    IFS= read -r password || [ -n "$password" ] || fail "no password on standard input"
    # It becomes part of an address, where other characters would have to be spelled differently.
    printf '%s\n' "$password" | LC_ALL=C grep -Eqx '[A-Za-z0-9._~-]{16,}' ||
        fail "a password has at least 16 characters, out of A-Z a-z 0-9 . _ ~ -"
}

# account NAME VHOST CONFIGURE WRITE READ, without a password: the office's certificate opens it.
account() {
    random=$(od -An -v -tx1 -N24 /dev/urandom | tr -d ' \n')
    if ! printf '%s\n' "$random" | ctl add_user "$1" 2>/dev/null; then
        # It is there already, or the broker does not answer and says so below.
        wanted=$(printf '%s\t%s\t%s\t%s' "$1" "$3" "$4" "$5")
        held=$(ctl list_permissions --vhost "$2" </dev/null | awk -F '\t' -v name="$1" '$1 == name')
        [ -z "$held" ] || [ "$held" = "$wanted" ] ||
            fail "$1 has other permissions in '$2' already: give every hub a virtual host of its own"
    fi
    ctl clear_password "$1" </dev/null
    ctl set_permissions --vhost "$2" "$1" "$3" "$4" "$5" </dev/null
}

# account_without_rights NAME, with the password on standard input.
account_without_rights() {
    read_password
    printf '%s\n' "$password" | ctl add_user "$1" 2>/dev/null ||
        printf '%s\n' "$password" | ctl change_password "$1"
}
