/* SPDX-License-Identifier: ISC */
/* leasectl login add|list|check: the Unix accounts that tunnels log in as. */
#include "leasectl/show/json.h"
#include "leasectl/ctl.h"
#include "leasectl/host/account.h"
#include "leasectl/show/table.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/wire/json.h"

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

static void print_json(const char *login, const char *const findings[], size_t count,
                       struct buf *out)
{
    const struct json_field fields[] = {
        {.name = "login", .text = login},
        {.name = "ok", .is_bool = true, .number = count == 0},
        {.name = "findings", .texts = findings},
    };
    (void)json_object_line(fields, 3, out);
}

struct login_list {
    const struct ctl *ctl;
    struct table table;
    struct buf json;
    size_t count;
};

static int add_login(void *arg, const char *login)
{
    struct login_list *list = arg;
    const char *findings[FINDINGS_MAX + 1];
    char verdict[64] = "ok";
    struct buf found = {0};

    account_check(login, list->ctl->conf.tunnel_group, &found);
    size_t count = found.len > 0 && !found.failed ? split_lines(found.data, findings) : 0;
    findings[count] = NULL;
    if (list->ctl->json) {
        if (list->count++ > 0)
            buf_add(&list->json, ",\n");
        print_json(login, findings, count, &list->json);
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
    struct login_list list = {.ctl = ctl};
    table_init(&list.table, headings);
    (void)account_each(ctl->conf.tunnel_group, add_login, &list);
    int code = EXIT_DONE;
    if (ctl->json)
        code = show_json_array(ctl, &list.json);
    else
        code = table_show(ctl, &list.table);
    table_release(&list.table);
    buf_release(&list.json);
    return code;
}

static int login_check(struct ctl *ctl, const char *login)
{
    const char *findings[FINDINGS_MAX + 1] = {NULL};
    struct buf found = {0}, json = {0};

    account_check(login, ctl->conf.tunnel_group, &found);
    size_t count = found.len > 0 && !found.failed ? split_lines(found.data, findings) : 0;
    if (ctl->json) {
        print_json(login, findings, count, &json);
        (void)puts(buf_text(&json) != NULL ? buf_text(&json) : "");
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
    buf_release(&json);
    return count == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int login_add(struct ctl *ctl, const char *login)
{
    struct buf why = {0};
    int code = EXIT_DONE;
    if (geteuid() != 0)
        return ctl_error(ctl, EXIT_FAILED,
                         "only root can make accounts: sudo leasectl login add %s", login);
    code = account_check_members(ctl);
    if (code != EXIT_DONE)
        return code;
    if (account_make_group(ctl->conf.tunnel_group, &why) != 0 ||
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
