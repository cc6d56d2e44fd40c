// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVerifier} from "../src/IVerifier.sol";
import {PublicData} from "../src/PublicData.sol";
import {Registry} from "../src/Registry.sol";
import {Rollup} from "../src/Rollup.sol";
import {Test} from "./Vm.sol";

/// @notice Accepts one proof for one triple of inputs.
contract MockVerifier is IVerifier {
    bytes32 public immutable keyHash;
    bytes32 private accepted;

    error Refused();

    constructor(bytes32 keyHash_) {
        keyHash = keyHash_;
    }

    function accept(bytes calldata proof, uint256[3] calldata inputs) external {
        accepted = keccak256(abi.encode(proof, inputs));
    }

    function verify(bytes calldata proof, uint256[3] calldata inputs) external view {
        if (keccak256(abi.encode(proof, inputs)) != accepted) revert Refused();
    }
}

/// @notice A rollup with one mock verifier for shape `tiny`, and helpers to build batches.
abstract contract RollupFixture is Test {
    bytes32 internal constant TINY = "tiny";
    bytes32 internal constant KEY_HASH = keccak256("key");
    bytes32 internal constant GENESIS_HASH = keccak256("genesis");
    uint256 internal constant GENESIS_ROOT = 1234;
    uint256 internal constant COMMITMENT = 42;
    uint256 internal constant DELAY = 7 days;
    uint256 internal constant ZETA_MASK = (1 << 248) - 1;
    address internal constant OPERATOR = address(0x0123);
    address internal constant GOVERNOR = address(0x0456);
    bytes internal constant PROOF = hex"c0ffee";

    MockVerifier internal verifier;
    Rollup internal rollup;

    function setUp() public virtual {
        verifier = new MockVerifier(KEY_HASH);
        rollup = new Rollup(GENESIS_ROOT, GENESIS_HASH, config());
    }

    function config() internal view returns (Registry.Config memory c) {
        c.governor = GOVERNOR;
        c.delay = DELAY;
        c.operators = new address[](1);
        c.operators[0] = OPERATOR;
        c.registrations = new Registry.Registration[](1);
        c.registrations[0] = registration("transition", TINY, 1);
    }

    function registration(bytes32 circuit, bytes32 shape, uint32 version)
        internal
        view
        returns (Registry.Registration memory)
    {
        return Registry.Registration(circuit, shape, version, verifier, KEY_HASH);
    }

    /// @dev A batch of one fee account and `transfers` transfers on top of the current state.
    function batch(uint256 transfers, uint256 newRoot) internal view returns (uint256[] memory words) {
        words = new uint256[](5 + 1 + (transfers + 1) / 2);
        words[0] = rollup.batchNumber() + 1;
        words[1] = rollup.root();
        words[2] = newRoot;
        words[3] = rollup.domain();
        words[4] = 1 | transfers << 64;
        for (uint256 i = 5; i < words.length; ++i) {
            words[i] = uint256(keccak256(abi.encode(newRoot, i))) >> 8;
        }
    }

    /// @dev Computes the inputs independently of the library and lets the mock accept them.
    function prove(uint256[] memory words) internal {
        uint256 zeta = uint256(keccak256(abi.encodePacked(COMMITMENT, words))) & ZETA_MASK;
        uint256 value = 0;
        for (uint256 i = words.length; i > 0; --i) {
            value = addmod(mulmod(value, zeta, PublicData.R), words[i - 1], PublicData.R);
        }
        verifier.accept(PROOF, [COMMITMENT, zeta, value]);
    }

    function settle(uint256[] memory words) internal {
        vm.prank(OPERATOR);
        rollup.settle(TINY, 1, COMMITMENT, words, PROOF);
    }

    function refuse(uint256[] memory words, bytes memory reason) internal {
        vm.expectRevert(reason);
        settle(words);
    }
}
