/** Memory outside the heap that devices and the kernel read and write. Below all other packages. */
package io.cowfs.core.memory;
