// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Exits} from "../src/Exits.sol";
import {RollupFixture} from "./RollupFixture.sol";

/// @notice Batches with exits, and paths by a plain writing of the tree.
abstract contract ExitsFixture is RollupFixture {
    struct Exit {
        address l1;
        uint32 token;
        uint128 amount;
    }

    /// @dev Exit `index` of any batch of the fixture.
    function exitAt(uint256 index) internal pure returns (Exit memory) {
        uint256 seed = uint256(keccak256(abi.encode("exit", index)));
        return Exit(address(uint160(seed)), uint32(seed >> 160), uint128(uint256(keccak256(abi.encode(seed)))));
    }

    /// @dev A batch of one fee account and as many exits by transactions, on top of the current state.
    function exitBatch(uint256 count, uint256 newRoot) internal view returns (uint256[] memory words) {
        uint256 first = 6 + (count + 1) / 2;
        uint256[] memory base = batch(count, newRoot);
        words = new uint256[](first + 2 * count);
        for (uint256 i = 0; i < first; ++i) {
            words[i] = base[i];
        }
        words[4] |= count << 128;
        if (count % 2 == 1) words[first - 1] >>= 124; // half a word of transactions
        for (uint256 i = 0; i < count; ++i) {
            Exit memory e = exitAt(i);
            words[first + 2 * i] = uint256(uint160(e.l1)) | uint256(e.token) << 160;
            words[first + 2 * i + 1] = e.amount;
        }
    }

    /// @dev Settles a batch of `count` exits of exitAt and returns its number.
    function settleExits(uint256 count) internal returns (uint32) {
        uint256[] memory words = exitBatch(count, 7);
        prove(words);
        settle(words);
        return rollup.batchNumber();
    }

    /// @dev The level above the leaves `height` times, zeros included.
    function level(uint32 number, uint256 count, uint256 height) internal pure returns (bytes32[] memory nodes) {
        uint256 size = 1;
        while (size < count) {
            size *= 2;
        }
        nodes = new bytes32[](size);
        for (uint256 i = 0; i < count; ++i) {
            Exit memory e = exitAt(i);
            nodes[i] = Exits.leaf(number, i, e.l1, e.token, e.amount);
        }
        for (; height > 0; --height) {
            nodes = above(nodes);
        }
    }

    function above(bytes32[] memory nodes) private pure returns (bytes32[] memory next) {
        next = new bytes32[](nodes.length / 2);
        for (uint256 i = 0; i < next.length; ++i) {
            next[i] = keccak256(abi.encodePacked(bytes1(0x01), nodes[2 * i], nodes[2 * i + 1]));
        }
    }

    function pathOf(uint32 number, uint256 count, uint256 index) internal pure returns (bytes32[] memory path) {
        bytes32[] memory nodes = level(number, count, 0);
        uint256 depth = 0;
        while (1 << depth < count) {
            ++depth;
        }
        path = new bytes32[](depth);
        for (uint256 i = 0; i < depth; ++i) {
            path[i] = nodes[(index >> i) ^ 1];
            nodes = above(nodes);
        }
    }

    /// @dev Where a node leads with these siblings.
    function climb(bytes32 node, uint256 index, bytes32[] memory path) internal pure returns (bytes32) {
        for (uint256 i = 0; i < path.length; ++i) {
            node = (index >> i) % 2 == 0
                ? keccak256(abi.encodePacked(bytes1(0x01), node, path[i]))
                : keccak256(abi.encodePacked(bytes1(0x01), path[i], node));
        }
        return node;
    }

    function claim(uint32 number, uint32 index, Exit memory e, bytes32[] memory path) internal {
        rollup.claim(number, index, e.l1, e.token, e.amount, path);
    }

    function refuseClaim(uint32 number, uint32 index, Exit memory e, bytes32[] memory path, bytes memory reason)
        internal
    {
        vm.expectRevert(reason);
        claim(number, index, e, path);
    }
}
