// Frames that go out through a virtqueue. See virtq.h.

#include "py/runtime.h"
#include "virtq.h"

#define NEEDS_CSUM 1

// Say where the next frame goes.
static void name_next(virtq_t *q) {
    *q->tx = q->free_count > 0 ? (uintptr_t)virtq_buffer(q, q->free[q->free_count - 1]) + q->header_len : 0;
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
    if (waiting + q->free_count > q->count) {
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
        q->held[id] = 0;
        q->free[q->free_count++] = id;
        q->seen++;
    }
    return true;
}

// Where the device still holds all, it is asked for an interrupt; twice, as some may come back before it knows.
bool virtq_reclaim(virtq_t *q) {
    for (int i = 0; i < 2 && !q->broken; i++) {
        q->broken = !take_back(q);
        name_next(q);
        if (q->free_count > 0 || !virtq_listen(q, q->count / 2)) {
            break;
        }
    }
    if (q->broken) {
        *q->tx = 0;
    }
    return !q->broken;
}

// Post the frame behind the header of the buffer that tx names. csum: 0, or start << 16 | offset of the checksum that the
// device completes (5.1.6.2).
void virtq_send(virtq_t *q, size_t len, uint32_t csum) {
    if (q->broken || q->free_count == 0) {
        return;                                 // nobody was told of a place
    }
    unsigned number = q->free[--q->free_count];
    virtq_header_t *header = (virtq_header_t *)virtq_buffer(q, number);
    header->flags = csum ? NEEDS_CSUM : 0;
    header->csum_start = csum >> 16;
    header->csum_offset = csum;
    q->desc[q->second + number].len = q->second ? len : q->header_len + len;
    q->held[number] = 1;
    virtq_post(q, number);
    virtq_kick(q);
    if (q->free_count > 0) {
        name_next(q);
    } else if (!virtq_reclaim(q)) {             // maybe inside of lwIP: the driver hears of it later
        mp_sched_schedule(q->report, mp_const_none);
    }
}
