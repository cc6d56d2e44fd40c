// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Groth16Verifier} from "../src/Groth16Verifier.sol";
import {KeyCheck} from "../src/KeyCheck.sol";
import {Groth16Fixture} from "./Groth16Fixture.sol";

/// @notice Proofs under a key whose G1 points are known multiples of the generator: its maker can reach any point of the
/// equation, those too that an honest prover never meets.
contract InfinityAttackTest is Groth16Fixture {
    /// @dev K0..K4 = these times the generator, α = 9 times.
    uint256[5] private SCALARS = [uint256(3), 5, 7, 11, 13];

    uint256[] private key;

    function setUp() public override {
        super.setUp();
        (key,,) = load(".ceremony");
        put(KeyCheck.ALPHA, 9);
        for (uint256 i = 0; i < 5; ++i) {
            put(KeyCheck.K + 2 * i, SCALARS[i]);
        }
    }

    function put(uint256 at, uint256 scalar) private {
        uint256[2] memory point = mul(1, 2, scalar);
        (key[at], key[at + 1]) = (point[0], point[1]);
    }

    /// @dev A = α, B = β, C at infinity and L at infinity, by v: both equations hold, with D and PoK at infinity. gnark hashes
    /// a D at infinity in another encoding, so the native verifier sees another statement in the same proof.
    function test_refusesACommitmentAtInfinityThatFits() public {
        bytes memory proof = abi.encodePacked(
            key[0], key[1], key[2], key[3], key[4], key[5], new bytes(6 * 32)
        );
        uint256 h = uint256(sha256(new bytes(64))) % R;
        uint256 rest = addmod(3 + 1 * 5 + 2 * 7, mulmod(13, h, R), R);
        uint256[3] memory inputs = [uint256(1), 2, mulmod(R - rest, inverse(11), R)];
        assertTrue(holds(key, proof, inputs, 1), "the proof does not fit");
        Groth16Verifier verifier = new Groth16Verifier(key);
        vm.expectRevert(Groth16Verifier.InvalidProof.selector);
        verifier.verify(proof, inputs);
    }

    /// @dev A pairing that fails leaves its input where its answer is looked for, and A.x = 1 is no answer.
    function test_refusesAFailedPairingThatReadsAsOne() public {
        (uint256[] memory key_, bytes memory proof, uint256[3] memory inputs) = load(".ceremony");
        Groth16Verifier verifier = new Groth16Verifier(key_);
        uint256[] memory off = offSubgroup();
        bytes memory forged = abi.encodePacked(uint256(1), uint256(2), off[0], off[1], off[2], off[3]);
        for (uint256 i = 6; i < 12; ++i) {
            forged = bytes.concat(forged, bytes32(word(proof, i)));
        }
        vm.expectRevert(Groth16Verifier.InvalidProof.selector);
        verifier.verify(forged, inputs);
    }

    /// @dev The order itself is another name of 0, and all above it names of others.
    function test_refusesTheOrderAsAnInput() public {
        (uint256[] memory key_, bytes memory proof, uint256[3] memory inputs) = load(".ceremony");
        Groth16Verifier verifier = new Groth16Verifier(key_);
        uint256[3] memory bad = [R, R + 1, type(uint256).max];
        for (uint256 i = 0; i < 9; ++i) {
            uint256[3] memory changed = [inputs[0], inputs[1], inputs[2]];
            changed[i % 3] = bad[i / 3];
            vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.InputNotInField.selector, i % 3));
            verifier.verify(proof, changed);
        }
    }
}
