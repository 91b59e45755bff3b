/* SPDX-License-Identifier: ISC */
/* tunnel-agent: forwards, destinations, probes, settings; ssh's messages; how long to wait. */
#include "tunnel-agent/config/leg.h"

#include "tests/unit/helpers.h"
#include "lib/base/buf.h"
#include "tunnel-agent/tunnel/backoff.h"
#include "tunnel-agent/config/leg_text.h"
#include "tunnel-agent/config/settings.h"
#include "tunnel-agent/config/tunnels_conf.h"
#include "tunnel-agent/join/join_words.h"
#include "tunnel-agent/ssh/args.h"
#include "tunnel-agent/ssh/hostkey.h"
#include "tunnel-agent/ssh/message.h"

static void forwards(void **state)
{
    static const struct {
        const char *what, *spec, *first, *problem;
        size_t count;
    } rows[] = {
        {"three fields", "8009:127.0.0.1:80", "127.0.0.1:8009:127.0.0.1:80", NULL, 1},
        {"a host stays as typed", "18188:LocalHost:18188", "127.0.0.1:18188:LocalHost:18188", NULL,
         1},
        {"four fields", "::1:1:h:2", NULL, "is no [BIND:]PORT", 0},
        {"IPv6 in brackets", "[::1]:1:[fe80::1]:2", "[::1]:1:[fe80::1]:2", NULL, 1},
        {"all addresses", "*:1:h:2", "*:1:h:2", NULL, 1},
        {"an empty address means all", ":1:h:2", "*:1:h:2", NULL, 1},
        {"one port alone", "8009", "127.0.0.1:8009:127.0.0.1:8009", NULL, 1},
        {"a range alone", "5001-5025", "127.0.0.1:5001:127.0.0.1:5001", NULL, 25},
        {"a range to a range", "1-3:h:11-13", "127.0.0.1:1:h:11", NULL, 3},
        {"largest range", "1-256", "127.0.0.1:1:127.0.0.1:1", NULL, 256},
        {"a range of one port too many", "1-257", NULL, "spans more than 256", 0},
        {"largest port", "65535:h:65535", "127.0.0.1:65535:h:65535", NULL, 1},
        {"a port that is too large", "65536:h:1", NULL, "local port", 0},
        {"port 0", "0:h:1", NULL, "local port", 0},
        {"remote port 0", "1:h:0", NULL, "remote port", 0},
        {"ranges of different lengths", "1-3:h:1-2", NULL, "different lengths", 0},
        {"a range backwards", "3-1", NULL, "local port", 0},
        {"two fields", "1:h", NULL, "is no [BIND:]PORT", 0},
        {"five fields", "a:1:h:2:3", NULL, "is no [BIND:]PORT", 0},
        {"empty", "", NULL, "local port", 0},
        {"an option as host", "1:-oProxyCommand=x:2", NULL, "names no host", 0},
        {"no host", "1::2", NULL, "names no host", 0},
        {"a blank in the host", "1:a b:2", NULL, "names no host", 0},
        {"a bracket that is not closed", "1:[::1:2", NULL, "is no [BIND:]PORT", 0},
        {"a sign", "+1:h:2", NULL, "local port", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct leg leg = {.ssh_option_count = 0};
        const char *warning;
        CHECK_PROBLEM(rows[i].what, leg_add_forward(&leg, rows[i].spec, &warning), rows[i].problem);
        CHECK(rows[i].what, leg.forward_count == rows[i].count);
        if (rows[i].first != NULL) {
            char *text = sshargs_forward(&leg.forwards[0]);
            CHECK_TEXT(rows[i].what, text, rows[i].first);
            free(text);
        }
        leg_release(&leg);
    }
}

static void forwards_that_collide(void **state)
{
    static const struct {
        const char *what, *first, *second;
        bool taken;
    } rows[] = {
        {"the same port", "1:h:2", "1:i:3", false},
        {"another port", "1:h:2", "2:h:2", true},
        {"localhost is 127.0.0.1", "1:h:2", "localhost:1:h:2", false},
        {"every address", "1:h:2", "*:1:h:2", false},
        {"IPv6 next to IPv4", "1:h:2", "[::1]:1:h:2", true},
        {"another loopback address", "127.0.0.2:1:h:2", "1:h:2", true},
        {"0.0.0.0 holds 127.0.0.1", "0.0.0.0:1:h:2", "1:h:2", false},
        {"within a range", "1-9", "5:h:1", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct leg leg = {.ssh_option_count = 0};
        const char *warning;
        CHECK_PROBLEM(rows[i].what, leg_add_forward(&leg, rows[i].first, &warning), NULL);
        size_t before = leg.forward_count;
        CHECK_PROBLEM(rows[i].what, leg_add_forward(&leg, rows[i].second, &warning),
                      rows[i].taken ? NULL : "local port");
        CHECK("a refused forward leaves nothing", rows[i].taken || leg.forward_count == before);
        leg_release(&leg);
    }
}

static void loopback_only(void **state)
{
    static const struct {
        const char *spec;
        bool warns;
    } rows[] = {{"1:h:2", false},           {"127.9.9.9:1:h:2", false}, {"[::1]:1:h:2", false},
                {"localhost:1:h:2", false}, {"*:1:h:2", true},          {"0.0.0.0:1:h:2", true},
                {"192.0.2.1:1:h:2", true}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct leg leg = {.ssh_option_count = 0};
        const char *warning;
        CHECK_PROBLEM(rows[i].spec, leg_add_forward(&leg, rows[i].spec, &warning), NULL);
        CHECK(rows[i].spec, (warning != NULL) == rows[i].warns);
        leg_release(&leg);
    }
}

static void destinations(void **state)
{
    static const struct {
        const char *to, *name, *problem;
    } rows[] = {
        {"root@ssh2.vast.ai", "ssh2.vast.ai", NULL},
        {"far", "far", NULL},
        {"ssh://u@h:22", "ssh://u@h:22", NULL},
        {"ssh://u@a-host-whose-name-is-so-long-that-the-url-does-not-fit.example.com:22",
         "a-host-whose-name-is-so-long-that-the-url-does-not-fit.example.c", NULL},
        {"::1", "1", NULL},
        {"a@b@c", "c", NULL},
        {"", NULL, "is no [USER@]HOST"},
        {"-oProxyCommand=x", NULL, "is no [USER@]HOST"},
        {"u@-oProxyCommand=x", NULL, "is no [USER@]HOST"},
        {"-l@h", NULL, "names no user"},
        {"@h", NULL, "names no user"},
        {"h;id", NULL, "is no [USER@]HOST"},
        {"u`id`@h", NULL, "a character that a shell"},
        {"h h", NULL, "is no [USER@]HOST"},
        {"h:22", "h22", NULL}, /* it may be an alias; ssh decides */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct leg leg = {.ssh_option_count = 0};
        CHECK_PROBLEM(rows[i].to, leg_set_to(&leg, rows[i].to), rows[i].problem);
        if (rows[i].name != NULL) {
            leg_name_from_host(&leg);
            CHECK_TEXT(rows[i].to, leg.name, rows[i].name);
        }
        leg_release(&leg);
    }
}

static void whose_login(void **state)
{
    static const struct {
        const char *what, *to, *login, *named, *problem;
    } rows[] = {
        {"no user", "h.example", "pfwd", "pfwd@h.example", NULL},
        {"another user", "root@h.example", "pfwd", "pfwd@h.example", NULL},
        {"a URL without a user", "ssh://h.example:2222", "pfwd", "ssh://pfwd@h.example:2222", NULL},
        {"a URL with a user", "ssh://root@h.example", "pfwd", "ssh://pfwd@h.example", NULL},
        {"a user with an at", "a@b@h.example", "pfwd", "pfwd@h.example", NULL},
        {"an option as login", "h.example", "-oProxyCommand=x", NULL, "names no user"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct leg leg = {.ssh_option_count = 0};
        assert_null(leg_set_to(&leg, rows[i].to));
        CHECK_PROBLEM(rows[i].what, leg_set_login(&leg, rows[i].login), rows[i].problem);
        if (rows[i].named != NULL)
            CHECK_TEXT(rows[i].what, leg.to, rows[i].named);
        leg_release(&leg);
    }
}

static void probes_and_pins(void **state)
{
    static const char good_pin[] = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    struct leg leg = {.ssh_option_count = 0};
    (void)state;
    CHECK_PROBLEM("http", leg_set_probe(&leg, "http:/v1/models"), NULL);
    CHECK_TEXT("the path", leg.probe_path, "/v1/models");
    CHECK_PROBLEM("none", leg_set_probe(&leg, "none"), NULL);
    CHECK_PROBLEM("tcp", leg_set_probe(&leg, "tcp"), NULL);
    CHECK_PROBLEM("no path", leg_set_probe(&leg, "http:"), "neither tcp");
    CHECK_PROBLEM("a host", leg_set_probe(&leg, "http:/ x"), "with a blank");
    CHECK_PROBLEM("a header", leg_set_probe(&leg, "http:/\r\nX: y"), "with a blank");
    CHECK_PROBLEM("a pin", leg_set_host_key(&leg, good_pin), NULL);
    CHECK_PROBLEM("a character more",
                  leg_set_host_key(&leg, "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                                         "AAAAAAAAAAAA"),
                  "is no SHA256");
    CHECK_PROBLEM("padded",
                  leg_set_host_key(&leg, "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
                  "is no SHA256");
    CHECK_PROBLEM("MD5", leg_set_host_key(&leg, "MD5:00"), "is no SHA256");
    leg_release(&leg);
}

/* As OpenSSH 9.2 prints them. */
static void messages_of_ssh(void **state)
{
    static const struct {
        const char *line;
        enum ssh_message message;
    } rows[] = {
        {"Authenticated to 127.0.0.1 ([127.0.0.1]:22) using \"publickey\".",
         SSH_MESSAGE_AUTHENTICATED},
        {"channel 1: open failed: connect failed: Connection refused", SSH_MESSAGE_SERVICE_DOWN},
        {"channel 2: open failed: administratively prohibited: open failed", SSH_MESSAGE_FORBIDDEN},
        {"root@h: Permission denied (publickey,password).", SSH_MESSAGE_AUTH},
        {"Received disconnect from 192.0.2.1 port 22:2: Too many authentication failures",
         SSH_MESSAGE_AUTH},
        {"Permissions 0644 for '/a' are too open.", SSH_MESSAGE_KEY_UNUSABLE},
        {"Load key \"/a\": error in libcrypto", SSH_MESSAGE_KEY_UNUSABLE},
        {"SHA256:J5xEaBBNg0pZ2gBWgNZOmxz9LQk3WC7qaHy1HYqNT50.", SSH_MESSAGE_SHOWN_KEY},
        {"Offending ED25519 key in /a:1", SSH_MESSAGE_OFFENDING_KEY},
        {"bind [127.0.0.1]:22995: Address already in use", SSH_MESSAGE_LOCAL_PORT},
        {"bind [192.0.2.1]:1: Cannot assign requested address", SSH_MESSAGE_LOCAL_PORT},
        {"Could not request local forwarding.", SSH_MESSAGE_LOCAL_PORT},
        {"Error: remote port forwarding failed for listen port 20001", SSH_MESSAGE_REMOTE_PORT},
        {"No ED25519 host key is known for [h]:22 and you have requested strict checking.",
         SSH_MESSAGE_HOST_KEY_UNKNOWN},
        {"@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
         SSH_MESSAGE_HOST_KEY_CHANGED},
        {"ssh: connect to host h port 22: Connection refused", SSH_MESSAGE_REFUSED},
        {"ssh: connect to host h port 22: Connection timed out", SSH_MESSAGE_TIMEOUT},
        {"ssh: connect to host h port 22: No route to host", SSH_MESSAGE_UNREACHABLE},
        {"ssh: connect to host h port 22: Network is unreachable", SSH_MESSAGE_UNREACHABLE},
        {"ssh: Could not resolve hostname nosuch.invalid: Name or service not known",
         SSH_MESSAGE_NO_ADDRESS},
        {"Connection timed out during banner exchange", SSH_MESSAGE_TIMEOUT},
        {"Timeout, server h not responding.", SSH_MESSAGE_TIMEOUT},
        {"kex_exchange_identification: Connection closed by remote host", SSH_MESSAGE_BUSY},
        {"kex_exchange_identification: read: Connection reset by peer", SSH_MESSAGE_BUSY},
        {"Connection to h closed by remote host.", SSH_MESSAGE_CLOSED},
        {"Connection reset by 192.0.2.1 port 22", SSH_MESSAGE_CLOSED},
        {"client_loop: send disconnect: Broken pipe", SSH_MESSAGE_CLOSED},
        {"command-line: line 0: Bad configuration option: foo", SSH_MESSAGE_USAGE},
        {"Transferred: sent 3428, received 3180 bytes, in 0.5 seconds", SSH_MESSAGE_UNKNOWN},
        {"a banner that says Permission denied", SSH_MESSAGE_UNKNOWN},
        {"", SSH_MESSAGE_UNKNOWN},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(rows[i].line, sshmessage_parse(rows[i].line) == rows[i].message);
}

static void failures_to_learn_a_host_key(void **state)
{
    (void)state;
    CHECK("refused", hostkey_failure("cannot learn the host key: ssh: connect to host h port 22: "
                                     "Connection refused") == SSH_MESSAGE_REFUSED);
    CHECK("timed out", hostkey_failure("cannot learn the host key: Connection timed out during "
                                       "banner exchange") == SSH_MESSAGE_TIMEOUT);
    CHECK("a colon at its end",
          hostkey_failure("cannot learn the host key: odd:") == SSH_MESSAGE_UNKNOWN);
    CHECK("nothing was said",
          hostkey_failure("cannot learn the host key: ") == SSH_MESSAGE_UNKNOWN);
    CHECK("another sentence", hostkey_failure("out of time:") == SSH_MESSAGE_UNKNOWN);
}

static void waits(void **state)
{
    const struct settings *s = &settings_default;
    struct backoff b = {0};
    (void)state;
    for (uint32_t i = 0; i < 100000; i += 97)
        CHECK("silence waits less than 3 s, for ever",
              backoff_next(&b, BACKOFF_SILENCE, s, i * 2654435761u) < 3000);
    CHECK("the first refusal is quick", backoff_next(&b, BACKOFF_REFUSED, s, UINT32_MAX) <= 2000);
    int64_t last_ms = 1000;
    for (int i = 0; i < 50; i++) {
        int64_t wait_ms = backoff_next(&b, BACKOFF_REFUSED, s, UINT32_MAX - (uint32_t)i * 7919u);
        CHECK("a second at least", wait_ms >= 1000);
        CHECK("at most three times the last, and a minute",
              wait_ms <= 3 * last_ms && wait_ms <= 60000);
        last_ms = wait_ms;
    }
    CHECK("a minute", backoff_next(&b, BACKOFF_AUTH, s, 0) == 60000);
    CHECK("doubled", backoff_next(&b, BACKOFF_AUTH, s, 0) == 120000);
    for (int i = 0; i < 10; i++)
        (void)backoff_next(&b, BACKOFF_AUTH, s, 0);
    CHECK("a quarter of an hour", backoff_next(&b, BACKOFF_AUTH, s, 0) == 900000);
    CHECK("and a fifth by chance", backoff_next(&b, BACKOFF_AUTH, s, 180000) == 900000 + 180000);
    backoff_reset(&b);
    CHECK("forgotten", backoff_next(&b, BACKOFF_AUTH, s, 0) == 60000);
}

static void settings_of_a_file(void **state)
{
    struct settings s = settings_default;
    bool known;
    (void)state;
    CHECK_PROBLEM("good", settings_set(&s, "probeinterval", "1m", &known), NULL);
    CHECK("set", known && s.probe_interval_ms == 60000);
    CHECK_PROBLEM("in seconds", settings_set(&s, "ConnectTimeout", "9s", &known), NULL);
    CHECK("set", s.connect_timeout_s == 9);
    CHECK_PROBLEM("too long", settings_set(&s, "RetryMax", "25h", &known), "of a day");
    CHECK_PROBLEM("unknown", settings_set(&s, "Nothing", "1s", &known), NULL);
    CHECK("unknown", !known);
}

/* What is written is what was meant, as the reader of the file sees it. */
static void a_leg_as_text(void **state)
{
    static const char *const specs[] = {"8009-8011:127.0.0.1:8009-8011", "10080:127.0.0.1:80",
                                        "[::1]:9:[fe80::1]:9", "*:10:db:10"};
    struct leg leg = {.name = "alice@home"};
    struct tunnels_conf conf;
    struct buf text = {0};
    char why[TUNNELS_CONF_WHY_BYTES], *dir = temp_dir_make(), *path = path_in(dir, "tunnels.conf");
    const char *warning;
    (void)state;
    write_text(path, "");
    assert_null(leg_set_to(&leg, "pfwd@gw.example.com"));
    assert_null(leg_add_ssh_option(&leg, "-p", "2222"));
    assert_null(leg_add_ssh_option(&leg, "-i", path));
    assert_null(leg_add_ssh_option(&leg, "-o", "Compression=yes # no comment"));
    assert_null(leg_set_host_key(&leg, "SHA256:0123456789012345678901234567890123456789012"));
    for (size_t i = 0; i < COUNT(specs); i++)
        assert_null(leg_add_forward(&leg, specs[i], &warning));
    assert_int_equal(leg_range_from(&leg, 0), 3);
    assert_int_equal(leg_range_from(&leg, 2), 1);
    assert_null(leg_text_add(&leg, &text));
    char *file = path_in(dir, "written");
    write_text(file, buf_text(&text));
    if (tunnels_conf_read(file, &conf, why) != 0)
        fail_msg("%s:\n%s", why, text.data);
    assert_int_equal(conf.leg_count, 1);
    CHECK_TEXT("name", conf.legs[0].name, leg.name);
    assert_int_equal(conf.legs[0].forward_count, 6);
    assert_int_equal(conf.legs[0].forwards[2].port, 8011);
    CHECK_TEXT("bind", conf.legs[0].forwards[4].bind, "::1");
    assert_true(leg_leads_alike(&conf.legs[0], &leg));
    leg.forwards[5].port = 11;
    assert_true(leg_leads_alike(&conf.legs[0], &leg));
    leg.forwards[5].host_port = 11;
    assert_false(leg_leads_alike(&conf.legs[0], &leg));
    assert_null(leg_add_ssh_option(&leg, "-o", "ProxyCommand=\"x\""));
    assert_non_null(leg_text_add(&leg, &text));
    tunnels_conf_release(&conf);
    leg_release(&leg);
    buf_release(&text);
    free(file);
    free(path);
    temp_dir_remove(dir);
}

static void whom_to_join(void **state)
{
    static const struct {
        const char *text, *to, *port, *problem;
    } rows[] = {
        {"gw.example.com", "gw.example.com", "", NULL},
        {"join@gw.example.com:2222", "join@gw.example.com", "2222", NULL},
        {"[::1]", "::1", "", NULL},
        {"me@[fe80::1]:22", "me@fe80::1", "22", NULL},
        {"fe80::1", "fe80::1", "", NULL},
        {"gw:", NULL, NULL, "port"},
        {"gw:0", NULL, NULL, "port"},
        {"gw:65536", NULL, NULL, "port"},
        {"gw:22x", NULL, NULL, "port"},
        {"[::1]x", NULL, NULL, "is no"},
        {"[::1", NULL, NULL, "is no"},
        {"", NULL, NULL, "is no"},
        {"@gw", NULL, NULL, "no user"},
        {"-oProxyCommand=id", NULL, NULL, "is no"},
        {"me@-gw", NULL, NULL, "is no"},
        {"-x@gw", NULL, NULL, "no user"},
        {"$(id)@gw", NULL, NULL, "shell"},
        {"gw;id", NULL, NULL, "is no"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct join_words w = {.port = ""};
        CHECK_PROBLEM(rows[i].text, join_words_set_to(&w, rows[i].text), rows[i].problem);
        if (rows[i].problem != NULL)
            continue;
        CHECK_TEXT(rows[i].text, w.to, rows[i].to);
        CHECK_TEXT(rows[i].text, w.port, rows[i].port);
    }
    struct join_words twice = {.port = "22"};
    CHECK_PROBLEM("a second port", join_words_set_to(&twice, "gw:22"), "-p names one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forwards),        cmocka_unit_test(a_leg_as_text),
        cmocka_unit_test(whom_to_join),    cmocka_unit_test(forwards_that_collide),
        cmocka_unit_test(loopback_only),   cmocka_unit_test(destinations),
        cmocka_unit_test(whose_login),     cmocka_unit_test(probes_and_pins),
        cmocka_unit_test(messages_of_ssh), cmocka_unit_test(failures_to_learn_a_host_key),
        cmocka_unit_test(waits),           cmocka_unit_test(settings_of_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
