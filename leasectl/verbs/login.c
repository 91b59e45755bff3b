/* SPDX-License-Identifier: ISC */
/* leasectl login add|list|check: the Unix accounts that tunnels log in as. */
#include "leasectl/ctl.h"
#include "leasectl/host/account.h"
#include "leasectl/show/json.h"
#include "leasectl/show/listing.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/wire/json.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FINDINGS_MAX = 16 };

/* Cuts text into its lines, without empty ones; lines[] ends with NULL. */
static size_t split_lines(char *text, const char *lines[FINDINGS_MAX + 1])
{
    size_t count = 0;
    for (char *line; count < FINDINGS_MAX && (line = strsep(&text, "\n")) != NULL;)
        if (*line != '\0')
            lines[count++] = line;
    lines[count] = NULL;
    return count;
}

enum { JSON_FIELDS = 3 };

static void json_fields(const char *login, const char *const findings[], size_t count,
                        struct json_field out[static JSON_FIELDS])
{
    out[0] = (struct json_field){.name = "login", .text = login};
    out[1] = (struct json_field){.name = "ok", .is_bool = true, .number = count == 0};
    out[2] = (struct json_field){.name = "findings", .texts = findings};
}

static int add_login(void *arg, const char *login)
{
    struct listing *list = arg;
    const char *findings[FINDINGS_MAX + 1];
    char verdict[64] = "ok";
    struct buf found = {0};

    account_check(login, list->ctl->conf.tunnel_group, &found);
    size_t count = found.len > 0 && !found.failed ? split_lines(found.data, findings) : 0;
    findings[count] = NULL;
    if (list->ctl->json) {
        struct json_field fields[JSON_FIELDS];
        json_fields(login, findings, count, fields);
        (void)listing_add_object(list, fields, JSON_FIELDS);
    } else {
        const char *role = strcmp(login, list->ctl->conf.forward_login) == 0 ? "ForwardLogin"
                           : strcmp(login, list->ctl->conf.agent_login) == 0 ? "AgentLogin"
                                                                             : "";
        if (count > 0)
            (void)snprintf(verdict, sizeof(verdict), "%zu found: leasectl login check", count);
        table_add(&list->table, login);
        table_add(&list->table, role);
        table_add(&list->table, verdict);
    }
    buf_release(&found);
    return 0;
}

static int login_list(struct ctl *ctl)
{
    static const char *const headings[] = {"LOGIN", "ROLE", "CHECK", NULL};
    struct listing list;
    listing_begin(&list, ctl, headings);
    (void)account_each(ctl->conf.tunnel_group, add_login, &list);
    return listing_end(&list, EXIT_DONE);
}

static int login_check(struct ctl *ctl, const char *login)
{
    const char *findings[FINDINGS_MAX + 1] = {NULL};
    struct buf found = {0};
    int code = EXIT_DONE;

    account_check(login, ctl->conf.tunnel_group, &found);
    size_t count = found.len > 0 && !found.failed ? split_lines(found.data, findings) : 0;
    if (ctl->json) {
        struct json_field fields[JSON_FIELDS];
        json_fields(login, findings, count, fields);
        code = show_json_object(ctl, fields, JSON_FIELDS);
    } else if (count == 0) {
        (void)printf("login '%s' is as it should be\n", login);
    }
    for (size_t i = 0; !ctl->json && i < count; i++)
        text_print(stdout, "login '%s': %s", login, findings[i]);
    if (!ctl->json && account_home_is_missing(login))
        (void)printf("note: its home does not exist, so sshd says 'Could not chdir to home "
                     "directory' to who asks for a shell: 'usermod --home " LOGIN_HOME
                     " %s' mends it, while none of its sessions is up\n",
                     login);
    buf_release(&found);
    return count == 0 ? code : EXIT_FAILED;
}

static int login_add(struct ctl *ctl, const char *login)
{
    struct buf why = {0};
    char path[512];
    enum sight keys;
    int code = EXIT_DONE;
    if (geteuid() != 0)
        return ctl_error(ctl, EXIT_FAILED,
                         "only root can make accounts: sudo leasectl login add %s", login);
    code = account_check_members(ctl);
    if (code != EXIT_DONE)
        return code;
    /* First: keys of an account that is somebody's must not be moved away. */
    if (!account_may_adopt(login, ctl->conf.tunnel_group, &why))
        code = ctl_error(ctl, EXIT_CONFLICT, "cannot make login '%s': %s", login, buf_text(&why));
    else if ((keys = account_has_authorized_keys(login, path, sizeof(path))) == SIGHT_CANNOT_TELL)
        code = ctl_error(ctl, EXIT_FAILED,
                         "cannot make login '%s': whether it has keys in '%s' is not known: %s",
                         login, path, strerror(errno));
    else if (keys == SIGHT_IS)
        code = ctl_error(
            ctl, EXIT_CONFLICT,
            "cannot make login '%s': it has keys in '%s', which would stop working: move the file "
            "away, then 'leasectl login add %s' and 'leasectl import'",
            login, path, login);
    else if (account_make_group(ctl->conf.tunnel_group, &why) != 0 ||
             account_make_login(login, ctl->conf.tunnel_group, &why) != 0)
        code = ctl_error(ctl, EXIT_CONFLICT, "cannot make login '%s': %s", login, buf_text(&why));
    buf_release(&why);
    if (code != EXIT_DONE)
        return code;
    ctl_changed(ctl, "login '%s' is there", login);
    if (!ctl->json)
        (void)printf("login '%s' is there; 'leasectl setup' puts it into sshd's configuration\n",
                     login);
    return login_check(ctl, login);
}

int cmd_login(struct ctl *ctl, int argc, char **argv)
{
    static const struct option none[] = {{NULL, 0, NULL, 0}};
    if (ctl_option(ctl, argc, argv, none) != -1)
        return EXIT_USAGE;
    const char *action = optind < argc ? argv[optind] : "";
    int names = argc - optind - 1;
    if (strcmp(action, "list") == 0 && names == 0)
        return login_list(ctl);
    if ((strcmp(action, "add") != 0 && strcmp(action, "check") != 0) || names != 1)
        return ctl_usage(ctl, "login takes add LOGIN, check LOGIN, or list");
    const char *login = argv[optind + 1];
    const char *problem = login_name_problem(login);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "the login '%s' %s", text_clip(login).s, problem);
    if (strcmp(action, "check") == 0)
        return login_check(ctl, login);
    return login_add(ctl, login);
}
