#!/bin/sh
# Install Python's venv module with apt where we may; otherwise say in one line what to install.
set -eu
hint='Install Python’s venv module first: apt-get install python3-venv'
command -v apt-get >/dev/null || { echo "$hint" >&2; exit 1; }
if [ "$(id -u)" = 0 ]; then
    as_root=''
elif sudo -n true 2>/dev/null; then
    as_root='sudo'
else
    echo "$hint" >&2
    exit 1
fi
echo 'Installing python3-venv …'
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq python3-venv >/dev/null
