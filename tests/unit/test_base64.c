/* SPDX-License-Identifier: ISC */
/* Base64 as OpenSSH writes it: one spelling for each value, and the fingerprints of blobs. */
#include "lib/base/base64.h"

#include "tests/unit/helpers.h"

#include <netinet/in.h>
#include <resolv.h>

static void decodes(void **state)
{
    static const struct {
        const char *what, *text;
        long len;
        const char *bytes;
    } rows[] = {
        {"nothing", "", 0, ""},
        {"one byte", "Zg==", 1, "f"},
        {"two bytes", "Zm8=", 2, "fo"},
        {"three bytes", "Zm9v", 3, "foo"},
        {"four bytes", "Zm9vYg==", 4, "foob"},
        {"the whole alphabet's ends", "+/+/", 3, "\xfb\xff\xbf"},
        {"one digit", "Z", -1, NULL},
        {"two digits, no padding", "Zg", -1, NULL},
        {"one padding for two", "Zg=", -1, NULL},
        {"padding alone", "====", -1, NULL},
        {"two paddings alone", "==", -1, NULL},
        {"three paddings", "Z===", -1, NULL},
        {"padding in the middle", "Zg==Zg==", -1, NULL},
        {"padding, then a digit", "Zm=v", -1, NULL},
        {"four bits that the padding hides", "Zh==", -1, NULL},
        {"two bits that the padding hides", "Zm9=", -1, NULL},
        {"blank", "Zm 9", -1, NULL},
        {"line feed at the end", "Zm9v\n", -1, NULL},
        {"line feed inside", "Zm\n9", -1, NULL},
        {"URL alphabet", "-_-_", -1, NULL},
        {"a byte past ASCII", "Zm\xc3\xa9", -1, NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t out[8];
        long len = base64_decode(rows[i].text, strlen(rows[i].text), out, sizeof(out));
        CHECK(rows[i].what, len == rows[i].len);
        CHECK(rows[i].what, len <= 0 || memcmp(out, rows[i].bytes, (size_t)len) == 0);
    }
}

static void stays_within(void **state)
{
    uint8_t out[8];
    (void)state;
    memset(out, 0xa5, sizeof(out));
    assert_int_equal(base64_decode("Zm9vYmE=", 8, out, 5), 5);
    assert_int_equal(out[5], 0xa5);
    memset(out, 0xa5, sizeof(out));
    assert_int_equal(base64_decode("Zm9vYmE=", 8, out, 4), -1);
    assert_int_equal(out[4], 0xa5);
    assert_int_equal(base64_decode("Zg==", 4, out, 0), -1);
    /* Only len characters are read. */
    assert_int_equal(base64_decode("Zm9v!", 4, out, sizeof(out)), 3);
    assert_int_equal(base64_decode("Zm9\0", 4, out, sizeof(out)), -1);
}

/* libresolv's implementation gives the same. */
static void round_trip(void **state)
{
    (void)state;
    for (size_t len = 0; len < 200; len++) {
        uint8_t bytes[200], again[200];
        char text[300];
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)(i * 37 + len * 11);
        int written = b64_ntop(bytes, len, text, sizeof(text));
        assert_true(written >= 0);
        assert_int_equal(base64_decode(text, (size_t)written, again, sizeof(again)), len);
        assert_memory_equal(again, bytes, len);
    }
}

static void fingerprints(void **state)
{
    char out[FINGERPRINT_BYTES];
    (void)state;
    /* printf '' | openssl sha256 -binary | base64; the same of abc */
    fingerprint_of_blob(NULL, 0, out);
    CHECK_TEXT("nothing", out, "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU");
    fingerprint_of_blob((const uint8_t *)"abc", 3, out);
    CHECK_TEXT("abc", out, "SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0");
    assert_int_equal(strlen(out), FINGERPRINT_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes),
        cmocka_unit_test(stays_within),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(fingerprints),
    };
    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
