# SPDX-License-Identifier: ISC
"""What the role decides, on the controller and without I/O: files from variables, and what of the leases differs.

All that comes in is hostile: a name or permit of another form is refused before anything is changed, and what is
not refused becomes words of an argument list or text on standard input. All that goes out is marked unsafe, so
that braces in a note of the gateway are never a template.
"""

import base64
import datetime
import hashlib
import ipaddress
import re

from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.text.converters import to_native
from ansible.utils.unsafe_proxy import wrap_var

# The command module expands $NAME in its arguments; the role gives it this name, whose value is a dollar.
DOLLAR = '${TUNLEASE_DOLLAR}'

LEASE_TERMS = {'name', 'state', 'key', 'keys', 'open', 'listen', 'login', 'for', 'until', 'renew_below', 'from',
               'max_sessions', 'note', 'regrant'}
AGENT_TERMS = {'name', 'state', 'key', 'port', 'for', 'until', 'regrant'}
REPEATED = {'allowopen', 'allowlisten', 'listen'}
UNITS = {'w': 604800, 'd': 86400, 'h': 3600, 'm': 60, 's': 1}

NAME = re.compile(r'[A-Za-z0-9_@][A-Za-z0-9_@.-]{0,63}', re.ASCII)
LOGIN = re.compile(r'[a-z_][a-z0-9_-]{0,31}', re.ASCII)
KEY = re.compile(r'([a-z0-9@.-]{1,64}) ([A-Za-z0-9+/]{40,12000}={0,2})(?: .*)?', re.ASCII)
PORTS = re.compile(r'([0-9]{1,5})(?:-([0-9]{1,5}))?', re.ASCII)
HOST = re.compile(r'[A-Za-z0-9]([A-Za-z0-9.-]{0,252})', re.ASCII)
SOURCE = re.compile(r'[0-9A-Fa-f:.]{1,45}(%[A-Za-z0-9_.-]{1,15})?(/[0-9]{1,3})?', re.ASCII)
DURATION = re.compile(r'(?:[0-9]{1,7}[wdhms])+', re.ASCII)
TIME = re.compile(r'\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)', re.ASCII)
KEYWORD = re.compile(r'[A-Za-z]{2,40}', re.ASCII)
VARIABLE = re.compile(r'[A-Z_]{2,40}', re.ASCII)
CONTROL = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028\u2029]')


class Refused(AnsibleFilterError):
    pass


def shown(value):
    """A value in a message: short, in quotes, escaped."""
    text = ascii(to_native(value))
    return text if len(text) <= 80 else text[:70] + "...'"


def text_of(value, what, most=4000):
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Refused('%s: %s is neither text nor a number: put it in quotes' % (what, shown(value)))
    text = str(value)
    if CONTROL.search(text) or len(text.encode()) > most:
        raise Refused('%s: %s has control characters, or is too long' % (what, shown(text)))
    return text


def matched(pattern, value, what, form):
    text = text_of(value, what)
    if not pattern.fullmatch(text):
        raise Refused('%s: %s is not %s' % (what, shown(text), form))
    return text


def items_of(value):
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def entry_of(value, terms, variable):
    if not isinstance(value, dict) or 'name' not in value:
        raise Refused('%s: %s is not a mapping with a name' % (variable, shown(value)))
    name = matched(NAME, value['name'], '%s: name' % variable, 'a name of a lease')
    what = '%s: %s' % (variable, name)
    for term in value:
        if term not in terms:
            raise Refused('%s: %s is no term' % (what, shown(term)))
    if value.get('state', 'present') not in ('present', 'revoked'):
        raise Refused('%s: state is present or revoked, not %s' % (what, shown(value['state'])))
    if value.get('for') is not None and value.get('until') is not None:
        raise Refused('%s: for or until, not both' % what)
    return name, what


def entries_of(values, terms, variable):
    if not isinstance(values, (list, tuple)):
        raise Refused('%s is not a list' % variable)
    seen = {}
    for value in values:
        name, what = entry_of(value, terms, variable)
        if name in seen:
            raise Refused('%s is there twice' % what)
        seen[name] = (what, value)
    return seen


# ---- terms -----------------------------------------------------------------------------------------------------

