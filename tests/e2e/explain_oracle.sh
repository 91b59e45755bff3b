#!/bin/bash
# SPDX-License-Identifier: ISC
# explain and the real ssh agree: in random combinations of lease, login, key, forward, address, sshd
# settings, account and PAM, a forward opens when explain says admitted, and only then.
#
# TEST_CASES of them (10; tests/long/explain_oracle makes three hundred), from TEST_SEED, which is printed.
# TEST_FIRST: the number of the first, to try one case again alone: with the same seed it is the same.
# sandbox:
# timeout: 180
set -eu
. "$TOP/tests/lib.sh"

cases=${TEST_CASES:-10} seed=${TEST_SEED:-$((EPOCHSECONDS % 30000))} first=${TEST_FIRST:-1}
note "seed $seed"
types=(ed25519 ecdsa-256 ecdsa-384 rsa-2048 rsa-3072)
logins=(pfwd team gw-tunnel)
dropin=/etc/ssh/sshd_config.d/05-oracle.conf
saved=(/etc/passwd /etc/shadow /etc/group /etc/gshadow /etc/security/access.conf)
declare -A port_of_lease=()
next_port=20001 described='' reasons=$WORK/reasons

for port in 8009 8010; do
	serve $port
	serve $port ::1
done
leasectl login add team >/dev/null
leasectl setup >/dev/null
cp -a /etc/pam.d "$WORK/pam.d"
cp -a /etc/ssh/sshd_config "$WORK/sshd_config"
for file in "${saved[@]}"; do cp -a "$file" "$WORK/${file##*/}"; done

pick() { local words=("$@"); echo "${words[draw % ${#words[@]}]}"; }
# Draws the next number of the case. (A subshell has a RANDOM of its own, so it is drawn outside.)
draw() { draw=$RANDOM; }
one_of() { draw; chosen=$(pick "$@"); }
one_in() { draw; ((draw % $1 == 0)); }
note_case() { described+=" | $*"; }

# ---- leases: each is made when a case first needs it ------------------------------------------------

