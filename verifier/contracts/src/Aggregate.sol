// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PublicData} from "./PublicData.sol";

/// @title Public inputs of an aggregate proof
/// @notice W = (c_1, ζ_1, v_1, …, c_m, ζ_m, v_m) are the public inputs of the m proofs that it stands for. The
/// circuit commits to W by C; L1 draws Z from C and W and evaluates V = Σ W_j Z^j itself, as it does for
/// D of a batch. Twin of AggregateInputs in the Go package publicdata (docs/protocol.md).
library Aggregate {
    /// @notice Words of W for each proof.
    uint256 internal constant INPUTS = 3;

    uint256 private constant Z_MASK = (1 << 248) - 1;

    /// @notice Memory for C and the W of `count` proofs, to be filled by put.
    function open(uint256 commitment, uint256 count) internal pure returns (uint256[] memory list) {
        if (commitment >= PublicData.R) revert PublicData.CommitmentNotInField(commitment);
        list = new uint256[](1 + INPUTS * count);
        list[0] = commitment;
    }

    /// @notice Puts the public inputs of proof `index` (from 0) into W. Each is below r.
    function put(uint256[] memory list, uint256 index, uint256 commitment, uint256 zeta, uint256 value) internal pure {
        uint256 first = 1 + INPUTS * index;
        list[first] = commitment;
        list[first + 1] = zeta;
        list[first + 2] = value;
    }

    /// @notice (C, Z, V) with Z = keccak256(C ‖ W) mod 2^248, V by Horner's rule from the last word.
    /// @dev V(W) = V(W ‖ 0, 0, 0), but a ζ of 0 would take a preimage of keccak256; and the number of proofs
    /// enters C.
    function inputs(uint256[] memory list) internal pure returns (uint256[3] memory) {
        uint256 r = PublicData.R;
        uint256 z;
        uint256 v;
        assembly ("memory-safe") {
            let first := add(list, 0x20) // C, and W behind it
            let size := shl(5, mload(list))
            z := and(keccak256(first, size), Z_MASK)
            for { let cursor := add(list, size) } gt(cursor, first) { cursor := sub(cursor, 0x20) } {
                v := addmod(mulmod(v, z, r), mload(cursor), r)
            }
        }
        return [list[0], z, v];
    }
}
