#!/bin/bash
# SPDX-License-Identifier: ISC
# What strangers may send to leased's http process: raw requests; slow, idle, deaf and many clients;
# an engine that is full or silent; and honest clients all the while. Loopback and free ports only.
# timeout: 150
set -eu
exec "$TOP/tests/http_raw.py" "$TOP/build/tests/http_engine"
