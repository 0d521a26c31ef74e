// The rings of a virtqueue: posting, telling the device, asking it for an interrupt. See virtq.h.

#include "py/runtime.h"
#include "boot/boot.h"
#include "virtq.h"

#define AVAIL_NO_INTERRUPT 1
#define USED_NO_NOTIFY 1

void virtq_post(virtq_t *q, uint16_t head) {
    q->avail[2 + (q->posted & (q->size - 1))] = head;
    q->avail[1] = ++q->posted;                  // x86 does not reorder stores
}

static void notify(virtq_t *q) {
    if (q->hosts) {
        host_write((uintptr_t)q->notify, sizeof(*q->notify), q->index);
    } else {
        *q->notify = q->index;
    }
}

// What counts is what was posted since the device was told last, not since we last looked: a device that goes to sleep in
// that moment is then told with the next frame. Fences on both sides exclude that moment, but QEMU before 8.1 leaves ours out
// (virtq.h); a soak was seen to end with all buffers posted and a device that waited to be told.
void virtq_kick(virtq_t *q) {
    bool wanted;
    virtq_fence();
    if (q->event_idx) {
        uint16_t event = q->used[2 + 4 * q->size];
        wanted = (uint16_t)(q->posted - event - 1) < (uint16_t)(q->posted - q->kicked);
    } else {
        wanted = (q->used[0] & USED_NO_NOTIFY) == 0;
    }
    if (!wanted) {
        return;
    }
    q->kicked = q->posted;
    if (q->notify != NULL) {
        notify(q);
    } else if (q->out != MP_OBJ_NULL) {
        mp_call_function_2(q->out, q->port, MP_OBJ_NEW_SMALL_INT(q->index));
    }
}

bool virtq_listen(virtq_t *q, int ahead) {
    if (q->event_idx) {
        q->avail[2 + q->size] = q->seen + ahead;
    } else {
        q->avail[0] = ahead < 0 ? AVAIL_NO_INTERRUPT : 0;
    }
    virtq_fence();
    return virtq_waiting(q) != 0;
}

static void describe(virtq_t *q, unsigned number, const uint8_t *at, uint32_t len, uint16_t flags, uint16_t next) {
    volatile virtq_desc_t *d = &q->desc[number];
    d->addr = (uintptr_t)at;
    d->len = len;
    d->flags = flags;
    d->next = next;
}

void virtq_describe(virtq_t *q, uint16_t flags) {
    size_t head = q->second ? q->header_len : 0;
    for (unsigned i = 0; i < q->count; i++) {
        uint8_t *at = virtq_buffer(q, i);
        describe(q, q->second + i, at + head, q->buffer_len - head, flags, 0);
        if (q->second) {
            describe(q, i, at, head, flags | VIRTQ_DESC_NEXT, q->second + i);
        }
    }
}
