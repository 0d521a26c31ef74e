// The secure processor (PSP, ASP) of one SEV-SNP guest: what the emulator asks of it.
//
// Freestanding: wants memcpy, memmove, memset, memcmp, strlen and strcmp, takes no memory from anybody and uses no SSE register
// if its objects are compiled with -mgeneral-regs-only (psp.mk); a report takes 4 KiB of stack. One guest at a time, and one call at a time: who has
// several processors puts a lock around. Source: SEV-SNP Firmware ABI (56860); GHCB specification (56421) for the
// certificate table. Left out: commands of the host, migration, CPUID pages and messages, TDISP.
#ifndef KEELBACK_PSP_H
#define KEELBACK_PSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PSP_PAGE_LEN 4096
#define PSP_VMPCKS   4

// Status of the firmware, and of an answer (ABI, table of status codes).
enum {
    PSP_SUCCESS = 0x00,
    PSP_BAD_MEASUREMENT = 0x0b,
    PSP_INVALID_GUEST = 0x10,
    PSP_INVALID_PARAM = 0x16,
    PSP_RESOURCE_LIMIT = 0x17,
    PSP_AEAD_OFLOW = 0x1d,
    PSP_INVALID_KEY = 0x27,
};

// What the host said at launch, and what firmware it has. Of numbers little-endian, as the report has them.
typedef struct {
    uint64_t policy;
    uint8_t measurement[48], host_data[32];
    uint8_t family_id[16], image_id[16], id_key_digest[48], author_key_digest[48];  // of the ID block
    uint32_t guest_svn;
    bool author_key;                        // did the ID block come with an author's key?
    uint8_t report_version;                 // 2 to 5; from 5 on the firmware knows mitigation vectors
    uint8_t family, model, stepping;        // as CPUID has them, extended parts added: choose Milan, Genoa or Turin
    uint64_t current_tcb, committed_tcb, launch_tcb;    // 0: what the VCEK has, which is always the reported one
    uint64_t platform_info;
    bool mask_chip_id, mask_chip_key;       // the host hides the chip; does without the VCEK
    bool vlek;                              // is one loaded? It then signs, unless the guest asks for the VCEK
    uint64_t tsc_scale, tsc_offset;         // guest TSC = (TSC * scale >> 32) + offset
    uint32_t tsc_factor;                    // in 0.001 %
    uint64_t launch_mit, current_mit;
    uint8_t gosvw[16];                      // workarounds that the host tells the guest's system of
    uint64_t used[PSP_VMPCKS];              // sequence numbers that another used before; even
} psp_launch_t;

// A Genoa with reports of version 5, policy 0x30000, no ID block, no VLEK.
void psp_launch_default(psp_launch_t *launch);

// Add a page of content at that address to a launch measurement, which begins as zeros.
void psp_measure(uint8_t digest[48], const uint8_t page[PSP_PAGE_LEN], uint64_t gpa);

// Begin a new guest: keys, counters, report id. random: fills memory with random bytes. False: the launch is refused,
// psp_complaint() says why; there is no guest then.
bool psp_start(const psp_launch_t *launch, void (*random)(void *, size_t));

// Write the guest's secrets page. The caller keeps no copy: it holds the VMPCKs.
void psp_secrets_page(uint8_t page[PSP_PAGE_LEN]);

// Answer a guest message. caller_vmpl: of the vCPU that exited; a report or a key of a lower level is refused, and so it
// is below the index of the key, from which the firmware knows the level. request is read once, and may be response.
// -> a status of the firmware; only where it is 0 has response been written, all of it, and have the counters moved.
uint32_t psp_guest_request(const uint8_t request[PSP_PAGE_LEN], uint8_t response[PSP_PAGE_LEN], unsigned caller_vmpl);

// Note a message that the host saw and did not hand over (busy, throttled): it used up its sequence number for one text.
void psp_observe(const uint8_t request[PSP_PAGE_LEN]);

// -> one line, what is wrong with the last launch, request or message observed; NULL: nothing. After status 0 too: a second
// text under one sequence number, which the firmware does not always notice, and which gives the key stream away.
const char *psp_complaint(void);

// -> how often a second text went out under one sequence number since psp_start(). Nothing but 0 will do.
unsigned psp_reuses(void);

// Make the next answer wrong in this way, then answer well again. A fault of reports waits for a report. "": take it back.
// False: no such name.
bool psp_fault(const char *name);

// -> the name of fault i and what it does, NULL behind the last.
const char *psp_fault_name(unsigned i, const char **what);

// ---- the host's certificate table --------------------------------------------------------------------------------
// Choose what psp_certificates() gives, by name: psp_certificates_name(). False: no such name.
bool psp_certificates_form(const char *name);
const char *psp_certificates_name(unsigned i, const char **what);

// Write the table for the key that signs. -> bytes needed; nothing is written if that is more than room. out may be NULL then.
size_t psp_certificates(uint8_t *out, size_t room);

#endif
