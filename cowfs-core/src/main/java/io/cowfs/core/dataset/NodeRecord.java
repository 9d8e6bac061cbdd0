package io.cowfs.core.dataset;

import io.cowfs.core.block.BlockPointer;
import java.time.Instant;
import java.util.Optional;

/**
 * One node of the history as it is kept on disk: a dataset's head, a snapshot or a checkpoint.
 *
 * @param id never used again after the node is gone; the id of a head is the id of its dataset
 * @param name of the dataset or snapshot; empty for a snapshot that was destroyed while it had
 *     several children
 * @param dataset the id of the dataset that it is listed under; 0 for a snapshot without a name
 *     whose dataset was destroyed
 * @param parent the id of the parent snapshot; 0 where there is none
 * @param txg for a snapshot the txg of which it has everything; for a head the last one that
 *     changed it
 * @param root of its tree; absent while the tree is empty
 * @param deadlist the id of the list of references that its parent has and it has not
 * @param referencedSectors everything its tree reaches, nodes and extents
 * @param uniqueSectors the part of it that was born after its parent
 * @param deadlistUniqueSectors the part of its deadlist that was born after its parent's parent
 * @param nextObjectNumber the first inode number never used in it
 * @param files the inodes that have links
 */
public record NodeRecord(
    int id,
    NodeKind kind,
    String name,
    int dataset,
    int parent,
    long txg,
    Instant created,
    Optional<BlockPointer> root,
    long deadlist,
    long referencedSectors,
    long uniqueSectors,
    long deadlistUniqueSectors,
    long nextObjectNumber,
    long files) {}
