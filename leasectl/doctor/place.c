/* SPDX-License-Identifier: ISC */
#include "leasectl/doctor/place.h"

#include "leasectl/host/sshd_settings.h"

#include <string.h>
#include <unistd.h>

const char *place_config(const struct doctor_run *d)
{
    return d->sshd.config_file[0] != '\0' ? d->sshd.config_file
                                          : TUNLEASE_SYSCONFDIR "/ssh/sshd_config";
}

const struct sshd_line *place_find(const struct doctor_run *d, const char *keyword,
                                   const struct sshd_connection *c)
{
    const struct sshd_line *line = NULL;
    return sshd_lines_find(&d->lines, keyword, c, &line) == SIGHT_IS ? line : NULL;
}

void place_add(const struct doctor_run *d, const struct sshd_line *line, struct buf *out)
{
    if (line == NULL)
        return;
    buf_addf(out, ": '%s:%u'", line->file, line->number);
    if (line->match == 0)
        return;
    const struct sshd_line *match = &d->lines.items[line->match - 1];
    buf_addf(out, ", below 'Match %s'", match->value);
    if (strcmp(match->file, line->file) == 0)
        buf_addf(out, " of line %u", match->number);
    else
        buf_addf(out, " of '%s:%u'", match->file, match->number);
}

bool place_is_ours(const struct sshd_line *line)
{
    return strcmp(line->file, SSHD_DROPIN) == 0;
}

void place_mend_reload(struct doctor_run *d, const char *joint)
{
    if (d->sshd.listener == 0) /* what a socket unit starts reads it at its start */
        return;
    if (d->sshd.unit[0] != '\0')
        doctor_mend(d, "%ssystemctl reload %s", joint, d->sshd.unit);
    else
        doctor_mend(d, "%skill -HUP %d", joint, (int)d->sshd.listener);
}

void place_mend_line(struct doctor_run *d, const struct sshd_line *line, const char *otherwise)
{
    if (line == NULL || place_is_ours(line)) {
        doctor_mend(d, "%s", otherwise);
        return;
    }
    doctor_mend(d, "take line %u out of '%s' ('%s')", line->number, line->file, line->text);
    if (line->match != 0)
        doctor_mend(d, ", or move that Match block behind ours, into a file of sshd_config.d that "
                       "sorts after '20-tunlease.conf'");
    place_mend_reload(d, "; then: ");
}
