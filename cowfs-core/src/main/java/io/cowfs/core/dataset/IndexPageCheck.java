package io.cowfs.core.dataset;

final class IndexPageCheck {
  private IndexPageCheck() {}

  static void check(java.nio.file.Path p) throws java.io.IOException {}
}
