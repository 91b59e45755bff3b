/* SPDX-License-Identifier: ISC */
/* tunnels.conf: a file is refused with a sentence, or its legs hold their limits; and the block
 * that a leg is written as is read as the same leg. */
#include "lib/base/buf.h"
#include "tunnel-agent/config/leg_text.h"
#include "tunnel-agent/config/tunnels_conf.h"

#include "tests/fuzz/fuzz.h"

static char dir[64], file[96];

static void remove_file(void)
{
    (void)unlink(file);
    (void)rmdir(dir);
}

static void write_file(const char *mem, size_t len)
{
    if (dir[0] == '\0') {
        fuzz_make_dir(dir);
        (void)snprintf(file, sizeof(file), "%s/tunnels.conf", dir);
        (void)atexit(remove_file);
    }
    fuzz_write_file(file, mem, len);
}

static void check_forward(const struct forward *f, const char *text)
{
    MUST(f->port != 0 && f->host_port != 0, text);
    MUST(f->bind[0] != '\0' && f->host[0] != '\0' && f->host[0] != '-', text);
    MUST(fuzz_is_plain(f->bind) && strchr(f->bind, ' ') == NULL, text);
    MUST(fuzz_is_plain(f->host) && strchr(f->host, ' ') == NULL, text);
}

/* What ssh gets as arguments is no option in place of a word, and has no control characters. */
static void check_leg(const struct leg *leg, const char *text)
{
    MUST(lease_name_problem(leg->name) == NULL || fuzz_is_plain(leg->name), text);
    MUST(leg->to != NULL && leg->to[0] != '\0' && leg->to[0] != '-', text);
    MUST(fuzz_is_harmless(leg->to), text);
    MUST(leg->ssh_option_count <= LEG_SSH_OPTIONS_MAX && leg->ssh_option_count % 2 == 0, text);
    for (size_t i = 0; i < leg->ssh_option_count; i += 2)
        MUST(leg->ssh_options[i][0] == '-' && leg->ssh_options[i][1] != '\0', text);
    MUST(leg->forward_count >= 1 && leg->forward_count <= LEG_FORWARDS_MAX, text);
    for (size_t i = 0; i < leg->forward_count; i++) {
        check_forward(&leg->forwards[i], text);
        for (size_t k = 0; k < i; k++)
            MUST(!forward_collides(&leg->forwards[i], &leg->forwards[k]), text);
    }
    MUST(leg->reverse == NULL && leg->identity == NULL && leg->config_file == NULL, text);
}

/* Written, read again, it is the same leg; and written again, the same text. */
static void check_again(const struct leg *leg, const char *text)
{
    struct buf once = {0}, twice = {0};
    struct tunnels_conf c;
    char why[TUNNELS_CONF_WHY_BYTES] = "";
    if (leg_text_add(leg, &once) == NULL) {
        write_file(buf_text(&once), once.len);
        MUST(tunnels_conf_read(file, &c, why) == 0, buf_text(&once));
        MUST(c.leg_count == 1 && leg_leads_alike(leg, &c.legs[0]), buf_text(&once));
        MUST(leg_text_add(&c.legs[0], &twice) == NULL, text);
        MUST(strcmp(buf_text(&once), buf_text(&twice)) == 0, buf_text(&twice));
        tunnels_conf_release(&c);
    }
    buf_release(&once);
    buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), why[TUNNELS_CONF_WHY_BYTES] = "";
    struct tunnels_conf c = {.legs = NULL};
    write_file(text, size);
    if (tunnels_conf_read(file, &c, why) != 0) {
        MUST(why[0] != '\0' && strlen(why) < sizeof(why), text); /* the log escapes it */
    } else {
        MUST(c.leg_count <= LEGS_MAX, text);
        for (size_t i = 0; i < c.leg_count; i++) {
            check_leg(&c.legs[i], text);
            check_again(&c.legs[i], text);
            for (size_t k = 0; k < i; k++)
                MUST(strcmp(c.legs[i].name, c.legs[k].name) != 0, text);
        }
        tunnels_conf_release(&c);
    }
    free(text);
    return 0;
}
