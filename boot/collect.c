// What only the firmware knows, taken before boot services end: tables, load options, time, entropy, files.
// Source: UEFI 2.10, 4.6 (configuration tables), 9.1 (loaded image), 8.3 (GetTime).

#include "internal.h"

boot_info_t boot_info;

#define LOAD_OPTIONS_MAX 8192               // bytes of load options that are read
#define SELF_PATH_MAX 512

typedef struct { EFI_GUID guid; uint64_t *where; } known_table_t;

// Tables whose addresses are wanted; a later entry for the same address overrules an earlier one.
static const known_table_t known_tables[] = {
    { { 0xeb9d2d30, 0x2d88, 0x11d3, { 0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d } }, &boot_info.rsdp },    // ACPI 1.0
    { { 0x8868e871, 0xe4f1, 0x11d3, { 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 } }, &boot_info.rsdp },    // ACPI 2.0
    { { 0xeb9d2d31, 0x2d88, 0x11d3, { 0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d } }, &boot_info.smbios },
    { { 0xf2fd1544, 0x9794, 0x4a2c, { 0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94 } }, &boot_info.smbios3 },
    { { 0x067b1f5f, 0xcf26, 0x44c5, { 0x85, 0x54, 0x93, 0xd7, 0x77, 0x91, 0x2d, 0x42 } }, &boot_info.cc_blob }, // confidential computing
};

void *firmware_pool(size_t len) {
    void *p = NULL;
    if (BS->AllocatePool(EfiLoaderData, len, &p) != EFI_SUCCESS) {
        return NULL;
    }
    return __builtin_memset(p, 0, len);
}

static size_t utf8_put(char *out, uint32_t c) {
    if (c < 0x80) {
        out[0] = c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = 0xc0 | c >> 6;
        out[1] = 0x80 | (c & 63);
        return 2;
    }
    if (c < 0x10000) {
        out[0] = 0xe0 | c >> 12;
        out[1] = 0x80 | (c >> 6 & 63);
        out[2] = 0x80 | (c & 63);
        return 3;
    }
    out[0] = 0xf0 | c >> 18;
    out[1] = 0x80 | (c >> 12 & 63);
    out[2] = 0x80 | (c >> 6 & 63);
    out[3] = 0x80 | (c & 63);
    return 4;
}

// Unpaired surrogates become U+FFFD; conversion ends at a NUL, at in_count or where out is full.
size_t utf8_from_ucs2(char *out, size_t out_len, const CHAR16 *in, size_t in_count) {
    size_t n = 0;
    for (size_t i = 0; i < in_count && n + 5 <= out_len; i++) {
        uint32_t c = in[i];
        if (c == 0) {
            break;
        }
        if (c >= 0xd800 && c < 0xe000) {
            bool pair = c < 0xdc00 && i + 1 < in_count && in[i + 1] >= 0xdc00 && in[i + 1] < 0xe000;
            c = pair ? 0x10000 + ((c - 0xd800) << 10) + (in[++i] - 0xdc00) : 0xfffd;
        }
        n += utf8_put(out + n, c);
    }
    out[n] = 0;
    return n;
}

static void collect_tables(void) {
    UINTN n = ST->NumberOfTableEntries;
    for (size_t k = 0; k < sizeof(known_tables) / sizeof(known_tables[0]); k++) {
        for (UINTN i = 0; i < n; i++) {
            EFI_CONFIGURATION_TABLE *t = &ST->ConfigurationTable[i];
            if (__builtin_memcmp(&t->VendorGuid, &known_tables[k].guid, sizeof(EFI_GUID)) == 0) {
                *known_tables[k].where = (uint64_t)t->VendorTable;
            }
        }
    }
}

