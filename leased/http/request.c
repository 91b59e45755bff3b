/* SPDX-License-Identifier: ISC */
#include "leased/http/request.h"

#include "leased/http/page_guard.h"
#include "leased/http/page_parts.h"
#include "leased/http/status_query.h"
#include "lib/wire/join.h"

#include <string.h>
#include <strings.h>

static bool is_json(const struct http_slice *type)
{
    static const char json[] = "application/json";
    size_t len = sizeof(json) - 1;
    return type->len >= len && strncasecmp(type->at, json, len) == 0 &&
           (type->len == len || strchr("; \t", type->at[len]) != NULL);
}

/* The action of a GET. 0: there is nothing at this path. */
static enum control_action action_at(const struct client *client, const struct http_slice *path)
{
    if (client->on_join_socket)
        return 0;
    if (client->on_metrics_listen && http_slice_is(path, "/status.json"))
        return CONTROL_STATUS;
    if (client->on_metrics_listen && page_part_at(path) != NULL)
        return CONTROL_PAGE;
    if (http_slice_is(path, "/healthz"))
        return CONTROL_HEALTH;
    if (http_slice_is(path, "/version"))
        return CONTROL_VERSION;
    return http_slice_is(path, "/metrics") ? CONTROL_METRICS : 0;
}

static struct refusal refuse(int status, enum control_code code, const char *why)
{
    return (struct refusal){.why = why, .status = status, .code = code};
}

static struct refusal bad_request(const char *why)
{
    return refuse(400, CONTROL_BAD_REQUEST, why);
}

struct refusal request_head_refusal(int status)
{
    switch (status) {
    case 431:
        return refuse(status, CONTROL_TOO_LARGE, "the header is larger than 8 KiB or 64 lines");
    case 501:
        return refuse(status, CONTROL_BAD_REQUEST,
                      "Transfer-Encoding is not supported: send Content-Length");
    default:
        return refuse(status, CONTROL_BAD_REQUEST, "malformed HTTP request");
    }
}

static bool allows_method(bool is_post, const struct http_slice *method)
{
    return is_post ? http_slice_is(method, "POST")
                   : http_slice_is(method, "GET") || http_slice_is(method, "HEAD");
}

bool request_is_page(const struct client *client, const struct http_head *head)
{
    const enum control_action action = action_at(client, &head->path);
    return action == CONTROL_STATUS || action == CONTROL_PAGE;
}

struct refusal request_check(struct client *client, const struct http_head *head,
                             const char *public_host)
{
    /* On MetricsListen there is the page at this path, and nothing takes a POST. */
    bool is_post = http_slice_is(&head->path, "/") &&
                   (!client->on_metrics_listen || http_slice_is(&head->method, "POST"));
    if (client->proxy != PROXY_HEADER_NONE && !client_set_from_proxy(client, head))
        return bad_request("the proxy sent no plain address in the header that ProxyHeader names");
    if ((action_at(client, &head->path) == 0 || is_post) && (!is_post || client->on_metrics_listen))
        return refuse(404, CONTROL_NOT_FOUND,
                      is_post ? "this address serves only reports"
                              : "there is nothing at this path");
    if (!allows_method(is_post, &head->method))
        return (struct refusal){.why = is_post ? "this path takes POST" : "this path takes GET",
                                .status = 405,
                                .code = CONTROL_BAD_REQUEST,
                                .allow = is_post ? "POST" : "GET, HEAD"};
    const char *foreign =
        request_is_page(client, head) ? page_guard_problem(head, public_host) : NULL;
    if (foreign != NULL)
        return refuse(403, CONTROL_FORBIDDEN, foreign);
    if (is_post && !head->has_length)
        return bad_request("Content-Length is missing");
    if (head->content_length > CONTROL_BODY_BYTES)
        return refuse(413, CONTROL_TOO_LARGE, "the body is larger than 64 KiB");
    if (!is_post && head->content_length > 0)
        return bad_request("a request of this path must have no body");
    if (is_post && !is_json(&head->content_type))
        return refuse(415, CONTROL_UNSUPPORTED, "Content-Type must be application/json");
    return (struct refusal){0};
}

/* On the join socket. The code is in the body: a credential in the head means nothing there. */
static struct refusal fill_join(const struct client *client, const struct http_head *head,
                                const char *body, struct control_request *ret)
{
    control_request_init(ret, CONTROL_JOIN);
    ret->peer_uid = client->uid;
    ret->peer_pid = client->pid;
    if (client->pid <= 0)
        return refuse(403, CONTROL_FORBIDDEN, "the kernel does not tell which process asks");
    const char *problem = join_request_parse(body, head->content_length, ret);
    if (problem == join_other_action)
        return refuse(403, CONTROL_FORBIDDEN, problem);
    return problem != NULL ? bad_request(problem) : (struct refusal){0};
}

struct refusal request_fill(const struct client *client, const struct http_head *head,
                            const char *body, struct control_request *ret)
{
    if (client->on_join_socket)
        return fill_join(client, head, body, ret);
    control_request_init(ret, action_at(client, &head->path));
    ret->on_metrics_listen = client->on_metrics_listen;
    memcpy(ret->address, client->address, sizeof(ret->address));
    if (client->on_metrics_listen) {
        ret->is_admitted = client->is_admitted;
        ret->peer_port = client->port;
        ret->peer_uid = client->uid;
    }
    if (head->credential.len != 0 &&
        control_request_set(ret, CONTROL_CREDENTIAL, head->credential.at, head->credential.len) !=
            0)
        return bad_request("the credential is too long");
    const char *problem = ret->action == 0 ? control_parse(body, head->content_length, ret)
                          : ret->action == CONTROL_STATUS ? status_query_parse(&head->query, ret)
                                                          : NULL;
    if (control_action_is_agents((enum control_action)ret->action))
        ret->peer_port = client->port;
    return problem != NULL ? bad_request(problem) : (struct refusal){0};
}
