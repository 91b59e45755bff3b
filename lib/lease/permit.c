/* SPDX-License-Identifier: ISC */
#include "lib/lease/permit.h"

#include "lib/base/buf.h"
#include "lib/base/number.h"
#include "lib/base/text.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char why_port[] = "the port is not a number from 1 to 65535";

static bool parse_port(const char *s, size_t len, uint16_t *ret)
{
    int64_t value;
    if (!number_parse(s, len, 1, UINT16_MAX, &value))
        return false;
    *ret = (uint16_t)value;
    return true;
}

static const char *parse_ports(const char *s, enum permit_form form, struct permit *p)
{
    const char *dash = strchr(s, '-');
    if (strcmp(s, "*") == 0) {
        if (form != PERMIT_CEILING)
            return "'*' as a port stands only in a ceiling (AllowOpen, AllowListen)";
        p->low = 1;
        p->high = UINT16_MAX;
        return NULL;
    }
    if (dash == NULL) {
        if (!parse_port(s, strlen(s), &p->low))
            return why_port;
        p->high = p->low;
        return NULL;
    }
    if (form == PERMIT_PORT)
        return "a range of ports cannot stand here";
    if (!parse_port(s, (size_t)(dash - s), &p->low) ||
        !parse_port(dash + 1, strlen(dash + 1), &p->high))
        return why_port;
    if (p->high < p->low)
        return "the range ends before it begins";
    if (form == PERMIT_RANGE && p->high - p->low >= PERMIT_RANGE_PORTS)
        return "the range is larger than 256 ports";
    return NULL;
}

/* Decimal, octal or hexadecimal, as inet_aton(3) reads the last part of an address. */
static bool is_number(const char *label)
{
    const char *digits = "0123456789";
    if (strncmp(label, "0x", 2) == 0) {
        label += 2;
        digits = "0123456789abcdef";
    }
    return label[strspn(label, digits)] == '\0';
}

/*
 * A DNS name: labels of letters, digits, - and _, of which the last is not a number. 127.1, 1.2.3
 * and 0x7f01 would resolve to an address in another spelling, which a comparison of strings misses.
 */
static bool is_dns_name(const char *s)
{
    size_t label = 0;
    const char *last = s;
    if (*s == '\0' || strlen(s) >= PERMIT_HOST_BYTES)
        return false;
    for (; *s != '\0'; s++) {
        bool digit = *s >= '0' && *s <= '9';
        if (*s == '.') {
            if (label == 0 || s[-1] == '-')
                return false;
            label = 0;
            last = s + 1;
            continue;
        }
        if (!digit && !(*s >= 'a' && *s <= 'z') && *s != '_' && !(*s == '-' && label > 0))
            return false;
        if (++label > 63)
            return false;
    }
    return label > 0 && s[-1] != '-' && !is_number(last);
}

/* host is in lower case; its brackets, if it was bracketed, are removed. NULL, or why not. */
static const char *canonical_host(const char *host, bool bracketed, char out[PERMIT_HOST_BYTES])
{
    struct in_addr v4;
    struct in6_addr v6;

    if (bracketed) {
        if (inet_pton(AF_INET6, host, &v6) != 1)
            return "the host in brackets is not an IPv6 address";
        (void)inet_ntop(AF_INET6, &v6, out, PERMIT_HOST_BYTES);
        return NULL;
    }
    if (strchr(host, ':') != NULL)
        return "an IPv6 address must stand in brackets, as in [::1]:8009";
    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (inet_pton(AF_INET, host, &v4) == 1 || is_dns_name(host)) {
        (void)strlcpy(out, host, PERMIT_HOST_BYTES);
        return NULL;
    }
    return "the host is neither an IPv4 address, an [IPv6] address nor a DNS name";
}

