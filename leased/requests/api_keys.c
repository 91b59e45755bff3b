/* SPDX-License-Identifier: ISC */
#include "leased/requests/api_keys.h"

#include "lib/base/buf.h"
#include "lib/conf/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int add_key(struct api_keys *keys, const char *key, const char *from,
                   char err[static CONF_ERROR_BYTES], struct buf *warnings)
{
    if (strcmp(key, "change-me") == 0) {
        (void)snprintf(err, CONF_ERROR_BYTES,
                       "%s: the enrolment key is 'change-me': make one with 'openssl rand -hex 32'",
                       from);
        return -1;
    }
    if (keys->count == API_KEYS_MAX) {
        (void)snprintf(err, CONF_ERROR_BYTES, "%s: more than %d enrolment keys", from,
                       API_KEYS_MAX);
        return -1;
    }
    if (strlen(key) < API_KEY_SHORT)
        buf_addf(warnings, "%s: an enrolment key has fewer than %d characters: it can be guessed\n",
                 from, API_KEY_SHORT);
    secret_hash(key, keys->hashes[keys->count++]);
    return 0;
}

static int load_file(const char *path, struct api_keys *keys, char err[static CONF_ERROR_BYTES],
                     struct buf *warnings)
{
    char line[1024];
    struct stat st;
    int rc = 0;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (f == NULL) {
        (void)snprintf(err, CONF_ERROR_BYTES, "ApiKeyFile '%s': %s", path, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    const char *problem = "cannot be looked at";
    if (fstat(fd, &st) == 0)
        problem = keyfile_trust_problem(&st) != NULL ? keyfile_trust_problem(&st)
                                                     : keyfile_secrecy_problem(&st);
    if (problem != NULL) {
        (void)snprintf(err, CONF_ERROR_BYTES, "ApiKeyFile '%s': it %s: %s", path, problem,
                       keyfile_mend);
        rc = -1;
    }
    while (rc == 0 && fgets(line, sizeof(line), f) != NULL) {
        char *key = line + strspn(line, " \t");
        key[strcspn(key, " \t\r\n")] = '\0';
        if (*key != '\0' && *key != '#')
            rc = add_key(keys, key, path, err, warnings);
    }
    explicit_bzero(line, sizeof(line));
    (void)fclose(f);
    return rc;
}

int api_keys_load(const struct conf *conf, struct api_keys *ret, char err[static CONF_ERROR_BYTES],
                  struct buf *warnings)
{
    struct api_keys keys = {.count = 0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < conf->api_key_count; i++)
        rc = add_key(&keys, conf->api_keys[i], "API_KEY", err, warnings);
    if (rc == 0 && conf->api_key_file[0] != '\0')
        rc = load_file(conf->api_key_file, &keys, err, warnings);
    if (rc == 0)
        *ret = keys;
    return rc;
}

bool api_keys_have(const struct api_keys *keys, const uint8_t hash[static SECRET_HASH_BYTES])
{
    bool found = false;
    for (size_t i = 0; i < keys->count; i++) /* compares with all, so that the time tells nothing */
        found = secret_equal(keys->hashes[i], hash) || found;
    return found;
}
