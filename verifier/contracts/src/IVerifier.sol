// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What Rollup needs of a verifier
interface IVerifier {
    /// @notice SHA-256 of the 32 words of the verifying key, computed on chain at deployment.
    function keyHash() external view returns (bytes32);

    /// @notice Returns iff the proof holds for the inputs (c, ζ, v); reverts otherwise.
    /// @param proof 384 bytes: A, B, C, commitment, proof of knowledge, uncompressed.
    /// @param inputs Public inputs below r.
    function verify(bytes calldata proof, uint256[3] calldata inputs) external view;
}
