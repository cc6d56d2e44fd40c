// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Groth16Verifier} from "../src/Groth16Verifier.sol";
import {KeyCheck} from "../src/KeyCheck.sol";
import {Test} from "./Vm.sol";

/// @notice Forgery against a verifier that multiplies the commitment's check into Groth16's with
/// equal coefficients. With a ceremony key γ = G = generator of G2, so e(L, -γ)·e(PoK, G) depends on
/// PoK - L only: PoK + (L' - L) proves any other inputs.
contract MergedCheckAttackTest is Test {
    uint256 private constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    uint256 private constant P = KeyCheck.P;

    string private json;

    function setUp() public {
        json = vm.readFile("testdata/groth16.json");
    }

    function test_equalCoefficientsAcceptTheForgery() public view {
        (uint256[] memory key, bytes memory proof, uint256[3] memory inputs) = load(".ceremony");
        assertTrue(mergedCheck(key, proof, inputs), "honest proof refused by the merged check");
        (bytes memory forged, uint256[3] memory other) = forge(key, proof, inputs);
        assertTrue(mergedCheck(key, forged, other), "the forgery no longer works against the unsound variant");
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
        assertTrue(mergedCheck(key, proof, inputs), "honest proof refused by the merged check");
        (bytes memory forged, uint256[3] memory other) = forge(key, proof, inputs);
        assertTrue(!mergedCheck(key, forged, other), "accepted");
    }

    /// @dev Moves input v by 12345 and lets PoK absorb it.
    function forge(uint256[] memory key, bytes memory proof, uint256[3] memory inputs)
        private
        view
        returns (bytes memory forged, uint256[3] memory other)
    {
        forged = bytes.concat(proof);
        other = [inputs[0], inputs[1], inputs[2] + 12345];
        uint256[2] memory step = mul(key[20], key[21], 12345);
        uint256[2] memory pok = add(word(proof, 10), word(proof, 11), step[0], step[1]);
        assembly ("memory-safe") {
            mstore(add(forged, 0x160), mload(pok))
            mstore(add(forged, 0x180), mload(add(pok, 0x20)))
        }
    }

    function mergedCheck(uint256[] memory key, bytes memory proof, uint256[3] memory inputs)
        private
        view
        returns (bool)
    {
        uint256[2] memory l = add(key[14], key[15], word(proof, 8), word(proof, 9));
        uint256 h = uint256(sha256(abi.encodePacked(word(proof, 8), word(proof, 9)))) % R;
        uint256[4] memory scalars = [inputs[0], inputs[1], inputs[2], h];
        for (uint256 i = 0; i < 4; ++i) {
            uint256[2] memory term = mul(key[16 + 2 * i], key[17 + 2 * i], scalars[i]);
            l = add(l[0], l[1], term[0], term[1]);
        }
        bytes memory pairs = bytes.concat(
            abi.encodePacked(
                word(proof, 0), word(proof, 1), word(proof, 2), word(proof, 3), word(proof, 4), word(proof, 5)
            ),
            abi.encodePacked(word(proof, 6), P - word(proof, 7), g2(key, KeyCheck.DELTA)),
            abi.encodePacked(key[0], P - key[1], g2(key, KeyCheck.BETA)),
            abi.encodePacked(l[0], P - l[1], g2(key, KeyCheck.GAMMA)),
            abi.encodePacked(word(proof, 8), word(proof, 9), g2(key, KeyCheck.G_SIGMA_NEG)),
            abi.encodePacked(word(proof, 10), word(proof, 11), g2(key, KeyCheck.G))
        );
        (bool ok, bytes memory out) = address(8).staticcall(pairs);
        return ok && abi.decode(out, (uint256)) == 1;
    }

    function load(string memory path)
        private
        view
        returns (uint256[] memory key, bytes memory proof, uint256[3] memory inputs)
    {
        key = vm.parseJsonUintArray(json, string.concat(path, ".key"));
        proof = vm.parseJsonBytes(json, string.concat(path, ".proof"));
        uint256[] memory words = vm.parseJsonUintArray(json, string.concat(path, ".inputs"));
        inputs = [words[0], words[1], words[2]];
    }

    function g2(uint256[] memory key, uint256 first) private pure returns (bytes memory) {
        return abi.encodePacked(key[first], key[first + 1], key[first + 2], key[first + 3]);
    }

    function mul(uint256 x, uint256 y, uint256 scalar) private view returns (uint256[2] memory) {
        (bool ok, bytes memory out) = address(7).staticcall(abi.encode(x, y, scalar));
        assertTrue(ok, "multiplication failed");
        return abi.decode(out, (uint256[2]));
    }

    function add(uint256 ax, uint256 ay, uint256 bx, uint256 by) private view returns (uint256[2] memory) {
        (bool ok, bytes memory out) = address(6).staticcall(abi.encode(ax, ay, bx, by));
        assertTrue(ok, "addition failed");
        return abi.decode(out, (uint256[2]));
    }

    function word(bytes memory data, uint256 i) private pure returns (uint256 w) {
        assembly ("memory-safe") {
            w := mload(add(data, add(0x20, shl(5, i))))
        }
    }
}
