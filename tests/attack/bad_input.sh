#!/bin/bash
# SPDX-License-Identifier: ISC
# Bad input: whatever is typed or pasted into leasectl or akc, or connected to them, they answer with one
# clear line and the right exit status, and nothing changes. The largest value that is accepted is
# tried next to the smallest that is refused.
# sandbox:
# timeout: 240
set -eu
. "$TOP/tests/lib.sh"

# ---- what is checked in each case --------------------------------------------------------------

STORE=/var/lib/tunlease/leases.db CONF=/etc/tunlease/tunlease.conf
# The judge compares all that a command could change: the store's rows, the accounts, and the
# configuration. One process for all cases.
coproc JUDGE { exec "$TOP/tests/attack/judge.py" "$WORK" "$SANDBOX_LOG" "$STORE" \
	/etc/passwd /etc/group /etc/shadow "$CONF"; }
at_exit "$JUDGE_PID"

# ask REQUEST...: sends a request to the judge; its answer is in ANSWER. Returns whether it is good.
# asked REQUEST...: the same, and the test fails unless the answer is good.
asked() { ask "$@" || fail "$ANSWER"; }
ask()
{
	{ printf '%d\0' $#; printf '%s\0' "$@"; } >&"${JUDGE[1]}"
	read -r ANSWER <&"${JUDGE[0]}" || fail 'the judge is gone'
	local good=${ANSWER%% *}
	ANSWER=${ANSWER#* }
	[[ $good == ok ]]
}
remember() { asked remember; }
same() { asked same "$1"; }
# short WORD...: sets SHORT to the words as they were typed, cut off after 100 characters.
short() { printf -v SHORT '%q ' "$@"; SHORT=${SHORT:0:100}; }

# judged STATUS WORDS WHAT: checks the command that left $WORK/out, $WORK/err and $rc: exit STATUS, one
# clear line with WORDS and no other output, and nothing changed.
judged() { asked judge "$1" "$rc" "$2" "$3"; ok "$ANSWER"; }

# no STATUS WORDS ARGS...: leasectl ARGS is refused.
no()
{
	local status=$1 words=$2; shift 2
	short "$@"
	asked run "$status" "$words" "$SHORT" leasectl "$@"
	ok "$ANSWER"
}

# yes ARGS...: a grant of 'b' (or $name) is accepted, and then revoked again.
name=b
yes()
{
	# With the usual path of the configuration: with another, leasectl does not rely on pam_tunnel's
	# profile, and is slow.
	printf '%s\n' "$wide_conf" >"$CONF"
	expect_exit 0 leasectl grant "$@" -- "$name"
	printf '%s\n' "$narrow_conf" >"$CONF"
	leasectl revoke --keep-sessions "$name" >/dev/null
	remember
	short "$name" "$@"
	ok "accepted: $SHORT"
}

has_verb() { leasectl --help | some_line "^  $1 "; }

repeat() { printf -v REPLY '%*s' "$2" ''; REPLY=${REPLY// /$1}; }

# ---- the world ---------------------------------------------------------------------------------

repeat a 63; label=$REPLY
host253=$label.$label.$label.${label:2}
for key in alice bob spare; do new_key "$key" >/dev/null; done
leasectl login add team >/dev/null
echo 'PublicHost gateway.example.com' >>"$CONF"
printf '%s\n' 'PublicHost gateway.example.com' 'MaxTTL none' 'AllowOpen 127.0.0.1:*' 'AllowOpen [::1]:*' \
	"AllowOpen $host253:*" "AllowOpen $label.example:*" 'AllowListen 127.0.0.1:1-65535' >"$WORK/wide.conf"
wide=(-c "$WORK/wide.conf")
wide_conf=$(cat "$WORK/wide.conf") narrow_conf=$(cat "$CONF")
leasectl grant alice --key "$WORK/alice.pub" --open 8009 >/dev/null
remember
good=(--key "$WORK/bob.pub" --open 8009)

# The judge notices a changed row and a changed file, and that a change was undone.
leasectl set alice --note changed >/dev/null
! ask same 'a note' || fail 'the judge does not see a change of the store'
remember
same 'what it remembers'
echo 'x:x:1:' >>/etc/group
! ask same 'a group' || fail 'the judge does not see a change of /etc/group'
sed -i '$d' /etc/group
same 'the group was removed again'

# Key files: NAME.bad is refused, NAME.good accepted.
mkdir "$WORK/keys"
python3 - "$WORK" <<'PYTHON'
import base64, random, struct, sys

work = sys.argv[1]
rng = random.Random(8009)

def string(b):
    return struct.pack(">I", len(b)) + b

def key(kind, *fields, tail=b""):
    return base64.b64encode(b"".join(map(string, [kind.encode(), *fields])) + tail)

def rsa(bits, e=b"\1\0\1"):
    n = rng.getrandbits(bits) | 1 << (bits - 1) | 1
    return b"ssh-rsa " + key("ssh-rsa", e, n.to_bytes(bits // 8 + 1, "big"))

def put(name, text):
    with open(work + "/keys/" + name, "wb") as f:
        f.write(text)

with open(work + "/spare.pub", "rb") as f:
    kind, b64, comment = f.read().split()
ed = kind + b" " + b64
raw = rng.randbytes(32)

put("two.bad", ed + b"\n" + rsa(2048) + b"\n")
put("same-twice.bad", ed + b"\n" + ed + b"\n")
put("options.bad", b'no-pty,command="id" ' + ed + b"\n")
put("blank-option.bad", b'environment="A=b c" ' + ed + b"\n")
put("dsa.bad", b"ssh-dss " + key("ssh-dss", b"\0" + rng.randbytes(128), rng.randbytes(20), b"\1", b"\1") + b" x\n")
put("rsa-1024.bad", rsa(1024) + b"\n")
put("rsa-2047.bad", rsa(2047) + b"\n")
put("rsa-2048.good", rsa(2048) + b"\n")
put("rsa-16384.good", rsa(16384) + b"\n")
put("rsa-16385.bad", rsa(16385) + b"\n")
put("cut-1.bad", ed[:-1] + b"\n")
put("cut-4.bad", ed[:-4] + b"\n")
put("cut-all.bad", kind + b"\n")
put("padded.bad", ed + b"= x\n")
put("padded-4.bad", ed + b"==== x\n")
put("loose-bits.bad", rsa(2048)[:-3] + b"B==\n")
put("url-safe.bad", b"ssh-ed25519 " + key("ssh-ed25519", b"\xff" * 32).replace(b"/", b"_") + b"\n")
put("blank-inside.bad", ed[:40] + b" " + ed[40:] + b"\n")
put("tab-inside.bad", ed[:40] + b"\t" + ed[40:] + b"\n")
put("wrapped.bad", ed[:40] + b"\n" + ed[40:] + b"\n")
put("cr-inside.bad", ed[:40] + b"\r" + ed[40:] + b"\n")
put("comment-cr.bad", ed + b" a\rb\n")
put("cr-twice.bad", ed + b"\r\r\n")
put("crlf.good", ed + b" crlf\r\n")
put("crlf-without-comment.good", ed + b"\r\n")
put("no-newline.good", ed)
put("tabs-around.good", b"\t" + kind + b"\t" + b64 + b"\t tabs \n\n")
put("comment-lines.good", b"# mine\n\n" + ed + b"\r\n# that was it\n")
put("other-type.bad", b"ssh-rsa " + b64 + b"\n")
put("curve-of-another.bad", b"ecdsa-sha2-nistp256 " + key("ecdsa-sha2-nistp256", b"nistp384", b"\4" + bytes(64)) + b"\n")
put("upper-type.bad", b"SSH-ED25519 " + b64 + b"\n")
put("trailing-1.bad", b"ssh-ed25519 " + key("ssh-ed25519", raw, tail=b"\0") + b"\n")
put("trailing-4.bad", b"ssh-ed25519 " + key("ssh-ed25519", raw, tail=bytes(4)) + b"\n")
put("short-31.bad", b"ssh-ed25519 " + key("ssh-ed25519", raw[:31]) + b"\n")
put("long-33.bad", b"ssh-ed25519 " + key("ssh-ed25519", raw + b"x") + b"\n")
put("nul-at-end.bad", ed + b" x\n\0")
put("nul-in-comment.bad", ed + b" a\0b\n")
put("nul-in-base64.bad", ed[:40] + b"\0" + ed[40:] + b"\n")
put("empty.bad", b"")
put("only-comments.bad", b"# none\n\n")
put("text.bad", b"hello, here is my key\n")
put("ssh2.bad", b"---- BEGIN SSH2 PUBLIC KEY ----\n" + b64 + b"\n---- END SSH2 PUBLIC KEY ----\n")
put("utf16.bad", (ed + b"\n").decode().encode("utf-16"))
put("bom.good", b"\xef\xbb\xbf" + ed + b"\n")
put("line-1m.bad", ed + b" " + b"x" * (1 << 20) + b"\n")
put("line-60k.bad", ed + b" " + b"x" * 60000 + b"\n")
put("lines-1m.bad", b"#\n" * (1 << 19) + ed + b"\n")
put("pem-private.bad", b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n")
put("private-after-public.bad", ed + b"\n-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n")
put("comment-256.good", ed + b" " + b"c" * 256 + b"\n")
put("comment-257.bad", ed + b" " + b"c" * 257 + b"\n")
for name, bad in [("esc", b"\x1b[2J"), ("bell", b"a\7"), ("tab-within", b"a\tb"), ("c1", b"\xc2\x9b2J"), ("del", b"\x7f"),
                  ("bidi", "a\u202eb".encode()), ("isolate", "a\u2066b".encode()), ("mark", "\u061cb".encode()),
                  ("separator", "a\u2028b".encode()), ("latin1", b"\xfc"), ("overlong", b"\xc0\xaf"),
                  ("surrogate", b"\xed\xa0\x80"), ("half", b"\xe2\x80")]:
    put("comment-%s.bad" % name, ed + b" " + bad + b"\n")
put("off-curve.bad", b"ecdsa-sha2-nistp256 " + key("ecdsa-sha2-nistp256", b"nistp256", b"\4" + b"\1" * 64) + b"\n")
PYTHON
cp "$WORK/bob" "$WORK/keys/openssh-private.bad"
ssh-keygen -q -s "$WORK/bob" -I id -n pfwd "$WORK/spare.pub" </dev/null
cp "$WORK/spare-cert.pub" "$WORK/keys/certificate.bad"

# ---- keys --------------------------------------------------------------------------------------

# A word that the error must contain.
reason()
{
	case $1 in
	*private*) echo 'private key' ;;
	two|same-twice) echo 'more than one' ;;
	*option*) echo 'options before the key' ;;
	dsa) echo DSA ;;
	rsa-16385) echo 'longer than 16384' ;;
	rsa-*) echo 'shorter than 2048' ;;
	blank-inside|tab-inside|wrapped|cr-inside) echo 'the key is broken into' ;;
	cut-*|padded*|loose-bits|url-safe|cr-twice) echo 'cut off' ;;
	ssh2) echo "'ssh-keygen -i -f FILE' converts it" ;;
	upper-type) echo 'in small letters' ;;
	certificate) echo certificate ;;
	other-type) echo 'another type' ;;
	trailing-*) echo 'after its end' ;;
	nul-*) echo NUL ;;
	utf16) echo "'iconv -f UTF-16 -t UTF-8 FILE' converts it" ;;
	line*-1m) echo 'larger than' ;;
	line-60k) echo 'longer than' ;;
	off-curve) echo "no ssh can use it: 'ssh-keygen -l' says" ;;
	empty|only-comments) echo 'no public key' ;;
	comment-*) echo comment ;;
	*) echo key ;;
	esac
}