def key_of(value, what):
    """A public key: its line and its fingerprint, as leasectl writes it."""
    text = text_of(value, what, 16000).strip()
    if 'PRIVATE KEY' in text:
        raise Refused('%s: this is a private key: give the .pub' % what)
    found = KEY.fullmatch(text)
    try:
        blob = base64.b64decode(found.group(2), validate=True)
        parts, rest = [], blob
        while rest:
            size = int.from_bytes(rest[:4], 'big')
            parts.append(rest[4:4 + size])
            if len(rest) < 4 + size:
                raise ValueError
            rest = rest[4 + size:]
        if len(parts) < 2 or parts[0].decode('ascii') != found.group(1):
            raise ValueError
    except (AttributeError, ValueError):
        raise Refused('%s: %s is not one OpenSSH public key without options' % (what, shown(text)))
    return text, 'SHA256:' + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip('=')


def permit_of(value, what, listens=False):
    """HOST:PORT or HOST:LOW-HIGH as leasectl stores it; agent:NAME and auto as they are."""
    text = text_of(value, what)
    if listens and text == 'auto':
        return text
    if not listens and text.startswith('agent:'):
        return 'agent:' + matched(NAME, text[6:], what, 'a name of an agent')
    host, colon, ports = text.rpartition(':')
    host = host if colon else '127.0.0.1'
    found = PORTS.fullmatch(ports)
    low, high = (int(found.group(1)), int(found.group(2) or found.group(1))) if found else (0, 0)
    try:
        if host.startswith('[') and host.endswith(']'):
            host = '[%s]' % ipaddress.IPv6Address(host[1:-1])
        elif not HOST.fullmatch(host):
            raise ValueError
        if not 1 <= low <= high <= 65535:
            raise ValueError
    except ValueError:
        raise Refused('%s: %s is not HOST:PORT' % (what, shown(text)))
    host = '127.0.0.1' if host.lower() == 'localhost' else host.lower()
    return '%s:%d' % (host, low) if low == high else '%s:%d-%d' % (host, low, high)


def source_of(value, what):
    """An address or network, as leasectl stores it."""
    text = matched(SOURCE, value, what, 'an address or network').lower()
    if '%' in text:
        return text
    try:
        if '/' in text:
            return str(ipaddress.ip_network(text, strict=False))
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise Refused('%s: %s is not an address or network' % (what, shown(text)))


def same_source(text):
    """Of two spellings of one source one."""
    network = re.fullmatch(r'(.*)/(32|128)', text)
    return network.group(1) if network and (':' in text) == (network.group(2) == '128') else text


def duration_of(value, what):
    text = matched(DURATION, value, what, "a duration such as '7d'")
    return text, sum(int(number) * UNITS[unit] for number, unit in re.findall(r'([0-9]+)([wdhms])', text))


def moment_of(value, what):
    if not isinstance(value, str) or not TIME.fullmatch(value):
        raise Refused("%s: write the time in quotes and with its distance from UTC, as '2026-12-31T18:00:00Z', not %s"
                      % (what, shown(value)))
    try:
        return datetime.datetime.fromisoformat(str(value).replace('Z', '+00:00').replace(' ', 'T'))
    except ValueError:
        raise Refused('%s: there is no time %s' % (what, shown(value)))


