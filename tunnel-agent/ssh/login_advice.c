/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/login_advice.h"

#include "lib/base/buf.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/ssh/advice.h"
#include "tunnel-agent/ssh/identity.h"
#include "tunnel-agent/ssh/run.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ssh puts the file's name between two quotes, single or double. */
void sshlogin_key_file(const char *line, char out[static SSHRUN_TEXT_BYTES])
{
    const char *start = line + strcspn(line, "'\"");
    const char *end = *start != '\0' ? strrchr(start + 1, *start) : NULL;
    (void)snprintf(out, SSHRUN_TEXT_BYTES, "%.*s", end != NULL ? (int)(end - start - 1) : 0,
                   start + (end != NULL));
}

void sshlogin_add_key_advice(struct buf *out, const char *line, const char *file)
{
    const char *name = file != NULL ? file : "FILE";
    sshadvice_add_words(out, line);
    if (strstr(line, "too open") != NULL || strstr(line, "bad permissions") != NULL)
        buf_addf(out,
                 " It does not use an UNPROTECTED PRIVATE KEY FILE, which others can read: run "
                 "'chmod 600 %s'",
                 name);
    else if (strstr(line, "Permission denied") != NULL)
        buf_addf(out, " This user may not read that key: run 'chown %u %s' as root",
                 (unsigned)geteuid(), name);
    else
        buf_addf(out,
                 " That file is no private key that ssh can read: 'ssh-keygen -y -f %s' must print "
                 "its public key. A key of PuTTY becomes one with 'puttygen KEY.ppk -O "
                 "private-openssh -o FILE'",
                 name);
    if (file == NULL)
        buf_add(out, ", if FILE is a key of yours: it is none that 'ssh -G' names for this host");
}

/* What sshd accepts, of "Permission denied (publickey,password)."; false: ssh does not say. */
static bool methods_of(const char *words, char out[static SSHRUN_TEXT_BYTES])
{
    const char *start = strrchr(words, '('), *end = strrchr(words, ')');
    if (strstr(words, "Permission denied (") == NULL || start == NULL || end == NULL || end < start)
        return false;
    (void)snprintf(out, SSHRUN_TEXT_BYTES, "%.*s", (int)(end - start - 1), start + 1);
    return true;
}

static void add_too_many(struct buf *out, const struct sshidentities *keys)
{
    buf_add(out, " Its sshd ends a login after a few wrong keys (MaxAuthTries)");
    if (keys->only_these)
        buf_addf(out, ", and ssh offered all of these: %s. Name one of them with -i",
                 buf_text(&keys->files));
    else
        buf_addf(out,
                 ", and the ssh agent holds %zu, which go first. Name the right one with -i FILE: "
                 "then ssh offers no other",
                 keys->agent_key_count);
}

static void add_locked(struct buf *out, const struct sshidentities *keys)
{
    buf_addf(out, " the key %s is locked by a passphrase: run 'ssh-add %s'", keys->locked,
             keys->locked);
    if (!keys->has_agent)
        buf_add(out, ". No ssh agent is here (SSH_AUTH_SOCK), as in a service: let it use a key of "
                     "its own without a passphrase, made with \"ssh-keygen -t ed25519 -N ''\"");
}

static void add_unknown(struct buf *out, const struct sshidentities *keys)
{
    char pub[SSHRUN_TEXT_BYTES];
    if (keys->first == NULL && (keys->agent_key_count == 0 || keys->only_these)) {
        buf_add(out,
                " There was no key to offer: 'ssh-keygen -t ed25519' makes one, and the host's "
                "admin needs its .pub file");
        return;
    }
    buf_addf(out, " It takes none of the keys that ssh offered for this login: %s",
             buf_text(&keys->files));
    if (keys->agent_key_count > 0 && !keys->only_these)
        buf_addf(out, "%s%zu of the ssh agent", keys->first != NULL ? ", and " : "",
                 keys->agent_key_count);
    if (keys->first == NULL) {
        buf_add(out, ". Send the line of yours that 'ssh-add -L' prints to the host's admin");
        return;
    }
    (void)snprintf(pub, sizeof(pub), "%.300s.pub", keys->first);
    if (access(pub, R_OK) == 0)
        buf_addf(out, ". Send %s to the host's admin", pub);
    else
        buf_addf(out, ". Send what 'ssh-keygen -y -f %s' prints to the host's admin", keys->first);
    buf_add(out, ", or name another key with -i");
}

void sshlogin_add_advice(struct buf *out, const struct ssh_run *run, const struct leg *leg,
                         const struct settings *s)
{
    struct sshidentities keys;
    char methods[SSHRUN_TEXT_BYTES];
    size_t before;
    buf_add(out, "login refused: ");
    if (run->key_text[0] != '\0') {
        char file[SSHRUN_TEXT_BYTES];
        sshlogin_key_file(run->key_text, file);
        sshlogin_add_key_advice(out, run->key_text, sshidentities_has(leg, s, file) ? file : NULL);
        return;
    }
    sshadvice_add_words(out, run->cause_text);
    before = out->len;
    sshadvice_add_meaning(out, run->cause, run->cause_text, leg->to);
    if (out->len > before)
        return;
    if (run->jump_ended) {
        buf_add(out, " That login was at the jump host, where -i does not count, but the keys of "
                     "its own Host in your ssh configuration: log in to it with ssh alone first");
        return;
    }
    if (methods_of(run->cause_text, methods) && strstr(methods, "publickey") == NULL) {
        buf_addf(out,
                 " It takes no key, only %s, and nobody is here to type: its admin must allow keys "
                 "for this login (PubkeyAuthentication, AuthenticationMethods)",
                 methods);
        return;
    }
    if (sshidentities_read(&keys, leg, s) != 0)
        ;
    else if (strstr(run->cause_text, "Too many") != NULL)
        add_too_many(out, &keys);
    else if (keys.locked != NULL)
        add_locked(out, &keys);
    else
        add_unknown(out, &keys);
    sshidentities_release(&keys);
}
