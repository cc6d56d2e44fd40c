// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

contract Sample {
    struct Pair {
        bytes32 name;
        uint32 version;
    }

    event Set(uint256 value);

    error Refused();

    uint256 internal constant LIMIT = 7;
    uint256 public stored;

    modifier checked() {
        if (stored > 9) revert Refused();
        _;
    }

    function set(uint256 value, bytes32 hash) external checked {
        if (value >= LIMIT || hash != bytes32(stored)) revert Refused();
        stored = value;
        emit Set(value);
    }

    function id(Pair memory p, address who) external pure returns (bytes32) {
        return keccak256(abi.encode("id", p, uint160(who)));
    }

    function sum(uint256[3] calldata words) external pure returns (uint256 s) {
        for (uint256 i = 0; i < 3; ++i) {
            s ^= words[i];
        }
        for (uint256 i = 0; i < 6; i += 2) {}
    }

    function flag(uint256 bits, uint256[] calldata words) external pure returns (bool r) {
        delete bits;
        assembly ("memory-safe") {
            if lt(bits, 3) { mstore(0, and(bits, words.length)) }
            bits := addmod(bits, keccak256(0, 0x40), 9)
        }
        return bits >> 5 & 1 == 0;
    }
}
