// MicroPython's hardware layer over boot/: console, ticks, waiting, random bytes.

#include <string.h>

#include "py/mphal.h"
#include "py/mperrno.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "boot/boot.h"
#include "frames.h"
#include "net.h"
#include "sysstdio.h"

#define DEAD_STACK_LEN (16 * 1024)      // bytes; deeper than the compiler goes for most code

// ---- input ----------------------------------------------------------------------------------------
int mp_hal_stdin_rx_chr(void) {
    for (;;) {
        int c = stdio_getc();
        if (c >= 0) {
            return c;
        }
        mp_event_wait_indefinite();
    }
}

uintptr_t mp_hal_stdio_poll(uintptr_t poll_flags) {
    uintptr_t ready = poll_flags & MP_STREAM_POLL_WR;
    if ((poll_flags & MP_STREAM_POLL_RD) && stdio_readable()) {
        ready |= MP_STREAM_POLL_RD;
    }
    return ready;
}

// What ran before, the compiler above all, left addresses on the stack below. Frames to come overwrite
// not all of it, and the collected heap would take them for pointers to what is allocated there next.
static __attribute__((noinline)) void clear_dead_stack(void) {
    char dead[DEAD_STACK_LEN];
    memset(dead, 0, sizeof(dead));
    __asm__ volatile ("" : : "r" (dead) : "memory");
}

void mp_hal_set_interrupt_char(int c) {
    if (c >= 0) {               // user code is about to run
        clear_dead_stack();
    }
    console_set_intr_char(c);
}

// ---- output -----------------------------------------------------------------------------------------
// While a stream is set, everything printed goes to its write(), a handler's output to its session.
// It is unset during the call, so a stream that prints or raises falls back to the console.
mp_obj_t mp_hal_redirect(mp_obj_t stream) {
    mp_obj_t old = MP_STATE_PORT(stdout_stream);
    MP_STATE_PORT(stdout_stream) = stream == mp_const_none ? MP_OBJ_NULL : stream;
    return old == MP_OBJ_NULL ? mp_const_none : old;
}

static void redirected_write(mp_obj_t stream, const char *s, size_t len) {
    nlr_buf_t nlr;
    MP_STATE_PORT(stdout_stream) = MP_OBJ_NULL;
    if (nlr_push(&nlr) == 0) {
        mp_obj_t call[3];
        mp_load_method(stream, MP_QSTR_write, call);
        call[2] = mp_obj_new_bytes((const byte *)s, len);
        mp_call_method_n_kw(1, 0, call);
        nlr_pop();
        if (MP_STATE_PORT(stdout_stream) == MP_OBJ_NULL) {
            MP_STATE_PORT(stdout_stream) = stream;
        }
    } else {
        nlr_jump(nlr.ret_val);
    }
}

mp_uint_t mp_hal_stdout_tx_strn(const char *s, size_t len) {
    mp_obj_t stream = MP_STATE_PORT(stdout_stream);
    if (stream == MP_OBJ_NULL) {
        console_write(s, len);
    } else {
        redirected_write(stream, s, len);
    }
    return len;
}

// Text: a line feed becomes CR LF on the console; a session's stream makes its own line ends.
void mp_hal_stdout_tx_strn_cooked(const char *s, size_t len) {
    if (MP_STATE_PORT(stdout_stream) != MP_OBJ_NULL) {
        mp_hal_stdout_tx_strn(s, len);
        return;
    }
    while (len > 0) {
        const char *lf = memchr(s, '\n', len);
        size_t n = lf == NULL ? len : (size_t)(lf - s);
        console_write(s, n);
        if (lf == NULL) {
            break;
        }
        console_write("\r\n", 2);
        s += n + 1;
        len -= n + 1;
    }
}

void mp_hal_stdout_tx_str(const char *s) {
    mp_hal_stdout_tx_strn(s, strlen(s));
}

MP_REGISTER_ROOT_POINTER(mp_obj_t stdout_stream);

// ---- time -------------------------------------------------------------------------------------------
mp_uint_t mp_hal_ticks_ms(void) {
    return clock_ns() / 1000000;
}

mp_uint_t mp_hal_ticks_us(void) {
    return clock_ns() / 1000;
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return __builtin_ia32_rdtsc();
}

uint64_t mp_hal_time_ns(void) {
    return clock_wall_ns();
}

// Sleep until an interrupt, the deadline, or until the network has something to do.
static void idle_until(uint64_t deadline_ns) {
    uint64_t network_ns = net_deadline();
    cpu_idle_until(MIN(network_ns, deadline_ns));
}

// An object may be polled that answers in Python, and no interrupt tells when its answer changes.
// So when Python ran since the last wait, that may have been its answer: ask again soon.
#define ASK_AGAIN_NS 10000000u

void mp_hal_wait(intptr_t timeout_ms) {
    static uint32_t entered;
    uint64_t now = clock_ns(), deadline = timeout_ms < 0 ? UINT64_MAX : now + (uint64_t)timeout_ms * 1000000;
    if (entered != frames_entered) {
        entered = frames_entered;
        deadline = MIN(deadline, now + ASK_AGAIN_NS);
    }
    idle_until(deadline);
}

void mp_hal_wait_until(uint64_t deadline_ns) {
    for (;;) {
        mp_event_handle_nowait();
        if (clock_ns() >= deadline_ns) {
            return;
        }
        idle_until(deadline_ns);
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    mp_hal_wait_until(clock_ns() + ms * 1000000);
}

// Programming the timer and waking up costs about this long; below it, spin.
#define SPIN_US 20

void mp_hal_delay_us(mp_uint_t us) {
    uint64_t deadline = clock_ns() + us * 1000;
    if (us > SPIN_US) {
        mp_hal_wait_until(deadline);
    }
    while (clock_ns() < deadline) {
        __builtin_ia32_pause();
    }
}

// ---- random bytes -----------------------------------------------------------------------------------
void mp_hal_get_random(size_t len, void *buf) {
    if (!entropy_get(buf, len)) {
        static const char what[] = "random numbers";
        mp_obj_t args[] = { MP_OBJ_NEW_SMALL_INT(MP_ENODEV), mp_obj_new_str(what, sizeof(what) - 1) };
        nlr_raise(mp_obj_new_exception_args(&mp_type_OSError, 2, args));
    }
}

unsigned long mp_hal_random_seed(void) {
    unsigned long seed;
    mp_hal_get_random(sizeof(seed), &seed);
    return seed;
}
