"""Commands about AMD SEV-SNP: what the guest knows of itself, and what it asks the secure processor for."""

# SPDX-License-Identifier: BSD-3-Clause

from shell.registry import KEYED, CommandError, command


@command("sev", "(verbose)?", "AMD SEV-SNP information")
def sev(ctx, verbose):
    from shell import sevinfo
    from shell.table import table

    return table(sevinfo.rows(verbose), sevinfo.WIDTH)


@command(
    "sev-kdf",
    "...",
    "AMD SEV-SNP key derivation",
    options="(root <root>)? (key <key>)? (fields <fields>)? (vmpl <vmpl>)? (svn <svn>)? (tcb <hex>)? (mit <hex>)?",
)
def sev_kdf(ctx, root, key, fields, vmpl, svn, tcb, mit):
    """root: chip or vmrk. fields: a list with commas of policy, image-id, family-id, measurement, guest-svn, tcb, launch-mit, or none."""
    from shell import sevargs, snp

    guest = snp.guest()
    return _key_text(guest.derive(guest.key_request(**sevargs.key_request(root, key, fields, vmpl, svn, tcb, mit))))


@command(
    "sev-report",
    "(raw|verify|json|full)? ...",
    "AMD SEV-SNP attestation report",
    waits=True,
    options="(ssh)? (ext)? (vmpl <vmpl>)? (key <key>)? (data <hex>)? (file <path>)?",
)
async def sev_report(ctx, form, ssh, ext, vmpl, key, data, path):
    """Its report data: random, or up to 64 bytes, or the SHA-512 of a file; ssh: the host key's SHA-256 and up to 32 bytes."""
    from shell import sevargs, sevreport, snp

    guest = snp.guest()
    if (path is not None or data is not None and not ssh) and not ctx.trusted:
        raise CommandError(KEYED)  # or the host could have us vouch for a key of its own
    report = ctx.foreground(sevreport.Asked, guest, form, ssh, ext, sevargs.vmpl(vmpl), sevargs.key(key), data, path)
    if form == "verify":
        from shell import attest

        return report.text() + "\n" + await attest.judge(ctx, report)
    return {"raw": report.raw, "json": report.json, "full": report.full}.get(form, report.text)()


@command("sev-tsc", "", "AMD SEV-SNP TSC information")
def sev_tsc(ctx):
    from shell import sevinfo, snp
    from shell.table import table

    info = snp.guest().tsc_info()
    rows = (("Guest TSC Scale", info.scale), ("Guest TSC Offset", info.offset), ("TSC Factor", info.factor))
    return table(rows, sevinfo.WIDTH)


def _key_text(key):
    """-> what is shown of a derived key, which is wiped: in a hardened build only by what it can be told from others."""
    import crypto
    from _repl import HARDENED

    try:
        if not HARDENED:
            return key.hex() + "\n"
        mark = crypto.hkdf(256, key, b"", b"keelback/key-mark/v1/", 8).hex()
        return "derived, not shown by a hardened build; mark %s (programs: shell.snp.guest().derive())\n" % mark
    finally:
        crypto.wipe(key)
