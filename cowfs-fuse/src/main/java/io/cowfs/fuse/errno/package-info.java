/**
 * The one place where errors of the file system become errno numbers, and where errno numbers have
 * names. The numbers are those of Linux on x86-64 and arm64 ({@code asm-generic/errno.h}).
 */
package io.cowfs.fuse.errno;
