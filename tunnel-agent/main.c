/* SPDX-License-Identifier: ISC */
/* tunnel-agent: keeps ssh's port forwards up, judged by data that comes back. See tunnel-agent(1).
 */
#include "lib/base/descriptors.h"
#include "lib/base/log.h"
#include "tunnel-agent/config/options.h"
#include "tunnel-agent/config/tunnels_conf.h"
#include "tunnel-agent/exec.h"
#include "tunnel-agent/gateway/agent_id.h"
#include "tunnel-agent/gateway/gateway.h"
#include "tunnel-agent/host/exit_code.h"
#include "tunnel-agent/host/statedir.h"
#include "tunnel-agent/install.h"
#include "tunnel-agent/join/join.h"
#include "tunnel-agent/legs.h"
#include "tunnel-agent/licences.h"
#include "tunnel-agent/ssh/cipher.h"
#include "tunnel-agent/ssh/fixed_options.h"
#include "tunnel-agent/ssh/hostkey_prompt.h"
#include "tunnel-agent/ssh/jump.h"
#include "tunnel-agent/ssh/key.h"
#include "tunnel-agent/status.h"
#include "tunnel-agent/tunnel/supervisor.h"
#include "tunnel-agent/tunnel/tunnel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: tunnel-agent [-d] --endpoint URL --api-key KEY|@FILE|--token TOKEN|@FILE\n"
    "                    [--agent-id ID] [--target HOST:PORT] [--reverse-bind-host H]\n"
    "                    [--over-ssh ALIAS] [--control-port PORT]\n"
    "                    [--host-key SHA256:...] [--insecure]\n"
    "       tunnel-agent [-d] --gateway [USER@]HOST[:PORT] --token TOKEN|@FILE\n"
    "                    --host-key SHA256:... [--agent-id ID] [--target HOST:PORT]\n"
    "                    [--control-port PORT]\n"
    "       tunnel-agent [-d] [-p PORT] [-i FILE] [-J HOST] [-o OPT] -L SPEC...\n"
    "                    [--probe tcp|http:/PATH|none] [--host-key SHA256:...]\n"
    "                    [USER@]HOST\n"
    "       tunnel-agent exec [-p PORT] [-i FILE] [-J HOST] [-o OPT] -L SPEC...\n"
    "                    [--host-key SHA256:...] [--invite CODE|@FILE|-]\n"
    "                    [USER@]HOST -- COMMAND...\n"
    "       tunnel-agent [-d] -c tunnels.conf\n"
    "       tunnel-agent check -c tunnels.conf\n"
    "       tunnel-agent join [-d] [-p PORT] [-i FILE] [--host-key SHA256:...]\n"
    "                    [--target HOST:PORT] [--no-hold] [USER@]HOST[:PORT]\n"
    "                    CODE|@FILE|-\n"
    "       tunnel-agent key\n"
    "       tunnel-agent status [--json]\n"
    "       tunnel-agent install --systemd-user|--systemd|--launchd [--name NAME]\n"
    "                    [--write] -- ARGUMENTS\n"
    "\n"
    "Keeps SSH port forwards up, judged by data that comes back. The first two keep\n"
    "ssh -R up for a gateway; the third takes options of ssh, and so does exec, while\n"
    "COMMAND runs; -c keeps many tunnels up. See tunnel-agent(1).\n"
    "\n"
    "  -d                     for a service manager: a failure to start ends it\n"
    "  -c FILE                tunnels and settings\n"
    "  -L SPEC                [BIND:]PORT:HOST:HOSTPORT, or PORT or LOW-HIGH for the\n"
    "                         same at both ends\n"
    "                         -p -i -J -o -l -F -4 -6 -C -m -b -B are ssh's\n"
    "  --invite CODE          of exec: join first, with a key that is in no file;\n"
    "                         @FILE or - (standard input) has the code\n"
    "  --probe HOW            how the first forward is probed (default tcp)\n"
    "  --host-key SHA256:...  the far side's host key, in place of known_hosts\n"
    "  --endpoint URL         the gateway's control port\n"
    "  --gateway HOST         register through ssh itself\n"
    "  --api-key KEY          enrolment key; @FILE reads it from a file\n"
    "  --token TOKEN          enrolment token; @FILE reads it from a file\n"
    "  --agent-id ID          name at the gateway (default: a UUID, made once)\n"
    "  --target HOST:PORT     what the gateway's port leads to (default 127.0.0.1:22)\n"
    "  --reverse-bind-host H  where the gateway listens (default: what it says)\n"
    "  --over-ssh ALIAS       reach the control port through this Host of ssh_config\n"
    "  --control-port PORT    leased's port on the gateway's own loopback (default:\n"
    "                         what it says)\n"
    "  --insecure             allow http:// beyond loopback\n"
    "  --no-hold              join alone: the tunnel is held up later\n"
    "  --help                 this text\n"
    "  --licences             of all that this file consists of\n"
    "  --version              the version\n";

