/* SPDX-License-Identifier: ISC */
#include "lib/lease/permit_meant.h"

#include "lib/base/buf.h"
#include "lib/base/number.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { TEXT_MAX = 2 * PERMIT_TEXT_BYTES }; /* a longer text is none of the cases below */

struct asked {
    const struct permit_place *place;
    struct buf *out;
};

/* ---- candidates: what a permit would be, made of parts of the text ---- */

/* Adds "BEFORE PERMIT" if the text is a permit at that place. */
static bool add_permit(const struct asked *f, const char *text)
{
    char canonical[PERMIT_TEXT_BYTES];
    struct permit p;
    if (permit_parse(text, f->place->form, &p) != NULL)
        return false;
    permit_format(&p, canonical);
    /* Shells take [ as a pattern. */
    const char *quote = canonical[0] == '[' && f->place->before[0] == '-' ? "'" : "";
    buf_addf(f->out, "%s%s%s%s", f->place->before, quote, canonical, quote);
    return true;
}

/* Adds why, and the permit that is meant. False, with nothing added: text is none. */
static bool suggest(const struct asked *f, const char *why, const char *text)
{
    size_t before = f->out->len;
    buf_addf(f->out, "%s: write ", why);
    if (add_permit(f, text))
        return true;
    if (f->out->data != NULL && !f->out->failed) {
        f->out->len = before;
        f->out->data[before] = '\0';
    }
    return false;
}

static bool say(const struct asked *f, const char *why)
{
    buf_add(f->out, why);
    return true;
}

/* ---- parts ---- */

static bool is_port(const char *s)
{
    int64_t port;
    return number_parse(s, strlen(s), 1, UINT16_MAX, &port);
}

