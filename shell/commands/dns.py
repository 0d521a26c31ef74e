"""The command that looks up names."""

# SPDX-License-Identifier: BSD-3-Clause

from shell.registry import command


@command("dns", "<host>", "resolve domain", waits=True)
async def dns(ctx, host):
    from shell import names

    return "[%s]\n" % " ".join(await names.resolve(host))
