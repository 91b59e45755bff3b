/* SPDX-License-Identifier: ISC */
#include "lib/wire/joined.h"

#include "lib/wire/document.h"
#include "lib/wire/fields.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Strict, because it may end up among ssh's arguments. */
static bool is_host(const char *host)
{
    if (*host == '-')
        return false;
    for (; *host != '\0'; host++)
        if (!isalnum((unsigned char)*host) && strchr("._-:%", *host) == NULL)
            return false;
    return true;
}

static const char *get_open(const json_t *root, struct permit_list *ret)
{
    const json_t *array = json_object_get(root, "open"), *item;
    struct permit permit;
    size_t i;
    if (array != NULL && !json_is_array(array))
        return "has no valid open";
    json_array_foreach(array, i, item)
    {
        const char *text = json_string_value(item);
        if (text == NULL || permit_parse(text, PERMIT_RANGE, &permit) != NULL)
            return "has no valid open";
        if (permit_list_add(ret, &permit) != NULL)
            return "opens an address twice, or more than a lease can";
    }
    return NULL;
}

static const char *get_connect(const json_t *root, char **ret)
{
    *ret = malloc(JOINED_CONNECT_BYTES);
    if (*ret == NULL)
        return "does not fit in memory";
    return fields_text(root, "connect", *ret, JOINED_CONNECT_BYTES) ? NULL : "has no valid connect";
}

static const char *get_agent(const json_t *root, struct joined *j)
{
    const json_t *agent = json_object_get(root, "agent");
    if (agent == NULL || json_is_null(agent))
        return NULL;
    char *text = json_is_object(agent) ? json_dumps(agent, JSON_COMPACT) : NULL;
    if (text == NULL)
        return "has no valid agent";
    const char *problem = register_answer_parse(text, strlen(text), &j->agent);
    free(text);
    if (problem != NULL)
        return problem;
    j->is_agent = true;
    return strcmp(j->agent.agent_id, j->name) == 0 ? NULL : "names a lease and another agent";
}

static const char *parse_lease(const json_t *root, struct joined *j)
{
    const char *problem;
    int64_t end_s;
    if (!fields_text(root, "name", j->name, sizeof(j->name)) || lease_name_problem(j->name) != NULL)
        return "has no valid name";
    if (!fields_text(root, "login", j->login, sizeof(j->login)) ||
        login_name_problem(j->login) != NULL)
        return "has no valid login";
    if (!fields_text(root, "host", j->host, sizeof(j->host)) || !is_host(j->host))
        return "has no valid host";
    if (!fields_port(root, "port", &j->port))
        return "has no valid port";
    if (!fields_text(root, "expires_at", j->expires_at, sizeof(j->expires_at)) ||
        time_parse(j->expires_at, &end_s) != 0)
        return "has no valid expires_at";
    if ((problem = get_open(root, &j->open)) != NULL ||
        (problem = get_connect(root, &j->connect)) != NULL)
        return problem;
    if (!fields_text(json_array_get(json_object_get(root, "keys"), 0), "fingerprint",
                     j->fingerprint, sizeof(j->fingerprint)))
        return "has no valid key";
    j->listen_count = json_array_size(json_object_get(root, "listen"));
    return get_agent(root, j);
}

const char *joined_parse(const char *text, size_t len, struct joined *ret)
{
    struct joined j = {.port = 0};
    json_t *root = NULL;
    if (len <= JOINED_TEXT_MAX)
        (void)document_parse(text, len, &root);
    if (root == NULL)
        return JOINED_NO_OBJECT;
    const char *problem = parse_lease(root, &j);
    json_decref(root);
    if (problem != NULL) {
        joined_release(&j);
        return problem;
    }
    *ret = j;
    return NULL;
}

void joined_release(struct joined *j)
{
    permit_list_release(&j->open);
    free(j->connect);
    register_answer_release(&j->agent);
    *j = (struct joined){.port = 0};
}
