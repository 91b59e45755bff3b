/* SPDX-License-Identifier: ISC */
/*
 * leasectl explain: says whether a key would be let in now, and may open its forward; if not, which
 * layer refuses it, and what mends that. What was not asked is said, too.
 */
#include "leasectl/admission/admission.h"
#include "leasectl/admission/refusal_log.h"
#include "leasectl/lease/key.h"
#include "leasectl/lease/terms.h"
#include "leasectl/show/json.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/lease/lease.h"
#include "lib/wire/json.h"

#include <bsd/string.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct question {
    struct admission_question asked;
    bool last;            /* the key that was last refused, from the system log */
    const char *key_file; /* without --last */
    struct lease_key key; /* base64 "": only the fingerprint is known (--last) */
};

/* ---- the answer ---- */

/* The finding that decides; NULL when the key is admitted. */
static const struct admission_finding *decisive(const struct admission_answer *a)
{
    const struct admission_finding *f = finding_first(&a->findings, ADMISSION_REFUSES);
    return f != NULL ? f : finding_first(&a->findings, ADMISSION_ELSEWHERE);
}

static bool is_not_asked(const struct admission_finding *f)
{
    return f->effect == ADMISSION_NOT_ASKED;
}

/* Adds the findings but the decisive one, those that were not asked or the others, as JSON. */
static int add_findings(const struct admission_answer *a, bool not_asked, struct buf *out)
{
    for (size_t i = 0; i < a->findings.count; i++) {
        const struct admission_finding *f = &a->findings.items[i];
        const struct json_field fields[] = {
            {.name = "layer", .text = admission_layer_name(f->layer)},
            {.name = "rule", .text = f->rule},
            {.name = "what", .text = buf_text_or(&f->what, "out of memory")},
            {.name = "why", .text = buf_text_or(&f->why, "out of memory")},
            {.name = "mend", .text = buf_text_or(&f->mend, "out of memory")},
        };
        if (f == decisive(a) || is_not_asked(f) != not_asked)
            continue;
        buf_add(out, out->len > 0 ? "," : "");
        if (json_object_line(fields, sizeof(fields) / sizeof(fields[0]), out) != 0)
            return -1;
    }
    return 0;
}

static int print_json(struct ctl *ctl, const struct question *q, const struct admission_answer *a)
{
    static const char *const verdicts[] = {"admitted", "refused", "not_known"};
    const struct admission_finding *f = decisive(a);
    const char *asked[ADMISSION_LAYER__MAX + 1] = {NULL};
    struct buf not_asked = {0}, also = {0};
    size_t n = 0;
    for (int layer = 0; layer < ADMISSION_LAYER__MAX; layer++)
        if (a->asked[layer])
            asked[n++] = admission_layer_name((enum admission_layer)layer);
    int rc = add_findings(a, true, &not_asked) | add_findings(a, false, &also);
    const struct json_field fields[] = {
        {.name = "login", .text = q->asked.login},
        {.name = "fingerprint", .text = q->key.pub.fingerprint},
        {.name = "admitted", .is_bool = true, .number = f == NULL},
        {.name = "verdict", .text = verdicts[admission_verdict(a)]},
        {.name = "layer", .text = f != NULL ? admission_layer_name(f->layer) : NULL},
        {.name = "rule", .text = f != NULL ? f->rule : "admitted"},
        {.name = "lease", .text = a->lease[0] != '\0' ? a->lease : NULL},
        {.name = "why", .text = buf_text_or(f != NULL ? &f->what : &a->admits, "out of memory")},
        {.name = "matters", .text = f != NULL ? buf_text_or(&f->why, "out of memory") : NULL},
        {.name = "mend", .text = f != NULL ? buf_text_or(&f->mend, "out of memory") : NULL},
        {.name = "line", .text = a->line.len > 0 ? buf_text(&a->line) : NULL},
        {.name = "asked", .texts = asked},
        {.name = "not_asked", .objects = not_asked.len > 0 ? buf_text(&not_asked) : ""},
        {.name = "also", .objects = also.len > 0 ? buf_text(&also) : ""},
    };
    int code = rc == 0 ? show_json_object(ctl, fields, sizeof(fields) / sizeof(fields[0]))
                       : ctl_error(ctl, EXIT_FAILED, "out of memory");
    buf_release(&not_asked);
    buf_release(&also);
    return code;
}