note 'files that are not a good public key'
bad_keys=("$WORK"/keys/*.bad)
((${#bad_keys[@]} > 50)) || fail 'the keys were not made'
for file in "${bad_keys[@]}"; do
	no 2 "$(reason "$(basename "$file" .bad)")" grant b --open 8009 --key "$file"
done
for file in "$WORK/keys/line-1m.bad" /dev/zero; do
	rc=0
	leasectl grant b --open 8009 --key - <"$file" >"$WORK/out" 2>"$WORK/err" || rc=$?
	judged 2 'larger than' "on standard input: $file"
done
mkfifo "$WORK/fifo"
for file in "$WORK/fifo" /dev/zero /etc; do no 2 'is not a file' grant b --open 8009 --key "$file"; done
for file in '' /nowhere "$WORK/bob.pub/x"; do no 2 'cannot read the key' grant b --open 8009 --key "$file"; done

# A key that cannot be checked is not stored, and the error does not call it bad.
mount --bind /dev/null /usr/bin/ssh-keygen
no 1 'ssh-keygen cannot be started' grant b "${good[@]}"
no 1 'ssh-keygen cannot be started' key add alice --key "$WORK/bob.pub"
umount /usr/bin/ssh-keygen
no 2 "no ssh can use it" key add alice --key "$WORK/keys/off-curve.bad"

note 'keys that look odd but are good'
for file in "$WORK"/keys/*.good; do yes --open 8009 --key "$file"; done

# ---- names, hosts, ports, ranges, addresses, times ---------------------------------------------

note 'out of range, next to the largest that is accepted'
repeat n 64
for name in "$REPLY" a@B_c-0.d _ b; do yes "${good[@]}"; done
for bad in "${REPLY}n" '' ' ' .b -b 'b c' b/c ../b b:c b,c b\" b\$c $'b\nc' $'b\e[2J' ü '#b' '*'; do
	no 2 'the name' grant "${good[@]}" -- "$bad"
done
no 2 'unknown option' grant "${good[@]}" -b

for open in 1 65535 127.0.0.1:65535 LocalHost:80 '[0:0::1]:80' "$host253:80" "$label.example:80" 127.0.0.1:1000-1255 65280-65535; do
	yes --key "$WORK/bob.pub" --open "$open"
done
for open in '' 0 65536 00080 +80 -1 ' 80' 80x 0x50 1e3 99999999999999999999 '*' '127.0.0.1:*' http :80 127.0.0.1: 80,81 \
	127.1:80 256.0.0.1:80 0x7f000001:80 2130706433:80 '[::1:80' '::1:80' '[]:80' '[127.0.0.1]:80' '[::1%lo]:80' \
	"a$host253:80" "a$label.example:80" a..b:80 .a:80 a.:80 -a:80 'a b:80' 'a"b:80' ü:80 '*:80' /run/x $'127.0.0.1\n:80' \
	127.0.0.1:1000-1256 2-1 1-0 1- -1-2 1-65536 1-2-3; do
	no 2 "--open '" "${wide[@]}" grant b --key "$WORK/bob.pub" --open "$open"
done
no 2 'named twice' grant b "${good[@]}" --open localhost:8009
for listen in 0 65536 20001-20002 '*' AUTO ''; do no 2 "--listen '" grant b --login team --key "$WORK/bob.pub" --listen "$listen"; done
for listen in 1 65535; do yes --login team --key "$WORK/bob.pub" --listen "$listen"; done
no 2 'twice' grant b --login team --key "$WORK/bob.pub" --listen 20001 --listen '[::1]:20001'
no 2 'twice' grant b --login team --key "$WORK/bob.pub" --listen auto --listen auto

many=()
for ((i = 1; i <= 64; i++)); do many+=(--open "$((i * 16))-$((i * 16 + 15))"); done
yes --key "$WORK/bob.pub" "${many[@]}" # 64 permits, 1024 ports
no 2 'at most 64' "${wide[@]}" grant b --key "$WORK/bob.pub" "${many[@]}" --open 9
no 2 'at most 1024' "${wide[@]}" grant b --key "$WORK/bob.pub" "${many[@]:0:126}" --open 5001-5017

addresses=''
for ((i = 1; i <= 32; i++)); do addresses+=",10.0.0.$i"; done
for from in 0.0.0.0/0 10.1.2.3/32 10.1.2.3/8 ::/0 2001:db8::1/128 ::ffff:10.1.2.3 fe80::1%lo "${addresses:1}"; do
	yes "${good[@]}" --from "$from"
done
for from in '' ',' '10.0.0.1,' ',10.0.0.1' 10.0.0.0/33 10.0.0.0/-1 10.0.0.0/ 10.0.0.0/08 10.0.0.0/8/8 ::/129 ::/1280 10.0.0 256.0.0.1 \
	'10.0.0.1 ' '10.*' '!10.0.0.1' db.example ::ffff:10.0.0.0/104 fe80::1% 'fe80::1%a b' 2001:db8::1%lo "10.0.0.77$addresses" any; do
	no 2 "--from '" grant b "${good[@]}" --from "$from"
done

for ttl in 1s 36500d 5214w2d 1w1d1h1m1s 3153600000s; do yes "${good[@]}" --for "$ttl"; done
for ttl in '' 0 0s 0d 5 d 1x 1D '1d ' ' 1d' -1d +1d 1.5d 1h1d 1d1d 36501d 3153600001s 9223372036854775808s 99999999999999999999w 1d-1h forever; do
	no 2 "is no duration" "${wide[@]}" grant b "${good[@]}" --for "$ttl"
done
for end in 9999-12-31T23:59:59Z 2096-02-29 '2096-02-29 23:59' 2096-02-29T00:00:00+23:59 2096-02-29t00:00:00z; do
	yes "${good[@]}" --until "$end"
done
for end in '' tomorrow 2096 2096-13-01 2096-00-01 2096-01-32 2095-02-29 2100-02-29 2096-02-29T24:00:00Z 2096-02-29T23:59:60Z \
	2096-02-29T00:00:00 2096-02-29T00:00Z 2096-02-29T00:00:00.5Z 2096-02-29T00:00:00+24:00 '2096-02-29 24:00' '2096-02-29 1:00' \
	10000-01-01 2096-2-9 1969-12-31 9999-12-31T23:59:59-00:01 '2096-02-29 ' ' 2096-02-29' 4102444800; do
	no 2 "is no time" "${wide[@]}" grant b "${good[@]}" --until "$end"
done
no 2 'has passed' grant b "${good[@]}" --until 1970-01-01
no 2 'one of them' grant b "${good[@]}" --for 1d --until 2096-01-01
no 2 'one of them' grant b "${good[@]}" --for 1d --for 1d
for count in '' 0 01 +1 ' 1' 1001 1x; do
	no 2 "--max-sessions '" grant b "${good[@]}" --max-sessions "$count"
	no 2 "--pid '" kill --pid "${count/1001/99999999}"
	no 2 "--port '" sessions --port "${count/1001/65536}"
done
for count in 1 1000; do yes "${good[@]}" --max-sessions "$count"; done
for within in '' 0 x; do no 2 'duration' list --expiring "$within"; done

# ---- key or name in use, above the ceiling, not a tunnel login ---------------------------------

note 'key or name in use, above the ceiling, not a tunnel login'
no 5 "holds the lease 'alice' (#1) on login 'pfwd'" grant b --key "$WORK/alice.pub" --open 8009
no 5 "'alice' (#1)" grant alice "${good[@]}"
no 4 AllowOpen grant b --key "$WORK/bob.pub" --open 10.0.0.1:22
no 4 AllowOpen grant b --key "$WORK/bob.pub" --open '[::ffff:127.0.0.1]:8009'
for listen in 19999 30000; do no 4 AllowListen grant b --login team --key "$WORK/bob.pub" --listen "$listen"; done
no 4 ForwardLogin grant b --key "$WORK/bob.pub" --listen 20001
no 4 AgentLogin grant b --login gw-tunnel "${good[@]}"
no 4 MaxTTL grant b "${good[@]}" --for 90d1s
no 4 MaxTTL grant b "${good[@]}" --until 9999-12-31
expect_exit 0 leasectl grant b "${good[@]}" --for 90d
leasectl revoke --keep-sessions b >/dev/null
useradd -o -u 0 -g _tunnel -M toor
remember
for login in root toor; do no 2 'uid 0' grant b --login "$login" "${good[@]}"; done
no 2 'not in the tunnel group' grant b --login li "${good[@]}"
no 5 "has the member 'toor'" login add other
sed -i '/^toor:/d' /etc/passwd
remember
repeat l 32
for login in ghost "$REPLY"; do no 2 'is no account' grant b --login "$login" "${good[@]}"; done
for bad in '' -x .x 'a b' "${REPLY}l" $'a\nb' $'\e[2J' a:b '*'; do
	no 2 'login' grant b "${good[@]}" --login "$bad"
	no 2 'the login' login check -- "$bad"
	no 2 'the login' login add -- "$bad"
done
no 5 'uid 0' login add root
no 5 "somebody's account" login add li
no 5 'system account' login add sshd
for args in '' add 'add a b' check 'list x' frobnicate; do
	# shellcheck disable=SC2086 # words
	no 2 'login takes' login $args
done

# ---- names of leases: every verb that takes one -------------------------------------------------

note 'no such lease'
# VERB ARGS with NAME where the name goes. A new verb needs a line here.
taking_a_name=(
	'show NAME' 'sessions NAME' 'kill NAME' 'revoke NAME' 'verify NAME' 'set --note x -- NAME' 'renew NAME' 'delete NAME'
	"key --key $WORK/bob.pub -- add NAME" 'key remove NAME SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
)
repeat n 65
for form in "${taking_a_name[@]}"; do
	has_verb "${form%% *}" || { note "no '${form%% *}' yet"; continue; }
	read -r -a words <<<"$form"
	for bad in nobody '#99' '#9223372036854775807'; do no 3 "there is no lease" "${words[@]/#NAME/"$bad"}"; done
	for bad in '' '#' '#0' '#-1' '#9223372036854775808' '#1x' .x 'a b' "$REPLY" $'a\nb' $'\e[2Jx' 'a"b' ü; do
		no 2 "" "${words[@]/#NAME/"$bad"}"
	done
done
for verb in show revoke verify list login; do no 2 "unknown option '--colour'" "$verb" --colour; done
for bad in '# 1' '#+1' '#01' $'#\n1' '#1 ' '#0x1'; do no 2 'no lease number' show "$bad"; done
no 2 'takes one NAME' show
no 2 'takes one NAME' show alice alice
no 2 'at least one' revoke
echo 'Database /proc/nowhere/leases.db' >"$WORK/nowhere.conf"
for names in alice 'alice b'; do
	# shellcheck disable=SC2086 # words
	no 7 'nowhere' -c "$WORK/nowhere.conf" revoke $names
done
no 2 'takes no name' list alice

# ---- text that would steer a terminal or forge a line -------------------------------------------

note 'text that would steer a terminal or forge a line'
for bad in $'two\nlines' $'\r' $'a\tb' $'\e[31m' $'\a' $'\x7f'; do
	no 2 '--note' grant b "${good[@]}" --note "$bad"
done
# These are refused, and the error must not do what the note would have done: C1 as UTF-8 and as a
# byte, bidirectional controls, line separators.
for bad in '\xc2\x9b31m' 'a\x9b31m' 'a\xff' '\xc0\xaf' '\xed\xa0\x80' '\xe2\x80' 'a\xe2\x80\xaeb' '\xe2\x81\xa6' '\xe2\x80\x8f' \
	'\xd8\x9c' 'a\xe2\x80\xa8b'; do
	no 2 '--note' grant b "${good[@]}" --note "$(printf '%b' "$bad")"
done
no 2 'longer than' grant b "${good[@]}" --note "$(printf 'n%.0s' {1..79})ü$(printf 'n%.0s' {1..200})"
no 2 'no such command' $'a\nb'
no 2 'no such command' $'a\e[31m'
no 2 option $'--a\e[31m'
no 2 'cannot read the key' grant b --open 8009 --key $'/nowhere\xe2\x80\xae'
no 1 'configuration' -c $'/nowhere\e[31m' list
repeat n 257
no 2 'longer than 256' grant b "${good[@]}" --note "$REPLY"
yes "${good[@]}" --note "${REPLY:1}"

note 'notes and comments are shown everywhere as they were given'
# shellcheck disable=SC2016 # meant to stay as it is
text='"quoted" '\''too'\'' \ $(id) `id` %s %n ; & | <b> ,command="x" ü 私 🙂'
printf '%s %s\n' "$(cut -d' ' -f1,2 "$WORK/bob.pub")" "$text" >"$WORK/odd.pub"
expect_exit 0 leasectl grant b --open 8009 --note "$text" --key "$WORK/odd.pub"
[[ ! -s $WORK/err ]] || fail "$(cat -v "$WORK/err")"
json_has() { python3 -c 'import json, sys
lease = json.load(sys.stdin)
assert lease["note"] == sys.argv[1], lease["note"]
assert [k["comment"] for k in lease["keys"]] == [sys.argv[1]], lease["keys"]' "$text"; }
leasectl --json show b | json_has || fail 'JSON'
leasectl --json list | python3 -c 'import json, sys; json.dump(json.load(sys.stdin)[-1], sys.stdout)' | json_has || fail 'JSON list'
assert_eq "$(leasectl list | tail -n 1 | cut -f9)" "$text" 'TSV'
assert_eq "$(leasectl show b | sed -n 's/^note\t//p')" "$text" 'show: the note'
[[ $(leasectl show b | grep '^key') == *" ssh-ed25519 $text" ]] || fail "show: the comment: $(leasectl show b)"
script -qec 'stty cols 400; leasectl list' /dev/null >"$WORK/terminal"
grep -qF -- "$text" "$WORK/terminal" || fail 'the table on a terminal'
ok 'JSON, table and show have them as they were given'
line=$(setpriv --reuid=_tunlease-akc --regid=_tunlease --clear-groups /usr/libexec/tunlease/akc pfwd)
[[ $line != *quoted* && $(grep -c . <<<"$line") == 2 ]] || fail "a key line: $line"
[[ $(grep -c '^restrict,port-forwarding,permitopen="127.0.0.1:8009",.*,command="/usr/sbin/nologin" ssh-ed25519 [^" ]* [a-z]*$' <<<"$line") == 2 ]] ||
	fail "a key line: $line"
login_works "$WORK/bob" pfwd || fail 'no login'
ok 'the key line has none of it, and sshd accepts it'
wait_idle # the JSON of a lease counts sessions
leasectl revoke --keep-sessions b >/dev/null
remember

# ---- argument lists -----------------------------------------------------------------------------

note 'huge and empty argument lists'
repeat a 100000; kb100=$REPLY
mapfile -t thousands < <(seq 10000)
for verb in show list grant verify login; do no 2 '' "$verb" "${thousands[@]}"; done
no 2 'no such command' "${thousands[@]}"
no 2 'named twice' grant b --key "$WORK/bob.pub" "${thousands[@]/*/--open=8009}"
no 2 'at most 64' grant b --key "$WORK/bob.pub" "${thousands[@]/#/--open=}"
expect_exit 3 leasectl revoke "${thousands[@]/#/x}" # a line for each
[[ $(wc -l <"$WORK/err") == 10000 ]] || fail '10,000 names'
same '10,000 names'
no 2 'no such command' ''
no 2 '' '' ''
no 2 'longer than 64' grant "$kb100" "${good[@]}"
for verb in show revoke verify; do no 2 'longer than 64' "$verb" "$kb100"; done
no 2 'no lease number' show "#$kb100"
no 2 'longer than 256' grant b "${good[@]}" --note "$kb100"
no 2 'longer than 32' grant b "${good[@]}" --login "$kb100"
no 2 'longer than 32' login check "$kb100"
no 2 'the port is not' grant b --key "$WORK/bob.pub" --open "$kb100"
no 2 'too long' grant b --key "$WORK/bob.pub" --open "$kb100:80"
no 2 'too long' grant b "${good[@]}" --from "$kb100"
no 2 'duration' list --expiring "$kb100"
no 2 'unknown option' show "--$kb100"
expect_exit 0 leasectl list --login "$kb100"
[[ ! -s $WORK/out ]] || fail 'a lease of an unknown login'
# The error must not be cut off behind a long word.
no 2 'is no duration' grant b "${good[@]}" --for "$kb100"
no 2 'is no time' grant b "${good[@]}" --until "$kb100"
no 2 'too long' grant b --open 8009 --key "$kb100"
no 2 'is longer than 64 characters' grant b --key "$WORK/bob.pub" --open "agent:$kb100"
no 3 "there is no agent 'nobody'" grant b --key "$WORK/bob.pub" --open agent:nobody
no 2 'no such command' "$kb100"
no 2 'option' "--$kb100"
no 1 'configuration' -c "/$kb100" list

