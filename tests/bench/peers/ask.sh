#!/bin/bash
# SPDX-License-Identifier: ISC
# ask.sh LOGIN FINGERPRINT (sshd's %u %f): what one might write instead of akc, with the sqlite3
# program.
set -eu
[[ $1 =~ ^[a-z0-9_-]+$ && $2 =~ ^SHA256:[A-Za-z0-9+/]+$ ]]
exec sqlite3 -readonly /var/lib/tunlease/leases.db "
	SELECT 'restrict,port-forwarding,permitopen=\"' || open
		|| '\",permitopen=\"' || replace(open, '127.0.0.1', 'localhost')
		|| '\",permitlisten=\"NONE:1\",expiry-time=\"'
		|| strftime('%Y%m%d%H%M%SZ', expires_s, 'unixepoch')
		|| '\",command=\"/usr/sbin/nologin\" ' || type || ' ' || base64 || ' ' || name
	FROM key JOIN lease ON lease.id = key.lease_id
	WHERE fingerprint = '$2' AND key.login = '$1' AND key.live = 1
		AND expires_s > strftime('%s', 'now') + 0"
