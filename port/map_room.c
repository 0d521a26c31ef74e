// Room in hash tables: in front of py/map.c, whose tables fill up to the last place before they grow.
//
// In a full table a name that is not there is looked for in every place; a table of names is asked for such ones all the
// time (a module for builtins, an object for methods). Here one of LEAST places or more grows when three quarters are used.

#include "py/gc.h"
#include "py/obj.h"

#define LEAST 8u

mp_map_elem_t *plain_map_lookup(mp_map_t *map, mp_obj_t index, mp_map_lookup_kind_t kind);

static bool crowded(const mp_map_t *map) {
    return map->alloc >= LEAST && !gc_is_locked() && !map->is_ordered && !map->is_fixed && 4 * map->used >= 3 * map->alloc;
}

static void grow(mp_map_t *map) {
    mp_map_t wide;
    mp_map_init(&wide, 2 * map->used + 1);
    for (size_t i = 0; i < map->alloc; i++) {
        if (mp_map_slot_is_filled(map, i)) {
            plain_map_lookup(&wide, map->table[i].key, MP_MAP_LOOKUP_ADD_IF_NOT_FOUND)->value = map->table[i].value;
        }
    }
    m_del(mp_map_elem_t, map->table, map->alloc);
    *map = wide;
}

mp_map_elem_t *mp_map_lookup(mp_map_t *map, mp_obj_t index, mp_map_lookup_kind_t kind) {
    if (kind == MP_MAP_LOOKUP_ADD_IF_NOT_FOUND && crowded(map)) {
        mp_map_elem_t *found = plain_map_lookup(map, index, MP_MAP_LOOKUP);
        if (found != NULL) {
            return found;                   // a table that somebody goes through does not grow for what it holds
        }
        grow(map);
    }
    return plain_map_lookup(map, index, kind);
}
