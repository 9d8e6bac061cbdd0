package io.cowfs.core.fs;

/**
 * How one file, or several together, lie on the device. A run is what follows each other both in
 * the file and on the device, as far as the first copy goes; a hole does not end it.
 *
 * @param files how many
 * @param sizeBytes of the files, holes included
 * @param extents of the files
 * @param runs in which these extents lie
 * @param storedBytes what one copy of the extents takes on the device
 * @param largestBytes what the largest run takes
 * @param largestDataBytes of the file, uncompressed, that are in the largest run
 * @param surplusRuns how many runs there are beyond one for each file and each whole mebibyte that
 *     it takes: by so many it is fragmented
 */
public record FileRuns(
    long files,
    long sizeBytes,
    long extents,
    long runs,
    long storedBytes,
    long largestBytes,
    long largestDataBytes,
    long surplusRuns) {
  /** Of no file. */
  public static final FileRuns NONE = new FileRuns(0, 0, 0, 0, 0, 0, 0, 0);

  /** What these and others are together. */
  public FileRuns plus(FileRuns other) {
    boolean larger = other.largestBytes > largestBytes;
    return new FileRuns(
        files + other.files,
        sizeBytes + other.sizeBytes,
        extents + other.extents,
        runs + other.runs,
        storedBytes + other.storedBytes,
        larger ? other.largestBytes : largestBytes,
        larger ? other.largestDataBytes : largestDataBytes,
        surplusRuns + other.surplusRuns);
  }

  /** What a run takes on average; 0 where there are none. */
  public long meanRunBytes() {
    return runs == 0 ? 0 : storedBytes / runs;
  }
}
