/**
 * Memory outside the heap that devices and the kernel read and write, and the C library. Below all
 * other packages.
 */
package io.cowfs.core.memory;
