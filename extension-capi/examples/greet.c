/*
 * Calls an installed extension from C.
 *
 *     cc -o greet greet.c -I../include -L../../target/capi -lextension_capi
 *     LD_LIBRARY_PATH=../../target/capi ./greet greeting-extension greet '["World"]'
 */
#include <stdio.h>

#include "sesame.h"

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: greet NAME FUNCTION [JSON]\n");
        return 2;
    }
    sesame_session *session = sesame_open();
    if (!session) {
        fprintf(stderr, "%s\n", sesame_last_error(NULL));
        return 1;
    }
    puts(sesame_list(session));
    const char *value = sesame_call(session, argv[1], argv[2], argv[3]);
    if (value)
        puts(value);
    else
        fprintf(stderr, "%s\n", sesame_last_error(session));
    int code = value ? 0 : 1;
    sesame_close(session);
    return code;
}
