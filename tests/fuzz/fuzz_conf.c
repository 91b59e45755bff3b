/* SPDX-License-Identifier: ISC */
/*
 * Configuration files. The strict reader returns a configuration, or problems. The login path's
 * reader ignores every line that is not Database or RunDir. After a line `%%` the rest of the input
 * is leased.env.
 */
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/base/keyword.h"
#include "lib/conf/load.h"

#include "tests/fuzz/fuzz.h"

#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], conf_file[80], env_file[80];

static void remove_files(void)
{
    (void)unlink(conf_file);
    (void)unlink(env_file);
    (void)rmdir(dir);
}

static void make_dir(void)
{
    if (dir[0] != '\0')
        return;
    fuzz_make_dir(dir);
    (void)snprintf(conf_file, sizeof(conf_file), "%s/conf", dir);
    (void)snprintf(env_file, sizeof(env_file), "%s/leased.env", dir);
    (void)atexit(remove_files);
}

static bool mentions(const char *line, size_t len, const char *word)
{
    size_t word_len = strlen(word);
    for (size_t i = 0; i + word_len <= len; i++)
        if (strncasecmp(line + i, word, word_len) == 0)
            return true;
    return false;
}

/* Copies only the lines that could be Database or RunDir. */
static void add_path_lines(const char *mem, size_t len, struct buf *out)
{
    for (size_t at = 0; at < len;) {
        const char *end = memchr(mem + at, '\n', len - at);
        size_t line_len = end != NULL ? (size_t)(end - mem) - at : len - at;
        if (mentions(mem + at, line_len, "Database") || mentions(mem + at, line_len, "RunDir")) {
            buf_add_mem(out, mem + at, line_len);
            buf_add(out, "\n");
        }
        at += line_len + 1;
    }
}

/* The answer is the same for the file and for one that has only the lines with Database or RunDir.
 */
static void check_login_path(const char *mem, size_t len)
{
    struct conf_paths paths = {.database = "untouched"}, alone = {.database = "untouched"};
    struct buf path_lines = {0};
    const char *problem = conf_paths_load(conf_file, &paths);

    if (memchr(mem, '\0', len) != NULL || len > KEYWORD_FILE_BYTES) {
        MUST(problem != NULL && strcmp(paths.database, "untouched") == 0, mem);
        return;
    }
    add_path_lines(mem, len, &path_lines);
    fuzz_write_file(conf_file, buf_text(&path_lines), path_lines.len);
    const char *problem_alone = conf_paths_load(conf_file, &alone);
    MUST((problem == NULL) == (problem_alone == NULL), mem);
    MUST(strcmp(paths.database, alone.database) == 0, mem);
    MUST(strcmp(paths.run_dir, alone.run_dir) == 0, mem);
    MUST(path_lines.len > 0 || problem == NULL, mem);
    if (problem == NULL)
        MUST(paths.database[0] == '/' && paths.run_dir[0] == '/', mem);
    else
        MUST(strcmp(paths.database, "untouched") == 0, mem);
    buf_release(&path_lines);
}

static void check_conf(const struct conf *c, const char *text)
{
    MUST(c->default_ttl_s > 0 && (c->max_ttl_s == 0 || c->default_ttl_s <= c->max_ttl_s), text);
    MUST(c->listen_count >= 1 && c->listen_count <= CONF_LISTENERS_MAX, text);
    MUST(c->api_key_count <= CONF_API_KEYS_MAX, text);
    MUST(c->public_port >= 1, text);
    MUST(c->paths.database[0] == '/' && c->paths.run_dir[0] == '/', text);
    MUST(fuzz_is_plain(c->public_host) && fuzz_is_plain(c->agent_bind_host), text);
    MUST(fuzz_is_plain(c->forward_login) && fuzz_is_plain(c->agent_login), text);
    MUST(strcmp(c->forward_login, c->agent_login) != 0, text);
    MUST(strcmp(c->ceiling.forward_login, c->forward_login) == 0, text);
    MUST(fuzz_is_harmless(c->contact), text);
    MUST(c->ceiling.open.count > 0 && c->ceiling.listen.count > 0, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    const char *separator = memmem(text, size, "\n%%\n", 4);
    size_t conf_len = separator != NULL ? (size_t)(separator - text) + 1 : size;
    struct conf c = {.listen_count = 0};
    struct buf problems = {0}, warnings = {0};

    make_dir();
    fuzz_write_file(conf_file, text, conf_len);
    if (separator != NULL)
        fuzz_write_file(env_file, separator + 4, size - conf_len - 3);
    else
        (void)unlink(env_file);
    if (conf_load(conf_file, &c, &problems, &warnings) == 0) {
        MUST(problems.len == 0, text);
        check_conf(&c, text);
        conf_release(&c);
    } else {
        const char *rest = buf_text(&problems), *line;
        MUST(rest != NULL && *rest != '\0', text);
        for (int len; (line = text_next_line(&rest, &len)) != NULL;)
            MUST(strncmp(line, dir, strlen(dir)) == 0 && line[len] == '\n', text);
        MUST(c.listen_count == 0, text);
    }
    MUST(warnings.len == 0 || warnings.data[warnings.len - 1] == '\n', text);
    buf_release(&problems);
    buf_release(&warnings);
    check_login_path(text, conf_len);
    free(text);
    return 0;
}
