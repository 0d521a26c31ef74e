// SPDX-License-Identifier: BSD-3-Clause
// Process 1 of the Linux guest: run each line of /jobs as a command, one after the other, then power off.
//
// Prints "@job N" before and "@exit N STATUS" after each, so that the host can cut the console into answers.
// Words are separated by single spaces; there is no quoting. Errors of its own power off too.
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WORDS 32

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

static int run(char *line) {
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        exec_line(line);
    }
    if (pid > 0) {
        waitpid(pid, &status, 0);
    }
    return status;
}

int main(void) {
    char line[1024];
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