make_key()
{
	local type=${2%-*} bits=${2#*-}
	[[ ! -e $WORK/$1 ]] || return 0
	[[ $bits != "$type" ]] || bits=256
	ssh-keygen -q -t "$type" -b "$bits" -N '' -C "$1" -f "$WORK/$1" </dev/null
}

# need_lease STATE TYPE LOGIN: sets key and lease. Active leases open 8009 where the login may, or listen.
need_lease()
{
	local state=$1 type=$2 login=$3 terms=()
	lease=$state-$type-$login key=$WORK/$state-$type-$login
	[[ $state != other ]] || login=$(pick team pfwd)
	[[ -z ${port_of_lease[$lease]-} ]] || return 0
	make_key "$lease" "$type"
	port_of_lease[$lease]=none
	[[ $state != unknown ]] || return 0
	[[ $login == gw-tunnel ]] || terms+=(--open 8009 --open "[::1]:8009")
	if [[ $login != pfwd ]]; then
		port_of_lease[$lease]=$((next_port++))
		terms+=(--listen "${port_of_lease[$lease]}")
	fi
	[[ $state != expired ]] || terms+=(--for 1s)
	leasectl grant "$lease" --key "$key.pub" --login "$login" "${terms[@]}" >/dev/null
	[[ $state != revoked ]] || leasectl revoke "$lease" >/dev/null
	[[ $state != expired ]] || wait_for 10 'the lease to expire' is_expired "$lease"
}
is_expired() { leasectl --json show "$1" | some_line '"state":"expired"'; }

# ---- what may be wrong with the host ----------------------------------------------------------------

# match_login SETTING: for the login, and of these cases a third for one address alone.
match_login()
{
	local where="User $login"
	! one_in 3 || where="Address 127.0.0.9 User $login"
	! one_in 6 || where="Address ::1,127.0.0.0/29"
	printf 'Match %s\n    %s\nMatch all\n' "$where" "$1" >>"$dropin"
	note_case "Match $where: $1"
}
global() { printf '%s\n' "$1" >>"$WORK/global"; }

fault_users()
{
	one_of "AllowUsers $login" 'AllowUsers li' 'AllowUsers *' "AllowUsers !$login" "AllowUsers li !$login *" \
		"AllowUsers $login@127.0.0.0/8" "AllowUsers $login@10.0.0.0/8" "AllowUsers *@!127.0.0.1,127.*" \
		"AllowUsers ?*@*,!127.0.0.9" "AllowUsers ${login^^}" "AllowUsers ${login:0:2}*" "DenyUsers $login" \
		'DenyUsers li' "DenyUsers *@127.0.0.9" "DenyUsers !$login" "DenyUsers $login@::/0" \
		'AllowGroups _tunnel' 'AllowGroups li root' 'AllowGroups _tun*' 'AllowGroups _tunnel,li' \
		'DenyGroups _tunnel' 'DenyGroups li' 'DenyGroups *'
	global "$chosen"
	note_case "$chosen"
}

fault_keys()
{
	one_of 'PubkeyAcceptedAlgorithms ssh-ed25519' 'PubkeyAcceptedAlgorithms rsa-sha2-256' \
		'PubkeyAcceptedAlgorithms -ecdsa*' 'PubkeyAcceptedAlgorithms -ssh-ed25519' 'RequiredRSASize 3072' \
		'RequiredRSASize 4096' 'PubkeyAuthOptions verify-required' "RevokedKeys $WORK/no-such-file" \
		"RevokedKeys $WORK/revoked.text" "RevokedKeys $WORK/revoked.krl" "RevokedKeys $WORK/others.text"
	[[ $chosen != *revoked.text ]] || cp "$key.pub" "$WORK/revoked.text"
	[[ $chosen != *others.text ]] || cp /home/li/.ssh/id_ed25519.pub "$WORK/others.text"
	[[ $chosen != *revoked.krl ]] || ssh-keygen -q -k -f "$WORK/revoked.krl" "$(pick "$key.pub" /home/li/.ssh/id_ed25519.pub)"
	global "$chosen"
	note_case "$chosen"
}

fault_block()
{
	one_of 'PubkeyAuthentication no' 'AuthenticationMethods publickey,password' \
		'AuthenticationMethods publickey,password publickey' 'AuthenticationMethods any' \
		'AuthorizedKeysCommand none' 'AuthorizedKeysCommandUser nobody-here' 'DisableForwarding yes' \
		'AllowTcpForwarding no' 'AllowTcpForwarding local' 'AllowTcpForwarding remote' 'AllowTcpForwarding yes' \
		'PermitOpen none' 'PermitOpen any' 'PermitOpen 127.0.0.1:8009' 'PermitOpen *:8010' 'PermitOpen localhost:*' \
		'PermitListen none' 'PermitListen any' 'PermitListen 20001 20002' 'PermitListen localhost:*' \
		'PermitListen 127.*:*' 'GatewayPorts no' 'MaxSessions 0' "AllowUsers li" "DenyGroups _tunnel" \
		'AuthorizedKeysFile .ssh/none-here' 'PermitTTY no' foreign
	[[ $chosen != foreign ]] || chosen=$'AuthorizedKeysCommand /usr/bin/true\n    AuthorizedKeysCommandUser root'
	match_login "$chosen"
}

fault_account()
{
	local today
	today=$(($(date +%s) / 86400))
	one_of "chage -E $((today - 1))" "chage -E $today" "chage -E $((today + 1))" 'chage -d 0' \
		"chage -d $((today - 20)) -M 10" "chage -d $((today - 20)) -M 10 -I 5" "chage -d $((today - 10)) -M 10 -I 0" \
		"chage -d $((today + 5)) -M 1" 'usermod -p !locked' 'usermod -s /nonexistent' 'usermod -s /usr/bin/false' \
		"usermod -s /etc/passwd" 'gpasswd' 'delete-shadow'
	case $chosen in
	gpasswd) usermod -g nogroup -G '' "$login" ;;
	delete-shadow) sed -i "/^$login:/d" /etc/shadow ;;
	*) $chosen "$login" ;;
	esac
	note_case "$chosen"
}

