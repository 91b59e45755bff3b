/* SPDX-License-Identifier: ISC */
#include "leasectl/host/matchblock_writer.h"

#include "leasectl/host/matchblock_text.h"
#include "leasectl/host/sshd_zone.h"

#include <string.h>

void block_as_config(struct buf *out, const char *keyword, const char *value)
{
    buf_addf(out, "    %s %s\n", keyword, value);
}

void block_emit(const struct block_writer *w, const char *keyword, const char *value)
{
    if (sshd_has_keyword(&w->dialect->version, keyword))
        w->emit(w->out, keyword, value);
}

static void add_zone_comment(const struct block_writer *w)
{
    if (sshd_reads_utc(&w->dialect->version) || w->emit != block_as_config)
        return;
    buf_add(w->out, "    " MATCHBLOCK_ZONE_LABEL);
    sshd_zone_format(&w->dialect->zone, w->out);
    buf_add(w->out, "\n");
}

void block_emit_keys_of_akc(const struct block_writer *w, const char *command)
{
    block_emit(w, "AuthenticationMethods", "publickey");
    block_emit(w, "PubkeyAuthentication", "yes");
    block_emit(w, "PasswordAuthentication", "no");
    block_emit(w, "KbdInteractiveAuthentication", "no");
    block_emit(w, "HostbasedAuthentication", "no");
    /* sshd asks both before akc, and a key that they accept has none of akc's restrictions
     * (docs/sshd-facts.md 5). */
    block_emit(w, "AuthorizedKeysFile", "none");
    block_emit(w, "TrustedUserCAKeys", "none");
    /* These two stand before AuthorizedKeysCommand: behind it, OpenSSH before 9.4 ignores the first
     * (docs/sshd-facts.md 15). */
    block_emit(w, "AuthorizedPrincipalsCommand", "none");
    block_emit(w, "AuthorizedPrincipalsFile", "none");
    if (strstr(command, MATCHBLOCK_EXPIRY_OPTION) != NULL)
        add_zone_comment(w);
    block_emit(w, "AuthorizedKeysCommand", command);
    block_emit(w, "AuthorizedKeysCommandUser", "_tunlease-akc");
}

void block_emit_nothing_else(const struct block_writer *w)
{
    block_emit(w, "PermitTTY", "no");
    block_emit(w, "PermitUserRC", "no");
    block_emit(w, "X11Forwarding", "no");
    block_emit(w, "AllowAgentForwarding", "no");
    /* No option of a key line forbids these two (docs/sshd-facts.md 6). */
    block_emit(w, "AllowStreamLocalForwarding", "no");
    block_emit(w, "PermitTunnel", "no");
}

void block_emit_no_forwarding(const struct block_writer *w)
{
    block_emit(w, "AllowTcpForwarding", "no");
    block_emit(w, "PermitOpen", "none");
    block_emit(w, "PermitListen", "none");
    block_emit(w, "GatewayPorts", "no");
}
