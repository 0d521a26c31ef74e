// What of MicroPython is built in, and how it reaches the machine.
//
// Read by every py/ and extmod/ file. Options that extmod's makefile needs to know as well
// (file systems) are set in port.mk. Leaves out: threads, settrace, docstrings, Pin and Signal.

#include <stdint.h>
#include <stddef.h>
#include <alloca.h>
#undef __GLIBC__        // only its headers are here: platform.libc_ver() must not name it

#define MICROPY_CONFIG_ROM_LEVEL            (MICROPY_CONFIG_ROM_LEVEL_EVERYTHING)

// ---- names ------------------------------------------------------------------------------------
#define MICROPY_PY_SYS_PLATFORM             "keelback"
#define MICROPY_BANNER_MACHINE              "UEFI x64"
#define MICROPY_HW_BOARD_NAME               "UEFI machine"      // these two: os.uname() puts "with" between them
#define MICROPY_HW_MCU_NAME                 "x86-64 processor"
#define MICROPY_PLATFORM_VERSION            "UEFI"

// ---- types ------------------------------------------------------------------------------------
typedef intptr_t mp_int_t;
typedef uintptr_t mp_uint_t;
typedef long mp_off_t;
#define MP_SSIZE_MAX                        INTPTR_MAX
#define MP_NEED_LOG2                        (1)
#define MP_STATE_PORT                       MP_STATE_VM

// ---- numbers ----------------------------------------------------------------------------------
#define MICROPY_LONGINT_IMPL                (MICROPY_LONGINT_IMPL_MPZ)
#define MICROPY_FLOAT_IMPL                  (MICROPY_FLOAT_IMPL_DOUBLE)
#define MICROPY_FLOAT_USE_NATIVE_FLT16      (0)

// ---- speed ------------------------------------------------------------------------------------
#define MICROPY_OPT_COMPUTED_GOTO           (1)
#define MICROPY_OPT_MAP_LOOKUP_CACHE_SIZE   (512)

// ---- memory: gc_*.c stand in for py/gc.c ------------------------------------------------------------
#define MICROPY_ENABLE_GC                   (1)
#define MICROPY_GC_SPLIT_HEAP               (1)         // with AUTO: gc.mem_free() counts what the heap can
#define MICROPY_GC_SPLIT_HEAP_AUTO          (1)         // still grow by
#define MICROPY_ALLOC_GC_STACK_SIZE         (1)         // ours is in gc_collect.c
#define MICROPY_PY_GC_COLLECT_RETVAL        (1)
#define MICROPY_TRACKED_ALLOC               (1)
#define MICROPY_ALLOC_PATH_MAX              (1024)
#define MICROPY_STACK_CHECK_MARGIN          (128 * 1024)    // mbedTLS, the firmware in firmware mode
#define MICROPY_ENABLE_EMERGENCY_EXCEPTION_BUF (1)
#define MICROPY_EMERGENCY_EXCEPTION_BUF_SIZE (256)

// ---- machine code made at run time: exec.c -----------------------------------------------------
#define MICROPY_EMIT_X64                    (1)
#define MICROPY_PERSISTENT_CODE_LOAD        (1)
void *exec_commit(void *code, size_t len, void *reloc);
#define MP_PLAT_COMMIT_EXEC(code, len, reloc) exec_commit(code, len, reloc)

// ---- frames.c stands in front of the VM ----------------------------------------------------------
#define MICROPY_WRAP_MP_EXECUTE_BYTECODE(f) vm_##f
#define MICROPY_WRAP_MP_BINARY_OP(f)        plain_##f   // fastpath.c stands in front of it
// Says that it may return twice, so that link-time optimisation keeps its callers' frames what they were.
struct _nlr_buf_t;
unsigned int nlr_push(struct _nlr_buf_t *) __attribute__((returns_twice));

// Inlined into the VM, they would leave the value in its frame, where a collection finds it long after
// `del`. (qstr is size_t and mp_obj_t void *; neither is declared yet.)
void mp_store_name(size_t, void *) __attribute__((noinline));
void mp_store_global(size_t, void *) __attribute__((noinline));

