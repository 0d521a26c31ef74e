// A made-up SEV-SNP machine for boot/'s guest side: pages with their states, and a host that does as it should, or not.
#ifndef MACHINE_H
#define MACHINE_H

#include "boot/internal.h"
#include "boot/io.h"

#define ARENA_PAGES 2048u                   // 8 MiB, at a multiple of 2 MiB

// What a page is in the RMP.
enum { R_PRIVATE, R_VALIDATED, R_SHARED };
enum { OK, EXCEPTION, REPORT, BROKEN, TERMINATED, POWERED_OFF };        // how a call ended

typedef struct {
    uint64_t code, info1, info2, rax, rbx, rcx, rdx;
    uint8_t valid[16];
    uint8_t buffer[32];
} exit_log_t;

typedef struct {
    // what the host does
    uint64_t answer1, answer2;              // EXITINFO of the next exits, if `answer`
    bool answer, silent;                    // silent: no valid bits
    uint64_t in_value, msr_value, mmio_value;
    uint32_t psc_chunk;                     // entries that it does in one exit; 0: all
    uint32_t psc_fault;                     // 1: says an error; 2: goes back; 3: longer list; 4: reserved bits; 5: never goes on; 6: does nothing; 7: skips one
    uint64_t sev_info, features;            // of the MSR protocol; 0: as they should be
    bool refuse_registration, refuse_psc;
    void (*hook)(volatile uint8_t *page);   // in place of the host
    // what happened
    uint32_t exits, msr_exits;
    exit_log_t log[64];
    uint64_t cr2;
    char text[512];                         // what was printed, or why
    uint32_t reason;                        // of a termination: set and code
    int vector;
    uint64_t error;
    bool interrupts_were_on;                // during an exchange
    uint32_t pvalidates;
} machine_t;

void host_serve(volatile uint8_t *page);     // as it should
extern machine_t machine;
extern uint8_t *arena;
extern uint64_t sev_status_of_machine, cr4_of_machine;
extern cpuid_t (*cpuid_of_machine)(uint32_t leaf, uint32_t subleaf);
void vc_reset(void);
void machine_start(void);                   // all pages private and validated, mapped read-write; our page is in use
void page_set(unsigned page, int attr);     // MAP_*, 0: not mapped; the memory behind it can be touched accordingly
int page_get(unsigned page);
int rmp_get(unsigned page);
void rmp_put(unsigned page, int state);
void rmp_large(unsigned page, bool large);  // the RMP's entry of these 2 MiB
uint8_t *device_bytes(unsigned page);       // what the host has there
int machine_vc(trap_frame_t *f);            // one #VC. -> OK …
int machine_call(int (*f)(uint64_t, uint64_t), uint64_t a, uint64_t b, int *result);
int machine_detect(void);
int machine_init(void);                     // ghcb_init()
cpuid_t host_of_tests(uint32_t leaf, uint32_t subleaf);
const char *machine_text(void);

#endif
