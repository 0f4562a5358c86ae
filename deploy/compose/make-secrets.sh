#!/bin/sh
# Makes .env from env.example with random passwords, and the files of docker-compose.yml's secrets,
# in the folder that is given, or else in the project's. Keeps what is there already.
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"

random() {
    od -An -v -tx1 -N24 /dev/urandom | tr -d ' \n'
}

if [ ! -e .env ]; then
    while IFS= read -r line; do
        case $line in
            *_PASSWORD=) line=$line$(random) ;;
        esac
        printf '%s\n' "$line"
    done < "$here/env.example" > .env.new
    mv .env.new .env
fi

mkdir -p data/secrets
for office in province city; do
    # The images read them as another user; the folder lets nobody else in.
    [ -e "data/secrets/$office-db-administrator" ] || random > "data/secrets/$office-db-administrator"
    name=ZT_$(echo "$office" | tr "[:lower:]" "[:upper:]")_DB_PASSWORD
    sed -n "s/^$name=//p" .env | tr -d '\n' > "data/secrets/$office-db-node"
    chmod 444 "data/secrets/$office-db-administrator" "data/secrets/$office-db-node"
done
echo "Wrote $(pwd)/.env and $(pwd)/data/secrets."
