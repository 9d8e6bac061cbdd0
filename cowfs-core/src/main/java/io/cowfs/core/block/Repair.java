package io.cowfs.core.block;

/** What is done about a bad copy where another one is good. */
public enum Repair {
  /** It is overwritten with the good one. Whoever reads must have a hold on the space. */
  IN_PLACE,
  /** Nothing: the pool is not to be changed, or what is read may be gone. */
  NEVER
}