const char *permit_parse(const char *s, enum permit_form form, struct permit *ret)
{
    struct permit p = {.host = "127.0.0.1"};
    char host[PERMIT_HOST_BYTES + 2] = "";
    const char *colon = strrchr(s, ':');
    const char *problem = NULL;

    if (colon != NULL) {
        size_t len = (size_t)(colon - s);
        bool bracketed = len >= 2 && s[0] == '[' && s[len - 1] == ']';
        if (bracketed) {
            s++;
            len -= 2;
        }
        if (len >= sizeof(host))
            return "the host is too long";
        for (size_t i = 0; i < len; i++)
            host[i] = text_lower(s[i]);
        problem = canonical_host(host, bracketed, p.host);
        if (problem != NULL)
            return problem;
        s = colon + 1;
    }
    problem = parse_ports(s, form, &p);
    if (problem == NULL)
        *ret = p;
    return problem;
}

void permit_format(const struct permit *p, char out[static PERMIT_TEXT_BYTES])
{
    bool v6 = strchr(p->host, ':') != NULL;
    int n = snprintf(out, PERMIT_TEXT_BYTES, v6 ? "[%s]:" : "%s:", p->host);
    char *ports = out + n;
    size_t size = PERMIT_TEXT_BYTES - (size_t)n;
    if (p->low == p->high)
        (void)snprintf(ports, size, "%u", p->low);
    else if (p->low == 1 && p->high == UINT16_MAX)
        (void)snprintf(ports, size, "*");
    else
        (void)snprintf(ports, size, "%u-%u", p->low, p->high);
}

bool permit_equal(const struct permit *a, const struct permit *b)
{
    return a->low == b->low && a->high == b->high && strcmp(a->host, b->host) == 0;
}

bool permit_contains(const struct permit *outer, const struct permit *inner)
{
    return outer->low <= inner->low && inner->high <= outer->high &&
           strcmp(outer->host, inner->host) == 0;
}

void permit_make_reachable(struct permit *p)
{
    if (strcmp(p->host, "0.0.0.0") == 0)
        (void)strlcpy(p->host, "127.0.0.1", sizeof(p->host));
    else if (strcmp(p->host, "::") == 0)
        (void)strlcpy(p->host, "::1", sizeof(p->host));
}

bool permit_is_loopback4(const struct permit *p)
{
    return strcmp(p->host, "127.0.0.1") == 0;
}

const char *permit_list_add(struct permit_list *list, const struct permit *p)
{
    size_t ports = (size_t)(p->high - p->low) + 1;
    for (size_t i = 0; i < list->count; i++)
        ports += (size_t)(list->items[i].high - list->items[i].low) + 1;
    if (permit_list_has(list, p))
        return "is named twice";
    if (list->count == PERMIT_LIST_MAX)
        return "is one too many: a lease holds at most 64 in one direction";
    if (ports > PERMIT_LIST_PORTS)
        return "is too much: a lease holds at most 1024 ports in one direction";
    struct permit *items = reallocarray(list->items, list->count + 1, sizeof(*items));
    if (items == NULL)
        return "does not fit in memory";
    list->items = items;
    list->items[list->count++] = *p;
    return NULL;
}

bool permit_list_has(const struct permit_list *list, const struct permit *p)
{
    for (size_t i = 0; i < list->count; i++)
        if (permit_equal(&list->items[i], p))
            return true;
    return false;
}

int permit_list_parse(const char *text, struct permit_list *ret)
{
    struct permit_list list = {0};
    char item[PERMIT_TEXT_BYTES];
    int rc = -1;

    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        struct permit p;
        if (len >= sizeof(item))
            goto out;
        memcpy(item, text, len);
        item[len] = '\0';
        if (permit_parse(item, PERMIT_RANGE, &p) != NULL || permit_list_add(&list, &p) != NULL)
            goto out;
        text += len;
        if (*text == ' ' && *++text == '\0')
            goto out;
    }
    *ret = list;
    list = (struct permit_list){0};
    rc = 0;
out:
    permit_list_release(&list);
    return rc;
}

void permit_list_format(const struct permit_list *list, struct buf *out)
{
    char item[PERMIT_TEXT_BYTES];
    for (size_t i = 0; i < list->count; i++) {
        permit_format(&list->items[i], item);
        buf_addf(out, "%s%s", i > 0 ? " " : "", item);
    }
}

void permit_list_release(struct permit_list *list)
{
    free(list->items);
    *list = (struct permit_list){0};
}
