/**
 * Blocks and extents: compress, checksum, allocate, write; read and verify; the caches.
 *
 * <p>Theory of operation. A <em>block</em> is a tree node: small, read as a whole, cached after it
 * was verified. A <em>data extent</em> is a piece of a file: plain ones are read straight into the
 * buffer of the reader, sector by sector verified, and never cached here, for the kernel caches
 * them; compressed ones are cached decompressed, because they are indivisible and readers come in
 * pieces.
 *
 * <p>Nothing is overwritten, but space is reused: cache entries are therefore known by sector and
 * checksum together. An entry of a freed block is never found by the pointer to a new one.
 *
 * <p>Writing ({@link io.cowfs.core.block.BlockWriter}): the caller's thread compresses, checksums
 * and copies into staging buffers, in which neighbours on the device gather; a few threads write
 * them. Until a staged block is on the device it is found in memory. Errors surface at the latest
 * in {@code flush}; after one, the writer refuses everything.
 */
package io.cowfs.core.block;
