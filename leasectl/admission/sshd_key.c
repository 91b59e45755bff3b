/* SPDX-License-Identifier: ISC */
/* Does this sshd take such a key, and whom does it ask whether the key may log in? */
#include "leasectl/admission/inquiry.h"
#include "leasectl/admission/pattern.h"
#include "leasectl/child.h"
#include "leasectl/host/matchblock.h"
#include "leasectl/host/sshd_settings.h"
#include "leasectl/host/textfile.h"
#include "lib/base/number.h"
#include "lib/lease/ssh_string.h"

#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_BYTES = 4096, PATH_BYTES = 1024, REVOKED_MS = 5000 };

static bool is_sk(const struct pubkey *key)
{
    return strncmp(key->type, "sk-", 3) == 0;
}

/* ---- the kind of key ---- */

/* Before 9.5, sshd tells a client every algorithm that it knows, not those that it accepts. ssh
 * then signs with the first, rsa-sha2-512, and tries no other (docs/sshd-facts.md 20). */
static bool client_finds_rsa_256(const struct inquiry *i)
{
    return i->version.major > 9 || (i->version.major == 9 && i->version.minor >= 5);
}

/* The algorithm that the key lacks; NULL: sshd takes it. */
static const char *missing_algorithm(const struct inquiry *i, const struct pubkey *key,
                                     const char *list)
{
    if (strcmp(key->type, "ssh-rsa") != 0)
        return pattern_list_matches(key->type, list) ? NULL : key->type;
    if (pattern_list_matches("rsa-sha2-512", list) ||
        (client_finds_rsa_256(i) && pattern_list_matches("rsa-sha2-256", list)))
        return NULL;
    return "rsa-sha2-512"; /* an RSA key signs with SHA-2, by another name than its type's */
}

static void ask_algorithms(struct inquiry *i, const struct pubkey *key)
{
    char list[VALUE_BYTES];
    struct admission_findings *f = &i->answer->findings;
    sshd_setting(&i->settings, "pubkeyacceptedalgorithms", list, sizeof(list));
    if (list[0] == '\0') /* before 8.5 */
        sshd_setting(&i->settings, "pubkeyacceptedkeytypes", list, sizeof(list));
    const char *missing = list[0] != '\0' ? missing_algorithm(i, key, list) : NULL;
    if (missing == NULL)
        return;
    finding_add(f, ADMISSION_SSHD, ADMISSION_REFUSES, "accepted_algorithms",
                "PubkeyAcceptedAlgorithms has no %s", missing);
    finding_why(f, "sshd then refuses %s keys as ssh offers them", key->type);
    finding_mend(f,
                 "add the line 'PubkeyAcceptedAlgorithms +%s' before the first Match line in "
                 "place of the one that is in force, or give the holder a lease for a key of "
                 "another type",
                 missing);
}

/* The length of the modulus in bits; 0: key is no RSA key. */
static unsigned rsa_bits(const struct pubkey *key)
{
    uint8_t blob[PUBKEY_BLOB_BYTES];
    long len = base64_decode(key->base64, strlen(key->base64), blob, sizeof(blob));
    struct ssh_span rest = {blob, len > 0 ? (size_t)len : 0}, field = {NULL, 0};
    if (strcmp(key->type, "ssh-rsa") != 0)
        return 0;
    for (unsigned n = 0; n < 3; n++) /* the type, the exponent, the modulus */
        if (!ssh_string_next(&rest, &field))
            return 0;
    return ssh_number_bits(&field);
}

static void ask_rsa_size(struct inquiry *i, const struct pubkey *key)
{
    char value[32];
    int64_t least = 0;
    struct admission_findings *f = &i->answer->findings;
    unsigned bits = rsa_bits(key);
    sshd_setting(&i->settings, "requiredrsasize", value, sizeof(value));
    if (bits == 0 || !number_parse(value, strlen(value), 0, INT32_MAX, &least) ||
        bits >= (unsigned)least)
        return;
    finding_add(f, ADMISSION_SSHD, ADMISSION_REFUSES, "rsa_size",
                "RequiredRSASize is %s, and the key has %u bits", value, bits);
    finding_why(f, "sshd refuses every RSA key below it");
    finding_mend(f, "give the holder a lease for another key, or set 'RequiredRSASize %u'", bits);
}

