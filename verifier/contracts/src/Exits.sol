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

    /// @notice Root of the tree over the last `count` records of D. About 350 gas per exit.
    /// @param batch Number of the batch.
    /// @param words D, of at least 2·count words.
    /// @param count Number of exits, at least 1.
    function root(uint256 batch, uint256[] calldata words, uint256 count) internal pure returns (bytes32 result) {
        // The bits set in any record, first words shifted down by 64: what is malformed has one from 2^128 on.
        uint256 fields;
        assembly ("memory-safe") {
            // Behind the free memory pointer, which is left where it is, and nothing there is read before it is
            // written: preimages of a leaf and of a node, one byte, the nodes of one level, room for one more.
            let leafAt := mload(0x40)
            let pairAt := add(leafAt, 0xa1)
            let nodes := add(pairAt, 0x42)
            mstore(leafAt, 0) // prefix
            mstore(add(leafAt, 0x01), batch)
            mstore(add(leafAt, 0x21), 0)
            mstore(add(leafAt, 0x61), 0)
            mstore8(pairAt, 1) // prefix

            // Leaves by twos, each two straight into their node. Instead of masks and shifts, the four stores of a
            // leaf overlap: 2 clears what 1 left beside l1, and 4 what 3 left in amount.
            // 1. payee into l1: the address, with the token above it;
            // 2. index·2^96, 12 bytes into the word of index: index, and 12 zero bytes over that token;
            // 3. payee, 20 bytes into the word of token: its top 12 bytes, which are the token, and the address
            //    into amount;
            // 4. amount.
            {
                let last := add(words.offset, shl(5, sub(words.length, 2)))
                let record := sub(last, shl(6, sub(count, 1)))
                let node := nodes
                let index := 0 // times 2^96; below 2^160
                let indexAt := add(leafAt, 0x2d)
                let l1At := add(leafAt, 0x41)
                let tokenAt := add(leafAt, 0x75)
                let amountAt := add(leafAt, 0x81)
                for {} lt(record, last) {} {
                    let payee := calldataload(record)
                    let amount := calldataload(add(record, 0x20))
                    let payee2 := calldataload(add(record, 0x40))
                    let amount2 := calldataload(add(record, 0x60))
                    fields := or(or(shr(64, or(payee, payee2)), or(amount, amount2)), fields)
                    mstore(l1At, payee)
                    mstore(indexAt, index)
                    mstore(tokenAt, payee)
                    mstore(amountAt, amount)
                    mstore(add(pairAt, 0x01), keccak256(leafAt, 0xa1))
                    mstore(l1At, payee2)
                    mstore(indexAt, add(index, 0x1000000000000000000000000))
                    mstore(tokenAt, payee2)
                    mstore(amountAt, amount2)
                    mstore(add(pairAt, 0x21), keccak256(leafAt, 0xa1))
                    mstore(node, keccak256(pairAt, 0x41))
                    node := add(node, 0x20)
                    index := add(index, 0x2000000000000000000000000)
                    record := add(record, 0x80)
                }
                // One is left of an odd number: beside a zero, or the root itself.
                if eq(record, last) {
                    let payee := calldataload(record)
                    let amount := calldataload(add(record, 0x20))
                    fields := or(or(shr(64, payee), amount), fields)
                    mstore(l1At, payee)
                    mstore(indexAt, index)
                    mstore(tokenAt, payee)
                    mstore(amountAt, amount)
                    mstore(node, keccak256(leafAt, 0xa1))
                    if index {
                        mstore(add(pairAt, 0x01), mload(node))
                        mstore(add(pairAt, 0x21), 0)
                        mstore(node, keccak256(pairAt, 0x41))
                    }
                }
            }

            // Level by level in place: parent j overwrites node j, which parents before it or it itself
            // have read. The prefix goes into the byte before the pair: the last one of a node that has
            // been read, or the one before all nodes. Zero subtrees at the right are one value per level,
            // and not needed once the number of nodes is a power of two, as it then stays one.
            let empty := 0
            for { let n := shr(1, add(count, 1)) } gt(n, 1) { n := shr(1, n) } {
                if and(n, sub(n, 1)) {
                    mstore(add(pairAt, 0x01), empty)
                    mstore(add(pairAt, 0x21), empty)
                    empty := keccak256(pairAt, 0x41)
                    if and(n, 1) {
                        mstore(add(nodes, shl(5, n)), empty)
                        n := add(n, 1)
                    }
                }
                let parent := nodes
                let start := sub(nodes, 1)
                for { let end := add(start, shl(5, n)) } lt(start, end) { start := add(start, 0x40) } {
                    mstore8(start, 1)
                    mstore(parent, keccak256(start, 0x41))
                    parent := add(parent, 0x20)
                }
            }
            result := mload(nodes)
        }
        if (fields >> 128 != 0) _refuseRecord(words, count);
    }

    /// @dev Reverts with the first record that has bits above its fields; there is one.
    function _refuseRecord(uint256[] calldata words, uint256 count) private pure {
        uint256 record = words.length - RECORD_WORDS * count;
        uint256 index = 0;
        while (words[record] >> 192 | words[record + 1] >> 128 == 0) {
            record += RECORD_WORDS;
            ++index;
        }
        revert ExitMalformed(index);
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
