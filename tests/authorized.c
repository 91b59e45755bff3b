/* SPDX-License-Identifier: ISC */
/*
 * authorized: what lib/lease/authorized makes of a file, for tests/authorized_oracle.py.
 *   authorized FILE [open|listen=HOST:PORT]...
 * For each line `NUMBER KIND FINGERPRINT OVER ANSWERS`, where ANSWERS has a 1 or a 0 for each
 * question; for a key or an authority then `\tfrom: VALUE`, and a line for each message that sshd
 * logs of its options at LogLevel DEBUG, behind a tab. Values are printed as they are.
 */
#include "lib/lease/authorized/allows.h"
#include "lib/lease/authorized/line.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* auth-options.c, auth_log_authopts. */
static void print_options(const struct authorized_line *l)
{
    printf("\tkey options:%s%s%s%s%s%s%s%s%s%s%s", l->agent_forwarding ? " agent-forwarding" : "",
           l->command != NULL ? " command" : "", l->environment_count > 0 ? " environment" : "",
           l->expires_text != NULL ? " expires" : "", l->touch_required ? "" : " no-touch-required",
           l->open.count > 0 ? " permitopen" : "", l->listen.count > 0 ? " permitlisten" : "",
           l->port_forwarding ? " port-forwarding" : "", l->principals != NULL ? " principals" : "",
           l->pty ? " pty" : "", l->verify_required ? " uv" : "");
    if (l->tunnel != AUTHORIZED_TUNNEL_NONE)
        printf(" tun=%d", l->tunnel == AUTHORIZED_TUNNEL_ANY ? 0x7fffffff : l->tunnel);
    printf("%s%s\n", l->user_rc ? " user-rc" : "", l->x11_forwarding ? " x11-forwarding" : "");
}

static void print_values(const struct authorized_line *l)
{
    for (size_t i = 0; i < l->environment_count; i++)
        printf("\tenvironment: %s\n", l->environment[i]);
    if (l->expires_text != NULL) {
        time_t t = (time_t)l->expires_s;
        struct tm tm;
        char text[64];
        if (localtime_r(&t, &tm) == NULL || strftime(text, sizeof(text), "%FT%T", &tm) == 0)
            errx(1, "no time: %lld", (long long)l->expires_s);
        printf("\texpires at %s\n", text);
    }
    if (l->principals != NULL)
        printf("\tauthorized principals: \"%s\"\n", l->principals);
    if (l->command != NULL)
        printf("\tforced command: \"%s\"\n", l->command);
    for (size_t i = 0; i < l->open.count; i++)
        printf("\tpermitted open: %s\n", l->open.items[i].text);
    for (size_t i = 0; i < l->listen.count; i++)
        printf("\tpermitted listen: %s%s\n", l->listen.items[i].bare ? "*:" : "",
               l->listen.items[i].text);
}

static bool answer(const struct authorized_line *l, const char *question)
{
    char host[256];
    bool listen = strncmp(question, "listen=", 7) == 0;
    const char *colon = strrchr(question, ':');
    question = strchr(question, '=') + 1;
    (void)snprintf(host, sizeof(host), "%.*s", (int)(colon - question), question);
    unsigned port = (unsigned)atoi(colon + 1);
    return listen ? authorized_allows_listen(l, host, port) : authorized_allows_open(l, host, port);
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = {"blank", "dead", "key", "authority", "unread"};
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    FILE *f = argc > 1 ? fopen(argv[1], "re") : NULL;
    if (f == NULL)
        err(2, "usage: authorized FILE [open|listen=HOST:PORT]...");
    for (unsigned number = 1; (len = getline(&text, &room, f)) > 0; number++) {
        struct authorized_line l;
        if (authorized_line_read(text, (size_t)len, &l) != 0)
            errx(1, "out of memory");
        bool alive = l.kind == AUTHORIZED_KEY || l.kind == AUTHORIZED_AUTHORITY;
        printf("%u %s %s %d ", number, kinds[l.kind], alive ? l.key.fingerprint : "-",
               authorized_line_is_over(&l, (int64_t)time(NULL)));
        for (int i = 2; i < argc; i++)
            printf("%d", answer(&l, argv[i]));
        printf("\n");
        if (alive) {
            if (l.from != NULL)
                printf("\tfrom: %s\n", l.from);
            print_options(&l);
            print_values(&l);
        } else if (l.kind == AUTHORIZED_DEAD) {
            printf("\t%s\n", l.reason);
        }
        authorized_line_release(&l);
    }
    free(text);
    return fclose(f);
}
