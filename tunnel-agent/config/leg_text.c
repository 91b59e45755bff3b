/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/config/leg_text.h"

#include "lib/base/buf.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *option, *keyword;
} keywords[] = {{"-p", "Port"}, {"-i", "Identity"}, {"-J", "Jump"}, {"-o", "Option"}};

static const char *add_line(struct buf *out, const char *keyword, const char *value)
{
    if (strchr(value, '"') != NULL)
        return "has a value with a double quote, which the file cannot hold";
    buf_addf(out, "    %s \"%s\"\n", keyword, value);
    return NULL;
}

static const char *add_options(const struct leg *leg, struct buf *out)
{
    const char *problem = NULL;
    for (size_t i = 0; problem == NULL && i < leg->ssh_option_count; i += 2) {
        const char *keyword = NULL;
        for (size_t k = 0; k < sizeof(keywords) / sizeof(keywords[0]); k++)
            if (strcmp(leg->ssh_options[i], keywords[k].option) == 0)
                keyword = keywords[k].keyword;
        if (keyword == NULL || i + 1 == leg->ssh_option_count)
            return "has an option of ssh that the file cannot hold";
        problem = add_line(out, keyword, leg->ssh_options[i + 1]);
    }
    return problem;
}

static void add_ports(struct buf *out, unsigned low, size_t count)
{
    buf_addf(out, "%u", low);
    if (count > 1)
        buf_addf(out, "-%zu", low + count - 1);
}

static void add_host(struct buf *out, const char *host)
{
    buf_addf(out, strchr(host, ':') != NULL ? "[%s]:" : "%s:", host);
}

const char *leg_text_add(const struct leg *leg, struct buf *out)
{
    buf_addf(out, "Tunnel %s\n    To %s\n", leg->name, leg->to);
    const char *problem = add_options(leg, out);
    if (leg->host_key[0] != '\0')
        buf_addf(out, "    HostKey %s\n", leg->host_key);
    for (size_t i = 0, n; i < leg->forward_count; i += n) {
        const struct forward *f = &leg->forwards[i];
        n = leg_range_from(leg, i);
        buf_add(out, "    Forward ");
        add_host(out, f->bind);
        add_ports(out, f->port, n);
        buf_add(out, ":");
        add_host(out, f->host);
        add_ports(out, f->host_port, n);
        buf_add(out, "\n");
    }
    return problem;
}

bool leg_leads_alike(const struct leg *a, const struct leg *b)
{
    if (strcmp(a->to, b->to) != 0 || a->ssh_option_count != b->ssh_option_count ||
        a->forward_count != b->forward_count || strcmp(a->host_key, b->host_key) != 0)
        return false;
    for (size_t i = 0; i < a->ssh_option_count; i++)
        if (strcmp(a->ssh_options[i], b->ssh_options[i]) != 0)
            return false;
    for (size_t i = 0; i < a->forward_count; i++)
        if (a->forwards[i].host_port != b->forwards[i].host_port ||
            strcmp(a->forwards[i].host, b->forwards[i].host) != 0)
            return false;
    return true;
}