static void print_asked(const struct admission_answer *a)
{
    struct buf asked = {0};
    for (int layer = 0; layer < ADMISSION_LAYER__MAX; layer++)
        if (a->asked[layer])
            buf_addf(&asked, "%s%s", asked.len > 0 ? ", " : "",
                     admission_layer_name((enum admission_layer)layer));
    text_print(stdout, "asked: %s", buf_text_or(&asked, "out of memory"));
    for (size_t i = 0; i < a->findings.count; i++)
        if (is_not_asked(&a->findings.items[i]))
            text_print(stdout, "not asked: %s: %s (%s)",
                       admission_layer_name(a->findings.items[i].layer),
                       buf_text_or(&a->findings.items[i].what, "out of memory"),
                       buf_text_or(&a->findings.items[i].why, "out of memory"));
    buf_release(&asked);
}

static void print_finding(const char *verdict, const struct admission_finding *f)
{
    text_print(stdout, "%s: %s: %s", verdict, admission_layer_name(f->layer),
               buf_text_or(&f->what, "out of memory"));
    text_print(stdout, "  why: %s", buf_text_or(&f->why, "out of memory"));
    text_print(stdout, "  mend: %s", buf_text_or(&f->mend, "out of memory"));
}

static void print_text(const struct question *q, const struct admission_answer *a)
{
    const struct admission_finding *first = decisive(a);
    text_print(stdout, "login '%s', key %s", q->asked.login, q->key.pub.fingerprint);
    if (first == NULL)
        text_print(stdout, "admitted: %s", buf_text_or(&a->admits, "out of memory"));
    else
        print_finding(first->effect == ADMISSION_REFUSES ? "refused" : "not known", first);
    for (size_t i = 0; i < a->findings.count; i++) {
        const struct admission_finding *f = &a->findings.items[i];
        if (f == first || is_not_asked(f))
            continue;
        print_finding(f->effect == ADMISSION_ENDANGERS ? "warning" : "also", f);
    }
    print_asked(a);
    if (a->line.len > 0)
        text_print(stdout, "akc prints: %s", buf_text_or(&a->line, "out of memory"));
}

static int answer(struct ctl *ctl, struct question *q)
{
    struct admission_answer a;
    q->asked.key = &q->key.pub;
    int code = admission_ask(ctl, NULL, &q->asked, &a);
    if (code == EXIT_DONE) {
        size_t len = a.line.len;
        if (len > 0 && !a.line.failed && a.line.data[len - 1] == '\n')
            a.line.data[len - 1] = '\0';
        if (!ctl->json)
            print_text(q, &a);
        else
            code = print_json(ctl, q, &a);
        if (code == EXIT_DONE && admission_verdict(&a) != ADMISSION_IS_ADMITTED)
            code = EXIT_FAILED;
    }
    admission_answer_release(&a);
    return code;
}

/* ---- the question ---- */

/* No key was refused by akc. Perhaps none gets so far: then that is the answer. */
static int report_none_refused(struct ctl *ctl, const char *login, const char *looked_at)
{
    struct admission_findings found = {0};
    admission_ask_host(ctl, NULL, login, NULL, 0, &found);
    const struct admission_finding *f = finding_first(&found, ADMISSION_REFUSES);
    const char *readable = geteuid() != 0 ? " and you may read" : "";
    int code;
    if (f != NULL)
        code = ctl_error(
            ctl, EXIT_NO_SUCH,
            "akc refused no key on '%s' that %s still has%s, but every key is refused: "
            "%s: %s; mend: %s",
            login, looked_at, readable, admission_layer_name(f->layer),
            buf_text_or(&f->what, "out of memory"), buf_text_or(&f->mend, "out of memory"));
    else
        code = ctl_error(ctl, EXIT_NO_SUCH,
                         "akc refused no key on '%s' that %s still has%s: name the key, 'leasectl "
                         "explain %s --key FILE'",
                         login, looked_at, readable, login);
    findings_release(&found);
    return code;
}

