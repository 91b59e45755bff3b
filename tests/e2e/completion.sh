#!/bin/bash
# SPDX-License-Identifier: ISC
# TAB in bash and in zsh completes verbs, options, names, logins and files of leasectl and tunnel-agent, as
# --help and the store have them. Who may not read the store gets no names and no message.
# sandbox:
# timeout: 120
# shellcheck disable=SC2016,SC2088 # texts for other shells: this one expands nothing in them
# shellcheck source=tests/lib.sh
. "$TOP/tests/lib.sh"

for name in zsh python3; do type -P "$name" >/dev/null || { echo "needs $name"; exit 77; }; done
[[ -e /usr/share/bash-completion/bash_completion ]] || { echo 'needs bash-completion'; exit 77; }

new_key alice >/dev/null
for name in alice alan odd@x gone; do
	ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$WORK/key-$name"
	leasectl grant "$name" --key "$WORK/key-$name.pub" --open 8009 >/dev/null
done
ssh-keygen -q -t ed25519 -N '' -C db1 -f "$WORK/key-db1"
leasectl agent add db1 --key "$WORK/key-db1.pub" >/dev/null
leasectl revoke gone 2>/dev/null
leasectl token create >/dev/null
join_account
leasectl invite newcomer --open 8009 >/dev/null 2>&1
tokens=$(leasectl token list | cut -f1 | sort | paste -sd ' ')
fingerprint=$(leasectl show alice | awk '$1 == "key" { print $2 }')
mkdir "$WORK/files"
touch "$WORK/files/bob" "$WORK/files/bob.pub" "$WORK/files/own.conf"
printf 'Database %s/none/leases.db\n' "$WORK" >"$WORK/other.conf"

# The limit is for people. What hangs is tried at the end, with a limit.
export TUNLEASE_COMPLETE_S=60

# ---- what is expected: a line `KIND TEXT`, and one of what must come of it ----------------------

case_count=0
expect() { printf '%s\n' "$1" >>"$WORK/typed"; printf '%s\n' "$2" >>"$WORK/want"; case_count=$((case_count + 1)); }
words() { tr ' ' '\n' | sort -u | paste -sd ' '; }

