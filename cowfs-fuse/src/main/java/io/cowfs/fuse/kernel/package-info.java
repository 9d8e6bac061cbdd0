/**
 * The transport: {@code /dev/fuse} over jnr-ffi, mounting and unmounting, the handshake, and the
 * worker threads.
 *
 * <p><b>Life of a mount.</b> {@link io.cowfs.fuse.kernel.KernelMount#mount} opens the device,
 * mounts it (with {@code mount(2)} as root, else through {@code fusermount3}), answers INIT, and
 * starts workers. Each worker has a clone of the descriptor (its requests are answered over the
 * same one), a request buffer and a reply buffer of 1 MiB, and one rule: read, run, write. As few
 * of them wait for requests as keep up with them (ReadyWorkers). When the kernel's side is gone,
 * reading fails with ENODEV and the workers end; unmounting writes all dirty pages first, so that
 * everything has arrived by then. Handles that the kernel could not give back are released, and
 * {@link io.cowfs.fuse.kernel.KernelMount#awaitUnmounted} returns.
 *
 * <p><b>No deadlocks.</b> To serve a request, a worker never waits for another one: what needs the
 * kernel to write pages back ({@link io.cowfs.fuse.operations.KernelCache}) runs on a thread of its
 * own. What the kernel does while it takes the reply may wait for one: as long as one worker is
 * left, it waits for requests, or is called (ReadyWorkers). Nothing in here touches a path below
 * the mount point.
 *
 * <p><b>No waiting for the dead.</b> System calls on the own mount are made by a thread without
 * {@code /dev/fuse} (PrivateTableThread); what else waits in the kernel is a notification, and a
 * child process (ConnectionGuard) ends that wait when this process is killed.
 *
 * <p><b>Interrupts.</b> {@link java.lang.Thread#interrupt} is not used on workers; an INTERRUPT of
 * the kernel only sets a flag of the request that runs.
 */
package io.cowfs.fuse.kernel;