# Inserts a line before or behind pam_nologin's, where the file is.
pam_line() { [[ ! -e /etc/pam.d/sshd ]] || sed -i "/^account.*pam_nologin/$1 $2" /etc/pam.d/sshd; }

fault_access()
{
	local rules
	pam_line "$(pick i a)" "account $(pick required requisite 'sufficient' '[default=ignore]') pam_access.so"
	one_of "-:$login:ALL" '-:ALL EXCEPT root:ALL' "+:$login:127.0.0.1\n-:ALL:ALL" "+:(_tunnel):ALL\n-:ALL:ALL" \
		"-:_tunnel:127.0.0.9" "+:ALL:LOCAL\n-:$login:ALL" "-:ALL EXCEPT $login:ALL" "-:$login:127.0.0.0/8 EXCEPT 127.0.0.9" \
		"+:li:ALL\n-:li:ALL" "-:$login:127." "-:$login:::1" ''
	rules=$chosen
	printf '%b\n' "$rules" >/etc/security/access.conf
	note_case "$(grep -s '^account.*pam_access' /etc/pam.d/sshd || :) $rules"
}

fault_pam()
{
	draw
	one_of nologin run-nologin 'account required pam_no_such.so' 'account optional pam_no_such.so' \
		'account [default=ignore] pam_deny.so' 'account requisite pam_deny.so' 'account sufficient pam_permit.so' \
		'account [success=1 default=ignore] pam_permit.so' 'session required pam_deny.so' \
		'session optional pam_deny.so' 'account substack deny' no-file no-unix 'account required pam_time.so' \
		"account $(pick required sufficient) pam_succeed_if.so quiet user $(pick ingroup notingroup) $(pick _tunnel li)" \
		'account required pam_succeed_if.so quiet uid < 1000' 'account required pam_succeed_if.so uid >= 1000 quiet' \
		'account [success=1 default=ignore] pam_succeed_if.so service in crond:sshd quiet use_uid' \
		'account required pam_succeed_if.so user notin li:pfwd service notin cron'
	case $chosen in
	nologin) echo 'closed for today' >/etc/nologin ;;
	run-nologin) echo 'closed for today' >/run/nologin ;;
	no-file) rm -f /etc/pam.d/sshd ;;
	no-unix) sed -i '/pam_unix/d' /etc/pam.d/common-account ;;
	*)
		printf 'account requisite pam_deny.so\n' >/etc/pam.d/deny
		pam_line "$(pick i a)" "$chosen"
		;;
	esac
	note_case "$chosen"
}

# What akc and pam_tunnel need.
fault_product()
{
	one_of closed-store no-akc open-registry no-registry
	case $chosen in
	closed-store) chmod 0700 /var/lib/tunlease ;;
	no-akc) chmod 0700 /usr/libexec/tunlease ;;
	open-registry) [[ ! -d /run/tunlease/sessions ]] || chmod 0777 /run/tunlease/sessions ;; # it may be gone by then
	no-registry) rm -rf /run/tunlease ;;
	esac
	note_case "$chosen"
}

