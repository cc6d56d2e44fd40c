// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Groth16Verifier} from "../src/Groth16Verifier.sol";
import {Groth16Fixture} from "./Groth16Fixture.sol";

/// @notice What ρ is hashed from. Honest proofs pass with any ρ, so only forgeries show what it leaves out: each
/// here is accepted by a check whose ρ leaves one part out, on the key of a ceremony, and refused by ours.
contract CoefficientAttackTest is Groth16Fixture {
    uint256 private constant STEP = 12345;

    uint256[] private key;
    bytes private proof;
    uint256[3] private inputs;
    Groth16Verifier private verifier;

    function setUp() public override {
        super.setUp();
        (key, proof, inputs) = load(".ceremony");
        verifier = new Groth16Verifier(key);
    }

    /// @dev Holds ρ to its definition, word by word and bit by bit, where it is used: as the scalar of D and of PoK.
    function test_coefficientIsHashedFromAll() public {
        string[2] memory paths = [".setup", ".ceremony"];
        for (uint256 i = 0; i < 2; ++i) {
            (key, proof, inputs) = load(paths[i]);
            verifier = new Groth16Verifier(key);
            uint256 rho = uint256(keccak256(abi.encodePacked(sha256(abi.encodePacked(key)), proof, inputs))) % R;
            vm.expectCall(address(7), abi.encode(word(proof, D), word(proof, D + 1), rho));
            vm.expectCall(address(7), abi.encode(word(proof, POK), word(proof, POK + 1), rho));
            verifier.verify(proof, inputs);
        }
    }

    /// @dev PoK is chosen after ρ: PoK + (Δ/ρ)·K absorbs any step Δ of any input.
    function test_withoutPoKAnyInputPasses() public {
        for (uint256 i = 0; i < 3; ++i) {
            uint256[3] memory other = moveInput(inputs, i, STEP);
            uint256 rho = hash(abi.encodePacked(verifier.keyHash(), withoutPoK(proof), other));
            refuse(movePoK(key, proof, i, mulmod(STEP, inverse(rho), R)), other, rho);
        }
    }

    /// @dev The input is chosen after ρ: PoK + t·K is paid for by input + ρ·t.
    function test_withoutAnInputItMoves() public {
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory moved = movePoK(key, proof, i, STEP);
            bytes memory rest = i == 0
                ? abi.encodePacked(inputs[1], inputs[2])
                : i == 1 ? abi.encodePacked(inputs[0], inputs[2]) : abi.encodePacked(inputs[0], inputs[1]);
            uint256 rho = hash(abi.encodePacked(verifier.keyHash(), moved, rest));
            refuse(moved, moveInput(inputs, i, mulmod(STEP, rho, R)), rho);
        }
    }

    function test_withoutTheInputsTheyMove() public {
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory moved = movePoK(key, proof, i, STEP);
            uint256 rho = hash(abi.encodePacked(verifier.keyHash(), moved));
            refuse(moved, moveInput(inputs, i, mulmod(STEP, rho, R)), rho);
        }
    }

    /// @dev Of b bits ρ is guessed in 2^b tries: 8 are enough to show it.
    function test_aShortCoefficientIsGuessed() public {
        uint256 guess = 77;
        for (uint256 step = 1;; ++step) {
            uint256[3] memory other = moveInput(inputs, 2, step);
            bytes memory moved = movePoK(key, proof, 2, mulmod(step, inverse(guess), R));
            if (hash(abi.encodePacked(verifier.keyHash(), moved, other)) & 0xff != guess) continue;
            refuse(moved, other, guess);
            return;
        }
    }

    /// @dev The key is chosen after ρ: K0 + ρ·t·K3 pays for PoK + t·K3, and the key passes all checks of points.
    function test_withoutTheKeyAKeyIsFittedToAProof() public {
        bytes memory moved = movePoK(key, proof, 2, STEP);
        uint256 rho = hash(abi.encodePacked(moved, inputs));
        uint256[2] memory step = mul(key[20], key[21], mulmod(STEP, rho, R));
        uint256[2] memory k0 = add(key[14], key[15], step[0], step[1]);
        (key[14], key[15]) = (k0[0], k0[1]);
        verifier = new Groth16Verifier(key);
        refuse(moved, inputs, rho);
    }

    function refuse(bytes memory forged, uint256[3] memory other, uint256 rho) private {
        assertTrue(holds(key, forged, other, rho), "the forgery no longer works against the weakened coefficient");
        vm.expectRevert(Groth16Verifier.InvalidProof.selector);
        verifier.verify(forged, other);
    }

    function hash(bytes memory preimage) private pure returns (uint256) {
        return uint256(keccak256(preimage)) % R;
    }

    function withoutPoK(bytes memory all) private pure returns (bytes memory part) {
        part = bytes.concat(all);
        assembly ("memory-safe") {
            mstore(part, 320)
        }
    }
}
