// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Poseidon2Permutation} from "./Poseidon2Permutation.sol";

/// @title The state tree's hash, and Merkle proofs of accounts
/// @notice Twin of the Go packages poseidon and state (docs/protocol.md): a 4-ary tree of 16 levels
/// over Poseidon2. Nothing calls it yet: it is made for an escape hatch, which does not exist.
library Poseidon2 {
    /// @notice Order of BN254's scalar field.
    uint256 internal constant R = Poseidon2Permutation.R;
    /// @notice Levels of the tree above the leaves.
    uint256 internal constant LEVELS = 16;
    /// @notice Siblings in a proof: three at each level.
    uint256 internal constant SIBLINGS = 3 * LEVELS;

    /// @notice Input or root is not below r.
    error NotInField(uint256 value);

    /// @notice One leaf: one token of one owner.
    /// @param owner x-coordinate of the owner's key, below r; 0 iff nobody holds the index.
    /// @param l1 Where exits are paid.
    struct Account {
        uint256 owner;
        uint32 token;
        uint40 nonce;
        uint128 balance;
        address l1;
    }

    /// @notice Poseidon2 of width 4, fully reduced.
    function permute(uint256[4] memory x) internal pure returns (uint256[4] memory y) {
        _require(x[0]);
        _require(x[1]);
        _require(x[2]);
        _require(x[3]);
        (y[0], y[1], y[2], y[3]) = Poseidon2Permutation.permute(x[0], x[1], x[2], x[3]);
        for (uint256 i = 0; i < 4; ++i) {
            y[i] %= R;
        }
    }

    /// @notice Digest of a node: P(c)[0] + c0.
    /// @dev The children are below r; whoever calls has checked it.
    function node(uint256 c0, uint256 c1, uint256 c2, uint256 c3) internal pure returns (uint256 digest) {
        (digest,,,) = Poseidon2Permutation.permute(c0, c1, c2, c3);
        digest = addmod(digest, c0, R);
    }

    /// @notice Digest of a leaf: P(x)[1] + x1 for x = (owner, token + nonce · 2^32, balance, l1). Lane 1
    /// instead of lane 0 keeps a leaf from being read as a node.
    function leaf(Account memory a) internal pure returns (uint256 digest) {
        _require(a.owner);
        uint256 tokenAndNonce = uint256(a.token) | uint256(a.nonce) << 32;
        (, digest,,) = Poseidon2Permutation.permute(a.owner, tokenAndNonce, a.balance, uint160(a.l1));
        digest = addmod(digest, tokenAndNonce, R);
    }

    /// @notice Whether `account` stands at `index` of the tree with this root. An account of zeros
    /// proves that nobody holds the index: who pays must require an owner.
    /// @param siblings From the leaf upwards, at each level the three other children of the parent
    /// in order of their position. Each is below r, or the call reverts, as does a root that is not.
    function verifyAccount(uint256 root, uint32 index, Account memory account, uint256[SIBLINGS] calldata siblings)
        internal
        pure
        returns (bool)
    {
        _require(root);
        uint256 digest = leaf(account);
        uint256 position = index;
        for (uint256 i = 0; i < SIBLINGS; i += 3) {
            (uint256 a, uint256 b, uint256 c) = (siblings[i], siblings[i + 1], siblings[i + 2]);
            _require(a);
            _require(b);
            _require(c);
            uint256 slot = position & 3;
            if (slot == 0) digest = node(digest, a, b, c);
            else if (slot == 1) digest = node(a, digest, b, c);
            else if (slot == 2) digest = node(a, b, digest, c);
            else digest = node(a, b, c, digest);
            position >>= 2;
        }
        return digest == root;
    }

    function _require(uint256 value) private pure {
        if (value >= R) revert NotInField(value);
    }
}
