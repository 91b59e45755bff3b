/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/legs.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/host/localport.h"
#include "tunnel-agent/ssh/resolve.h"

#include <stdio.h>
#include <string.h>

enum { HOLDER_BYTES = 96, LINE_BYTES = 320 };

/* Finds two forwards of different legs that collide. */
static bool find_collision(const struct leg *legs, size_t count, size_t *ret_a, size_t *ret_b,
                           uint16_t *ret_port)
{
    for (size_t a = 0; a < count; a++)
        for (size_t b = a + 1; b < count; b++)
            for (size_t i = 0; i < legs[a].forward_count; i++)
                for (size_t j = 0; j < legs[b].forward_count; j++)
                    if (forward_collides(&legs[a].forwards[i], &legs[b].forwards[j])) {
                        *ret_a = a;
                        *ret_b = b;
                        *ret_port = legs[a].forwards[i].port;
                        return true;
                    }
    return false;
}

static void first_line(const struct buf *output, char *out, size_t size)
{
    const char *text = output->data != NULL ? output->data : "";
    size_t len = strcspn(text, "\r\n");
    (void)snprintf(out, size, "%.*s", len < 300 ? (int)len : 300, text);
}

int legs_validate(const struct leg *legs, size_t count, const struct settings *s,
                  char why[static WHY_BYTES])
{
    size_t a, b;
    uint16_t port;
    char line[LINE_BYTES];
    if (find_collision(legs, count, &a, &b, &port)) {
        (void)snprintf(why, WHY_BYTES, "tunnels '%s' and '%s' both want local port %u",
                       legs[a].name, legs[b].name, port);
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        struct buf output = {0};
        int rc = sshresolve(&legs[i], s, &output);
        first_line(&output, line, sizeof(line));
        buf_release(&output);
        if (rc != 0) {
            (void)snprintf(why, WHY_BYTES, "ssh refuses the options of tunnel '%s': %s",
                           legs[i].name, line[0] != '\0' ? line : "is it installed?");
            return -1;
        }
    }
    return 0;
}

/* The local port of a LocalForward as `ssh -G` prints it: `[BIND]:PORT [HOST]:PORT`, or `PORT
 * [HOST]:PORT`. */
static uint16_t local_forward_port(char *value)
{
    value[strcspn(value, " ")] = '\0';
    const char *colon = strrchr(value, ':');
    return leg_port(colon != NULL ? colon + 1 : value);
}

static unsigned check_alias(const struct leg *legs, size_t count, const struct leg *leg,
                            const struct settings *s)
{
    struct buf resolved = {0};
    char line[LINE_BYTES];
    unsigned found = 0;
    if (sshresolve(leg, s, &resolved) == 0) {
        char *cursor = resolved.data;
        for (char *value; (value = sshresolve_value(&cursor, "localforward")) != NULL;) {
            uint16_t port = local_forward_port(value);
            text_print(stdout,
                       "%s: the ssh configuration of %s has a LocalForward of its own (%s): ssh "
                       "would open it as well",
                       leg->name, leg->to, value);
            found++;
            for (size_t i = 0; i < count; i++)
                for (size_t j = 0; port != 0 && j < legs[i].forward_count; j++)
                    if (legs[i].forwards[j].port == port)
                        (void)printf("%s: local port %u is also that of tunnel '%s'\n", leg->name,
                                     port, legs[i].name);
        }
    } else {
        first_line(&resolved, line, sizeof(line));
        text_print(stdout, "%s: ssh refuses its options: %s", leg->name,
                   line[0] != '\0' ? line : "is it installed?");
        found++;
    }
    buf_release(&resolved);
    return found;
}

unsigned legs_report(const struct leg *legs, size_t count, const struct settings *s)
{
    char holder[HOLDER_BYTES], line[LINE_BYTES];
    unsigned found = 0;
    for (size_t a = 0; a < count; a++) {
        for (size_t i = 0; i < legs[a].forward_count; i++) {
            const struct forward *f = &legs[a].forwards[i];
            for (size_t b = a + 1; b < count; b++)
                for (size_t j = 0; j < legs[b].forward_count; j++)
                    if (forward_collides(f, &legs[b].forwards[j])) {
                        (void)printf("%s: local port %u is also that of tunnel '%s'\n",
                                     legs[a].name, f->port, legs[b].name);
                        found++;
                    }
            if (!localport_is_free(f->bind, f->port, holder, sizeof(holder))) {
                localport_explain(f->bind, f->port, holder, line, sizeof(line));
                text_print(stdout, "%s: %s", legs[a].name, line);
                found++;
            }
        }
        found += check_alias(legs, count, &legs[a], s);
    }
    return found;
}
