#!/bin/bash
# SPDX-License-Identifier: ISC
# Keys and permits as people send them. What converts cleanly is converted by the command that the refusal
# names, and is then granted; what is refused leaves nothing behind.
# sandbox:
# timeout: 60
# shellcheck source=tests/lib.sh
. "$TOP/tests/lib.sh"

store_with_alice
new_key ed >/dev/null
ssh-keygen -q -t rsa -b 2048 -N '' -C rsa@laptop -f "$WORK/rsa" </dev/null
ssh-keygen -q -t ecdsa -N '' -C ec@laptop -f "$WORK/ec" </dev/null
cd "$WORK"
active=$(leasectl list --all)

# refused WORDS FILE: grant refuses it as malformed, in one line with these words, and without a byte of
# what could be secret.
refused()
{
	expect_exit 2 leasectl grant x --open 8009 --key "$2"
	[[ $(wc -l <err) == 1 && ! -s out ]] || fail "$2: $(cat err out)"
	grep -qF -e "$1" err || fail "$2: no '$1' in: $(cat err)"
	ok "$(sed 's/^leasectl: grant: //' err)"
}
# converted FILE KEY: the command between quotes in the last refusal makes a key of FILE that is granted.
converted()
{
	local command
	command=$(sed -nE "s/^[^:]*: [^:]*: [^:]*: [^'\"]*('([^']*)'|\"([^\"]*)\").*/\2\3/p" err)
	[[ -n $command ]] || fail "no command in: $(cat err)"
	bash -c "${command//FILE/$1}" >converted.pub || fail "$command"
	expect_exit 0 leasectl grant x --open 8009 --key converted.pub
	[[ $(leasectl show x) == *"$(ssh-keygen -lf "$2.pub" | cut -d' ' -f2)"* ]] || fail "$command makes another key"
	leasectl revoke x >out
	leasectl delete x >out
	ok "$command"
}
# accepted FILE COMMENT
accepted()
{
	expect_exit 0 leasectl grant x --open 8009 --key "$1"
	[[ $(leasectl show x | sed -n 's/^key\t//p') == "$(ssh-keygen -lf ed.pub | cut -d' ' -f2) ssh-ed25519 $2" ]] ||
		fail "$1: $(leasectl show x | grep '^key')"
	leasectl revoke x >out
	leasectl delete x >out
	ok "$1 is accepted"
}

# ---- public keys -------------------------------------------------------------------------------

note 'files as editors and mail programs save them'
{ printf '\xef\xbb\xbf'; cat ed.pub; } >notepad.pub
accepted notepad.pub ed
sed 's/$/\r/' ed.pub >crlf.pub
accepted crlf.pub ed
{ printf '\xef\xbb\xbf'; sed 's/$/\r/' ed.pub; } >windows.pub
accepted windows.pub ed
for encoding in UTF-16 UTF-16LE UTF-16BE; do
	iconv -f UTF-8 -t "$encoding" ed.pub >"$encoding.pub"
	refused 'UTF-16' "$encoding.pub"
	converted "$encoding.pub" ed
done
{ printf '\xfe\xff'; cat UTF-16BE.pub; } >marked.pub
refused "'iconv -f UTF-16 -t UTF-8 FILE'" marked.pub
converted marked.pub ed
fold -w 76 rsa.pub >mail.txt
refused 'broken into lines' mail.txt
converted mail.txt rsa
sed 's/$/\r/' mail.txt >mail-crlf.txt
refused 'broken into lines' mail-crlf.txt
converted mail-crlf.txt rsa
fold -s -w 76 rsa.pub >flowed.txt
refused 'broken into pieces' flowed.txt
python3 -c 'import quopri, sys; quopri.encode(open("rsa.pub", "rb"), sys.stdout.buffer, 0)' >mail.eml
refused 'quoted-printable' mail.eml
sed 's/^/> /' ed.pub >reply.txt
refused 'quoted from a mail' reply.txt
sed 's/.*/"&"/' ed.pub >quotes.txt
refused 'quotes around' quotes.txt
python3 -c 'import html, sys; print("<pre>" + html.escape(open("ed.pub").read()) + "</pre>")' >page.html
refused HTML page.html
python3 -c 'import sys; print("".join("&#%d;" % ord(c) if c in "+/=" else c for c in open("rsa.pub").read()))' >form.html
refused HTML form.html
sed 's/ /\xc2\xa0/' ed.pub >chat.txt
refused 'not ASCII' chat.txt
{ printf '%s' "$(cat ed.pub)"; cat rsa.pub; } >glued.pub
refused 'two keys' glued.pub
{ ssh-keygen -yf ed | cut -d' ' -f1,2 | tr -d '\n'; cat rsa.pub; } >glued-bare.pub
refused 'two keys' glued-bare.pub
cat ed.pub rsa.pub >both.pub
refused 'more than one line' both.pub

