// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVerifier} from "./IVerifier.sol";
import {KeyCheck} from "./KeyCheck.sol";

/// @title Groth16 over BN254 with 3 public inputs and 1 Pedersen commitment (gnark's BSB22 form)
/// @notice One bytecode for all keys: the key is given at deployment and lies in the code as
/// immutables. With L = K0 + c·K1 + ζ·K2 + v·K3 + h·K4 + D and h = SHA-256(D) mod r for the
/// commitment D, a proof (A, B, C, D, PoK) holds iff
///   Groth16:     e(A, B) · e(C, -δ) · e(α, -β) · e(L, -γ) = 1, and
///   commitment:  e(D, GSigmaNeg) · e(PoK, G) = 1.
/// @dev The two are joined as Groth16 · commitment^ρ = 1 with ρ hashed from the whole proof, the
/// inputs and the key: both left sides are fixed before ρ is known, so one that is not 1 passes
/// for one ρ in r. A ceremony gives γ = G; then e(L, -γ) · e(PoK, G)^ρ = e(L - ρ·PoK, -γ), the same
/// value for one pair less. With equal coefficients (ρ = 1) and a ceremony key (γ = G = generator of G2)
/// PoK would absorb any change of L, and so of the inputs.
contract Groth16Verifier is IVerifier {
    /// @notice The proof is not 384 bytes long.
    error WrongProofLength(uint256 got);
    /// @notice Public input `index` is not below r; inputs are never reduced.
    error InputNotInField(uint256 index);
    /// @notice A point of the proof is off its curve, or the equations do not hold.
    error InvalidProof();

    uint256 private constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    uint256 private constant PROOF_BYTES = 384;
    uint256 private constant COMMITMENT_AT = 256;
    uint256 private constant POK_AT = 320;
    uint256 private constant PAIR_BYTES = 192;

    /// @dev Caps of the precompile calls, above their prices (EIP-1108: 150; 6,000; 45,000 and
    /// 34,000 a pair = 249,000), because a point off the curve burns what the call was given.
    uint256 private constant ADD_GAS = 1_000;
    uint256 private constant MUL_GAS = 10_000;
    uint256 private constant PAIRING_GAS = 300_000;

    /// @inheritdoc IVerifier
    bytes32 public immutable keyHash;

    /// @dev γ = G, as a ceremony gives it.
    bool private immutable SHARED_BASE;

    uint256 private immutable ALPHA_X;
    uint256 private immutable ALPHA_Y;
    uint256 private immutable BETA_NEG_X1;
    uint256 private immutable BETA_NEG_X0;
    uint256 private immutable BETA_NEG_Y1;
    uint256 private immutable BETA_NEG_Y0;
    uint256 private immutable GAMMA_NEG_X1;
    uint256 private immutable GAMMA_NEG_X0;
    uint256 private immutable GAMMA_NEG_Y1;
    uint256 private immutable GAMMA_NEG_Y0;
    uint256 private immutable DELTA_NEG_X1;
    uint256 private immutable DELTA_NEG_X0;
    uint256 private immutable DELTA_NEG_Y1;
    uint256 private immutable DELTA_NEG_Y0;
    uint256 private immutable K0_X;
    uint256 private immutable K0_Y;
    uint256 private immutable K1_X;
    uint256 private immutable K1_Y;
    uint256 private immutable K2_X;
    uint256 private immutable K2_Y;
    uint256 private immutable K3_X;
    uint256 private immutable K3_Y;
    uint256 private immutable K4_X;
    uint256 private immutable K4_Y;
    uint256 private immutable G_X1;
    uint256 private immutable G_X0;
    uint256 private immutable G_Y1;
    uint256 private immutable G_Y0;
    uint256 private immutable G_SIGMA_NEG_X1;
    uint256 private immutable G_SIGMA_NEG_X0;
    uint256 private immutable G_SIGMA_NEG_Y1;
    uint256 private immutable G_SIGMA_NEG_Y0;

    /// @param key 32 coordinates: α(x, y); β, γ, δ (x1, x0, y1, y0); K[0..4] (x, y) for the constant,
    /// c, ζ, v and the commitment; G, GSigmaNeg (x1, x0, y1, y0). Refused unless fit (KeyCheck).
    constructor(uint256[] memory key) {
        KeyCheck.check(key);
        keyHash = sha256(abi.encodePacked(key));

        SHARED_BASE = KeyCheck.isSame(key, KeyCheck.GAMMA, KeyCheck.G);

        ALPHA_X = key[0];
        ALPHA_Y = key[1];
        BETA_NEG_X1 = key[2];
        BETA_NEG_X0 = key[3];
        BETA_NEG_Y1 = _negate(key[4]);
        BETA_NEG_Y0 = _negate(key[5]);
        GAMMA_NEG_X1 = key[6];
        GAMMA_NEG_X0 = key[7];
        GAMMA_NEG_Y1 = _negate(key[8]);
        GAMMA_NEG_Y0 = _negate(key[9]);
        DELTA_NEG_X1 = key[10];
        DELTA_NEG_X0 = key[11];
        DELTA_NEG_Y1 = _negate(key[12]);
        DELTA_NEG_Y0 = _negate(key[13]);
        K0_X = key[14];
        K0_Y = key[15];
        K1_X = key[16];
        K1_Y = key[17];
        K2_X = key[18];
        K2_Y = key[19];
        K3_X = key[20];
        K3_Y = key[21];
        K4_X = key[22];
        K4_Y = key[23];
        G_X1 = key[24];
        G_X0 = key[25];
        G_Y1 = key[26];
        G_Y0 = key[27];
        G_SIGMA_NEG_X1 = key[28];
        G_SIGMA_NEG_X0 = key[29];
        G_SIGMA_NEG_Y1 = key[30];
        G_SIGMA_NEG_Y0 = key[31];
    }

    /// @inheritdoc IVerifier
    function verify(bytes calldata proof, uint256[3] calldata inputs) external view {
        if (proof.length != PROOF_BYTES) revert WrongProofLength(proof.length);
        for (uint256 i = 0; i < 3; ++i) {
            if (inputs[i] >= R) revert InputNotInField(i);
        }
        uint256 dx = uint256(bytes32(proof[COMMITMENT_AT:]));
        uint256 dy = uint256(bytes32(proof[COMMITMENT_AT + 32:]));
        // gnark's native verifier hashes the point at infinity in another encoding: refused, so
        // that both accept the same proofs. An honest commitment is never at infinity.
        if (dx == 0 && dy == 0) revert InvalidProof();

        uint256[36] memory pairs;
        // e(A, B), and C of e(C, -δ).
        assembly ("memory-safe") {
            calldatacopy(pairs, proof.offset, 0x100)
        }
        pairs[8] = DELTA_NEG_X1;
        pairs[9] = DELTA_NEG_X0;
        pairs[10] = DELTA_NEG_Y1;
        pairs[11] = DELTA_NEG_Y0;
        pairs[12] = ALPHA_X;
        pairs[13] = ALPHA_Y;
        pairs[14] = BETA_NEG_X1;
        pairs[15] = BETA_NEG_X0;
        pairs[16] = BETA_NEG_Y1;
        pairs[17] = BETA_NEG_Y0;
        (pairs[18], pairs[19]) = _publicPoint(proof, inputs, dx, dy);
        pairs[20] = GAMMA_NEG_X1;
        pairs[21] = GAMMA_NEG_X0;
        pairs[22] = GAMMA_NEG_Y1;
        pairs[23] = GAMMA_NEG_Y0;

        uint256 rho = uint256(keccak256(abi.encodePacked(keyHash, proof, inputs))) % R;
        (pairs[24], pairs[25]) = _multiply(dx, dy, rho);
        pairs[26] = G_SIGMA_NEG_X1;
        pairs[27] = G_SIGMA_NEG_X0;
        pairs[28] = G_SIGMA_NEG_Y1;
        pairs[29] = G_SIGMA_NEG_Y0;
        (uint256 x, uint256 y) = _multiply(uint256(bytes32(proof[POK_AT:])), uint256(bytes32(proof[POK_AT + 32:])), rho);
        uint256 size = 6 * PAIR_BYTES;
        if (SHARED_BASE) {
            (pairs[18], pairs[19]) = _add(pairs[18], pairs[19], x, _negate(y));
            size = 5 * PAIR_BYTES;
        } else {
            pairs[30] = x;
            pairs[31] = y;
            pairs[32] = G_X1;
            pairs[33] = G_X0;
            pairs[34] = G_Y1;
            pairs[35] = G_Y0;
        }

        bool ok;
        assembly ("memory-safe") {
            ok := staticcall(PAIRING_GAS, 0x08, pairs, size, pairs, 0x20)
            ok := and(ok, eq(mload(pairs), 1))
        }
        if (!ok) revert InvalidProof();
    }

    /// @dev L = K0 + c·K1 + ζ·K2 + v·K3 + h·K4 + D. The additions also check D on the curve.
    function _publicPoint(bytes calldata proof, uint256[3] calldata inputs, uint256 dx, uint256 dy)
        private
        view
        returns (uint256, uint256)
    {
        uint256 h = uint256(sha256(proof[COMMITMENT_AT:POK_AT])) % R;
        (uint256 x, uint256 y) = _add(K0_X, K0_Y, dx, dy);
        (x, y) = _multiplyAdd(x, y, K1_X, K1_Y, inputs[0]);
        (x, y) = _multiplyAdd(x, y, K2_X, K2_Y, inputs[1]);
        (x, y) = _multiplyAdd(x, y, K3_X, K3_Y, inputs[2]);
        return _multiplyAdd(x, y, K4_X, K4_Y, h);
    }

    /// @dev (ax, ay) + scalar·(bx, by).
    function _multiplyAdd(uint256 ax, uint256 ay, uint256 bx, uint256 by, uint256 scalar)
        private
        view
        returns (uint256, uint256)
    {
        (bx, by) = _multiply(bx, by, scalar);
        return _add(ax, ay, bx, by);
    }

    function _multiply(uint256 px, uint256 py, uint256 scalar) private view returns (uint256 x, uint256 y) {
        bool ok;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, px)
            mstore(add(buffer, 0x20), py)
            mstore(add(buffer, 0x40), scalar)
            ok := staticcall(MUL_GAS, 0x07, buffer, 0x60, buffer, 0x40)
            x := mload(buffer)
            y := mload(add(buffer, 0x20))
        }
        if (!ok) revert InvalidProof();
    }

    function _add(uint256 ax, uint256 ay, uint256 bx, uint256 by) private view returns (uint256 x, uint256 y) {
        bool ok;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, ax)
            mstore(add(buffer, 0x20), ay)
            mstore(add(buffer, 0x40), bx)
            mstore(add(buffer, 0x60), by)
            ok := staticcall(ADD_GAS, 0x06, buffer, 0x80, buffer, 0x40)
            x := mload(buffer)
            y := mload(add(buffer, 0x20))
        }
        if (!ok) revert InvalidProof();
    }

    function _negate(uint256 y) private pure returns (uint256) {
        return y == 0 ? 0 : KeyCheck.P - y;
    }
}