// Days since 1970-01-01 of a civil date, by counting from March so that leap days come last.
static int64_t days_from_civil(int y, int m, int d) {
    y -= m <= 2;
    int era = y / 400, yoe = y - era * 400;
    int doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return (int64_t)era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

int64_t unix_seconds(const EFI_TIME *t) {
    if (t->Year < 1970 || t->Month < 1 || t->Month > 12) {
        return 0;
    }
    int64_t s = days_from_civil(t->Year, t->Month, t->Day) * 86400 + t->Hour * 3600 + t->Minute * 60 + t->Second;
    bool zone = t->TimeZone >= -1440 && t->TimeZone <= 1440;        // else EFI_UNSPECIFIED_TIMEZONE: taken as UTC
    return zone ? s + t->TimeZone * 60 : s;
}

static void collect_time(void) {
    EFI_TIME t;
    if (RT->GetTime(&t, NULL) == EFI_SUCCESS && unix_seconds(&t) > 0) {
        clock_set_wall_ns(unix_seconds(&t) * 1000000000);
    }
}

// The executable's path on its volume, with '/' and without the leading one; "" where there is none.
static void self_path(EFI_LOADED_IMAGE *li, char *out) {
    size_t n = 0;
    out[0] = 0;
    EFI_DEVICE_PATH *p = li->FilePath;
    for (int nodes = 0; p != NULL && p->Type != 0x7f && nodes < 16; nodes++) {
        size_t len = p->Length[0] | p->Length[1] << 8;
        if (len < 4) {
            break;
        }
        if (p->Type == 4 && p->SubType == 4 && n + 8 < SELF_PATH_MAX) {     // media, file path
            n += utf8_from_ucs2(out + n, SELF_PATH_MAX - n, (CHAR16 *)(p + 1), (len - 4) / 2);
        }
        p = (EFI_DEVICE_PATH *)((uint8_t *)p + len);
    }
    char *w = out;
    for (char *r = out; *r; r++) {
        char c = *r == '\\' ? '/' : *r;
        if (c != '/' || (w > out && w[-1] != '/')) {
            *w++ = c;
        }
    }
    *w = 0;
}

static void collect_load_options(EFI_LOADED_IMAGE *li) {
    size_t count = li->LoadOptions == NULL ? 0 : li->LoadOptionsSize / 2;
    if (count > LOAD_OPTIONS_MAX) {
        count = LOAD_OPTIONS_MAX;
    }
    char *text = firmware_pool(count * 3 + 8);
    if (text == NULL) {
        return;
    }
    utf8_from_ucs2(text, count * 3 + 8, li->LoadOptions, count);
    boot_info.load_options = text;
}

// The option file stands beside the executable, or at the volume's root.
static void collect_options(const char *self) {
    char path[SELF_PATH_MAX + 16];
    size_t dir = 0;
    for (size_t i = 0; self[i]; i++) {
        dir = self[i] == '/' ? i + 1 : dir;
    }
    __builtin_memcpy(path, self, dir);
    __builtin_memcpy(path + dir, "keelback.cfg", 13);
    for (size_t i = 0; i < boot_info.file_count; i++) {
        const boot_file_t *f = &boot_info.files[i];
        if (!f->is_dir && (__builtin_strcmp(f->path, path) == 0 || __builtin_strcmp(f->path, path + dir) == 0)) {
            options_parse_file((const char *)f->data, f->size);
        }
    }
    options_parse_words(boot_info.load_options);
}

void collect(EFI_HANDLE image, EFI_SYSTEM_TABLE *st) {
    static EFI_GUID loaded_image_guid = LOADED_IMAGE_PROTOCOL;
    static char self[SELF_PATH_MAX];
    boot_info.image_handle = image;
    boot_info.system_table = st;
    boot_info.runtime_services = RT;
    boot_info.image_base = (uint64_t)image_start;
    boot_info.image_size = image_end - image_start;
    boot_info.load_options = "";
    collect_tables();
    sev_detect();
    time_first_sample();
    collect_time();
    entropy_init();
    EFI_LOADED_IMAGE *li;
    if (BS->HandleProtocol(image, &loaded_image_guid, (void **)&li) == EFI_SUCCESS) {
        self_path(li, self);
        collect_load_options(li);
        volume_collect(li->DeviceHandle, self);
    }
    collect_options(self);
}
