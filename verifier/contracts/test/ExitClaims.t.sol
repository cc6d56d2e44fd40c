// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExitClaims} from "../src/ExitClaims.sol";
import {Exits} from "../src/Exits.sol";
import {ExitsFixture} from "./ExitsFixture.sol";
import {MockVerifier} from "./RollupFixture.sol";

contract ExitClaimsTest is ExitsFixture {
    event ExitClaimed(uint32 indexed batch, uint32 indexed index, address indexed l1, uint32 token, uint128 amount);

    function test_storesTheRoot() public {
        for (uint32 count = 1; count <= 9; ++count) {
            uint256[] memory words = exitBatch(count, 7);
            prove(words);
            uint256 depth = pathOf(count, count, 0).length;
            bytes32 root = level(count, count, depth)[0];
            settle(words);
            assertEq(rollup.exitsRoots(count), root);
        }
    }

    /// @dev Every exit once, in any order, by anybody; across a word of the bitmap too.
    function testFuzz_claimsOnceInAnyOrder(uint256 seed) public {
        uint32 count = uint32(1 + seed % 20);
        uint32 number = settleExits(count);
        uint32 offset = uint32(seed >> 8) % count;
        for (uint32 n = 0; n < count; ++n) {
            uint32 i = (n + offset) % count;
            Exit memory e = exitAt(i);
            bytes32[] memory path = pathOf(number, count, i);
            assertTrue(!rollup.exitClaimed(number, i), "claimed before");
            vm.expectEmit(true, true, true, true);
            emit ExitClaimed(number, i, e.l1, e.token, e.amount);
            vm.prank(address(uint160(seed)));
            claim(number, i, e, path);
            assertTrue(rollup.exitClaimed(number, i), "not marked");
            refuseClaim(number, i, e, path, claimed(number, i));
            vm.prank(e.l1);
            refuseClaim(number, i, e, path, claimed(number, i));
        }
    }

    function test_bitmapHasManyWords() public {
        uint32 count = 260;
        uint32 number = settleExits(count);
        uint32[6] memory indices = [uint32(256), 0, 255, 257, 1, 259];
        for (uint256 n = 0; n < indices.length; ++n) {
            uint32 i = indices[n];
            assertTrue(!rollup.exitClaimed(number, i), "another's mark");
            bytes32[] memory path = pathOf(number, count, i);
            claim(number, i, exitAt(i), path);
            refuseClaim(number, i, exitAt(i), path, claimed(number, i));
        }
        uint256 marked = 0;
        for (uint32 i = 0; i < 600; ++i) {
            if (rollup.exitClaimed(number, i)) ++marked;
        }
        assertEq(marked, indices.length);
    }

    /// @dev Equal exits are several exits.
    function test_equalExitsAreClaimedEach() public {
        uint256[] memory words = exitBatch(2, 7);
        (words[9], words[10]) = (words[7], words[8]);
        prove(words);
        settle(words);
        Exit memory e = exitAt(0);
        bytes32[] memory path = new bytes32[](1);
        path[0] = Exits.leaf(1, 1, e.l1, e.token, e.amount);
        claim(1, 0, e, path);
        refuseClaim(1, 1, e, path, unproven(1, 1));
        path[0] = Exits.leaf(1, 0, e.l1, e.token, e.amount);
        claim(1, 1, e, path);
        refuseClaim(1, 0, e, path, claimed(1, 0));
    }

    /// @dev A path of one batch is none of another, be the exits the same; marks are the batch's own.
    function test_refusesAnotherBatch() public {
        uint32 first = settleExits(5);
        uint32 second = settleExits(5);
        for (uint32 i = 0; i < 5; ++i) {
            refuseClaim(second, i, exitAt(i), pathOf(first, 5, i), unproven(second, i));
            claim(first, i, exitAt(i), pathOf(first, 5, i));
            assertTrue(!rollup.exitClaimed(second, i), "marked in the other");
            claim(second, i, exitAt(i), pathOf(second, 5, i));
        }
    }

    function test_refusesBatchesWithoutExits() public {
        uint256[] memory words = batch(3, 7);
        prove(words);
        settle(words);
        assertEq(rollup.exitsRoots(1), 0);
        bytes32[] memory none = new bytes32[](0);
        for (uint32 number = 0; number < 4; ++number) {
            refuseClaim(number, 0, exitAt(0), none, abi.encodeWithSelector(ExitClaims.NoExits.selector, number));
            refuseClaim(
                number, 0, Exit(address(0), 0, 0), none, abi.encodeWithSelector(ExitClaims.NoExits.selector, number)
            );
        }
    }

    /// @dev Only proven batches leave a root; a refused one leaves nothing.
    function test_refusedBatchesStoreNothing() public {
        uint256[] memory words = exitBatch(3, 7);
        refuse(words, abi.encodeWithSelector(MockVerifier.Refused.selector));
        assertEq(rollup.exitsRoots(1), 0);
        words[words.length - 1] = 1 << 128;
        prove(words);
        refuse(words, abi.encodeWithSelector(Exits.ExitMalformed.selector, 2));
        assertEq(rollup.exitsRoots(1), 0);
        assertEq(rollup.batchNumber(), 0);
    }

    /// @dev What an operator changes of the records is not what was proven.
    function testFuzz_recordsAreBoundByTheProof(uint256 which, uint8 bit) public {
        uint256[] memory words = exitBatch(4, 7);
        prove(words);
        words[8 + which % 8] ^= 1 << bit;
        vm.prank(OPERATOR);
        (bool ok,) = address(rollup).call(abi.encodeCall(rollup.settle, (TINY, 1, COMMITMENT, words, PROOF)));
        assertTrue(!ok, "accepted");
    }

    function testFuzz_refusesOtherFields(uint8 which, uint160 l1, uint32 token, uint128 amount) public {
        uint32 i = which % 7;
        uint32 number = settleExits(7);
        Exit memory e = exitAt(i);
        bytes32[] memory path = pathOf(number, 7, i);
        if (address(l1) != e.l1) {
            refuseClaim(number, i, Exit(address(l1), e.token, e.amount), path, unproven(number, i));
        }
        if (token != e.token) {
            refuseClaim(number, i, Exit(e.l1, token, e.amount), path, unproven(number, i));
        }
        if (amount != e.amount) {
            refuseClaim(number, i, Exit(e.l1, e.token, amount), path, unproven(number, i));
        }
        for (uint32 j = 0; j < 8; ++j) {
            if (j == i) continue;
            refuseClaim(number, j, e, path, unproven(number, j));
            refuseClaim(number, j, e, pathOf(number, 7, j), unproven(number, j));
        }
        claim(number, i, e, path);
    }

    /// @dev i and i + 2^depth have the same bits below the depth: without the check, or with the index
    /// left out of the leaf, one exit had many marks.
    function testFuzz_refusesIndexAliases(uint8 count, uint8 which, uint32 multiple) public {
        count = 1 + count % 16;
        uint32 number = settleExits(count);
        uint32 i = which % count;
        bytes32[] memory path = pathOf(number, count, i);
        vm.assume(multiple != 0);
        uint32 alias_ = i | (multiple << path.length);
        if (alias_ == i) return;
        refuseClaim(number, alias_, exitAt(i), path, outOfRange(alias_, path.length));
        // A path long enough for the alias is too long for the tree.
        bytes32[] memory longer = new bytes32[](32);
        for (uint256 n = 0; n < path.length; ++n) {
            longer[n] = path[n];
        }
        refuseClaim(number, alias_, exitAt(i), longer, unproven(number, alias_));
        claim(number, i, exitAt(i), path);
    }

    /// @dev Of all cuts and extensions of the right path only the right one is taken.
    function testFuzz_refusesOtherLengths(uint8 count, uint8 which, uint256 filler) public {
        count = 1 + count % 16;
        uint32 number = settleExits(count);
        uint32 i = which % count;
        Exit memory e = exitAt(i);
        bytes32[] memory path = pathOf(number, count, i);
        for (uint256 length = 0; length <= 40; ++length) {
            if (length == path.length) continue;
            bytes32[] memory other = new bytes32[](length);
            for (uint256 n = 0; n < length; ++n) {
                other[n] = n < path.length ? path[n] : bytes32(filler);
            }
            bool inRange = i >> length == 0;
            refuseClaim(number, i, e, other, inRange ? unproven(number, i) : outOfRange(i, length));
            if (length < path.length) {
                // From the top instead: the leaf in place of an inner node.
                for (uint256 n = 0; n < length; ++n) {
                    other[n] = path[path.length - length + n];
                }
                uint32 above = uint32(i >> (path.length - length));
                refuseClaim(number, above, e, other, unproven(number, above));
            }
        }
        claim(number, i, e, path);
    }

    /// @dev The padding is no exit, and neither is anything at its places.
    function testFuzz_refusesZeroLeaves(Exit memory e) public {
        uint32 number = settleExits(5);
        for (uint32 i = 5; i < 8; ++i) {
            bytes32[] memory path = pathOf(number, 5, i);
            assertEq(climb(0, i, path), rollup.exitsRoots(number)); // a zero node does climb to the root
            refuseClaim(number, i, e, path, unproven(number, i));
            refuseClaim(number, i, Exit(address(0), 0, 0), path, unproven(number, i));
        }
    }

    /// @dev An inner node in place of a leaf: its path leads to the root, but a claim hashes its own leaf.
    /// In a tree without prefixes over records of two words the two children are such a record.
    function testFuzz_refusesInnerNodes(uint8 which) public {
        uint32 number = settleExits(8);
        uint256 i = which % 4;
        bytes32[] memory children = level(number, 8, 0);
        bytes32[] memory path = new bytes32[](2);
        path[0] = level(number, 8, 1)[i ^ 1];
        path[1] = level(number, 8, 2)[(i >> 1) ^ 1];
        bytes32 node = level(number, 8, 1)[i];
        assertEq(climb(node, i, path), rollup.exitsRoots(number));
        (bytes32 left, bytes32 right) = (children[2 * i], children[2 * i + 1]);
        Exit memory e = Exit(address(uint160(uint256(left))), uint32(uint256(left) >> 160), uint128(uint256(right)));
        refuseClaim(number, uint32(i), e, path, unproven(number, uint32(i)));
    }

    /// @dev The unsound variant: no prefixes, leaf = keccak256(payee ‖ amount), any length of path. There the
    /// children of an inner node are an exit with its path, and 0x…0 aside nothing tells them apart.
    function test_unsoundTreeTakesAnInnerNode() public pure {
        bytes32[4] memory leaves;
        for (uint256 i = 0; i < 4; ++i) {
            leaves[i] = keccak256(abi.encodePacked(uint256(uint160(exitAt(i).l1)), uint256(exitAt(i).amount)));
        }
        bytes32 right = keccak256(abi.encodePacked(leaves[2], leaves[3]));
        bytes32 root = keccak256(abi.encodePacked(keccak256(abi.encodePacked(leaves[0], leaves[1])), right));
        (uint256 payee, uint256 amount) = (uint256(leaves[0]), uint256(leaves[1]));
        assertEq(keccak256(abi.encodePacked(keccak256(abi.encodePacked(payee, amount)), right)), root);
    }

    /// @dev Fields wider than their types would be second names of an exit.
    function testFuzz_refusesDirtyCalldata(uint8 argument, uint8 bit) public {
        uint32 number = settleExits(2);
        Exit memory e = exitAt(1);
        bytes memory data = abi.encodeCall(rollup.claim, (number, 1, e.l1, e.token, e.amount, pathOf(number, 2, 1)));
        uint256[5] memory widths = [uint256(32), 32, 160, 32, 128];
        argument %= 5;
        uint256 dirt = 1 << (widths[argument] + bit % (256 - widths[argument]));
        uint256 offset = 0x24 + 32 * uint256(argument);
        assembly ("memory-safe") {
            let place := add(data, offset)
            mstore(place, or(mload(place), dirt))
        }
        (bool ok,) = address(rollup).call(data);
        assertTrue(!ok, "accepted");
        claim(number, 1, e, pathOf(number, 2, 1));
    }

    /// @dev A claim neither takes nor gives Ether, whatever lies in the contract.
    function test_claimsPayNothing() public {
        uint32 number = settleExits(1);
        Exit memory e = exitAt(0);
        vm.deal(address(rollup), 1 ether);
        bytes memory data = abi.encodeCall(rollup.claim, (number, 0, e.l1, e.token, e.amount, new bytes32[](0)));
        (bool ok,) = address(rollup).call{value: 1}(data);
        assertTrue(!ok, "took Ether");
        (ok,) = address(rollup).call(data);
        assertTrue(ok, "refused");
        assertEq(address(rollup).balance, 1 ether);
        assertEq(e.l1.balance, 0);
    }

    function claimed(uint32 number, uint32 index) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ExitClaims.ExitAlreadyClaimed.selector, number, index);
    }

    function unproven(uint32 number, uint32 index) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ExitClaims.ExitNotProven.selector, number, index);
    }

    function outOfRange(uint32 index, uint256 depth) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ExitClaims.ExitIndexOutOfRange.selector, index, depth);
    }
}