static int find_last_refused(struct ctl *ctl, struct question *q)
{
    struct buf looked_at = {0};
    int code = EXIT_DONE;
    const char *login = q->asked.login;
    switch (refusal_log_last(login, q->key.pub.fingerprint, &looked_at)) {
    case SIGHT_IS:
        break;
    case SIGHT_IS_NOT:
        code = report_none_refused(ctl, login, buf_text_or(&looked_at, "out of memory"));
        break;
    case SIGHT_CANNOT_TELL:
        code = ctl_error(ctl, EXIT_FAILED,
                         "the last refused login on '%s' is not known: %s; %s'leasectl explain %s "
                         "--key FILE' needs no log",
                         login, buf_text_or(&looked_at, "out of memory"),
                         geteuid() != 0 ? "try sudo, or " : "", login);
        break;
    }
    buf_release(&looked_at);
    return code;
}

static int set_forward(struct ctl *ctl, struct question *q, enum admission_forward forward,
                       const char *typed)
{
    if (q->asked.forward != ADMISSION_NO_FORWARD)
        return ctl_usage(ctl, "explain takes one --open or one --listen");
    q->asked.forward = forward;
    q->asked.typed = typed;
    return terms_check_typed(ctl, forward == ADMISSION_OPEN ? "--open " : "--listen ", typed);
}

static int parse_option(struct ctl *ctl, struct question *q, int opt, const char *arg)
{
    struct source_list address;
    switch (opt) {
    case 'k':
        q->key_file = arg;
        return EXIT_DONE;
    case 'o':
        return set_forward(ctl, q, ADMISSION_OPEN, arg);
    case 'r':
        return set_forward(ctl, q, ADMISSION_LISTEN, arg);
    case 'a':
        if (source_list_parse(arg, &address) != NULL || strpbrk(arg, ",/") != NULL)
            return ctl_error(ctl, EXIT_USAGE, "--addr '%s' is no IPv4 or IPv6 address",
                             text_clip(arg).s);
        q->asked.addr = arg;
        return EXIT_DONE;
    case 'l':
        q->last = true;
        q->asked.login = arg;
        return EXIT_DONE;
    default:
        return EXIT_USAGE;
    }
}

static int parse_arguments(struct ctl *ctl, int argc, char **argv, struct question *q)
{
    static const struct option options[] = {
        {"key", required_argument, NULL, 'k'},    {"open", required_argument, NULL, 'o'},
        {"listen", required_argument, NULL, 'r'}, {"addr", required_argument, NULL, 'a'},
        {"last", required_argument, NULL, 'l'},   {NULL, 0, NULL, 0}};
    int opt, code = EXIT_DONE;

    while (code == EXIT_DONE && (opt = ctl_option(ctl, argc, argv, options)) != -1)
        code = parse_option(ctl, q, opt, optarg);
    if (code != EXIT_DONE)
        return code;
    if (!q->last && optind < argc)
        q->asked.login = argv[optind++];
    if (q->asked.login == NULL || optind != argc || q->last == (q->key_file != NULL) ||
        (q->last && q->asked.forward != ADMISSION_NO_FORWARD))
        return ctl_usage(ctl,
                         "explain takes LOGIN --key FILE [--open or --listen], or --last LOGIN");
    const char *problem = login_name_problem(q->asked.login);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "the login '%s' %s", text_clip(q->asked.login).s,
                         problem);
    return EXIT_DONE;
}

/* Which lease a key has says nothing of JoinLogin, and what mends another login would spoil this
 * one. */
static int refuse_join_login(struct ctl *ctl, const char *login)
{
    if (ctl->conf.join_login[0] == '\0' || strcmp(login, ctl->conf.join_login) != 0)
        return EXIT_DONE;
    return ctl_error(ctl, EXIT_USAGE,
                     "'%s' is JoinLogin, which asks for no lease: while an invite is open any key "
                     "may join there: see 'leasectl invite list' and 'leasectl doctor'",
                     login);
}

int cmd_explain(struct ctl *ctl, int argc, char **argv)
{
    struct question q = {.last = false};
    int code = parse_arguments(ctl, argc, argv, &q);
    if (code == EXIT_DONE)
        code = refuse_join_login(ctl, q.asked.login);
    if (code == EXIT_DONE)
        code = q.last ? find_last_refused(ctl, &q) : key_read_file(ctl, q.key_file, &q.key);
    return code == EXIT_DONE ? answer(ctl, &q) : code;
}