note 'keys of other programs'
for key in ed rsa ec; do
	ssh-keygen -e -f "$key.pub" >"$key.ssh2"
	refused 'RFC 4716' "$key.ssh2"
	converted "$key.ssh2" "$key"
done
for key in rsa ec; do
	ssh-keygen -e -m PKCS8 -f "$key.pub" >"$key.pkcs8"
	refused 'PKCS8' "$key.pkcs8"
	converted "$key.pkcs8" "$key"
done
ssh-keygen -e -m PEM -f rsa.pub >rsa.pem
refused '-m PEM' rsa.pem
converted rsa.pem rsa
openssl genpkey -algorithm ed25519 2>/dev/null | openssl pkey -pubout >ed.openssl
refused 'ssh-keygen cannot convert' ed.openssl
! ssh-keygen -i -m PKCS8 -f ed.openssl >out 2>&1 || fail 'ssh-keygen converts it'
ssh-keygen -p -q -m PEM -N '' -f rsa </dev/null >out
openssl req -x509 -key rsa -subj /CN=alice -days 1 >x509.crt 2>out
refused 'X.509' x509.crt
converted x509.crt rsa

note 'what is no key of a person'
sed 's/^/gateway.example,192.0.2.7 /' ed.pub >known_hosts_line
refused 'known_hosts' known_hosts_line
cp known_hosts_line hashed
ssh-keygen -q -H -f hashed >out 2>&1
refused 'known_hosts' hashed
sed 's/^/no-pty,command="a b" /' ed.pub >authorized_keys_line
refused 'options before the key' authorized_keys_line
for hash in sha256 md5; do
	ssh-keygen -E "$hash" -lf ed.pub >"fingerprint.$hash"
	refused 'fingerprint' "fingerprint.$hash"
	cut -d' ' -f2 "fingerprint.$hash" >"bare.$hash"
	refused 'fingerprint' "bare.$hash"
done
cut -d' ' -f2 ed.pub >base64.txt
refused 'no type before it' base64.txt
ssh-keygen -q -s rsa -I id ed.pub </dev/null
refused 'certificate' ed-cert.pub

# ---- private keys ------------------------------------------------------------------------------

