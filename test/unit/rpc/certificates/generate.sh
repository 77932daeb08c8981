#!/bin/sh
# Makes the certificates that tls.test.ts uses: two authorities, and one node of each on loopback. They guard nothing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > ca.cnf <<'CNF'
[ca]
default_ca = test
[test]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[node]
basicConstraints = CA:FALSE
subjectAltName = IP:127.0.0.1,DNS:localhost
CNF
sign() { # name extensions further-options
  name=$1 extensions=$2
  shift 2
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -batch \
    -keyout "$name.key" -out "$name.csr" -subj "/CN=ZiStore test $name"
  # Valid from long ago, for machines with a clock of their own.
  openssl ca -config ca.cnf -batch -notext -startdate 20200101000000Z -enddate 21200101000000Z \
    -extensions "$extensions" -in "$name.csr" -out "$name.pem" "$@"
}
: > index.txt
for who in cluster stranger; do
  sign "$who-ca" authority -selfsign -keyfile "$who-ca.key"
  sign "$who-node" node -cert "$who-ca.pem" -keyfile "$who-ca.key"
  cp "$who-ca.pem" "$who-node.pem" "$who-node.key" "$here"
done
