// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RollupFixture} from "./RollupFixture.sol";

/// @notice Calldata that a careful encoder would not make.
contract ReviewRollupTest is RollupFixture {
    /// @dev Bytes behind the arguments are read by nobody.
    function testFuzz_trailingBytesChangeNothing(bytes memory tail) public {
        uint256[] memory words = batch(3, 7);
        prove(words);
        assertTrue(send(bytes.concat(encode(words), tail)), "refused");
        assertEq(rollup.root(), 7);
        assertEq(rollup.batchNumber(), 1);
    }

    /// @dev The length of the array lies: beyond the calldata, or so large that length · 32 wraps.
    function test_lyingLengthsAreRefused() public {
        uint256[] memory words = batch(3, 7);
        prove(words);
        bytes memory data = encode(words);
        // Selector; shape, version, c, offset of words, offset of proof; length of words.
        uint256 offset = 4 + 5 * 32;
        assertEq(word(data, offset), words.length);
        uint256[7] memory lengths =
            [words.length - 1, words.length + 1, 1000, 1 << 59, 1 << 64, (1 << 251) + words.length, type(uint256).max];
        for (uint256 i = 0; i < lengths.length; ++i) {
            setWord(data, offset, lengths[i]);
            assertTrue(!send(data), "accepted");
        }
        setWord(data, offset, words.length);
        assertTrue(send(data), "refused");
    }

    /// @dev Offsets that point outside, or wrap around to the front.
    function test_lyingOffsetsAreRefused() public {
        uint256[] memory words = batch(3, 7);
        prove(words);
        bytes memory data = encode(words);
        uint256[4] memory offsets = [uint256(1 << 20), 1 << 64, type(uint256).max - 31, type(uint256).max];
        for (uint256 argument = 3; argument < 5; ++argument) {
            uint256 offset = 4 + argument * 32;
            uint256 honest = word(data, offset);
            for (uint256 i = 0; i < offsets.length; ++i) {
                setWord(data, offset, offsets[i]);
                assertTrue(!send(data), "accepted");
            }
            setWord(data, offset, honest);
        }
        assertTrue(send(data), "refused");
    }

    /// @dev Bits above the 32 of a version would be a second name of an entry.
    function test_dirtyVersionIsRefused() public {
        uint256[] memory words = batch(3, 7);
        prove(words);
        bytes memory data = encode(words);
        setWord(data, 4 + 32, (1 << 32) + 1);
        assertTrue(!send(data), "accepted");
    }

    function testFuzz_everyTruncationIsRefused(uint256 length) public {
        uint256[] memory words = batch(3, 7);
        prove(words);
        bytes memory data = encode(words);
        // The proof's three bytes are padded to a word; the padding is not read.
        length %= data.length - 29;
        assembly ("memory-safe") {
            mstore(data, length)
        }
        assertTrue(!send(data), "accepted");
    }

    /// @dev Destroyed contracts and block rewards can force Ether in: it is lost, and changes nothing.
    function test_forcedEtherChangesNothing() public {
        vm.deal(address(rollup), 1 ether);
        uint256[] memory words = batch(3, 7);
        prove(words);
        settle(words);
        assertEq(rollup.root(), 7);
        assertEq(address(rollup).balance, 1 ether);
    }

    /// @dev The same words and proof on a second rollup of this chain.
    function test_refusesTheBatchOfAnotherRollup() public {
        uint256[] memory words = batch(3, 7);
        prove(words);
        bytes memory data = encode(words);
        setUp();
        assertTrue(!send(data), "accepted");
    }

    /// @dev All of D but the number, the old root and the domain is bound by (ζ, v) alone.
    function testFuzz_anyChangedWordChangesTheInputs(uint256 index, uint256 change) public {
        uint256[] memory words = batch(6, 7);
        prove(words);
        index %= words.length;
        vm.assume(change != 0);
        words[index] ^= change;
        assertTrue(!send(encode(words)), "accepted");
        words[index] ^= change;
        assertTrue(send(encode(words)), "refused");
    }

    function encode(uint256[] memory words) private view returns (bytes memory) {
        return abi.encodeCall(rollup.settle, (TINY, 1, COMMITMENT, words, PROOF));
    }

    function send(bytes memory data) private returns (bool ok) {
        vm.prank(OPERATOR);
        (ok,) = address(rollup).call(data);
    }

    function word(bytes memory data, uint256 offset) private pure returns (uint256 w) {
        assembly ("memory-safe") {
            w := mload(add(add(data, 0x20), offset))
        }
    }

    function setWord(bytes memory data, uint256 offset, uint256 w) private pure {
        assembly ("memory-safe") {
            mstore(add(add(data, 0x20), offset), w)
        }
    }
}