note 'private keys, in any form'
openssl genpkey -algorithm ed25519 >private.pkcs8 2>out
openssl genpkey -algorithm ed25519 -aes256 -pass pass:x >private.encrypted 2>out
cp ed private.openssh
cp rsa private.pem
iconv -t UTF-16 ed >private.utf16
sed 's/^/> /' ed >private.reply
grep -v -e ---- ed >private.body
{ cat ed.pub ed; } >private.both
# As PuTTYgen 0.78 writes one, with other bytes for the secret.
cat >private.ppk <<'END'
PuTTY-User-Key-File-3: ssh-ed25519
Encryption: none
Comment: alice@laptop
Public-Lines: 2
AAAAC3NzaC1lZDI1NTE5AAAAIHqtfZ5rgGDJkRWThlInfeJWFy10uQZeiMM1UH0n
lbp3
Private-Lines: 1
AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
Private-MAC: 0000000000000000000000000000000000000000000000000000000000000000
END
! type -P puttygen >/dev/null || puttygen ed -O private -o private.ppk
for file in private.*; do
	for verb in 'grant x --open 8009' 'key add alice' 'explain pfwd' 'agent add x'; do
		# shellcheck disable=SC2086 # words
		expect_exit 2 leasectl $verb --key "$file"
		grep -q 'private key' err || fail "$file, $verb: $(cat err)"
		[[ ! -s out ]] || fail "$file, $verb prints $(cat out)"
		# Of no line of it do eight characters together stand in the error.
		while read -r line; do
			[[ ${#line} -lt 20 || $line == *----* || $line == [A-Z]*:* ]] || ! grep -qF -e "${line:4:8}" err ||
				fail "$file: shown: $(cat err)"
		done < <(tr -d '\0' <"$file")
	done
	ok "$(sed 's/^leasectl: [^:]*: //' err)"
done
expect_exit 2 leasectl grant x --open 8009 --key - <private.openssh
grep -q 'standard input: this is a private key' err || fail "standard input: $(cat err)"
for verb in 'grant x --open 8009' 'key add alice' 'explain pfwd'; do
	# shellcheck disable=SC2086 # words
	expect_exit 2 leasectl $verb --key "$(cat private.openssh)"
	grep -q 'takes the name of a file, and this is a private key' err || fail "$verb, as the argument: $(cat err)"
	! grep -q 'BEGIN\|b3BlbnNzaC' err out || fail "shown: $(cat err)"
done
ok 'a private key as the argument is not shown'
expect_exit 2 leasectl grant x --open 8009 --key "$(cat ed.pub)"
grep -qF "this is the key itself: write '--key -'" err || fail "the key as the argument: $(cat err)"
body=$(sed -n 3p private.openssh)
expect_exit 2 leasectl grant x --key "$body" --open 8009
! grep -qF "${body:0:20}" "$WORK/err" || fail "a part of a private key is shown: $(cat "$WORK/err")"
expect_exit 2 leasectl grant x --key no-such-file.pub --open 8009
grep -qF "cannot read the key 'no-such-file.pub'" "$WORK/err" || fail "the name of a file is not shown: $(cat "$WORK/err")"
# Pasted at the prompt: the lines that follow the first one are not left for the shell.
python3 - >out <<'END' || fail "pasted: $(cat out)"
import os, pty, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execvp("bash", ["bash", "--norc", "-c", "leasectl grant x --open 8009; read -r -t 0.2 rest; echo \"left: $rest.\""])
text = b""
while b"Paste" not in text:
    text += os.read(fd, 4096)
os.write(fd, open("private.openssh", "rb").read().replace(b"\n", b"\r"))
try:
    while piece := os.read(fd, 4096):
        text += piece
except OSError:
    pass
os.waitpid(pid, 0)
words = text.decode()
sys.exit(0 if "is a private key" in words and "left: ." in words else words)
END
ok 'a private key that is pasted: refused, and not left for the shell'
assert_eq "$(leasectl list --all)" "$active" 'no lease was made or changed'
# shellcheck disable=SC2012 # a pattern of bytes
secret=$(grep -v -e ---- ed | sed -n 3p)
! grep -rqF -e "${secret:0:40}" /var/lib/tunlease "$SANDBOX_LOG" || fail 'a part of a private key was kept'

# ---- permits -----------------------------------------------------------------------------------

# meant COMMAND... -- WORDS: refused as malformed, in one line with these words.
meant()
{
	local words=${*: -1}
	expect_exit 2 leasectl "${@:1:$#-2}"
	[[ $(wc -l <err) == 1 && ! -s out ]] || fail "$*: $(cat err out)"
	grep -qF -e "$words" err || fail "$*: no '$words' in: $(cat err)"
	ok "$(cat err)"
}
grant=(grant x --key "$WORK/ed.pub")

note 'permits in other forms'
meant "${grant[@]}" --open 8009:127.0.0.1:8009 -- 'the permit is its last end: write --open 127.0.0.1:8009'
meant "${grant[@]}" --open http://127.0.0.1:8009/ -- "--open 'http://127.0.0.1:8009/' is a URL: write --open 127.0.0.1:8009"
meant "${grant[@]}" --open 8009,8010 -- 'write each for itself, --open 127.0.0.1:8009 --open 127.0.0.1:8010'
meant "${grant[@]}" --open /run/app.sock -- 'is the path of a socket'
meant "${grant[@]}" --open 127.0.0.1 -- 'names no port: write --open 127.0.0.1:PORT'
meant "${grant[@]}" --open :8009 -- 'names no host: write --open 127.0.0.1:8009'
meant "${grant[@]}" --open '*:8009' -- 'a permit is for one: write --open 127.0.0.1:8009'
meant "${grant[@]}" --open ::1:8009 -- "write --open '[::1]:8009'"
meant "${grant[@]}" --open 8020-8009 -- 'ends before it begins: write --open 127.0.0.1:8009-8020'
meant "${grant[@]}" --open 0 -- 'the port is not a number from 1 to 65535'
meant "${grant[@]}" --login gw-tunnel --listen 20001:127.0.0.1:22 -- 'the permit is its first end: write --listen 127.0.0.1:20001'
meant set alice --open +http://127.0.0.1:8010/ -- "--open '+http://127.0.0.1:8010/' is a URL: write --open +127.0.0.1:8010"
meant set alice --open +8010,8011 -- 'write each for itself, --open +127.0.0.1:8010 --open +127.0.0.1:8011'
meant set alice --open -8009:127.0.0.1:8009 -- 'write --open -127.0.0.1:8009'
meant set alice --open 8010 -- 'write +127.0.0.1:8010 to add it, -127.0.0.1:8010 to take it away'
meant set alice --open nonsense! -- 'write +PERMIT to add it, -PERMIT to take it away'
explain=(explain pfwd --key "$WORK/alice.pub")
meant "${explain[@]}" --open 8009:127.0.0.1:8009 -- 'write --open 127.0.0.1:8009'
meant "${explain[@]}" --open http://127.0.0.1:8009/ -- 'write --open 127.0.0.1:8009'
meant "${explain[@]}" --open 8009,8010 -- 'ask for one at a time'
meant "${explain[@]}" --open 127.0.0.1 -- 'names no port'
# Each way out that was named is taken.
expect_exit 0 leasectl "${grant[@]}" --open 127.0.0.1:8009 --open 127.0.0.1:8010 --open '[::1]:8009'
expect_exit 0 leasectl set x --open +127.0.0.1:8011 --open -127.0.0.1:8010
expect_exit 0 leasectl "${explain[@]}" --open 127.0.0.1:8009
# What only sshd refuses is a question for explain, and no error in it.
for odd in 127.1:8009 db1:8009 '[::ffff:127.0.0.1]:8009'; do
	expect_exit 1 leasectl "${explain[@]}" --open "$odd"
done
expect_exit 1 leasectl "${explain[@]}" --listen '*:20001'

note 'ceilings in other forms'
while IFS='|' read -r line words; do
	printf '%s\n' "$line" >wrong.conf
	expect_exit 1 leased -t -c wrong.conf
	grep -qF -e "wrong.conf:1: $words" err out || fail "$line: $(cat err out)"
	ok "$line: $words"
done <<'END'
AllowOpen http://127.0.0.1:8009/|AllowOpen http://127.0.0.1:8009/ is a URL: write AllowOpen 127.0.0.1:8009
AllowOpen db1:5432 db2:5432|AllowOpen db1:5432 db2:5432 names several: write each for itself, AllowOpen db1:5432 and AllowOpen db2:5432
AllowOpen pfwd 8009|AllowOpen 8009 names no host: write AllowOpen pfwd 127.0.0.1:8009
AllowListen 127.0.0.1:30000-20000|AllowListen 127.0.0.1:30000-20000 ends before it begins: write AllowListen 127.0.0.1:20000-30000
AllowOpen nonsense!|AllowOpen nonsense! names no host
END
