#!/usr/bin/env bash
# The Debian packages that the test hosts need, installed only when missing. Root only.
set -euo pipefail
missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need mmdebstrap mmdebstrap
need mkfs.ext4 e2fsprogs
need ssh openssh-client
need ip iproute2
need iptables iptables
need ping iputils-ping
need systemd-nspawn systemd-container
need unshare util-linux
need perl perl
[ ${#missing[@]} -eq 0 ] && exit 0
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