// ---- the interpreter's own behaviour ----------------------------------------------------------------
#define MICROPY_PY_THREAD                   (0)
#define MICROPY_ENABLE_VM_ABORT             (1)         // a soft reset unwinds past every Python handler
#define MICROPY_SCHEDULER_DEPTH             (16)
#define MICROPY_SCHEDULER_STATIC_NODES      (1)
#define MICROPY_ERROR_REPORTING             (MICROPY_ERROR_REPORTING_DETAILED)
#define MICROPY_WARNINGS                    (1)
#define MICROPY_USE_INTERNAL_ERRNO          (1)
#define MICROPY_STREAMS_POSIX_API           (0)
#define MICROPY_READLINE_HISTORY_SIZE       (50)
#define MICROPY_REPL_STDIN_BUFFER_MAX       (4096)      // the raw paste window is half of it
#define MICROPY_EPOCH_IS_1970               (1)

// ---- modules ------------------------------------------------------------------------------------
#define MICROPY_PY_SYS_EXC_INFO             (1)
#define MICROPY_PY_RANDOM_SEED_INIT_FUNC    (mp_hal_random_seed())
unsigned long mp_hal_random_seed(void);
#define MICROPY_PY_OS_INCLUDEFILE           "port/modos.c"
#define MICROPY_PY_OS_UNAME                 (1)
#define MICROPY_PY_OS_URANDOM               (1)
#define MICROPY_PY_TIME_INCLUDEFILE         "port/modtime.c"
#define MICROPY_PY_TIME_TIME_TIME_NS        (1)
#define MICROPY_PY_TIME_CUSTOM_SLEEP        (1)
#define MICROPY_PY_MACHINE                  (1)
#define MICROPY_PY_MACHINE_INCLUDEFILE      "port/modmachine.c"
#define MICROPY_PY_MACHINE_RESET            (1)
#define MICROPY_PY_MACHINE_BARE_METAL_FUNCS (1)
#define MICROPY_PY_MACHINE_SIGNAL           (0)
#define MICROPY_MACHINE_MEM_GET_READ_ADDR   machine_mem_read_addr
#define MICROPY_MACHINE_MEM_GET_WRITE_ADDR  machine_mem_write_addr
uintptr_t machine_mem_read_addr(void *addr_in, unsigned len);
uintptr_t machine_mem_write_addr(void *addr_in, unsigned len);
#define MICROPY_PY_WEBSOCKET                (1)
#define MICROPY_PY_SSL                      (1)         // module tls; modules/ssl.py stands on it
#define MICROPY_SSL_MBEDTLS                 (1)
#define MICROPY_PY_HASHLIB_MD5              (1)
#define MICROPY_PY_HASHLIB_SHA1             (1)
#define MICROPY_PY_CRYPTOLIB                (1)
#define MICROPY_PY_CRYPTOLIB_CTR            (1)
#define MICROPY_PY_CRYPTOLIB_CONSTS         (1)

#define MICROPY_PY_LWIP                     (1)         // module socket: net.c
#define MICROPY_PY_LWIP_SOCK_RAW            (1)
#define MICROPY_PY_NETWORK                  (1)
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "keelback"
#define MICROPY_PY_SOCKET_LISTEN_BACKLOG_DEFAULT (16)

// ---- file systems: vfs_ram.c at "/", the others over block devices of the user's ----------------
#define MICROPY_VFS                         (1)
#define MICROPY_READER_VFS                  (1)
#define MICROPY_VFS_ROM                     (1)         // also lets imports read a file where it lies
#define MICROPY_VFS_ROM_IOCTL               (0)
#define mp_builtin___import__               import_checked      // args.c
#define MICROPY_FATFS_ENABLE_LFN            (2)
#define MICROPY_FATFS_LFN_CODE_PAGE         437         /* U.S. (OEM) */
#define MICROPY_FATFS_RPATH                 (2)
#define MICROPY_FATFS_MAX_SS                (4096)

// ---- waiting: hlt until an interrupt or the deadline --------------------------------------------
void net_poll(void);
#define MICROPY_INTERNAL_EVENT_HOOK         net_poll()
void mp_hal_wait(intptr_t timeout_ms);
#define MICROPY_INTERNAL_WFE(timeout_ms)    mp_hal_wait((intptr_t)(timeout_ms))
