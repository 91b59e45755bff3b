/* SPDX-License-Identifier: ISC */
/* What somebody is told who has joined: the text for people, and the lease as JSON. */
#include "lib/handout/handout.h"
#include "lib/handout/lease_json.h"
#include "lib/handout/opened_agents.h"

#include "lib/base/buf.h"
#include "lib/conf/conf.h"
#include "lib/wire/control.h"
#include "lib/wire/join.h"
#include "lib/wire/register.h"
#include "tests/unit/helpers.h"

#include <bsd/string.h>
#include <jansson.h>

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFwB5mkFi/rj0hTa0BW+CDOnLjGGtENqi0c6XnUmwgT8"

struct case_of {
    struct conf conf;
    struct lease lease;
    struct opened_agents agents;
    struct lease_key key;
};

static void make_case(struct case_of *c)
{
    memset(c, 0, sizeof(*c));
    c->conf.public_port = 22;
    (void)strlcpy(c->conf.public_host, "gateway.example.com", sizeof(c->conf.public_host));
    c->lease.id = 17;
    c->lease.expires_s = 1795802400;
    (void)strlcpy(c->lease.name, "alice", sizeof(c->lease.name));
    (void)strlcpy(c->lease.login, "pfwd", sizeof(c->lease.login));
    assert_null(pubkey_parse_file(KEY, strlen(KEY), &c->key.pub));
    assert_int_equal(lease_add_key(&c->lease, &c->key), 0);
}

static void permit(struct permit_list *list, const char *text, enum permit_form form)
{
    struct permit p;
    assert_null(permit_parse(text, form, &p));
    assert_null(permit_list_add(list, &p));
}

static void text_of_joined(struct case_of *c, struct buf *out)
{
    handout_add_joined(&c->conf, &c->lease, &c->agents, &c->key.pub, out);
    assert_non_null(buf_text(out));
}

#define OPTIONS                                                                                    \
    "-S none -o ControlPersist=no -o ExitOnForwardFailure=yes -o ServerAliveInterval=15 -o "       \
    "ServerAliveCountMax=3 -o ClearAllForwardings=no"

static void text_for_people(void **state)
{
    static struct case_of c;
    struct buf out = {0}, want = {0};
    (void)state;
    make_case(&c);
    permit(&c.lease.open, "127.0.0.1:8009", PERMIT_RANGE);
    permit(&c.lease.open, "127.0.0.1:9000-9001", PERMIT_RANGE);
    text_of_joined(&c, &out);
    buf_addf(&want,
             "joined as 'alice' with your key ssh-ed25519 %s until 2026-11-27 18:00 UTC\n"
             "Now, with the same key (where ssh does not find it by itself, add -i FILE):\n\n"
             "  ssh -N -T " OPTIONS " -L 8009:127.0.0.1:8009 -L 9000:127.0.0.1:9000"
             " -L 9001:127.0.0.1:9001 pfwd@gateway.example.com\n\n"
             "login      pfwd\n"
             "host       gateway.example.com\n"
             "port       22\n"
             "forward    -L 8009:127.0.0.1:8009\n"
             "forward    -L of each port, 9000 to 9001: 127.0.0.1:9000-9001\n"
             "then use   http://127.0.0.1:8009/\n"
             "then use   http://127.0.0.1:9000/ to :9001/\n",
             c.key.pub.fingerprint);
    CHECK_TEXT("a friend's", buf_text(&out), buf_text(&want));
    buf_release(&out);
    buf_release(&want);
    lease_release(&c.lease);
}

static void text_of_who_listens(void **state)
{
    static struct case_of c;
    struct buf out = {0};
    (void)state;
    make_case(&c);
    c.conf.public_port = 2222;
    permit(&c.lease.listen, "127.0.0.1:20001", PERMIT_PORT);
    text_of_joined(&c, &out);
    CHECK("its line", strstr(out.data, " -p 2222 -R 127.0.0.1:20001:127.0.0.1:22 pfwd@gateway"));
    CHECK("its fields",
          strstr(out.data, "port       2222\nforward    -R 127.0.0.1:20001:127.0.0.1:22\n"));
    CHECK("one session", strstr(out.data, "sessions   one at a time"));
    CHECK("nothing for the admin", strstr(out.data, "leasectl") == NULL);
    buf_release(&out);
    lease_release(&c.lease);
}

static void text_of_who_jumps(void **state)
{
    static struct case_of c;
    struct buf out = {0};
    (void)state;
    make_case(&c);
    text_of_joined(&c, &out);
    CHECK("no jump, and nothing of one", strstr(out.data, "to jump") == NULL);
    buf_clear(&out);
    struct opened_agent *a = &c.agents.items[c.agents.count++];
    a->is_sshd = true;
    a->permit = (struct permit){.host = "127.0.0.1", .low = 20000, .high = 20000};
    (void)strlcpy(a->name, "db1", sizeof(a->name));
    (void)strlcpy(a->user, "li", sizeof(a->user));
    text_of_joined(&c, &out);
    CHECK("its line",
          strstr(out.data, "\n\n  ssh -J pfwd@gateway.example.com -p 20000 li@localhost\n\n"));
    CHECK("and for a key in a file",
          strstr(out.data,
                 "-i FILE    but to jump with it, since -J gives -i to the last hop alone:\n"
                 "           ssh -o IdentitiesOnly=yes -i FILE -o \"ProxyCommand=ssh -o "
                 "IdentitiesOnly=yes -i FILE -W localhost:20000 pfwd@gateway.example.com\" "
                 "-p 20000 li@localhost\n"));
    buf_clear(&out);
    c.conf.public_port = 2222;
    text_of_joined(&c, &out);
    CHECK("a gateway on another port",
          strstr(out.data, "  ssh -J pfwd@gateway.example.com:2222 -p 20000 li@localhost\n"));
    CHECK("and for a key in a file", strstr(out.data, " -W localhost:20000 -p 2222 pfwd@gateway"));
    buf_release(&out);
    lease_release(&c.lease);
}

