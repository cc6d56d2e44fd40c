// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Groth16Verifier} from "../src/Groth16Verifier.sol";
import {KeyCheck} from "../src/KeyCheck.sol";
import {Test} from "./Vm.sol";

contract Groth16VerifierTest is Test {
    uint256 private constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    uint256 private constant P = KeyCheck.P;

    string private json;

    function setUp() public {
        json = vm.readFile("testdata/groth16.json");
    }

    function test_acceptsHonestProofs() public {
        for (uint256 i = 0; i < 2; ++i) {
            (Groth16Verifier verifier, bytes memory proof, uint256[3] memory inputs) = load(i);
            verifier.verify(proof, inputs);
        }
    }

    function test_computesTheKeyHash() public {
        for (uint256 i = 0; i < 2; ++i) {
            string memory path = name(i);
            uint256[] memory words = key(path);
            Groth16Verifier verifier = new Groth16Verifier(words);
            assertEq(verifier.keyHash(), bytes32(vm.parseJsonUint(json, string.concat(path, ".keyHash"))));
            assertEq(verifier.keyHash(), sha256(abi.encodePacked(words)));
        }
    }

    function test_refusesAnyOtherInput() public {
        for (uint256 i = 0; i < 2; ++i) {
            (Groth16Verifier verifier, bytes memory proof, uint256[3] memory inputs) = load(i);
            for (uint256 j = 0; j < 3; ++j) {
                uint256[3] memory changed = inputs;
                changed[j] = addmod(changed[j], 1, R);
                vm.expectRevert(Groth16Verifier.InvalidProof.selector);
                verifier.verify(proof, changed);
                changed[j] = addmod(changed[j], R - 1, R);
            }
        }
    }

    /// @dev A public input that is not reduced would be a second name of the same batch.
    function test_refusesInputsNotInField() public {
        refusesInputsNotInField(0);
        refusesInputsNotInField(1);
    }

    function refusesInputsNotInField(uint256 which) private {
        (Groth16Verifier verifier, bytes memory proof, uint256[3] memory inputs) = load(which);
        for (uint256 j = 0; j < 3; ++j) {
            inputs[j] += R;
            vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.InputNotInField.selector, j));
            verifier.verify(proof, inputs);
            inputs[j] -= R;
        }
    }

    function testFuzz_refusesAFlippedBit(uint256 bit, bool ceremony) public {
        (Groth16Verifier verifier, bytes memory proof, uint256[3] memory inputs) = load(ceremony ? 1 : 0);
        bit %= 384 * 8;
        proof[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        vm.expectRevert(Groth16Verifier.InvalidProof.selector);
        verifier.verify(proof, inputs);
    }

    /// @dev Coordinates + p are other names of the same point.
    function test_refusesNonCanonicalPoints() public {
        refusesNonCanonicalPoints(0);
        refusesNonCanonicalPoints(1);
    }

    function refusesNonCanonicalPoints(uint256 which) private {
        (Groth16Verifier verifier, bytes memory proof, uint256[3] memory inputs) = load(which);
        for (uint256 i = 0; i < 12; ++i) {
            uint256 word = wordOf(proof, i);
            setWord(proof, i, word + P);
            vm.expectRevert(Groth16Verifier.InvalidProof.selector);
            verifier.verify(proof, inputs);
            setWord(proof, i, word);
        }
    }

    function test_refusesPointsAtInfinity() public {
        refusesPointsAtInfinity(0);
        refusesPointsAtInfinity(1);
    }

    function refusesPointsAtInfinity(uint256 which) private {
        (Groth16Verifier verifier, bytes memory original, uint256[3] memory inputs) = load(which);
        uint256[2][5] memory points =
            [[uint256(0), 2], [uint256(2), 4], [uint256(6), 2], [uint256(8), 2], [uint256(10), 2]];
        for (uint256 i = 0; i < 5; ++i) {
            bytes memory proof = bytes.concat(original);
            for (uint256 j = 0; j < points[i][1]; ++j) {
                setWord(proof, points[i][0] + j, 0);
            }
            vm.expectRevert(Groth16Verifier.InvalidProof.selector);
            verifier.verify(proof, inputs);
        }
        vm.expectRevert(Groth16Verifier.InvalidProof.selector);
        verifier.verify(new bytes(384), inputs);
    }

    function test_refusesBOutsideTheSubgroup() public {
        refusesBOutsideTheSubgroup(0);
        refusesBOutsideTheSubgroup(1);
    }

    function refusesBOutsideTheSubgroup(uint256 which) private {
        (Groth16Verifier verifier, bytes memory proof, uint256[3] memory inputs) = load(which);
        uint256[] memory off = vm.parseJsonUintArray(json, ".offSubgroup");
        for (uint256 i = 0; i < 4; ++i) {
            setWord(proof, 2 + i, off[i]);
        }
        vm.expectRevert(Groth16Verifier.InvalidProof.selector);
        verifier.verify(proof, inputs);
    }

    function test_refusesOtherLengths() public {
        (Groth16Verifier verifier, bytes memory proof, uint256[3] memory inputs) = load(0);
        uint256[5] memory lengths = [uint256(0), 256, 383, 385, 416];
        for (uint256 i = 0; i < lengths.length; ++i) {
            bytes memory other = new bytes(lengths[i]);
            for (uint256 j = 0; j < lengths[i] && j < 384; ++j) {
                other[j] = proof[j];
            }
            vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.WrongProofLength.selector, lengths[i]));
            verifier.verify(other, inputs);
        }
    }

    /// @dev Only the precompile calls are capped, so a bad point costs a bounded amount.
    function test_badPointsCostLittle() public {
        badPointsCostLittle(0);
        badPointsCostLittle(1);
    }

    function badPointsCostLittle(uint256 which) private {
        (Groth16Verifier verifier, bytes memory proof, uint256[3] memory inputs) = load(which);
        for (uint256 i = 0; i < 12; ++i) {
            uint256 word = wordOf(proof, i);
            setWord(proof, i, addmod(word, 1, P));
            uint256 before = gasleft();
            (bool ok,) = address(verifier).staticcall{gas: 10_000_000}(abi.encodeCall(verifier.verify, (proof, inputs)));
            assertTrue(!ok, "bad point accepted");
            assertTrue(before - gasleft() < 400_000, "a bad point burns the caller's gas");
            setWord(proof, i, word);
        }
    }

    /// @dev The caps themselves: what a bad point can burn, and how far prices can rise before no proof is accepted.
    function test_precompilesAreCalledWithTheirCaps() public {
        for (uint256 i = 0; i < 2; ++i) {
            uint256[] memory words = key(name(i));
            vm.expectCall(address(8), 0, 100_000, abi.encode(0)); // begins with a G1 point at infinity
            Groth16Verifier verifier = new Groth16Verifier(words);
            (, bytes memory proof, uint256[3] memory inputs) = load(i);
            vm.expectCall(address(6), 0, 1_000, "");
            vm.expectCall(address(7), 0, 10_000, "");
            vm.expectCall(address(8), 0, 300_000, abi.encode(wordOf(proof, 0))); // begins with A
            verifier.verify(proof, inputs);
        }
    }

    /// @dev Too little gas makes a precompile fail, which reverts and never accepts.
    function testFuzz_tooLittleGasNeverAccepts(uint256 gas, bool ceremony) public {
        (Groth16Verifier verifier, bytes memory proof, uint256[3] memory inputs) = load(ceremony ? 1 : 0);
        inputs[0] += 1;
        (bool ok,) = address(verifier).staticcall{gas: gas % 400_000}(abi.encodeCall(verifier.verify, (proof, inputs)));
        assertTrue(!ok, "accepted");
    }

    /// @dev The price of an honest proof is the least gas with which it is accepted: whatever a
    /// precompile lacks before that makes the call fail, and never another verdict.
    function test_failsBelowItsPrice() public {
        failsBelowItsPrice(0);
        failsBelowItsPrice(1);
    }

    function failsBelowItsPrice(uint256 which) private {
        (Groth16Verifier verifier, bytes memory proof, uint256[3] memory inputs) = load(which);
        bytes memory data = abi.encodeCall(verifier.verify, (proof, inputs));
        bool accepted = false;
        for (uint256 gas = 1_000; gas < 400_000; gas += 1_777) {
            (bool ok,) = address(verifier).staticcall{gas: gas}(data);
            assertTrue(ok || !accepted, "more gas refuses what less accepts");
            accepted = ok;
        }
        assertTrue(accepted, "an honest proof costs more than 400,000");
    }

    /// @dev Commitment and PoK pass a precompile as the other points do: one that is off the
    /// curve, another point, and each in the place of the other are refused.
    function test_refusesOtherCommitmentsAndPoKs() public {
        refusesOtherCommitmentsAndPoKs(0);
        refusesOtherCommitmentsAndPoKs(1);
    }

    function refusesOtherCommitmentsAndPoKs(uint256 which) private {
        (Groth16Verifier verifier, bytes memory original, uint256[3] memory inputs) = load(which);
        for (uint256 first = 8; first < 12; first += 2) {
            bytes memory proof = bytes.concat(original);
            setWord(proof, first, 4); // 4³ + 3 is not 2²
            setWord(proof, first + 1, 2);
            vm.expectRevert(Groth16Verifier.InvalidProof.selector);
            verifier.verify(proof, inputs);
            setWord(proof, first, 1); // the generator
            vm.expectRevert(Groth16Verifier.InvalidProof.selector);
            verifier.verify(proof, inputs);
            // Commitment and PoK in each other's place.
            setWord(proof, first, wordOf(original, 18 - first));
            setWord(proof, first + 1, wordOf(original, 19 - first));
            vm.expectRevert(Groth16Verifier.InvalidProof.selector);
            verifier.verify(proof, inputs);
        }
    }

    function test_gas() public {
        uint256[2] memory bounds = [uint256(300_000), 266_000];
        for (uint256 i = 0; i < 2; ++i) {
            (Groth16Verifier verifier, bytes memory proof, uint256[3] memory inputs) = load(i);
            uint256 before = gasleft();
            verifier.verify(proof, inputs);
            assertTrue(before - gasleft() < bounds[i], "verification costs more gas than it did");
        }
    }

    function load(uint256 i) private returns (Groth16Verifier verifier, bytes memory proof, uint256[3] memory inputs) {
        string memory path = name(i);
        verifier = new Groth16Verifier(key(path));
        proof = vm.parseJsonBytes(json, string.concat(path, ".proof"));
        uint256[] memory words = vm.parseJsonUintArray(json, string.concat(path, ".inputs"));
        inputs = [words[0], words[1], words[2]];
    }

    function name(uint256 i) private pure returns (string memory) {
        return i == 0 ? ".setup" : ".ceremony";
    }

    function key(string memory path) private view returns (uint256[] memory) {
        return vm.parseJsonUintArray(json, string.concat(path, ".key"));
    }

    function wordOf(bytes memory data, uint256 i) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(data, add(0x20, shl(5, i))))
        }
    }

    function setWord(bytes memory data, uint256 i, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(add(data, add(0x20, shl(5, i))), word)
        }
    }
}
