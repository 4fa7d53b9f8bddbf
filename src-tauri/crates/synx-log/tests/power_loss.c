/* A disk that can lose its power, and other troubles, between a program and its files (LD_PRELOAD).
 *
 * For files under $SHIM_ROOT: what was synced last is kept in $SHIM_SHADOW under the same name, and every write since
 * then in NAME.writes (records of offset, length, bytes). A test puts together from these what a loss of power may leave.
 * $SHIM_SHADOW/trouble, if it is there, names what goes wrong: "full" (writes find no space), "failing" (syncs fail),
 * "lying" (syncs answer and do nothing), "readonly" (nothing can be opened for writing).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fdatasync)(int);
static int (*real_open)(const char *, int, ...);

__attribute__((constructor)) static void find_the_real_ones(void) {
    real_pwrite = (ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite64");
    real_fdatasync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    real_open = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
}

/* The name of a database file or its WAL under the root; 0 for any other file. The WAL's index is no file that lasts. */
static int named(int fd, char *name) {
    char link[64], path[PATH_MAX];
    const char *root = getenv("SHIM_ROOT");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (!root || length <= 0) return 0;
    path[length] = 0;
    size_t prefix = strlen(root);
    if (strncmp(path, root, prefix) != 0 || path[prefix] != '/' || strchr(path + prefix + 1, '/')) return 0;
    strcpy(name, path + prefix + 1);
    size_t end = strlen(name);
    return (end > 3 && !strcmp(name + end - 3, ".db")) || (end > 4 && !strcmp(name + end - 4, "-wal"));
}

static void in_shadow(char *path, const char *name, const char *suffix) {
    snprintf(path, PATH_MAX, "%s/%s%s", getenv("SHIM_SHADOW"), name, suffix);
}

static int trouble(const char *what) {
    char path[PATH_MAX], found[16] = {0};
    in_shadow(path, "trouble", "");
    int fd = real_open(path, O_RDONLY);
    if (fd < 0) return 0;
    ssize_t length = read(fd, found, sizeof found - 1);
    close(fd);
    return length > 0 && !strcmp(found, what);
}

static int opened(const char *path, int flags, mode_t mode) {
    const char *root = getenv("SHIM_ROOT");
    size_t prefix = root ? strlen(root) : 0;
    int inside = prefix && !strncmp(path, root, prefix) && path[prefix] == '/';
    if (inside && (flags & (O_WRONLY | O_RDWR | O_CREAT)) && trouble("readonly")) {
        errno = EROFS;
        return -1;
    }
    return real_open(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return opened(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return opened(path, flags, mode);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) {
    char name[PATH_MAX], path[PATH_MAX];
    if (!named(fd, name)) return real_pwrite(fd, bytes, length, offset);
    if (trouble("full")) {
        errno = ENOSPC;
        return -1;
    }
    pthread_mutex_lock(&one_at_a_time);
    ssize_t written = real_pwrite(fd, bytes, length, offset);
    if (written > 0) {
        in_shadow(path, name, ".writes");
        int to = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
        uint64_t head[2] = {(uint64_t)offset, (uint64_t)written};
        if (to < 0 || write(to, head, sizeof head) != sizeof head || write(to, bytes, written) != written) abort();
        close(to);
    }
    pthread_mutex_unlock(&one_at_a_time);
    return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }

/* The file as it is becomes what is safe. Killed halfway, the old one stays: nothing was acknowledged yet. */
static void keep(int fd, const char *name) {
    char fresh[PATH_MAX], kept[PATH_MAX], writes[PATH_MAX], buffer[65536];
    in_shadow(fresh, name, ".fresh");
    in_shadow(kept, name, "");
    in_shadow(writes, name, ".writes");
    int to = open(fresh, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (to < 0) abort();
    off_t offset = 0;
    ssize_t length;
    while ((length = pread(fd, buffer, sizeof buffer, offset)) > 0) {
        if (write(to, buffer, length) != length) abort();
        offset += length;
    }
    close(to);
    /* In this order: old writes must never be put over what was synced after them. */
    unlink(writes);
    if (length < 0 || rename(fresh, kept)) abort();
}

static int sync_and_keep(int fd, int (*sync)(int)) {
    char name[PATH_MAX];
    if (!named(fd, name)) return sync(fd);
    if (trouble("lying")) return 0;
    if (trouble("failing")) {
        errno = EIO;
        return -1;
    }
    pthread_mutex_lock(&one_at_a_time);
    int synced = sync(fd);
    if (!synced) keep(fd, name);
    pthread_mutex_unlock(&one_at_a_time);
    return synced;
}

int fdatasync(int fd) { return sync_and_keep(fd, real_fdatasync); }

int fsync(int fd) { return sync_and_keep(fd, real_fdatasync); }
