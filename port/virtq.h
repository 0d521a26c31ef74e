// Split virtqueues of a virtio device, and queues with a buffer of its own for each head, for frames that go one way.
//
// Source: Virtual I/O Device 1.2, 2.7 (layout; 2.7.7 and 2.7.10: event index), 5.1.6 (header of a frame).
// drivers/virtqueue.py allots the memory, which the device sees; here is what happens for every frame.
// The used ring is the device's, and so are the buffers of a queue for receiving: each word of them is read once. What the
// device may hold is kept in memory that it does not see, and no answer is used before it is found there. After an answer
// to nothing the queue is broken, and does nothing any more.
#ifndef KEELBACK_PORT_VIRTQ_H
#define KEELBACK_PORT_VIRTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "py/obj.h"

typedef struct {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
} virtq_desc_t;

typedef struct {
    uint32_t id, len;
} virtq_used_t;

typedef struct {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
    uint16_t num_buffers;                       // of a modern device, or where buffers may be merged
} virtq_header_t;

typedef struct virtq {
    mp_obj_base_t base;
    // the ring
    uint16_t size, index;                       // descriptors, a power of two; which queue it is
    uint16_t posted, seen, kicked;              // available and used index, ours; the former when the device was told last
    bool event_idx, broken;
    volatile virtq_desc_t *desc;
    volatile uint16_t *avail, *used;            // flags, index, then the ring
    volatile uint16_t *notify;                  // NULL: `out` is called with what follows
    bool hosts;                                 // an SEV-SNP guest's: that register is the host's to write
    mp_obj_t out, port;
    // buffer i belongs to descriptor i, or to i and i + second, where the header has a descriptor of its own
    uint16_t count, second;
    uint32_t buffer_len, header_len;            // bytes; the latter is part of the former
    uint8_t *buffers;
    uint8_t *held;                              // of each head: buffers that the device has with it
    // frames in
    bool merge;                                 // one may come in several buffers
    uint16_t given;                             // buffers that the device had at least once; the others are not cleared yet
    virtq_used_t *pieces;                       // of the one at hand
    // frames out
    uint16_t quiet;                             // buffers posted of which the device was not told, as others were to follow
    uint16_t *free, free_count;                 // buffers that the device does not hold, the next one last
    uint16_t *following;                        // of a buffer in a chain: the next one
    uint16_t first, last, chained;              // the chain that is being made, and how many buffers are in it
    volatile uint64_t *tx;                      // where the next frame goes, 0: nowhere yet
    mp_obj_t tx_array, report;                  // report(None) is scheduled when an answer is to nothing
} virtq_t;

#define VIRTQ_DESC_NEXT 1
#define VIRTQ_DESC_WRITE 2

// ---- the ring: virtq.c --------------------------------------------------------------------------------------
void virtq_post(virtq_t *q, uint16_t head);
void virtq_kick(virtq_t *q);                    // tell the device of what was posted, if it wants to know
bool virtq_listen(virtq_t *q, int ahead);       // interrupt when `ahead` more are used than one; -1: never. -> some were meanwhile
void virtq_describe(virtq_t *q, uint16_t flags); // write the descriptors of all buffers

// All that is written to memory is there before what follows is read. Where QEMU translates the code of a single processor (TCG),
// a locked instruction, of which compilers make a fence, orders nothing between QEMU's threads, and before 8.1 mfence does not either:
// an interrupt that was asked for, or a doorbell, was lost now and then. pause leaves the translated code, which does; to a
// processor it is a hint.
static inline void virtq_fence(void) {
    __asm__ volatile ("mfence\n\tpause" : : : "memory");
}

static inline uint16_t virtq_waiting(const virtq_t *q) {
    return q->used[1] - q->seen;
}

static inline volatile virtq_used_t *virtq_used_entry(const virtq_t *q, uint16_t at) {
    return (volatile virtq_used_t *)(q->used + 2) + (at & (q->size - 1));
}

static inline uint8_t *virtq_buffer(const virtq_t *q, unsigned number) {
    return q->buffers + (size_t)number * q->buffer_len;
}

// ---- frames: virtq_in.c, virtq_out.c ------------------------------------------------------------------------
bool virtq_supply(virtq_t *q, unsigned most);   // give buffers that it never had to the device, to be written. -> there are more
int virtq_receive(virtq_t *q, mp_obj_t handle, int budget);     // -> frames; -1: broken
void virtq_fill(virtq_t *q);                    // every buffer is ours, to be sent; once
#define VIRTQ_MORE 32                           // bit of csum: others follow, and virtq_notify() then
void virtq_send(virtq_t *q, size_t len, uint64_t csum);
void virtq_hold(virtq_t *q, size_t len);
void virtq_send_held(virtq_t *q, uint64_t csum, uint64_t gso);
void virtq_notify(virtq_t *q);                    // no others follow
bool virtq_reclaim(virtq_t *q);                 // take back what was sent. -> false: broken

#endif
