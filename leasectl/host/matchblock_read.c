/* SPDX-License-Identifier: ISC */
/* Reads a drop-in's text: what it was made for, what akc is told, and whether it was edited. */
#include "leasectl/host/matchblock.h"
#include "leasectl/host/matchblock_text.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_settings.h"
#include "leasectl/host/textfile.h"
#include "lib/lease/keyline.h"

#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void matchblock_hash(const char *text, char out[static MATCHBLOCK_HASH_CHARS + 1])
{
    SHA2_CTX sha;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256Init(&sha);
    SHA256Update(&sha, (const uint8_t *)text, strlen(text));
    SHA256Final(digest, &sha);
    for (size_t i = 0; i < sizeof(digest); i++)
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

bool matchblock_read_version(const char *text, struct sshd_version *ret)
{
    size_t label = sizeof(MATCHBLOCK_VERSION_LABEL) - 1;
    return strncmp(text, MATCHBLOCK_VERSION_LABEL, label) == 0 &&
           sshd_parse_version(text + label, ret);
}

void matchblock_read_zone(const char *text, struct buf *out)
{
    const char *at = strstr(text, MATCHBLOCK_ZONE_LABEL);
    if (at != NULL) {
        at += sizeof(MATCHBLOCK_ZONE_LABEL) - 1;
        buf_add_mem(out, at, strcspn(at, "\n"));
    }
}

char *matchblock_read_dropin(void)
{
    return textfile_read(SSHD_DROPIN);
}

bool matchblock_asks_akc(const struct buf *effective)
{
    static const char akc[] = MATCHBLOCK_AKC;
    char command[1024];
    sshd_setting(effective, "authorizedkeyscommand", command, sizeof(command));
    const size_t len = sizeof(akc) - 1;
    return strncmp(command, akc, len) == 0 && (command[len] == ' ' || command[len] == '\0');
}

/* Sets TZ as akc does for itself, and restores it: other times are shown in the zone of the caller.
 * zone: NULL for an sshd without TZ. */
static void format_keyline_in_zone(const char *zone, const struct lease *l,
                                   const struct pubkey *key, struct buf *out)
{
    const char *tz = getenv("TZ");
    char *before = tz != NULL ? strdup(tz) : NULL;
    if (tz != NULL && before == NULL) {
        out->failed = true;
        return;
    }
    (void)(zone != NULL ? setenv("TZ", zone, 1) : unsetenv("TZ"));
    tzset();
    keyline_format_local(l, key, out);
    (void)(before != NULL ? setenv("TZ", before, 1) : unsetenv("TZ"));
    tzset();
    free(before);
}

void matchblock_keyline(const char *text, const struct lease *l, const struct pubkey *key,
                        struct buf *out)
{
    char zone[SSHD_ZONE_BYTES];
    const char *command = text != NULL ? strstr(text, "AuthorizedKeysCommand ") : NULL;
    const char *option = command != NULL ? strstr(command, MATCHBLOCK_EXPIRY_OPTION) : NULL;
    if (option == NULL || option > command + strcspn(command, "\n")) {
        keyline_format(l, key, out);
        return;
    }
    option += sizeof(MATCHBLOCK_EXPIRY_OPTION) - 1;
    (void)snprintf(zone, sizeof(zone), "%.*s", (int)strcspn(option, " \n"), option);
    format_keyline_in_zone(zone[0] == '=' ? zone + 1 : NULL, l, key, out);
}

bool matchblock_is_unedited(const char *text)
{
    char hash[MATCHBLOCK_HASH_CHARS + 1];
    const char *label = strstr(text, MATCHBLOCK_HASH_LABEL);
    if (label == NULL)
        return false;
    const char *stated = label + strlen(MATCHBLOCK_HASH_LABEL);
    const char *body = strstr(stated, "\n\n");
    if (body == NULL || body - stated != MATCHBLOCK_HASH_CHARS)
        return false;
    matchblock_hash(body + 2, hash);
    return memcmp(hash, stated, MATCHBLOCK_HASH_CHARS) == 0;
}
