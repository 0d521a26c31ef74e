// Alarms: functions that are called at a time, whether the program waits then or computes, and the
// one-shot timer of the local APIC that they share with whoever sleeps. Nothing ticks between them.
//
// An alarm's function runs inside the timer's interrupt; in firmware mode, where that timer is not ours, inside
// the firmware's timer event (firmware.c), some ten milliseconds late.

#include "internal.h"
#include "cpu.h"

#define FLAG_INTERRUPTS (1u << 9)

static alarm_t *alarms;                     // unsorted: there are a handful
static uint64_t armed_ns = UINT64_MAX;      // when the timer will interrupt; it is never disarmed

static bool interrupts_off(void) {
    bool were_on = read_flags() & FLAG_INTERRUPTS;
    cli();
    return were_on;
}

static void interrupts_back(bool were_on) {
    if (were_on) {
        sti();
    }
}

void timer_by(uint64_t at_ns) {
    if (at_ns < armed_ns && !boot_services_alive()) {
        uint64_t now = clock_ns();
        armed_ns = at_ns;
        apic_timer_arm(at_ns > now ? at_ns - now : 1);
    }
}

static void unlink_alarm(alarm_t *alarm) {
    for (alarm_t **link = &alarms; *link != NULL; link = &(*link)->next) {
        if (*link == alarm) {
            *link = alarm->next;
            return;
        }
    }
}

void alarm_set(alarm_t *alarm, uint64_t at_ns) {
    bool were_on = interrupts_off();
    unlink_alarm(alarm);
    alarm->at_ns = at_ns;
    if (at_ns != ALARM_OFF) {
        alarm->next = alarms;
        alarms = alarm;
        timer_by(at_ns);
    }
    interrupts_back(were_on);
}

static alarm_t *due(uint64_t now) {
    alarm_t *alarm = alarms;
    while (alarm != NULL && alarm->at_ns > now) {
        alarm = alarm->next;
    }
    return alarm;
}

void alarm_rearm(void) {
    armed_ns = UINT64_MAX;
    for (alarm_t *alarm = alarms; alarm != NULL; alarm = alarm->next) {
        timer_by(alarm->at_ns);
    }
}

void alarm_ring(void) {
    uint64_t now = clock_ns();
    for (alarm_t *alarm; (alarm = due(now)) != NULL; ) {
        unlink_alarm(alarm);
        alarm->at_ns = ALARM_OFF;
        alarm->fn(alarm);
    }
    alarm_rearm();
}
