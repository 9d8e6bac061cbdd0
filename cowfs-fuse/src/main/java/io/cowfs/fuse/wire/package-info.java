/**
 * The structures of the kernel's FUSE protocol, version 7.38 ({@code linux/fuse.h}): pure codecs
 * over direct buffers in native byte order.
 *
 * <p>A {@code *Format} class holds the byte offsets of one family of structures as chained
 * constants. {@link io.cowfs.fuse.wire.Request} and {@link io.cowfs.fuse.wire.Reply} are flyweights
 * over one buffer each, which their worker thread uses again for every request: nothing read from a
 * request's buffer outlives the request. A reply's payload starts on a page boundary with the
 * header just before it, so that header and payload leave with a single {@code write(2)} and file
 * data is read straight into its place.
 */
package io.cowfs.fuse.wire;
