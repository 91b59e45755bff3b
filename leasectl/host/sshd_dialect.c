/* SPDX-License-Identifier: ISC */
#include "leasectl/host/sshd_dialect.h"

#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_connect.h"
#include "leasectl/host/sshd_version.h"
#include "leasectl/host/sshd_zone.h"
#include "lib/base/buf.h"

#include <string.h>
#include <strings.h>

/* The keywords that we write and 8.2 does not know. It knows all others of ours. */
static const struct {
    const char *keyword;
    struct sshd_version since;
} keywords[] = {
    {"UnusedConnectionTimeout", {9, 2}},
    {"ChannelTimeout", {9, 2}},
};

bool sshd_is_too_old(const struct sshd_version *v)
{
    return !sshd_at_least(v, SSHD_OLDEST_MAJOR, SSHD_OLDEST_MINOR);
}

bool sshd_has_keyword(const struct sshd_version *v, const char *keyword)
{
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (strcasecmp(keywords[i].keyword, keyword) == 0)
            return sshd_at_least(v, keywords[i].since.major, keywords[i].since.minor);
    return true;
}

bool sshd_reads_utc(const struct sshd_version *v)
{
    return sshd_at_least(v, 9, 1);
}

int sshd_query_dialect(const struct sshd *s, struct sshd_dialect *ret, struct buf *out)
{
    struct sshd_dialect dialect = {.version = s->program_version};
    if (sshd_running_version(s, &dialect.running) &&
        !sshd_at_least(&dialect.running, s->program_version.major, s->program_version.minor))
        dialect.version = dialect.running;
    if (sshd_is_too_old(&dialect.version)) {
        buf_addf(out, "OpenSSH %u.%u is too old: %u.%u is the first that works",
                 dialect.version.major, dialect.version.minor, SSHD_OLDEST_MAJOR,
                 SSHD_OLDEST_MINOR);
        return -1;
    }
    if (!sshd_reads_utc(&dialect.version) && sshd_query_zone(s, &dialect.zone, out) != 0)
        return -1;
    *ret = dialect;
    return 0;
}
