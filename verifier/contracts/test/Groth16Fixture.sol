// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {KeyCheck} from "../src/KeyCheck.sol";
import {Test} from "./Vm.sol";

/// @notice Toy keys and proofs from Go, the arithmetic of a forger, and the verifier's check with any coefficient.
abstract contract Groth16Fixture is Test {
    uint256 internal constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    uint256 internal constant P = KeyCheck.P;
    /// @dev Words of a proof: A (2), B (4), C (2), D (2), PoK (2).
    uint256 internal constant D = 8;
    uint256 internal constant POK = 10;

    string private json;

    function setUp() public virtual {
        json = vm.readFile("testdata/groth16.json");
    }

    /// @param path ".setup" or ".ceremony".
    function load(string memory path)
        internal
        view
        returns (uint256[] memory key, bytes memory proof, uint256[3] memory inputs)
    {
        key = vm.parseJsonUintArray(json, string.concat(path, ".key"));
        proof = vm.parseJsonBytes(json, string.concat(path, ".proof"));
        uint256[] memory words = vm.parseJsonUintArray(json, string.concat(path, ".inputs"));
        inputs = [words[0], words[1], words[2]];
    }

    /// @dev A point of G2's curve outside of the subgroup: x1, x0, y1, y0.
    function offSubgroup() internal view returns (uint256[] memory) {
        return vm.parseJsonUintArray(json, ".offSubgroup");
    }

    /// @dev Groth16 · commitment^rho = 1, as Groth16Verifier computes it with rho of its own.
    function holds(uint256[] memory key, bytes memory proof, uint256[3] memory inputs, uint256 rho)
        internal
        view
        returns (bool)
    {
        uint256[2] memory l = publicPoint(key, proof, inputs);
        uint256[2] memory d = mul(word(proof, D), word(proof, D + 1), rho);
        uint256[2] memory pok = mul(word(proof, POK), word(proof, POK + 1), rho);
        bytes memory pairs = bytes.concat(
            abi.encodePacked(
                word(proof, 0), word(proof, 1), word(proof, 2), word(proof, 3), word(proof, 4), word(proof, 5)
            ),
            abi.encodePacked(word(proof, 6), negate(word(proof, 7)), g2(key, KeyCheck.DELTA)),
            abi.encodePacked(key[0], negate(key[1]), g2(key, KeyCheck.BETA)),
            abi.encodePacked(l[0], negate(l[1]), g2(key, KeyCheck.GAMMA)),
            abi.encodePacked(d, g2(key, KeyCheck.G_SIGMA_NEG)),
            abi.encodePacked(pok, g2(key, KeyCheck.G))
        );
        (bool ok, bytes memory out) = address(8).staticcall(pairs);
        return ok && abi.decode(out, (uint256)) == 1;
    }

    /// @dev L = K0 + D + c·K1 + ζ·K2 + v·K3 + h·K4.
    function publicPoint(uint256[] memory key, bytes memory proof, uint256[3] memory inputs)
        private
        view
        returns (uint256[2] memory l)
    {
        l = add(key[14], key[15], word(proof, D), word(proof, D + 1));
        uint256 h = uint256(sha256(abi.encodePacked(word(proof, D), word(proof, D + 1)))) % R;
        uint256[4] memory scalars = [inputs[0], inputs[1], inputs[2], h];
        for (uint256 i = 0; i < 4; ++i) {
            uint256[2] memory term = mul(key[16 + 2 * i], key[17 + 2 * i], scalars[i]);
            l = add(l[0], l[1], term[0], term[1]);
        }
    }

    /// @dev The proof with PoK + scalar·K of input `i`.
    function movePoK(uint256[] memory key, bytes memory proof, uint256 i, uint256 scalar)
        internal
        view
        returns (bytes memory moved)
    {
        moved = bytes.concat(proof);
        uint256[2] memory step = mul(key[16 + 2 * i], key[17 + 2 * i], scalar);
        uint256[2] memory pok = add(word(proof, POK), word(proof, POK + 1), step[0], step[1]);
        assembly ("memory-safe") {
            mstore(add(moved, 0x160), mload(pok))
            mstore(add(moved, 0x180), mload(add(pok, 0x20)))
        }
    }

    function moveInput(uint256[3] memory inputs, uint256 i, uint256 by) internal pure returns (uint256[3] memory moved) {
        moved = [inputs[0], inputs[1], inputs[2]];
        moved[i] = addmod(moved[i], by, R);
    }

    /// @dev a⁻¹ mod r = a^(r-2).
    function inverse(uint256 a) internal view returns (uint256) {
        (bool ok, bytes memory out) =
            address(5).staticcall(abi.encode(uint256(32), uint256(32), uint256(32), a, R - 2, R));
        assertTrue(ok && a % R != 0, "no inverse");
        return abi.decode(out, (uint256));
    }

    function mul(uint256 x, uint256 y, uint256 scalar) internal view returns (uint256[2] memory) {
        (bool ok, bytes memory out) = address(7).staticcall(abi.encode(x, y, scalar));
        assertTrue(ok, "multiplication failed");
        return abi.decode(out, (uint256[2]));
    }

    function add(uint256 ax, uint256 ay, uint256 bx, uint256 by) internal view returns (uint256[2] memory) {
        (bool ok, bytes memory out) = address(6).staticcall(abi.encode(ax, ay, bx, by));
        assertTrue(ok, "addition failed");
        return abi.decode(out, (uint256[2]));
    }

    function word(bytes memory data, uint256 i) internal pure returns (uint256 w) {
        assembly ("memory-safe") {
            w := mload(add(data, add(0x20, shl(5, i))))
        }
    }

    function negate(uint256 y) private pure returns (uint256) {
        return y == 0 ? 0 : P - y;
    }

    function g2(uint256[] memory key, uint256 first) private pure returns (bytes memory) {
        return abi.encodePacked(key[first], key[first + 1], key[first + 2], key[first + 3]);
    }
}
