// SPDX-License-Identifier: BSD-3-Clause
// Process 1 of the Linux guest: load the modules, set the network up, run each line of /jobs, then power off.
//
// Prints "@job N" before and "@exit N STATUS" after each, so that the host can cut the console into answers.
// Words are separated by single spaces; there is no quoting. Errors of its own power off too. /modules: one path a
// line, in order; /address: IPv4 address, mask and gateway of eth0, which it waits for. Neither has to be there.
// A job "@console" takes commands from the console instead: each runs until the next line ends it.
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_WORDS 32
#define DEVICE "eth0"
#define DEVICE_WAIT_MS 5000

static void exec_line(char *line) {
    char *argv[MAX_WORDS + 1];
    int n = 0;
    for (char *word = strtok(line, " \n"); word && n < MAX_WORDS; word = strtok(NULL, " \n")) {
        argv[n++] = word;
    }
    argv[n] = NULL;
    if (n > 0) {
        execv(argv[0], argv);
    }
    _exit(127);
}

static pid_t start(char *line) {
    pid_t pid = fork();
    if (pid == 0) {
        exec_line(line);
    }
    return pid;
}

static void serve_console(void) {
    char line[1024];
    pid_t pid = -1;
    printf("\n@ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (pid > 0) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
            printf("\n@ended\n");
            fflush(stdout);
        }
        pid = line[0] == '\n' ? -1 : start(line);
    }
}

static int run(char *line) {
    int status = -1;
    if (strcmp(line, "@console\n") == 0) {
        serve_console();
        return 0;
    }
    pid_t pid = start(line);
    if (pid > 0) {
        waitpid(pid, &status, 0);
    }
    return status;
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
    }
}

static int set_address(int s, unsigned long request, const char *text) {
    struct ifreq r = {.ifr_name = DEVICE};
    struct sockaddr_in *a = (struct sockaddr_in *)&r.ifr_addr;
    a->sin_family = AF_INET;
    return inet_pton(AF_INET, text, &a->sin_addr) == 1 ? ioctl(s, request, &r) : -1;
}

static int set_route(int s, const char *gateway) {
    struct rtentry r = {.rt_flags = RTF_UP | RTF_GATEWAY};
    r.rt_dst.sa_family = r.rt_genmask.sa_family = r.rt_gateway.sa_family = AF_INET;
    inet_pton(AF_INET, gateway, &((struct sockaddr_in *)&r.rt_gateway)->sin_addr);
    return ioctl(s, SIOCADDRT, &r);
}

static int up(int s, const char *device) {
    struct ifreq r = {.ifr_flags = IFF_UP | IFF_RUNNING};
    strcpy(r.ifr_name, device);
    return ioctl(s, SIOCSIFFLAGS, &r);
}

static void start_network(void) {
    char address[64], mask[64], gateway[64];
    FILE *f = fopen("/address", "r");
    if (!f || fscanf(f, "%63s %63s %63s", address, mask, gateway) != 3) {
        return;
    }
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    up(s, "lo");
    for (int ms = 0; set_address(s, SIOCSIFADDR, address) != 0 && ms < DEVICE_WAIT_MS; ms += 10) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    if (set_address(s, SIOCSIFNETMASK, mask) != 0 || up(s, DEVICE) != 0 || set_route(s, gateway) != 0) {
        perror(DEVICE);
    }
    close(s);
}

int main(void) {
    char line[1024];
    load_modules();
    start_network();
    FILE *jobs = fopen("/jobs", "r");
    for (int n = 0; jobs && fgets(line, sizeof line, jobs); n++) {
        printf("\n@job %d\n", n);
        fflush(stdout);
        int status = run(line);
        printf("\n@exit %d %d\n", n, status);
        fflush(stdout);
    }
    reboot(RB_POWER_OFF);
    return 1;
}
