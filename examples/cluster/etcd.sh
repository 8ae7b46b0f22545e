#!/bin/bash
# Runs this host's member of the etcd that the cluster stands on: etcd.sh NAME HOST=ADDRESS…, on every host with the same list.
# The certificates are those of certificates.sh. TLS and DATA name other folders than the usual ones.
set -euo pipefail
[ $# -gt 1 ] || { echo "usage: $0 host1 host1=10.0.0.1 host2=10.0.0.2 host3=10.0.0.3" >&2; exit 2; }
name=$1
shift
tls=${TLS:-/etc/sltv/tls} data=${DATA:-/var/lib/etcd-sltv}
members=() own=
for pair in "$@"; do
  members+=("${pair%%=*}=https://${pair#*=}:2380")
  if [ "${pair%%=*}" = "$name" ]; then own=${pair#*=}; fi
done
[ -n "$own" ] || { echo "$0: $name is not in the list of hosts" >&2; exit 2; }

exec etcd --name "$name" --data-dir "$data" \
  --initial-cluster "$(IFS=,; echo "${members[*]}")" --initial-cluster-token sltv --initial-cluster-state new \
  --listen-peer-urls "https://$own:2380" --initial-advertise-peer-urls "https://$own:2380" \
  --listen-client-urls "https://$own:2379" --advertise-client-urls "https://$name:2379" \
  --peer-client-cert-auth --peer-trusted-ca-file "$tls/ca.pem" --peer-cert-file "$tls/host.pem" --peer-key-file "$tls/host.key" \
  --client-cert-auth --trusted-ca-file "$tls/ca.pem" --cert-file "$tls/host.pem" --key-file "$tls/host.key" \
  --auto-compaction-mode periodic --auto-compaction-retention 1h
