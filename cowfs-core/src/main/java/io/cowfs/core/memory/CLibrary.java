package io.cowfs.core.memory;

import jnr.ffi.LibraryLoader;

/** Binds functions of the C library. Thread-safe. */
public final class CLibrary {
  /**
   * Its file, as the dynamic linker knows it; for a shorter name jnr-ffi looks through all
   * directories of libraries, with thousands of files.
   */
  private static final String FILE = "libc.so.6";

  private CLibrary() {}

  /**
   * Makes a class that calls them, which takes dozens of milliseconds.
   *
   * @param functions an interface, which must be public
   * @throws UnsatisfiedLinkError when the library is not there
   */
  public static <T> T bind(Class<T> functions) {
    return LibraryLoader.create(functions).failImmediately().load(FILE);
  }
}