# Everything that leasectl --help names, and nothing else.
mapfile -t verbs < <(leasectl --help | sed -nE 's/^  ([a-z][a-z-]*)  .*/\1/p')
expect 'ALL leasectl ' "$(words <<<"${verbs[*]}")"
expect 'ALL leasectl -' '--help --json --version -c'
# usage VERB [COMMAND]: that part of the usage, on one line.
usage()
{
	leasectl "$1" --help | awk '/^$/ { exit } { printf "%s ", $0 }' | sed -E "s/(usage:)? *leasectl [^\n]{,24}--json\] $1/\n/g" |
		if (($# == 2)); then grep -E "^ ?$2"; else cat; fi
}
options() { { grep -oE -- '--[a-z-]+' || :; printf '%s\n' --help --json; } | sort -u | paste -sd ' '; }
for verb in "${verbs[@]}"; do
	mapfile -t commands < <(usage "$verb" | sed -nE 's/^ ?([a-z]+)( .*)?$/\1/p' | sort -u)
	if ((${#commands[@]} == 0)); then
		expect "ALL leasectl $verb -" "$(usage "$verb" | options)"
		continue
	fi
	expect "ALL leasectl $verb " "$(words <<<"${commands[*]}")"
	for command in "${commands[@]}"; do
		expect "ALL leasectl $verb $command -" "$(usage "$verb" "$command" | options)"
	done
done
((case_count > 25)) || fail "only $case_count cases come from --help"

# Names, of those leases that the command is for.
expect 'TAB leasectl revo' 'leasectl revoke '
expect 'TAB leasectl help rev' 'leasectl help revoke '
expect 'ALL leasectl show ' 'alan alice db1 gone odd@x'
expect 'ALL leasectl renew ' 'alan alice db1 odd@x'
expect 'TAB leasectl delete ' 'leasectl delete gone '
expect 'ALL leasectl revoke al' 'alan alice'
expect 'TAB leasectl --json revoke alan ali' 'leasectl --json revoke alan alice '
expect 'TAB leasectl show odd' 'leasectl show odd@x '
expect 'TAB leasectl show odd@' 'leasectl show odd@x '
expect 'TAB leasectl grant al' 'leasectl grant al'
expect 'TAB leasectl agent reset ' 'leasectl agent reset db1 '
expect 'TAB leasectl grant bob --open agent:' 'leasectl grant bob --open agent:db1 '
expect 'TAB leasectl key remove alice ' "leasectl key remove alice $fingerprint "
expect 'ALL leasectl token revoke ' "$tokens"
expect 'TAB leasectl invite revoke ' "leasectl invite revoke $(leasectl invite list | cut -f 1) "
expect 'TAB leasectl invite al' 'leasectl invite al'
expect "TAB leasectl -c $WORK/other.conf show al" "leasectl -c $WORK/other.conf show al"
# Logins.
expect 'ALL leasectl grant bob --login ' 'gw-tunnel pfwd'
expect 'TAB leasectl list --login=pf' 'leasectl list --login=pfwd '
expect 'ALL leasectl freeze ' 'gw-tunnel pfwd'
# Files: keys are public ones.
expect "TAB leasectl grant bob --key $WORK/files/b" "leasectl grant bob --key $WORK/files/bob.pub "
expect "TAB leasectl grant bob --key=$WORK/files/b" "leasectl grant bob --key=$WORK/files/bob.pub "
expect "TAB leasectl -c $WORK/files/o" "leasectl -c $WORK/files/own.conf "
expect "TAB tunnel-agent --endpoint x --token @$WORK/files/o" "tunnel-agent --endpoint x --token @$WORK/files/own.conf "
# An option is offered once, but where it may be repeated.
expect 'TAB leasectl grant bob --note x --not' 'leasectl grant bob --note x --not'
expect 'TAB leasectl grant bob --open 1 --ope' 'leasectl grant bob --open 1 --open '
# Words of the usage.
expect 'TAB leasectl set alice --max-sessions n' 'leasectl set alice --max-sessions none '
expect 'ALL tunnel-agent ' 'check exec install join key status'
expect 'TAB tunnel-agent status -' 'tunnel-agent status --'
expect 'ALL tunnel-agent status --' '--help --json'
expect 'ALL tunnel-agent --probe ' 'none tcp'

# compare SHELL: what it made of each case.
compare()
{
	local text want got
	while IFS= read -r text <&3 && IFS= read -r want <&4 && IFS= read -r got <&5; do
		[[ $got == "$want" ]] || fail "$1, '$text': got '$got', want '$want'"
	done 3<"$WORK/typed" 4<"$WORK/want" 5<"$WORK/$1.got"
	assert_eq "$(wc -l <"$WORK/$1.got")" "$(wc -l <"$WORK/typed")" "$1 completes each case as expected"
}

# in_shells COMMAND...: types all cases into both, at once, and compares.
in_shells()
{
	local shell pids=()
	for shell in bash zsh; do
		"$@" /usr/bin/python3 "$TOP/tests/keys.py" "$shell" <"$WORK/typed" >"$WORK/$shell.got" 2>"$WORK/$shell.err" &
		pids+=("$!")
	done
	wait "${pids[0]}" || fail "bash: $(tail -n 3 "$WORK/bash.err")"
	wait "${pids[1]}" || fail "zsh: $(tail -n 3 "$WORK/zsh.err")"
	compare bash
	compare zsh
}
in_shells env

# ---- who may not read the store -----------------------------------------------------------------

: >"$WORK/typed"; : >"$WORK/want"
expect 'TAB leasectl revo' 'leasectl revoke '
expect 'TAB leasectl show al' 'leasectl show al'
expect 'TAB leasectl token revoke ' 'leasectl token revoke '
expect 'TAB leasectl key remove alice SHA' 'leasectl key remove alice SHA'
# A sudo that asks nobody, but notes that it was called.
mkdir "$WORK/bin"
printf '#!/bin/sh\necho called >>%s/sudo\n' "$WORK" >"$WORK/bin/sudo"
chmod 0755 "$WORK/bin/sudo" "$WORK" "$WORK/bin"
as_nobody() { setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME=/nonexistent PATH="$WORK/bin:$PATH" "$@"; }
(as_nobody leasectl list) >/dev/null 2>&1 && fail 'nobody can read the store'
in_shells as_nobody
[[ ! -e $WORK/sudo ]] || fail 'sudo was called'
ok 'nobody was asked for a password'

# ---- the current folder is a stranger's -----------------------------------------------------------

# own | strange: a folder of root's | of somebody else's, each with a leasectl and files for --key.
here=$PWD
for folder in own strange; do
	mkdir "$WORK/$folder" "$WORK/$folder/~"
	printf '#!/bin/sh\necho "$@" >>%s 2>/dev/null\nexec /usr/bin/leasectl "$@"\n' "$WORK/ran-$folder" >"$WORK/$folder/leasectl"
	chmod 0755 "$WORK/$folder/leasectl"
	cp -p "$WORK/$folder/leasectl" "$WORK/$folder/~/leasectl"
	: >"$WORK/$folder/k\$(touch pwned);touch pwned.pub"
	mkdir "$WORK/$folder/d\`touch pwned\`"
done
chown -R nobody "$WORK/strange"
ln -s /usr/bin/env "$WORK/strange/tunnel-agent"
try_folder() { # FOLDER VERB: what comes of `revo` for its leasectl
	cd "$WORK/$1"
	: >"$WORK/typed"; : >"$WORK/want"
	expect 'TAB leasectl revo' 'leasectl revoke ' # bash-completion loads what a path names at the second TAB
	expect 'TAB ./leasectl revo' "./leasectl $2"
	expect 'TAB leasectl grant bob --key k' 'leasectl grant bob --key k\$\(touch\ pwned\)\;touch\ pwned.pub '
	expect 'TAB leasectl grant bob --key d' 'leasectl grant bob --key d\`touch\ pwned\`/'
	in_shells env
	cd "$here"
	[[ ! -e $WORK/$1/pwned ]] || fail 'the name of a file was run'
}
try_folder own 'revoke '
[[ -e $WORK/ran-own ]] || fail "root's own leasectl was not asked"
try_folder strange revo
: >"$WORK/typed"; : >"$WORK/want"
expect 'TAB leasectl revo' 'leasectl revoke '
expect 'TAB ~/leasectl revo' '~/leasectl revo'
expect 'TAB ./tunnel-agent stat' './tunnel-agent stat'
cd "$WORK/strange"
in_shells env HOME="$WORK/files"
cd "$here"
[[ ! -e $WORK/ran-strange ]] || fail "TAB ran the leasectl of a stranger: $(cat "$WORK/ran-strange")"
ok 'nothing in a folder of somebody else is run'

# ---- a leasectl that hangs: no names, and the shell goes on ---------------------------------------

: >"$WORK/typed"; : >"$WORK/want"
expect 'TAB leasectl show al' 'leasectl show al'
cat >"$WORK/bin/leasectl" <<END
#!/bin/sh
case " \$* " in *" list "*) exec sleep 1000 ;; esac
exec /usr/bin/leasectl "\$@"
END
chmod 0755 "$WORK/bin/leasectl"
in_shells env PATH="$WORK/bin:$PATH" TUNLEASE_COMPLETE_S=1
is_ended() { ! pgrep -fx 'sleep 1000' >/dev/null; }
wait_for 5 'what hangs is ended' is_ended
ok 'what hangs is ended'

# ---- uninstall -----------------------------------------------------------------------------------

make -s -C "$TOP" install DESTDIR="$WORK/dest" NO_DEPS=1 >/dev/null
find "$WORK/dest" -type f -path '*compl*' | sort >"$WORK/installed"
assert_eq "$(wc -l <"$WORK/installed")" 4 'make install copies what completes'
! grep -rl '@[A-Z]*@' "$WORK"/dest/usr/share/*/*compl* || fail 'a path is not filled in'
make -s -C "$TOP" uninstall DESTDIR="$WORK/dest" >/dev/null
assert_eq "$(find "$WORK/dest" -type f -path '*compl*')" '' 'make uninstall removes it'
