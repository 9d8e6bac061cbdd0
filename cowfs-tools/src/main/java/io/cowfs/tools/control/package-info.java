/**
 * The control socket of a mounted pool: a Unix domain socket {@code sock} in the pool directory,
 * over which the daemon takes command lines and answers with what they print.
 *
 * <p>One connection carries one request and its answer; integers are big-endian.
 *
 * <pre>
 * request := magic(u32) version(u16) length(u32 &lt;= 1 MiB) body
 * body    := count(u16) string{count} optional{4}       -- arguments; dataset, mount, its dataset, snapshot
 * string  := length(u32) UTF-8 bytes
 * optional:= present(u8 0|1) [string]
 * answer  := magic(u32) version(u16) pid(i64) frame* last
 * frame   := type(u8: 1 stdout, 2 stderr) length(u32 &lt;= 64 KiB) bytes
 * last    := type(u8: 3 exit, 4 closing) length(u32 = 4) code(i32)
 * </pre>
 *
 * <p>The socket file has mode 0600, and the daemon asks the kernel who connected: only root and the
 * user the daemon runs as are served. A request that is too long, cut off, too slow or malformed
 * gets one line in answer; the daemon lives on. <i>Closing</i> means that the daemon is about to
 * end: the client starts over and finds the pool free, or another daemon.
 */
package io.cowfs.tools.control;
