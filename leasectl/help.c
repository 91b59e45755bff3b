/* SPDX-License-Identifier: ISC */
#include "leasectl/help.h"

#include "leasectl/usage.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/base/wrap.h"
#include "lib/conf/load.h"

#include <string.h>

enum { COLUMNS_MAX = 80 };

/* Prints text in lines behind head, which is `indent` columns wide. */
static void print_behind(FILE *to, const char *head, size_t indent, const char *text)
{
    const char *line;
    size_t bytes;
    while ((line = wrap_next_line(&text, COLUMNS_MAX - indent, &bytes)) != NULL) {
        (void)fprintf(to, "%-*s%.*s\n", (int)indent, head, (int)bytes, line);
        head = "";
    }
}

/* A paragraph of a help text, or the text of an item: "  --name VALUE  text". */
struct paragraph {
    struct text_clip head;
    size_t indent;
    struct buf text;
};

static void print_paragraph(struct paragraph *p)
{
    const char *text = buf_text(&p->text);
    if (text == NULL)
        (void)fputs("out of memory\n", stdout);
    else if (p->text.len == 0 && p->head.s[0] != '\0')
        (void)printf("%s\n", p->head.s);
    else
        print_behind(stdout, p->head.s, p->indent, text);
    buf_clear(&p->text);
    p->head.s[0] = '\0';
    p->indent = 0;
}

/* An item begins with two blanks, and has two or more before its text. */
static void begin_item(struct paragraph *p, const char *line, size_t len)
{
    size_t head = len;
    for (size_t i = 3; i + 1 < len && head == len; i++)
        if (line[i] == ' ' && line[i + 1] == ' ')
            head = i + strspn(line + i, " ");
    (void)snprintf(p->head.s, sizeof(p->head.s), "%.*s", (int)head, line);
    p->indent = head;
    buf_add_mem(&p->text, line + head, len - head);
}

/* The lines of a help text are filled anew: where they end in the source means nothing. */
static void print_filled(const char *help)
{
    struct paragraph p = {.indent = 0};
    const char *line;
    int bytes;
    while ((line = text_next_line(&help, &bytes)) != NULL) {
        size_t len = (size_t)bytes, blanks = strspn(line, " ");
        bool is_item = blanks == 2 && len > blanks;
        bool goes_on = blanks > 2 || (blanks == 0 && p.indent == 0);
        if (is_item || !goes_on || len == 0)
            print_paragraph(&p);
        if (is_item) {
            begin_item(&p, line, len);
        } else if (len == 0) {
            (void)putchar('\n');
        } else {
            buf_add(&p.text, p.text.len > 0 ? " " : "");
            buf_add_mem(&p.text, line + blanks, len - blanks);
        }
    }
    print_paragraph(&p);
    buf_release(&p.text);
}

void help_print_all(FILE *to)
{
    enum { TEXT_AT = 15 };
    struct buf summary = {0};
    (void)fputs("usage: leasectl [-c FILE] [--json] COMMAND [ARGUMENT...]\n\n"
                "SSH port forwards as leases. See 'leasectl help COMMAND' and leasectl(1).\n\n",
                to);
    for (const struct verb *v = verbs; v->name != NULL; v++) {
        struct text_clip head;
        buf_clear(&summary);
        buf_add_mem(&summary, v->help, strcspn(v->help, "\n"));
        (void)snprintf(head.s, sizeof(head.s), "  %s", v->name);
        print_behind(to, head.s, TEXT_AT, buf_text_or(&summary, ""));
    }
    buf_release(&summary);
    (void)fputs("\n  -c FILE      configuration (default " CONF_DEFAULT_FILE ")\n"
                "  --json       JSON in place of tables\n"
                "  --help, -h   this text; with a COMMAND, what that one does\n"
                "  --version    the version\n"
                "\nAll but -c may stand after COMMAND, too.\n",
                to);
}

void help_print_verb(const struct verb *v)
{
    usage_print(stdout, v);
    (void)putchar('\n');
    print_filled(v->help);
}

void help_print_version(void)
{
    (void)puts("leasectl (tunlease) " TUNLEASE_VERSION);
}
