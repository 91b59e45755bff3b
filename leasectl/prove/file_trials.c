/* SPDX-License-Identifier: ISC */
#include "leasectl/ctl_store.h"
#include "leasectl/host/matchblock.h"
#include "leasectl/host/sshd_settings.h"
#include "leasectl/prove/access.h"
#include "leasectl/prove/host_trials.h"
#include "lib/base/buf.h"
#include "leasectl/child.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = CONF_PATH_BYTES + 32, PATHS_MAX = 12, NOBODY = 65534 };

static const char leased_env[] = TUNLEASE_SYSCONFDIR "/tunlease/leased.env";

struct paths {
    char items[PATHS_MAX][PATH_BYTES];
    size_t count;
};

/* Only what is there: nobody can read what is not. */
static void add_path(struct paths *to, const char *path, const char *suffix)
{
    struct stat st;
    if (to->count == PATHS_MAX)
        return;
    (void)snprintf(to->items[to->count], PATH_BYTES, "%s%s", path, suffix);
    to->count += lstat(to->items[to->count], &st) == 0;
}

static void add_store(const struct ctl *ctl, struct paths *to)
{
    char dir[CONF_PATH_BYTES];
    ctl_store_directory(ctl, dir);
    add_path(to, dir, "");
    add_path(to, ctl->conf.paths.database, "");
    add_path(to, ctl->conf.paths.database, "-wal");
    add_path(to, ctl->conf.paths.database, "-shm");
}

static void add_registry(const struct ctl *ctl, struct paths *to)
{
    add_path(to, ctl->conf.paths.run_dir, "");
    add_path(to, ctl->conf.paths.run_dir, "/sessions");
    add_path(to, ctl->conf.paths.run_dir, "/lock");
}

static void add_keys(const struct ctl *ctl, struct paths *to)
{
    add_path(to, leased_env, "");
    if (ctl->conf.api_key_file[0] != '\0')
        add_path(to, ctl->conf.api_key_file, "");
}

/* None of paths may be read, or written, by user. */
static void try_paths(struct proof *p, const char *id, const struct user *user,
                      const struct paths *paths, int mode, const char *none)
{
    struct buf good = {0}, bad = {0}, unknown = {0};
    const char *verb = mode == R_OK ? "read" : "write";
    char what[128];
    (void)snprintf(what, sizeof(what), "uid %u%s%s%s", user->uid, user->name[0] != '\0' ? " (" : "",
                   user->name, user->name[0] != '\0' ? ")" : "");
    for (size_t i = 0; i < paths->count; i++) {
        const enum sight may = access_as(user, paths->items[i], mode);
        struct buf *to = may == SIGHT_IS ? &bad : may == SIGHT_IS_NOT ? &good : &unknown;
        buf_addf(to, "%s'%s'", to->len > 0 ? ", " : "", paths->items[i]);
    }
    if (bad.len > 0)
        proof_add(p, id, what, OUTCOME_FAIL, "may %s %s", verb, child_text(&bad));
    else if (unknown.len > 0)
        proof_add(p, id, what, OUTCOME_NOT_RUN, "it could not be asked about %s",
                  child_text(&unknown));
    else if (paths->count == 0)
        proof_add(p, id, what, OUTCOME_PASS, "%s", none);
    else
        proof_add(p, id, what, OUTCOME_PASS, "may not %s %s", verb, child_text(&good));
    buf_release(&good);
    buf_release(&bad);
    buf_release(&unknown);
}

/* The user that sshd runs akc as. */
static bool find_akc_user(struct proof *p, const struct sshd *sshd, struct user *ret)
{
    char name[64] = "";
    struct buf effective = {0};
    if (sshd != NULL && sshd_effective(sshd, p->ctl->conf.forward_login, &effective) == 0)
        sshd_setting(&effective, "authorizedkeyscommanduser", name, sizeof(name));
    buf_release(&effective);
    return user_find(name[0] != '\0' ? name : "_tunlease-akc", ret);
}

static void try_akc_user(struct proof *p, const struct sshd *sshd)
{
    struct paths written = {.count = 0}, keys = {.count = 0};
    struct user akc;
    if (!find_akc_user(p, sshd, &akc)) {
        proof_not_run(p, (const char *const[]){"akc-writes-nothing", "akc-reads-no-keys", NULL},
                      "there is no user that sshd would run akc as");
        return;
    }
    add_store(p->ctl, &written);
    add_registry(p->ctl, &written);
    add_keys(p->ctl, &keys);
    try_paths(p, "akc-writes-nothing", &akc, &written, W_OK, "there is no store");
    try_paths(p, "akc-reads-no-keys", &akc, &keys, R_OK,
              "there is no leased.env, and ApiKeyFile names none");
}

static void try_store_owner(struct proof *p)
{
    struct paths registry = {.count = 0};
    char dir[CONF_PATH_BYTES];
    struct stat st;
    ctl_store_directory(p->ctl, dir);
    add_registry(p->ctl, &registry);
    if (stat(dir, &st) != 0 || st.st_uid == 0) {
        proof_not_run(p, (const char *const[]){"registry-owner", NULL},
                      "the store's directory is root's, or is not there");
        return;
    }
    const struct user owner = {.uid = st.st_uid, .gid = st.st_gid};
    try_paths(p, "registry-owner", &owner, &registry, W_OK, "there is no registry");
}

static void try_stranger(struct proof *p)
{
    const struct user stranger = {.uid = NOBODY, .gid = NOBODY};
    struct paths secrets = {.count = 0};
    add_store(p->ctl, &secrets);
    add_registry(p->ctl, &secrets);
    add_keys(p->ctl, &secrets);
    try_paths(p, "strangers-read-nothing", &stranger, &secrets, R_OK, "there is no store");
}

static void try_programs(struct proof *p)
{
    const char *const paths[] = {MATCHBLOCK_AKC, TUNLEASE_PAMDIR "/pam_tunnel.so", SSHD_DROPIN,
                                 TUNLEASE_SYSCONFDIR "/ssh/sshd_config", ctl_conf_name(p->ctl)};
    char why[ACCESS_TEXT_BYTES];
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const enum sight others = access_by_others(paths[i], why);
        if (others == SIGHT_CANNOT_TELL)
            proof_add(p, "programs", paths[i], OUTCOME_NOT_RUN, "it is not there");
        else
            proof_judge(p, "programs", paths[i], others == SIGHT_IS ? why : NULL,
                        "only root can write it, and the directories above it");
    }
}

void try_files(struct proof *p, const struct sshd *sshd)
{
    proof_show_progress(p, "files");
    try_akc_user(p, sshd);
    try_store_owner(p);
    try_stranger(p);
    try_programs(p);
}
