/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/mux.h"

#include "lib/base/buf.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/ssh/args.h"

#include <stdlib.h>

enum { MUX_MS = 5000 };

int sshmux_add_forward(const char *mux_sock, const struct forward *f)
{
    struct buf output = {0};
    char *spec = sshargs_forward(f);
    const char *const argv[] = {"ssh",     "-F", "none", "-S",     mux_sock, "-O",
                                "forward", "-L", spec,   "tunnel", NULL};
    int rc = spec != NULL ? process_run(argv, MUX_MS, &output) : PROCESS_NOT_STARTED;
    free(spec);
    buf_release(&output);
    return rc == 0 ? 0 : -1;
}