def utc(moment):
    return moment.astimezone(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')


def wanted_lease(value, what):
    """The terms of one entry of tunlease_leases, in the forms in which leasectl prints them."""
    want = {'for': None, 'until': None, 'renew_below': None, 'open': None, 'login': None}
    keys = items_of(value.get('keys')) + items_of(value.get('key'))
    want['keys'] = dict(reversed(key_of(key, what + ': key')) for key in keys)
    if not want['keys']:
        raise Refused('%s: it needs a key' % what)
    if value.get('open') is not None:
        want['open'] = [permit_of(permit, what + ': open') for permit in items_of(value['open'])]
    want['listen'] = [permit_of(permit, what + ': listen', True) for permit in items_of(value.get('listen'))]
    want['from'] = [source_of(source, what + ': from') for source in items_of(value.get('from'))]
    if value.get('login') is not None:
        want['login'] = matched(LOGIN, value['login'], what + ': login', 'a login')
    if value.get('for') is not None:
        want['for'] = duration_of(value['for'], what + ': for')
    if value.get('renew_below') is not None:
        want['renew_below'] = duration_of(value['renew_below'], what + ': renew_below')
        if want['for'] and want['renew_below'][1] >= want['for'][1] or value.get('until') is not None:
            raise Refused('%s: renew_below is less than for, and goes without until' % what)
    if value.get('until') is not None:
        want['until'] = moment_of(value['until'], what + ': until')
    most = value.get('max_sessions')
    if most in (None, 'none'):
        want['max_sessions'] = None
    else:
        want['max_sessions'] = int(matched(re.compile('[1-9][0-9]{0,3}'), most, what + ': max_sessions', 'a number'))
    want['note'] = text_of(value.get('note') or '', what + ': note', 256)
    return want


# ---- what differs ----------------------------------------------------------------------------------------------

class Plan:
    def __init__(self, leases, agents, regrant, now_s):
        self.newest = {}
        for lease in sorted(leases, key=lambda one: one['id']):
            self.newest[lease['name']] = lease
        self.agents = {}
        for agent in sorted(agents, key=lambda one: one['id']):
            self.agents[agent['name']] = agent
        self.agent_names = {agent['name'] for agent in agents if agent['state'] != 'revoked'}
        self.regrant, self.now = regrant, datetime.datetime.fromtimestamp(now_s, datetime.timezone.utc)
        self.first, self.agent_adds, self.others, self.left, self.told = [], [], [], [], []

    def do(self, steps, words, argv, stdin=''):
        argv = ['leasectl'] + [word.replace('$', DOLLAR) for word in argv]
        steps.append({'words': words, 'argv': argv, 'stdin': stdin})

    def live(self, name):
        lease = self.newest.get(name)
        return lease if lease and lease['state'] != 'revoked' else None

    def may_make(self, name, value):
        """Whoever revoked it by hand meant it: a list that still has it does not bring it back."""
        lease = self.newest.get(name)
        if not lease or self.regrant or value.get('regrant'):
            return True
        self.left.append("%s was revoked at %s and is still listed: take it out of the list, or run once with "
                         "-e tunlease_regrant=true" % (name, lease['revoked_at']))
        return False

    def revoke(self, name):
        lease = self.live(name)
        if lease:
            self.do(self.first, 'revoke %s' % name, ['revoke', '--yes', '#%d' % lease['id']])

    def end(self, lease, until):
        """Gives a lease its exact end."""
        if moment_of(lease['expires_at'], 'gateway') == until:
            return
        if until > self.now:
            self.do(self.others, '%s: end %s, not %s' % (lease['name'], utc(until), lease['expires_at']),
                    ['renew', '--until', utc(until), '#%d' % lease['id']])
        elif lease['state'] == 'active':
            self.left.append("%s: until has passed, and it ends at %s only: give it 'state: revoked'"
                             % (lease['name'], lease['expires_at']))

    def term(self, name, want):
        if want['for']:
            return ['--for', want['for'][0]]
        return ['--until', utc(want['until'])] if want['until'] else []

    def without_unknown(self, name, want):
        """An agent that nobody has added yet cannot be named in a permit."""
        there = self.agent_names | {step['argv'][3] for step in self.agent_adds}
        for permit in want['open'] or []:
            if permit.startswith('agent:') and permit[6:] not in there:
                self.told.append('%s: %s is not opened before that agent is added' % (name, permit))
        want['open'] = want['open'] and [permit for permit in want['open'] if not permit.startswith('agent:')
                                         or permit[6:] in there]
        return want['open'] != [] or bool(want['listen'])

    def lease(self, name, what, value):
        if name in self.agent_names:
            raise Refused('%s is an agent at the gateway: it belongs into tunlease_agents' % what)
        if value.get('state') == 'revoked':
            self.revoke(name)
            return
        want = wanted_lease(value, what)
        have = self.live(name)
        if not self.without_unknown(name, want):
            return
        if have:
            self.change(have, want, what)
        elif want['until'] and want['until'] <= self.now:
            self.told.append('%s is not granted: its end has passed' % name)
        elif self.may_make(name, value):
            self.grant(name, want)

    def grant(self, name, want):
        argv = ['grant', name, '--key', '-']
        for term in 'open', 'listen':
            argv += [word for permit in want[term] or [] for word in ('--' + term, permit)]
        argv += ['--login', want['login']] if want['login'] else []
        argv += ['--from', ','.join(want['from'])] if want['from'] else []
        argv += ['--max-sessions', str(want['max_sessions'])] if want['max_sessions'] else []
        argv += ['--note=' + want['note']] if want['note'] else []
        argv += self.term(name, want)
        lines = list(want['keys'].values())
        self.do(self.others, 'grant %s: %s' % (name, ' '.join(argv[4:]) or 'by default'), argv, lines[0])
        for line in lines[1:]:
            self.do(self.others, '%s: one more key' % name, ['key', 'add', name, '--key', '-'], line)

    def change(self, have, want, what):
        name, number, words, argv = have['name'], '#%d' % have['id'], [], []
        if want['login'] and want['login'] != have['login']:
            self.left.append('%s is a lease on %s, not %s: revoke it first' % (name, have['login'], want['login']))
            return
        for term in 'open', 'listen':
            added, gone = self.permits(have, want, term)
            for sign, permits in ('+', added), ('-', gone):
                argv += [word for permit in permits for word in ('--' + term, sign + permit)]
                words += ['%s %s%s' % (term, sign, permit) for permit in permits]
        if {same_source(source) for source in have['from']} != {same_source(source) for source in want['from']}:
            argv += ['--from', ','.join(want['from']) or 'none']
            words.append('from %s, not %s' % (argv[-1], ','.join(have['from']) or 'none'))
        if have['max_sessions'] != want['max_sessions']:
            argv += ['--max-sessions', str(want['max_sessions'] or 'none')]
            words.append('max_sessions %s' % argv[-1])
        if have['note'] != want['note']:
            argv += ['--note=' + want['note']]
            words.append('note %s' % shown(want['note']))
        if argv:
            self.do(self.others, '%s: %s' % (name, ', '.join(words)), ['set', '--yes', number] + argv)
        held = [key['fingerprint'] for key in have['keys']]
        for fingerprint, line in want['keys'].items():
            if fingerprint not in held:
                self.do(self.others, '%s: key +%s' % (name, fingerprint), ['key', 'add', number, '--key', '-'], line)
        for fingerprint in held:
            if fingerprint not in want['keys']:
                self.do(self.others, '%s: key -%s' % (name, fingerprint),
                        ['key', 'remove', '--yes', number, fingerprint])
        if want['until']:
            self.end(have, want['until'])
            return
        remains = (moment_of(have['expires_at'], 'gateway') - self.now).total_seconds()
        if want['renew_below'] and remains < want['renew_below'][1]:
            self.do(self.others, '%s: renew, it ends at %s' % (name, have['expires_at']),
                    ['renew'] + self.term(name, want) + [number])
        elif have['state'] == 'expired':
            self.told.append('%s has expired and is left so: leasectl renew %s' % (name, name))

    def permits(self, have, want, term):
        if want[term] is None:
            return [], []
        held = list(have[term])
        if term == 'open':
            # The ports of agents are there, too.
            ports = [self.agents[agent]['port_b'] for agent in have['open_agents'] if agent in self.agents]
            held = [permit for permit in held if permit in want['open'] or
                    not any(permit.endswith(':%s' % port) for port in ports)]
            held += ['agent:' + agent for agent in have['open_agents']]
        wanted = [permit for permit in want[term] if permit != 'auto']
        added = [permit for permit in dict.fromkeys(wanted) if permit not in held]
        gone = [permit for permit in held if permit not in wanted]
        if 'auto' in want[term]:
            added += [] if gone else ['auto']
            gone = gone[1:]
        return added, gone

    def agent(self, name, what, value):
        if value.get('state') == 'revoked':
            self.revoke(name)
            return
        argv = ['agent', 'add', name, '--key', '-']
        if value.get('port') is not None:
            argv += ['--port', matched(re.compile('[1-9][0-9]{0,4}'), value['port'], what + ': port', 'a port')]
        want = {'for': None, 'until': None}
        if value.get('for') is not None:
            want['for'] = duration_of(value['for'], what + ': for')
        if value.get('until') is not None:
            want['until'] = moment_of(value['until'], what + ': until')
        line, fingerprint = key_of(value['key'], what + ': key') if value.get('key') else ('', None)
        have = self.live(name)
        if not have:
            if not line:
                self.told.append('%s is not added yet: it has no key here, and the play for its host adds it' % name)
            elif self.may_make(name, value):
                self.do(self.agent_adds, 'agent add %s' % name, argv + self.term(name, want), line)
            return
        if fingerprint and fingerprint not in [key['fingerprint'] for key in have['keys']]:
            self.left.append('%s has another key at the gateway' % name)
        if value.get('port') is not None and str(self.agents[name]['port_b']) != str(value['port']):
            self.left.append('%s has port %s at the gateway, and keeps it' % (name, self.agents[name]['port_b']))
        if want['until']:
            self.end(have, want['until'])

    def result(self):
        return wrap_var({'steps': self.first, 'agents': self.agent_adds, 'then': self.others, 'left': self.left,
                         'told': self.told,
                         'words': [step['words'] for step in self.first + self.agent_adds + self.others]})


def plan(leases, have, agents_have, agents=(), exclusive=False, exclusive_agents=False, regrant=False, now_s=0):
    """What to run so that the gateway has these leases and agents: three lists of steps, in their order."""
    agents = [] if agents is None else agents
    work = Plan(have, agents_have, regrant, int(now_s))
    wanted_agents = entries_of(agents, AGENT_TERMS, 'tunlease_agents')
    wanted = entries_of(leases, LEASE_TERMS, 'tunlease_leases')
    for name, (what, value) in wanted.items():
        if name in wanted_agents:
            raise Refused('%s is an agent in tunlease_agents, too' % what)
    for name, lease in work.newest.items():
        # 'leasectl verify' makes leases for a moment, with numbers below 0.
        if lease['id'] < 0:
            continue
        is_agent = name in work.agent_names
        if is_agent and exclusive_agents and name not in wanted_agents:
            work.revoke(name)
        elif not is_agent and exclusive and name not in wanted:
            work.revoke(name)
    for name, (what, value) in wanted_agents.items():
        work.agent(name, what, value)
    for name, (what, value) in wanted.items():
        work.lease(name, what, value)
    return work.result()


def agent_plan(name, key, have, agents_have, regrant=False, has_secret=False, has_token=False):
    """What the gateway is to be asked for an agent's host: add, token or nothing; left says what is wrong."""
    name = matched(NAME, name, 'tunlease_agent_name', 'a name of an agent')
    work = Plan(have, agents_have, regrant, 0)
    line, fingerprint = key_of(key, '%s: its key' % name) if key else ('', None)
    lease, argv = work.live(name), []
    if lease and name not in work.agent_names:
        work.left.append('%s is a lease at the gateway, not an agent: give it another tunlease_agent_name' % name)
    elif not lease:
        argv = ['agent', 'add', name, '--key', '-'] if work.may_make(name, {}) else []
    elif fingerprint and fingerprint not in [one['fingerprint'] for one in lease['keys']]:
        work.left.append("%s has another key at the gateway: if its host was made anew, 'leasectl revoke %s' there, "
                         "and run with -e tunlease_regrant=true" % (name, name))
    elif not has_secret and not has_token:
        argv = ['token', 'create', '--name', name, '--for', '1d']
    return wrap_var({'argv': ['leasectl', '--json'] + argv if argv else [], 'stdin': line, 'left': work.left})


# ---- files -----------------------------------------------------------------------------------------------------

def conf_word(value, what):
    text = {True: 'yes', False: 'no'}[value] if isinstance(value, bool) else text_of(value, what)
    if '"' in text or not text:
        raise Refused('%s: %s is empty or has a double quote' % (what, shown(text)))
    return '"%s"' % text if re.search(r'[\s#]', text) else text


def conf_lines(conf):
    if not isinstance(conf, dict):
        raise Refused('tunlease_conf is not a mapping')
    for keyword, value in conf.items():
        what = 'tunlease_conf: %s' % matched(KEYWORD, keyword, 'tunlease_conf', 'a keyword')
        for line in items_of(value):
            if isinstance(line, str) and keyword.lower() in REPEATED:
                line = line.split()
            words = [conf_word(word, what) for word in items_of(line)]
            if not words:
                raise Refused('%s: an empty line' % what)
            yield keyword, words


def conf(values, join=False, checks=False):
    """tunlease.conf(5): a list is several lines, a list in a list the words of one. join: JoinLogin has a name.
    checks: without JoinLogin, for leased -t."""
    lines = ['%s %s' % (keyword, ' '.join(words)) for keyword, words in conf_lines(values)
             if not (checks and keyword.lower() == 'joinlogin')]
    if join and not any(keyword.lower() == 'joinlogin' for keyword in values):
        lines.append('JoinLogin join')
    return wrap_var('\n'.join(['# Made by Ansible (tunlease_conf): changes are overwritten.'] + lines) + '\n')


def env(values):
    """leased.env, which systemd reads, too."""
    lines = []
    for name, value in (values or {}).items():
        matched(VARIABLE, name, 'tunlease_env', 'a name')
        if isinstance(value, bool) or not isinstance(value, (str, int)) or re.search(r'["\\\x00-\x1f\x7f]', str(value)):
            # Not shown: it may be a key.
            raise Refused('tunlease_env: %s has a quote, a backslash or a control character' % name)
        lines.append('%s="%s"\n' % (name, value))
    return wrap_var(''.join(['# Made by Ansible (tunlease_env).\n'] + lines) if lines else '')


def sockets(values):
    """A drop-in for leased.socket, whose addresses must be those of tunlease.conf; '' where they are by default."""
    listens, page = [], []
    for keyword, words in conf_lines(values):
        if keyword.lower() == 'listen' and len(words) == 1:
            listens.append(words[0])
        elif keyword.lower() == 'metricslisten' and not words[0].startswith('unix:'):
            page.append(words[0])
    if not listens and not page:
        return ''
    lines = [address[5:] if address.startswith('unix:') else address for address in (listens or ['127.0.0.1:12000']) + page]
    text = ''.join('ListenStream=%s\n' % line.strip('"').replace('%', '%%') for line in lines)
    return wrap_var('# Made by Ansible, of tunlease_conf.\n[Socket]\nListenStream=\n' + text)


def agent_env(values):
    """agent.env for systemd: every value in double quotes, with none of what systemd would take as its own."""
    lines = []
    for name, value in values.items():
        matched(VARIABLE, name, 'tunlease_agent_env', 'a name')
        text = text_of(value, 'tunlease_agent_env: ' + name)
        if re.search(r'["\\`]', text):
            raise Refused('tunlease_agent_env: %s has a quote or a backslash' % name)
        lines.append('%s="%s"\n' % (name, text))
    return wrap_var(''.join(['# Made by Ansible.\n'] + lines))


def control_port(values):
    """The port that agents are to ask for; it is the first one of loopback, as in tunlease.conf(5)."""
    ports = [words[0].rpartition(':') for keyword, words in conf_lines(values or {})
             if keyword.lower() == 'listen' and not words[0].startswith('unix:')]
    for host, _, port in sorted(ports, key=lambda one: ['127.0.0.1', '0.0.0.0'].index(one[0])
                                if one[0] in ('127.0.0.1', '0.0.0.0') else 2):
        return wrap_var(matched(re.compile('[1-9][0-9]{0,4}'), port, 'tunlease_conf: Listen', 'an address with a port'))
    return '12000'


def agent_words(name, host, port, fingerprint, control='12000'):
    """AGENT_OPTS, which systemd splits at blanks: each word has a form without any."""
    host = matched(re.compile(r'\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]{0,252}'), host, 'tunlease_gateway_address', 'a host')
    port = matched(re.compile('[1-9][0-9]{0,4}'), port, 'tunlease_gateway_port', 'a port')
    matched(NAME, name, 'tunlease_agent_name', 'a name of an agent')
    matched(re.compile(r'SHA256:[A-Za-z0-9+/]{43}'), fingerprint, 'tunlease_gateway_host_key', 'a fingerprint (SHA256:...)')
    words = '--gateway %s --agent-id %s --host-key %s' % (host if port == '22' else '%s:%s' % (host, port), name, fingerprint)
    if str(control) != '12000':
        words += ' --control-port %s' % matched(re.compile('[1-9][0-9]{0,4}'), control, 'tunlease_gateway_control_port', 'a port')
    return wrap_var(words)


def fingerprint(line):
    return wrap_var(key_of(line, 'a host key')[1])


def file(place):
    """The name of a package's file, of a path or of a URL."""
    name = text_of(place, 'tunlease_debs').split('?')[0].split('#')[0].rpartition('/')[2]
    return wrap_var(matched(re.compile(r'[A-Za-z0-9][A-Za-z0-9+.~_-]*\.deb'), name, 'tunlease_debs', 'a file of a package'))


def deb(place):
    """What dpkg-query says of a package that is installed, of the file's name: its form is Debian's."""
    package, _, rest = file(place)[:-4].partition('_')
    return wrap_var('package %s %s installed' % (package, rest.rpartition('_')[0]))


class FilterModule:
    def filters(self):
        return {'tunlease_' + function.__name__: function
                for function in (plan, agent_plan, conf, env, sockets, agent_env, agent_words, control_port, fingerprint,
                                 file, deb)}
