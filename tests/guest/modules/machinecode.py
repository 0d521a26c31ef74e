"""Machine code of one's own, called by the Microsoft convention: put where functions compiled to machine code live, through their alias."""

import efi
import mem
import micropython

_ALIAS = 0x6000_0000_0000  # boot/exec.c
_CHUNK = 16 * 4096

CODE = {
    "cpuid": "5389c889d10fa241890041895804418948084189500c5bc3",  # push %rbx; mov %ecx,%eax; mov %edx,%ecx; cpuid; mov %eax,(%r8); mov %ebx,4(%r8); mov %ecx,8(%r8); mov %edx,12(%r8); pop %rbx; ret
    "in8": "89ca31c0ecc3",  # mov %ecx,%edx; xor %eax,%eax; in %dx,%al; ret
    "in32": "89caedc3",  # mov %ecx,%edx; in %dx,%eax; ret
    "out8": "89d089caeec3",  # mov %edx,%eax; mov %ecx,%edx; out %al,%dx; ret
    "outs": "564889d689ca4c89c1f36e4889f05ec3",  # push %rsi; mov %rdx,%rsi; mov %ecx,%edx; mov %r8,%rcx; rep outsb; mov %rsi,%rax; pop %rsi; ret
    "ins": "574889d789ca4c89c1f36c4889f85fc3",  # push %rdi; mov %rdx,%rdi; mov %ecx,%edx; mov %r8,%rcx; rep insb; mov %rdi,%rax; pop %rdi; ret
    "rdmsr": "0f3248c1e2204809d0c3",  # rdmsr; shl $32,%rdx; or %rdx,%rax; ret
    "load32": "8b01c3",  # mov (%rcx),%eax; ret
    "load8": "0fb601c3",  # movzbl (%rcx),%eax; ret
    "store32": "8911c3",  # mov %edx,(%rcx); ret
    "store_imm": "c70100000000c3",  # movl $0,(%rcx); ret
    "movs": "56574889ce4889d74c89c1f3a54889f85f5ec3",  # push %rsi; push %rdi; mov %rcx,%rsi; mov %rdx,%rdi; mov %r8,%rcx; rep movsl; mov %rdi,%rax; pop %rdi; pop %rsi; ret
    "movups": "0f10190f111ac3",  # movups (%rcx),%xmm3; movups %xmm3,(%rdx); ret
    "wbinvd": "0f09c3",  # wbinvd; ret
    "invd": "0f08c3",  # invd; ret
    "read_dr7": "0f21f8c3",  # mov %dr7,%rax; ret
    "write_dr7": "0f23f9c3",  # mov %rcx,%dr7; ret
    "wait": "4889c831c931d20f01c831c00f01c9c3",  # mov %rcx,%rax; xor %ecx,%ecx; xor %edx,%edx; monitor; xor %eax,%eax; mwait; ret
}


@micropython.native
def _compiled(x):
    return x + 1


def _place():
    """-> the end of a chunk of pages for code, which the compiler has not come to yet."""
    limit = mem.info()[0] + (1 << 31)
    for page in range(0x100000, limit, _CHUNK):
        if mem.attr(page) == "r-x" and mem.attr(page + _ALIAS) == "rw-":
            while mem.attr(page + 4096) == "r-x" and mem.attr(page + 4096 + _ALIAS) == "rw-":
                page += 4096
            return page + 4096
    raise OSError("no machine code anywhere")


_end = None


def call(name, *args):
    """Run one of CODE -> RAX."""
    global _end
    _end = _end or _place()
    code = bytes.fromhex(CODE[name])
    at = _end - 64
    for i, byte in enumerate(code):
        mem.w8(at + _ALIAS + i, byte)
    return efi.call(at, *args)
