package io.cowfs.core.fs;

/** What can be given up, or is on its way back, where a writer finds no space. Thread-safe. */
public interface SpaceRelief {
  /**
   * Has the next commit give something up that is only kept while there is space for it.
   *
   * @return false when there is nothing
   */
  boolean giveWay();

  /** Whether space that was destroyed is still being freed; false where that cannot go on. */
  boolean isFreeing();
}
