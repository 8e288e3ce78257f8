/* Writes down, in order, what a process does to files under POWER_ROOT: into POWER_LOG, one record each.
 *
 * A record is: operation (1 byte), length of the path (2 bytes), length of the data (4 bytes), offset (8 bytes), path, data;
 * numbers in the machine's order. Operations: W bytes written at an offset, T cut to a length (the offset), S synced (a file
 * or a folder), C created, R renamed (the data is the new path), U removed.
 *
 * Built as a library that is loaded before the C library: cc -shared -fPIC -o logged.so logged.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int watched(const char *path) {
    const char *root = getenv("POWER_ROOT");
    return root && strncmp(path, root, strlen(root)) == 0;
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return watched(path);
}

static void absolute(int dirfd, const char *name, char *path) {
    char folder[PATH_MAX] = "";
    if (name[0] == '/') {
        snprintf(path, PATH_MAX, "%s", name);
        return;
    }
    if (dirfd == AT_FDCWD) {
        if (!getcwd(folder, sizeof folder)) folder[0] = 0;
    } else {
        path_of(dirfd, folder);
    }
    if (snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX) path[0] = 0;
}

static void note(char operation, const char *path, int64_t offset, const void *data, uint32_t length) {
    const char *name = getenv("POWER_LOG");
    if (!name) return;
    pthread_mutex_lock(&lock);
    if (log_fd < 0) log_fd = REAL(open)(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    uint16_t path_length = (uint16_t)strlen(path);
    struct iovec parts[] = {
        {&operation, 1}, {&path_length, 2}, {&length, 4}, {&offset, 8}, {(void *)path, path_length}, {(void *)data, length},
    };
    if (REAL(writev)(log_fd, parts, 6) < 0) abort();
    pthread_mutex_unlock(&lock);
}

static int opened(int dirfd, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    absolute(dirfd, name, path);
    int is_new = (flags & O_CREAT) && watched(path) && access(path, F_OK) != 0;
    int fd = REAL(openat)(dirfd, name, flags, mode);
    if (fd >= 0 && is_new) note('C', path, 0, "", 0);
    else if (fd >= 0 && (flags & O_TRUNC) && watched(path)) note('T', path, 0, "", 0);
    return fd;
}

static mode_t mode_in(int flags, va_list given) {
    return (flags & (O_CREAT | O_TMPFILE)) ? va_arg(given, mode_t) : 0;
}

#define OPEN(name)                                     \
    int name(const char *path, int flags, ...) {       \
        va_list given;                                 \
        va_start(given, flags);                        \
        mode_t mode = mode_in(flags, given);           \
        va_end(given);                                 \
        return opened(AT_FDCWD, path, flags, mode);    \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                             \
    int name(int dirfd, const char *path, int flags, ...) {      \
        va_list given;                                           \
        va_start(given, flags);                                  \
        mode_t mode = mode_in(flags, given);                     \
        va_end(given);                                           \
        return opened(dirfd, path, flags, mode);                 \
    }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int fd, const void *data, size_t length) {
    char path[PATH_MAX];
    int64_t at = -1;
    int is_ours = path_of(fd, path);
    if (is_ours) {
        struct stat found;
        at = (fcntl(fd, F_GETFL) & O_APPEND) && fstat(fd, &found) == 0 ? found.st_size : lseek(fd, 0, SEEK_CUR);
    }
    ssize_t written = REAL(write)(fd, data, length);
    if (is_ours && written > 0) note('W', path, at, data, (uint32_t)written);
    return written;
}

#define PWRITE(name)                                                                \
    ssize_t name(int fd, const void *data, size_t length, off_t offset) {           \
        ssize_t written = REAL(name)(fd, data, length, offset);                     \
        char path[PATH_MAX];                                                        \
        if (written > 0 && path_of(fd, path)) note('W', path, offset, data, (uint32_t)written); \
        return written;                                                             \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define TRUNCATE(name)                                            \
    int name(int fd, off_t length) {                              \
        int done = REAL(name)(fd, length);                        \
        char path[PATH_MAX];                                      \
        if (done == 0 && path_of(fd, path)) note('T', path, length, "", 0); \
        return done;                                              \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define SYNC(name)                                                \
    int name(int fd) {                                            \
        int done = REAL(name)(fd);                                \
        char path[PATH_MAX];                                      \
        if (done == 0 && path_of(fd, path)) note('S', path, 0, "", 0); \
        return done;                                              \
    }
SYNC(fsync)
SYNC(fdatasync)

int rename(const char *from, const char *to) {
    char old[PATH_MAX], new[PATH_MAX];
    absolute(AT_FDCWD, from, old);
    absolute(AT_FDCWD, to, new);
    int done = REAL(rename)(from, to);
    if (done == 0 && watched(new)) note('R', old, 0, new, (uint32_t)strlen(new));
    return done;
}

int unlink(const char *name) {
    char path[PATH_MAX];
    absolute(AT_FDCWD, name, path);
    int done = REAL(unlink)(name);
    if (done == 0 && watched(path)) note('U', path, 0, "", 0);
    return done;
}