static int usage(const char *why)
{
    log_error("%s", why);
    return EXIT_USAGE;
}

/* ssh's own -c takes a cipher, so a person may mean that. */
static int usage_of_file(const char *file, const char *why)
{
    if (access(file, F_OK) == 0 || !sshcipher_is(file))
        return usage(why);
    log_error("'%s' is a cipher, but -c names a file of tunnels here. For ssh's -c write: -o "
              "Ciphers=%s",
              file, file);
    return EXIT_USAGE;
}

static int legs_loop(const struct settings *settings, const struct leg *legs, size_t count,
                     bool is_service)
{
    struct supervisor s = {.settings = *settings};
    char why[WHY_BYTES];
    const char *problem = NULL;
    int code = EXIT_FAILED;

    sshfixed_learn();
    if (statedir_open(&s.state, why) != 0 || legs_validate(legs, count, settings, why) != 0)
        return usage(why);
    sshjump_prepare(&s.state);
    if (!is_service)
        hostkey_prompt(legs, count, settings, &s.state);
    if (supervisor_init(&s, &problem) != 0) {
        log_error("cannot start: %s", problem != NULL ? problem : strerror(errno));
        goto out;
    }
    for (size_t i = 0; i < count; i++)
        if (supervisor_add(&s, &legs[i], &problem) == NULL) {
            log_error("cannot start: %s", problem);
            goto out;
        }
    for (size_t i = 0; i < s.tunnel_count; i++)
        tunnel_start(s.tunnels[i]);
    code = supervisor_loop(&s);
out:
    supervisor_release(&s);
    return code;
}

static int file_loop(const struct options *o)
{
    struct tunnels_conf conf;
    char why[TUNNELS_CONF_WHY_BYTES];
    if (tunnels_conf_read(o->conf_file, &conf, why) != 0)
        return usage_of_file(o->conf_file, why);
    int code = EXIT_USAGE;
    size_t first = 0, count = conf.leg_count;
    if (o->only_leg != NULL) {
        while (first < conf.leg_count && strcmp(conf.legs[first].name, o->only_leg) != 0)
            first++;
        count = first < conf.leg_count ? 1 : 0;
    }
    if (count == 0)
        log_error("'%s' has no Tunnel%s%s", o->conf_file, o->only_leg != NULL ? " " : "",
                  o->only_leg != NULL ? o->only_leg : "");
    else
        code = legs_loop(&conf.settings, conf.legs + first, count, o->is_service);
    tunnels_conf_release(&conf);
    return code;
}

/* Reads the settings of -c FILE, next to -L or a gateway. The file may have no tunnels then. */
static int read_settings(const struct options *o, struct settings *ret)
{
    char why[TUNNELS_CONF_WHY_BYTES];
    size_t leg_count;
    if (tunnels_conf_read_settings(o->conf_file, ret, &leg_count, why) != 0)
        return usage_of_file(o->conf_file, why);
    return leg_count == 0 ? EXIT_DONE
                          : usage("the file has tunnels, so leave out -L and the gateway");
}

