// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVerifier} from "../src/IVerifier.sol";
import {Registry} from "../src/Registry.sol";
import {Rollup} from "../src/Rollup.sol";
import {MockVerifier, RollupFixture} from "./RollupFixture.sol";

contract RegistryTest is RollupFixture {
    function test_registersBehindTheTimelock() public {
        Registry.Registration memory r = registration("transition", TINY, 2);
        asGovernor();
        rollup.proposeVerifier(r);
        uint256 ready = block.timestamp + DELAY;
        vm.warp(ready - 1);
        vm.expectRevert(abi.encodeWithSelector(Registry.TooEarly.selector, ready));
        asGovernor();
        rollup.activateVerifier(r);
        vm.warp(ready);
        asGovernor();
        rollup.activateVerifier(r);
        (IVerifier v, bytes32 hash,) = rollup.entries(rollup.entryId("transition", TINY, 2));
        assertEq(address(v), address(verifier));
        assertEq(hash, KEY_HASH);
        // Used up, and the entry stands for ever.
        vm.expectRevert(abi.encodeWithSelector(Registry.NotProposed.selector, rollup.verifierProposal(r)));
        asGovernor();
        rollup.activateVerifier(r);
        vm.expectRevert(abi.encodeWithSelector(Registry.EntryExists.selector, r.circuit, r.shape, r.version));
        asGovernor();
        rollup.proposeVerifier(r);
    }

    function test_entriesAreNeverReplaced() public {
        MockVerifier other = new MockVerifier(keccak256("other"));
        Registry.Registration memory a = registration("transition", TINY, 2);
        Registry.Registration memory b = a;
        b.verifier = other;
        b.keyHash = keccak256("other");
        a = registration("transition", TINY, 2);
        asGovernor();
        rollup.proposeVerifier(a);
        asGovernor();
        rollup.proposeVerifier(b);
        vm.warp(block.timestamp + DELAY);
        asGovernor();
        rollup.activateVerifier(a);
        vm.expectRevert(abi.encodeWithSelector(Registry.EntryExists.selector, a.circuit, a.shape, a.version));
        asGovernor();
        rollup.activateVerifier(b);
    }

    function test_comparesTheKeyHash() public {
        Registry.Registration memory r = registration("transition", TINY, 2);
        r.keyHash = keccak256("another key");
        vm.expectRevert(abi.encodeWithSelector(Registry.KeyHashMismatch.selector, KEY_HASH, r.keyHash));
        asGovernor();
        rollup.proposeVerifier(r);
        Registry.Config memory c = config();
        c.registrations[0] = r;
        vm.expectRevert(abi.encodeWithSelector(Registry.KeyHashMismatch.selector, KEY_HASH, r.keyHash));
        new Rollup(GENESIS_ROOT, GENESIS_HASH, c);
    }

    function test_changesOperatorsBehindTheTimelock() public {
        address fresh = address(0x789);
        asGovernor();
        rollup.proposeOperator(fresh, true);
        asGovernor();
        rollup.proposeOperator(OPERATOR, false);
        uint256 ready = block.timestamp + DELAY;
        vm.expectRevert(abi.encodeWithSelector(Registry.TooEarly.selector, ready));
        asGovernor();
        rollup.activateOperator(fresh, true);
        vm.warp(ready);
        asGovernor();
        rollup.activateOperator(fresh, true);
        asGovernor();
        rollup.activateOperator(OPERATOR, false);
        assertTrue(rollup.operators(fresh), "not admitted");
        assertTrue(!rollup.operators(OPERATOR), "not removed");
        uint256[] memory words = batch(2, 7);
        prove(words);
        refuse(words, abi.encodeWithSelector(Rollup.NotOperator.selector, OPERATOR));
    }

    function test_cancels() public {
        asGovernor();
        rollup.proposeOperator(address(0x789), true);
        bytes32 proposal = rollup.operatorProposal(address(0x789), true);
        asGovernor();
        rollup.cancel(proposal);
        vm.warp(block.timestamp + DELAY);
        vm.expectRevert(abi.encodeWithSelector(Registry.NotProposed.selector, proposal));
        asGovernor();
        rollup.activateOperator(address(0x789), true);
        vm.expectRevert(abi.encodeWithSelector(Registry.NotProposed.selector, proposal));
        asGovernor();
        rollup.cancel(proposal);
    }

    /// @dev Else a proposal could be renewed, and its waiting time with it be moved.
    function test_proposesOnce() public {
        asGovernor();
        rollup.proposeOperator(address(0x789), true);
        bytes32 proposal = rollup.operatorProposal(address(0x789), true);
        vm.expectRevert(abi.encodeWithSelector(Registry.AlreadyProposed.selector, proposal));
        asGovernor();
        rollup.proposeOperator(address(0x789), true);
    }

    function test_onlyTheGovernor() public {
        Registry.Registration memory r = registration("transition", TINY, 2);
        bytes memory reason = abi.encodeWithSelector(Registry.NotGovernor.selector, OPERATOR);
        bytes[5] memory calls = [
            abi.encodeCall(rollup.proposeVerifier, (r)),
            abi.encodeCall(rollup.activateVerifier, (r)),
            abi.encodeCall(rollup.proposeOperator, (OPERATOR, true)),
            abi.encodeCall(rollup.activateOperator, (OPERATOR, true)),
            abi.encodeCall(rollup.cancel, (bytes32(0)))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(OPERATOR);
            (bool ok, bytes memory got) = address(rollup).call(calls[i]);
            assertTrue(!ok, "allowed");
            assertEq(keccak256(got), keccak256(reason));
        }
    }

    function test_refusesBadConfigurations() public {
        Registry.Config memory c = config();
        c.governor = address(0);
        refuseConfig(c, abi.encodeWithSelector(Registry.MissingAddress.selector));
        c = config();
        c.operators = new address[](0);
        refuseConfig(c, abi.encodeWithSelector(Registry.MissingAddress.selector));
        c = config();
        c.operators[0] = address(0);
        refuseConfig(c, abi.encodeWithSelector(Registry.MissingAddress.selector));
        c = config();
        c.registrations[0].verifier = IVerifier(address(0));
        refuseConfig(c, abi.encodeWithSelector(Registry.MissingAddress.selector));
        c = config();
        c.delay = 7 days - 1;
        refuseConfig(c, abi.encodeWithSelector(Registry.DelayTooShort.selector, c.delay, 7 days));
        c = config();
        c.delay = 366 days;
        refuseConfig(c, abi.encodeWithSelector(Registry.DelayTooLong.selector, c.delay, 365 days));
    }

    /// @dev The flag stands in the deployment, for anyone to see.
    function test_shortDelaysNeedTheFlag() public {
        Registry.Config memory c = config();
        c.delay = 0;
        c.unsafeDevKeys = true;
        Rollup other = new Rollup(GENESIS_ROOT, GENESIS_HASH, c);
        assertTrue(other.unsafeDevKeys(), "flag not stored");
        assertEq(other.delay(), 0);
    }

    function refuseConfig(Registry.Config memory c, bytes memory reason) private {
        vm.expectRevert(reason);
        new Rollup(GENESIS_ROOT, GENESIS_HASH, c);
    }

    function asGovernor() private {
        vm.prank(GOVERNOR);
    }
}
