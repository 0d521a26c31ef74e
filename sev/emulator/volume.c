// Files of the volume that the emulator came from, its load options, and the target's image.
// Source: UEFI 2.10, 13.4 (simple file system), 13.5 (file protocol), 10.3.5.4 (file path nodes), 9.1 (loaded image).

#include "firmware.h"

#define PATH_MAX 256

static void widen(CHAR16 *out, const char *path, size_t chars) {
    for (size_t i = 0; i < chars; i++) {
        out[i] = path[i] == '/' ? '\\' : path[i];
    }
}

// -> pages of loader data, zeros behind the file's end; NULL: not there, or larger than max.
static char *read_all(EFI_FILE_HANDLE file, size_t max, size_t *len) {
    EFI_PHYSICAL_ADDRESS at;
    UINT64 size;
    if (file->SetPosition(file, ~0ull) != EFI_SUCCESS || file->GetPosition(file, &size) != EFI_SUCCESS || size > max
        || file->SetPosition(file, 0) != EFI_SUCCESS
        || BS->AllocatePages(AllocateAnyPages, EfiLoaderData, size / PAGE_SIZE + 1, &at) != EFI_SUCCESS) {
        return NULL;
    }
    __builtin_memset((char *)at + size / PAGE_SIZE * PAGE_SIZE, 0, PAGE_SIZE);
    *len = size;
    return file->Read(file, len, (char *)at) == EFI_SUCCESS && *len == size ? (char *)at : NULL;
}

char *volume_file(EFI_HANDLE device, const char *name, size_t max, size_t *len) {
    EFI_GUID guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
    EFI_FILE_IO_INTERFACE *volume;
    EFI_FILE_HANDLE root, file;
    CHAR16 path[PATH_MAX];
    char *text = NULL;
    size_t chars = __builtin_strlen(name) + 1;
    if (chars > PATH_MAX || BS->HandleProtocol(device, &guid, (void **)&volume) != EFI_SUCCESS || volume->OpenVolume(volume, &root) != EFI_SUCCESS) {
        return NULL;
    }
    widen(path, name, chars);
    if (root->Open(root, &file, path, EFI_FILE_MODE_READ, 0) == EFI_SUCCESS) {
        text = read_all(file, max, len);
        file->Close(file);
    }
    root->Close(root);
    return text;
}

// Words as ASCII. A UEFI shell's begin with the command's own name, which is passed over.
size_t load_options(EFI_HANDLE image, EFI_LOADED_IMAGE *self, char *out, size_t room) {
    const CHAR16 *in = self->LoadOptions;
    size_t count = self->LoadOptionsSize / 2, at = 0, n = 0;
    EFI_GUID shell = { 0x752f3136, 0x4e16, 0x4fdc, { 0xa2, 0x2a, 0xe5, 0xf4, 0x68, 0x12, 0xf4, 0xca } };     // EFI_SHELL_PARAMETERS_PROTOCOL
    void *parameters;
    if (in == NULL || BS->HandleProtocol(image, &shell, &parameters) != EFI_SUCCESS) {
        return 0;                           // the boot manager's are no words of a user
    }
    while (at < count && in[at] != ' ' && in[at] != 0) {
        at++;
    }
    for (; at < count && in[at] != 0 && n < room; at++) {
        if (n > 0 || in[at] != ' ') {
            out[n++] = in[at] < 127 ? in[at] : '?';
        }
    }
    return n;
}

static size_t path_len(const uint8_t *path) {
    size_t n = 0;
    while (path[n] != 0x7f) {               // the end node's type
        n += path[n + 2] | path[n + 3] << 8;
    }
    return n;
}

// The device's path, then a file path node, then the end.
bool image_load(EFI_HANDLE parent, EFI_HANDLE device, const char *path, EFI_HANDLE *target) {
    EFI_GUID guid = DEVICE_PATH_PROTOCOL;
    uint8_t *of_device, *made;
    size_t chars = __builtin_strlen(path) + 1;
    if (BS->HandleProtocol(device, &guid, (void **)&of_device) != EFI_SUCCESS) {
        return false;
    }
    size_t lead = path_len(of_device), node = 4 + 2 * chars;
    if (BS->AllocatePool(EfiLoaderData, lead + node + 4, (void **)&made) != EFI_SUCCESS) {
        return false;
    }
    __builtin_memcpy(made, of_device, lead);
    uint8_t *p = made + lead, head[] = { 4, 4, node, node >> 8 }, end[] = { 0x7f, 0xff, 4, 0 };
    __builtin_memcpy(p, head, 4);
    widen((CHAR16 *)(p + 4), path, chars);
    __builtin_memcpy(p + node, end, 4);
    return BS->LoadImage(FALSE, parent, (EFI_DEVICE_PATH *)made, NULL, 0, target) == EFI_SUCCESS;
}
