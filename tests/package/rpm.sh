#!/bin/bash
# SPDX-License-Identifier: ISC
# The spec file: rpmbuild builds the packages of the source archive, their version is that of VERSION, no file is
# in two of them, none is missing, and they have the files of the Debian packages but for those that are named
# here. They are built without optimisation, which takes a third of the time.
# timeout: 240
set -eu
cd "$TOP"

for need in rpmbuild:rpm dpkg-deb:dpkg; do
	type -P "${need%:*}" >/dev/null || { echo "needs ${need#*:}"; exit 77; }
done
fail() { echo "FAIL: $*"; exit 1; }
version=$(cat VERSION)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# shellcheck source=tests/machine.sh
. tests/machine.sh
packages_built
debs=("$(deb_of tunlease)" "$(deb_of libpam-tunnel)" "$(deb_of tunnel-agent)")

make -s BUILD="$work" dist >/dev/null
packaging/rpm/build "$work/tunlease-$version.tar.gz" "$work/rpm" --define 'optflags -O0' || fail 'rpmbuild'
rpms=("$work"/rpm/{tunlease,pam_tunnel,tunnel-agent}-"$version"-*.rpm)
[[ ${#rpms[@]} == 3 && $(find "$work/rpm" -name '*.rpm' | wc -l) == 3 ]] || fail "these packages: $(ls "$work/rpm")"
for rpm in "${rpms[@]}"; do
	[[ $(rpm -qp --qf '%{VERSION}' "$rpm") == "$version" ]] || fail "$rpm has not the version $version"
done

# files PACKAGE: its files, without folders and rpmbuild's links for debuggers.
files() { rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$1" | grep -v '^d' | cut -d' ' -f2- | grep -v '/\.build-id/' | sort; }
for rpm in "${rpms[@]}"; do files "$rpm"; done >"$work/all"
twice=$(sort "$work/all" | uniq -d)
[[ -z $twice ]] || fail "in two packages: $twice"

# Each with the same name in both. Only in the RPM: licence files, README.rpm, and CHANGES.md, which debhelper
# calls changelog. Only in Debian's: what is of dpkg and
# of lintian, and the profile of pam-auth-update.
as_one() { sed -E -e 's,\.gz$,,' -e 's,^/(usr/)?lib/systemd/,/usr/lib/systemd/,' -e 's,^/(usr/)?lib(64|/[^/]*-linux-gnu)/security/,PAM/,' \
	-e 's,/zsh/(vendor-completions|site-functions)/,/zsh/,'; }
of_rpm() { files "$1" | grep -v -e /usr/share/licenses/ -e '/README\.rpm$' -e '/tunlease/CHANGES\.md$' | as_one | sort; }
of_deb() { dpkg-deb -c "$1" | grep -v '^d' | awk '{ print $6 }' | sed 's,^\.,,' |
	grep -v -E -e '/changelog(\.Debian)?(\.[a-z0-9]+)?(\.gz)?$' -e '^/usr/share/doc/[^/]*/(copyright|NEWS\.Debian\.gz|README\.Debian(\.gz)?)$' \
		-e ^/usr/share/lintian/ -e ^/usr/share/pam-configs/ | as_one | sort; }
for i in 0 1 2; do
	of_deb "${debs[i]}" >"$work/deb"
	[[ -s $work/deb ]] || fail "no files in ${debs[i]}"
	of_rpm "${rpms[i]}" >"$work/files"
	diff -u --label "${debs[i]##*/}" "$work/deb" --label "${rpms[i]##*/}" "$work/files" || fail 'other files than in the Debian package'
	echo "${rpms[i]##*/}: the $(wc -l <"$work/files") files of ${debs[i]##*/}"
done

# The scripts run with /bin/sh, and no macro is left in them that only Fedora would know.
for rpm in "${rpms[@]}"; do
	rpm -qp --scripts "$rpm" >"$work/scripts"
	! grep -n '%[{a-z]' "$work/scripts" || fail "a macro is left in a script of ${rpm##*/}"
	grep -v -E '^[a-z]+ scriptlet ' "$work/scripts" | sh -n || fail "a script of ${rpm##*/} is no shell"
done
