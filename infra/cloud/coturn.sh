#!/bin/sh
# A machine's start: coturn with credentials that expire, from the secret that the
# functions sign them with (draft-uberti-behave-turn-rest-00).
set -eu
metadata() {
    curl -sf -H 'Metadata-Flavor: Google' \
        "http://metadata.google.internal/computeMetadata/v1/$1"
}

apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    coturn curl python3 ca-certificates

project=$(metadata project/project-id)
realm=$(metadata instance/attributes/parley-turn-realm)
name=$(metadata instance/attributes/parley-turn-secret)
outside=$(metadata instance/network-interfaces/0/access-configs/0/external-ip)
inside=$(metadata instance/network-interfaces/0/ip)
token=$(metadata instance/service-accounts/default/token |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
secret=$(curl -sf -H "Authorization: Bearer $token" \
    "https://secretmanager.googleapis.com/v1/projects/$project/secrets/$name/versions/latest:access" |
    python3 -c 'import base64, json, sys
print(base64.b64decode(json.load(sys.stdin)["payload"]["data"]).decode().strip())')

umask 077
cat > /etc/turnserver.conf <<CONF
listening-port=3478
listening-ip=$inside
relay-ip=$inside
external-ip=$outside/$inside
min-port=49152
max-port=65535
realm=$realm
use-auth-secret
static-auth-secret=$secret
fingerprint
no-cli
no-tls
no-dtls
no-multicast-peers
no-software-attribute
user-quota=12
total-quota=4800
stale-nonce=600
# Nothing private may be reached through us (CVE-2020-26262 and its kin).
denied-peer-ip=0.0.0.0-0.255.255.255
denied-peer-ip=10.0.0.0-10.255.255.255
denied-peer-ip=100.64.0.0-100.127.255.255
denied-peer-ip=127.0.0.0-127.255.255.255
denied-peer-ip=169.254.0.0-169.254.255.255
denied-peer-ip=172.16.0.0-172.31.255.255
denied-peer-ip=192.0.0.0-192.0.0.255
denied-peer-ip=192.168.0.0-192.168.255.255
denied-peer-ip=198.18.0.0-198.19.255.255
denied-peer-ip=224.0.0.0-255.255.255.255
CONF
chown turnserver /etc/turnserver.conf
systemctl enable coturn
systemctl restart coturn
