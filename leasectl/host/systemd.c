/* SPDX-License-Identifier: ISC */
#include "leasectl/host/systemd.h"

#include "leasectl/child.h"
#include "lib/base/buf.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { QUERY_MS = 10000 };

void systemd_unit_of(pid_t pid, char unit[static SYSTEMD_UNIT_BYTES])
{
    static const char service[] = ".service";
    char path[64], line[1024];
    unit[0] = '\0';
    (void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
    FILE *f = access("/run/systemd/system", F_OK) == 0 ? fopen(path, "re") : NULL;
    while (f != NULL && unit[0] == '\0' && fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        const char *name = strrchr(line, '/');
        size_t len = name != NULL ? strlen(++name) : 0, tail = sizeof(service) - 1;
        if (len > tail && len < SYSTEMD_UNIT_BYTES && strcmp(name + len - tail, service) == 0)
            (void)strlcpy(unit, name, SYSTEMD_UNIT_BYTES);
    }
    if (f != NULL)
        (void)fclose(f);
}

static bool query_systemd(const char *const argv[], struct buf *out)
{
    struct child c;
    int status = child_run(&c, argv, NULL, NULL, QUERY_MS);
    if (status == 0 && c.out_text.len > 0 && buf_text(&c.out_text) != NULL)
        buf_add(out, buf_text(&c.out_text));
    child_release(&c);
    return status == 0 && out->len > 0 && buf_text(out) != NULL;
}

struct socket_unit {
    char id[SYSTEMD_UNIT_BYTES], triggers[SYSTEMD_UNIT_BYTES];
    bool accepts, listens_on_port;
};

/* Parses one property of a unit, such as `Listen=[::]:22 (Stream)`. */
static void parse_property(struct socket_unit *u, const char *line, size_t len, uint16_t port)
{
    char text[512], want[24];
    (void)snprintf(text, sizeof(text), "%.*s", (int)len, line);
    (void)snprintf(want, sizeof(want), ":%u (Stream)", port);
    if (strncmp(text, "Id=", 3) == 0)
        (void)strlcpy(u->id, text + 3, sizeof(u->id));
    else if (strncmp(text, "Triggers=", 9) == 0)
        (void)strlcpy(u->triggers, text + 9, sizeof(u->triggers));
    else if (strncmp(text, "Listen=", 7) == 0 && strstr(text, want) != NULL)
        u->listens_on_port = true;
    else if (strcmp(text, "Accept=yes") == 0)
        u->accepts = true;
}

bool systemd_unit_for_port(uint16_t port, char unit[static SYSTEMD_UNIT_BYTES])
{
    static const char *const argv[] = {"systemctl", "show", "--property=Id,Triggers,Listen,Accept",
                                       "*.socket", NULL};
    struct buf text = {0};
    struct socket_unit u = {.id = ""};
    bool found = false;
    const char *line = query_systemd(argv, &text) ? buf_text(&text) : "";
    for (; !found && *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t len = strcspn(line, "\n");
        parse_property(&u, line, len, port);
        /* The properties of a unit end at an empty line. */
        if (len != 0 && line[len] == '\n' && line[len + 1] != '\0' && line[len + 1] != '\n')
            continue;
        char *dot = strrchr(u.id, '.');
        /* Accept=yes starts an instance of the socket's template for each connection. */
        if (u.listens_on_port && u.accepts && dot != NULL) {
            *dot = '\0';
            found = snprintf(unit, SYSTEMD_UNIT_BYTES, "%s@.service", u.id) < SYSTEMD_UNIT_BYTES;
        } else if (u.listens_on_port && u.triggers[0] != '\0') {
            u.triggers[strcspn(u.triggers, " ")] = '\0';
            found = strlcpy(unit, u.triggers, SYSTEMD_UNIT_BYTES) < SYSTEMD_UNIT_BYTES;
        }
        if (len == 0 || line[len] == '\0' || line[len + 1] == '\n' || line[len + 1] == '\0')
            u = (struct socket_unit){.id = ""};
    }
    buf_release(&text);
    return found;
}

/* `ExecStart={ path=/usr/sbin/sshd ; argv[]=... }` */
bool systemd_unit_program(const char *unit, char *path, size_t path_bytes)
{
    static const char label[] = "{ path=";
    char instance[SYSTEMD_UNIT_BYTES + 8];
    struct buf text = {0};
    const char *at = strstr(unit, "@.");
    if (at != NULL) /* systemctl does not show a bare template, but any instance of it */
        (void)snprintf(instance, sizeof(instance), "%.*s@0%s", (int)(at - unit), unit, at + 1);
    else
        (void)snprintf(instance, sizeof(instance), "%s", unit);
    const char *const argv[] = {"systemctl", "show", "--property=ExecStart", instance, NULL};
    const char *start = query_systemd(argv, &text) ? strstr(buf_text(&text), label) : NULL;
    bool found = false;
    if (start != NULL) {
        start += sizeof(label) - 1;
        int len = (int)strcspn(start, " ;\n");
        found = (size_t)snprintf(path, path_bytes, "%.*s", len, start) < path_bytes;
    }
    buf_release(&text);
    return found;
}