fault_lease()
{
	one_of from from-other from-network frozen frozen-all full
	case $chosen in
	from) leasectl set "$lease" --from "$addr" >/dev/null ;;
	from-other) leasectl set "$lease" --from 127.0.0.7,2001:db8::/32 >/dev/null ;;
	from-network) leasectl set "$lease" --from 127.0.0.0/29 >/dev/null ;;
	frozen) leasectl freeze "$login" >/dev/null ;;
	frozen-all) leasectl freeze >/dev/null ;;
	full)
		[[ ${port_of_lease[$lease]} == none ]] || return 0
		[[ -z $reloaded ]] || reload_sshd # the case before had other settings
		leasectl set "$lease" --max-sessions 1 >/dev/null
		fwd_L "$key" "$login" 18000:127.0.0.1:8009 ||
			fail "$described: the session that fills the lease does not open: $(tail -n 3 "$WORK/ssh.err")"
		holder=$FWD_PID
		;;
	esac
	note_case "lease: $chosen"
}

# ---- a case ------------------------------------------------------------------------------------------

restore()
{
	local file
	[[ -z $holder ]] || fwd_stop "$holder"
	for file in "${saved[@]}"; do cp -a "$WORK/${file##*/}" "$file"; done
	rm -rf /etc/pam.d /etc/nologin /run/nologin "$dropin" "$WORK/global" "$WORK"/revoked.* "$WORK"/others.*
	cp -a "$WORK/pam.d" /etc/pam.d
	cp -a "$WORK/sshd_config" /etc/ssh/sshd_config
	chmod 0755 /usr/libexec/tunlease
	chmod 2750 /var/lib/tunlease
	[[ ! -d /run/tunlease/sessions ]] || chmod 0750 /run/tunlease/sessions
	leasectl thaw >/dev/null
	[[ $login == '' ]] || leasectl thaw "$login" >/dev/null
	[[ $state != active ]] || leasectl set "$lease" --from none >/dev/null
	if [[ -n $holder ]]; then
		leasectl set "$lease" --max-sessions none >/dev/null
		holder=''
	fi
}

prepare()
{
	local fault host_is_changed=''
	described='' chosen=''
	one_of "${logins[@]}"; login=$chosen
	one_of "${types[@]}"; type=$chosen
	one_of active active active active active active active active active active active active expired revoked unknown other
	state=$chosen
	[[ $state == active ]] || type=ed25519
	draw
	need_lease "$state" "$type" "$login"
	one_of 127.0.0.1 127.0.0.1 127.0.0.9 ::1; addr=$chosen
	local port=${port_of_lease[$lease]}
	if [[ $port == none || $login != gw-tunnel ]] && ! { [[ $login == team ]] && one_in 2; }; then
		kind=open
		one_of 127.0.0.1:8009 localhost:8009 127.0.0.1:8009 localhost:8009 127.0.0.1:8009 localhost:8009 \
			'[::1]:8009' '[::1]:8009' 127.0.0.1:8010 LOCALHOST:8009
	else
		kind=listen
		one_of "$port" "$port" "127.0.0.1:$port" "localhost:$port" LocalHost:"$port" 20999
		[[ $chosen != *none ]] || chosen=20999
	fi
	forward=$chosen
	note_case "$login $type $state --$kind $forward from $addr"
	one_of 0 1 1 1 2 2 3
	for ((faults = chosen; faults > 0; faults--)); do
		one_of users keys block account account access access pam pam pam lease nopam product
		fault=$chosen
		if [[ $fault == nopam ]]; then
			sed -i 's/^UsePAM yes/UsePAM no/' /etc/ssh/sshd_config
			note_case 'UsePAM no'
		elif [[ $fault == lease ]]; then
			# First or not at all: a session that fills the lease must still open.
			[[ $state != active || -n $host_is_changed ]] || fault_lease
		else
			"fault_$fault"
		fi
		host_is_changed=1
	done
	[[ ! -s $WORK/global ]] || { cat "$WORK/global" "$dropin" >"$WORK/dropin" 2>/dev/null || :; mv "$WORK/dropin" "$dropin"; }
}

