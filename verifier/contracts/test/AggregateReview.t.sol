// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AggregateFixture} from "./AggregateFixture.sol";

/// @notice Calldata of settleAggregate that a careful encoder would not make. What is accepted must be what
/// any decoder of the interface reads, or nobody could rebuild the state from L1.
contract AggregateReviewTest is AggregateFixture {
    /// @dev Behind the selector: shape, version, C, and the offsets of commitments, words and proof.
    uint256 private constant COMMITMENTS = 4 + 3 * 32;
    uint256 private constant HEAD = 6 * 32;

    /// @dev Group 1 as encoders make it, and the roots before and after it.
    bytes private honest;
    uint256 private oldRoot;
    uint256 private newRoot;

    function setUp() public override {
        super.setUp();
        settle(group(0));
        Group memory g = group(1);
        honest = call(g);
        (oldRoot, newRoot) = (rollup.root(), g.batches[1].words[2]);
    }

    function testFuzz_trailingBytesChangeNothing(bytes memory tail) public {
        accept(bytes.concat(honest, tail));
    }

    /// @dev Lengths beyond the calldata, or so large that length · 32 wraps.
    function test_lyingLengthsAreRefused() public {
        bytes memory data = honest;
        for (uint256 argument = 0; argument < 3; ++argument) {
            uint256 offset = 4 + word(data, COMMITMENTS + argument * 32);
            uint256 before = word(data, offset);
            uint256[8] memory lengths =
                [0, before - 1, before + 1, 1000, 1 << 59, 1 << 64, (1 << 251) + before, type(uint256).max];
            for (uint256 i = 0; i < lengths.length; ++i) {
                setWord(data, offset, lengths[i]);
                refuse(data);
            }
            setWord(data, offset, before);
        }
        accept(data);
    }

    /// @dev Outside, wrapping around to the front, or backwards.
    function test_lyingOffsetsAreRefused() public {
        bytes memory data = honest;
        uint256[6] memory offsets =
            [uint256(1 << 20), 1 << 64, (1 << 255) + HEAD, type(uint256).max - 31, type(uint256).max, 0];
        for (uint256 argument = 0; argument < 3; ++argument) {
            uint256 before = word(data, COMMITMENTS + argument * 32);
            for (uint256 i = 0; i < offsets.length; ++i) {
                setWord(data, COMMITMENTS + argument * 32, offsets[i]);
                refuse(data);
            }
            setWord(data, COMMITMENTS + argument * 32, before);
        }
        accept(data);
    }

    /// @dev Each list read in place of another.
    function test_swappedOffsetsAreRefused() public {
        bytes memory data = honest;
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 j = 0; j < 3; ++j) {
                if (i == j) continue;
                uint256 before = word(data, COMMITMENTS + i * 32);
                setWord(data, COMMITMENTS + i * 32, word(data, COMMITMENTS + j * 32));
                refuse(data);
                setWord(data, COMMITMENTS + i * 32, before);
            }
        }
        accept(data);
    }

    /// @dev Lists in another order, with a gap, at odd places: the same arguments to any decoder.
    function test_otherLayoutsOfTheSameArgumentsAreAccepted() public {
        Group memory g = group(1);
        bytes memory cs = abi.encodePacked(uint256(2), commitments(g.batches));
        bytes memory all = abi.encodePacked(words(g.batches));
        bytes memory ws = abi.encodePacked(all.length / 32, all);
        bytes memory proof = abi.encodePacked(g.proof.length, g.proof);
        accept(
            bytes.concat(
                rollup.settleAggregate.selector,
                abi.encode(SHAPE, 1, g.inputs[0]),
                abi.encode(HEAD + proof.length + 7, HEAD + proof.length + 7 + cs.length, HEAD),
                proof,
                hex"ffffffffffffff",
                cs,
                ws
            )
        );
    }

    /// @dev Bits above the 32 of a version would be a second name of an entry.
    function test_dirtyVersionIsRefused() public {
        bytes memory data = honest;
        setWord(data, 4 + 32, (1 << 32) + 1);
        refuse(data);
    }

    function testFuzz_everyTruncationIsRefused(uint256 length) public {
        bytes memory data = honest;
        length %= data.length;
        assembly ("memory-safe") {
            mstore(data, length)
        }
        refuse(data);
    }

    /// @dev Each bit of each argument behind the head counts: of C, lengths, c, D and the proof.
    function testFuzz_everyFlippedBitIsRefused(uint256 bit) public {
        bytes memory data = honest;
        uint256 first = 4 + 2 * 32;
        bit %= 8 * (data.length - first);
        data[first + bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        refuse(data);
    }

    function test_takesNoEther() public {
        bytes memory data = honest;
        vm.deal(OPERATOR, 1);
        vm.prank(OPERATOR);
        (bool ok,) = address(rollup).call{value: 1}(data);
        assertTrue(!ok, "took Ether");
    }

    /// @dev With too little gas nothing is settled in part.
    function testFuzz_tooLittleGasSettlesNothing(uint256 gas) public {
        bytes memory data = honest;
        vm.prank(OPERATOR);
        (bool ok,) = address(rollup).call{gas: gas % 600_000}(data);
        assertEq(rollup.batchNumber(), ok ? 3 : 1);
        assertEq(rollup.root(), ok ? newRoot : oldRoot);
        assertTrue((rollup.exitsRoots(2) == 0) != ok, "exits in part");
    }

    function accept(bytes memory data) private {
        (bool ok,) = send(data);
        assertTrue(ok, "refused");
        assertEq(rollup.batchNumber(), 3);
        assertEq(rollup.root(), newRoot);
    }

    function refuse(bytes memory data) private {
        (bool ok,) = send(data);
        assertTrue(!ok, "accepted");
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
