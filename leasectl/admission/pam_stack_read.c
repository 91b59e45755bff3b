/* SPDX-License-Identifier: ISC */
/* Reads the files of a stack: pam.conf(5), with `@include`, `include` and `substack`. */
#include "leasectl/admission/pam_stack.h"
#include "leasectl/host/textfile.h"
#include "lib/base/array.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { DEPTH_MAX = 16, STEPS_MAX = 1024, NAME_BYTES = 256 };

/* Where the reader is. */
struct reader {
    const char *type;
    struct pam_stack *stack;
    unsigned depth; /* of files that include each other */
    unsigned level;
};

static void read_file(const struct reader *r, const char *name);

static char *read_service(const char *name, char path[static NAME_BYTES])
{
    static const char *const folders[] = {TUNLEASE_SYSCONFDIR "/pam.d", "/usr/lib/pam.d"};
    if (*name == '/') {
        (void)snprintf(path, NAME_BYTES, "%s", name);
        return textfile_read(path);
    }
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        (void)snprintf(path, NAME_BYTES, "%s/%s", folders[i], name);
        char *text = textfile_read(path);
        if (text != NULL)
            return text;
    }
    return NULL;
}

/* Cuts the next word off *rest; one in brackets ends with them, and loses them. NULL: none. */
static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    if (*word == '\0')
        return NULL;
    size_t len = *word == '[' ? strcspn(word, "]") : strcspn(word, " \t");
    *rest = word + len;
    if (**rest != '\0')
        *(*rest)++ = '\0';
    return *word == '[' ? word + 1 : word;
}

/* The words of pam.conf(5) for four usual controls, as the actions that they stand for. */
static const char *actions_of(const char *control)
{
    static const struct {
        const char *word, *actions;
    } usual[] = {
        {"required", "success=ok new_authtok_reqd=ok ignore=ignore default=bad"},
        {"requisite", "success=ok new_authtok_reqd=ok ignore=ignore default=die"},
        {"sufficient", "success=done new_authtok_reqd=done default=ignore"},
        {"optional", "success=ok new_authtok_reqd=ok default=ignore"},
    };
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if (strcasecmp(control, usual[i].word) == 0)
            return usual[i].actions;
    return control;
}

static void add_step(const struct reader *r, const char *control, const char *module,
                     const char *args, const char *path, unsigned line)
{
    struct pam_stack *s = r->stack;
    struct pam_step *items = array_grow(s->items, s->count, &s->cap, sizeof(*items), STEPS_MAX);
    if (items == NULL) {
        (void)strlcpy(s->problem, "it is too long", sizeof(s->problem));
        return;
    }
    s->items = items;
    struct pam_step *step = &items[s->count++];
    *step = (struct pam_step){.level = r->level};
    (void)strlcpy(step->control, actions_of(control), sizeof(step->control));
    (void)strlcpy(step->written, control, sizeof(step->written));
    (void)strlcpy(step->module, module, sizeof(step->module));
    (void)strlcpy(step->file, path, sizeof(step->file));
    step->line = line;
    (void)strlcpy(step->args, args, sizeof(step->args));
    (void)snprintf(step->where, sizeof(step->where), "%.140s:%u", path, line);
}

static void read_line(const struct reader *r, char *text, const char *path, unsigned line)
{
    struct reader inner = *r;
    char *rest = text;
    text[strcspn(text, "#")] = '\0';
    char *type = next_word(&rest);
    if (type == NULL)
        return;
    inner.depth++;
    if (strcmp(type, "@include") == 0) {
        char *name = next_word(&rest);
        if (name != NULL)
            read_file(&inner, name);
        return;
    }
    type += *type == '-' ? 1 : 0; /* a missing module is not logged: no more than that */
    char *control = next_word(&rest), *module = control != NULL ? next_word(&rest) : NULL;
    if (strcasecmp(type, r->type) != 0 || module == NULL)
        return;
    if (strcasecmp(control, "include") == 0 || strcasecmp(control, "substack") == 0) {
        inner.level += strcasecmp(control, "substack") == 0 ? 1 : 0;
        read_file(&inner, module);
        return;
    }
    rest += strspn(rest, " \t");
    add_step(r, control, module, rest, path, line);
}

/* Joins lines that end with a backslash to the next one. A `\v` stays where one ended. */
static void join_lines(char *text)
{
    for (char *p = text; (p = strstr(p, "\\\n")) != NULL;) {
        p[0] = ' ';
        p[1] = '\v';
    }
}

/* Makes blanks of the ends of lines that were joined, and counts them. */
static unsigned count_joined(char *line)
{
    unsigned joined = 0;
    for (char *p = line; (p = strchr(p, '\v')) != NULL; joined++)
        *p = ' ';
    return joined;
}

static void read_file(const struct reader *r, const char *name)
{
    char path[NAME_BYTES];
    struct pam_stack *s = r->stack;
    unsigned line = 1;
    char *text = r->depth < DEPTH_MAX ? read_service(name, path) : NULL;
    if (text == NULL) {
        if (r->depth > 0) /* that a service has no file of its own is no error */
            (void)snprintf(s->problem, sizeof(s->problem), "'%.100s' cannot be read", name);
        return;
    }
    join_lines(text);
    char *rest = text;
    for (char *at; (at = strsep(&rest, "\n")) != NULL; line++) {
        const unsigned joined = count_joined(at);
        read_line(r, at, path, line);
        line += joined;
    }
    free(text);
}

void pam_stack_read(const char *service, const char *type, struct pam_stack *ret)
{
    const struct reader r = {.type = type, .stack = ret};
    *ret = (struct pam_stack){0};
    read_file(&r, service);
    if (ret->count == 0 && ret->problem[0] == '\0')
        read_file(&r, "other");
}

void pam_stack_release(struct pam_stack *stack)
{
    free(stack->items);
    *stack = (struct pam_stack){0};
}

void pam_module_name(const char *module, char *out, size_t out_bytes)
{
    const char *slash = strrchr(module, '/'), *base = slash != NULL ? slash + 1 : module;
    (void)strlcpy(out, base, out_bytes);
    char *suffix = strstr(out, ".so");
    if (suffix != NULL)
        *suffix = '\0';
}

bool pam_module_exists(const char *module)
{
    static const char *const folders[] = {TUNLEASE_PAMDIR, "/lib/security", "/usr/lib/security",
                                          "/lib64/security", "/usr/lib64/security"};
    char path[NAME_BYTES];
    if (*module == '/')
        return access(module, F_OK) == 0;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folders[i], module);
        if (access(path, F_OK) == 0)
            return true;
    }
    return false;
}
