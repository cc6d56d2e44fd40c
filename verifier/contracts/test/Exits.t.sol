// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Exits} from "../src/Exits.sol";
import {Test} from "./Vm.sol";

/// @notice Gives the library's functions calldata.
contract ExitsCaller {
    function root(uint256 batch, uint256[] calldata words, uint256 count) external pure returns (bytes32 r) {
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
            // What other libraries leave behind: not zero, and nobody's.
            for { let i := 0 } lt(i, 0x1000) { i := add(i, 0x20) } { mstore(add(free, i), not(0)) }
        }
        r = Exits.root(batch, words, count);
        assembly ("memory-safe") {
            if xor(free, mload(0x40)) { revert(0, 0) }
            if mload(0x60) { revert(0, 0) }
        }
    }

    function leaf(uint256 batch, uint256 index, address l1, uint256 token, uint256 amount)
        external
        pure
        returns (bytes32)
    {
        return Exits.leaf(batch, index, l1, token, amount);
    }

    function climb(bytes32 node, uint256 index, bytes32[] calldata path) external pure returns (bytes32) {
        return Exits.climb(node, index, path);
    }
}

contract ExitsTest is Test {
    ExitsCaller private caller = new ExitsCaller();

    function test_agreesWithGoVectors() public view {
        string memory json = vm.readFile("../../publicdata/testdata/exits.json");
        uint256 n = 0;
        for (;; ++n) {
            string memory path = string.concat(".vectors[", vm.toString(n), "]");
            if (!vm.keyExistsJson(json, path)) break;
            uint256 batch = vm.parseJsonUint(json, string.concat(path, ".batch"));
            uint256[] memory words = vm.parseJsonUintArray(json, string.concat(path, ".words"));
            uint256 count = vm.parseJsonUint(json, string.concat(path, ".count"));
            bytes32 root = bytes32(vm.parseJsonUint(json, string.concat(path, ".root")));
            assertEq(caller.root(batch, words, count), root);
            assertEq(naive(batch, words, count), root);
            agreesWithClaims(json, path, batch, root);
        }
        assertTrue(n >= 8, "vectors are missing");
    }

    function agreesWithClaims(string memory json, string memory vector, uint256 batch, bytes32 root) private view {
        uint256 n = 0;
        for (;; ++n) {
            string memory path = string.concat(vector, ".claims[", vm.toString(n), "]");
            if (!vm.keyExistsJson(json, path)) break;
            uint256 index = vm.parseJsonUint(json, string.concat(path, ".index"));
            uint256[] memory record = vm.parseJsonUintArray(json, string.concat(path, ".record"));
            uint256[] memory siblings = vm.parseJsonUintArray(json, string.concat(path, ".path"));
            bytes32[] memory hashes = new bytes32[](siblings.length);
            for (uint256 i = 0; i < siblings.length; ++i) {
                hashes[i] = bytes32(siblings[i]);
            }
            bytes32 leaf = caller.leaf(batch, index, address(uint160(record[0])), record[1], record[2]);
            assertEq(caller.climb(leaf, index, hashes), root);
        }
        assertTrue(n > 0, "claims are missing");
    }

    function testFuzz_agreesWithNaive(uint32 batch, uint256[] memory words, uint8 before) public view {
        uint256 count = words.length / 2;
        if (count == 0) return;
        for (uint256 i = 0; i < words.length; ++i) {
            // Records are the last words, whatever stands before them.
            uint256 fromEnd = words.length - i;
            if (fromEnd > 2 * count) continue;
            words[i] >>= fromEnd % 2 == 0 ? 64 : 128;
        }
        uint256[] memory longer = new uint256[](words.length + before);
        for (uint256 i = 0; i < longer.length; ++i) {
            longer[i] = i < before ? type(uint256).max : words[i - before];
        }
        assertEq(caller.root(batch, longer, count), naive(batch, longer, count));
    }

    /// @dev Every number of exits up to 70: all shapes of a tree of depth 0 to 6, and some of 7.
    function test_everySmallNumber() public view {
        for (uint256 count = 1; count <= 70; ++count) {
            uint256[] memory words = new uint256[](2 * count);
            for (uint256 i = 0; i < words.length; ++i) {
                words[i] = uint256(keccak256(abi.encode(count, i))) >> (i % 2 == 0 ? 64 : 128);
            }
            assertEq(caller.root(count, words, count), naive(count, words, count));
        }
    }

    function testFuzz_refusesBitsAboveTheFields(uint8 index, uint8 bit, bool second) public {
        uint256[] memory words = new uint256[](2 * 9);
        index %= 9;
        words[2 * uint256(index) + (second ? 1 : 0)] = 1 << (second ? 128 + bit % 128 : 192 + bit % 64);
        vm.expectRevert(abi.encodeWithSelector(Exits.ExitMalformed.selector, index));
        caller.root(1, words, 9);
    }

    /// @dev A bit above either field in each record of up to 40; for another behind it the first is named.
    function test_refusesMalformedAtEachPlace() public {
        for (uint256 count = 1; count <= 40; ++count) {
            uint256[] memory words = new uint256[](5 + 2 * count);
            for (uint256 i = 0; i < count; ++i) {
                uint256 place = 5 + 2 * i + (count + i) % 2;
                words[place] = place % 2 == 1 ? 1 << (192 + i) : 1 << (128 + 3 * i);
                bytes memory reason = abi.encodeWithSelector(Exits.ExitMalformed.selector, i);
                vm.expectRevert(reason);
                caller.root(1, words, count);
                words[5 + i + count] = type(uint256).max;
                vm.expectRevert(reason);
                caller.root(1, words, count);
                words[5 + i + count] = 0;
                words[place] = 0;
            }
        }
    }

    /// @dev The first bit above each field and the last, in each record of an even and of an odd number.
    function test_refusesEachBitNextToAField() public {
        for (uint256 count = 1; count <= 6; ++count) {
            uint256[] memory words = new uint256[](2 * count);
            for (uint256 place = 0; place < words.length; ++place) {
                uint256[2] memory bits = [place % 2 == 0 ? uint256(192) : 128, 255];
                for (uint256 i = 0; i < 2; ++i) {
                    words[place] = 1 << bits[i];
                    vm.expectRevert(abi.encodeWithSelector(Exits.ExitMalformed.selector, place / 2));
                    caller.root(1, words, count);
                }
                words[place] = 0;
            }
        }
    }

    /// @dev Fields of nothing and of ones beside each other: no field leaves a bit in another, or in the next leaf.
    function testFuzz_fieldsDoNotMix(uint32 batch, uint256 ones) public view {
        for (uint256 count = 1; count <= 40; ++count) {
            uint256[] memory words = new uint256[](2 * count);
            for (uint256 i = 0; i < count; ++i) {
                uint256 bits = ones >> (5 * i);
                words[2 * i] = (bits & 1) * type(uint160).max | (bits >> 1 & 1) * type(uint32).max << 160;
                words[2 * i + 1] = (bits >> 2 & 1) * type(uint128).max;
            }
            assertEq(caller.root(batch, words, count), naive(batch, words, count));
        }
    }

    /// @dev The largest fields are not malformed.
    function test_acceptsTheLargestFields() public view {
        for (uint256 count = 1; count <= 40; ++count) {
            uint256[] memory words = new uint256[](2 * count);
            for (uint256 i = 0; i < count; ++i) {
                words[2 * i] = (1 << 192) - 1;
                words[2 * i + 1] = (1 << 128) - 1;
            }
            bytes32 root = caller.root(type(uint32).max, words, count);
            assertEq(root, naive(type(uint32).max, words, count));
            if (count > 1) continue;
            assertEq(
                root, caller.leaf(type(uint32).max, 0, address(type(uint160).max), type(uint32).max, type(uint128).max)
            );
        }
    }

    /// @dev Copies each level, and hashes every zero of it.
    function naive(uint256 batch, uint256[] memory words, uint256 count) private pure returns (bytes32) {
        uint256 size = 1;
        while (size < count) {
            size *= 2;
        }
        bytes32[] memory level = new bytes32[](size);
        uint256 first = words.length - 2 * count;
        for (uint256 i = 0; i < count; ++i) {
            uint256 record = words[first + 2 * i];
            level[i] =
                Exits.leaf(batch, i, address(uint160(record)), record / (1 << 160), words[first + 2 * i + 1]);
        }
        while (level.length > 1) {
            bytes32[] memory next = new bytes32[](level.length / 2);
            for (uint256 i = 0; i < next.length; ++i) {
                next[i] = keccak256(abi.encodePacked(uint8(1), level[2 * i], level[2 * i + 1]));
            }
            level = next;
        }
        return level[0];
    }
}
