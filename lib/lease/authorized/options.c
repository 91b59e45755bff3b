/* SPDX-License-Identifier: ISC */
#include "lib/lease/authorized/options.h"

#include "lib/base/array.h"
#include "lib/base/text.h"
#include "lib/lease/authorized/authorized.h"
#include "lib/lease/authorized/dead.h"
#include "lib/lease/authorized/expiry.h"
#include "lib/lease/authorized/from.h"
#include "lib/lease/authorized/permits.h"
#include "lib/lease/authorized/split.h"

#include <bsd/stdlib.h>
#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    TUNNEL_MAX = INT_MAX - 2,
};

void authorized_options_none(struct authorized_line *l)
{
    l->port_forwarding = l->agent_forwarding = l->x11_forwarding = l->pty = l->user_rc = true;
    l->touch_required = true;
    l->tunnel = AUTHORIZED_TUNNEL_NONE;
}

/* ---- options without a value ---- */

static void set_restrict(struct authorized_line *l)
{
    l->forwarding_undone = l->forwarding_undone || l->forwarding_given;
    l->forwarding_given = false;
    l->restricted = true;
    l->port_forwarding = l->agent_forwarding = l->x11_forwarding = l->pty = l->user_rc = false;
}

static void set_forwarding(struct authorized_line *l, bool on)
{
    l->forwarding_undone = !on && (l->forwarding_undone || l->forwarding_given);
    l->forwarding_given = on;
    l->port_forwarding = on;
}

/* sshd compares in this order, and takes the first that the text begins with. */
static bool read_flag(const char **at, struct authorized_line *l)
{
    static const struct {
        const char *name;
        bool negatable;
        size_t field; /* of the bool in struct authorized_line; SIZE_MAX: restrict */
    } flags[] = {
        {"restrict", false, SIZE_MAX},
        {"cert-authority", false, offsetof(struct authorized_line, is_authority)},
        {"port-forwarding", true, offsetof(struct authorized_line, port_forwarding)},
        {"agent-forwarding", true, offsetof(struct authorized_line, agent_forwarding)},
        {"x11-forwarding", true, offsetof(struct authorized_line, x11_forwarding)},
        {"touch-required", true, offsetof(struct authorized_line, touch_required)},
        {"verify-required", true, offsetof(struct authorized_line, verify_required)},
        {"pty", true, offsetof(struct authorized_line, pty)},
        {"user-rc", true, offsetof(struct authorized_line, user_rc)},
    };
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        const char *s = *at;
        bool on = !(flags[i].negatable && strncasecmp(s, "no-", 3) == 0);
        s += on ? 0 : 3;
        if (strncasecmp(s, flags[i].name, strlen(flags[i].name)) != 0)
            continue;
        *at = s + strlen(flags[i].name);
        if (flags[i].field == SIZE_MAX)
            set_restrict(l);
        else if (flags[i].field == offsetof(struct authorized_line, port_forwarding))
            set_forwarding(l, on);
        else
            *(bool *)((char *)l + flags[i].field) = on;
        return true;
    }
    return false;
}

/* ---- options with a value ---- */

static const char put_quotes[] = "put the value into double quotes";

/* The bytes before the quote that closes the value at s, or before the end of s. */
static size_t quoted_bytes(const char *s)
{
    size_t n = 0;
    while (s[n] != '\0' && s[n] != '"')
        n += s[n] == '\\' && s[n + 1] == '"' ? 2 : 1;
    return n;
}

/* The value at *at, which stands in quotes, as a copy; *at moves behind it. NULL: *ret_memory tells
 * out of memory from a line that is now dead. */
static char *read_value(const char **at, const char *name, struct authorized_line *l,
                        bool *ret_memory)
{
    const char *s = *at;
    *ret_memory = false;
    if (*s != '"') {
        bool single = *s == '\'' || *s == '`' || (unsigned char)*s >= 0x80;
        authorized_dead(l, AUTHORIZED_QUOTES, put_quotes, "the value of %s= stands %s", name,
                        single ? "in other quotes than \"" : "without quotes");
        return NULL;
    }
    size_t bytes = quoted_bytes(++s);
    if (s[bytes] == '\0') {
        authorized_dead(l, AUTHORIZED_QUOTES, "close the quote",
                        "a quote is not closed, in %s=", name);
        return NULL;
    }
    char *value = malloc(bytes + 1), *to = value;
    if (value == NULL) {
        *ret_memory = true;
        return NULL;
    }
    for (const char *end = s + bytes; s < end; s++) {
        if (s[0] == '\\' && s[1] == '"')
            s++;
        *to++ = *s;
    }
    *to = '\0';
    *at = s + 1;
    return value;
}

/* What an option does with its value, which it may keep (*value = NULL). False: out of memory. */
typedef bool value_fn(struct authorized_line *l, const char *name, char **value);

static bool keep_once(struct authorized_line *l, const char *name, char **kept, char **value)
{
    if (*kept != NULL) {
        authorized_dead(l, AUTHORIZED_TWICE, "leave one of them", "%s= stands twice", name);
        return true;
    }
    *kept = *value;
    *value = NULL;
    return true;
}

static bool take_command(struct authorized_line *l, const char *name, char **value)
{
    return keep_once(l, name, &l->command, value);
}

static bool take_principals(struct authorized_line *l, const char *name, char **value)
{
    return keep_once(l, name, &l->principals, value);
}

static bool take_from(struct authorized_line *l, const char *name, char **value)
{
    return keep_once(l, name, &l->from, value);
}

