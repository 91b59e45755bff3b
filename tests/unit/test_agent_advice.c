/* SPDX-License-Identifier: ISC */
/* tunnel-agent: what it tells a person about ssh's end, about a key file, a gateway that cannot be
 * reached, and what listens where. */
#include "lib/base/buf.h"
#include "tests/unit/helpers.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/gateway/reach_advice.h"
#include "tunnel-agent/host/localport.h"
#include "tunnel-agent/ssh/advice.h"
#include "tunnel-agent/ssh/login_advice.h"
#include "tunnel-agent/ssh/run.h"
#include "tunnel-agent/tunnel/listening.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char host[] = "u@h";

static void how_ssh_ended(void **state)
{
    static const struct {
        const char *what;
        struct ssh_run run;
        int status;
        bool was_up;
        const char *start, *part; /* of the sentence; part NULL: start is all of it */
    } rows[] = {
        {"words without ssh's own full stop",
         {.cause = SSH_MESSAGE_CLOSED, .cause_text = "Connection to h closed by remote host."},
         255 << 8,
         true,
         "ssh says 'Connection to h closed by remote host'.",
         NULL},
        {"ended before the login",
         {.cause = SSH_MESSAGE_CLOSED, .cause_text = "Connection closed by h port 22"},
         255 << 8,
         false,
         "ssh says 'Connection closed by h port 22'. ",
         "'journalctl -u ssh' there"},
        {"the host as the person named it",
         {.cause = SSH_MESSAGE_NO_ADDRESS,
          .cause_text = "ssh: Could not resolve hostname h: Name or service not known"},
         255 << 8,
         false,
         "ssh says 'ssh: Could not resolve hostname h: ",
         "'ssh -G u@h' shows"},
        {"a refusal needs advice later, too",
         {.cause = SSH_MESSAGE_REFUSED,
          .cause_text = "ssh: connect to host h port 22: Connection refused"},
         255 << 8,
         true,
         "ssh says 'ssh: connect to host h port 22: Connection refused'. ",
         "with -p"},
        {"a low port",
         {.cause = SSH_MESSAGE_LOCAL_PORT, .cause_text = "bind [127.0.0.1]:80: Permission denied"},
         255 << 8,
         false,
         "ssh says 'bind [127.0.0.1]:80: Permission denied'. ",
         "below 1024"},
        {"our own reason", {.cause_text = "the path is dead"}, 9, true, "the path is dead", NULL},
        {"a signal", {.pid = 0}, 9, false, "ssh was killed by signal 9", NULL},
        {"no ssh", {.pid = 0}, 127 << 8, false, "ssh cannot be started", "openssh-client"},
        {"nothing known", {.pid = 0}, 255 << 8, false, "ssh ended with status 255", "'ssh -v u@h'"},
    };
    const struct leg leg = {.to = host};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = {0};
        sshadvice_add_end(&out, &rows[i].run, &leg, rows[i].status, rows[i].was_up);
        CHECK(rows[i].what, strncmp(buf_text(&out), rows[i].start, strlen(rows[i].start)) == 0);
        CHECK(rows[i].what, rows[i].part != NULL ? strstr(out.data, rows[i].part) != NULL
                                                 : strcmp(out.data, rows[i].start) == 0);
        buf_release(&out);
    }
}

static void logins(void **state)
{
    static const struct {
        const char *what;
        struct ssh_run run;
        const char *part;
    } rows[] = {
        {"an open key",
         {.key_text = "Permissions 0644 for '/a' are too open."},
         "run 'chmod 600 /a'"},
        {"a quote in its name",
         {.key_text = "Permissions 0644 for '/a'b' are too open."},
         "run 'chmod 600 /a'b'"},
        {"the same in other words",
         {.key_text = "Load key \"/a\": bad permissions"},
         "chmod 600 /a"},
        {"a key of somebody else", {.key_text = "Load key \"/a\": Permission denied"}, "chown "},
        {"no key", {.key_text = "Load key \"/a\": error in libcrypto"}, "'ssh-keygen -y -f /a'"},
        {"no quote at all", {.key_text = "Load key"}, "ssh says 'Load key'"},
        {"only a password",
         {.cause = SSH_MESSAGE_AUTH, .cause_text = "u@h: Permission denied (password)."},
         "It takes no key, only password, and"},
        {"no algorithm",
         {.cause = SSH_MESSAGE_AUTH,
          .cause_text =
              "Unable to negotiate with h port 22: no matching key exchange method found. "
              "Their offer: x"},
         "-o KexAlgorithms=+NAME"},
    };
    const struct leg leg = {.to = host};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = {0};
        const char *line = rows[i].run.key_text;
        char file[SSHRUN_TEXT_BYTES];
        sshlogin_key_file(line, file);
        if (*line != '\0')
            sshlogin_add_key_advice(&out, line, file);
        else
            sshlogin_add_advice(&out, &rows[i].run, &leg, NULL);
        CHECK(rows[i].what, strstr(buf_text(&out), "ssh says '") != NULL);
        CHECK(rows[i].what, strstr(out.data, rows[i].part) != NULL);
        buf_release(&out);
    }
}

