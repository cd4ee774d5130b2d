/*
 * killat: runs a command, and at its K-th file-changing system call kills it with all its children, or makes that call
 * fail.
 *
 *   killat [-k K] [-e ERRNO] [-l LOG] -- COMMAND ARGUMENT...
 *
 * One counter counts over all threads and children. Without -k, every call is listed. With -e, the call is skipped and
 * returns ERRNO. It exits with 137 after a kill, with 200 without a K-th call, and otherwise as COMMAND does.
 *
 *   gcc -O1 -o killat killat.c        x86-64 Linux
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* After the C library's header, whose names it would take. */
#include <linux/ptrace.h>

enum { KILLED = 137, NO_SUCH_CALL = 200, PATH_BYTES = 512 };

/* Where a call says which file it changes, and whether it does. */
enum file_of { DESCRIPTOR, FIRST_PATH, SECOND_PATH, OPENAT, OPEN, OPENAT2 };

struct call {
  long number;
  const char *name;
  enum file_of file;
};

#define CALL(name, file) {SYS_##name, #name, file}
static const struct call CALLS[] = {
    CALL(write, DESCRIPTOR),      CALL(pwrite64, DESCRIPTOR),   CALL(writev, DESCRIPTOR),
    CALL(pwritev, DESCRIPTOR),    CALL(pwritev2, DESCRIPTOR),   CALL(fsync, DESCRIPTOR),
    CALL(fdatasync, DESCRIPTOR),  CALL(syncfs, DESCRIPTOR),     CALL(sync_file_range, DESCRIPTOR),
    CALL(ftruncate, DESCRIPTOR),  CALL(fallocate, DESCRIPTOR),  CALL(fchmod, DESCRIPTOR),
    CALL(flock, DESCRIPTOR),      CALL(sendfile, DESCRIPTOR),   CALL(copy_file_range, DESCRIPTOR),
    CALL(truncate, FIRST_PATH),   CALL(rename, FIRST_PATH),     CALL(renameat, SECOND_PATH),
    CALL(renameat2, SECOND_PATH), CALL(unlink, FIRST_PATH),     CALL(unlinkat, SECOND_PATH),
    CALL(rmdir, FIRST_PATH),      CALL(mkdir, FIRST_PATH),      CALL(mkdirat, SECOND_PATH),
    CALL(link, FIRST_PATH),       CALL(linkat, SECOND_PATH),    CALL(symlink, FIRST_PATH),
    CALL(symlinkat, FIRST_PATH),  CALL(chmod, FIRST_PATH),      CALL(fchmodat, SECOND_PATH),
    CALL(setxattr, FIRST_PATH),   CALL(utimensat, SECOND_PATH), CALL(creat, FIRST_PATH),
    CALL(open, OPEN),             CALL(openat, OPENAT),         CALL(openat2, OPENAT2),
};

static const struct call *find(long number) {
  for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++)
    if (CALLS[i].number == number) return &CALLS[i];
  return NULL;
}

/* Reads memory of the traced process; unreadable bytes stay zero. */
static void peek(pid_t process, unsigned long address, void *to, size_t length) {
  struct iovec local = {to, length}, remote = {(void *)address, length};
  if (process_vm_readv(process, &local, 1, &remote, 1, 0) > 0) return;
  for (size_t i = 0; i < length; i++) {
    struct iovec one = {(char *)to + i, 1}, there = {(void *)(address + i), 1};
    if (process_vm_readv(process, &one, 1, &there, 1, 0) != 1) return;
  }
}

/* Pipes, sockets, terminals and the kernel's own files are not on a disk. */
static int is_kept(const char *path) {
  return strncmp(path, "/dev/", 5) != 0 && strncmp(path, "/proc/", 6) != 0;
}

/* Whether a call changes a file, and which. */
static int changes(pid_t process, const struct call *call, const __u64 *arguments, char path[PATH_BYTES]) {
  const int writing = O_CREAT | O_TRUNC | O_WRONLY | O_RDWR;
  unsigned long flags = writing;
  memset(path, 0, PATH_BYTES);
  if (call->file == DESCRIPTOR) {
    char link[64];
    snprintf(link, sizeof link, "/proc/%d/fd/%d", process, (int)arguments[0]);
    return readlink(link, path, PATH_BYTES - 1) > 0 && path[0] == '/' && is_kept(path);
  }
  int second = call->file == SECOND_PATH || call->file == OPENAT || call->file == OPENAT2;
  peek(process, arguments[second ? 1 : 0], path, PATH_BYTES - 1);
  if (call->file == OPENAT) flags = arguments[2];
  if (call->file == OPEN) flags = arguments[1];
  if (call->file == OPENAT2) peek(process, arguments[2], &flags, sizeof flags);
  return (flags & writing) && is_kept(path);
}

static void with_registers(pid_t process, void (*change)(struct user_regs_struct *, int), int value) {
  struct user_regs_struct registers;
  ptrace(PTRACE_GETREGS, process, 0, &registers);
  change(&registers, value);
  ptrace(PTRACE_SETREGS, process, 0, &registers);
}

static void skip_call(struct user_regs_struct *registers, int unused) {
  (void)unused;
  registers->orig_rax = -1;
}

static void set_result(struct user_regs_struct *registers, int error) { registers->rax = -error; }

static pid_t start(char **command) {
  pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
  }
  int status;
  waitpid(child, &status, 0);
  ptrace(PTRACE_SETOPTIONS, child, 0,
         PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
             PTRACE_O_EXITKILL);
  ptrace(PTRACE_SYSCALL, child, 0, 0);
  return child;
}

int main(int count, char **words) {
  long wanted = 0, seen = 0;
  int error = 0, option, status, code = 0;
  FILE *log = stderr;
  while ((option = getopt(count, words, "+k:e:l:")) != -1) {
    if (option == 'k') wanted = atol(optarg);
    else if (option == 'e') error = atoi(optarg);
    else if (option == 'l' && (log = fopen(optarg, "w"))) continue;
    else return 2;
  }
  pid_t child = start(words + optind), failing = 0;
  for (;;) {
    pid_t process = waitpid(-1, &status, __WALL);
    if (process < 0) break;
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (process == child) code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      continue;
    }
    int signal = WSTOPSIG(status), deliver = 0;
    if (signal == (SIGTRAP | 0x80)) {
      struct ptrace_syscall_info info;
      char path[PATH_BYTES];
      ptrace(PTRACE_GET_SYSCALL_INFO, process, sizeof info, &info);
      if (info.op == PTRACE_SYSCALL_INFO_EXIT && failing == process) {
        with_registers(process, set_result, error);
        failing = 0;
      }
      const struct call *call = info.op == PTRACE_SYSCALL_INFO_ENTRY ? find(info.entry.nr) : NULL;
      if (call && changes(process, call, info.entry.args, path)) {
        seen++;
        if (!wanted || seen == wanted) fprintf(log, "%ld %d %s %s\n", seen, process, call->name, path), fflush(log);
        if (seen == wanted && !error) {
          kill(child, SIGKILL);
          while (waitpid(-1, &status, __WALL) > 0) continue;
          return KILLED;
        }
        if (seen == wanted) {
          with_registers(process, skip_call, 0);
          failing = process;
        }
      }
    } else if (signal != SIGTRAP && signal != SIGSTOP) {
      deliver = signal;
    }
    ptrace(PTRACE_SYSCALL, process, 0, deliver);
  }
  if (!wanted) fprintf(log, "total %ld\n", seen);
  return wanted && seen < wanted ? NO_SUCH_CALL : code;
}