static bool take_expiry(struct authorized_line *l, const char *name, char **value)
{
    int64_t expires_s;
    bool local;
    if (!authorized_expiry_parse(*value, &expires_s, &local)) {
        authorized_dead(l, AUTHORIZED_VALUE, "write YYYYMMDDHHMMSSZ",
                        "%s=\"%s\" is no time that sshd reads", name, text_clip(*value).s);
        return true;
    }
    /* The earliest counts. */
    if (l->expires_text != NULL && expires_s >= l->expires_s)
        return true;
    free(l->expires_text);
    l->expires_text = *value;
    l->expires_s = expires_s;
    l->expires_local = local;
    *value = NULL;
    return true;
}

/* The length of NAME in NAME=VALUE; 0: sshd refuses it. */
static size_t environment_name_bytes(const char *text)
{
    size_t n = 0;
    while (isalnum((unsigned char)text[n]) || text[n] == '_')
        n++;
    return text[n] == '=' ? n : 0;
}

static bool take_environment(struct authorized_line *l, const char *name, char **value)
{
    size_t bytes = environment_name_bytes(*value);
    if (bytes == 0) {
        authorized_dead(l, AUTHORIZED_VALUE, "write NAME=VALUE with letters, digits and _ in NAME",
                        "%s=\"%s\" is no NAME=VALUE", name, text_clip(*value).s);
        return true;
    }
    if (l->environment_count == AUTHORIZED_ENVIRONMENT_MAX) {
        authorized_dead(l, AUTHORIZED_VALUE, "leave some of them out",
                        "%s= stands behind the %d that sshd takes", name,
                        AUTHORIZED_ENVIRONMENT_MAX);
        return true;
    }
    for (size_t i = 0; i < l->environment_count; i++)
        if (strncmp(l->environment[i], *value, bytes + 1) == 0)
            return true;
    char **grown = array_grow(l->environment, l->environment_count, &l->environment_room,
                              sizeof(*grown), AUTHORIZED_ENVIRONMENT_MAX);
    if (grown == NULL)
        return false;
    l->environment = grown;
    l->environment[l->environment_count++] = *value;
    *value = NULL;
    return true;
}

static bool take_permit(struct authorized_line *l, const char *name, char **value, bool listen)
{
    const char *why;
    struct authorized_permits *permits = listen ? &l->listen : &l->open;
    enum authorized_permit_rc rc = authorized_permits_add(permits, *value, listen, &why);
    if (rc == AUTHORIZED_PERMIT_REFUSED)
        authorized_dead(l, AUTHORIZED_VALUE,
                        listen ? "write one [HOST:]PORT in each permitlisten=, IPv6 in brackets"
                               : "write one HOST:PORT in each permitopen=, IPv6 in brackets",
                        "%s=\"%s\": %s", name, text_clip(*value).s, why);
    return rc != AUTHORIZED_PERMIT_MEMORY;
}

static bool take_open(struct authorized_line *l, const char *name, char **value)
{
    return take_permit(l, name, value, false);
}

static bool take_listen(struct authorized_line *l, const char *name, char **value)
{
    return take_permit(l, name, value, true);
}

static bool take_tunnel(struct authorized_line *l, const char *name, char **value)
{
    const char *problem = NULL;
    if (strcasecmp(*value, "any") == 0) {
        l->tunnel = AUTHORIZED_TUNNEL_ANY;
        return true;
    }
    int device = (int)strtonum(*value, 0, TUNNEL_MAX, &problem);
    if (problem == NULL)
        l->tunnel = device;
    else
        authorized_dead(l, AUTHORIZED_VALUE, "write a number, or any",
                        "%s=\"%s\" is no number of a tun device", name, text_clip(*value).s);
    return true;
}

/* 1: there is one with a value; 0: there is not; -1: out of memory. */
static int read_option(const char **at, struct authorized_line *l)
{
    static const struct {
        const char *name;
        value_fn *take;
    } options[] = {
        {"command", take_command},     {"principals", take_principals},   {"from", take_from},
        {"expiry-time", take_expiry},  {"environment", take_environment}, {"permitopen", take_open},
        {"permitlisten", take_listen}, {"tunnel", take_tunnel},
    };
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const char *name = options[i].name;
        size_t len = strlen(name);
        bool no_memory;
        if (strncasecmp(*at, name, len) != 0 || (*at)[len] != '=')
            continue;
        *at += len + 1;
        char *value = read_value(at, name, l, &no_memory);
        if (value == NULL)
            return no_memory ? -1 : 1;
        bool taken = options[i].take(l, name, &value);
        free(value);
        return taken ? 1 : -1;
    }
    return 0;
}

static void die_of_unknown(struct authorized_line *l, const char *at, bool after_option)
{
    char word[64];
    size_t n = strcspn(at, ",= \t\"");
    if (n >= sizeof(word))
        n = sizeof(word) - 1;
    memcpy(word, at, n);
    word[n] = '\0';
    if (after_option)
        authorized_dead(l, AUTHORIZED_OPTION, "put a comma between two options",
                        "'%.20s' stands behind an option without a comma between", at);
    else
        authorized_dead(l, AUTHORIZED_OPTION, "take the option away",
                        "sshd does not know the option '%s'", word);
}

bool authorized_options_read(const char *s, struct authorized_line *l)
{
    authorized_options_none(l);
    while (*s != '\0' && !authorized_is_blank(*s)) {
        const char *start = s;
        int rc = read_flag(&s, l) ? 1 : read_option(&s, l);
        if (rc < 0)
            return false;
        if (l->kind == AUTHORIZED_DEAD || *s == '\0' || authorized_is_blank(*s))
            return true;
        /* An empty option is none. */
        if (*s != ',') {
            bool is_value = rc != 0 && s[-1] == '"';
            die_of_unknown(l, is_value ? s : start, is_value);
            return true;
        }
        s++;
    }
    return true;
}