static bool begins(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

/* The port that a URL of this scheme means, and that people name by its service. */
static const char *port_of_service(const char *name, size_t len)
{
    static const char *const services[][2] = {
        {"http", "80"},         {"https", "443"},  {"ws", "80"},      {"wss", "443"},
        {"ssh", "22"},          {"mysql", "3306"}, {"redis", "6379"}, {"postgres", "5432"},
        {"postgresql", "5432"}, {"amqp", "5672"},  {"rdp", "3389"},   {"vnc", "5900"},
        {"mongodb", "27017"},
    };
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        if (strlen(services[i][0]) == len && strncmp(services[i][0], name, len) == 0)
            return services[i][1];
    return NULL;
}

/* Splits at each ':' that is not in brackets. Returns how many parts; more than max: max + 1. */
static size_t split(char *text, char **parts, size_t max)
{
    size_t n = 0;
    int depth = 0;
    parts[n++] = text;
    for (; *text != '\0'; text++) {
        depth += *text == '[' ? 1 : *text == ']' ? -1 : 0;
        if (*text != ':' || depth != 0)
            continue;
        if (n == max)
            return max + 1;
        *text = '\0';
        parts[n++] = text + 1;
    }
    return n;
}

/* ---- the forms; each returns true if the text is of that one, and has said so ---- */

static bool url(const struct asked *f, const char *text)
{
    char meant[TEXT_MAX + 16];
    const char *rest = strstr(text, "://");
    if (rest == NULL)
        return false;
    const char *port = port_of_service(text, (size_t)(rest - text));
    rest += 3;
    if (*rest == '/')
        return say(f, "is the path of a file or socket, and a lease is for TCP ports: let the "
                      "service listen on one, and write its HOST:PORT");
    size_t len = strcspn(rest, "/?#");
    const char *user_end = memchr(rest, '@', len);
    if (user_end != NULL) {
        len -= (size_t)(user_end + 1 - rest);
        rest = user_end + 1;
    }
    const char *bracket = memchr(rest, ']', len), *host_end = bracket != NULL ? bracket : rest;
    bool has_port = memchr(host_end, ':', len - (size_t)(host_end - rest)) != NULL;
    (void)snprintf(meant, sizeof(meant), "%.*s%s%s", (int)len, rest,
                   !has_port && port != NULL ? ":" : "", !has_port && port != NULL ? port : "");
    return ((has_port || port != NULL) && suggest(f, "is a URL", meant)) ||
           say(f, "is a URL: write its HOST:PORT");
}

/* Blanks at the ends, and around - and : */
static bool blanks(const struct asked *f, const char *text)
{
    char meant[TEXT_MAX + 1];
    size_t used = 0;
    for (const char *s = text; *s != '\0'; s++) {
        const char *next = s + strspn(s, " ");
        char last = used > 0 ? meant[used - 1] : ':';
        if (*s != ' ' || (strchr("-:", last) == NULL && strchr("-:", *next) == NULL))
            meant[used++] = *s; /* strchr finds the NUL at the end, too */
    }
    meant[used] = '\0';
    return used < strlen(text) && suggest(f, "has blanks in it", meant);
}

/* Adds each permit of a list. False: one of them is none. */
static bool add_list(const struct asked *f, const char *text)
{
    const char sign = f->place->before[strlen(f->place->before) - 1];
    bool other_host = false;
    for (size_t n = 0; *text != '\0'; n++) {
        char item[TEXT_MAX + 1];
        size_t len = strcspn(text, ",; ");
        (void)snprintf(item, sizeof(item), "%.*s", (int)len, text);
        text += len;
        text += strspn(text, ",; ");
        /* Behind db1:80 a bare port may mean one of db1. */
        if (other_host && strchr(item, ':') == NULL)
            return false;
        /* In --open +8009,+8010 the sign is a part of the option. */
        const char *permit = item + (n > 0 && sign != ' ' && item[0] == sign);
        struct permit p;
        if (permit_parse(permit, f->place->form, &p) != NULL)
            return false;
        other_host = !permit_is_loopback4(&p);
        buf_add(f->out, n == 0 ? "" : f->place->before[0] == '-' ? " " : " and ");
        (void)add_permit(f, permit);
    }
    return true;
}

static bool list(const struct asked *f, const char *text)
{
    struct buf items = {0};
    const struct asked to_items = {.place = f->place, .out = &items};
    if (strpbrk(text, ",; ") == NULL)
        return false;
    bool certain = add_list(&to_items, text + strspn(text, ",; ")) && buf_text(&items) != NULL;
    if (f->place->as_typed)
        buf_addf(f->out, "names several: ask for one at a time, as %sHOST:PORT", f->place->before);
    else if (certain)
        buf_addf(f->out, "names several: write each for itself, %s", buf_text(&items));
    else
        buf_addf(f->out, "names several: write each for itself, as %sHOST:PORT", f->place->before);
    buf_release(&items);
    return true;
}

static bool path(const struct asked *f, const char *text)
{
    char meant[TEXT_MAX + 1];
    size_t before = strcspn(text, "/");
    if (text[before] == '\0' && !begins(text, "unix:"))
        return false;
    (void)snprintf(meant, sizeof(meant), "%.*s", (int)before, text);
    if (suggest(f, "is more than HOST:PORT", meant))
        return true;
    if (before > 0 && text[before - 1] != ':' && text[0] != '~' && text[0] != '.')
        return false; /* such as 10.0.0.0/8:80 */
    return say(f,
               "is the path of a socket, and a lease is for TCP ports: let the service listen on "
               "one, and write its HOST:PORT");
}

/* [BIND:]PORT:HOST:PORT of ssh -L and -R. */
static bool whole_forward(const struct asked *f, const char *text)
{
    char copy[TEXT_MAX + 1], meant[TEXT_MAX + 8], *parts[4];
    bool listens = f->place->listens;
    (void)snprintf(copy, sizeof(copy), "%s", text);
    size_t n = split(copy, parts, 4);
    if (n < 3 || n > 4 || !is_port(parts[n - 3]) || !is_port(parts[n - 1]) || *parts[n - 2] == '\0')
        return false;
    bool named = n == 4 && parts[0][0] != '\0' && strcmp(parts[0], "*") != 0;
    if (!listens)
        (void)snprintf(meant, sizeof(meant), "%s:%s", parts[n - 2], parts[n - 1]);
    else if (n == 3 || named)
        (void)snprintf(meant, sizeof(meant), "%s%s%s", named ? parts[0] : "", named ? ":" : "",
                       parts[n - 3]);
    else
        (void)snprintf(meant, sizeof(meant), "*"); /* of which address is not certain */
    const char *why = listens ? "is all of ssh's -R, and the permit is its first end"
                              : "is all of ssh's -L, and the permit is its last end";
    if (suggest(f, why, meant))
        return true;
    buf_addf(f->out, "%s: write %sHOST:PORT", why, f->place->before);
    return true;
}

static bool no_host(const struct asked *f, const char *text)
{
    if (begins(text, "*:"))
        return suggest(f,
                       f->place->form == PERMIT_CEILING
                           ? "names every host, and a ceiling is for one"
                           : "names every host, and a permit is for one",
                       text + 2);
    if (text[0] == ':')
        return suggest(f, "names no host", text + 1);
    return false;
}

/* An IPv6 address without brackets, with a port or without. */
static bool bare_v6(const struct asked *f, const char *text)
{
    char host[TEXT_MAX + 1], meant[TEXT_MAX + 8];
    struct in6_addr v6;
    const char *colon = strrchr(text, ':');
    if (colon == NULL || strchr(text, '[') != NULL || strchr(text, ':') == colon)
        return false;
    (void)snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
    bool as_address = inet_pton(AF_INET6, text, &v6) == 1;
    bool with_port = inet_pton(AF_INET6, host, &v6) == 1 && is_port(colon + 1);
    (void)snprintf(meant, sizeof(meant), "[%s]%s", host, colon);
    if (with_port && suggest(f, "has an IPv6 address without its brackets", meant)) {
        if (as_address) /* in ::1:8009 the last part can be either */
            buf_addf(f->out, ", if %s is the port", colon + 1);
        return true;
    }
    if (!as_address)
        return false;
    buf_addf(f->out, "is an IPv6 address without brackets and port: write %s[%s]:PORT",
             f->place->before, text);
    return true;
}

static bool backwards(const struct asked *f, const char *text)
{
    char meant[TEXT_MAX + 1];
    const char *colon = strrchr(text, ':'), *ports = colon != NULL ? colon + 1 : text;
    const char *dash = strchr(ports, '-');
    if (dash == NULL)
        return false;
    (void)snprintf(meant, sizeof(meant), "%.*s%s-%.*s", (int)(ports - text), text, dash + 1,
                   (int)(dash - ports), ports);
    return suggest(f, "ends before it begins", meant);
}

/* HOST:http */
static bool service(const struct asked *f, const char *text)
{
    char meant[TEXT_MAX + 8];
    const char *colon = strrchr(text, ':');
    const char *port = colon != NULL ? port_of_service(colon + 1, strlen(colon + 1)) : NULL;
    if (port == NULL)
        return false;
    (void)snprintf(meant, sizeof(meant), "%.*s:%s", (int)(colon - text), text, port);
    return suggest(f, "names a service, where its number is meant", meant);
}

/* Small things: a sign or zeros before a bare port, a user, the root's dot, brackets without IPv6.
 */
static bool odd_spelling(const struct asked *f, const char *text)
{
    char meant[TEXT_MAX + 8];
    const char *at = strrchr(text, '@'), *host = at != NULL ? at + 1 : text;
    const char *colon = strrchr(host, ':'), *ports = colon != NULL ? colon + 1 : host;
    size_t host_len = colon != NULL ? (size_t)(colon - host) : 0;
    ports += strspn(ports, colon != NULL ? "0" : "+0");
    if (host_len > 2 && host[0] == '[' && host[host_len - 1] == ']' &&
        memchr(host, ':', host_len) == NULL) {
        host++;
        host_len -= 2;
    }
    if (host_len > 1 && host[host_len - 1] == '.')
        host_len--;
    (void)snprintf(meant, sizeof(meant), "%.*s%s%s", (int)host_len, host, colon != NULL ? ":" : "",
                   ports);
    return suggest(
        f, at != NULL ? "names a user, whom a permit does not have" : "is spelled otherwise",
        meant);
}

static bool no_port(const struct asked *f, const char *text)
{
    char with_port[TEXT_MAX + 8];
    struct permit p;
    size_t len = strlen(text);
    bool is_name = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == len;
    bool colon = len > 0 && text[len - 1] == ':';
    (void)snprintf(with_port, sizeof(with_port), "%s%s1", text, colon ? "" : ":");
    if (permit_parse(with_port, PERMIT_PORT, &p) != NULL || strspn(text, "0123456789-") == len)
        return false;
    if (is_name && strcasecmp(text, "localhost") != 0) { /* of a host or of a service? */
        buf_addf(f->out, "names no port: write %sHOST:PORT, the port as a number",
                 f->place->before);
        return true;
    }
    buf_addf(f->out, "names no port: write %s%s%sPORT", f->place->before, text, colon ? "" : ":");
    return true;
}

static bool bare_port_in_ceiling(const struct asked *f, const char *text)
{
    return f->place->form == PERMIT_CEILING && strchr(text, ':') == NULL &&
           suggest(f, "names no host", text);
}

bool permit_meant(const char *text, const struct permit_place *place, struct buf *out)
{
    static const struct {
        bool (*is)(const struct asked *f, const char *text);
        bool as_typed; /* ssh would not understand it either */
    } cases[] = {
        {bare_port_in_ceiling, false},
        {url, true},
        {blanks, false},
        {list, true},
        {path, true},
        {bare_v6, true},
        {no_host, false},
        {whole_forward, true},
        {backwards, false},
        {service, false},
        {odd_spelling, false},
        {no_port, true},
    };
    const struct asked f = {.place = place, .out = out};
    struct permit p;
    if (strlen(text) > TEXT_MAX)
        return false;
    bool lacks_host = place->form == PERMIT_CEILING && strchr(text, ':') == NULL;
    if (!lacks_host && permit_parse(text, place->form, &p) == NULL)
        return false;
    if (begins(text, "-L") || begins(text, "-R")) {
        text += 2;
        text += strspn(text, " ");
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if ((cases[i].as_typed || !place->as_typed) && cases[i].is(&f, text))
            return true;
    return false;
}
