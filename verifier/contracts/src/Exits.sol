// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The Merkle tree of a batch's exits
/// @notice leaf = keccak256(0x00 ‖ batch ‖ i ‖ l1 ‖ token ‖ amount), node = keccak256(0x01 ‖ left ‖ right),
/// values as 32-byte words behind one prefix byte, zero leaves up to a power of two. Twin of
/// ExitsRoot, ExitPath and VerifyExit in the Go package publicdata (docs/protocol.md).
/// @dev Why one root binds one list, whatever path is shown: prefixes and lengths (161 and 65 bytes) keep
/// leaves and nodes apart, so, short of a collision of keccak256, what a path climbs from is a node of
/// the tree only at the leaves' own level: a shorter path would make an inner node a leaf, a longer one
/// a leaf an inner node. A leaf holds its batch and its place, so it counts for no other. A zero
/// leaf has no known preimage.
library Exits {
    /// @notice Words of an exit in D: l1 + 2^160·token, amount.
    uint256 internal constant RECORD_WORDS = 2;

    /// @notice The record of exit `index` of the batch has bits above its fields.
    error ExitMalformed(uint256 index);

    /// @notice Root of the tree over the last `count` records of D. About 400 gas per exit.
    /// @param batch Number of the batch.
    /// @param words D, of at least 2·count words.
    /// @param count Number of exits, at least 1.
    function root(uint256 batch, uint256[] calldata words, uint256 count) internal pure returns (bytes32 result) {
        uint256 offender;
        assembly ("memory-safe") {
            // Behind the free memory pointer, which is left where it is: one leaf's preimage, prefix in
            // byte 31, then the nodes of one level, and room for one more.
            let preimage := mload(0x40)
            let nodes := add(preimage, 0xc0)

            mstore(preimage, 0)
            mstore(add(preimage, 0x20), batch)
            let record := add(words.offset, shl(5, sub(words.length, shl(1, count))))
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                let payee := calldataload(record)
                let amount := calldataload(add(record, 0x20))
                record := add(record, 0x40)
                if or(shr(192, payee), shr(128, amount)) {
                    offender := add(i, 1)
                    break
                }
                mstore(add(preimage, 0x40), i)
                mstore(add(preimage, 0x60), shr(96, shl(96, payee)))
                mstore(add(preimage, 0x80), shr(160, payee))
                mstore(add(preimage, 0xa0), amount)
                mstore(add(nodes, shl(5, i)), keccak256(add(preimage, 0x1f), 0xa1))
            }

            // Level by level in place: parent j overwrites node j, which parents before it or it itself
            // have read. The prefix goes into the byte before the pair: the last one of a node that has
            // been read, or of the preimage. Zero subtrees at the right are one value per level.
            if iszero(offender) {
                let empty := 0
                for { let n := count } gt(n, 1) { n := shr(1, n) } {
                    if and(n, 1) {
                        mstore(add(nodes, shl(5, n)), empty)
                        n := add(n, 1)
                    }
                    let end := add(nodes, shl(5, n))
                    let parent := nodes
                    for { let pair := nodes } lt(pair, end) { pair := add(pair, 0x40) } {
                        let start := sub(pair, 1)
                        mstore8(start, 1)
                        mstore(parent, keccak256(start, 0x41))
                        parent := add(parent, 0x20)
                    }
                    mstore8(preimage, 1)
                    mstore(add(preimage, 1), empty)
                    mstore(add(preimage, 0x21), empty)
                    empty := keccak256(preimage, 0x41)
                }
                result := mload(nodes)
            }
        }
        if (offender != 0) revert ExitMalformed(offender - 1);
    }

    /// @notice The leaf of one exit.
    function leaf(uint256 batch, uint256 index, address l1, uint256 token, uint256 amount)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(bytes1(0x00), batch, index, uint256(uint160(l1)), token, amount));
    }

    /// @notice The root that a leaf at `index` has with these siblings, the leaf's own first.
    function climb(bytes32 node, uint256 index, bytes32[] calldata path) internal pure returns (bytes32) {
        for (uint256 level = 0; level < path.length; ++level) {
            (bytes32 left, bytes32 right) = (index >> level) & 1 == 0 ? (node, path[level]) : (path[level], node);
            node = keccak256(abi.encodePacked(bytes1(0x01), left, right));
        }
        return node;
    }
}
