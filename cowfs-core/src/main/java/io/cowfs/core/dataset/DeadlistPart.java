package io.cowfs.core.dataset;

/**
 * A part of a deadlist: one list of references of nearly the same age. All of them were born after
 * {@code bornAfter}, and no ancestor of the deadlist's node has its txg between that and any of
 * their births. So whichever ancestor is asked about, the part lies on one side of it as a whole.
 *
 * @param list the id of the list of references
 */
record DeadlistPart(long deadlist, long bornAfter, long list) implements Comparable<DeadlistPart> {
  @Override
  public int compareTo(DeadlistPart other) {
    int order = Long.compare(deadlist, other.deadlist);
    if (order == 0) {
      order = Long.compare(bornAfter, other.bornAfter);
    }
    return order == 0 ? Long.compare(list, other.list) : order;
  }
}
