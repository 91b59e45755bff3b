/* SPDX-License-Identifier: ISC */
/* empty: linked as akc is, and does nothing: what any such process costs on this machine. */
int main(void)
{
    return 0;
}
