/* SPDX-License-Identifier: ISC */
#include "leasectl/show/invited.h"

#include "lib/base/buf.h"
#include "lib/conf/conf.h"
#include "lib/lease/pubkey.h"
#include "lib/lease/time_text.h"
#include "lib/store/invite.h"
#include "lib/wire/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define JOIN_LOGIN "join" /* what tunnel-agent takes where none is named */

/* ---- the line to run ---- */

static void add_ssh(const struct conf *conf, const char *code, struct buf *out)
{
    buf_add(out, "ssh");
    if (conf->public_port != 22)
        buf_addf(out, " -p %u", conf->public_port);
    buf_addf(out, " %s@%s %s", conf->join_login, conf->public_host, code);
}

static void add_tunnel_agent(const struct conf *conf, const char *code,
                             const struct pubkey *host_key, struct buf *out)
{
    const char *host = conf->public_host;
    /* Unquoted brackets are a pattern in zsh. */
    const bool brackets = conf->public_port != 22 && strchr(host, ':') != NULL;
    buf_addf(out, "tunnel-agent join %s", brackets ? "\"" : "");
    if (strcmp(conf->join_login, JOIN_LOGIN) != 0)
        buf_addf(out, "%s@", conf->join_login);
    buf_addf(out, "%s%s%s", brackets ? "[" : "", host, brackets ? "]" : "");
    if (conf->public_port != 22)
        buf_addf(out, ":%u", conf->public_port);
    buf_addf(out, "%s %s --host-key %s", brackets ? "\"" : "", code, host_key->fingerprint);
}

/* ---- text ---- */

static void add_notes(const struct invite *i, const struct pubkey *host_key, struct buf *out)
{
    buf_addf(out, "\nhost key   %s %s\n", host_key->type, host_key->fingerprint);
    if (!i->is_agent)
        buf_add(out, "no key     ssh-keygen -t ed25519\n"
                     "           first, where ssh says 'Permission denied (publickey)'\n");
    buf_addf(out,
             "\nInvite #%" PRId64
             " keeps the name '%s' until then; 'leasectl invite revoke %" PRId64
             "' takes it back.\n",
             i->id, i->terms.name, i->id);
}

static void add_text(const struct ctl *ctl, const struct invite *i, const char *code,
                     const struct pubkey *host_key, struct buf *out)
{
    char until[TIME_TEXT_BYTES];
    time_format_zoned(i->expires_s, until);
    if (!i->is_agent) {
        buf_addf(out, "Send %s this; it is good once, until %s:\n\n  ", i->terms.name, until);
        add_ssh(&ctl->conf, code, out);
    } else {
        buf_addf(out, "Run this on the host '%s'; it is good once, until %s:\n\n  ", i->terms.name,
                 until);
        add_tunnel_agent(&ctl->conf, code, host_key, out);
        buf_add(out,
                "\n\nor, where tunnel-agent is not installed, with a key of the host (it gets a "
                "lease, and no\nagent_secret):\n\n  ");
        add_ssh(&ctl->conf, code, out);
    }
    buf_add(out, "\n");
    add_notes(i, host_key, out);
}

/* ---- JSON ---- */

static void add_json(const struct ctl *ctl, const struct invite *i, const char *code,
                     const struct pubkey *host_key, struct buf *out)
{
    char until[TIME_TEXT_BYTES];
    struct buf command = {0};
    time_format_rfc3339(i->expires_s, until);
    if (i->is_agent)
        add_tunnel_agent(&ctl->conf, code, host_key, &command);
    else
        add_ssh(&ctl->conf, code, &command);
    const struct json_field fields[] = {{.name = "id", .is_number = true, .number = i->id},
                                        {.name = "name", .text = i->terms.name},
                                        {.name = "kind", .text = i->is_agent ? "agent" : "friend"},
                                        {.name = "code", .text = code},
                                        {.name = "command", .text = buf_text(&command)},
                                        {.name = "expires_at", .text = until},
                                        {.name = "host_key_type", .text = host_key->type},
                                        {.name = "host_key", .text = host_key->fingerprint}};
    if (buf_text(&command) == NULL ||
        json_object_line(fields, sizeof(fields) / sizeof(fields[0]), out) != 0)
        out->failed = true;
    buf_add(out, "\n");
    if (command.data != NULL)
        explicit_bzero(command.data, command.len);
    buf_release(&command);
}

int invited_print(const struct ctl *ctl, const struct invite *i, const char *code,
                  const struct pubkey *host_key)
{
    struct buf out = {0};
    int rc = EXIT_DONE;
    if (ctl->json)
        add_json(ctl, i, code, host_key, &out);
    else
        add_text(ctl, i, code, host_key, &out);
    if (buf_text(&out) != NULL)
        (void)fputs(buf_text(&out), stdout);
    else
        rc = ctl_error(ctl, EXIT_FAILED, "out of memory");
    if (out.data != NULL)
        explicit_bzero(out.data, out.len);
    buf_release(&out);
    return rc;
}
