#!/bin/bash
# SPDX-License-Identifier: ISC
# What each entry point of the module returns for whom, which symbols the module exports, and which
# libraries it needs.
# timeout: 60
set -eu
cd "$TOP"

fail() { printf '%s\n' "$*"; exit 1; }
module=build/lib/pam_tunnel.so

build/tests/pam/table "$TOP/$module"
LSAN_OPTIONS=detect_leaks=0 build/san/tests/pam/table "$TOP/build/san/lib/pam_tunnel.so"

# As an ordinary user calls su: the module must return the same without root.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 0755 "$work"
cp "$module" build/tests/pam/table "$work"
if [[ $(id -u) == 0 ]]; then
	setpriv --reuid=nobody --regid=nogroup --clear-groups env TMPDIR=/tmp "$work/table" "$work/pam_tunnel.so"
fi

exported=$(nm -D --defined-only "$module" | awk '{print $3}' | LC_ALL=C sort | tr '\n' ' ')
[[ $exported == 'pam_sm_acct_mgmt pam_sm_authenticate pam_sm_chauthtok pam_sm_close_session pam_sm_open_session pam_sm_setcred ' ]] ||
	fail "exported: $exported"
while read -r needed; do
	case $needed in
	libpam.so.*|libbsd.so.*|libmd.so.*|libc.so.*) ;;
	*) fail "it needs $needed" ;;
	esac
done < <(readelf -d "$module" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
