// Frames that come in through a virtqueue. See virtq.h.

#include <string.h>
#include "py/runtime.h"
#include "virtq.h"

#define NEEDS_CSUM 1                            // a checksum is to be completed: the frame never was on a wire
#define DATA_VALID 2                            // the checksum was found right

// Buffers are cleared only now: to clear all of them before the first frame would keep its answer for as long as the host
// needs to find the memory, 9 ms measured. Whatever the device says that it wrote, nothing else of ours is in them.
bool virtq_supply(virtq_t *q, unsigned most) {
    for (; most > 0 && q->given < q->count; most--, q->given++) {
        memset(virtq_buffer(q, q->given), 0, q->buffer_len);
        q->held[q->given] = 1;
        virtq_post(q, q->given);
    }
    return q->given < q->count;
}

// Copy and check the entries of the next frame, of those `waiting`. -> how many, or 0: one is an answer to nothing.
static unsigned take_entries(virtq_t *q, unsigned waiting, size_t *frame_len, bool *checked) {
    unsigned need = 1;
    *frame_len = 0;
    *checked = false;
    for (unsigned i = 0; i < need; i++) {
        volatile virtq_used_t *entry = virtq_used_entry(q, q->seen + i);
        uint32_t id = entry->id, len = entry->len;
        if (id >= q->count || !q->held[id] || len < (i == 0 ? q->header_len : 1) || len > q->buffer_len) {
            return 0;
        }
        if (i == 0) {
            volatile virtq_header_t *header = (volatile virtq_header_t *)virtq_buffer(q, id);
            *checked = header->flags & (NEEDS_CSUM | DATA_VALID);
            need = q->merge ? header->num_buffers : 1;
            if (need == 0 || need > waiting) {
                return 0;
            }
        }
        q->held[id] = 0;
        q->pieces[i].id = id;
        q->pieces[i].len = len;
        *frame_len += len;
    }
    *frame_len -= q->header_len;
    return need;
}

// Call handle(address, length, info) for each piece of a frame, and post its buffer again.
static void hand_on(virtq_t *q, unsigned need, size_t rest, bool checked, mp_obj_t handle) {
    size_t skip = q->header_len;
    for (unsigned i = 0; i < need; i++) {
        uint32_t id = q->pieces[i].id;
        size_t len = q->pieces[i].len - skip;
        if (rest != 0) {
            rest -= len;
            mp_call_function_n_kw(handle, 3, 0, (mp_obj_t[]) { MP_OBJ_NEW_SMALL_INT((intptr_t)virtq_buffer(q, id) + skip),
                MP_OBJ_NEW_SMALL_INT(len), MP_OBJ_NEW_SMALL_INT(rest << 1 | checked) });
        }
        skip = 0;
        q->held[id] = 1;
        virtq_post(q, id);
    }
}

int virtq_receive(virtq_t *q, mp_obj_t handle, int budget) {
    int count = 0;
    if (!q->event_idx) {
        virtq_listen(q, -1);
    }
    for (unsigned waiting; !q->broken && count < budget && (waiting = virtq_waiting(q)) != 0; count++) {
        size_t len;
        bool checked;
        unsigned need = waiting > q->count ? 0 : take_entries(q, waiting, &len, &checked);
        if (need == 0) {
            q->broken = true;
            break;
        }
        q->seen += need;
        hand_on(q, need, len, checked, handle);
    }
    return q->broken ? -1 : count;
}
