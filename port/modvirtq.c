// Module virtq: the rings of virtio devices as drivers/virtqueue.py sees them, and what answers an interrupt of a network card.
//
// In C because of what it costs: as viper functions that Python called, an interrupt with one frame took 17,000
// instructions more than lwIP and the rings themselves.

#include <string.h>

#include "py/runtime.h"
#include "boot/boot.h"
#include "virtq.h"

static uint8_t *address(mp_obj_t arg) {
    return (uint8_t *)(uintptr_t)mp_obj_get_int_truncated(arg);
}

static virtq_t *queue(mp_obj_t self_in) {
    return MP_OBJ_TO_PTR(self_in);
}

// ---- every ring ------------------------------------------------------------------------------------------------
// bind(notify, index, out=None): where the device is told of what was posted, and by which number; out(notify, index) does
// it, or without that a write of 16 bits.
static mp_obj_t virtq_bind(size_t n_args, const mp_obj_t *args) {
    virtq_t *q = queue(args[0]);
    bool out = n_args > 3 && args[3] != mp_const_none;
    q->out = out ? args[3] : MP_OBJ_NULL;
    q->port = args[1];
    q->notify = out ? NULL : (volatile uint16_t *)address(args[1]);
    q->hosts = ghcb_live && !out && (map_attr((uintptr_t)q->notify) & MAP_UC);     // a rehearsal's is memory
    q->index = mp_obj_get_int(args[2]);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virtq_bind_obj, 3, 4, virtq_bind);

