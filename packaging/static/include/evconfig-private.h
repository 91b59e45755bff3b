/* SPDX-License-Identifier: ISC */
/* libevent includes it; what it would say is said on the compiler's command line. */
