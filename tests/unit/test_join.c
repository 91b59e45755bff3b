/* SPDX-License-Identifier: ISC */
/* join: what a client may send as its command, the file with its key, and the answer of leased. */
#include "join/command.h"
#include "join/exchange.h"
#include "join/http_answer.h"
#include "join/key_file.h"

#include "tests/unit/helpers.h"

#include <sys/socket.h>
#include <sys/un.h>

#define CODE "KQ7P-3XMA-9TRE-WZ2H"
#define X16 "XXXXXXXXXXXXXXXX"
#define LINE                                                                                       \
    "publickey ssh-ed25519 "                                                                       \
    "AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH\n"

static void commands(void **state)
{
    static const struct {
        const char *what, *text, *problem, *code;
        bool json;
    } rows[] = {
        {"no command", NULL, NULL, "", false},
        {"an empty one", "", NULL, "", false},
        {"blanks alone", " \t\n", NULL, "", false},
        {"a code", CODE, NULL, CODE, false},
        {"blanks around it", "  " CODE "\n", NULL, CODE, false},
        {"lower case", "kq7p3xma9trewz2h", NULL, "kq7p3xma9trewz2h", false},
        {"with --json", CODE " --json", NULL, CODE, true},
        {"--json first", "--json " CODE, NULL, CODE, true},
        {"--json alone", "--json", NULL, "", true},
        {"--json=lease", CODE " --json=lease", NULL, CODE, true},
        {"--json twice, once with a value", CODE " --json --json=lease", "more words", NULL, false},
        {"--json of something else", "--json=agent", NULL, "-", false},
        {"64 bytes", X16 X16 X16 X16, NULL, X16 X16 X16 X16, false},
        {"65 bytes", X16 X16 X16 X16 "X", "64 bytes", NULL, false},
        {"65 bytes, blanks among them", CODE "                                              ",
         "64 bytes", NULL, false},
        {"two codes", CODE " " CODE, "more words", NULL, false},
        {"two --json", CODE " --json --json", "more words", NULL, false},
        {"a word more", CODE " --json x", "more words", NULL, false},
        {"a line more", CODE "\nid", "more words", NULL, false},
        {"another option is a wrong code", "--JSON", NULL, "--JSON", false},
        {"a shell's metacharacter", CODE ";id", NULL, "-", false},
        {"$()", "$(id)", NULL, "-", false},
        {"a quote", "\"" CODE "\"", NULL, "-", false},
        {"a slash", "../../etc/passwd", NULL, "-", false},
        {"an escape", "\033[2J" CODE, NULL, "-", false},
        {"a letter of UTF-8", "K\xc3\x96", NULL, "-", false},
        {"no UTF-8", "\xff", NULL, "-", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct command c = {.code = "before", .json = true};
        const char *problem = command_parse(rows[i].text, &c);
        CHECK_PROBLEM(rows[i].what, problem, rows[i].problem);
        CHECK_TEXT(rows[i].what, c.code, problem == NULL ? rows[i].code : "before");
        CHECK(rows[i].what, problem != NULL || c.json == rows[i].json);
        CHECK(rows[i].what,
              problem != NULL ||
                  c.lease_only == (rows[i].text != NULL && strstr(rows[i].text, "=lease") != NULL));
    }
}

static void lines(void **state)
{
    static const struct {
        const char *what, *line;
        size_t len;
        const char *problem, *code;
    } rows[] = {
        {"a code", CODE, sizeof(CODE) - 1, NULL, CODE},
        {"blanks around it", " " CODE " ", sizeof(CODE) + 1, NULL, CODE},
        {"nothing", "", 0, "no code", NULL},
        {"a blank", " ", 1, "no code", NULL},
        {"an option", "--json", 6, "only a code", NULL},
        {"an option after it", CODE " --json", sizeof(CODE) + 6, "only a code", NULL},
        {"two words", "a b", 3, "more words", NULL},
        {"65 bytes", X16 X16 X16 X16 "X", 65, "64 bytes", NULL},
        {"a NUL in it", CODE "\0x", sizeof(CODE) + 1, NULL, "-"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char code[JOIN_CODE_MAX + 1] = "before";
        const char *problem = command_parse_line(rows[i].line, rows[i].len, code);
        CHECK_PROBLEM(rows[i].what, problem, rows[i].problem);
        CHECK_TEXT(rows[i].what, code, problem == NULL ? rows[i].code : "before");
    }
}

/* ---- the file with the key ---- */

static char path[64];

static void write_key_file(const char *text, size_t len, mode_t mode)
{
    (void)snprintf(path, sizeof(path), "/tmp/test_join.XXXXXX");
    int fd = mkstemp(path);
    CHECK("the file", fd >= 0 && write(fd, text, len) == (ssize_t)len && fchmod(fd, mode) == 0);
    (void)close(fd);
}

static void key_files(void **state)
{
    static const char many[8192];
    const struct {
        const char *what, *text;
        size_t len;
        mode_t mode;
        uid_t uid;
        const char *problem;
    } rows[] = {
        {"as sshd makes it", LINE, sizeof(LINE) - 1, 0600, getuid(), NULL},
        {"of another user", LINE, sizeof(LINE) - 1, 0600, getuid() + 1, "not one that sshd made"},
        {"others may read it", LINE, sizeof(LINE) - 1, 0644, getuid(), "not one that sshd made"},
        {"the group may write it", LINE, sizeof(LINE) - 1, 0620, getuid(), "not one that sshd"},
        {"executable", LINE, sizeof(LINE) - 1, 0700, getuid(), "not one that sshd made"},
        {"set-user-id", LINE, sizeof(LINE) - 1, 04600, getuid(), "not one that sshd made"},
        {"two keys", LINE LINE, 2 * (sizeof(LINE) - 1), 0600, getuid(), "several"},
        {"a password", "password\n", 9, 0600, getuid(), "another method"},
        {"empty, for /tmp was full", "", 0, 0600, getuid(), "does not say"},
        {"a NUL behind the key", LINE, sizeof(LINE), 0600, getuid(), "more than a key"},
        {"larger than any key", many, sizeof(many), 0600, getuid(), "more than a key"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct auth_info info;
        write_key_file(rows[i].text, rows[i].len, rows[i].mode);
        CHECK_PROBLEM(rows[i].what, key_file_read(path, rows[i].uid, &info), rows[i].problem);
        (void)unlink(path);
    }
}

static void no_key_files(void **state)
{
    char other[80], under[96];
    struct auth_info info;
    (void)state;
    write_key_file(LINE, sizeof(LINE) - 1, 0600);
    (void)snprintf(other, sizeof(other), "%s.other", path);

    CHECK("a second name", link(path, other) == 0);
    CHECK_PROBLEM("two names", key_file_read(path, getuid(), &info), "not one that sshd made");
    CHECK("removed", unlink(other) == 0);
    CHECK_PROBLEM("one name", key_file_read(path, getuid(), &info), NULL);

    CHECK("a link", symlink(path, other) == 0);
    CHECK_PROBLEM("a link to it", key_file_read(other, getuid(), &info), "cannot be opened");
    CHECK("removed", unlink(other) == 0);

    CHECK("a FIFO", mkfifo(other, 0600) == 0);
    CHECK_PROBLEM("a FIFO", key_file_read(other, getuid(), &info), "not one that sshd made");
    CHECK("removed", unlink(other) == 0);

    CHECK("a folder", mkdir(other, 0700) == 0);
    CHECK_PROBLEM("a folder", key_file_read(other, getuid(), &info), "not one that sshd made");
    (void)snprintf(under, sizeof(under), "%s/key", other);
    CHECK("moved", rename(path, under) == 0);
    CHECK_PROBLEM("below /tmp", key_file_read(under, getuid(), &info), "no file in /tmp");
    CHECK("moved back", rename(under, path) == 0 && rmdir(other) == 0);

    (void)snprintf(under, sizeof(under), "/tmp/../tmp/%s", path + sizeof("/tmp/") - 1);
    CHECK_PROBLEM("by way of ..", key_file_read(under, getuid(), &info), "no file in /tmp");
    (void)snprintf(under, sizeof(under), "/tmp//%s", path + sizeof("/tmp/") - 1);
    CHECK_PROBLEM("two slashes", key_file_read(under, getuid(), &info), "no file in /tmp");
    CHECK_PROBLEM("a path without /tmp", key_file_read(path + 1, getuid(), &info), "no file");
    CHECK("removed", unlink(path) == 0);
    CHECK_PROBLEM("none there", key_file_read(path, getuid(), &info), "cannot be opened");
    CHECK_PROBLEM("/tmp", key_file_read("/tmp", getuid(), &info), "no file in /tmp");
    CHECK_PROBLEM("/tmp/", key_file_read("/tmp/", getuid(), &info), "no file in /tmp");
    CHECK_PROBLEM("..", key_file_read("/tmp/..", getuid(), &info), "no file in /tmp");
    CHECK_PROBLEM("empty", key_file_read("", getuid(), &info), "no file in /tmp");
    CHECK_PROBLEM("not set", key_file_read(NULL, getuid(), &info), "not set");
}

/* ---- leased ---- */

#define ANSWER(length) "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: " length "\r\n\r\n"

static void answers(void **state)
{
    static const struct {
        const char *what, *text;
        unsigned status;
    } rows[] = {
        {"whole", ANSWER("2") "{}", 200},
        {"503", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", 503},
        {"lower case", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200},
        {"cut off", ANSWER("2") "{", 0},
        {"a byte more", ANSWER("2") "{}}", 0},
        {"no length", "HTTP/1.1 200 OK\r\nDate: x\r\n\r\n{}", 0},
        {"a length that is no number", ANSWER("2x") "{}", 0},
        {"a length below 0", ANSWER("-2") "{}", 0},
        {"a length of an enormous body", ANSWER("99999999999999999999") "{}", 0},
        {"the head has no end", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", 0},
        {"nothing", "", 0},
        {"an empty head", "\r\n\r\n", 0},
        {"not HTTP", "SSH-2.0-OpenSSH_9.2\r\nContent-Length: 0\r\n\r\n", 0},
        {"no status", "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *body = NULL;
        size_t len = 0;
        unsigned status = http_answer_parse(rows[i].text, strlen(rows[i].text), &body, &len);
        CHECK(rows[i].what, status == rows[i].status && (status == 0) == (body == NULL));
    }
}

/* A child that takes one connection, reads some of it, writes text, and closes. */
static pid_t serve_once(const char *at, const char *text)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", at);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)unlink(at);
    CHECK("listens",
          bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 4) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        char request[4096];
        int client = accept(fd, NULL, NULL);
        (void)!read(client, request, sizeof(request));
        if (text == NULL)
            (void)pause();
        (void)!write(client, text, strlen(text));
        _exit(0);
    }
    (void)close(fd);
    return pid;
}

static void exchanges(void **state)
{
    static const struct {
        const char *what, *text;
        enum exchange result;
    } rows[] = {
        {"joined", ANSWER("23") "{\"exit\":0,\"text\":\"x\\n\"}", EXCHANGE_ANSWERED},
        {"refused", "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n", EXCHANGE_REFUSED},
        {"no answer", "", EXCHANGE_LOST},
        {"half of one", ANSWER("23") "{\"exit\":0,", EXCHANGE_LOST},
        {"not JSON", ANSWER("2") "no", EXCHANGE_LOST},
        {"silence", NULL, EXCHANGE_LOST},
    };
    const struct join_request request = {
        .code = CODE, .key_type = "ssh-ed25519", .key_base64 = "AAAA"};
    char at[64];
    (void)state;
    (void)snprintf(at, sizeof(at), "/tmp/test_join.socket.%d", (int)getpid());
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct join_answer answer = {.exit = -1};
        pid_t pid = serve_once(at, rows[i].text);
        int wait_ms = rows[i].text == NULL ? 100 : (int)slow_ms(5000);
        CHECK(rows[i].what, exchange_join(at, &request, wait_ms, &answer) == rows[i].result);
        CHECK(rows[i].what, (answer.exit == 0) == (rows[i].result == EXCHANGE_ANSWERED));
        join_answer_release(&answer);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
    struct join_answer answer;
    CHECK("nobody listens", exchange_join(at, &request, 1000, &answer) == EXCHANGE_NOT_SENT);
    (void)unlink(at);
    CHECK("no socket", exchange_join(at, &request, 1000, &answer) == EXCHANGE_NOT_SENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands),     cmocka_unit_test(lines),   cmocka_unit_test(key_files),
        cmocka_unit_test(no_key_files), cmocka_unit_test(answers), cmocka_unit_test(exchanges),
    };
    return cmocka_run_group_tests_name("join", tests, NULL, NULL);
}
