// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Aggregate} from "../src/Aggregate.sol";
import {PublicData} from "../src/PublicData.sol";
import {AggregateFixture} from "./AggregateFixture.sol";

/// @notice (C, Z, V) against Go and against a plain writing.
contract AggregateInputsTest is AggregateFixture {
    uint256 private constant R = PublicData.R;

    function test_agreesWithGoVectors() public view {
        for (uint256 i = 0; i < GROUPS; ++i) {
            Group memory g = group(i);
            uint256[] memory list = Aggregate.open(g.inputs[0], g.batches.length);
            for (uint256 j = 0; j < g.batches.length; ++j) {
                Batch memory b = g.batches[j];
                (uint256 zeta, uint256 value) = naive(b.commitment, b.words);
                assertEq(g.w[3 * j], b.commitment);
                assertEq(g.w[3 * j + 1], zeta);
                assertEq(g.w[3 * j + 2], value);
                Aggregate.put(list, j, b.commitment, zeta, value);
            }
            uint256[3] memory got = Aggregate.inputs(list);
            for (uint256 j = 0; j < 3; ++j) {
                assertEq(got[j], g.inputs[j]);
            }
        }
    }

    /// @dev Powers of Z instead of Horner's rule, keccak by abi.encodePacked.
    function testFuzz_agreesWithNaive(uint256 c, uint256[3][] memory proofs) public pure {
        c %= R;
        uint256[] memory list = Aggregate.open(c, proofs.length);
        uint256[] memory w = new uint256[](3 * proofs.length);
        for (uint256 i = 0; i < proofs.length; ++i) {
            for (uint256 j = 0; j < 3; ++j) {
                w[3 * i + j] = proofs[i][j] %= R;
            }
            Aggregate.put(list, i, proofs[i][0], proofs[i][1], proofs[i][2]);
        }
        uint256[3] memory got = Aggregate.inputs(list);
        (uint256 z, uint256 v) = naive(c, w);
        assertEq(got[0], c);
        assertEq(got[1], z);
        assertEq(got[2], v);
    }

    /// @dev Any groups of any batches: what reaches the verifier is what a plain writing gives, for each changed
    /// word something else.
    function testFuzz_verifierGetsTheNaiveInputs(uint256 c, uint8[] memory transfers, uint256 seed, uint256 index)
        public
    {
        vm.assume(transfers.length > 0);
        Group memory g;
        g.inputs[0] = c % R;
        g.batches = new Batch[](transfers.length % 8 + 1);
        g.w = new uint256[](3 * g.batches.length);
        g.proof = hex"c0ffee";
        uint256 last = rollup.root();
        for (uint256 i = 0; i < g.batches.length; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            Batch memory b = g.batches[i];
            b.commitment = seed % R;
            b.words = batch(i + 1, last, transfers[i % transfers.length], seed);
            last = b.words[2];
            g.w[3 * i] = b.commitment;
            (g.w[3 * i + 1], g.w[3 * i + 2]) = naive(b.commitment, b.words);
        }
        (uint256 z, uint256 v) = naive(g.inputs[0], g.w);
        mockVerifier.accept(g.proof, [g.inputs[0], z, v]);

        uint256[] memory ws = words(g.batches);
        index %= ws.length;
        ws[index] ^= 1;
        (bool ok,) = send(by("mock", g, commitments(g.batches), ws));
        assertTrue(!ok, "accepted");
        ws[index] ^= 1;
        (ok,) = send(by("mock", g, commitments(g.batches), ws));
        assertTrue(ok, "refused");
        assertEq(rollup.root(), last);
        assertEq(rollup.batchNumber(), g.batches.length);
    }

    /// @dev One fee account and `transfers` transfers.
    function batch(uint256 number, uint256 oldRoot, uint256 transfers, uint256 seed)
        private
        view
        returns (uint256[] memory w)
    {
        w = new uint256[](6 + (transfers + 1) / 2);
        for (uint256 i = 2; i < w.length; ++i) {
            w[i] = uint256(keccak256(abi.encode(seed, i))) % R;
        }
        (w[0], w[1], w[3], w[4]) = (number, oldRoot, rollup.domain(), 1 | transfers << 64);
    }

    /// @dev keccak256(c ‖ words) mod 2^248, and words evaluated there by powers.
    function naive(uint256 c, uint256[] memory w) private pure returns (uint256 point, uint256 value) {
        point = uint256(keccak256(abi.encodePacked(c, w))) % (1 << 248);
        uint256 power = 1;
        for (uint256 i = 0; i < w.length; ++i) {
            value = addmod(value, mulmod(w[i], power, R), R);
            power = mulmod(power, point, R);
        }
    }
}