# ---- standard input, output and error that are not there ----------------------------------------

note 'standard streams'
rc=0
leasectl grant b --open 8009 --key - >"$WORK/out" 2>"$WORK/err" <&- || rc=$?
judged 2 'no public key' 'stdin closed, --key -'
rc=0
leasectl grant b --open 8009 >"$WORK/out" 2>"$WORK/err" <&- || rc=$?
judged 2 '--key is missing' 'stdin closed'
rc=0
leasectl list <&- >"$WORK/out" 2>"$WORK/err" || rc=$?
[[ $rc == 0 && -s $WORK/out && ! -s $WORK/err ]] || fail 'list with stdin closed'

# lost HOW ARGS...: leasectl ARGS cannot write its output. HOW: full, pipe, closed.
lost()
{
	local how=$1 rc=0; shift
	case $how in
	full) leasectl "$@" >/dev/full 2>"$WORK/err" </dev/null || rc=$? ;;
	closed) leasectl "$@" >&- 2>"$WORK/err" </dev/null || rc=$? ;;
	pipe) python3 -c 'import os, subprocess, sys
r, w = os.pipe()
os.close(r)
code = subprocess.run(sys.argv[1:], stdout=w, stdin=subprocess.DEVNULL).returncode  # SIGPIPE as a shell has it
sys.exit(code if code >= 0 else 128 - code)' leasectl "$@" 2>"$WORK/err" || rc=$? ;;
	esac
	short "$@"
	asked line 1 "$rc" 'cannot write' "stdout $how: $SHORT"
	ok "$ANSWER"
	[[ ${changes-} ]] || same "stdout $how: $*"
}
for args in list 'list --all' '--json list' 'show alice' '--json show alice' 'login list' 'login check pfwd' sshd-config \
	--help --version 'grant --help'; do
	for how in full pipe closed; do
		# shellcheck disable=SC2086 # words
		lost "$how" $args
	done
