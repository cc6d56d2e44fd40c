// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a verifying key must satisfy before a verifier is deployed with it
/// @notice Each refusal stands for a forgery that the key would allow, or for a setup that was
/// not finished. A key of one party's making ("unsafe-dev") passes: no check of points can tell,
/// which is why the key hash is compared with the registry and the manifest.
library KeyCheck {
    /// @notice Order of BN254's base field.
    uint256 internal constant P = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;

    /// @notice Words of a key: α, β, γ, δ, K[0..4], G, GSigmaNeg; G2 as (x1, x0, y1, y0).
    uint256 internal constant WORDS = 32;
    uint256 internal constant ALPHA = 0;
    uint256 internal constant BETA = 2;
    uint256 internal constant GAMMA = 6;
    uint256 internal constant DELTA = 10;
    uint256 internal constant K = 14;
    uint256 internal constant G = 24;
    uint256 internal constant G_SIGMA_NEG = 28;

    /// @notice Points K: constant, c, ζ, v, commitment.
    uint256 internal constant K_POINTS = 5;

    uint256 private constant G1_GENERATOR_X = 1;
    uint256 private constant G2_GENERATOR_X1 = 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2;
    uint256 private constant G2_GENERATOR_X0 = 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed;

    /// @dev One pair costs 79,000 (EIP-1108). A failing precompile burns what it is given.
    uint256 private constant PAIR_GAS = 100_000;

    /// @notice The key does not have 32 words.
    error WrongKeyLength(uint256 words);
    /// @notice Word `index` of the key is not below the order of the base field.
    error CoordinateNotInField(uint256 index);
    /// @notice The point that begins at word `index` is the point at infinity.
    error PointAtInfinity(uint256 index);
    /// @notice The G1 point that begins at word `index` is not on the curve.
    error PointNotOnCurve(uint256 index);
    /// @notice The G2 point that begins at word `index` is off the curve or outside the subgroup.
    error PointNotInSubgroup(uint256 index);
    /// @notice The points are in a relation that allows forgery or betrays an unfinished setup.
    error UnsafeKey(string reason);

    /// @notice Reverts unless `key` is fit for deployment.
    function check(uint256[] memory key) internal view {
        if (key.length != WORDS) revert WrongKeyLength(key.length);
        for (uint256 i = 0; i < WORDS; ++i) {
            if (key[i] >= P) revert CoordinateNotInField(i);
        }
        _checkG1(key, ALPHA);
        for (uint256 i = 0; i < K_POINTS; ++i) {
            _checkG1(key, K + 2 * i);
        }
        _checkG2(key, BETA);
        _checkG2(key, GAMMA);
        _checkG2(key, DELTA);
        _checkG2(key, G);
        _checkG2(key, G_SIGMA_NEG);
        _checkRelations(key);
    }

    /// @notice Whether the G2 points that begin at words `a` and `b` are equal.
    function isSame(uint256[] memory key, uint256 a, uint256 b) internal pure returns (bool) {
        return _sameX(key, a, b) && key[a + 2] == key[b + 2] && key[a + 3] == key[b + 3];
    }

    /// @dev Two points with the same x are equal or opposite, and both are refused. γ = generator
    /// passes: a ceremony gives that.
    function _checkRelations(uint256[] memory key) private pure {
        if (key[ALPHA] == G1_GENERATOR_X) revert UnsafeKey("alpha is a generator");
        if (_isGenerator(key, BETA)) revert UnsafeKey("beta is a generator");
        // e(L, γ)·e(C, δ) = 1 by C = ∓L: any inputs pass.
        if (_sameX(key, DELTA, GAMMA)) revert UnsafeKey("delta is gamma");
        if (_isGenerator(key, DELTA)) revert UnsafeKey("delta is a generator");
        // B = γ or δ and A = L ± α or C ± α: any inputs pass.
        if (_sameX(key, BETA, GAMMA)) revert UnsafeKey("beta is gamma");
        if (_sameX(key, BETA, DELTA)) revert UnsafeKey("beta is delta");
        // PoK = ∓D: any commitment passes.
        if (_sameX(key, G_SIGMA_NEG, G)) revert UnsafeKey("commitment secret is one");
    }

    function _isGenerator(uint256[] memory key, uint256 first) private pure returns (bool) {
        return key[first] == G2_GENERATOR_X1 && key[first + 1] == G2_GENERATOR_X0;
    }

    function _sameX(uint256[] memory key, uint256 a, uint256 b) private pure returns (bool) {
        return key[a] == key[b] && key[a + 1] == key[b + 1];
    }

    /// @dev G1 has prime order: on the curve y² = x³ + 3 is in the group.
    function _checkG1(uint256[] memory key, uint256 first) private pure {
        uint256 x = key[first];
        uint256 y = key[first + 1];
        if (x == 0 && y == 0) revert PointAtInfinity(first);
        if (mulmod(y, y, P) != addmod(mulmod(mulmod(x, x, P), x, P), 3, P)) revert PointNotOnCurve(first);
    }

    /// @dev The pairing precompile fails unless each G2 point is on the curve and in the subgroup,
    /// whatever the G1 point beside it (EIP-197). The G1 point here is the one at infinity.
    function _checkG2(uint256[] memory key, uint256 first) private view {
        if (key[first] | key[first + 1] | key[first + 2] | key[first + 3] == 0) revert PointAtInfinity(first);
        uint256[6] memory pair = [0, 0, key[first], key[first + 1], key[first + 2], key[first + 3]];
        bool ok;
        assembly ("memory-safe") {
            ok := staticcall(PAIR_GAS, 0x08, pair, 0xc0, pair, 0x20)
            ok := and(ok, eq(mload(pair), 1))
        }
        if (!ok) revert PointNotInSubgroup(first);
    }
}