static int hold_up(const struct options *o)
{
    struct settings settings;
    int code;
    if (o->mode == OPTIONS_FILE)
        code = file_loop(o);
    else if ((code = read_settings(o, &settings)) == EXIT_DONE)
        code = o->mode == OPTIONS_LEG ? legs_loop(&settings, &o->leg, 1, o->is_service)
                                      : gateway_loop(o, &settings);
    return code;
}

static int tunnels_loop(int argc, char **argv)
{
    struct options o;
    char why[OPTIONS_WHY_BYTES];
    if (options_parse(argc, argv, &o, why) != 0)
        return usage(why);
    int code = hold_up(&o);
    options_release(&o);
    return code;
}

static int verb_join(int argc, char **argv)
{
    struct join join;
    int code = join_run(&join, argc, argv);
    if (code == EXIT_DONE && join.holds)
        code = hold_up(&join.options);
    join_release(&join);
    return code;
}

static int verb_check(int argc, char **argv)
{
    struct tunnels_conf conf;
    char why[TUNNELS_CONF_WHY_BYTES];
    size_t forwards = 0;
    if (argc != 3 || strcmp(argv[1], "-c") != 0)
        return usage("check takes -c FILE: see 'tunnel-agent --help'");
    if (tunnels_conf_read(argv[2], &conf, why) != 0)
        return usage(why);
    unsigned found = legs_report(conf.legs, conf.leg_count, &conf.settings);
    for (size_t i = 0; i < conf.leg_count; i++)
        forwards += conf.legs[i].forward_count;
    if (found == 0)
        (void)printf("%zu tunnels, %zu forwards: no problem found\n", conf.leg_count, forwards);
    tunnels_conf_release(&conf);
    return found == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int verb_status(int argc, char **argv)
{
    struct statedir state;
    char why[WHY_BYTES];
    bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
    if (argc > 2 || (argc == 2 && !json))
        return usage("status takes --json or nothing: see 'tunnel-agent --help'");
    if (statedir_open(&state, why) != 0)
        return usage(why);
    return status_show(&state, json);
}

static int verb_key(int argc, char **argv)
{
    struct statedir state;
    char why[WHY_BYTES];
    (void)argv;
    if (argc != 1)
        return usage("key takes no arguments: see 'tunnel-agent --help'");
    if (statedir_open(&state, why) != 0)
        return usage(why);
    char *id = agent_id_get(&state, NULL, why);
    char *line = id != NULL ? key_public(&state, id, why) : NULL;
    free(id);
    if (line == NULL) {
        log_error("%s", why);
        return EXIT_FAILED;
    }
    (void)puts(line);
    if (isatty(STDOUT_FILENO) == 1)
        (void)fprintf(stderr,
                      "on the gateway: leasectl agent add %s --key -   (and paste this "
                      "line)\n",
                      strrchr(line, ' ') + 1);
    free(line);
    return EXIT_DONE;
}

static int finish(int code)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return code;
    log_error("cannot write the output: %s", strerror(errno));
    return code != EXIT_DONE ? code : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*verb)(int argc, char **argv);
    } verbs[] = {{"check", verb_check}, {"status", verb_status}, {"join", verb_join},
                 {"key", verb_key},     {"exec", exec_verb},     {"install", install_service}};

    descriptors_open_standard();
    log_init("tunnel-agent", true);
    if (argc > 0 && sshjump_is_invoked(argv[0]))
        return sshjump_exec(argc, argv);
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            (void)fputs(help, stdout);
            return finish(EXIT_DONE);
        }
        if (strcmp(argv[i], "--licences") == 0) {
            licences_print();
            return finish(EXIT_DONE);
        }
        if (strcmp(argv[i], "--version") == 0) {
            (void)puts("tunnel-agent (tunlease) " TUNLEASE_VERSION);
            if (*licences_parts() != '\0')
                (void)printf("static, with %s\n", licences_parts());
            return finish(EXIT_DONE);
        }
    }
    for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return finish(verbs[i].verb(argc - 1, argv + 1));
    return finish(tunnels_loop(argc, argv));
}
