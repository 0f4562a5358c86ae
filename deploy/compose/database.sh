#!/bin/sh
# Run once by the PostgreSQL image when it makes its data folder: the node gets a role and a
# database of its own, and is no administrator.
set -eu
: "${ZT_SECRETS:=/run/secrets}"
export ZT_SECRETS
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 \
    --username="$POSTGRES_USER" --dbname=postgres <<'SQL'
\set password `cat "$ZT_SECRETS/node"`
CREATE ROLE zhitong LOGIN PASSWORD :'password';
CREATE DATABASE zhitong OWNER zhitong;
REVOKE ALL ON DATABASE zhitong FROM PUBLIC;
SQL
