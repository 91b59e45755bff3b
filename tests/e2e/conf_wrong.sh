#!/bin/bash
# SPDX-License-Identifier: ISC
# A wrong line of the configuration stops commands that grant something, but none that end something.
# sandbox:
# timeout: 60
set -eu
. "$TOP/tests/lib.sh"

conf=/etc/tunlease/tunlease.conf
cp -a "$conf" "$WORK/conf"
serve 8009
key=$(new_key alice)
bob=$(new_key bob)
leasectl grant alice --key "$key.pub" --open 8009 >/dev/null

# fwd_L returns when the client is connected; the session may be registered a little later.
tunnel_up()
{
	fwd_L "$key" pfwd "$1:127.0.0.1:8009" || fail "$2"
	wait_for 5 'the session is registered' registered
}
registered() { leasectl sessions 2>/dev/null | some_line '^alice'; }

# wrong TEXT WHAT: appends TEXT to the original file; WHAT is the error that leasectl must report.
wrong() { cp -a "$WORK/conf" "$conf"; printf '%s\n' "$1" >>"$conf"; what=$2; }
# does CODE COMMAND...: it exits with CODE and warns of the wrong line.
does()
{
	local code=$1; shift
	expect_exit "$code" "$@"
	grep -q "^leasectl: $2: warning: .*$what" "$WORK/err" || fail "'$*' does not say what is wrong: $(cat "$WORK/err")"
	ok "exit $code: $*"
}
refuses()
{
	expect_exit 1 "$@"
	grep -q "cannot use the configuration: .*$what" "$WORK/err" || fail "'$*': $(cat "$WORK/err")"
	ok "refused: $*"
}

tunnel_up 9001 'no tunnel to start from'
wrong 'AllowListen team 127.0.0.1:20000-20100' 'AgentBindHost .* does not lie within AllowListen'
does 0 leasectl sessions
[[ $(grep -c alice "$WORK/out") == 1 ]] || fail "sessions shows no alice: $(cat "$WORK/out")"
does 0 leasectl list
refuses leasectl grant bob --key "$bob.pub" --open 8009
refuses leasectl renew alice --for 2d
refuses leasectl thaw pfwd
refuses leasectl key add alice --key "$bob.pub"
refuses leasectl set alice --open +8010
refuses leasectl token create
does 0 leasectl token list
does 3 leasectl revoke nobody
does 0 leasectl kill alice
wait_for 5 'the tunnel ends' is_gone "$FWD_PID"

wrong 'TunnelGroup two words' "tunlease.conf:[0-9]*: TunnelGroup words takes exactly one value"
tunnel_up 9002 'akc minds a line that is not its own'
does 0 leasectl freeze pfwd
wait_for 5 'the tunnel ends' is_gone "$FWD_PID"
login_refused "$key" pfwd || fail 'frozen, and let in'
cp -a "$WORK/conf" "$conf"
leasectl thaw pfwd >/dev/null

wrong $'NoSuchKeyword yes\nMaxTTL soon' 'NoSuchKeyword yes is no keyword'
tunnel_up 9003 'not thawed'
does 0 leasectl revoke alice
grep -q "MaxTTL soon is not a duration" "$WORK/err" || fail "the second line is not named: $(cat "$WORK/err")"
wait_for 5 'the tunnel ends' is_gone "$FWD_PID"
does 0 leasectl delete alice
note 'all errors are reported at once'
names_both() # COMMAND...
{
	expect_exit 1 "$@"
	assert_eq "$(grep -cE 'tunlease.conf:[0-9]+: (NoSuchKeyword yes is no keyword|MaxTTL soon is not a duration)' "$WORK/err")" 2 "$*"
}
names_both leasectl grant bob --key "$bob.pub" --open 8009
names_both leased -D -t

# Without Database or RunDir no command knows where to act, and akc lets nobody in.
wrong 'Database leases.db' 'names no usable absolute path for Database'
sed -i 's/^Database \/.*//' "$conf"
expect_exit 1 leasectl freeze
grep -q "cannot use the configuration" "$WORK/err" || fail "$(cat "$WORK/err")"
ok 'a Database that cannot be read stops everything'