// post(head): give one chain of descriptors to the device
static mp_obj_t virtq_post_(mp_obj_t self_in, mp_obj_t head) {
    virtq_post(queue(self_in), mp_obj_get_int(head));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(virtq_post_obj, virtq_post_);

// kick(): tell the device of what was posted since the last time, if it wants to know
static mp_obj_t virtq_kick_(mp_obj_t self_in) {
    virtq_kick(queue(self_in));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(virtq_kick_obj, virtq_kick_);

// listen(ahead=0) -> bool: ask to be interrupted when `ahead` more buffers were used than one, -1: never; True if some were meanwhile
static mp_obj_t virtq_listen_(size_t n_args, const mp_obj_t *args) {
    return mp_obj_new_bool(virtq_listen(queue(args[0]), n_args > 1 ? mp_obj_get_int(args[1]) : 0));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virtq_listen_obj, 1, 2, virtq_listen_);

// progress() -> (available index, ours; used index, as far as we looked)
static mp_obj_t virtq_progress(mp_obj_t self_in) {
    virtq_t *q = queue(self_in);
    return mp_obj_new_tuple(2, (mp_obj_t[]) { MP_OBJ_NEW_SMALL_INT(q->posted), MP_OBJ_NEW_SMALL_INT(q->seen) });
}
static MP_DEFINE_CONST_FUN_OBJ_1(virtq_progress_obj, virtq_progress);

// ---- frames ----------------------------------------------------------------------------------------------------
// broken() -> bool: the device answered to nothing; the queue does nothing any more
static mp_obj_t virtq_broken(mp_obj_t self_in) {
    return mp_obj_new_bool(queue(self_in)->broken);
}
static MP_DEFINE_CONST_FUN_OBJ_1(virtq_broken_obj, virtq_broken);

// held() -> bytes, one for each buffer: 0, or as the head of a chain how many buffers the device has
static mp_obj_t virtq_held(mp_obj_t self_in) {
    return mp_obj_new_bytes(queue(self_in)->held, queue(self_in)->count);
}
static MP_DEFINE_CONST_FUN_OBJ_1(virtq_held_obj, virtq_held);

// supply(most) -> bool: give up to `most` buffers that it never had to the device, to be written; False: it has got all
static mp_obj_t virtq_supply_(mp_obj_t self_in, mp_obj_t most) {
    return mp_obj_new_bool(virtq_supply(queue(self_in), mp_obj_get_int_truncated(most)));
}
static MP_DEFINE_CONST_FUN_OBJ_2(virtq_supply_obj, virtq_supply_);

// receive(handle, budget) -> frames, -1: broken. Calls handle(address, length, info) for up to budget frames, and posts their
// buffers again. info: 1 where the device vouches for the checksums, and twice the bytes of the same frame that further calls bring.
static mp_obj_t virtq_receive_(mp_obj_t self_in, mp_obj_t handle, mp_obj_t budget) {
    return MP_OBJ_NEW_SMALL_INT(virtq_receive(queue(self_in), handle, mp_obj_get_int(budget)));
}
static MP_DEFINE_CONST_FUN_OBJ_3(virtq_receive_obj, virtq_receive_);

// send(length, csum): post the frame that lies at tx[0]; tx[0] then says where the next one goes, or 0: nowhere yet. csum: 0,
// or start << 16 | offset of the checksum that the device completes; and 1 << 32: others follow, and notify() then.
static mp_obj_t virtq_send_(mp_obj_t self_in, mp_obj_t len, mp_obj_t csum) {
    virtq_send(queue(self_in), mp_obj_get_int(len), mp_obj_get_int(csum));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(virtq_send_obj, virtq_send_);

// hold(length): take what lies at tx[0] as the next part of a frame of several, behind the first without headers, and name the next place;
// send_held(csum, gso): post that frame. gso: 0, or what the device cuts into segments: kind << 32 | bytes of all headers << 16
// | bytes of a segment; kind: 1 TCP over IPv4, 4 TCP over IPv6. Not where headers have descriptors of their own.
static mp_obj_t virtq_hold_(mp_obj_t self_in, mp_obj_t len) {
    virtq_hold(queue(self_in), mp_obj_get_int(len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(virtq_hold_obj, virtq_hold_);

static mp_obj_t virtq_send_held_(mp_obj_t self_in, mp_obj_t csum, mp_obj_t gso) {
    virtq_send_held(queue(self_in), mp_obj_get_int(csum), mp_obj_get_int(gso));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(virtq_send_held_obj, virtq_send_held_);

// notify(): tell the device of the frames that others were to follow
static mp_obj_t virtq_notify_(mp_obj_t self_in) {
    virtq_notify(queue(self_in));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(virtq_notify_obj, virtq_notify_);

// reclaim() -> bool: take back what was sent; False: broken
static mp_obj_t virtq_reclaim_(mp_obj_t self_in) {
    return mp_obj_new_bool(virtq_reclaim(queue(self_in)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(virtq_reclaim_obj, virtq_reclaim_);

// free() -> list of the buffers that the device does not hold
static mp_obj_t virtq_free(mp_obj_t self_in) {
    virtq_t *q = queue(self_in);
    mp_obj_t list = mp_obj_new_list(0, NULL);
    for (unsigned i = 0; i < q->free_count; i++) {
        mp_obj_list_append(list, MP_OBJ_NEW_SMALL_INT(q->free[i]));
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_1(virtq_free_obj, virtq_free);

// ---- making them -------------------------------------------------------------------------------------------------
// (desc, avail, used, size, event_idx): addresses, of memory that outlives the queue's use, and numbers
static virtq_t *make(const mp_obj_type_t *type, const mp_obj_t *args) {
    virtq_t *q = mp_obj_malloc(virtq_t, type);
    memset((char *)q + sizeof(q->base), 0, sizeof(*q) - sizeof(q->base));
    q->desc = (volatile virtq_desc_t *)address(args[0]);
    q->avail = (volatile uint16_t *)address(args[1]);
    q->used = (volatile uint16_t *)address(args[2]);
    q->size = mp_obj_get_int(args[3]);
    q->event_idx = mp_obj_is_true(args[4]);
    if (q->size == 0 || (q->size & (q->size - 1)) != 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("size is no power of two"));
    }
    return q;
}

// (buffers, count, buffer_len, header_len, apart): buffers that lie one behind the other, each a header and a frame; apart: the header
// has a descriptor of its own
static void equip(virtq_t *q, const mp_obj_t *args) {
    mp_int_t count = mp_obj_get_int(args[1]), len = mp_obj_get_int(args[2]), header_len = mp_obj_get_int(args[3]);
    bool apart = mp_obj_is_true(args[4]);
    if (count < 1 || count << apart > q->size || header_len < 10 || len <= header_len || len > INT32_MAX || len % 8 != 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("buffers do not fit"));
    }
    q->buffers = address(args[0]);
    q->count = count;
    q->buffer_len = len;
    q->header_len = header_len;
    q->second = apart ? count : 0;
    q->held = m_new0(uint8_t, count);
}

static mp_obj_t ring_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 5, 5, false);
    return MP_OBJ_FROM_PTR(make(type, args));
}

// Receiver(ring..., buffers..., merge): frames in. merge: one may take several buffers, whose number stands in its header
static mp_obj_t receiver_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 11, 11, false);
    virtq_t *q = make(type, args);
    equip(q, args + 5);
    q->merge = mp_obj_is_true(args[10]);
    if (q->merge && q->header_len < sizeof(virtq_header_t)) {
        mp_raise_ValueError(MP_ERROR_TEXT("buffers do not fit"));
    }
    q->pieces = m_new(virtq_used_t, q->merge ? q->count : 1);
    virtq_describe(q, VIRTQ_DESC_WRITE);
    return MP_OBJ_FROM_PTR(q);
}

// Sender(ring..., buffers..., tx, report): frames out. tx: array of one address, of the place where the next frame goes, 0: the
// device holds all buffers; report(None) is scheduled when send() finds the queue broken
static mp_obj_t sender_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 12, 12, false);
    virtq_t *q = make(type, args);
    equip(q, args + 5);
    mp_buffer_info_t tx;
    mp_get_buffer_raise(args[10], &tx, MP_BUFFER_RW);
    if (tx.len != sizeof(uint64_t)) {
        mp_raise_ValueError(MP_ERROR_TEXT("tx is no array of one address"));
    }
    q->tx = tx.buf;
    q->tx_array = args[10];
    q->report = args[11];
    q->free = m_new(uint16_t, q->count);
    q->following = m_new0(uint16_t, q->count);
    virtq_describe(q, 0);
    virtq_fill(q);
    return MP_OBJ_FROM_PTR(q);
}

#define OF_A_RING \
    { MP_ROM_QSTR(MP_QSTR_bind), MP_ROM_PTR(&virtq_bind_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_kick), MP_ROM_PTR(&virtq_kick_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_listen), MP_ROM_PTR(&virtq_listen_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_progress), MP_ROM_PTR(&virtq_progress_obj) }
#define OF_BUFFERS \
    { MP_ROM_QSTR(MP_QSTR_broken), MP_ROM_PTR(&virtq_broken_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_held), MP_ROM_PTR(&virtq_held_obj) }

static const mp_rom_map_elem_t ring_locals_table[] = {
    OF_A_RING,
    { MP_ROM_QSTR(MP_QSTR_post), MP_ROM_PTR(&virtq_post_obj) },
};
static MP_DEFINE_CONST_DICT(ring_locals, ring_locals_table);

static const mp_rom_map_elem_t receiver_locals_table[] = {
    OF_A_RING,
    OF_BUFFERS,
    { MP_ROM_QSTR(MP_QSTR_supply), MP_ROM_PTR(&virtq_supply_obj) },
    { MP_ROM_QSTR(MP_QSTR_receive), MP_ROM_PTR(&virtq_receive_obj) },
};
static MP_DEFINE_CONST_DICT(receiver_locals, receiver_locals_table);

static const mp_rom_map_elem_t sender_locals_table[] = {
    OF_A_RING,
    OF_BUFFERS,
    { MP_ROM_QSTR(MP_QSTR_send), MP_ROM_PTR(&virtq_send_obj) },
    { MP_ROM_QSTR(MP_QSTR_hold), MP_ROM_PTR(&virtq_hold_obj) },
    { MP_ROM_QSTR(MP_QSTR_send_held), MP_ROM_PTR(&virtq_send_held_obj) },
    { MP_ROM_QSTR(MP_QSTR_notify), MP_ROM_PTR(&virtq_notify_obj) },
    { MP_ROM_QSTR(MP_QSTR_reclaim), MP_ROM_PTR(&virtq_reclaim_obj) },
    { MP_ROM_QSTR(MP_QSTR_free), MP_ROM_PTR(&virtq_free_obj) },
};
static MP_DEFINE_CONST_DICT(sender_locals, sender_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(ring_type, MP_QSTR_Ring, MP_TYPE_FLAG_NONE, make_new, ring_make_new, locals_dict, &ring_locals);
static MP_DEFINE_CONST_OBJ_TYPE(receiver_type, MP_QSTR_Receiver, MP_TYPE_FLAG_NONE, make_new, receiver_make_new, locals_dict, &receiver_locals);
static MP_DEFINE_CONST_OBJ_TYPE(sender_type, MP_QSTR_Sender, MP_TYPE_FLAG_NONE, make_new, sender_make_new, locals_dict, &sender_locals);

// ---- a network card's interrupt ------------------------------------------------------------------------------------
typedef struct {
    mp_obj_base_t base;
    virtq_t *rx, *tx;
    mp_obj_t handle, settle, on_event;
} pump_t;

#define SUPPLY 64                               // receive buffers that the device gets with each interrupt, until it has all
#define BUDGET 256                              // frames of one interrupt; a flood leaves time to everybody else

// poll(rx, tx, handle, budget) -> frames: take them in, and back what was sent. Fewer than the budget: no more are there, and the
// next one interrupts; -1: broken
static int poll(virtq_t *rx, virtq_t *tx, mp_obj_t handle, int budget) {
    int count = 0;
    do {
        int taken = virtq_receive(rx, handle, budget - count);
        if (taken < 0) {
            return -1;
        }
        count += taken;
    } while (count < budget && virtq_listen(rx, 0));
    if (count > 0) {
        virtq_supply(rx, SUPPLY);
        virtq_kick(rx);
    }
    return virtq_reclaim(tx) ? count : -1;
}

static mp_obj_t virtq_poll(size_t n_args, const mp_obj_t *args) {
    if (!mp_obj_is_type(args[0], &receiver_type) || !mp_obj_is_type(args[1], &sender_type)) {
        mp_raise_TypeError(NULL);
    }
    return MP_OBJ_NEW_SMALL_INT(poll(queue(args[0]), queue(args[1]), args[2], mp_obj_get_int(args[3])));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virtq_poll_obj, 4, 4, virtq_poll);

static mp_obj_t pump_call(mp_obj_t self_in, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    pump_t *self = MP_OBJ_TO_PTR(self_in);
    int count = poll(self->rx, self->tx, self->handle, BUDGET);
    return mp_call_function_0(count < 0 || count == BUDGET ? self->on_event : self->settle);
}

// Pump(rx, tx, handle, settle, on_event): called by an interrupt, polls, and calls settle(), or on_event() where there is more to do
static mp_obj_t pump_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 5, 5, false);
    if (!mp_obj_is_type(args[0], &receiver_type) || !mp_obj_is_type(args[1], &sender_type)) {
        mp_raise_TypeError(NULL);
    }
    pump_t *self = mp_obj_malloc(pump_t, type);
    self->rx = queue(args[0]);
    self->tx = queue(args[1]);
    self->handle = args[2];
    self->settle = args[3];
    self->on_event = args[4];
    return MP_OBJ_FROM_PTR(self);
}
static MP_DEFINE_CONST_OBJ_TYPE(pump_type, MP_QSTR_Pump, MP_TYPE_FLAG_NONE, make_new, pump_make_new, call, pump_call);

static const mp_rom_map_elem_t virtq_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_virtq) },
    { MP_ROM_QSTR(MP_QSTR_Ring), MP_ROM_PTR(&ring_type) },
    { MP_ROM_QSTR(MP_QSTR_Receiver), MP_ROM_PTR(&receiver_type) },
    { MP_ROM_QSTR(MP_QSTR_Sender), MP_ROM_PTR(&sender_type) },
    { MP_ROM_QSTR(MP_QSTR_Pump), MP_ROM_PTR(&pump_type) },
    { MP_ROM_QSTR(MP_QSTR_poll), MP_ROM_PTR(&virtq_poll_obj) },
};
static MP_DEFINE_CONST_DICT(virtq_globals, virtq_globals_table);

const mp_obj_module_t mp_module_virtq = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&virtq_globals,
};

MP_REGISTER_MODULE(MP_QSTR_virtq, mp_module_virtq);
