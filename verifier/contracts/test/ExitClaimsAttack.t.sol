// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExitClaims} from "../src/ExitClaims.sol";
import {ExitsFixture} from "./ExitsFixture.sol";

/// @notice Roots and marks in storage, bit by bit: what a hash cannot be made to be, storage can.
contract ExitClaimsAttackTest is ExitsFixture {
    /// @dev A path that leads to half of the root leads elsewhere.
    function test_rootsAreComparedWhole() public {
        uint32 number = settleExits(1);
        bytes32 root = rollup.exitsRoots(number);
        bytes32 slot = slotOfRoot(number, root);
        for (uint256 bit = 0; bit < 256; ++bit) {
            vm.store(address(rollup), slot, root ^ bytes32(1 << bit));
            refuseClaim(
                number, 0, exitAt(0), new bytes32[](0), abi.encodeWithSelector(ExitClaims.ExitNotProven.selector, number, 0)
            );
            assertTrue(!rollup.exitClaimed(number, 0), "marked");
        }
        vm.store(address(rollup), slot, root);
        claim(number, 0, exitAt(0), new bytes32[](0));
    }

    /// @dev Only a root of 0 is none.
    function test_aSparseRootIsARoot() public {
        uint32 number = settleExits(1);
        bytes32 slot = slotOfRoot(number, rollup.exitsRoots(number));
        for (uint256 bit = 0; bit < 256; ++bit) {
            vm.store(address(rollup), slot, bytes32(1 << bit));
            refuseClaim(
                number, 0, exitAt(0), new bytes32[](0), abi.encodeWithSelector(ExitClaims.ExitNotProven.selector, number, 0)
            );
        }
    }

    /// @dev Each of the 256 marks of a word is its own: set, read and refused a second time.
    function test_eachMarkIsItsOwn() public {
        uint32 count = 256;
        uint32 number = settleExits(count);
        bytes32[][] memory levels = new bytes32[][](8);
        for (uint256 height = 0; height < 8; ++height) {
            levels[height] = level(number, count, height);
        }
        for (uint32 i = 0; i < count; ++i) {
            bytes32[] memory path = new bytes32[](8);
            for (uint256 height = 0; height < 8; ++height) {
                path[height] = levels[height][(i >> height) ^ 1];
            }
            assertTrue(!rollup.exitClaimed(number, i), "another's mark");
            claim(number, i, exitAt(i), path);
            assertTrue(rollup.exitClaimed(number, i), "not marked");
            refuseClaim(
                number, i, exitAt(i), path, abi.encodeWithSelector(ExitClaims.ExitAlreadyClaimed.selector, number, i)
            );
        }
    }

    /// @dev The slot of a mapping from numbers of batches that holds this root.
    function slotOfRoot(uint32 number, bytes32 root) private view returns (bytes32 slot) {
        for (uint256 i = 0; i < 16; ++i) {
            slot = keccak256(abi.encode(number, i));
            if (vm.load(address(rollup), slot) == root) return slot;
        }
        assertTrue(false, "the root is nowhere");
    }
}
