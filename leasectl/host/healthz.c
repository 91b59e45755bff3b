/* SPDX-License-Identifier: ISC */
#include "leasectl/host/healthz.h"

#include "leasectl/host/http_ask.h"
#include "lib/base/buf.h"
#include "lib/conf/conf.h"

#include <string.h>

/* Adds the lines of the answer's body as one. */
static void add_body(const char *answer, struct buf *says)
{
    const char *body = strstr(answer, "\r\n\r\n");
    for (body = body != NULL ? body + 4 : ""; *body != '\0';) {
        const size_t len = strcspn(body, "\n");
        buf_add_mem(says, body, len);
        body += len + (body[len] == '\n' ? 1 : 0);
        if (*body != '\0')
            buf_add(says, "; ");
    }
}

const struct conf_listener *healthz_listener(const struct conf *conf)
{
    for (size_t i = 0; i < conf->listen_count; i++)
        if (conf->listen[i].proxy_group[0] == '\0')
            return &conf->listen[i];
    return &conf->listen[0];
}

/* On a listener for a proxy leased refuses what names no client. */
static void format_request(const struct conf *conf, const struct conf_listener *at,
                           struct buf *request)
{
    buf_add(request, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    if (at->proxy_group[0] != '\0')
        buf_addf(request, "%s: 127.0.0.1\r\n", conf_proxy_header_name(conf->proxy_header));
    buf_add(request, "\r\n");
}

enum healthz healthz_query(const struct conf *conf, struct buf *says)
{
    enum healthz is = HEALTHZ_NO_ANSWER;
    struct buf answer = {0}, request = {0};
    const struct conf_listener *at = healthz_listener(conf);
    format_request(conf, at, &request);
    const char *text = buf_text_or(&request, "");
    const char *problem = http_ask(at, text, &answer);
    if (problem != NULL) {
        buf_add(says, problem);
        goto out;
    }
    text = buf_text_or(&answer, "");
    if (strncmp(text, "HTTP/1.1 200 ", 13) == 0) {
        is = HEALTHZ_WELL;
    } else if (strncmp(text, "HTTP/1.1 503 ", 13) == 0) {
        is = HEALTHZ_UNWELL;
        add_body(text, says);
    } else {
        buf_add(says, "what it says is no answer of leased");
    }
out:
    buf_release(&answer);
    buf_release(&request);
    return is;
}