/* Ranges of ports make a line that is longer than a packet: the answer must still get through. */
static void text_of_very_many_ports(void **state)
{
    static struct case_of c;
    struct buf out = {0}, body = {0};
    struct join_answer a;
    (void)state;
    make_case(&c);
    for (unsigned i = 0; i < 16; i++) {
        char range[PERMIT_TEXT_BYTES];
        (void)snprintf(range, sizeof(range), "a-host-with-a-long-name-%u.example.com:8000-8063",
                       i + 1);
        permit(&c.lease.open, range, PERMIT_RANGE);
    }
    text_of_joined(&c, &out);
    CHECK("no line", strstr(out.data, "ssh -N") == NULL && strstr(out.data, "too long to be"));
    CHECK("what it opens",
          strstr(out.data, "forward    to a-host-with-a-long-name-16.example.com:8000-8063\n"));
    CHECK("joined", strncmp(out.data, "joined as 'alice' with", 22) == 0);
    CHECK("formatted", join_answer_format(0, out.data, &body) == 0);
    CHECK_PROBLEM("it gets through", join_answer_parse(body.data, body.len, &a), NULL);
    join_answer_release(&a);
    buf_release(&out);
    buf_release(&body);
    lease_release(&c.lease);
}

static void json_of_a_friend(void **state)
{
    static struct case_of c;
    static struct control_site site;
    struct buf out = {0};
    (void)state;
    make_case(&c);
    memset(&site, 0, sizeof(site));
    (void)strlcpy(site.host_keys[0], KEY, sizeof(site.host_keys[0]));
    permit(&c.lease.open, "127.0.0.1:8009", PERMIT_RANGE);
    struct lease_json j = {.conf = &c.conf,
                           .lease = &c.lease,
                           .agents = &c.agents,
                           .site = &site,
                           .connect_max = 1000};
    CHECK("added", lease_json_add(&j, 1795802000, &out) == 0);
    json_t *root = json_loads(out.data, JSON_REJECT_DUPLICATES, NULL);
    CHECK_TEXT("name", json_string_value(json_object_get(root, "name")), "alice");
    CHECK_TEXT("state", json_string_value(json_object_get(root, "state")), "active");
    CHECK_TEXT("host", json_string_value(json_object_get(root, "host")), "gateway.example.com");
    CHECK("port", json_integer_value(json_object_get(root, "port")) == 22);
    CHECK_TEXT("host key", json_string_value(json_array_get(json_object_get(root, "host_keys"), 0)),
               KEY);
    CHECK("no agent", json_object_get(root, "agent") == NULL);
    CHECK("connect",
          strncmp(json_string_value(json_object_get(root, "connect")), "ssh -N", 6) == 0);
    json_decref(root);
    buf_clear(&out);
    j.connect_max = 10;
    CHECK("added", lease_json_add(&j, 1795802000, &out) == 0);
    CHECK("too long a line", strstr(out.data, "\"connect\":\"\"") != NULL);
    buf_release(&out);
    lease_release(&c.lease);
}

/* tunnel-agent parses the member as it parses the answer to a register. */
static void json_of_an_agent(void **state)
{
    static struct case_of c;
    static struct control_site site;
    static struct control_answer answer;
    struct register_answer got;
    struct buf out = {0};
    (void)state;
    make_case(&c);
    memset(&site, 0, sizeof(site));
    (void)strlcpy(site.ssh_user, "gw-tunnel", sizeof(site.ssh_user));
    (void)strlcpy(site.host_keys[0], KEY, sizeof(site.host_keys[0]));
    answer = (struct control_answer){.action = CONTROL_REGISTER, .port_b = 20001};
    (void)strlcpy(answer.agent_id, "db1", sizeof(answer.agent_id));
    (void)strlcpy(answer.secret, "very-secret", sizeof(answer.secret));
    permit(&c.lease.listen, "127.0.0.1:20001", PERMIT_PORT);
    const struct lease_json j = {.conf = &c.conf,
                                 .lease = &c.lease,
                                 .agents = &c.agents,
                                 .site = &site,
                                 .agent = &answer,
                                 .connect_max = 1000};
    CHECK("added", lease_json_add(&j, 1795802000, &out) == 0);
    json_t *root = json_loads(out.data, JSON_REJECT_DUPLICATES, NULL);
    char *member = json_dumps(json_object_get(root, "agent"), 0);
    CHECK_PROBLEM("parsed", register_answer_parse(member, strlen(member), &got), NULL);
    CHECK_TEXT("secret", got.agent_secret, "very-secret");
    CHECK("port", got.port_b == 20001 && got.host_key_count == 1);
    register_answer_release(&got);
    free(member);
    json_decref(root);
    buf_release(&out);
    lease_release(&c.lease);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_for_people),   cmocka_unit_test(text_of_who_listens),
        cmocka_unit_test(text_of_who_jumps), cmocka_unit_test(text_of_very_many_ports),
        cmocka_unit_test(json_of_a_friend),  cmocka_unit_test(json_of_an_agent),
    };
    (void)setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
