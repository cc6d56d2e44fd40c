// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Groth16Verifier} from "../src/Groth16Verifier.sol";
import {Groth16Fixture} from "./Groth16Fixture.sol";

/// @notice Forgery against a verifier that multiplies the commitment's check into Groth16's with
/// equal coefficients. With a ceremony key γ = G = generator of G2, so e(L, -γ)·e(PoK, G) depends on
/// PoK - L only: PoK + (L' - L) proves any other inputs.
contract MergedCheckAttackTest is Groth16Fixture {
    function test_equalCoefficientsAcceptTheForgery() public view {
        (uint256[] memory key, bytes memory proof, uint256[3] memory inputs) = load(".ceremony");
        assertTrue(holds(key, proof, inputs, 1), "honest proof refused by the merged check");
        (bytes memory forged, uint256[3] memory other) = forge(key, proof, inputs);
        assertTrue(holds(key, forged, other, 1), "the forgery no longer works against the unsound variant");
    }

    function test_ourVerifierRefusesTheForgery() public {
        (uint256[] memory key, bytes memory proof, uint256[3] memory inputs) = load(".ceremony");
        (bytes memory forged, uint256[3] memory other) = forge(key, proof, inputs);
        Groth16Verifier verifier = new Groth16Verifier(key);
        verifier.verify(proof, inputs);
        vm.expectRevert(Groth16Verifier.InvalidProof.selector);
        verifier.verify(forged, other);
    }

    /// @dev Keys of groth16.Setup hide the mistake: their γ and G differ.
    function test_setupKeysHideTheMistake() public view {
        (uint256[] memory key, bytes memory proof, uint256[3] memory inputs) = load(".setup");
        assertTrue(holds(key, proof, inputs, 1), "honest proof refused by the merged check");
        (bytes memory forged, uint256[3] memory other) = forge(key, proof, inputs);
        assertTrue(!holds(key, forged, other, 1), "accepted");
    }

    /// @dev Moves input v by 12345 and lets PoK absorb it.
    function forge(uint256[] memory key, bytes memory proof, uint256[3] memory inputs)
        private
        view
        returns (bytes memory forged, uint256[3] memory other)
    {
        return (movePoK(key, proof, 2, 12345), moveInput(inputs, 2, 12345));
    }
}
