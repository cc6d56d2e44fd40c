// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Groth16Verifier} from "../src/Groth16Verifier.sol";
import {IVerifier} from "../src/IVerifier.sol";
import {Registry} from "../src/Registry.sol";
import {Rollup} from "../src/Rollup.sol";
import {MockVerifier} from "./RollupFixture.sol";
import {Test} from "./Vm.sol";

/// @notice A rollup with real verifiers of both circuits, and a history of batches from Go in groups of 1, 2
/// and 5, with real proofs of toy circuits that have the public face of ours: of each batch and of each group.
abstract contract AggregateFixture is Test {
    bytes32 internal constant INNER = "demo";
    bytes32 internal constant SHAPE = "demo-5";
    address internal constant OPERATOR = address(0x0123);
    uint256 internal constant GROUPS = 3;

    /// @dev The arguments of settle.
    struct Batch {
        uint256 commitment;
        uint256[] words;
        bytes proof;
    }

    /// @dev A group as Go made it; from it come the arguments of settleAggregate.
    struct Group {
        Batch[] batches;
        uint256[] w;
        uint256[3] inputs;
        bytes proof;
    }

    string private json;
    Groth16Verifier internal transitionVerifier;
    Groth16Verifier internal aggregateVerifier;
    /// @dev Of circuit aggregate and shape "mock".
    MockVerifier internal mockVerifier;
    Rollup internal rollup;

    function setUp() public virtual {
        json = vm.readFile("testdata/aggregate.json");
        vm.chainId(vm.parseJsonUint(json, ".chainId"));
        transitionVerifier = new Groth16Verifier(vm.parseJsonUintArray(json, ".transition.key"));
        aggregateVerifier = new Groth16Verifier(vm.parseJsonUintArray(json, ".aggregate.key"));
        mockVerifier = new MockVerifier(keccak256("mock"));
        deploy();
    }

    function config() private view returns (Registry.Config memory c) {
        c.governor = address(0x0456);
        c.delay = 7 days;
        c.operators = new address[](1);
        c.operators[0] = OPERATOR;
        c.registrations = new Registry.Registration[](5);
        c.registrations[0] = entry("transition", INNER, transitionVerifier);
        c.registrations[1] = entry("aggregate", SHAPE, aggregateVerifier);
        c.registrations[2] = entry("transition", "misplaced", aggregateVerifier);
        c.registrations[3] = entry("aggregate", "misplaced too", transitionVerifier);
        c.registrations[4] = entry("aggregate", "mock", mockVerifier);
    }

    function entry(bytes32 circuit, bytes32 shape, IVerifier verifier)
        private
        view
        returns (Registry.Registration memory)
    {
        return Registry.Registration(circuit, shape, 1, verifier, verifier.keyHash());
    }

    /// @dev The address enters the domain, which the proofs are for: the constructor runs there.
    function deploy() private {
        uint256 root = vm.parseJsonUint(json, ".genesisRoot");
        address target = address(uint160(vm.parseJsonUint(json, ".rollup")));
        vm.etch(target, bytes.concat(type(Rollup).creationCode, abi.encode(root, bytes32(0), config())));
        (bool ok, bytes memory code) = target.call("");
        assertTrue(ok, "not deployed");
        vm.etch(target, code);
        rollup = Rollup(target);
    }

    /// @dev Group `index` of the history; 0, 1 and 2 have 1, 2 and 5 batches.
    function group(uint256 index) internal view returns (Group memory g) {
        string memory path = string.concat(".groups[", vm.toString(index), "]");
        g.proof = vm.parseJsonBytes(json, string.concat(path, ".proof"));
        g.w = vm.parseJsonUintArray(json, string.concat(path, ".w"));
        uint256[] memory inputs = vm.parseJsonUintArray(json, string.concat(path, ".inputs"));
        g.inputs = [inputs[0], inputs[1], inputs[2]];
        g.batches = new Batch[](g.w.length / 3);
        for (uint256 i = 0; i < g.batches.length; ++i) {
            string memory place = string.concat(path, ".batches[", vm.toString(i), "]");
            g.batches[i].commitment = vm.parseJsonUint(json, string.concat(place, ".commitment"));
            g.batches[i].words = vm.parseJsonUintArray(json, string.concat(place, ".words"));
            g.batches[i].proof = vm.parseJsonBytes(json, string.concat(place, ".proof"));
        }
    }

    function commitments(Batch[] memory batches) internal pure returns (uint256[] memory list) {
        list = new uint256[](batches.length);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = batches[i].commitment;
        }
    }

    function words(Batch[] memory batches) internal pure returns (uint256[] memory list) {
        bytes memory all;
        for (uint256 i = 0; i < batches.length; ++i) {
            all = bytes.concat(all, abi.encodePacked(batches[i].words));
        }
        list = new uint256[](all.length / 32);
        for (uint256 i = 0; i < list.length; ++i) {
            assembly ("memory-safe") {
                let at := shl(5, add(i, 1))
                mstore(add(list, at), mload(add(all, at)))
            }
        }
    }

    function call(Group memory g) internal view returns (bytes memory) {
        return by(SHAPE, g);
    }

    function call(Group memory g, uint256[] memory cs, uint256[] memory ws) internal view returns (bytes memory) {
        return by(SHAPE, g, cs, ws);
    }

    /// @dev The group by any entry.
    function by(bytes32 shape, Group memory g) internal view returns (bytes memory) {
        return by(shape, g, commitments(g.batches), words(g.batches));
    }

    function by(bytes32 shape, Group memory g, uint256[] memory cs, uint256[] memory ws)
        internal
        view
        returns (bytes memory)
    {
        return abi.encodeCall(rollup.settleAggregate, (shape, 1, g.inputs[0], cs, ws, g.proof));
    }

    /// @dev By the operator.
    function send(bytes memory data) internal returns (bool ok, bytes memory reason) {
        vm.prank(OPERATOR);
        (ok, reason) = address(rollup).call(data);
    }

    function settle(Group memory g) internal {
        (bool ok,) = send(call(g));
        assertTrue(ok, "group refused");
    }

    function settle(Batch memory b) internal {
        vm.prank(OPERATOR);
        rollup.settle(INNER, 1, b.commitment, b.words, b.proof);
    }

    /// @dev Refused for this reason, and nothing is changed by it.
    function refuse(bytes memory data, bytes memory want) internal {
        (uint256 root, uint256 number) = (rollup.root(), rollup.batchNumber());
        (bool ok, bytes memory got) = send(data);
        assertTrue(!ok, "accepted");
        if (keccak256(got) != keccak256(want)) revert OtherReason(got, want);
        assertEq(rollup.root(), root);
        assertEq(rollup.batchNumber(), number);
        assertEq(rollup.exitsRoots(uint32(number + 1)), 0);
    }

    error OtherReason(bytes got, bytes want);

    function refuse(Group memory g, bytes memory want) internal {
        refuse(call(g), want);
    }
}