done
# These commands have made their change before they write about it. The error must say both.
done_but() # HOW DONE ARGS...
{
	local how=$1 done=$2; shift 2
	changes=yes lost "$how" "$@"
	asked line 1 1 "$done" "$*"
}
spare=$(ssh-keygen -lf "$WORK/spare.pub" | cut -d' ' -f2)
for how in full pipe closed; do
	done_but "$how" "this is done: granted 'b' (#" grant b "${good[@]}"
	done_but "$how" "this is done: changed 'b' (#" set b --note x
	done_but "$how" "this is done: renewed 'b' (#" renew b --for 8d
	done_but "$how" "this is done: added key $spare to 'b' (#" key add b --key "$WORK/spare.pub"
	done_but "$how" "this is done: removed key $spare from 'b' (#" key remove b "$spare"
	done_but "$how" "this is done: revoked 'b' (#" revoke --keep-sessions b
	done_but "$how" "this is done: deleted 'b' (#" delete b
	leasectl grant b "${good[@]}" >/dev/null
	leasectl grant c --open 8009 --key "$WORK/spare.pub" >/dev/null
	done_but "$how" "2 changes are done, the last: revoked 'c' (#" --json revoke --keep-sessions b c
done
done_but closed 'this is done: all tunnel logins: frozen;' freeze
done_but closed 'this is done: all tunnel logins: not frozen;' thaw
done_but closed "this is done: login 'team' is there;" login add team
done_but closed 'this is done: this host is set up;' setup
done_but full "this is done: added agent 'a' (#" agent add a --key "$WORK/spare.pub"
leasectl revoke a >/dev/null
done_but full 'this is done: created token #' token create
done_but full 'this is done: revoked token #' token revoke "$(leasectl token list | tail -n 1 | cut -f1)"
active=$(leasectl --json list)
rc=0
leasectl verify alice >/dev/full 2>"$WORK/err" || rc=$?
asked line 1 "$rc" 'cannot write' 'verify into a full device'
[[ $(leasectl --json list) == "$active" ]] || fail 'verify leaves a lease behind'
remember