/* What sshd asks of a key in hardware cannot be seen in its public half. */
static void ask_hardware(struct inquiry *i, const struct pubkey *key)
{
    char value[128];
    struct admission_findings *f = &i->answer->findings;
    if (!is_sk(key))
        return;
    sshd_setting(&i->settings, "pubkeyauthoptions", value, sizeof(value));
    bool verify = strstr(value, "verify-required") != NULL;
    finding_add(f, ADMISSION_SSHD, verify ? ADMISSION_ENDANGERS : ADMISSION_NOT_ASKED,
                "pubkey_auth_options", "%s%s",
                verify ? "PubkeyAuthOptions is verify-required, and a lease has a key in hardware"
                       : "what the holder's hardware signs",
                verify ? "" : " (the key is of type sk-)");
    finding_why(f, verify ? "sshd refuses such a key unless it was made with 'ssh-keygen -O "
                            "verify-required', and a person enters a PIN at each login: no "
                            "unattended tunnel comes back by itself"
                          : "sshd refuses a key that was made with 'ssh-keygen -O "
                            "no-touch-required', and its public half does not show that");
    finding_mend(f, verify ? "set 'PubkeyAuthOptions none', or give the holder a lease for a key "
                             "without hardware"
                           : "ask the holder for the output of 'ssh -v'");
}

/* ---- RevokedKeys ---- */

/* True if a line of text has the key, whatever stands before and behind it. */
static bool text_has_key(const char *text, const struct pubkey *key)
{
    size_t len = strlen(key->base64);
    for (const char *at = text; (at = strstr(at, key->base64)) != NULL; at += len) {
        const char *line = at;
        while (line > text && line[-1] != '\n')
            line--;
        if (line[strspn(line, " \t")] != '#' && at > text && (at[-1] == ' ' || at[-1] == '\t') &&
            strchr(" \t\r\n", at[len]) != NULL) /* also the NUL at the end */
            return true;
    }
    return false;
}

/* A key revocation list of ssh-keygen(1), which only OpenSSH's own tool reads. */
static enum sight is_in_krl(const char *path, const struct pubkey *key)
{
    char line[PUBKEY_BASE64_BYTES + PUBKEY_TYPE_BYTES + 4];
    const char *const argv[] = {"ssh-keygen", "-Q", "-f", path, "/dev/stdin", NULL};
    struct child c;
    (void)snprintf(line, sizeof(line), "%s %s\n", key->type, key->base64);
    int status = child_run(&c, argv, NULL, line, REVOKED_MS);
    bool said = strstr(child_text(&c.out_text), "REVOKED") != NULL;
    child_release(&c);
    return status == 0 ? SIGHT_IS_NOT : status == 1 && said ? SIGHT_IS : SIGHT_CANNOT_TELL;
}

static void ask_revoked(struct inquiry *i, const struct pubkey *key)
{
    char path[PATH_BYTES];
    struct admission_findings *f = &i->answer->findings;
    sshd_setting(&i->settings, "revokedkeys", path, sizeof(path));
    if (path[0] == '\0' || strcmp(path, "none") == 0)
        return;
    char *text = textfile_read(path);
    if (text == NULL) {
        finding_add(f, ADMISSION_SSHD, ADMISSION_REFUSES, "revoked_keys",
                    "RevokedKeys names '%s', which cannot be read", path);
        finding_why(f, "sshd then counts every key as revoked");
        finding_mend(f, "install -m 0644 /dev/null %s", path);
        return;
    }
    enum sight sight = SIGHT_IS_NOT;
    if (key->base64[0] == '\0')
        sight = SIGHT_CANNOT_TELL;
    else if (strncmp(text, "SSHKRL", 6) == 0)
        sight = is_in_krl(path, key);
    else if (text_has_key(text, key))
        sight = SIGHT_IS;
    else if (strlen(text) >= TEXTFILE_BYTES_MAX) /* the rest was not read */
        sight = SIGHT_CANNOT_TELL;
    free(text);
    if (sight == SIGHT_IS) {
        finding_add(f, ADMISSION_SSHD, ADMISSION_REFUSES, "revoked_keys",
                    "the key stands in '%s' (RevokedKeys)", path);
        finding_why(f, "sshd refuses it, whatever the lease says");
        finding_mend(f, "give the holder a lease for another key, or take this one out of '%s'",
                     path);
    } else if (sight == SIGHT_CANNOT_TELL) {
        finding_add(f, ADMISSION_SSHD, ADMISSION_NOT_ASKED, "revoked_keys",
                    "whether '%s' (RevokedKeys) has the key", path);
        finding_why(f, "sshd refuses the keys in it");
        finding_mend(f, "ssh-keygen -Q -f %s KEY.pub", path);
    }
}

