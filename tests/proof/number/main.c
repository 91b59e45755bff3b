/* SPDX-License-Identifier: ISC */
#include "lib/base/number.h"

#include "tests/proof/any.h"

/* Of a longer text a sign and 20 digits decide: nothing behind them may be read. */
enum { DECIDES = LIE ? 4 : 21 };

static char room[DECIDES];

static void parse_unsigned(const char *s, size_t len)
{
    int64_t ret;
    if (number_parse(s, len, any_number(0, INT64_MAX), any_number(0, INT64_MAX), &ret))
        reached(taken);
    else
        reached(refused);
}

static void parse_signed(const char *s, size_t len)
{
    int64_t ret;
    if (number_parse_signed(s, len, &ret))
        reached(taken_signed);
    else
        reached(refused_signed);
}

/* Eva keeps "this byte" apart from "any other" only where they come one by one. */
static void parse(size_t len)
{
    char *s = room + DECIDES - len;
    size_t said = len < DECIDES ? len + LIE : any_size(DECIDES, ANY_BYTES);
    //@ loop unroll 5;
    for (int first = 0; first < 5; first++) {
        if (len > 0)
            s[0] = first == 0   ? any_of(CHAR_MIN, '-' - 1)
                   : first == 1 ? '-'
                   : first == 2 ? any_of('-' + 1, '0' - 1)
                   : first == 3 ? '0'
                                : any_of('0' + 1, CHAR_MAX);
        parse_unsigned(s, said);
        //@ loop unroll 3;
        for (int second = 0; second < 3; second++) {
            if (len > 1)
                s[1] = second == 0   ? any_of(CHAR_MIN, '0' - 1)
                       : second == 1 ? '0'
                                     : any_of('0' + 1, CHAR_MAX);
            if ((second == 0 && first != 1) || (first == 1 && len > 1))
                parse_signed(s, said);
        }
        if (len > 1)
            s[1] = any_byte();
    }
    if (len > 0)
        s[0] = any_byte();
}

int main(void)
{
    //@ loop unroll DECIDES + 1;
    for (size_t len = 0; len <= DECIDES; len++)
        parse(len);
    return 0;
}
