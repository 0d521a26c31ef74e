// The boot volume's files, read through the firmware before it goes, for the RAM file system.
// Bounded in count, depth and bytes; what was left out is said. The running executable itself is not read again.
// Source: UEFI 2.10, 13.4 and 13.5 (Simple File System, File Protocol).

#include "internal.h"

#define FILES_MAX 8192                      // entries, folders included
#define DEPTH_MAX 32
#define PATH_BYTES 1024                     // of one path, UTF-8
#define FREE_SHARE 4                        // at most a quarter of the free memory goes to files

static EFI_GUID fs_guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
static const char *self_path_name;
static uint64_t bytes_left;
static size_t left_out;
static size_t capacity;
static char note[160];

static bool same_path(const char *a, const char *b) {       // FAT ignores the case of ASCII letters
    for (;; a++, b++) {
        char x = *a >= 'a' && *a <= 'z' ? *a - 32 : *a, y = *b >= 'a' && *b <= 'z' ? *b - 32 : *b;
        if (x != y) {
            return false;
        }
        if (x == 0) {
            return true;
        }
    }
}

static void leave_out(const char *why, const char *path) {
    static const char text[] = "left out of the RAM file system: ";
    if (left_out++ > 0) {
        return;
    }
    size_t n = sizeof(text) - 1;
    __builtin_memcpy(note, text, n);
    for (const char *p = why; *p && n < sizeof(note) - 4; p++) {
        note[n++] = *p;
    }
    for (const char *p = path; *p && n < sizeof(note) - 4; p++) {
        note[n++] = *p;
    }
    note[n] = 0;
    boot_info.files_note = note;
}

static boot_file_t *add_entry(const char *path, size_t len) {
    if (boot_info.file_count == FILES_MAX) {
        leave_out("too many files, from ", path);
        return NULL;
    }
    if (boot_info.file_count == capacity) {
        size_t more = capacity ? capacity * 2 : 32;
        boot_file_t *list = firmware_pool(more * sizeof(*list));
        if (list == NULL) {
            leave_out("no memory, from ", path);
            return NULL;
        }
        if (capacity) {
            __builtin_memcpy(list, boot_info.files, capacity * sizeof(*list));
            BS->FreePool(boot_info.files);
        }
        boot_info.files = list;
        capacity = more;
    }
    char *copy = firmware_pool(len + 1);
    if (copy == NULL) {
        return NULL;
    }
    __builtin_memcpy(copy, path, len + 1);
    boot_file_t *f = &boot_info.files[boot_info.file_count++];
    f->path = copy;
    return f;
}

static void read_file(EFI_FILE_HANDLE dir, CHAR16 *name, uint64_t size, boot_file_t *f) {
    EFI_FILE_HANDLE h;
    if (size > bytes_left) {
        leave_out("too large: ", f->path);
        boot_info.file_count--;
        return;
    }
    UINTN n = size;
    f->data = firmware_pool(size + 1);
    bool ok = f->data != NULL && dir->Open(dir, &h, name, EFI_FILE_MODE_READ, 0) == EFI_SUCCESS;
    if (ok) {
        ok = h->Read(h, &n, f->data) == EFI_SUCCESS && n <= size;
        h->Close(h);
    }
    if (!ok) {
        leave_out("unreadable: ", f->path);
        boot_info.file_count--;
        return;
    }
    f->size = n;
    bytes_left -= n;
}

static void walk(EFI_FILE_HANDLE dir, char *path, size_t len, int depth);

static void visit(EFI_FILE_HANDLE dir, EFI_FILE_INFO *info, char *path, size_t len, int depth) {
    size_t start = len + (len > 0);
    if (len > 0) {
        path[len] = '/';
    }
    size_t end = start + utf8_from_ucs2(path + start, PATH_BYTES - start, info->FileName, info->Size / 2);
    if (end + 8 >= PATH_BYTES || depth >= DEPTH_MAX) {
        leave_out("path too long or too deep: ", path);
        return;
    }
    if (__builtin_strcmp(path + start, ".") == 0 || __builtin_strcmp(path + start, "..") == 0 || same_path(path, self_path_name)) {
        return;
    }
    boot_file_t *f = add_entry(path, end);
    if (f == NULL) {
        return;
    }
    f->mtime = unix_seconds(&info->ModificationTime);
    f->is_dir = (info->Attribute & EFI_FILE_DIRECTORY) != 0;
    if (!f->is_dir) {
        read_file(dir, info->FileName, info->FileSize, f);
        return;
    }
    EFI_FILE_HANDLE sub;
    if (dir->Open(dir, &sub, info->FileName, EFI_FILE_MODE_READ, 0) == EFI_SUCCESS) {
        walk(sub, path, end, depth + 1);
        sub->Close(sub);
    }
}

static void walk(EFI_FILE_HANDLE dir, char *path, size_t len, int depth) {
    size_t room = sizeof(EFI_FILE_INFO) + 2 * 512;
    EFI_FILE_INFO *info = firmware_pool(room + 2);
    if (info == NULL) {
        return;
    }
    while (boot_info.file_count < FILES_MAX) {
        UINTN n = room;
        if (dir->Read(dir, &n, info) != EFI_SUCCESS || n == 0) {
            break;
        }
        info->FileName[(n - __builtin_offsetof(EFI_FILE_INFO, FileName)) / 2] = 0;
        visit(dir, info, path, len, depth);
        path[len] = 0;
    }
    if (boot_info.file_count == FILES_MAX) {
        leave_out("too many files, from folder ", path);
    }
    BS->FreePool(info);
}

static uint64_t free_bytes(void) {
    uint64_t pages = 0;
    for (size_t i = 0; memmap_get(i) != NULL; i++) {
        pages += memmap_get(i)->type == EfiConventionalMemory ? memmap_get(i)->pages : 0;
    }
    return pages * PAGE_SIZE;
}

void volume_collect(EFI_HANDLE device, const char *self) {
    static char path[PATH_BYTES + 8];
    EFI_FILE_IO_INTERFACE *fs;
    EFI_FILE_HANDLE root;
    self_path_name = self;
    memmap_reserve();
    bytes_left = memmap_load() ? free_bytes() / FREE_SHARE : 0;
    if (device == NULL || BS->HandleProtocol(device, &fs_guid, (void **)&fs) != EFI_SUCCESS
        || fs->OpenVolume(fs, &root) != EFI_SUCCESS) {
        return;
    }
    walk(root, path, 0, 0);
    root->Close(root);
}
