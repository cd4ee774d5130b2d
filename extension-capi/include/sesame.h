/*
 * sesame.h: calls of installed extensions, for C and for everything that loads a C library.
 *
 * What `sesame` installed is called within its manifest, the grants of the login session and every
 * policy, and each call is in the activity log: there is no call without them. Nothing here installs
 * an extension or grants a capability.
 *
 *     sesame_session *session = sesame_open();
 *     const char *greeting = sesame_call(session, "greeting-extension", "greet", "[\"World\"]");
 *     puts(greeting ? greeting : sesame_last_error(session));
 *     sesame_close(session);
 *
 * Texts are UTF-8 and end with a zero. Those that you pass stay yours, and are not read after the
 * function has returned. Those that you get belong to the session: read or copy them before the next
 * function is called with it, and never free or change them.
 *
 * A session is used by one thread at a time. Several sessions are used by several threads at once.
 * A call waits until the extension has ended, which its limits make sure of.
 *
 * Errors and answers may have the words of an extension in them: escape control characters before
 * they reach a terminal.
 */
#ifndef SESAME_H
#define SESAME_H

#ifdef __cplusplus
extern "C" {
#endif

/* The extensions of this login session. */
typedef struct sesame_session sesame_session;

/*
 * Opens the extensions of this login session, where the environment says that they are (HOME and the
 * XDG variables). Nothing is connected, and nothing has to be installed yet.
 *
 * Returns NULL where the home directory is unknown, or a directory of sesame's belongs to another user;
 * `sesame_last_error(NULL)` says so. Close what it returns with `sesame_close`.
 */
sesame_session *sesame_open(void);

/*
 * Returns the installed extensions as a JSON object, or NULL:
 *
 *     {"schema_version": 1, "extensions": [
 *       {"name": "greeting-extension", "version": "0.1.0", "reference": "ghcr.io/...@sha256:...",
 *        "description": "Greets people", "problem": null}]}
 *
 * All but `name` can be null. `problem` says why an extension cannot be called now: disabled,
 * quarantined, stopped by policy, not installed whole. Members are added within a schema version,
 * and none is taken away.
 */
const char *sesame_list(sesame_session *session);

/*
 * Calls a function of an extension, in an instance of its own, and returns its value as JSON, or
 * NULL.
 *
 * `arguments` is a JSON array with one element for each parameter; NULL is `[]`. Records are objects,
 * variants `{"case": payload}`, enums their names, flags arrays of names, options the value or null,
 * results `{"ok": value}` or `{"err": value}`, lists of bytes arrays of numbers. Integers beyond 2^53
 * are strings. `sesame call --json-args` takes and `--json` prints the same.
 *
 * A result that is an error gives NULL, with the error's value in `sesame_last_error`.
 */
const char *sesame_call(sesame_session *session, const char *name, const char *function,
                        const char *arguments);

/*
 * Returns what went wrong in the last `sesame_list` or `sesame_call` with this session, with its
 * causes, on one line; NULL where nothing did. With NULL for a session it is the last error of this
 * thread that belongs to no session, which is that of `sesame_open`. `sesame why NAME` says which
 * capabilities were refused.
 */
const char *sesame_last_error(const sesame_session *session);

/* Closes a session, and with it every text that came from it. NULL is nothing to close. */
void sesame_close(sesame_session *session);

#ifdef __cplusplus
}
#endif

#endif
