package io.cowfs.core.dataset;

/** A property as it is in force for a dataset or snapshot, and where that comes from. */
public record EffectiveProperty(String name, String value, Source source) {
  /** Where a value comes from. */
  public enum Origin {
    LOCAL,
    INHERITED,
    DEFAULT
  }

  /**
   * Where a value comes from.
   *
   * @param dataset that it is inherited from; else empty
   */
  public record Source(Origin origin, String dataset) {
    static final Source LOCAL = new Source(Origin.LOCAL, "");
    static final Source DEFAULT = new Source(Origin.DEFAULT, "");

    static Source inherited(String dataset) {
      return new Source(Origin.INHERITED, dataset);
    }

    /** For users: "local", "inherited from home/anna", "default". */
    @Override
    public String toString() {
      return switch (origin) {
        case LOCAL -> "local";
        case INHERITED -> "inherited from " + dataset;
        case DEFAULT -> "default";
      };
    }
  }
}
