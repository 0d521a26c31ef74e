// SPDX-License-Identifier: BSD-3-Clause
// Process 1 of the Linux that judges the emulator: asks the secure processor through the kernel's driver sev-guest, prints what
// came as "@NAME RESULT FIRMWARE HYPERVISOR HEX", one line each, and turns the machine off.
//
// RESULT is 0 or errno; FIRMWARE and HYPERVISOR are the halves of EXITINFO2 that the driver hands on. /modules: kernel modules to
// load first, one path a line, each behind those that it needs; /port: a TCP port of the host's that echoes. Source: Linux, Documentation/virt/coco/sev-guest.rst and
// Documentation/ABI/testing/configfs-tsm; the messages are those of the firmware's ABI (56860), chapter 7.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net.h"

#define ALL_FIELDS 0x3f
#define MEASUREMENT_FIELD 8
#define CERTS_MAX 0x4000
#define MANY 24
#define READ_ALL 3  // of syslog(2)
#define CONSOLE_OFF 6
#define WARNING '4'
#define TSM "/sys/kernel/config/tsm/report/judge"

// ---- the driver's interface, as its documentation has it
typedef struct { uint8_t user_data[64]; uint32_t vmpl; uint8_t reserved[28]; } report_request_t;
typedef struct { report_request_t report; uint64_t certs_address; uint32_t certs_len; } ext_request_t;
typedef struct { uint32_t root_key_select, reserved; uint64_t field_select; uint32_t vmpl, guest_svn; uint64_t tcb_version; } key_request_t;
typedef struct { uint8_t version; uint64_t request, response; uint32_t firmware, hypervisor; } call_t;
#define GET_REPORT _IOWR('S', 0, call_t)
#define GET_DERIVED_KEY _IOWR('S', 1, call_t)
#define GET_EXT_REPORT _IOWR('S', 2, call_t)

static int device;
static uint8_t answer[4000], certs[CERTS_MAX];

static void print_hex(const uint8_t *data, size_t len) {
    for (size_t i = 0; i < len; i++) {
        printf("%02x", data[i]);
    }
}

static void call(const char *name, unsigned long code, void *request, size_t len) {
    call_t c = {.version = 1, .request = (uintptr_t)request, .response = (uintptr_t)answer, .firmware = ~0u};
    memset(answer, 0, sizeof(answer));
    int result = ioctl(device, code, &c) == 0 ? 0 : errno;
    printf("@%s %d %#x %#x ", name, result, c.firmware, c.hypervisor);
    print_hex(answer, result == 0 ? len : 0);
    printf("\n");
    fflush(stdout);
}

#define REPORT_LEN (0x20 + 0x4a0)
static void report(const char *name, uint8_t first, uint32_t vmpl) {
    report_request_t r = {.vmpl = vmpl};
    for (size_t i = 0; i < sizeof(r.user_data); i++) {
        r.user_data[i] = first + i;
    }
    call(name, GET_REPORT, &r, REPORT_LEN);
}

static uint32_t ext_report(const char *name, uint32_t room) {
    ext_request_t r = {.certs_address = (uintptr_t)certs, .certs_len = room};
    memset(r.report.user_data, 0xe7, sizeof(r.report.user_data));
    call(name, GET_EXT_REPORT, &r, REPORT_LEN);
    printf("@%s-len 0 0 0 %08x\n", name, r.certs_len);
    return r.certs_len;
}

static void key(const char *name, uint32_t root, uint64_t fields, uint32_t vmpl) {
    key_request_t r = {.root_key_select = root, .field_select = fields, .vmpl = vmpl};
    call(name, GET_DERIVED_KEY, &r, 64);
}

// Everything that the driver's ioctls offer, and what they must refuse; a refusal costs no later request.
static void ask_all(void) {
    report("report", 0, 0);
    uint32_t len = ext_report("ext-small", 0);
    ext_report("ext", len > 0 && len <= CERTS_MAX ? len : CERTS_MAX);
    printf("@certs 0 0 0 ");
    print_hex(certs, len <= CERTS_MAX ? len : 0);
    printf("\n");
    key("key", 0, ALL_FIELDS, 0);
    key("key-again", 0, ALL_FIELDS, 0);
    key("key-measurement", 0, MEASUREMENT_FIELD, 0);
    key("key-vmrk", 1, ALL_FIELDS, 0);
    key("key-vmpl", 0, ALL_FIELDS, 2);
    report("report-vmpl", 0x40, 3);
    report("report-bad-vmpl", 0x40, 4);
    report("report-last", 0x80, 0);
}

