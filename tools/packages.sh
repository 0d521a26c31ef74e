#!/bin/sh
# Install the distribution packages that are missing, or print the command that does.
#
#     tools/packages.sh build|run|measure|test ...
#
# Plain sh, since on a fresh system python3 itself may be one of them. A package counts as there when the
# thing it is needed for is there, however it came. Installs as root, or through sudo.
set -eu
PATH=$PATH:/usr/sbin:/sbin  # where a user has not looked

missing=

# need PACKAGE TEST...: PACKAGE is missing unless TEST succeeds.
need() {
    package=$1
    shift
    case "$missing " in *" $package "*) return ;; esac  # another group needs it, too
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

links_libfuzzer() {
    echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | clang -x c -fsanitize=fuzzer,address,undefined -o /dev/null -
}

for group in "$@"; do
    case $group in
    build)
        need gcc command -v gcc
        need libc6-dev test -e /usr/include/stdio.h
        need make command -v make
        need git command -v git
        need gnu-efi test -e /usr/include/efi/efi.h
        need openssl command -v openssl
        need python3 command -v python3
        ;;
    run)
        need qemu-system-x86 command -v "${QEMU:-qemu-system-x86_64}"
        need python3 command -v python3
        ;;
    measure)
        need python3-venv python3 -c 'import ensurepip'
        ;;
    test)
        need mtools command -v mformat
        need gdb command -v gdb
        need clang command -v clang
        need libclang-rt-dev links_libfuzzer
        need openssh-client command -v ssh-keygen
        need openssh-client-ssh1 command -v ssh1
        need dropbear-bin command -v dbclient
        need iproute2 command -v ip
        need ethtool command -v ethtool
        need iputils-ping command -v ping
        need iputils-arping command -v arping
        need ndisc6 command -v ndisc6
        need tcpdump command -v tcpdump
        need curl command -v curl
        need chromium-headless-shell command -v chromium-headless-shell
        need socat command -v socat
        need dnsmasq-base command -v dnsmasq
        need wrk command -v wrk
        need python3-venv python3 -c 'import ensurepip'
        ;;
    *)
        echo "packages: there is no group $group; there are build, run, measure, test" >&2
        exit 2
        ;;
    esac
done

[ -n "$missing" ] || exit 0

command="apt-get install -y --no-install-recommends$missing"
if ! command -v apt-get >/dev/null; then
    echo "packages: this is no Debian system; install what Debian calls:$missing" >&2
    exit 1
elif [ "$(id -u)" = 0 ]; then
    root=
elif sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null; }; then
    root=sudo
else
    echo "packages: some are missing; as root, run: apt-get update && $command" >&2
    exit 1
fi

echo "packages: installing$missing"
export DEBIAN_FRONTEND=noninteractive
$root apt-get -qq -o DPkg::Lock::Timeout=300 update
# shellcheck disable=SC2086 # words are wanted
$root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
    install -y --no-install-recommends $missing >/dev/null
