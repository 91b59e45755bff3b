/* SPDX-License-Identifier: ISC */
#include "leasectl/audit/checkpoint.h"

#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/log.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/lease/time_text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char first_line[] = "tunlease audit checkpoint 1";

void checkpoint_add_text(const struct ctl *ctl, const struct audit_head *head, struct buf *out)
{
    char hash[AUDIT_HEX_BYTES], at[TIME_TEXT_BYTES], row_at[TIME_TEXT_BYTES];
    hex_encode(head->hash, AUDIT_HASH_BYTES, hash);
    time_format_rfc3339(ctl->now_s, at);
    buf_addf(out, "%s\nhost ", first_line);
    text_add_escaped(out, ctl->conf.public_host);
    buf_add(out, "\ndatabase ");
    text_add_escaped(out, ctl->conf.paths.database);
    buf_addf(out, "\nat %s\nseq %" PRId64 "\nhash %s\n", at, head->seq, hash);
    if (head->seq == 0)
        return;
    time_format_rfc3339(head->time_s, row_at);
    buf_addf(out, "row-at %s\n", row_at);
}

void checkpoint_log(const struct audit_head *head)
{
    char hash[AUDIT_HEX_BYTES];
    hex_encode(head->hash, AUDIT_HASH_BYTES, hash);
    log_init("leasectl", false);
    log_info("audit head seq=%" PRId64 " hash=%s", head->seq, hash);
}

/* Copies what stands behind "key " in the line. False: it is another line, or too long. */
static bool take(const char *line, int len, const char *key, char *out, size_t out_bytes)
{
    size_t key_len = strlen(key), value_len;
    if ((size_t)len < key_len + 2 || strncmp(line, key, key_len) != 0 || line[key_len] != ' ')
        return false;
    value_len = (size_t)len - key_len - 1;
    if (value_len >= out_bytes)
        return false;
    memcpy(out, line + key_len + 1, value_len);
    out[value_len] = '\0';
    return true;
}

const char *checkpoint_parse(const char *text, struct checkpoint *ret)
{
    struct checkpoint c = {.seq = -1};
    char seq[24];
    const char *rest = text, *line;
    int len;
    line = text_next_line(&rest, &len);
    if (line == NULL || len != (int)sizeof(first_line) - 1 ||
        strncmp(line, first_line, (size_t)len) != 0)
        return "it is no checkpoint: its first line is not 'tunlease audit checkpoint 1'";
    while ((line = text_next_line(&rest, &len)) != NULL) {
        if (take(line, len, "seq", seq, sizeof(seq)) &&
            !number_parse(seq, strlen(seq), 0, INT64_MAX, &c.seq))
            return "its seq is no number";
        (void)(take(line, len, "host", c.host, sizeof(c.host)) ||
               take(line, len, "at", c.at, sizeof(c.at)) ||
               take(line, len, "hash", c.hash, sizeof(c.hash)));
    }
    if (c.seq < 0 || strspn(c.hash, "0123456789abcdef") != AUDIT_HEX_BYTES - 1)
        return "it has no seq and hash";
    *ret = c;
    return NULL;
}
