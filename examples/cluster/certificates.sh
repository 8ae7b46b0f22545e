#!/bin/bash
# Makes an authority and a certificate for each host, good for ten years, in ./tls/<host>/: certificates.sh HOST=ADDRESS…
# Run it once, on a machine that you trust; ca.key stays there, and the folder of each host goes to /etc/sltv/tls on that host.
set -euo pipefail
[ $# -gt 0 ] || { echo "usage: $0 host1=10.0.0.1 host2=10.0.0.2 host3=10.0.0.3" >&2; exit 2; }
umask 077
mkdir -p tls
curve=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650)

if [ ! -e tls/ca.key ]; then
  openssl req -x509 "${curve[@]}" -subj '/CN=sltv cluster' -keyout tls/ca.key -out tls/ca.pem
fi
for pair in "$@"; do
  host=${pair%%=*} address=${pair#*=}
  mkdir -p "tls/$host"
  openssl req "${curve[@]}" -subj "/CN=$host" -keyout "tls/$host/host.key" -out "tls/$host/host.csr"
  # etcd's members are servers to each other and clients of each other, and the daemon is a client of all.
  openssl x509 -req -in "tls/$host/host.csr" -CA tls/ca.pem -CAkey tls/ca.key -CAcreateserial -days 3650 \
    -extfile <(printf 'subjectAltName=DNS:%s,IP:%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$host" "$address") \
    -out "tls/$host/host.pem"
  rm "tls/$host/host.csr"
  cp tls/ca.pem "tls/$host/"
done
