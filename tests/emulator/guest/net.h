// SPDX-License-Identifier: BSD-3-Clause
// What init.c wants of the network card.

// Send to a TCP port of the host's, which sends it back. -> 0 or errno; bytes: how many came back as they were.
int net_echo(int port, unsigned *bytes);
