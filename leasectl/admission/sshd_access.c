/* SPDX-License-Identifier: ISC */
/* Who may log in to this sshd, and by which methods: what it asks before it looks at any key. */
#include "leasectl/admission/inquiry.h"
#include "leasectl/admission/pattern.h"
#include "leasectl/host/account.h"
#include "leasectl/host/sshd_settings.h"

#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { VALUE_BYTES = 1024 };

/* A keyword that admits or refuses by name, in sshd's order. */
struct name_list {
    const char *keyword, *setting, *rule;
    bool denies, of_groups;
};

static const struct name_list name_lists[] = {
    {"DenyUsers", "denyusers", "deny_users", true, false},
    {"AllowUsers", "allowusers", "allow_users", false, false},
    {"DenyGroups", "denygroups", "deny_groups", true, true},
    {"AllowGroups", "allowgroups", "allow_groups", false, true},
};

static bool group_matches(void *word, const struct group *gr)
{
    return pattern_matches(gr->gr_name, word);
}

static enum sight name_matches(const struct inquiry *i, const struct name_list *list,
                               const char *word)
{
    char use_dns[16];
    if (list->of_groups)
        return account_any_group(i->q->login, group_matches, (void *)(uintptr_t)word)
                   ? SIGHT_IS
                   : SIGHT_IS_NOT;
    sshd_setting(&i->settings, "usedns", use_dns, sizeof(use_dns));
    const struct pattern_client client = {i->q->addr, strcmp(use_dns, "yes") == 0};
    return pattern_user_matches(i->q->login, &client, word);
}

/* Does any word of the setting match? hit: the word that does, or may. */
static enum sight any_word_matches(const struct inquiry *i, const struct name_list *list,
                                   const char *values, char *hit, size_t hit_bytes)
{
    enum sight result = SIGHT_IS_NOT;
    char word[VALUE_BYTES];
    for (const char *p = values; *(p += strspn(p, " \n")) != '\0';) {
        size_t len = strcspn(p, " \n");
        (void)snprintf(word, sizeof(word), "%.*s", (int)len, p);
        p += len;
        enum sight sight = name_matches(i, list, word);
        if (sight == SIGHT_IS || (sight == SIGHT_CANNOT_TELL && result == SIGHT_IS_NOT)) {
            (void)snprintf(hit, hit_bytes, "%s", word);
            result = sight;
        }
        if (sight == SIGHT_IS)
            break;
    }
    return result;
}

static void add_words(const char *values, struct admission_findings *f)
{
    for (const char *p = values; *(p += strspn(p, " \n")) != '\0';) {
        size_t len = strcspn(p, " \n");
        buf_addf(&f->items[f->count - 1].what, " %.*s", (int)len, p);
        p += len;
    }
}

static void refuse_by_name(struct inquiry *i, const struct name_list *list, const char *values,
                           const char *hit)
{
    struct admission_findings *f = &i->answer->findings;
    const char *login = i->q->login;
    if (list->denies) {
        finding_add(f, ADMISSION_SSHD, ADMISSION_REFUSES, list->rule, "%s has '%s', which %s '%s'",
                    list->keyword, hit, list->of_groups ? "is a group of" : "means", login);
        finding_mend(f, "take '%s' out of %s: 'grep -rniw %s %s/ssh/sshd_config*' finds it", hit,
                     list->keyword, list->keyword, TUNLEASE_SYSCONFDIR);
    } else {
        const char *name = list->of_groups ? i->ctl->conf.tunnel_group : login;
        finding_add(f, ADMISSION_SSHD, ADMISSION_REFUSES, list->rule,
                    "%s does not name %s'%s':", list->keyword, list->of_groups ? "a group of " : "",
                    login);
        if (!f->failed)
            add_words(values, f);
        finding_mend(f,
                     "add the line '%s %s' beside the %s in force: 'grep -rniw %s "
                     "%s/ssh/sshd_config*' finds it",
                     list->keyword, name, list->keyword, list->keyword, TUNLEASE_SYSCONFDIR);
    }
    finding_why(f, "sshd then refuses every key of '%s', and never asks akc", login);
}

