// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Public data of a batch: header, exact length, binding by evaluation
/// @notice D = header | fee accounts | L1 operations | transfers | opens | exits, as 32-byte
/// words below r. The circuit commits to D by c; L1 draws ζ from c and D, evaluates
/// v = Σ D_i ζ^i itself and hands (c, ζ, v) to the verifier, so that a proof holds for
/// these words and no others. Twin of the Go package publicdata (docs/protocol.md).
library PublicData {
    /// @notice Order of BN254's scalar field.
    uint256 internal constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    /// @notice Words in the header: batch number, old root, new root, domain, counts.
    uint256 internal constant HEADER_WORDS = 5;

    uint256 private constant COUNT_MASK = 0xffffffff;
    uint256 private constant COUNTS_BITS = 160;
    uint256 private constant ZETA_MASK = (1 << 248) - 1;

    /// @notice The commitment c is not below r.
    error CommitmentNotInField(uint256 commitment);
    /// @notice Word `index` of D is not below r.
    error WordNotInField(uint256 index);
    /// @notice D does not have the length that the counts of its header give, in words.
    error WrongLength(uint256 got, uint256 want);
    /// @notice The word of counts has bits above its five 32-bit fields.
    error CountsOutOfRange(uint256 counts);

    /// @notice The header of D; numbers of records by kind.
    struct Header {
        uint256 number;
        uint256 oldRoot;
        uint256 newRoot;
        uint256 domain;
        uint256 feeAccounts;
        uint256 l1Operations;
        uint256 transfers;
        uint256 opens;
        uint256 exits;
    }

    /// @notice Reads the header and requires the exact length that its counts give.
    /// @dev The length must be exact: zeros behind D leave v unchanged.
    function parseHeader(uint256[] calldata words) internal pure returns (Header memory h) {
        uint256 want = _read(h, words);
        if (words.length != want) revert WrongLength(words.length, want);
    }

    /// @notice Splits the first D, which ends where its counts say, from what stands behind it.
    function takeFirst(uint256[] calldata words)
        internal
        pure
        returns (Header memory h, uint256[] calldata first, uint256[] calldata rest)
    {
        uint256 want = _read(h, words);
        if (words.length < want) revert WrongLength(words.length, want);
        first = words[:want];
        rest = words[want:];
    }

    /// @dev Fills h and returns the number of words that its counts give.
    function _read(Header memory h, uint256[] calldata words) private pure returns (uint256) {
        if (words.length < HEADER_WORDS) revert WrongLength(words.length, HEADER_WORDS);
        h.number = words[0];
        h.oldRoot = words[1];
        h.newRoot = words[2];
        h.domain = words[3];
        uint256 counts = words[4];
        if (counts >> COUNTS_BITS != 0) revert CountsOutOfRange(counts);
        h.feeAccounts = counts & COUNT_MASK;
        h.l1Operations = (counts >> 32) & COUNT_MASK;
        h.transfers = (counts >> 64) & COUNT_MASK;
        h.opens = (counts >> 96) & COUNT_MASK;
        h.exits = counts >> 128;
        return length(h);
    }

    /// @notice 5 + f + 3q + ⌈t/2⌉ + 2o + 2x words; cannot overflow, as each count is below 2^32.
    function length(Header memory h) internal pure returns (uint256) {
        unchecked {
            return HEADER_WORDS + h.feeAccounts + 3 * h.l1Operations + (h.transfers + 1) / 2 + 2 * h.opens + 2 * h.exits;
        }
    }

    /// @notice ζ = keccak256(c ‖ words) mod 2^248.
    /// @dev c enters ζ because c fixes D in the circuit before ζ is known.
    function challenge(uint256 commitment, uint256[] calldata words) internal pure returns (uint256 zeta) {
        if (commitment >= R) revert CommitmentNotInField(commitment);
        assembly ("memory-safe") {
            // Scratch behind the free memory pointer, which is left where it is.
            let buffer := mload(0x40)
            let size := shl(5, words.length)
            mstore(buffer, commitment)
            calldatacopy(add(buffer, 0x20), words.offset, size)
            zeta := keccak256(buffer, add(size, 0x20))
        }
        zeta &= ZETA_MASK;
    }

    /// @notice v = Σ words[i]·ζ^i mod r, by Horner's rule from the last word. About 62 gas per word.
    /// @dev Reverts when a word is not below r: such a word would have a smaller twin with the same v.
    function evaluate(uint256[] calldata words, uint256 zeta) internal pure returns (uint256 v) {
        uint256 inField = 1;
        assembly ("memory-safe") {
            // Only products are reduced: they and the words are below r < 2^254, so a sum of two fits. With a
            // word that is not below r it may not, but then inField is 0 and stays so, and v is not used.
            let start := words.offset
            let cursor := add(start, shl(5, words.length))
            // What is over four by four, then fours down to the first word.
            for { let fours := sub(cursor, shl(5, and(words.length, 3))) } gt(cursor, fours) {} {
                cursor := sub(cursor, 0x20)
                let word := calldataload(cursor)
                inField := and(lt(word, R), inField)
                v := add(word, mulmod(zeta, v, R))
            }
            for {} gt(cursor, start) {} {
                cursor := sub(cursor, 0x80)
                let a := calldataload(cursor)
                let b := calldataload(add(cursor, 0x20))
                let c := calldataload(add(cursor, 0x40))
                let d := calldataload(add(cursor, 0x60))
                inField := and(lt(a, R), and(lt(b, R), and(lt(c, R), and(lt(d, R), inField))))
                v := add(d, mulmod(zeta, v, R))
                v := add(a, mulmod(zeta, add(b, mulmod(zeta, add(c, mulmod(zeta, v, R)), R)), R))
            }
            v := mod(v, R)
        }
        if (inField == 0) _refuseWord(words);
    }

    /// @dev Reverts with the last word that is not below r; there is one.
    function _refuseWord(uint256[] calldata words) private pure {
        uint256 index = words.length - 1;
        while (words[index] < R) {
            --index;
        }
        revert WordNotInField(index);
    }
}
