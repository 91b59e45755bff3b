/* SPDX-License-Identifier: ISC */
#include "pam_tunnel/args.h"

#include <string.h>

/* True if word is `name=value` and value is not empty; sets *ret to the value. */
static bool value_of(const char *word, const char *name, const char **ret)
{
    size_t len = strlen(name);
    if (strncmp(word, name, len) != 0 || word[len] != '=' || word[len + 1] == '\0')
        return false;
    *ret = word + len + 1;
    return true;
}

void module_args_parse(int argc, const char **argv, struct module_args *ret)
{
    struct module_args args = {.group = "_tunnel",
                               .service = "sshd",
                               .akc = TUNLEASE_LIBEXECDIR "/tunlease/akc",
                               .akc_user = "_tunlease-akc",
                               .end_refused = true};
    for (int i = 0; i < argc; i++) {
        const char *end = NULL;
        if (value_of(argv[i], "conf", &args.conf_file) || value_of(argv[i], "group", &args.group) ||
            value_of(argv[i], "join_group", &args.join_group) ||
            value_of(argv[i], "service", &args.service) || value_of(argv[i], "akc", &args.akc) ||
            value_of(argv[i], "akc_user", &args.akc_user))
            continue;
        if (strcmp(argv[i], "debug") == 0)
            args.debug = true;
        else if (value_of(argv[i], "end", &end) &&
                 (strcmp(end, "no") == 0 || strcmp(end, "yes") == 0))
            args.end_refused = *end == 'y';
        else if (args.bad == NULL)
            args.bad = argv[i];
    }
    *ret = args;
}
