package io.cowfs.core.dataset;

import java.io.IOException;
import java.util.List;

/**
 * What the index says about space, for those who check it. As of the last commit; nothing may be
 * committed while it is read. Any thread.
 */
public final class Books {
  private final Catalog catalog;
  private final Datasets datasets;

  /** Receives references. */
  @FunctionalInterface
  public interface ReferenceVisitor {
    void reference(long sector, int sectors, long birthTxg) throws IOException;
  }

  /** Receives shared ranges. */
  @FunctionalInterface
  public interface SharedVisitor {
    void shared(long sector, int sectors, int references) throws IOException;
  }

  /** Receives the parts of a deadlist. */
  @FunctionalInterface
  public interface PartVisitor {
    /**
     * One part.
     *
     * @param list the list of its references
     * @param bornAfter what its references keep to
     */
    void part(long list, long bornAfter, long sectors) throws IOException;
  }

  public Books(Catalog catalog, Datasets datasets) {
    this.catalog = catalog;
    this.datasets = datasets;
  }

  /** Reports the parts of a deadlist. */
  public void forEachPart(long deadlist, PartVisitor visitor) throws IOException {
    catalog.readDeadlist(
        deadlist, (part, sectors) -> visitor.part(part.list(), part.bornAfter(), sectors));
  }

  /** Reports the references in a list. */
  public void forEachReference(long list, ReferenceVisitor visitor) throws IOException {
    catalog.forEachReference(list, visitor::reference);
  }

  /** What was destroyed and is not freed yet. */
  public List<Condemned> condemned() throws IOException {
    return catalog.condemned();
  }

  /** Reports all shared ranges, ascending. */
  public void forEachShared(SharedVisitor visitor) throws IOException {
    catalog.readShared(
        0,
        Long.MAX_VALUE,
        range -> visitor.shared(range.sector(), range.sectors(), range.references()));
  }

  public Datasets.SpaceTotals totals() {
    return datasets.totals();
  }
}