/* The far side's banner can hold such a line, so a file that is no key of ours is in no command. */
static void a_key_that_is_none_of_ours(void **state)
{
    static const char *const lines[] = {
        "Permissions 0644 for '/a;reboot' are too open.",
        "Load key \"/a;reboot\": bad permissions",
        "Load key \"/a;reboot\": Permission denied",
        "Load key \"/a;reboot\": error in libcrypto",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct buf out = {0};
        sshlogin_add_key_advice(&out, lines[i], NULL);
        const char *advice = strstr(buf_text(&out), "'. ");
        CHECK(lines[i], advice != NULL);
        CHECK(lines[i], strstr(advice, "reboot") == NULL);
        buf_release(&out);
    }
}

static void what_listens_where(void **state)
{
    static const struct {
        const char *what, *specs[4], *reverse;
        bool left_out[8];
        const char *text;
    } rows[] = {
        {"one", {"8009"}, NULL, {0}, "127.0.0.1:8009 here leads to 127.0.0.1:8009 at u@h"},
        {"a range",
         {"5001-5003:x:6001-6003"},
         NULL,
         {0},
         "127.0.0.1:5001-5003 here leads to x:6001-6003 at u@h"},
        {"a range with a port left out",
         {"5001-5004"},
         NULL,
         {false, true},
         "127.0.0.1:5001 here leads to 127.0.0.1:5001 at u@h, 127.0.0.1:5003-5004 here leads to "
         "127.0.0.1:5003-5004 at u@h"},
        {"neighbours of different hosts",
         {"1:x:1", "2:y:2"},
         NULL,
         {0},
         "127.0.0.1:1 here leads to x:1 at u@h, 127.0.0.1:2 here leads to y:2 at u@h"},
        {"IPv6", {"[::1]:1:[fe80::1]:2"}, NULL, {0}, "[::1]:1 here leads to [fe80::1]:2 at u@h"},
        {"all are left out", {"8009"}, NULL, {true}, ""},
        {"a reverse one",
         {NULL},
         "127.0.0.1:20001:127.0.0.1:22",
         {0},
         "127.0.0.1:20001 at u@h leads to 127.0.0.1:22 here"},
        {"a reverse one, IPv6",
         {NULL},
         "[::1]:20001:[::1]:22",
         {0},
         "[::1]:20001 at u@h leads to [::1]:22 here"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct leg leg = {.to = strdup(host),
                          .reverse = rows[i].reverse != NULL ? strdup(rows[i].reverse) : NULL};
        struct buf out = {0};
        const char *warning;
        for (size_t k = 0; k < COUNT(rows[i].specs) && rows[i].specs[k] != NULL; k++)
            CHECK_PROBLEM(rows[i].what, leg_add_forward(&leg, rows[i].specs[k], &warning), NULL);
        listening_add(&out, &leg, rows[i].left_out);
        CHECK_TEXT(rows[i].what, buf_text(&out), rows[i].text);
        buf_release(&out);
        leg_release(&leg);
    }
}

static void no_more_than_a_line(void **state)
{
    struct leg leg = {.to = strdup(host)};
    struct buf out = {0};
    const char *warning;
    char spec[32];
    (void)state;
    for (int i = 0; i < 100; i++) {
        (void)snprintf(spec, sizeof(spec), "%d:h:1", 1000 + 2 * i);
        CHECK_PROBLEM(spec, leg_add_forward(&leg, spec, &warning), NULL);
    }
    listening_add(&out, &leg, NULL);
    CHECK("the rest is counted", strstr(buf_text(&out), ", and 92 more") != NULL);
    buf_release(&out);
    leg_release(&leg);
}

static void local_ports(void **state)
{
    char text[320];
    (void)state;
    localport_explain("127.0.0.1", 443, strerror(EACCES), text, sizeof(text));
    CHECK("a low port", strstr(text, "-L 8443:HOST") != NULL);
    localport_explain("192.0.2.1", 8009, strerror(EADDRNOTAVAIL), text, sizeof(text));
    CHECK("another host's address", strstr(text, "'ip address'") != NULL);
    localport_explain("127.0.0.1", 8009, "x, pid 1", text, sizeof(text));
    CHECK("the holder", strncmp(text, "local port 8009 is taken (x, pid 1). ", 37) == 0);
}

static void gateways_that_cannot_be_reached(void **state)
{
    (void)state;
    CHECK("a certificate that is too old",
          strstr(reach_advice("SSL certificate problem: certificate has expired"), "timedatectl"));
    CHECK("of another authority",
          strstr(reach_advice("SSL certificate problem: unable to get local issuer certificate"),
                 "update-ca-certificates"));
    CHECK_TEXT("words that say it all", reach_advice("out of memory"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_ssh_ended),
        cmocka_unit_test(logins),
        cmocka_unit_test(a_key_that_is_none_of_ours),
        cmocka_unit_test(what_listens_where),
        cmocka_unit_test(no_more_than_a_line),
        cmocka_unit_test(local_ports),
        cmocka_unit_test(gateways_that_cannot_be_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
