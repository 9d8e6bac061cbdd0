/**
 * Checksum and compression algorithms with permanent numeric ids: pure functions over buffers.
 *
 * <p>A checksum is always taken over the stored bytes and verified before they are decompressed, so
 * that a decompressor sees damaged input only where somebody wrote it on purpose. It then fails
 * with a {@link io.cowfs.core.codec.MalformedDataException}: the output is bounded by the declared
 * size, and neither more nor less than that is accepted.
 *
 * <p>Native libraries are loaded at the first use of an algorithm.
 */
package io.cowfs.core.codec;
