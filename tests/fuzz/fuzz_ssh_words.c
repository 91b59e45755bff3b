/* SPDX-License-Identifier: ISC */
/*
 * Words of ssh, some of which the far side chose: a line means the same whatever stands behind it
 * on other lines, and the last line of a text is the last one with anything in it.
 */
#include "tunnel-agent/ssh/message.h"

#include "tests/fuzz/fuzz.h"

/* The last line with anything but a line end, found from the front. */
static void last_line(const char *text, const char **ret, size_t *ret_len)
{
    *ret = text;
    *ret_len = 0;
    for (const char *s = text; *s != '\0';) {
        const size_t len = strcspn(s, "\r\n");
        if (len > 0) {
            *ret = s;
            *ret_len = len;
        }
        s += len;
        s += strspn(s, "\r\n");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *cut = fuzz_text(data, size),
         *lines = fuzz_text(data, size);
    const char *want;
    size_t len;
    for (char *line, *rest = lines; (line = strsep(&rest, "\n")) != NULL;) {
        const enum ssh_message message = sshmessage_parse(line);
        MUST(message >= SSH_MESSAGE_UNKNOWN && message <= SSH_MESSAGE_USAGE, text);
    }
    last_line(text, &want, &len);
    const char *last = sshmessage_last_line(cut);
    MUST(strlen(last) == len && memcmp(last, want, len) == 0, text);
    MUST(*last == '\0' || (last >= cut && last < cut + size), text);
    free(lines);
    free(cut);
    free(text);
    return 0;
}
