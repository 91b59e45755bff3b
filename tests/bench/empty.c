/* SPDX-License-Identifier: ISC */
/* empty: linked as akc is, and does nothing: the cost of any such process on this machine. */
int main(void)
{
    return 0;
}
