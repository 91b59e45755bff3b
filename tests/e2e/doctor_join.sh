#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl doctor where leased cannot tell whose connection asks to join: /proc hides processes from it, or the
# registry of the join connections is damaged. Each is named alone, with what it does to somebody who comes with a good
# code, and its mend helps. What setup makes for joining is in e2e/setup_join.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/join_lib.sh"
# shellcheck source=tests/doctor_lib.sh
. "$TOP/tests/doctor_lib.sh"

# Not what this machine and the sandbox decide, and not leased's own word, which may be some seconds old.
found() { found_but clock 'control port' others ceiling leased; }
leased_is_well() { [[ -z $(found_but clock 'control port' others ceiling) ]]; }
join_gateway
uid=$(id -u join)
friend=$(new_key friend)
invite friend --open 8009
sees_nothing 'on a healthy host'

note '/proc'
mount -o remount,hidepid=2 /proc
found >"$WORK/found"
assert_eq "$(cut -f 1,2 "$WORK/found" | tr '\t\n' ' ;')" 'fail join;fail proc;' 'hidepid: what it does to joining, and to sessions'
IFS=$'\t' read -r _ _ what _ mend <"$WORK/found"
[[ $what == '/proc hides from leased whose connection asks to join (hidepid='* ]] || fail "$what"
joins 7 "$friend" "$CODE"
bash -ec "$(sed -n "s/.*run '\(mount [^']*\)'.*/\1/p" <<<"$mend")" || fail "the mend fails: $mend"
sees_nothing 'when that is mended'
wait_for 10 'leased sees sessions again' leased_is_well
mount -o remount,hidepid=0 /proc

note 'RunDir/join'
registry=/run/tunlease/join
old_entry=$registry/sessions/1.3000001
damaged() # STATUS WHAT COMMAND...: STATUS is that of who tries to join then
{
	local status=$1 what=$2; shift 2
	"$@"
	sees fail join "$what" "^rm -rf '$registry'\$"
	[[ $status == - ]] || joins "$status" "$friend" "$CODE"
	bash -ec "$mend" || fail "the mend '$mend' fails"
	joins 3 "$friend" WRON-GCOD-EWRO-NGCO # pam_tunnel makes it anew
}
damaged 255 "^'$registry' cannot be used: others may write there" chmod 0770 $registry
a_file() { rm -rf $registry; touch $registry; }
a_link() { rm -rf $registry; ln -s "$WORK" $registry; }
damaged 255 "^'$registry' cannot be used: Not a directory" a_file
damaged 255 "^'$registry' cannot be used: (Not a directory|Too many levels)" a_link
damaged 7 "^leased cannot read '$registry/sessions': it has the mode 0700$" chmod 0700 $registry/sessions
damaged 7 "^leased cannot read '$registry': it has the mode 0750 and not the group _tunlease$" chgrp root $registry
# Of a container that ended: nobody can tell whether the process lives.
left_over()
{
	printf '%s\n' 'v 1' 'pid 3000001' 'start_ticks 5' 'lease_id 1' 'lease join' 'login join' "uid $uid" 'fingerprint f' \
		'source 192.0.2.1' "since_s $(($(date +%s) - 600))" 'state open' "boot_id $(cat /proc/sys/kernel/random/boot_id)" 'pid_ns 5' >$old_entry
	chown root:_tunlease $old_entry
	chmod 0640 $old_entry
	: >$registry/sessions/.5.ns # it has said that it writes here
}
damaged - "^1 connection in '$registry' cannot be seen: it is of another pid namespace" left_over
sees_nothing 'when all is mended'
wait_for 10 'leased has nothing to say either' leased_is_well
joins 0 "$friend" "$CODE"
ok 'and then the invite, which all this did not spend, is good'
