/* SPDX-License-Identifier: ISC */
#include "lib/conf/join_login.h"

#include "lib/base/number.h"
#include "lib/lease/name.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* passwd(5): NAME:PASSWORD:UID:GID:GECOS:HOME:SHELL. group(5): NAME:PASSWORD:GID:MEMBERS. */
enum { PASSWD_NAME, PASSWD_UID = 2, PASSWD_GID, PASSWD_SHELL = 6, PASSWD_FIELDS };
enum { GROUP_NAME, GROUP_GID = 2, GROUP_MEMBERS, GROUP_FIELDS };
enum { FIELDS_MAX = PASSWD_FIELDS };

struct account {
    const char *login;
    bool found;
    int64_t uid, gid;
    bool has_program;   /* its shell is JOIN_PROGRAM */
    bool shares_uid;    /* another account has the same */
    bool in_join_group; /* as its primary group */
    bool in_tunnel_group;
    const char *tunnel_group;
};

typedef void (*fields_fn)(struct account *a, char *const fields[]);

/* Splits the line, and calls fn if it has so many fields. A shorter line is none for getpwnam(3)
 * either. */
static void split(char *line, size_t count, fields_fn fn, struct account *a)
{
    char *fields[FIELDS_MAX];
    size_t n = 0;
    line[strcspn(line, "\n")] = '\0';
    for (char *rest = line, *field; n < count && (field = strsep(&rest, ":")) != NULL;)
        fields[n++] = field;
    if (n == count)
        fn(a, fields);
}

/* Returns 0, or -1: it cannot be read. */
static int each_line(const char *path, size_t count, fields_fn fn, struct account *a)
{
    char *line = NULL;
    size_t room = 0;
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return -1;
    while (getline(&line, &room, f) >= 0)
        split(line, count, fn, a);
    int rc = ferror(f) != 0 || feof(f) == 0 ? -1 : 0; /* neither: getline has no memory */
    free(line);
    (void)fclose(f);
    return rc;
}

static bool parse_id(const char *text, int64_t *ret)
{
    return number_parse(text, strlen(text), 0, UINT32_MAX - 1, ret);
}

static void find_account(struct account *a, char *const fields[])
{
    if (a->found || strcmp(fields[PASSWD_NAME], a->login) != 0)
        return;
    if (!parse_id(fields[PASSWD_UID], &a->uid) || !parse_id(fields[PASSWD_GID], &a->gid))
        return;
    a->found = true;
    a->has_program = strcmp(fields[PASSWD_SHELL], JOIN_PROGRAM) == 0;
}

static void find_others(struct account *a, char *const fields[])
{
    int64_t uid;
    if (strcmp(fields[PASSWD_NAME], a->login) != 0 && parse_id(fields[PASSWD_UID], &uid) &&
        uid == a->uid)
        a->shares_uid = true;
}

static bool has_member(char *members, const char *login)
{
    for (char *member; (member = strsep(&members, ",")) != NULL;)
        if (strcmp(member, login) == 0)
            return true;
    return false;
}

static void find_groups(struct account *a, char *const fields[])
{
    int64_t gid;
    if (!parse_id(fields[GROUP_GID], &gid))
        return;
    if (strcmp(fields[GROUP_NAME], JOIN_GROUP) == 0)
        a->in_join_group = a->in_join_group || gid == a->gid;
    if (strcmp(fields[GROUP_NAME], a->tunnel_group) == 0)
        a->in_tunnel_group =
            a->in_tunnel_group || gid == a->gid || has_member(fields[GROUP_MEMBERS], a->login);
}

static const char *account_problem(const struct account *a)
{
    if (!a->found)
        return "is not in /etc/passwd: 'leasectl setup --join' makes it";
    if (a->uid == 0)
        return "has the user id of root";
    if (a->shares_uid)
        return "has the user id of another account";
    if (a->in_tunnel_group)
        return "is a member of TunnelGroup, whose members hold leases";
    if (!a->in_join_group)
        return "does not have the primary group " JOIN_GROUP
               ", so it is not the account that 'leasectl setup --join' makes";
    if (!a->has_program)
        return "does not have the shell " JOIN_PROGRAM
               ", so it is not the account that 'leasectl setup --join' makes";
    return NULL;
}

const char *join_login_problem_in(const char *passwd_file, const char *group_file,
                                  const struct conf_logins *logins, const char *login)
{
    struct account a = {.login = login, .tunnel_group = logins->tunnel_group};
    if (logins->problem != NULL)
        return "cannot be checked: a line of a login in tunlease.conf has no usable value";
    if (login_name_problem(login) != NULL)
        return "is no name of a login";
    if (strcmp(login, logins->forward_login) == 0)
        return "is ForwardLogin, too";
    if (strcmp(login, logins->agent_login) == 0)
        return "is AgentLogin, too";
    if (strcmp(login, logins->jump_user) == 0)
        return "is JumpUser, too";
    if (each_line(passwd_file, PASSWD_FIELDS, find_account, &a) != 0 ||
        (a.found && each_line(passwd_file, PASSWD_FIELDS, find_others, &a) != 0))
        return "cannot be checked: /etc/passwd cannot be read";
    if (each_line(group_file, GROUP_FIELDS, find_groups, &a) != 0)
        return "cannot be checked: /etc/group cannot be read";
    return account_problem(&a);
}

const char *join_login_problem(const struct conf_logins *logins, const char *login)
{
    return join_login_problem_in("/etc/passwd", "/etc/group", logins, login);
}
