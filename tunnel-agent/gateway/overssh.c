/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/overssh.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "tunnel-agent/gateway/post.h"
#include "tunnel-agent/gateway/url.h"
#include "tunnel-agent/ssh/advice.h"
#include "tunnel-agent/ssh/forward.h"

#include <bsd/string.h>

unsigned overssh_post(const char *alias, const char *config, const struct url *url,
                      const char *credential, const char *body, int64_t timeout_ms, struct buf *out)
{
    struct sshforward forward;
    char why[SSHFORWARD_WHY_BYTES];
    unsigned answer = 0;
    int64_t end_ms = clock_monotonic_ms() + timeout_ms;

    if (sshforward_open(&forward, alias, config, url->port, end_ms, why) == 0) {
        struct url near = *url;
        near.tls = false; /* ssh encrypts it, and the far end is the control port itself */
        (void)strlcpy(near.host, "127.0.0.1", sizeof(near.host));
        near.port = forward.port;
        answer = post_request(&near, credential, body, end_ms - clock_monotonic_ms(), out);
    } else {
        buf_addf(out, "cannot reach the control port over ssh to '%s': %s.", alias, why);
        sshadvice_add_meaning(out, sshmessage_parse(why), why, alias);
    }
    sshforward_close(&forward);
    return answer;
}
