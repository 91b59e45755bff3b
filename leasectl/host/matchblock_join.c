/* SPDX-License-Identifier: ISC */
#include "leasectl/host/matchblock_join.h"

#include "leasectl/host/matchblock_text.h"
#include "leasectl/host/matchblock_writer.h"
#include "lib/conf/conf.h"
#include "lib/conf/join_login.h"

void block_emit_join(const struct block_writer *w)
{
    struct buf command = {0};
    buf_add(&command, MATCHBLOCK_AKC);
    if (w->conf_file != NULL)
        buf_addf(&command, " -c %s", w->conf_file);
    buf_add(&command, " --join %u %t %k");

    block_emit_keys_of_akc(w, buf_text_or(&command, "none"));
    /* The program takes the key that was verified from the file that this makes. */
    block_emit(w, "ExposeAuthInfo", "yes");
    /* Replaces a global list: with SSH_* in it the client could name that file itself. */
    block_emit(w, "AcceptEnv", MATCHBLOCK_JOIN_ENV);
    block_emit(w, "ForceCommand", JOIN_PROGRAM);
    block_emit(w, "MaxSessions", "1");
    block_emit_nothing_else(w);
    block_emit_no_forwarding(w);
    block_emit(w, "DisableForwarding", "yes");
    block_emit(w, "ChrootDirectory", "none");
    block_emit(w, "ClientAliveInterval", "15");
    block_emit(w, "ClientAliveCountMax", "3");
    /* ssh -N never runs the program. leased ends it, too, where sshd does not know these. */
    block_emit(w, "UnusedConnectionTimeout", "10");
    block_emit(w, "ChannelTimeout", "session:*=30");
    block_emit(w, "Banner", MATCHBLOCK_JOIN_BANNER);
    buf_release(&command);
}
