// Frames that go out through a virtqueue. See virtq.h.

#include "py/runtime.h"
#include "virtq.h"

#define NEEDS_CSUM 1

// Say where the next frame goes.
static void name_next(virtq_t *q) {
    *q->tx = q->free_count > 0 ? (uintptr_t)virtq_buffer(q, q->free[q->free_count - 1]) + q->header_len : 0;
}

// What is sent of a buffer, as the end of a chain: it may have been another part of one before.
static void describe(virtq_t *q, unsigned number, size_t from, size_t len) {
    volatile virtq_desc_t *d = &q->desc[number];
    d->addr = (uintptr_t)virtq_buffer(q, number) + from;
    d->len = len;
    d->flags = 0;
}

void virtq_fill(virtq_t *q) {
    for (unsigned i = 0; i < q->count; i++) {
        q->free[i] = i;
    }
    q->free_count = q->count;
    virtq_listen(q, -1);
    name_next(q);
}

static bool take_back(virtq_t *q) {
    unsigned waiting = virtq_waiting(q);
    if (waiting + q->free_count + q->chained > q->count) {
        return false;
    }
    if (!q->event_idx) {
        virtq_listen(q, -1);
    }
    for (; waiting > 0; waiting--) {
        uint32_t id = virtq_used_entry(q, q->seen)->id;
        if (id >= q->count || !q->held[id]) {
            return false;
        }
        unsigned chained = q->held[id];
        q->held[id] = 0;
        for (uint32_t i = id; chained > 0; chained--, i = q->following[i]) {
            q->free[q->free_count++] = i;
        }
        q->seen++;
    }
    return true;
}

// Where the device still holds all, it is asked for an interrupt when half of them are sent; twice, as some may come back
// before it knows.
bool virtq_reclaim(virtq_t *q) {
    for (int i = 0; i < 2 && !q->broken; i++) {
        q->broken = !take_back(q);
        name_next(q);
        if (q->free_count > 0 || !virtq_listen(q, (uint16_t)(q->posted - q->seen) / 2)) {
            break;
        }
    }
    if (q->broken) {
        *q->tx = 0;
    }
    return !q->broken;
}

void virtq_notify(virtq_t *q) {
    q->quiet = 0;
    virtq_kick(q);
}

// Telling the device costs more than a frame does, in a guest whose host must be asked for it most of all: 4000 times for 16 MiB, 400 with
// `more`.
static void post(virtq_t *q, unsigned head, unsigned chained, bool more) {
    q->held[head] = chained;
    virtq_post(q, head);
    q->quiet += chained;
    if (!more || q->free_count == 0 || q->quiet >= q->count / 4) {  // in time for it to work beside us
        virtq_notify(q);
    }
    if (q->free_count > 0) {
        name_next(q);
    } else if (!virtq_reclaim(q)) {             // maybe inside of lwIP: the driver hears of it later
        mp_sched_schedule(q->report, mp_const_none);
    }
}

// 5.1.6.2. gso: 0, or what is to be cut: kind << 32 | bytes of all headers << 16 | bytes of a segment.
static void write_header(virtq_t *q, unsigned number, uint32_t csum, uint64_t gso) {
    virtq_header_t *header = (virtq_header_t *)virtq_buffer(q, number);
    header->flags = csum ? NEEDS_CSUM : 0;
    header->gso_type = gso >> 32;
    header->hdr_len = gso >> 16;
    header->gso_size = gso;
    header->csum_start = csum >> 16;
    header->csum_offset = csum;
    if (q->header_len >= sizeof(*header)) {
        header->num_buffers = 0;                // with that all of it is written: nobody cleared the buffers
    }
}

// Post the frame behind the header of the buffer that tx names. csum: 0, or start << 16 | offset of the checksum that the
// device completes; VIRTQ_MORE.
void virtq_send(virtq_t *q, size_t len, uint64_t csum) {
    if (q->broken || q->free_count == 0) {
        return;                                 // nobody was told of a place
    }
    unsigned number = q->free[--q->free_count];
    write_header(q, number, csum, 0);
    if (q->second) {
        q->desc[q->second + number].len = len;
    } else {
        describe(q, number, 0, q->header_len + len);
    }
    post(q, number, 1, csum >> VIRTQ_MORE);
}

// Take what lies there as the next part of a frame that virtq_send_held() posts, of as many parts. Not where `second` is.
void virtq_hold(virtq_t *q, size_t len) {
    if (q->broken || q->free_count == 0) {
        return;
    }
    unsigned number = q->free[--q->free_count];
    if (q->chained == 0) {
        q->first = number;
        describe(q, number, 0, q->header_len + len);
    } else {
        q->following[q->last] = number;
        q->desc[q->last].next = number;
        q->desc[q->last].flags = VIRTQ_DESC_NEXT;
        describe(q, number, q->header_len, len);
    }
    q->last = number;
    q->chained++;
    name_next(q);
}

void virtq_send_held(virtq_t *q, uint64_t csum, uint64_t gso) {
    if (q->chained > 0) {
        unsigned chained = q->chained;
        q->chained = 0;
        write_header(q, q->first, csum, gso);
        post(q, q->first, chained, csum >> VIRTQ_MORE);
    }
}
