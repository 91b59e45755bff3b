#!/bin/bash
# SPDX-License-Identifier: ISC
# One version everywhere: VERSION, what the programs say, the packages' changelogs, CHANGES.md, manual pages.
set -euo pipefail
cd "$TOP"

version=$(cat VERSION)
bad=0
same() # WHERE WHAT
{
	[[ $2 == "$version" ]] || { echo "FAIL: VERSION is '$version', and $1 says '$2'"; bad=1; }
}
for program in leasectl leased tunnel-agent akc; do
	same "$program --version" "$("build/bin/$program" --version | awk '{ print $NF; exit }')"
done
# A revision of the package follows a hyphen.
same packaging/debian/changelog "$(sed -n '1s/.*(\(.*\)-[^-]*).*/\1/p' packaging/debian/changelog)"
same packaging/rpm/tunlease.spec "$(sed -n 's/^Version:[[:space:]]*//p' packaging/rpm/tunlease.spec)"
same "CHANGES.md's newest heading" "$(sed -n 's/^## \([0-9][^, ]*\).*/\1/p' CHANGES.md | head -n 1)"
for page in akc/akc.8 join/join.8 leased/leased.8 leasectl/leasectl.1 pam_tunnel/pam_tunnel.8 tunnel-agent/tunnel-agent.1 \
	lib/conf/tunlease.conf.5; do
	same "$page" "$(sed -n 's/^\.Os tunlease //p' "$page")"
done
((bad == 0)) && echo "ok - $version everywhere"
