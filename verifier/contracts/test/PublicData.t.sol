// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PublicData} from "../src/PublicData.sol";
import {Test} from "./Vm.sol";

/// @notice Gives the library's functions calldata.
contract PublicDataCaller {
    function parseHeader(uint256[] calldata words) external pure returns (PublicData.Header memory) {
        return PublicData.parseHeader(words);
    }

    function challenge(uint256 c, uint256[] calldata words) external pure returns (uint256 zeta) {
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
            // What other libraries leave behind: not zero, and nobody's.
            for { let i := 0 } lt(i, 0x1000) { i := add(i, 0x20) } { mstore(add(free, i), not(0)) }
        }
        zeta = PublicData.challenge(c, words);
        assembly ("memory-safe") {
            if xor(free, mload(0x40)) { revert(0, 0) }
        }
    }

    function evaluate(uint256[] calldata words, uint256 zeta) external pure returns (uint256) {
        return PublicData.evaluate(words, zeta);
    }
}

contract PublicDataTest is Test {
    uint256 private constant R = PublicData.R;
    PublicDataCaller private caller = new PublicDataCaller();

    function test_agreesWithGoVectors() public view {
        string memory json = vm.readFile("testdata/publicdata.json");
        for (uint256 i = 0; i < 7; ++i) {
            string memory path = string.concat(".vectors[", vm.toString(i), "]");
            uint256[] memory words = vm.parseJsonUintArray(json, string.concat(path, ".words"));
            uint256[] memory counts = vm.parseJsonUintArray(json, string.concat(path, ".counts"));
            uint256 c = vm.parseJsonUint(json, string.concat(path, ".commitment"));
            uint256 zeta = caller.challenge(c, words);
            assertEq(zeta, vm.parseJsonUint(json, string.concat(path, ".zeta")));
            assertEq(caller.evaluate(words, zeta), vm.parseJsonUint(json, string.concat(path, ".value")));
            PublicData.Header memory h = caller.parseHeader(words);
            assertEq(h.number, words[0]);
            assertEq(h.oldRoot, words[1]);
            assertEq(h.newRoot, words[2]);
            assertEq(h.domain, words[3]);
            assertEq(h.feeAccounts, counts[0]);
            assertEq(h.l1Operations, counts[1]);
            assertEq(h.transfers, counts[2]);
            assertEq(h.opens, counts[3]);
            assertEq(h.exits, counts[4]);
        }
    }

    /// @dev The vectors that the Go package and the circuit go through too.
    function test_agreesWithTheSharedVectors() public view {
        string memory json = vm.readFile("../../publicdata/testdata/vectors.json");
        uint256 n = 0;
        for (;; ++n) {
            string memory path = string.concat(".vectors[", vm.toString(n), "]");
            if (!vm.keyExistsJson(json, path)) break;
            agreesWithTheVector(json, path);
        }
        assertTrue(n >= 7, "vectors are missing");
    }

    function agreesWithTheVector(string memory json, string memory path) private view {
        uint256[] memory words = vm.parseJsonUintArray(json, string.concat(path, ".words"));
        uint256[] memory counts = vm.parseJsonUintArray(json, string.concat(path, ".counts"));
        uint256[] memory inputs = vm.parseJsonUintArray(json, string.concat(path, ".public_inputs"));
        PublicData.Header memory h = caller.parseHeader(words); // reverts on another length
        assertEq(h.number, vm.parseJsonUint(json, string.concat(path, ".data.number")));
        assertEq(h.oldRoot, vm.parseJsonUint(json, string.concat(path, ".data.old_root")));
        assertEq(h.newRoot, vm.parseJsonUint(json, string.concat(path, ".data.new_root")));
        assertEq(h.domain, vm.parseJsonUint(json, string.concat(path, ".data.domain")));
        assertEq(h.feeAccounts, counts[0]);
        assertEq(h.l1Operations, counts[1]);
        assertEq(h.transfers, counts[2]);
        assertEq(h.opens, counts[3]);
        assertEq(h.exits, counts[4]);
        uint256 c = vm.parseJsonUint(json, string.concat(path, ".commitment"));
        uint256 zeta = caller.challenge(c, words);
        assertEq(zeta, vm.parseJsonUint(json, string.concat(path, ".zeta")));
        uint256 value = caller.evaluate(words, zeta);
        assertEq(value, vm.parseJsonUint(json, string.concat(path, ".value")));
        assertEq(inputs.length, 3);
        assertEq(inputs[0], c);
        assertEq(inputs[1], zeta);
        assertEq(inputs[2], value);
    }

    /// @dev Powers of ζ instead of Horner's rule, keccak by abi.encodePacked.
    function testFuzz_agreesWithNaive(uint256 c, uint256[] memory words) public view {
        c %= R;
        for (uint256 i = 0; i < words.length; ++i) {
            words[i] %= R;
        }
        uint256 zeta = caller.challenge(c, words);
        assertEq(zeta, uint256(keccak256(abi.encodePacked(c, words))) % (1 << 248));
        assertEq(caller.evaluate(words, zeta), naive(words, zeta));
    }

    /// @dev Every number of words that the loop by fours may see, with random words.
    function testFuzz_everySmallNumber(uint256 seed, uint256 zeta) public view {
        for (uint256 n = 0; n <= 40; ++n) {
            uint256[] memory words = wordsOf(n, seed);
            assertEq(caller.evaluate(words, zeta), naive(words, zeta));
        }
    }

    /// @dev The largest words and the largest ζ: sums that are not reduced fit.
    function test_largestWords() public view {
        uint256[4] memory zetas = [0, (1 << 248) - 1, R - 1, type(uint256).max];
        for (uint256 n = 0; n <= 40; ++n) {
            uint256[] memory words = new uint256[](n);
            for (uint256 i = 0; i < n; ++i) {
                words[i] = R - 1;
            }
            for (uint256 i = 0; i < zetas.length; ++i) {
                assertEq(caller.evaluate(words, zetas[i]), naive(words, zetas[i]));
            }
        }
    }

    /// @dev A word out of the field at each place, by little and by much; for another before it the last is named.
    function test_refusesWordNotInFieldAtEachPlace() public {
        uint256[4] memory outside = [R, R + 1, 1 << 255, type(uint256).max];
        for (uint256 n = 1; n <= 40; ++n) {
            uint256[] memory words = wordsOf(n, n);
            for (uint256 i = 0; i < n; ++i) {
                uint256 kept = words[i];
                words[i] = outside[(n + i) % 4];
                bytes memory reason = abi.encodeWithSelector(PublicData.WordNotInField.selector, i);
                vm.expectRevert(reason);
                caller.evaluate(words, n);
                uint256 keptToo = words[i / 2];
                words[i / 2] = outside[i % 4];
                vm.expectRevert(reason);
                caller.evaluate(words, n);
                words[i / 2] = keptToo;
                words[i] = kept;
            }
        }
    }

    function wordsOf(uint256 n, uint256 seed) private pure returns (uint256[] memory words) {
        words = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            words[i] = uint256(keccak256(abi.encode(seed, i))) % R;
        }
    }

    function naive(uint256[] memory words, uint256 zeta) private pure returns (uint256 value) {
        uint256 power = 1;
        for (uint256 i = 0; i < words.length; ++i) {
            value = addmod(value, mulmod(words[i], power, R), R);
            power = mulmod(power, zeta, R);
        }
    }

    function testFuzz_refusesWordNotInField(uint256[] memory words, uint256 index, uint256 excess, uint256 zeta)
        public
    {
        vm.assume(words.length > 0);
        for (uint256 i = 0; i < words.length; ++i) {
            words[i] %= R;
        }
        index %= words.length;
        words[index] = R + excess % (type(uint256).max - R + 1);
        vm.expectRevert(abi.encodeWithSelector(PublicData.WordNotInField.selector, index));
        caller.evaluate(words, zeta);
    }

    function testFuzz_refusesCommitmentNotInField(uint256 excess) public {
        uint256 c = R + excess % (type(uint256).max - R + 1);
        vm.expectRevert(abi.encodeWithSelector(PublicData.CommitmentNotInField.selector, c));
        caller.challenge(c, new uint256[](5));
    }

    /// @dev v(D) = v(D‖0): only the length tells them apart.
    function testFuzz_refusesEveryOtherLength(uint8 f, uint8 q, uint8 t, uint8 o, uint8 x, uint16 got) public {
        uint256 want = 5 + uint256(f) + 3 * uint256(q) + (uint256(t) + 1) / 2 + 2 * uint256(o) + 2 * uint256(x);
        uint256[] memory words = new uint256[](5 + uint256(got) % 2500);
        words[4] = uint256(f) | uint256(q) << 32 | uint256(t) << 64 | uint256(o) << 96 | uint256(x) << 128;
        if (words.length != want) {
            vm.expectRevert(abi.encodeWithSelector(PublicData.WrongLength.selector, words.length, want));
        }
        caller.parseHeader(words);
    }

    function test_refusesAppendedZero() public {
        uint256[] memory words = new uint256[](6);
        vm.expectRevert(abi.encodeWithSelector(PublicData.WrongLength.selector, 6, 5));
        caller.parseHeader(words);
    }

    function test_refusesHugeCounts() public {
        uint256[] memory words = new uint256[](5);
        words[4] = (1 << 160) - 1;
        uint256 m = type(uint32).max;
        vm.expectRevert(
            abi.encodeWithSelector(PublicData.WrongLength.selector, 5, 5 + m + 3 * m + (m + 1) / 2 + 2 * m + 2 * m)
        );
        caller.parseHeader(words);
    }

    function testFuzz_refusesBitsAboveTheCounts(uint8 bit) public {
        uint256[] memory words = new uint256[](5);
        words[4] = 1 << (160 + bit % 96);
        vm.expectRevert(abi.encodeWithSelector(PublicData.CountsOutOfRange.selector, words[4]));
        caller.parseHeader(words);
    }

    function test_refusesShortHeader() public {
        for (uint256 n = 0; n < 5; ++n) {
            vm.expectRevert(abi.encodeWithSelector(PublicData.WrongLength.selector, n, 5));
            caller.parseHeader(new uint256[](n));
        }
    }
}
