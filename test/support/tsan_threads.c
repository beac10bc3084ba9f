// Makes librdkafka's locks and threads visible to ThreadSanitizer: C11 threads on top of POSIX threads, for programs built with it and for nothing else.
//
// librdkafka locks and starts its threads by C11's mtx_*, cnd_* and thrd_*. ThreadSanitizer of GCC 12 knows only the POSIX ones: it would see none of
// librdkafka's locks, report everything that is handed over through its queues as a race, and fall over when one of its threads calls us back.
// A program's own definitions win over glibc's, so here they are, by the same means as glibc's: mtx_t, cnd_t and thrd_t are the POSIX types there.
//
// Making and ending a lock is not told to it: inside librdkafka that is ordered by atomic counters, which it can't see.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

#define SEEN __attribute__((visibility("default")))

// Of ThreadSanitizer's runtime.
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "glibc's mtx_t is a pthread_mutex_t");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "glibc's cnd_t is a pthread_cond_t");
_Static_assert(sizeof(thrd_t) == sizeof(pthread_t), "glibc's thrd_t is a pthread_t");
_Static_assert(sizeof(once_flag) == sizeof(pthread_once_t), "glibc's once_flag is a pthread_once_t");

static int result_of(int error) {
  switch (error) {
    case 0: return thrd_success;
    case ENOMEM: return thrd_nomem;
    case ETIMEDOUT: return thrd_timedout;
    case EBUSY: return thrd_busy;
    default: return thrd_error;
  }
}

SEEN int mtx_init(mtx_t* mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, (type & mtx_recursive) != 0 ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
  AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  const int error = pthread_mutex_init((pthread_mutex_t*)mutex, &attributes);
  AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
  pthread_mutexattr_destroy(&attributes);
  return result_of(error);
}
SEEN void mtx_destroy(mtx_t* mutex) {
  AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  pthread_mutex_destroy((pthread_mutex_t*)mutex);
  AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}
SEEN int mtx_lock(mtx_t* mutex) { return result_of(pthread_mutex_lock((pthread_mutex_t*)mutex)); }
SEEN int mtx_trylock(mtx_t* mutex) { return result_of(pthread_mutex_trylock((pthread_mutex_t*)mutex)); }
SEEN int mtx_timedlock(mtx_t* mutex, const struct timespec* until) { return result_of(pthread_mutex_timedlock((pthread_mutex_t*)mutex, until)); }
SEEN int mtx_unlock(mtx_t* mutex) { return result_of(pthread_mutex_unlock((pthread_mutex_t*)mutex)); }

SEEN int cnd_init(cnd_t* condition) { return result_of(pthread_cond_init((pthread_cond_t*)condition, NULL)); }
SEEN void cnd_destroy(cnd_t* condition) { pthread_cond_destroy((pthread_cond_t*)condition); }
SEEN int cnd_signal(cnd_t* condition) { return result_of(pthread_cond_signal((pthread_cond_t*)condition)); }
SEEN int cnd_broadcast(cnd_t* condition) { return result_of(pthread_cond_broadcast((pthread_cond_t*)condition)); }
SEEN int cnd_wait(cnd_t* condition, mtx_t* mutex) { return result_of(pthread_cond_wait((pthread_cond_t*)condition, (pthread_mutex_t*)mutex)); }
SEEN int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const struct timespec* until) {
  return result_of(pthread_cond_timedwait((pthread_cond_t*)condition, (pthread_mutex_t*)mutex, until));
}

SEEN void call_once(once_flag* flag, void (*function)(void)) { pthread_once((pthread_once_t*)flag, function); }

struct start {
  thrd_start_t function;
  void* argument;
};

static void* begin(void* given) {
  const struct start start = *(struct start*)given;
  free(given);
  return (void*)(intptr_t)start.function(start.argument);
}

SEEN int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  struct start* start = malloc(sizeof *start);
  if (start == NULL) return thrd_nomem;
  *start = (struct start){function, argument};
  const int error = pthread_create((pthread_t*)thread, NULL, begin, start);
  if (error != 0) free(start);
  return error == EAGAIN ? thrd_nomem : result_of(error);
}
SEEN int thrd_join(thrd_t thread, int* value) {
  void* returned = NULL;
  const int error = pthread_join((pthread_t)thread, &returned);
  if (error == 0 && value != NULL) *value = (int)(intptr_t)returned;
  return result_of(error);
}
SEEN int thrd_detach(thrd_t thread) { return result_of(pthread_detach((pthread_t)thread)); }
SEEN _Noreturn void thrd_exit(int value) { pthread_exit((void*)(intptr_t)value); }

// Its POSIX read-write locks: tsan.supp passes over the library's own calls into the C library, and these must count. RTLD_NEXT is the sanitizer's.
typedef int rwlock_function(pthread_rwlock_t*);

static int next(rwlock_function** found, const char* name, pthread_rwlock_t* lock) {
  rwlock_function* function = __atomic_load_n(found, __ATOMIC_RELAXED);
  if (function == NULL) {
    *(void**)&function = dlsym(RTLD_NEXT, name);
    if (function == NULL) abort();
    __atomic_store_n(found, function, __ATOMIC_RELAXED);
  }
  return function(lock);
}

SEEN int pthread_rwlock_rdlock(pthread_rwlock_t* lock) {
  static rwlock_function* found;
  return next(&found, "pthread_rwlock_rdlock", lock);
}
SEEN int pthread_rwlock_wrlock(pthread_rwlock_t* lock) {
  static rwlock_function* found;
  return next(&found, "pthread_rwlock_wrlock", lock);
}
SEEN int pthread_rwlock_unlock(pthread_rwlock_t* lock) {
  static rwlock_function* found;
  return next(&found, "pthread_rwlock_unlock", lock);
}
