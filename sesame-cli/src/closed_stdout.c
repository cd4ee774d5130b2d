/*
 * Makes writes to a closed standard output fail, as with the tools of coreutils: "Bad file
 * descriptor".
 *
 * The runtime of Rust opens /dev/null in the place of a closed standard stream before `main`, so
 * that no file gets its number, and output is lost without a word. Nothing tells that from an
 * output that was sent to /dev/null on purpose. This runs before it, and opens /dev/null for
 * reading alone, as `stdopen` of Gnulib does: the number is taken, and each write fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

__attribute__((constructor)) static void keep_stdout_closed(void)
{
    if (fcntl(STDOUT_FILENO, F_GETFD) != -1 || errno != EBADF)
        return;
    int null = open("/dev/null", O_RDONLY);
    /* A closed standard input has the lower number; the runtime opens it again. */
    if (null != -1 && null != STDOUT_FILENO) {
        dup2(null, STDOUT_FILENO);
        close(null);
    }
}
