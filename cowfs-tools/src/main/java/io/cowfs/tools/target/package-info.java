/**
 * What a command works on: {@code PATH[/DATASET][@NAME]}, where PATH is a pool directory or a mount
 * point of cowfs, the longest prefix that is one.
 */
package io.cowfs.tools.target;
