/**
 * What POSIX and the manual pages of Linux promise of a file system, as tests that run on any
 * mounted directory: on one of the host, which proves the tests, and on all transports of cowfs.
 *
 * <p><b>A test class</b> is about one call (or one family). It extends {@link
 * io.cowfs.tools.posix.PosixContract}, and so runs once for each {@link
 * io.cowfs.tools.posix.Mount}; another mount is another line there. A mount lives for the whole
 * run; each test has an empty directory of its own, with mode 0777, and paths in it by {@code
 * at("name")}. It makes raw system calls as one of three users, {@code ROOT}, {@code ALICE} and
 * {@code BOB}:
 *
 * <pre>{@code
 * String file = ALICE.file(at("f"), 0600);
 * refuses(EACCES, () -> BOB.open(file, O_RDONLY));
 * touches(file, () -> ALICE.chmod(file, 0644), CTIME);
 * }</pre>
 *
 * <p>A call that fails throws. Descriptors and views that a test leaves open are closed after it.
 * The umask is 0 and belongs to the thread. Each character of a path is one byte. Differences
 * between file systems that POSIX allows are no part of the contract. What the old protocol cannot
 * do is a {@link io.cowfs.tools.posix.Feature}: it has a row in {@code docs/TRANSPORTS.md}, its
 * tests are marked {@link io.cowfs.tools.posix.Needs}, and what happens instead is asserted in
 * {@code OldProtocolTest}.
 */
package io.cowfs.tools.posix;