/* ---- who says that the key may log in ---- */

/* Expands the tokens that sshd knows in AuthorizedKeysFile. */
static void expand_path(const char *pattern, const struct passwd *pw, char out[static PATH_BYTES])
{
    struct buf path = {0};
    if (*pattern != '/' && strncmp(pattern, "%h", 2) != 0)
        buf_addf(&path, "%s/", pw->pw_dir);
    for (const char *p = pattern; *p != '\0'; p++) {
        if (*p != '%' || p[1] == '\0')
            buf_add_mem(&path, p, 1);
        else if (*++p == 'h')
            buf_add(&path, pw->pw_dir);
        else if (*p == 'u')
            buf_add(&path, pw->pw_name);
        else if (*p == 'U')
            buf_addf(&path, "%u", (unsigned)pw->pw_uid);
        else
            buf_add_mem(&path, p, 1);
    }
    (void)snprintf(out, PATH_BYTES, "%s", buf_text_or(&path, ""));
    buf_release(&path);
}

static void ask_key_file(struct inquiry *i, const char *pattern, const struct pubkey *key)
{
    char path[PATH_BYTES];
    struct admission_findings *f = &i->answer->findings;
    const struct passwd *pw = getpwnam(i->q->login);
    if (pw == NULL)
        return;
    expand_path(pattern, pw, path);
    char *text = textfile_read(path);
    if (text != NULL && key->base64[0] != '\0' && text_has_key(text, key)) {
        finding_add(f, ADMISSION_SSHD, ADMISSION_ELSEWHERE, "authorized_keys_file",
                    "'%s' has the key, and sshd reads it before it asks akc", path);
        finding_why(f, "the options there hold for the login, and not those of the lease");
        finding_mend(f, "take the key out of '%s'; %s", path, MEND_BLOCKS);
    }
    free(text);
}

static void ask_key_files(struct inquiry *i, const struct pubkey *key)
{
    char value[VALUE_BYTES], word[PATH_BYTES];
    sshd_setting(&i->settings, "authorizedkeysfile", value, sizeof(value));
    for (const char *p = value; *(p += strspn(p, " ")) != '\0'; p += strcspn(p, " ")) {
        (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(p, " "), p);
        if (strcmp(word, "none") != 0)
            ask_key_file(i, word, key);
    }
}

static void ask_command(struct inquiry *i)
{
    char command[VALUE_BYTES], user[128];
    struct admission_findings *f = &i->answer->findings;
    sshd_setting(&i->settings, "authorizedkeyscommand", command, sizeof(command));
    sshd_setting(&i->settings, "authorizedkeyscommanduser", user, sizeof(user));
    bool is_none = command[0] == '\0' || strcmp(command, "none") == 0;
    if (is_none) {
        finding_add(f, ADMISSION_SSHD, ADMISSION_REFUSES, "keys_command",
                    "there is no AuthorizedKeysCommand for '%s'", i->q->login);
        finding_why(f, "sshd then never asks akc, so no lease admits anybody");
        finding_mend(f, "%s", MEND_BLOCKS);
    } else if (!matchblock_asks_akc(&i->settings)) {
        finding_add(f, ADMISSION_SSHD, ADMISSION_ELSEWHERE, "keys_command",
                    "sshd asks '%s' (AuthorizedKeysCommand) for '%s', and not akc", command,
                    i->q->login);
        finding_why(f, "what that command prints decides, and no lease does");
        finding_mend(f, "%s", MEND_BLOCKS);
    } else if (getpwnam(user) == NULL) {
        finding_add(f, ADMISSION_SSHD, ADMISSION_REFUSES, "keys_command",
                    "AuthorizedKeysCommandUser '%s' is no account on this host", user);
        finding_why(f, "sshd then does not run akc, and refuses every key");
        finding_mend(f, "%s", MEND_BLOCKS);
    }
}

void ask_sshd_key(struct inquiry *i)
{
    const struct pubkey *key = i->q->key;
    if (key != NULL && key->type[0] != '\0') {
        ask_algorithms(i, key);
        ask_rsa_size(i, key);
        ask_hardware(i, key);
    }
    if (key != NULL) {
        ask_revoked(i, key);
        ask_key_files(i, key);
    }
    ask_command(i);
}