# opens: does the forward work, as the real ssh sees it? Else it must be a refusal.
opens()
{
	local host=127.0.0.1 options=(-b "$addr")
	[[ $addr != *:* ]] || { host=::1; options=(); }
	: >"$WORK/ssh.out"
	if [[ $kind == open ]]; then
		timeout "$(slow 20)" "${SSH[@]}" "${options[@]}" -o LogLevel=VERBOSE -i "$key" -W "$forward" -l "$login" "$host" \
			</dev/null >"$WORK/ssh.out" 2>"$WORK/ssh.err" || :
		grep -q '^hello from' "$WORK/ssh.out"
	else
		GATEWAY=$host ssh_start "$key" "$login" 'remote forward (success|failure) for|forwarding_success' \
			"${options[@]}" -R "$forward:127.0.0.1:8009" || { fwd_stop; return 1; }
		local rc=0
		! grep -q 'remote forward failure for' "$WORK/ssh.err" || rc=1
		((rc != 0)) || wait_for 5 'the session to be registered or refused' settled
		kill -0 "$FWD_PID" 2>/dev/null || rc=1
		fwd_stop
		return "$rc"
	fi
}
settled() { ! kill -0 "$FWD_PID" 2>/dev/null || [[ -n $(ss -Hltn "sport = :${forward##*:}") ]]; }

refused_words='Permission denied|administratively prohibited|remote port forwarding failed|Connection (closed|reset)|closed by remote host|open failed|no authentication methods enabled|send disconnect: Broken pipe|Connection to .* closed'

unknown=0 agreed=0 login='' state='' holder='' lease='' chosen='' reloaded=''
: >"$reasons"
for ((number = first; number < first + cases; number++)); do
	RANDOM=$((seed * 1000 + number))
	prepare
	if [[ -e $dropin ]] || ! cmp -s "$WORK/sshd_config" /etc/ssh/sshd_config || [[ -n $reloaded ]]; then
		reload_sshd
		reloaded=''
		if [[ -e $dropin ]] || ! cmp -s "$WORK/sshd_config" /etc/ssh/sshd_config; then reloaded=1; fi
	fi
	rc=0
	leasectl --json explain "$login" --key "$key.pub" "--$kind" "$forward" --addr "$addr" >"$WORK/answer" 2>"$WORK/err" || rc=$?
	verdict=$(sed -n 's/.*"verdict":"\([a-z_]*\)".*/\1/p' "$WORK/answer")
	[[ -n $verdict ]] || fail "case $number$described: no verdict: $(cat "$WORK/err" "$WORK/answer")"
	real=refused
	! opens || real=admitted
	if [[ $real == refused ]] && ! grep -E -q "$refused_words" "$WORK/ssh.err"; then
		fail "case $number$described: ssh fails for another reason: $(tail -n 3 "$WORK/ssh.err")"
	fi
	sed -n 's/.*"verdict":"[a-z_]*","layer":\("[a-z]*"\|null\),"rule":"\([a-z_]*\)".*/\1 \2/p' "$WORK/answer" >>"$reasons"
	if [[ $verdict == not_known ]]; then
		unknown=$((unknown + 1))
	elif [[ $verdict == "$real" ]]; then
		agreed=$((agreed + 1))
		[[ $rc == "$([[ $real == admitted ]] && echo 0 || echo 1)" ]] || fail "case $number: exit status $rc of $verdict"
	else
		note "ssh: $(tail -n 3 "$WORK/ssh.err")"
		note "log: $(tail -n 6 "$SANDBOX_LOG")"
		fail "seed $seed, case $number$described: explain says $verdict, and it is $real: $(cat "$WORK/answer")"
	fi
	note "$number$described: $(tail -n 1 "$reasons")"
	restore
done
# Few are; but of ten that chance has chosen, several may be.
((unknown <= cases / 10 + 2)) || fail "$unknown of $cases were not known"
ok "explain and ssh agree in $agreed cases, $unknown were not known"
sort "$reasons" | uniq -c | sort -rn | sed 's/^/# /'
