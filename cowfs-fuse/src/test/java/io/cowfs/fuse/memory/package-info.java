/** A file system in memory, on which the transport is tested. */
package io.cowfs.fuse.memory;
