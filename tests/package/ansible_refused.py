# SPDX-License-Identifier: ISC
"""Prints each value that the filters of the Ansible role take and must refuse, or refuse and must take."""

import importlib.util
import sys

spec = importlib.util.spec_from_file_location('role', sys.argv[1] + '/roles/tunlease/filter_plugins/tunlease.py')
role = importlib.util.module_from_spec(spec)
sys.dont_write_bytecode = True
spec.loader.exec_module(role)

KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGhIjKlMnOpQ'
GOOD = {'name': 'alice', 'key': KEY + ' alice@laptop', 'open': [8009, 'db.example:1-9', '[::1]:5', 'agent:db1']}


def refuses(function, *arguments):
    try:
        function(*arguments)
    except role.Refused:
        return True
    return False


def expect(refused, what, function, *arguments):
    if refuses(function, *arguments) != refused:
        print('%s: %s' % ('taken' if refused else 'refused', what))


def lease(refused, **terms):
    expect(refused, terms, role.plan, [dict(GOOD, **terms)], [], [])


lease(False)
for name in 'a', 'A.b_c@d-e', 'x' * 64, '@x', '_':
    lease(False, name=name)
for name in '', '-x', '.x', 'a b', "a'b", 'a"b', 'a;b', 'a\nb', 'a{{b}}', '$(id)', 'x' * 65, 'é', None, True, ['a'], '../x', '#1':
    lease(True, name=name)
for key in ('', 'x', '-----BEGIN OPENSSH PRIVATE KEY-----', 'command="id" ' + KEY, KEY + '\n' + KEY, KEY[:-20], KEY.replace('ssh-ed25519', 'ssh-rsa'),
            '/etc/passwd', '-', KEY + ' a\x1b[m', 5, None):
    lease(True, key=key)
lease(False, key=KEY + ' {{ a }} "b" $c `d`')
for permit in '-1', '0', 65536, '1-', '9-1', 'x', ':5', '[::1', '[x]:5', '--key:5', '-x:5', '127.0.0.1:1 --until', 'a b:5', '$x:5', 'agent:-x', 'agent:', \
        'auto', '127.0.0.1:1\n', True, {'a': 1}:
    lease(True, open=[permit])
lease(False, listen='auto')
lease(True, listen='agent:db1')
for source in '10.0.0.0/33', 'host', '-', '', '10.0.0.1,10.0.0.2', '10.0.0.1 -x':
    lease(True, **{'from': source})
lease(False, **{'from': ['10.1.2.3/8', '2001:DB8::1', 'fe80::1%eth0']})
for term in 'for', 'renew_below':
    for duration in '', '7', '-7d', '7d ', '7y', '$x', 7:
        lease(True, **{term: duration})
lease(False, **{'for': '1d12h', 'renew_below': '1d'})
lease(True, **{'for': '1d', 'renew_below': '1d'})
for until in '2026-12-31', '2026-12-31T18:00:00', '2026-13-31T18:00:00Z', 'tomorrow', 1798740000:
    lease(True, until=until)
lease(False, until='2036-12-31T18:00:00+01:00')
lease(True, **{'until': '2036-12-31T18:00:00Z', 'for': '1d'})
lease(True, login='-x')
lease(True, login='a b')
lease(True, max_sessions=0)
lease(True, max_sessions='-1')
lease(True, note='a\nb')
lease(True, note='x' * 257)
lease(False, note='-x "{{ y }}" $z')
lease(True, colour='red')
lease(True, state='gone')
expect(True, 'twice', role.plan, [GOOD, GOOD], [], [])
expect(True, 'no list', role.plan, GOOD, [], [])
expect(True, 'both', role.plan, [GOOD], [], [], [{'name': 'alice'}])
for port in 0, 'x', '-5':
    expect(True, port, role.plan, [], [], [], [{'name': 'db1', 'key': KEY, 'port': port}])
for conf in {'A b': 1}, {'Contact': 'a "b"'}, {'Contact': 'a\nAllowOpen x'}, {'Listen': ''}, {'Contact': {'a': 1}}, ['x']:
    expect(True, conf, role.conf, conf)
for env in {'a b': 1}, {'API_KEY': 'a"b'}, {'API_KEY': 'a\nb'}, {'API_KEY': 'a\\'}:
    expect(True, env, role.env, env)
for words in ('-x', 'h', '22', 'SHA256:' + 'x' * 43), ('a', 'h -o x', '22', 'SHA256:' + 'x' * 43), ('a', '-h', '22', 'SHA256:' + 'x' * 43), \
        ('a', 'h', '22 x', 'SHA256:' + 'x' * 43), ('a', 'h', '22', 'SHA256:x --token y'):
    expect(True, words, role.agent_words, *words)
for place in '', 'http://h/', '/a/-x.deb', '/a/b c.deb', '/a/x.rpm', '/a/..':
    expect(True, place, role.file, place)
text = role.conf({'PublicHost': 'h', 'IssueKeys': False, 'AllowOpen': ['h:1', ['db', 'h:2'], 'db h:3'], 'Contact': 'Ask #1'})
if text.split('\n', 1)[1] != 'PublicHost h\nIssueKeys no\nAllowOpen h:1\nAllowOpen db h:2\nAllowOpen db h:3\nContact "Ask #1"\n':
    print(text)
