/* SPDX-License-Identifier: ISC */
/*
 * check_agent DIRECTORY STATE: reads the state directory of an agent in many images of a disk, as
 * an agent does that starts again, and says of each what it finds. Images: feed.h; they are laid
 * out in DIRECTORY, and STATE is the path of the state directory there. Run as root. For each image
 * it prints a line:
 *
 *   agent=ok|no      each file that is there can be read by the agent's own code
 *   why=TEXT         until the end of the line: of the first that cannot
 */
#include "lib/base/hash.h"
#include "lib/lease/name.h"
#include "lib/wire/register.h"
#include "tests/power/feed.h"
#include "tunnel-agent/config/tunnels_conf.h"
#include "tunnel-agent/gateway/credential.h"
#include "tunnel-agent/gateway/turn.h"
#include "tunnel-agent/host/statedir.h"
#include "tunnel-agent/join/friend.h"
#include "tunnel-agent/ssh/key.h"

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has(const struct statedir *d, const char *name)
{
    struct stat sb;
    char *path = statedir_file(d, name);
    bool is_there = path != NULL && stat(path, &sb) == 0;
    free(path);
    return is_there;
}

static const char *read_turn(const struct statedir *d)
{
    struct turn t;
    turn_read(&t, d);
    return t.has_nonce ? NULL : "turn is no counter and nonce";
}

static const char *read_secret(const struct statedir *d)
{
    struct credential c = {.secret = NULL};
    credential_read(&c, d, NULL);
    const char *now = credential_current(&c);
    bool is_one = now != NULL && now[0] != '\0';
    credential_release(&c);
    return is_one ? NULL : "agent_secret is none";
}

static const char *read_id(const struct statedir *d)
{
    char *id = statedir_read(d, "agent_id");
    const char *problem = id == NULL ? "agent_id cannot be read" : lease_name_problem(id);
    free(id);
    return problem;
}

static const char *read_session(const struct statedir *d)
{
    struct register_answer a = {.port_b = 0};
    char *text = statedir_read(d, "session.json");
    const char *problem = text == NULL ? "session.json cannot be read"
                                       : register_answer_parse(text, strlen(text), &a);
    register_answer_release(&a);
    free(text);
    return problem;
}

static const char *read_tunnels(const struct statedir *d)
{
    static char why[TUNNELS_CONF_WHY_BYTES];
    struct tunnels_conf conf;
    char *path = statedir_file(d, FRIEND_FILE);
    int rc = tunnels_conf_read(path, &conf, why);
    free(path);
    if (rc == 0)
        tunnels_conf_release(&conf);
    return rc == 0 ? NULL : why;
}

/* ssh-keygen takes milliseconds, and most images have a key that was seen before. */
static const char *read_key(const struct statedir *d)
{
    static char known[STATEDIR_FILE_MAX], why[WHY_BYTES];
    char *text = statedir_read(d, "agent.pem");
    if (text == NULL || strcmp(text, known) != 0) {
        char *line = key_public(d, "agent", why);
        if (line == NULL) {
            free(text);
            return why;
        }
        (void)snprintf(known, sizeof(known), "%s", text != NULL ? text : "");
        free(line);
    }
    free(text);
    return NULL;
}

static const struct {
    const char *name;
    const char *(*read)(const struct statedir *d);
} readers[] = {
    {"agent_id", read_id}, {"agent_secret", read_secret},  {"agent.pem", read_key},
    {"turn", read_turn},   {"session.json", read_session}, {FRIEND_FILE, read_tunnels},
};

int main(int argc, char **argv)
{
    struct statedir d;
    if (argc != 3 || setenv("STATE_DIR", argv[2], 1) != 0)
        errx(2, "usage: check_agent DIRECTORY STATE");
    while (feed_next(argv[1], 0)) {
        char why[WHY_BYTES] = "";
        const char *problem = statedir_open(&d, why) != 0 ? why : NULL;
        for (size_t i = 0; problem == NULL && i < sizeof(readers) / sizeof(readers[0]); i++)
            if (has(&d, readers[i].name))
                problem = readers[i].read(&d);
        (void)printf("agent=%s why=%s\n", problem == NULL ? "ok" : "no",
                     problem != NULL ? problem : "");
        (void)fflush(stdout);
    }
    return 0;
}
