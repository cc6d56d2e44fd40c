// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVerifier} from "../src/IVerifier.sol";
import {Registry} from "../src/Registry.sol";
import {Rollup} from "../src/Rollup.sol";
import {MockVerifier, RollupFixture} from "./RollupFixture.sol";

/// @notice Says the right key hash and accepts everything: a verifier's word for its key is worth its code.
contract AcceptEverything is IVerifier {
    bytes32 public immutable keyHash;

    constructor(bytes32 keyHash_) {
        keyHash = keyHash_;
    }

    function verify(bytes calldata, uint256[3] calldata) external view {}
}

/// @notice Ways around the timelock by proposals that lie about, and by verifiers whose code changes.
contract ReviewRegistryTest is RollupFixture {
    /// @dev Laid in on the first day, activated years later without notice.
    function test_proposalsExpire() public {
        Registry.Registration memory r = registration("transition", TINY, 2);
        propose(r);
        vm.prank(GOVERNOR);
        rollup.proposeOperator(address(0x789), true);
        uint256 end = block.timestamp + DELAY + rollup.ACTIVATION_WINDOW();
        vm.warp(end + 1);
        vm.expectRevert(abi.encodeWithSelector(Registry.TooLate.selector, end));
        vm.prank(GOVERNOR);
        rollup.activateVerifier(r);
        vm.expectRevert(abi.encodeWithSelector(Registry.TooLate.selector, end));
        vm.prank(GOVERNOR);
        rollup.activateOperator(address(0x789), true);
        // Proposed anew it waits anew.
        propose(r);
        uint256 ready = end + 1 + DELAY;
        vm.expectRevert(abi.encodeWithSelector(Registry.TooEarly.selector, ready));
        vm.prank(GOVERNOR);
        rollup.activateVerifier(r);
        vm.warp(ready);
        activate(r);
    }

    function test_activatesUntilTheLastSecond() public {
        Registry.Registration memory r = registration("transition", TINY, 2);
        propose(r);
        bytes32 proposal = rollup.verifierProposal(r);
        vm.warp(block.timestamp + DELAY + rollup.ACTIVATION_WINDOW());
        vm.expectRevert(abi.encodeWithSelector(Registry.AlreadyProposed.selector, proposal));
        propose(r);
        activate(r);
    }

    /// @dev What waited is not what is activated.
    function test_codeChangedDuringTheDelayIsNotActivated() public {
        IVerifier honest = new MockVerifier(KEY_HASH);
        Registry.Registration memory r = Registry.Registration("transition", TINY, 2, honest, KEY_HASH);
        propose(r);
        vm.warp(block.timestamp + DELAY);
        vm.etch(address(honest), address(new AcceptEverything(KEY_HASH)).code);
        bytes32 proposal = rollup.verifierProposal(r);
        vm.expectRevert(abi.encodeWithSelector(Registry.NotProposed.selector, proposal));
        activate(r);
    }

    /// @dev Proposed with hostile code, shown with honest code while it waits, and changed back, as an account that
    /// delegates can: the id that waits is never that of the code that is shown.
    function test_theIdTellsWhichCodeWaits() public {
        bytes memory hostile = address(new AcceptEverything(KEY_HASH)).code;
        IVerifier shown = new MockVerifier(KEY_HASH);
        bytes memory honest = address(shown).code;
        Registry.Registration memory r = Registry.Registration("transition", TINY, 2, shown, KEY_HASH);
        vm.etch(address(shown), hostile);
        propose(r);
        bytes32 waits = rollup.verifierProposal(r);
        vm.etch(address(shown), honest);
        assertTrue(rollup.verifierProposal(r) != waits, "the id is that of another code");
        assertEq(rollup.readyAt(rollup.verifierProposal(r)), 0);
        vm.warp(block.timestamp + DELAY);
        vm.expectRevert(abi.encodeWithSelector(Registry.NotProposed.selector, rollup.verifierProposal(r)));
        activate(r);
        vm.etch(address(shown), hostile);
        assertEq(rollup.verifierProposal(r), waits);
        activate(r);
    }

    /// @dev Without the code's hash in the entry this settles anything at once, past the timelock.
    function test_codeChangedAfterRegistrationSettlesNothing() public {
        uint256[] memory words = batch(2, 7);
        vm.etch(address(verifier), address(new AcceptEverything(KEY_HASH)).code);
        refuse(words, abi.encodeWithSelector(Rollup.VerifierChanged.selector, address(verifier)));
    }

    function test_verifierWithoutCodeIsRefused() public {
        Registry.Config memory c = config();
        c.registrations[0].verifier = IVerifier(address(0xE0A));
        vm.expectRevert(bytes(""));
        new Rollup(GENESIS_ROOT, GENESIS_HASH, c);
        uint256[] memory words = batch(2, 7);
        vm.etch(address(verifier), "");
        refuse(words, abi.encodeWithSelector(Rollup.VerifierChanged.selector, address(verifier)));
    }

    /// @dev Precompiles that hash answer keyHash() with a word, and have no code. One that is registered, as any address that
    /// answers can be, settles nothing: a call that returns nothing is made to code only.
    function test_precompilesSettleNothing() public {
        uint256 registered = 0;
        for (uint160 i = 1; i <= 0x11; ++i) {
            (bool ok, bytes memory answer) = address(i).staticcall{gas: 50_000}(abi.encodeCall(IVerifier.keyHash, ()));
            if (!ok || answer.length < 32) continue;
            Registry.Config memory c = config();
            c.registrations[0].verifier = IVerifier(address(i));
            c.registrations[0].keyHash = bytes32(answer);
            rollup = new Rollup(GENESIS_ROOT, GENESIS_HASH, c);
            ++registered;
            uint256[] memory words = batch(2, 7);
            refuse(words, "");
            assertEq(rollup.batchNumber(), 0);
        }
        assertTrue(registered >= 2, "no precompile answers");
    }

    function test_entryNamesTheCode() public view {
        (,, bytes32 codeHash) = rollup.entries(rollup.entryId("transition", TINY, 1));
        assertEq(codeHash, address(verifier).codehash);
    }

    function propose(Registry.Registration memory r) private {
        vm.prank(GOVERNOR);
        rollup.proposeVerifier(r);
    }

    function activate(Registry.Registration memory r) private {
        vm.prank(GOVERNOR);
        rollup.activateVerifier(r);
    }
}
