// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Exits} from "../src/Exits.sol";
import {Groth16Verifier} from "../src/Groth16Verifier.sol";
import {PublicData} from "../src/PublicData.sol";
import {Rollup} from "../src/Rollup.sol";
import {AggregateFixture} from "./AggregateFixture.sol";

/// @notice Groups with real proofs, and what must not settle.
contract AggregateTest is AggregateFixture {
    event BatchSettled(uint32 indexed number, uint256 newRoot, uint256 commitment);

    bytes private constant INVALID_PROOF = abi.encodePacked(Groth16Verifier.InvalidProof.selector);
    uint256 private constant R = PublicData.R;

    function test_settlesGroups() public {
        uint32 number = 0;
        for (uint256 i = 0; i < GROUPS; ++i) {
            Group memory g = group(i);
            for (uint256 j = 0; j < g.batches.length; ++j) {
                vm.expectEmit(true, true, true, true);
                emit BatchSettled(++number, g.batches[j].words[2], g.batches[j].commitment);
            }
            settle(g);
            assertEq(rollup.batchNumber(), number);
            assertEq(rollup.root(), g.batches[g.batches.length - 1].words[2]);
            for (uint256 j = 0; j < g.batches.length; ++j) {
                assertEq(rollup.exitsRoots(uint32(g.batches[j].words[0])), exitsRoot(g.batches[j].words));
            }
        }
        assertEq(number, 8);
    }

    /// @dev Of none, one or two exits.
    function exitsRoot(uint256[] memory w) private pure returns (bytes32) {
        uint256 count = w[4] >> 128;
        bytes32[] memory leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 record = w[w.length - 2 * (count - i)];
            uint256 amount = w[w.length - 2 * (count - i) + 1];
            leaves[i] = Exits.leaf(w[0], i, address(uint160(record)), record >> 160, amount);
        }
        if (count < 2) return count == 0 ? bytes32(0) : leaves[0];
        return keccak256(abi.encodePacked(bytes1(0x01), leaves[0], leaves[1]));
    }

    /// @dev An exit of a batch in the middle of a group is claimed as any other.
    function test_exitsOfAGroupAreClaimed() public {
        settle(group(0));
        settle(group(1));
        Batch memory b = group(1).batches[0]; // number 2, with two exits
        uint256 last = b.words.length - 1;
        (uint256 payee, uint256 amount) = (b.words[last - 1], b.words[last]);
        bytes32[] memory path = new bytes32[](1);
        path[0] = Exits.leaf(2, 0, address(uint160(b.words[last - 3])), b.words[last - 3] >> 160, b.words[last - 2]);
        rollup.claim(2, 1, address(uint160(payee)), uint32(payee >> 160), uint128(amount), path);
        assertTrue(rollup.exitClaimed(2, 1), "not claimed");
    }

    /// @dev The routes lead to one state, so they can take turns.
    function test_routesTakeTurns() public {
        settle(group(0).batches[0]);
        settle(group(1));
        Group memory g = group(2);
        for (uint256 i = 0; i < g.batches.length; ++i) {
            settle(g.batches[i]);
            assertEq(rollup.exitsRoots(uint32(g.batches[i].words[0])), exitsRoot(g.batches[i].words));
        }
        assertEq(rollup.batchNumber(), 8);
        assertEq(rollup.root(), g.batches[4].words[2]);
    }

    function test_refusesOthersThanOperators() public {
        Group memory g = group(0);
        (bool ok, bytes memory reason) = address(rollup).call(call(g));
        assertTrue(!ok, "accepted");
        assertEq(keccak256(reason), keccak256(abi.encodeWithSelector(Rollup.NotOperator.selector, address(this))));
    }

    function test_refusesAnEmptyGroup() public {
        Group memory g = group(0);
        uint256[] memory none = new uint256[](0);
        refuse(call(g, none, none), abi.encodeWithSelector(Rollup.EmptyGroup.selector));
        refuse(call(g, none, words(g.batches)), abi.encodeWithSelector(Rollup.EmptyGroup.selector));
    }

    function test_refusesAReplay() public {
        settle(group(0));
        refuse(group(0), wrongNumber(1, 2));
        settle(group(1));
        refuse(group(1), wrongNumber(2, 4));
        // Nor does the direct route take what a group settled.
        Batch memory b = group(1).batches[1];
        refuse(direct(INNER, b), wrongNumber(3, 4));
    }

    function test_refusesAGapBeforeTheGroup() public {
        refuse(group(1), wrongNumber(2, 1));
        settle(group(0));
        refuse(group(2), wrongNumber(4, 2));
    }

    function test_refusesAGapWithinTheGroup() public {
        settle(group(0));
        settle(group(1));
        Group memory g = group(2);
        Batch[] memory all = g.batches;
        for (uint256 gap = 0; gap < 5; ++gap) {
            g.batches = new Batch[](4);
            for (uint256 i = 0; i < 4; ++i) {
                g.batches[i] = all[i < gap ? i : i + 1];
            }
            refuse(g, gap == 4 ? INVALID_PROOF : wrongNumber(gap + 5, gap + 4));
        }
    }

    function test_refusesReorderedBatches() public {
        settle(group(0));
        settle(group(1));
        Group memory g = group(2);
        for (uint256 i = 0; i < 4; ++i) {
            (g.batches[i], g.batches[i + 1]) = (g.batches[i + 1], g.batches[i]);
            refuse(g, wrongNumber(i + 5, i + 4));
            (g.batches[i], g.batches[i + 1]) = (g.batches[i + 1], g.batches[i]);
        }
        settle(g);
    }

    function test_refusesARepeatedBatch() public {
        Group memory g = group(0);
        Batch memory b = g.batches[0];
        g.batches = new Batch[](2);
        (g.batches[0], g.batches[1]) = (b, b);
        refuse(g, wrongNumber(1, 2));
        // Nor under the next number and root: that is another batch.
        Batch memory again = Batch(b.commitment, copyOf(b.words), b.proof);
        again.words[0] = 2;
        again.words[1] = b.words[2];
        g.batches[1] = again;
        refuse(g, INVALID_PROOF);
        settle(group(0));
        settle(group(1));
        g = group(2);
        for (uint256 i = 1; i < 5; ++i) {
            Batch memory honest = g.batches[i];
            g.batches[i] = g.batches[i - 1];
            refuse(g, wrongNumber(i + 3, i + 4));
            g.batches[i] = honest;
        }
    }

    function test_refusesABrokenChainOfRoots() public {
        settle(group(0));
        settle(group(1));
        Group memory g = group(2);
        for (uint256 i = 0; i < 5; ++i) {
            uint256 honest = g.batches[i].words[1];
            g.batches[i].words[1] = honest + 1;
            refuse(g, abi.encodeWithSelector(Rollup.WrongOldRoot.selector, honest + 1, honest));
            g.batches[i].words[1] = honest;
            // Chained, but to another root than was proven.
            uint256 next = g.batches[i].words[2];
            g.batches[i].words[2] = next + 1;
            if (i < 4) g.batches[i + 1].words[1] = next + 1;
            refuse(g, INVALID_PROOF);
            g.batches[i].words[2] = next;
            if (i < 4) g.batches[i + 1].words[1] = next;
        }
        settle(g);
    }

    function test_refusesAnotherDomainInOneBatch() public {
        settle(group(0));
        Group memory g = group(1);
        for (uint256 i = 0; i < 2; ++i) {
            uint256 honest = g.batches[i].words[3];
            g.batches[i].words[3] = honest ^ 1;
            refuse(g, abi.encodeWithSelector(Rollup.WrongDomain.selector, honest ^ 1, honest));
            g.batches[i].words[3] = honest;
        }
        settle(g);
    }

    function test_refusesL1OperationsInOneBatch() public {
        settle(group(0));
        Group memory g = group(1);
        uint256[] memory w = new uint256[](8);
        for (uint256 i = 0; i < 4; ++i) {
            w[i] = g.batches[1].words[i];
        }
        w[4] = 1 << 32;
        g.batches[1].words = w;
        refuse(g, abi.encodeWithSelector(Rollup.L1OperationsNotSupported.selector, 1));
    }

    /// @dev A second reading of the counts would be a second place where the batch ends.
    function test_refusesBitsAboveTheCountsOfOneBatch() public {
        settle(group(0));
        Group memory g = group(1);
        for (uint256 i = 0; i < 2; ++i) {
            uint256 counts = g.batches[i].words[4];
            g.batches[i].words[4] = counts | 1 << 160;
            refuse(g, abi.encodeWithSelector(PublicData.CountsOutOfRange.selector, counts | 1 << 160));
            g.batches[i].words[4] = counts;
        }
        settle(g);
    }

    function test_refusesAnotherAggregateCommitment() public {
        settle(group(0));
        Group memory g = group(1);
        uint256 honest = g.inputs[0];
        g.inputs[0] = honest ^ 1;
        refuse(g, INVALID_PROOF);
        g.inputs[0] = 0;
        refuse(g, INVALID_PROOF);
        g.inputs[0] = honest + R;
        refuse(g, abi.encodeWithSelector(PublicData.CommitmentNotInField.selector, honest + R));
        g.inputs[0] = R;
        refuse(g, abi.encodeWithSelector(PublicData.CommitmentNotInField.selector, R));
    }

    function test_refusesAnotherCommitmentOfABatch() public {
        settle(group(0));
        Group memory g = group(1);
        for (uint256 i = 0; i < 2; ++i) {
            uint256 honest = g.batches[i].commitment;
            g.batches[i].commitment = honest ^ 1;
            refuse(g, INVALID_PROOF);
            g.batches[i].commitment = honest + R;
            refuse(g, abi.encodeWithSelector(PublicData.CommitmentNotInField.selector, honest + R));
            g.batches[i].commitment = honest;
        }
        (g.batches[0].commitment, g.batches[1].commitment) = (g.batches[1].commitment, g.batches[0].commitment);
        refuse(g, INVALID_PROOF);
    }

    /// @dev Words behind the header: those of the header have their own tests.
    function test_refusesAnyChangedWord() public {
        settle(group(0));
        Group memory g = group(1);
        for (uint256 i = 0; i < 2; ++i) {
            uint256[] memory w = g.batches[i].words;
            for (uint256 j = 5; j < w.length; ++j) {
                w[j] ^= 1;
                refuse(g, INVALID_PROOF);
                w[j] ^= 1;
            }
        }
        settle(g);
    }

    /// @dev word and word + r have the same v.
    function test_refusesWordsNotInField() public {
        settle(group(0));
        Group memory g = group(1);
        for (uint256 i = 0; i < 2; ++i) {
            uint256[] memory w = g.batches[i].words;
            for (uint256 j = 2; j < w.length; ++j) {
                if (j == 3 || j == 4) continue;
                w[j] += R;
                if (i == 0 && j == 2) g.batches[1].words[1] += R; // chained all the same
                refuse(g, abi.encodeWithSelector(PublicData.WordNotInField.selector, j));
                if (i == 0 && j == 2) g.batches[1].words[1] -= R;
                w[j] -= R;
            }
        }
        settle(g);
    }

    function test_refusesAMissingWord() public {
        settle(group(0));
        Group memory g = group(1);
        uint256[] memory cs = commitments(g.batches);
        uint256[] memory ws = words(g.batches);
        uint256 second = g.batches[1].words.length;
        setLength(ws, ws.length - 1);
        refuse(call(g, cs, ws), abi.encodeWithSelector(PublicData.WrongLength.selector, second - 1, second));
        setLength(ws, g.batches[0].words.length + 4);
        refuse(call(g, cs, ws), abi.encodeWithSelector(PublicData.WrongLength.selector, 4, 5));
        setLength(ws, g.batches[0].words.length);
        refuse(call(g, cs, ws), abi.encodeWithSelector(PublicData.WrongLength.selector, 0, 5));
        // One of the first batch is missing: the second begins where it should not, and its fee account, of token 1
        // and index 2, counts one fee account and two L1 operations.
        g = group(1);
        uint256[] memory shorter = g.batches[0].words;
        setLength(shorter, shorter.length - 1);
        refuse(g, abi.encodeWithSelector(PublicData.WrongLength.selector, second - 1, 5 + 1 + 3 * 2));
    }

    function test_refusesAnExcessWord() public {
        settle(group(0));
        Group memory g = group(1);
        uint256[] memory cs = commitments(g.batches);
        uint256[] memory ws = words(g.batches);
        uint256[] memory longer = new uint256[](ws.length + 1);
        for (uint256 i = 0; i < ws.length; ++i) {
            longer[i] = ws[i];
        }
        refuse(call(g, cs, longer), abi.encodeWithSelector(Rollup.ExcessWords.selector, 1));
        // A whole batch without a commitment, and a commitment without a batch.
        uint256[] memory one = new uint256[](1);
        one[0] = cs[0];
        refuse(call(g, one, ws), abi.encodeWithSelector(Rollup.ExcessWords.selector, g.batches[1].words.length));
        uint256[] memory three = new uint256[](3);
        (three[0], three[1]) = (cs[0], cs[1]);
        refuse(call(g, three, ws), abi.encodeWithSelector(PublicData.WrongLength.selector, 0, 5));
    }

    /// @dev A group of which the proof covers a part only, or more than is shown.
    function test_refusesOtherGroupsThanTheProven() public {
        settle(group(0));
        Group memory two = group(1);
        Group memory five = group(2);
        Batch memory third = five.batches[0];
        Group memory three = Group(new Batch[](3), two.w, two.inputs, two.proof);
        (three.batches[0], three.batches[1], three.batches[2]) = (two.batches[0], two.batches[1], third);
        refuse(three, INVALID_PROOF);
        Group memory one = Group(new Batch[](1), two.w, two.inputs, two.proof);
        one.batches[0] = two.batches[0];
        refuse(one, INVALID_PROOF);
        one.proof = two.batches[0].proof; // that of the batch alone, by another circuit and key
        refuse(one, INVALID_PROOF);
        two.proof = five.proof;
        refuse(two, INVALID_PROOF);
    }

    /// @dev Proofs of both circuits have three inputs, and these hold: only the entry's circuit tells them apart.
    function test_refusesAVerifierOfTheOtherRoute() public {
        Batch memory b = group(0).batches[0];
        Group memory g = group(0);
        refuse(direct(SHAPE, b), unknown("transition", SHAPE));
        refuse(by(INNER, g), unknown("aggregate", INNER));
        // Even where the key behind the entry accepts the proof.
        refuse(direct("misplaced too", b), unknown("transition", "misplaced too"));
        refuse(by("misplaced", g), unknown("aggregate", "misplaced"));
        // An entry is what its circuit says, whatever the key.
        refuse(direct("misplaced", b), INVALID_PROOF);
        refuse(by("misplaced too", g), INVALID_PROOF);
    }

    function test_refusesUnknownEntries() public {
        Group memory g = group(0);
        refuse(
            abi.encodeCall(
                rollup.settleAggregate, (SHAPE, 2, g.inputs[0], commitments(g.batches), words(g.batches), g.proof)
            ),
            abi.encodeWithSelector(Rollup.UnknownVerifier.selector, bytes32("aggregate"), SHAPE, 2)
        );
        refuse(by("demo-2", g), unknown("aggregate", "demo-2"));
        vm.etch(address(aggregateVerifier), hex"00");
        refuse(g, abi.encodeWithSelector(Rollup.VerifierChanged.selector, address(aggregateVerifier)));
    }

    function unknown(bytes32 circuit, bytes32 shape) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Rollup.UnknownVerifier.selector, circuit, shape, 1);
    }

    function wrongNumber(uint256 got, uint256 want) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Rollup.WrongNumber.selector, got, want);
    }

    function direct(bytes32 shape, Batch memory b) private view returns (bytes memory) {
        return abi.encodeCall(rollup.settle, (shape, 1, b.commitment, b.words, b.proof));
    }

    function copyOf(uint256[] memory list) private pure returns (uint256[] memory copy) {
        copy = new uint256[](list.length);
        for (uint256 i = 0; i < list.length; ++i) {
            copy[i] = list[i];
        }
    }

    function setLength(uint256[] memory list, uint256 length) private pure {
        assembly ("memory-safe") {
            mstore(list, length)
        }
    }
}
