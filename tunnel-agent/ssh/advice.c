/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/advice.h"

#include "lib/base/buf.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/ssh/run.h"

#include <stddef.h>
#include <string.h>
#include <sys/wait.h>

/* The first row that matches counts. @ stands for the host as the person named it. */
static const struct {
    enum ssh_message message;
    const char *part; /* must be in ssh's line */
    const char *advice;
} rows[] = {
    {SSH_MESSAGE_NO_ADDRESS, "Temporary failure",
     "No name server answers: 'getent hosts' with a name that you know shows whether any name "
     "resolves here. It is tried again until one does"},
    {SSH_MESSAGE_NO_ADDRESS, "",
     "That name is in no name server, in no /etc/hosts and is no Host of your ssh configuration: "
     "'ssh -G @' shows what ssh makes of it"},
    {SSH_MESSAGE_REFUSED, "",
     "The host is there, but nothing listens on that port: start its sshd ('systemctl start ssh' "
     "there), or name the right port with -p"},
    {SSH_MESSAGE_TIMEOUT, "ssh: connect to host",
     "Nobody answers there: the host is off, the address is not its own ('ssh -G @' shows what ssh "
     "uses), or a firewall drops the packets"},
    {SSH_MESSAGE_TIMEOUT, "banner exchange",
     "Something accepts connections there and says nothing: another port is sshd's (-p), or it is "
     "overloaded ('systemctl status ssh' there)"},
    {SSH_MESSAGE_UNREACHABLE, "",
     "This host has no way there now: 'ip route get' with that address shows why. It is tried "
     "again until there is one"},
    {SSH_MESSAGE_BUSY, "",
     "What listens there closes before the login: a busy sshd (MaxStartups), one that punishes "
     "this address (PerSourcePenalties), or no sshd at all. 'journalctl -u ssh' there tells"},
    {SSH_MESSAGE_CLOSED, "", "It ended the login: 'journalctl -u ssh' there tells why"},
    {SSH_MESSAGE_JUMP, "administratively prohibited",
     "The jump host's sshd forbids to go on to that host: its AllowTcpForwarding or PermitOpen, or "
     "permitopen of your key there. On a gateway of tunlease 'leasectl explain' tells"},
    {SSH_MESSAGE_JUMP, "",
     "The jump host does not reach the next one: is that one on, and its sshd on that port? 'ssh "
     "-G @' shows both"},
    {SSH_MESSAGE_LOCAL_PORT, "Permission denied",
     "Ports below 1024 are root's: use a higher one, -L 8080:HOST:80 for one"},
    {SSH_MESSAGE_LOCAL_PORT, "Cannot assign",
     "This host has no such address: 'ip address' shows which it has"},
    {SSH_MESSAGE_LOCAL_PORT, "", "'ss -ltnp' shows who listens there"},
    {SSH_MESSAGE_REMOTE_PORT, "",
     "Somebody else listens on it there ('ss -ltnp' there), or no PermitListen of its sshd has it "
     "('leasectl doctor' there)"},
    {SSH_MESSAGE_AUTH, "host key type",
     "The two have no kind of host key in common: update that sshd, or allow what it offers with "
     "-o HostKeyAlgorithms=+TYPE"},
    {SSH_MESSAGE_AUTH, "key exchange",
     "The two have no key exchange in common: update that sshd, or allow what it offers with -o "
     "KexAlgorithms=+NAME"},
    {SSH_MESSAGE_AUTH, "no matching cipher",
     "The two have no cipher in common: update that sshd, or allow what it offers with -o "
     "Ciphers=+NAME"},
    {SSH_MESSAGE_AUTH, "no matching MAC",
     "The two have no MAC in common: update that sshd, or allow what it offers with -o MACs=+NAME"},
    {SSH_MESSAGE_USAGE, "",
     "This ssh does not take an option of your configuration or of -o: 'ssh -G @' names the line"},
};

void sshadvice_add_words(struct buf *out, const char *words)
{
    size_t len = strlen(words);
    while (len > 0 && (words[len - 1] == '.' || words[len - 1] == ' '))
        len--;
    buf_addf(out, "ssh says '%.*s'.", (int)len, words);
}

void sshadvice_add_meaning(struct buf *out, enum ssh_message message, const char *line,
                           const char *to)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].message != message || strstr(line, rows[i].part) == NULL)
            continue;
        const char *at = strchr(rows[i].advice, '@');
        if (at == NULL)
            buf_addf(out, " %s", rows[i].advice);
        else
            buf_addf(out, " %.*s%s%s", (int)(at - rows[i].advice), rows[i].advice, to, at + 1);
        return;
    }
}

static bool is_broken_connection(enum ssh_message message)
{
    return message == SSH_MESSAGE_CLOSED || message == SSH_MESSAGE_TIMEOUT ||
           message == SSH_MESSAGE_BUSY;
}

void sshadvice_add_end(struct buf *out, const struct ssh_run *run, const struct leg *leg,
                       int status, bool was_up)
{
    if (run->cause != SSH_MESSAGE_UNKNOWN) {
        /* "stdio forwarding failed" follows the line that says why. */
        const char *words = run->cause == SSH_MESSAGE_JUMP && run->channel_text[0] != '\0'
                                ? run->channel_text
                                : run->cause_text;
        sshadvice_add_words(out, words);
        if (!was_up || !is_broken_connection(run->cause))
            sshadvice_add_meaning(out, run->cause, words, leg->to);
    } else if (run->cause_text[0] != '\0') { /* our own reason to kill it */
        buf_add(out, run->cause_text);
    } else if (WIFSIGNALED(status)) {
        buf_addf(out, "ssh was killed by signal %d", WTERMSIG(status));
    } else if (WEXITSTATUS(status) == PROCESS_NOT_STARTED) {
        buf_add(out, "ssh cannot be started: is it installed? On Debian: 'apt-get install "
                     "openssh-client'");
    } else {
        buf_addf(out,
                 "ssh ended with status %d, and said nothing that we know: 'ssh -v %s' shows "
                 "each step",
                 WEXITSTATUS(status), leg->to);
    }
}
