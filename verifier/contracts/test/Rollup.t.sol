// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVerifier} from "../src/IVerifier.sol";
import {PublicData} from "../src/PublicData.sol";
import {Registry} from "../src/Registry.sol";
import {Rollup} from "../src/Rollup.sol";
import {MockVerifier, RollupFixture} from "./RollupFixture.sol";

contract RollupTest is RollupFixture {
    event BatchSettled(uint32 indexed number, uint256 newRoot, uint256 commitment);

    function test_deployment() public view {
        assertEq(rollup.root(), GENESIS_ROOT);
        assertEq(rollup.genesisRoot(), GENESIS_ROOT);
        assertEq(rollup.genesisHash(), GENESIS_HASH);
        assertEq(rollup.batchNumber(), 0);
        assertEq(rollup.domain(), block.chainid << 160 | uint160(address(rollup)));
        assertTrue(!rollup.unsafeDevKeys(), "dev keys admitted");
        assertTrue(rollup.operators(OPERATOR), "operator missing");
    }

    function testFuzz_settlesInOrder(uint8 transfers, uint256 first, uint256 second) public {
        first %= PublicData.R;
        second %= PublicData.R;
        uint256[2] memory roots = [first, second];
        for (uint256 i = 0; i < 2; ++i) {
            uint256[] memory words = batch(transfers, roots[i]);
            prove(words);
            vm.expectEmit(true, true, true, true);
            emit BatchSettled(uint32(i + 1), roots[i], COMMITMENT);
            settle(words);
            assertEq(rollup.root(), roots[i]);
            assertEq(rollup.batchNumber(), i + 1);
        }
    }

    function test_acceptsAnEmptyBatch() public {
        uint256[] memory words = new uint256[](5);
        words[0] = 1;
        words[1] = GENESIS_ROOT;
        words[2] = GENESIS_ROOT;
        words[3] = rollup.domain();
        prove(words);
        settle(words);
        assertEq(rollup.batchNumber(), 1);
    }

    function test_refusesOthersThanOperators() public {
        uint256[] memory words = batch(2, 7);
        prove(words);
        vm.expectRevert(abi.encodeWithSelector(Rollup.NotOperator.selector, address(this)));
        rollup.settle(TINY, 1, COMMITMENT, words, PROOF);
        vm.expectRevert(abi.encodeWithSelector(Rollup.NotOperator.selector, GOVERNOR));
        vm.prank(GOVERNOR);
        rollup.settle(TINY, 1, COMMITMENT, words, PROOF);
    }

    function test_refusesAReplay() public {
        uint256[] memory words = batch(2, 7);
        prove(words);
        settle(words);
        refuse(words, abi.encodeWithSelector(Rollup.WrongNumber.selector, 1, 2));
    }

    function testFuzz_refusesOtherNumbers(uint256 number) public {
        vm.assume(number != 1);
        uint256[] memory words = batch(2, 7);
        words[0] = number;
        prove(words);
        refuse(words, abi.encodeWithSelector(Rollup.WrongNumber.selector, number, 1));
    }

    function testFuzz_refusesOtherOldRoots(uint256 oldRoot) public {
        vm.assume(oldRoot != GENESIS_ROOT);
        uint256[] memory words = batch(2, 7);
        words[1] = oldRoot;
        prove(words);
        refuse(words, abi.encodeWithSelector(Rollup.WrongOldRoot.selector, oldRoot, GENESIS_ROOT));
    }

    function testFuzz_refusesOtherDomains(uint256 domain) public {
        vm.assume(domain != rollup.domain());
        uint256[] memory words = batch(2, 7);
        words[3] = domain;
        prove(words);
        refuse(words, abi.encodeWithSelector(Rollup.WrongDomain.selector, domain, rollup.domain()));
    }

    function test_refusesAnotherLength() public {
        uint256[] memory words = batch(2, 7);
        uint256[] memory longer = new uint256[](words.length + 1);
        for (uint256 i = 0; i < words.length; ++i) {
            longer[i] = words[i];
        }
        prove(longer);
        refuse(longer, abi.encodeWithSelector(PublicData.WrongLength.selector, 8, 7));
    }

    function test_refusesL1Operations() public {
        uint256[] memory words = new uint256[](8);
        words[0] = 1;
        words[1] = GENESIS_ROOT;
        words[3] = rollup.domain();
        words[4] = 1 << 32;
        prove(words);
        refuse(words, abi.encodeWithSelector(Rollup.L1OperationsNotSupported.selector, 1));
    }

    /// @dev What an open means is the circuit's business; L1 counts its words.
    function test_acceptsOpens() public {
        uint256[] memory words = new uint256[](5 + 1 + 1 + 2);
        words[0] = 1;
        words[1] = GENESIS_ROOT;
        words[2] = 7;
        words[3] = rollup.domain();
        words[4] = 1 | 1 << 64 | 1 << 96;
        words[7] = 99;
        words[8] = 1 << 159;
        prove(words);
        settle(words);
        assertEq(rollup.root(), 7);
        assertEq(rollup.exitsRoots(1), 0);
    }

    /// @dev word and word + r have the same v.
    function test_refusesWordsNotInField() public {
        for (uint256 i = 2; i < 7; ++i) {
            if (i == 3 || i == 4) continue;
            uint256[] memory words = batch(2, 7);
            words[i] += PublicData.R;
            prove(words);
            refuse(words, abi.encodeWithSelector(PublicData.WordNotInField.selector, i));
        }
    }

    function test_refusesACommitmentNotInField() public {
        uint256[] memory words = batch(2, 7);
        uint256 c = COMMITMENT + PublicData.R;
        vm.expectRevert(abi.encodeWithSelector(PublicData.CommitmentNotInField.selector, c));
        vm.prank(OPERATOR);
        rollup.settle(TINY, 1, c, words, PROOF);
    }

    function test_refusesAnythingUnproven() public {
        uint256[] memory words = batch(6, 7);
        prove(words);
        bytes memory reason = abi.encodeWithSelector(MockVerifier.Refused.selector);
        vm.expectRevert(reason);
        vm.prank(OPERATOR);
        rollup.settle(TINY, 1, COMMITMENT, words, hex"c0ffef");
        vm.expectRevert(reason);
        vm.prank(OPERATOR);
        rollup.settle(TINY, 1, COMMITMENT + 1, words, PROOF);
        for (uint256 i = 5; i < words.length; ++i) {
            words[i] ^= 1;
            refuse(words, reason);
            words[i] ^= 1;
        }
        words[2] = 8;
        refuse(words, reason);
        assertEq(rollup.root(), GENESIS_ROOT);
    }

    function test_refusesUnknownVerifiers() public {
        uint256[] memory words = batch(2, 7);
        prove(words);
        vm.expectRevert(abi.encodeWithSelector(Rollup.UnknownVerifier.selector, bytes32("transition"), TINY, 2));
        vm.prank(OPERATOR);
        rollup.settle(TINY, 2, COMMITMENT, words, PROOF);
        vm.expectRevert(abi.encodeWithSelector(Rollup.UnknownVerifier.selector, bytes32("transition"), bytes32("demo"), 1));
        vm.prank(OPERATOR);
        rollup.settle("demo", 1, COMMITMENT, words, PROOF);
    }

    /// @dev Proofs of another circuit have three inputs too.
    function test_refusesVerifiersOfOtherCircuits() public {
        Registry.Config memory c = config();
        c.registrations[0] = registration("aggregate", TINY, 1);
        rollup = new Rollup(GENESIS_ROOT, GENESIS_HASH, c);
        uint256[] memory words = batch(2, 7);
        prove(words);
        refuse(words, abi.encodeWithSelector(Rollup.UnknownVerifier.selector, bytes32("transition"), TINY, 1));
    }

    function test_refusesABadGenesisRoot() public {
        vm.expectRevert(abi.encodeWithSelector(Rollup.GenesisRootNotInField.selector, PublicData.R));
        new Rollup(PublicData.R, GENESIS_HASH, config());
    }

    function test_largestChainIdFitsTheDomain() public {
        vm.chainId(type(uint64).max);
        Rollup other = new Rollup(GENESIS_ROOT, GENESIS_HASH, config());
        assertEq(other.domain() >> 160, type(uint64).max);
        assertTrue(other.domain() < PublicData.R, "domain not in field");
    }

    /// @dev It holds no money: nothing accepts Ether.
    function test_takesNoEther() public {
        (bool ok,) = address(rollup).call{value: 1}("");
        assertTrue(!ok, "took Ether");
        uint256[] memory words = batch(2, 7);
        prove(words);
        vm.deal(OPERATOR, 1);
        vm.prank(OPERATOR);
        (ok,) = address(rollup).call{value: 1}(abi.encodeCall(rollup.settle, (TINY, 1, COMMITMENT, words, PROOF)));
        assertTrue(!ok, "took Ether");
    }

    /// @dev A cap on the call of the verifier would let whoever settles choose gas with which the
    /// verifier fails and its caller goes on: it gets all but a 64th.
    function test_verifierGetsAllGas() public {
        GreedyVerifier greedy = new GreedyVerifier();
        Registry.Config memory c = config();
        c.registrations[0] = Registry.Registration("transition", TINY, 1, greedy, greedy.keyHash());
        rollup = new Rollup(GENESIS_ROOT, GENESIS_HASH, c);
        uint256[] memory words = batch(2, 7);
        vm.prank(OPERATOR);
        rollup.settle{gas: 20_000_000}(TINY, 1, COMMITMENT, words, PROOF);
        assertEq(rollup.root(), 7);
    }

    /// @dev Settling with any amount of gas settles, or changes nothing.
    function testFuzz_tooLittleGasChangesNothing(uint256 gas) public {
        uint256[] memory words = batch(2, 7);
        prove(words);
        vm.prank(OPERATOR);
        (bool ok,) =
            address(rollup).call{gas: gas % 200_000}(abi.encodeCall(rollup.settle, (TINY, 1, COMMITMENT, words, PROOF)));
        assertEq(rollup.root(), ok ? 7 : GENESIS_ROOT);
        assertEq(rollup.batchNumber(), ok ? 1 : 0);
    }
}

/// @notice Accepts every proof, if the call has most of 20 million gas.
contract GreedyVerifier is IVerifier {
    bytes32 public constant keyHash = keccak256("greedy");

    function verify(bytes calldata, uint256[3] calldata) external view {
        require(gasleft() > 19_000_000, "the call of the verifier is capped");
    }
}
