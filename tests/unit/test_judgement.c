/* SPDX-License-Identifier: ISC */
/* What pam_tunnel parses: its arguments in the PAM stack, and the line of akc --check. */
#include "pam_tunnel/helper.h"

#include "tests/unit/helpers.h"

#include <bsd/string.h>

/* ---- arguments ---- */

static struct module_args parse(const char *const words[])
{
    const char *argv[8];
    struct module_args args;
    int argc = 0;
    for (; words[argc] != NULL; argc++)
        argv[argc] = words[argc];
    module_args_parse(argc, argv, &args);
    return args;
}

static void defaults(void **state)
{
    struct module_args args = parse((const char *const[]){NULL});
    (void)state;
    assert_null(args.conf_file);
    CHECK_TEXT("group", args.group, "_tunnel");
    CHECK_TEXT("service", args.service, "sshd");
    CHECK_TEXT("akc", args.akc, TUNLEASE_LIBEXECDIR "/tunlease/akc");
    CHECK_TEXT("akc_user", args.akc_user, "_tunlease-akc");
    assert_false(args.debug);
    assert_true(args.end_refused);
    assert_null(args.bad);
}

static void all_given(void **state)
{
    struct module_args args = parse((const char *const[]){
        "conf=/c", "group=g", "service=s", "akc=/a", "akc_user=u", "debug", "end=no", NULL});
    (void)state;
    CHECK_TEXT("conf", args.conf_file, "/c");
    CHECK_TEXT("group", args.group, "g");
    CHECK_TEXT("service", args.service, "s");
    CHECK_TEXT("akc", args.akc, "/a");
    CHECK_TEXT("akc_user", args.akc_user, "u");
    assert_true(args.debug);
    assert_false(args.end_refused);
    assert_null(args.bad);
    assert_true(parse((const char *const[]){"end=no", "end=yes", NULL}).end_refused);
    CHECK_TEXT("the last one", parse((const char *const[]){"group=a", "group=b", NULL}).group, "b");
    CHECK_TEXT("up to the first =", parse((const char *const[]){"akc=/a=b", NULL}).akc, "/a=b");
}

static void unknown(void **state)
{
    static const char *const words[] = {
        "",      "x",    "group",     "group=",   "Group=a",   "grou=a",  "groups=a",       "=a",
        "end",   "end=", "end=maybe", "end=NO",   "debug=yes", "Debug",   "debugs",         "akc=",
        "conf=", "conf", "akcuser=a", "service=", "akc_user=", "no_warn", "use_first_pass",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(words); i++) {
        struct module_args args = parse((const char *const[]){"debug", words[i], "other", NULL});
        CHECK_TEXT("the first that is unknown", args.bad, words[i]);
        CHECK(words[i], args.end_refused && strcmp(args.group, "_tunnel") == 0);
    }
}

/* ---- akc --check's line ---- */

#define LINE                                                                                       \
    "lease_id=17 name=alice listen=1 max_sessions=2 expires_s=1795802400 fp=SHA256:abc "           \
    "open_permits=127.0.0.1:8009,[::1]:8009 listen_permits="

static int read_line(struct judgement *j, const char *text)
{
    (void)strlcpy(j->text, text, sizeof(j->text));
    return judgement_parse(j);
}

static void good_line(void **state)
{
    static struct judgement j;
    (void)state;
    assert_int_equal(read_line(&j, LINE "\n"), 0);
    assert_int_equal(j.lease_id, 17);
    CHECK_TEXT("name", j.name, "alice");
    assert_true(j.listens);
    assert_int_equal(j.max_sessions, 2);
    CHECK_TEXT("fp", j.fingerprint, "SHA256:abc");
    CHECK_TEXT("open", j.opens, "127.0.0.1:8009,[::1]:8009");
    CHECK_TEXT("listen", j.listens_on, "");

    /* A line of an earlier akc, one of a later akc, and the largest numbers; no value of the line
     * before remains. */
    assert_int_equal(read_line(&j, "lease_id=9223372036854775807 name=b fp=f\n"), 0);
    assert_int_equal(j.lease_id, INT64_MAX);
    assert_false(j.listens);
    assert_int_equal(j.max_sessions, 0);
    assert_null(j.opens);
    assert_null(j.listens_on);
    assert_int_equal(read_line(&j, "lease_id=-9223372036854775807 name=b fp=f\n"), 0);
    assert_int_equal(j.lease_id, -INT64_MAX);
    assert_int_equal(read_line(&j, "colour=blue lease_id=1 name=b fp=f weight=\n"), 0);
    assert_int_equal(read_line(&j, "lease_id=1 name=b fp=f max_sessions=2147483647\n"), 0);
    assert_int_equal(j.max_sessions, INT32_MAX);
}

static void bad_lines(void **state)
{
    static const char *const rows[] = {
        "",
        "\n",
        LINE,                /* cut off: the rest could have restricted it */
        LINE "\n" LINE "\n", /* two leases */
        LINE "\n\n",
        "\n" LINE "\n",
        "name=alice fp=f\n",
        "lease_id=1 fp=f\n",
        "lease_id=1 name=alice\n",
        "lease_id=0 name=a fp=f\n",
        "lease_id=-0 name=a fp=f\n",
        "lease_id=--1 name=a fp=f\n",
        "lease_id=- name=a fp=f\n",
        "lease_id=+1 name=a fp=f\n",
        "lease_id= name=a fp=f\n",
        "lease_id=1x name=a fp=f\n",
        "lease_id=0x1 name=a fp=f\n",
        "lease_id=9223372036854775808 name=a fp=f\n",
        "lease_id=1 name=a fp=f listen=\n",
        "lease_id=1 name=a fp=f listen=yes\n",
        "lease_id=1 name=a fp=f listen=-1\n",
        "lease_id=1 name=a fp=f max_sessions=-1\n",
        "lease_id=1 name=a fp=f max_sessions=4294967296\n",
        "lease_id=1 name=a fp=f max_sessions=none\n",
        "lease_id=1 name=a b fp=f\n",
        "lease_id=1  name=a fp=f\n",
        " lease_id=1 name=a fp=f\n",
        "lease_id=1 name=a fp=f \n",
        "lease_id=1\tname=a fp=f\n",
        "restrict,port-forwarding ssh-ed25519 AAAA alice\n",
        "usage: akc [-c FILE] LOGIN\n",
    };
    static struct judgement j;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(rows[i], read_line(&j, rows[i]) == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),  cmocka_unit_test(all_given), cmocka_unit_test(unknown),
        cmocka_unit_test(good_line), cmocka_unit_test(bad_lines),
    };
    return cmocka_run_group_tests_name("judgement", tests, NULL, NULL);
}
