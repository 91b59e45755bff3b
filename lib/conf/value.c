/* SPDX-License-Identifier: ISC */
#include "lib/conf/value.h"

#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/conf/conf.h"
#include "lib/lease/duration.h"
#include "lib/lease/name.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char one_value[] = "takes exactly one value";

const char *value_path(void *field, char *const *words, size_t count)
{
    if (count != 1)
        return one_value;
    const char *problem = conf_path_problem(words[0]);
    if (problem == NULL)
        (void)strlcpy(field, words[0], CONF_PATH_BYTES);
    return problem;
}

const char *value_name(void *field, char *const *words, size_t count)
{
    if (count != 1)
        return one_value;
    const char *problem = login_name_problem(words[0]);
    if (problem == NULL)
        (void)strlcpy(field, words[0], CONF_NAME_BYTES);
    return problem;
}

const char *value_duration(void *field, char *const *words, size_t count)
{
    if (count != 1)
        return one_value;
    return duration_parse(words[0], field) == 0 ? NULL
                                                : "is not a duration like 90s, 15m, 12h, 7d, 1d12h";
}

const char *value_duration_or_none(void *field, char *const *words, size_t count)
{
    int64_t *value_s = field;
    if (count == 1 && strcasecmp(words[0], "none") == 0) {
        *value_s = 0;
        return NULL;
    }
    return value_duration(field, words, count);
}

const char *value_bool(void *field, char *const *words, size_t count)
{
    bool *value = field;
    if (count != 1)
        return one_value;
    if (strcasecmp(words[0], "yes") != 0 && strcasecmp(words[0], "no") != 0)
        return "is neither 'yes' nor 'no'";
    *value = strcasecmp(words[0], "yes") == 0;
    return NULL;
}

const char *value_proxy_header(void *field, char *const *words, size_t count)
{
    enum proxy_header *value = field;
    if (count != 1)
        return one_value;
    if (strcasecmp(words[0], "X-Real-IP") != 0 && strcasecmp(words[0], "X-Forwarded-For") != 0)
        return "is neither 'X-Real-IP' nor 'X-Forwarded-For'";
    *value =
        strcasecmp(words[0], "X-Real-IP") == 0 ? PROXY_HEADER_REAL_IP : PROXY_HEADER_FORWARDED_FOR;
    return NULL;
}

const char *value_session_refusal(void *field, char *const *words, size_t count)
{
    enum session_refusal *value = field;
    if (count != 1)
        return one_value;
    if (strcasecmp(words[0], "message") != 0 && strcasecmp(words[0], "silent") != 0)
        return "is neither 'message' nor 'silent'";
    *value = strcasecmp(words[0], "silent") == 0 ? SESSION_REFUSAL_SILENT : SESSION_REFUSAL_MESSAGE;
    return NULL;
}

const char *value_copied_agents(void *field, char *const *words, size_t count)
{
    enum copied_agents *value = field;
    if (count != 1)
        return one_value;
    if (strcasecmp(words[0], "newest") != 0 && strcasecmp(words[0], "refuse") != 0)
        return "is neither 'newest' nor 'refuse'";
    *value = strcasecmp(words[0], "refuse") == 0 ? COPIED_AGENTS_REFUSE : COPIED_AGENTS_NEWEST;
    return NULL;
}

const char *value_permit(void *field, char *const *words, size_t count)
{
    return count != 1 ? one_value : permit_parse(words[0], PERMIT_PORT, field);
}

const char *value_rule(void *field, char *const *words, size_t count)
{
    struct permit p;
    const char *login = "";
    if (count < 1 || count > 2)
        return "takes [LOGIN] HOST:PORT, HOST:LOW-HIGH or HOST:*";
    if (count == 2) {
        login = words[0];
        const char *problem = login_name_problem(login);
        if (problem != NULL)
            return problem;
    }
    if (strchr(words[count - 1], ':') == NULL)
        return "names no host: a ceiling is written HOST:PORT, HOST:LOW-HIGH or HOST:*";
    const char *problem = permit_parse(words[count - 1], PERMIT_CEILING, &p);
    if (problem != NULL)
        return problem;
    return ceiling_rules_add(field, login, &p) == 0 ? NULL : "does not fit in memory";
}

const char *value_bind_host(void *field, char *const *words, size_t count)
{
    struct permit p;
    char with_port[CONF_TEXT_BYTES];
    if (count != 1)
        return one_value;
    bool bare_v6 = strchr(words[0], ':') != NULL && words[0][0] != '[';
    int n = snprintf(with_port, sizeof(with_port), bare_v6 ? "[%s]:1" : "%s:1", words[0]);
    if (n < 0 || (size_t)n >= sizeof(with_port))
        return "is too long";
    const char *problem = permit_parse(with_port, PERMIT_PORT, &p);
    if (problem == NULL)
        (void)strlcpy(field, p.host, CONF_TEXT_BYTES);
    return problem;
}

const char *value_listener(void *field, char *const *words, size_t count)
{
    struct conf_listener l = {.unix_path = ""};
    if (count != 1)
        return one_value;
    if (strncmp(words[0], "unix:", 5) == 0) {
        if (strlen(words[0] + 5) > 100) /* sun_path, unix(7) */
            return "is too long a path for a socket";
        const char *problem = value_path(l.unix_path, &(char *){words[0] + 5}, 1);
        if (problem != NULL)
            return problem;
    } else {
        const char *problem = strchr(words[0], ':') == NULL
                                  ? "is neither HOST:PORT nor unix:/path"
                                  : permit_parse(words[0], PERMIT_PORT, &l.address);
        if (problem != NULL)
            return problem;
    }
    memcpy(field, &l, sizeof(l));
    return NULL;
}

const char *value_host(void *field, char *const *words, size_t count)
{
    struct permit p;
    char with_port[CONF_TEXT_BYTES];
    if (count != 1)
        return one_value;
    /* An IPv6 address stands without brackets, as ssh takes it in user@host. */
    bool v6 = strchr(words[0], ':') != NULL;
    (void)snprintf(with_port, sizeof(with_port), v6 ? "[%s]:1" : "%s:1", words[0]);
    if (strlen(words[0]) > PERMIT_HOST_BYTES || permit_parse(with_port, PERMIT_PORT, &p) != NULL)
        return "is no host name or address";
    (void)strlcpy(field, words[0], CONF_TEXT_BYTES);
    return NULL;
}

const char *value_port(void *field, char *const *words, size_t count)
{
    uint16_t *port = field;
    int64_t value;
    if (count != 1)
        return one_value;
    if (!number_parse(words[0], strlen(words[0]), 1, UINT16_MAX, &value))
        return "is not a port from 1 to 65535";
    *port = (uint16_t)value;
    return NULL;
}

const char *value_count(void *field, char *const *words, size_t count)
{
    unsigned *number = field;
    int64_t value;
    if (count != 1)
        return one_value;
    if (!number_parse(words[0], strlen(words[0]), 1, 1000000, &value))
        return "is not a number from 1 to 1000000";
    *number = (unsigned)value;
    return NULL;
}

const char *value_text(void *field, char *const *words, size_t count)
{
    char text[CONF_TEXT_BYTES] = "";
    if (count == 0)
        return "takes a value";
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            (void)strlcat(text, " ", sizeof(text));
        if (strlcat(text, words[i], sizeof(text)) >= sizeof(text))
            return "is too long";
    }
    const char *problem = free_text_problem(text);
    if (problem == NULL)
        (void)strlcpy(field, text, CONF_TEXT_BYTES);
    return problem;
}
