// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVerifier} from "../src/IVerifier.sol";
import {Registry} from "../src/Registry.sol";
import {Rollup} from "../src/Rollup.sol";
import {MockVerifier, RollupFixture} from "./RollupFixture.sol";

/// @notice Says what it was told last: the code stays, and with it the code's hash.
contract TwoFaced is IVerifier {
    bytes32 public keyHash;

    function say(bytes32 keyHash_) external {
        keyHash = keyHash_;
    }

    function verify(bytes calldata, uint256[3] calldata) external view {}
}

/// @notice What waits in public is what is activated: a proposal's id holds each field, and comparisons all bits.
contract RegistryAttackTest is RollupFixture {
    /// @dev Something harmless waits, and something else with the same verifier is activated.
    function test_aProposalIsForEachOfItsFields() public {
        TwoFaced verifier_ = new TwoFaced();
        verifier_.say(KEY_HASH);
        TwoFaced twin = new TwoFaced();
        Registry.Registration memory shown = Registry.Registration("rehearsal", "toy", 2, verifier_, KEY_HASH);
        vm.prank(GOVERNOR);
        rollup.proposeVerifier(shown);
        vm.warp(block.timestamp + DELAY);
        refuseActivation(Registry.Registration("transition", "toy", 2, verifier_, KEY_HASH));
        refuseActivation(Registry.Registration("rehearsal", TINY, 2, verifier_, KEY_HASH));
        refuseActivation(Registry.Registration("rehearsal", "toy", 3, verifier_, KEY_HASH));
        twin.say(KEY_HASH);
        refuseActivation(Registry.Registration("rehearsal", "toy", 2, twin, KEY_HASH));
        verifier_.say(keccak256("another key"));
        refuseActivation(Registry.Registration("rehearsal", "toy", 2, verifier_, keccak256("another key")));
        verifier_.say(KEY_HASH);
        vm.prank(GOVERNOR);
        rollup.activateVerifier(shown);
    }

    /// @dev The removal of an operator waits, and he is admitted; or one's admission waits for another.
    function test_anOperatorsProposalIsForAddressAndDirection() public {
        address fresh = address(0x789);
        vm.prank(GOVERNOR);
        rollup.proposeOperator(fresh, false);
        vm.prank(GOVERNOR);
        rollup.proposeOperator(OPERATOR, true);
        vm.warp(block.timestamp + DELAY);
        refuseOperator(fresh, true);
        refuseOperator(OPERATOR, false);
        refuseOperator(address(0x78a), false);
        for (uint256 bit = 0; bit < 160; ++bit) {
            refuseOperator(address(uint160(fresh) ^ uint160(1 << bit)), false);
        }
    }

    /// @dev The kinds of proposals cannot stand for each other, whatever their fields: the ids are these.
    function test_idsOfProposalsAndEntries() public view {
        Registry.Registration memory r = registration("transition", TINY, 2);
        bytes32 want = keccak256(
            abi.encode("verifier", bytes32("transition"), TINY, uint256(2), verifier, KEY_HASH, address(verifier).codehash)
        );
        // A registration has no dynamic parts, so that it is encoded as its fields.
        assertEq(rollup.verifierProposal(r), want);
        assertEq(rollup.operatorProposal(OPERATOR, true), keccak256(abi.encode("operator", OPERATOR, true)));
        assertEq(rollup.operatorProposal(OPERATOR, false), keccak256(abi.encode("operator", OPERATOR, false)));
        assertEq(rollup.entryId("transition", TINY, 2), keccak256(abi.encode(bytes32("transition"), TINY, uint256(2))));
    }

    function test_keyHashesAreComparedWhole() public {
        for (uint256 bit = 0; bit < 256; ++bit) {
            bytes32 near = KEY_HASH ^ bytes32(1 << bit);
            Registry.Registration memory r = Registry.Registration("transition", TINY, 2, verifier, near);
            vm.expectRevert(abi.encodeWithSelector(Registry.KeyHashMismatch.selector, KEY_HASH, near));
            vm.prank(GOVERNOR);
            rollup.proposeVerifier(r);
        }
    }

    /// @dev Whoever knew a second code with half of the hash in common would get it in place of the first.
    function test_codeHashesAreComparedWhole() public {
        bytes32 slot = bytes32(uint256(keccak256(abi.encode(rollup.entryId("transition", TINY, 1), uint256(1)))) + 2);
        bytes32 honest = vm.load(address(rollup), slot);
        assertEq(honest, address(verifier).codehash);
        uint256[] memory words = batch(2, 7);
        prove(words);
        for (uint256 bit = 0; bit < 256; ++bit) {
            vm.store(address(rollup), slot, honest ^ bytes32(1 << bit));
            refuse(words, abi.encodeWithSelector(Rollup.VerifierChanged.selector, address(verifier)));
        }
        vm.store(address(rollup), slot, honest);
        settle(words);
    }

    function test_onlyTheWholeAddressGoverns() public {
        for (uint256 bit = 0; bit < 160; ++bit) {
            address near = address(uint160(GOVERNOR) ^ uint160(1 << bit));
            vm.expectRevert(abi.encodeWithSelector(Registry.NotGovernor.selector, near));
            vm.prank(near);
            rollup.proposeOperator(near, true);
        }
    }

    /// @dev Addresses with one bit are addresses.
    function test_takesSparseAddresses() public {
        for (uint256 bit = 0; bit < 160; ++bit) {
            Registry.Config memory c = config();
            c.governor = address(uint160(1 << bit));
            c.operators[0] = c.governor;
            c.delay = DELAY + bit;
            Rollup other = new Rollup(GENESIS_ROOT, GENESIS_HASH, c);
            assertEq(other.governor(), c.governor);
            assertEq(other.delay(), c.delay);
            assertTrue(other.operators(c.governor), "not admitted");
            vm.prank(GOVERNOR);
            rollup.proposeOperator(c.governor, true);
        }
    }

    /// @dev An entry whose verifier has one bit stands as well as any.
    function test_entriesOfSparseAddressesStand() public {
        for (uint256 bit = 4; bit < 160; ++bit) {
            IVerifier sparse = IVerifier(address(uint160(1 << bit)));
            if (address(sparse).code.length != 0) continue;
            vm.etch(address(sparse), address(verifier).code);
            Registry.Config memory c = config();
            c.registrations[0].verifier = sparse;
            Rollup other = new Rollup(GENESIS_ROOT, GENESIS_HASH, c);
            vm.expectRevert(
                abi.encodeWithSelector(Registry.EntryExists.selector, bytes32("transition"), TINY, uint32(1))
            );
            vm.prank(GOVERNOR);
            other.proposeVerifier(c.registrations[0]);
        }
    }

    /// @dev What readers of a proposal are told to count on, in seconds.
    function test_timesArePublic() public view {
        assertEq(rollup.MINIMUM_DELAY(), 604_800);
        assertEq(rollup.MAXIMUM_DELAY(), 31_536_000);
        assertEq(rollup.ACTIVATION_WINDOW(), 1_209_600);
    }

    /// @dev The last second of each bound, on either side of it.
    function test_boundsOfTheDelay() public {
        Registry.Config memory c = config();
        uint256[2] memory good = [uint256(7 days), 365 days];
        for (uint256 i = 0; i < 2; ++i) {
            c.delay = good[i];
            assertEq(new Rollup(GENESIS_ROOT, GENESIS_HASH, c).delay(), good[i]);
        }
        c.delay = 365 days + 1;
        vm.expectRevert(abi.encodeWithSelector(Registry.DelayTooLong.selector, c.delay, 365 days));
        new Rollup(GENESIS_ROOT, GENESIS_HASH, c);
        c.delay = 7 days - 1;
        vm.expectRevert(abi.encodeWithSelector(Registry.DelayTooShort.selector, c.delay, 7 days));
        new Rollup(GENESIS_ROOT, GENESIS_HASH, c);
        // Keys of one party do not lift the upper bound.
        c.unsafeDevKeys = true;
        c.delay = 365 days + 1;
        vm.expectRevert(abi.encodeWithSelector(Registry.DelayTooLong.selector, c.delay, 365 days));
        new Rollup(GENESIS_ROOT, GENESIS_HASH, c);
    }

    /// @dev All operators and verifiers of the first day, not the first of each.
    function test_everyEntryOfTheConfigurationStands() public {
        Registry.Config memory c = config();
        c.operators = new address[](3);
        (c.operators[0], c.operators[1], c.operators[2]) = (address(11), address(12), address(13));
        c.registrations = new Registry.Registration[](3);
        for (uint32 i = 0; i < 3; ++i) {
            c.registrations[i] = registration("transition", TINY, i);
        }
        Rollup other = new Rollup(GENESIS_ROOT, GENESIS_HASH, c);
        for (uint32 i = 0; i < 3; ++i) {
            assertTrue(other.operators(c.operators[i]), "not admitted");
            (IVerifier v,,) = other.entries(other.entryId("transition", TINY, i));
            assertEq(address(v), address(verifier));
        }
        // One that stands twice is refused, at deployment too.
        c.registrations[2] = c.registrations[0];
        vm.expectRevert(abi.encodeWithSelector(Registry.EntryExists.selector, bytes32("transition"), TINY, uint32(0)));
        new Rollup(GENESIS_ROOT, GENESIS_HASH, c);
    }

    event VerifierRegistered(
        bytes32 indexed circuit, bytes32 indexed shape, uint32 indexed version, IVerifier verifier, bytes32 keyHash
    );
    event OperatorSet(address indexed operator, bool allowed);
    event VerifierProposed(bytes32 indexed proposal, Registry.Registration registration, uint256 readyAt);
    event OperatorProposed(bytes32 indexed proposal, address operator, bool allowed, uint256 readyAt);
    event Cancelled(bytes32 indexed proposal);

    /// @dev What waits and what happens is public: a silent proposal would be no notice.
    function test_everyChangeIsAnnounced() public {
        Registry.Registration memory r = registration("transition", TINY, 2);
        bytes32 ofVerifier = rollup.verifierProposal(r);
        bytes32 ofOperator = rollup.operatorProposal(OPERATOR, false);
        uint256 ready = block.timestamp + DELAY;
        expectEvent();
        emit VerifierProposed(ofVerifier, r, ready);
        rollup.proposeVerifier(r);
        expectEvent();
        emit OperatorProposed(ofOperator, OPERATOR, false, ready);
        rollup.proposeOperator(OPERATOR, false);
        assertEq(rollup.readyAt(ofVerifier), ready);
        assertEq(rollup.readyAt(ofOperator), ready);
        vm.warp(ready);
        expectEvent();
        emit VerifierRegistered("transition", TINY, 2, verifier, KEY_HASH);
        rollup.activateVerifier(r);
        expectEvent();
        emit OperatorSet(OPERATOR, false);
        rollup.activateOperator(OPERATOR, false);
        bytes32 again = rollup.operatorProposal(OPERATOR, true);
        for (uint256 i = 0; i < 2; ++i) {
            expectEvent();
            emit OperatorProposed(again, OPERATOR, true, block.timestamp + DELAY);
            rollup.proposeOperator(OPERATOR, true);
            if (i == 1) break;
            expectEvent();
            emit Cancelled(again);
            rollup.cancel(again);
        }
        vm.warp(block.timestamp + DELAY);
        expectEvent();
        emit OperatorSet(OPERATOR, true);
        rollup.activateOperator(OPERATOR, true);
    }

    /// @dev Activation uses a proposal up: the governor cannot admit again at will whom he has removed.
    function test_operatorsProposalsAreUsedUp() public {
        vm.prank(GOVERNOR);
        rollup.proposeOperator(address(0x789), true);
        vm.prank(GOVERNOR);
        rollup.proposeOperator(address(0x789), false);
        vm.warp(block.timestamp + DELAY);
        vm.prank(GOVERNOR);
        rollup.activateOperator(address(0x789), true);
        vm.prank(GOVERNOR);
        rollup.activateOperator(address(0x789), false);
        refuseOperator(address(0x789), true);
        assertTrue(!rollup.operators(address(0x789)), "admitted again");
    }

    function test_nobodyIsNoOperator() public {
        vm.expectRevert(Registry.MissingAddress.selector);
        vm.prank(GOVERNOR);
        rollup.proposeOperator(address(0), true);
        assertEq(rollup.readyAt(rollup.operatorProposal(address(0), true)), 0);
        Registry.Registration memory r = registration("transition", TINY, 2);
        r.verifier = IVerifier(address(0));
        vm.expectRevert(Registry.MissingAddress.selector);
        vm.prank(GOVERNOR);
        rollup.proposeVerifier(r);
    }

    function expectEvent() private {
        vm.expectEmit(true, true, true, true);
        vm.prank(GOVERNOR);
    }

    function refuseActivation(Registry.Registration memory r) private {
        vm.expectRevert(abi.encodeWithSelector(Registry.NotProposed.selector, rollup.verifierProposal(r)));
        vm.prank(GOVERNOR);
        rollup.activateVerifier(r);
    }

    function refuseOperator(address operator, bool allowed) private {
        vm.expectRevert(abi.encodeWithSelector(Registry.NotProposed.selector, rollup.operatorProposal(operator, allowed)));
        vm.prank(GOVERNOR);
        rollup.activateOperator(operator, allowed);
    }
}
