/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/http.h"

#include "lib/base/buf.h"
#include "tunnel-agent/gateway/url.h"
#include "tunnel-agent/host/endpoint.h"

#include <ctype.h>
#include <string.h>

void http_post_format(const struct url *url, const char *credential, const char *body,
                      struct buf *out)
{
    char host[ENDPOINT_BYTES];
    endpoint_format(url->host, url->port, host);
    buf_addf(out, "POST %s HTTP/1.0\r\nHost: %s\r\n", url->path, host);
    if (credential != NULL && credential[0] != '\0')
        buf_addf(out, "Authorization: Bearer %s\r\n", credential);
    buf_addf(out,
             "User-Agent: tunnel-agent/" TUNLEASE_VERSION "\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
             strlen(body), body);
}

unsigned http_answer_parse(const char *text, size_t len, const char **ret_body, size_t *ret_len)
{
    const char *end = len > 12 ? memmem(text, len, "\r\n\r\n", 4) : NULL;
    if (end == NULL || strncmp(text, "HTTP/1.", 7) != 0 || text[8] != ' ')
        return 0;
    for (int i = 9; i < 12; i++)
        if (!isdigit((unsigned char)text[i]))
            return 0;
    /* Our request was HTTP/1.0 with Connection: close, so the body ends with the connection. */
    *ret_body = end + 4;
    *ret_len = len - (size_t)(*ret_body - text);
    return (unsigned)((text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0'));
}