static void ask_name_list(struct inquiry *i, const struct name_list *list)
{
    struct buf values = {0};
    char hit[VALUE_BYTES] = "";
    sshd_setting_values(&i->settings, list->setting, &values);
    const char *text = buf_text(&values);
    if (values.len == 0 || text == NULL)
        goto out;
    enum sight sight = any_word_matches(i, list, text, hit, sizeof(hit));
    if (sight == SIGHT_CANNOT_TELL) {
        finding_add(&i->answer->findings, ADMISSION_SSHD, ADMISSION_NOT_ASKED, list->rule,
                    "%s '%s'", list->keyword, hit);
        finding_why(&i->answer->findings, "it depends on %s",
                    i->q->addr == NULL ? "the client's address, which was not named"
                                       : "the name that DNS has for the client");
        finding_mend(&i->answer->findings, "leasectl explain %s --key FILE --addr ADDRESS",
                     i->q->login);
    } else if ((sight == SIGHT_IS) == list->denies) {
        refuse_by_name(i, list, text, hit);
    }
out:
    buf_release(&values);
}

/* True if a client that has nothing but one key passes: `any`, or a list that is publickey. */
static bool publickey_suffices(const char *methods)
{
    for (const char *p = methods; *(p += strspn(p, " ")) != '\0'; p += strcspn(p, " ")) {
        size_t len = strcspn(p, " ");
        if ((len == 9 && strncmp(p, "publickey", 9) == 0) ||
            (len == 3 && strncmp(p, "any", 3) == 0))
            return true;
    }
    return *methods == '\0';
}

static void ask_methods(struct inquiry *i)
{
    char value[VALUE_BYTES];
    struct admission_findings *f = &i->answer->findings;
    sshd_setting(&i->settings, "refuseconnection", value, sizeof(value)); /* from 9.9 on */
    if (strcmp(value, "yes") == 0) {
        finding_add(f, ADMISSION_SSHD, ADMISSION_REFUSES, "refuse_connection",
                    "RefuseConnection is 'yes' for '%s'", i->q->login);
        finding_why(f, "sshd then ends the connection before it looks at any key");
        finding_mend(f, "take it out: 'grep -rniw RefuseConnection %s/ssh/sshd_config*' finds it",
                     TUNLEASE_SYSCONFDIR);
    }
    sshd_setting(&i->settings, "pubkeyauthentication", value, sizeof(value));
    if (strcmp(value, "no") == 0) {
        finding_add(f, ADMISSION_SSHD, ADMISSION_REFUSES, "pubkey_authentication",
                    "PubkeyAuthentication is 'no' for '%s'", i->q->login);
        finding_why(f, "sshd then looks at no key");
        finding_mend(f, "%s", MEND_BLOCKS);
    }
    sshd_setting(&i->settings, "authenticationmethods", value, sizeof(value));
    if (!publickey_suffices(value)) {
        finding_add(f, ADMISSION_SSHD, ADMISSION_REFUSES, "authentication_methods",
                    "AuthenticationMethods is '%s' for '%s'", value, i->q->login);
        finding_why(f, "a key alone is then not enough, and a tunnel login has nothing else");
        finding_mend(f, "%s", MEND_BLOCKS);
    }
}

static void ask_chroot(struct inquiry *i)
{
    char value[VALUE_BYTES];
    struct admission_findings *f = &i->answer->findings;
    sshd_setting(&i->settings, "chrootdirectory", value, sizeof(value));
    if (value[0] == '\0' || strcmp(value, "none") == 0)
        return;
    finding_add(f, ADMISSION_SSHD, ADMISSION_NOT_ASKED, "chroot", "ChrootDirectory '%s'", value);
    finding_why(f, "sshd ends a login whose ChrootDirectory is not root's in every part");
    finding_mend(f, "%s", MEND_BLOCKS);
}

void ask_sshd_access(struct inquiry *i)
{
    for (size_t n = 0; n < sizeof(name_lists) / sizeof(name_lists[0]); n++)
        ask_name_list(i, &name_lists[n]);
    ask_methods(i);
    ask_chroot(i);
}
