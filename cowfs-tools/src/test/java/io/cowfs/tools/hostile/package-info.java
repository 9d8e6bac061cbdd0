/** What a kernel or a client might send that no honest one sends. */
package io.cowfs.tools.hostile;