status() { # STATUS ARGS...: with stderr closed, only the exit status tells
	local rc=0 want=$1; shift
	leasectl "$@" 2>&- >"$WORK/out" </dev/null || rc=$?
	((rc == want)) || fail "stderr closed: $*: exit $rc, not $want"
	[[ ! -s $WORK/out ]] || fail "stderr closed: $*: writes to stdout"
	same "stderr closed: $*"
	short "$@"
	ok "$rc: stderr closed: $SHORT"
}
status 3 show nobody
status 2 grant b --open 0 --key "$WORK/bob.pub"
status 4 grant b --open 10.0.0.1:1 --key "$WORK/bob.pub"
status 5 grant b --open 8009 --key "$WORK/alice.pub"
rc=0
leasectl list <&- >"$WORK/out" 2>&- || rc=$?
[[ $rc == 0 && -s $WORK/out ]] || fail 'list with stderr closed'
rc=0
leasectl show nobody <&- >&- 2>&- || rc=$?
assert_eq "$rc" 3 'all three closed'
same 'all three closed'

# ---- akc ----------------------------------------------------------------------------------------

note 'akc'
read -r type blob _ <"$WORK/alice.pub"
repeat a 131071; longest=$REPLY # the longest argument of execve(2)
akc_no() # STATUS ARGS...: akc prints nothing, and its line in the log is clean
{
	local status=$1; shift
	short "$@"
	asked akc "$status" "akc $SHORT" setpriv --reuid=_tunlease-akc --regid=_tunlease --clear-groups /usr/libexec/tunlease/akc "$@"
	ok "$ANSWER"
}
for login in "$longest" '' $'\xff\xfe' ü $'pf\nwd' $'pfwd\n' $'\e[2J' $'\xc2\x9b2J' 'pfwd ' ' pfwd' pfwd/ ../pfwd 'pfwd reason=ok lease=alice' '%s%n' '*'; do
	akc_no 0 "$login" "$type" "$blob"
	akc_no 0 "$login"
done
for login in -pfwd - -- --pfwd -c -x; do akc_no 2 "$login" "$type"; done
akc_no 2
akc_no 2 pfwd "$type" "$blob" x
akc_no 2 "${thousands[@]}"
akc_no 2 -c
akc_no 0 pfwd '' ''
akc_no 0 pfwd "$type" ''
akc_no 0 pfwd "$type" "$longest"
akc_no 0 pfwd "$longest" "$blob"
akc_no 0 pfwd "$type" "AAAA${longest:4}"
akc_no 0 pfwd "$type" "${blob%?}"
akc_no 0 pfwd "$type" "$blob "
akc_no 0 pfwd "$type" "$blob"$'\n'
akc_no 0 pfwd "$type" "${blob:0:20} ${blob:20}"
akc_no 0 pfwd "$type " "$blob"
akc_no 0 pfwd $'ssh-ed25519\nx' "$blob"
akc_no 0 pfwd $'\xff' $'\xff'
login_works "$WORK/alice" pfwd || fail 'after all this, alice'
ok 'alice still gets in'
