/**
 * Hostile input: whatever the bytes of a pool are, each decoder gives a value or its documented
 * exception, in bounded time and memory. The targets of the fuzzer are beside the decoders, in
 * classes named {@code *Fuzz}.
 */
package io.cowfs.core.hostile;
