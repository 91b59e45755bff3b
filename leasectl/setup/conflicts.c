/* SPDX-License-Identifier: ISC */
/* What setup refuses to touch, looked for before anything is changed. */
#include "leasectl/host/account.h"
#include "leasectl/host/sshd.h"
#include "leasectl/setup/steps.h"

#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* True when line is a Match line that names login. */
static bool match_line_names(const char *line, const char *login)
{
    char text[1024], *rest = text, *word;
    line += strspn(line, " \t");
    if (strncasecmp(line, "match", 5) != 0 || (line[5] != ' ' && line[5] != '\t'))
        return false;
    (void)snprintf(text, sizeof(text), "%s", line + 5);
    bool user = false;
    while ((word = strsep(&rest, " \t\r\n=")) != NULL) {
        if (*word == '\0')
            continue;
        if (!user) {
            user = strcasecmp(word, "user") == 0;
            continue;
        }
        user = false;
        for (char *pattern; (pattern = strsep(&word, ",")) != NULL;)
            if (fnmatch(pattern, login, 0) == 0)
                return true;
    }
    return false;
}

static bool file_matches_login(const char *path, const char *login)
{
    char line[4096];
    bool found = false;
    FILE *f = fopen(path, "re");
    while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL)
        found = match_line_names(line, login);
    if (f != NULL)
        (void)fclose(f);
    return found;
}

/* Looks for a Match block for login that is not ours: which of the two sshd applies would depend on
 * the order of the files. */
static int check_foreign_match(const struct ctl *ctl, const char *login)
{
    glob_t files = {0};
    int code = EXIT_DONE;
    (void)glob(TUNLEASE_SYSCONFDIR "/ssh/sshd_config", 0, NULL, &files);
    (void)glob(TUNLEASE_SYSCONFDIR "/ssh/sshd_config.d/*.conf", GLOB_APPEND, NULL, &files);
    for (size_t i = 0; code == EXIT_DONE && i < files.gl_pathc; i++)
        if (strcmp(files.gl_pathv[i], SSHD_DROPIN) != 0 &&
            file_matches_login(files.gl_pathv[i], login))
            code = ctl_error(ctl, EXIT_CONFLICT,
                             "'%s' has a Match block for login '%s': take it out, or name another "
                             "login (ForwardLogin, AgentLogin)",
                             files.gl_pathv[i], login);
    globfree(&files);
    return code;
}

int check_login_is_free(struct ctl *ctl, const char *login)
{
    char path[512];
    if (account_has_authorized_keys(login, path, sizeof(path)))
        return ctl_error(ctl, EXIT_CONFLICT,
                         "login '%s' has keys in '%s', which would stop working: give each holder "
                         "a lease first (leasectl grant NAME --login %s --key FILE), then move the "
                         "file away and run setup again",
                         login, path, login);
    return check_foreign_match(ctl, login);
}