// More reports, until the driver gives up; then whether it goes on.
static void ask_many(void) {
    report_request_t r = {.user_data = "many"};
    int done = 0;
    for (call_t c; done < MANY; done++) {
        c = (call_t){.version = 1, .request = (uintptr_t)&r, .response = (uintptr_t)answer};
        if (ioctl(device, GET_REPORT, &c) != 0) {
            break;
        }
    }
    printf("@many %d %d 0 \n", done == MANY ? 0 : errno, done);
    report("after-many", 0, 0);
}

// What the kernel said about its protection and about the driver, and its warnings.
static void print_log(void) {
    static char text[1 << 18];
    int len = klogctl(READ_ALL, text, sizeof(text) - 1);
    text[len < 0 ? 0 : len] = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if ((line[0] == '<' && line[1] <= WARNING) || strcasestr(line, "sev") != NULL || strstr(line, "Memory Encryption") != NULL) {
            printf("# %s\n", line);
        }
    }
}

static void write_file(const char *path, const void *data, size_t len) {
    int fd = open(path, O_WRONLY);
    if (fd < 0 || write(fd, data, len) != (ssize_t)len) {
        perror(path);
    }
    close(fd);
}

static void print_file(const char *name, const char *path, size_t max) {
    int fd = open(path, O_RDONLY), result = fd < 0 ? errno : 0;
    ssize_t n = 0, got = 0;
    while (fd >= 0 && (got = read(fd, certs + n, sizeof(certs) - n)) > 0) {
        n += got;
    }
    printf("@%s %d 0 0 ", name, got < 0 ? errno : result);
    print_hex(certs, (size_t)n < max ? (size_t)n : max);
    printf("\n");
    close(fd);
}

// The way of today: a folder in configfs.
static void ask_tsm(void) {
    uint8_t data[64];
    memset(data, 0x5c, sizeof(data));
    if (mkdir(TSM, 0700) != 0) {
        perror(TSM);
        return;
    }
    write_file(TSM "/inblob", data, sizeof(data));
    print_file("tsm", TSM "/outblob", sizeof(certs));
    print_file("tsm-certs", TSM "/auxblob", sizeof(certs));
}

// Each processor has a GHCB of its own: ask from each.
static void ask_on_each(void) {
    char name[16];
    for (int n = 0; n < sysconf(_SC_NPROCESSORS_ONLN); n++) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(n, &set);
        if (sched_setaffinity(0, sizeof(set), &set) != 0 || sched_getcpu() != n) {
            perror("sched_setaffinity");
            continue;
        }
        snprintf(name, sizeof(name), "cpu%d", n);
        report(name, n, 0);
    }
}

static void use_network(void) {
    int port = 0, result = ENODEV;
    unsigned bytes = 0;
    FILE *f = fopen("/port", "r");
    if (f != NULL && fscanf(f, "%d", &port) == 1) {
        result = net_echo(port, &bytes);
    }
    printf("@net %d 0 0 %08x\n", result, bytes);
}

static void load_modules(void) {
    char path[256];
    FILE *list = fopen("/modules", "r");
    while (list && fgets(path, sizeof path, list)) {
        path[strcspn(path, "\n")] = 0;
        int fd = open(path, O_RDONLY);
        if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0) {
            perror(path);
        }
        close(fd);
    }
}

static void mount_all(void) {
    static const char *const mounts[][2] = {{"devtmpfs", "/dev"}, {"proc", "/proc"}, {"sysfs", "/sys"}, {"configfs", "/sys/kernel/config"}};
    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        mkdir(mounts[i][1], 0755);
        if (mount(mounts[i][0], mounts[i][1], mounts[i][0], 0, "") != 0) {
            perror(mounts[i][1]);
        }
    }
}

int main(void) {
    klogctl(CONSOLE_OFF, NULL, 0);      // nothing gets between our lines
    load_modules();
    mount_all();
    device = open("/dev/sev-guest", O_RDWR);
    if (device < 0) {
        perror("/dev/sev-guest");
    } else {
        ask_all();
        ask_tsm();
        ask_on_each();
        ask_many();
    }
    use_network();
    print_log();
    printf("@done %ld 0 0 \n", sysconf(_SC_NPROCESSORS_ONLN));
    fflush(stdout);
    reboot(RB_POWER_OFF);
    return 1;
}
