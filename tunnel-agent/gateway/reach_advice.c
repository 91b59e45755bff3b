/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/reach_advice.h"

#include <stddef.h>
#include <string.h>

/* The first row that is in the words counts. Words of curl 7.88 with OpenSSL 3.0, and older. */
static const struct {
    const char *part;
    const char *advice;
} rows[] = {
    {"has expired", ". The certificate must be renewed there; or this host's clock is wrong: "
                    "'timedatectl' shows it"},
    {"not yet valid", ". This host's clock may be wrong: 'timedatectl' shows it"},
    {"subject name", ". The certificate is for another name: use a name that is in it, as 'openssl "
                     "s_client -connect HOST:PORT' shows them"},
    {"does not match", ". The certificate is for another name: use a name that is in it, as "
                       "'openssl s_client -connect HOST:PORT' shows them"},
    {"certificate problem",
     ". This host does not know who signed it: put the CA's certificate into "
     "/usr/local/share/ca-certificates/NAME.crt and run "
     "'update-ca-certificates'"},
    {"setting certificate", ". This host has no list of CAs: on Debian 'apt-get install "
                            "ca-certificates'"},
    {"wrong version number", ". That port speaks no TLS: name the port of the proxy that does, or "
                             "use http:// (beyond loopback with --insecure)"},
    {"no HTTP", ". That port speaks something else: TLS needs https://, and the port is that of "
                "Listen in the gateway's tunlease.conf"},
    {"refused", ". Nothing listens there: 'systemctl status leased' on the gateway, and Listen in "
                "its tunlease.conf"},
    {"Could not resolve", ". 'getent hosts' with that name shows whether this host knows it"},
    {"not known", ". 'getent hosts' with that name shows whether this host knows it"},
    {"name resolution", ". No name server answers: 'getent hosts' with a name that you know shows "
                        "whether any name resolves here"},
    {"in time", ". The host is off, or a firewall drops the packets"},
    {"timed out", ". The host is off, or a firewall drops the packets"},
    {"unreachable", ". This host has no way there now: 'ip route get' with its address shows why"},
};

const char *reach_advice(const char *why)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strstr(why, rows[i].part) != NULL)
            return rows[i].advice;
    return "";
}
