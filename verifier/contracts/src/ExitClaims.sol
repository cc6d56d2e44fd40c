// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Exits} from "./Exits.sol";

/// @title Claims of exits
/// @notice A batch with exits leaves one Merkle root here, and each exit is claimed against it once.
/// A CLAIM PAYS NOTHING YET: the contract holds no money and has no bridge. It marks the exit as claimed,
/// for ever, and emits. What was claimed before a bridge exists is not paid by it unless that bridge
/// takes these marks and events into account.
abstract contract ExitClaims {
    /// @notice Exit `index` of the batch was claimed for `l1`. Nothing was paid.
    event ExitClaimed(
        uint32 indexed batch, uint32 indexed index, address indexed l1, uint32 token, uint128 amount
    );

    /// @notice The batch is not settled, or has no exits.
    error NoExits(uint32 batch);
    /// @notice A tree of this depth has no such place.
    error ExitIndexOutOfRange(uint32 index, uint256 depth);
    /// @notice The exit was claimed before.
    error ExitAlreadyClaimed(uint32 batch, uint32 index);
    /// @notice The batch has no such exit at this index, or the path is another's or of another length.
    error ExitNotProven(uint32 batch, uint32 index);

    /// @notice Merkle root of a batch's exits; 0 when it has none.
    mapping(uint32 batch => bytes32 root) public exitsRoots;
    /// @dev Bit index mod 256 of word index / 256.
    mapping(uint32 batch => mapping(uint256 word => uint256 bits)) private _claimed;

    /// @notice Claims an exit for its owner, once. Anybody may call: all goes to `l1`. Pays nothing yet.
    /// @param batch Number of the batch.
    /// @param index Place of the exit among those of the batch, from 0.
    /// @param l1 Whom the exit is for.
    /// @param token Token of the rollup.
    /// @param amount Exact amount.
    /// @param path Siblings from the leaf up, as many as the tree is deep; none for a single exit.
    function claim(uint32 batch, uint32 index, address l1, uint32 token, uint128 amount, bytes32[] calldata path)
        external
    {
        bytes32 root = exitsRoots[batch];
        if (root == 0) revert NoExits(batch);
        // Else index and index + 2^depth would climb alike.
        if (uint256(index) >> path.length != 0) revert ExitIndexOutOfRange(index, path.length);
        (uint256 word, uint256 bit) = (index / 256, 1 << (index % 256));
        uint256 bits = _claimed[batch][word];
        if (bits & bit != 0) revert ExitAlreadyClaimed(batch, index);
        if (Exits.climb(Exits.leaf(batch, index, l1, token, amount), index, path) != root) {
            revert ExitNotProven(batch, index);
        }
        _claimed[batch][word] = bits | bit;
        emit ExitClaimed(batch, index, l1, token, amount);
    }

    /// @notice Whether an exit was claimed; false where there is none.
    function exitClaimed(uint32 batch, uint32 index) external view returns (bool) {
        return _claimed[batch][index / 256] >> (index % 256) & 1 != 0;
    }

    /// @dev Stores the root of the last `count` records of D; nothing when there are none. No event of its
    /// own: BatchSettled says that there is something to look up.
    function _storeExits(uint32 batch, uint256[] calldata words, uint256 count) internal {
        if (count != 0) exitsRoots[batch] = Exits.root(batch, words, count);
    }
}
