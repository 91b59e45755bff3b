/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/https.h"

#include "lib/base/buf.h"
#include "tunnel-agent/gateway/http.h"
#include "tunnel-agent/gateway/reach_advice.h"
#include "tunnel-agent/gateway/url.h"
#include "tunnel-agent/host/endpoint.h"

#ifdef TUNNEL_AGENT_HTTPS

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

bool https_is_built_in(void)
{
    return true;
}

static size_t on_data(char *data, size_t size, size_t count, void *ctx)
{
    struct buf *out = ctx;
    if (out->len + size * count > HTTP_ANSWER_MAX)
        return 0; /* makes curl give up */
    buf_add_mem(out, data, size * count);
    return size * count;
}

unsigned https_post(const struct url *url, const char *credential, const char *body,
                    int64_t timeout_ms, struct buf *out)
{
    char where[URL_HOST_BYTES + URL_PATH_BYTES + 32], header[600], why[CURL_ERROR_SIZE] = "";
    char host[ENDPOINT_BYTES];
    long status = 0;
    void *lib = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (lib == NULL) {
        buf_add(out, "cannot reach https:// endpoints: libcurl is not installed (libcurl4)");
        return 0;
    }
    /* POSIX lets dlsym(3) return functions, but ISO C has no cast for that. */
    CURL *(*init)(void);
    CURLcode (*setopt)(CURL *, CURLoption, ...);
    CURLcode (*perform)(CURL *);
    CURLcode (*getinfo)(CURL *, CURLINFO, ...);
    struct curl_slist *(*append)(struct curl_slist *, const char *);
    *(void **)(void *)&init = dlsym(lib, "curl_easy_init");
    *(void **)(void *)&setopt = dlsym(lib, "curl_easy_setopt");
    *(void **)(void *)&perform = dlsym(lib, "curl_easy_perform");
    *(void **)(void *)&getinfo = dlsym(lib, "curl_easy_getinfo");
    *(void **)(void *)&append = dlsym(lib, "curl_slist_append");
    CURL *curl =
        init != NULL && setopt != NULL && perform != NULL && getinfo != NULL && append != NULL
            ? init()
            : NULL;
    if (curl == NULL) {
        buf_add(out, "cannot reach https:// endpoints: libcurl does not start");
        return 0;
    }
    endpoint_format(url->host, url->port, host);
    (void)snprintf(where, sizeof(where), "https://%s%s", host, url->path);
    struct curl_slist *headers = append(NULL, "Content-Type: application/json");
    if (credential != NULL && credential[0] != '\0' && headers != NULL) {
        (void)snprintf(header, sizeof(header), "Authorization: Bearer %s", credential);
        headers = append(headers, header);
    }
    (void)setopt(curl, CURLOPT_URL, where);
    (void)setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)setopt(curl, CURLOPT_POSTFIELDS, body);
    (void)setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    (void)setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    (void)setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)setopt(curl, CURLOPT_FOLLOWLOCATION, 0L); /* or the credential would be sent elsewhere */
    (void)setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    (void)setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    (void)setopt(curl, CURLOPT_ERRORBUFFER, why);
    (void)setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    (void)setopt(curl, CURLOPT_WRITEDATA, out);
    CURLcode rc = perform(curl);
    if (rc == CURLE_OK)
        (void)getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status < 100 || status > 999) {
        buf_clear(out);
        buf_addf(out, "cannot reach https://%s:%u: %s%s", url->host, url->port,
                 why[0] != '\0' ? why : "no answer", reach_advice(why));
        return 0;
    }
    return (unsigned)status; /* nothing is freed: the process ends now */
}

#else

bool https_is_built_in(void)
{
    return false;
}

unsigned https_post(const struct url *url, const char *credential, const char *body,
                    int64_t timeout_ms, struct buf *out)
{
    (void)url;
    (void)credential;
    (void)body;
    (void)timeout_ms;
    buf_add(out, "this tunnel-agent was built without https (HTTPS=1)");
    return 0;
}

#endif
