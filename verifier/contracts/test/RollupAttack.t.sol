// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PublicData} from "../src/PublicData.sol";
import {Registry} from "../src/Registry.sol";
import {Rollup} from "../src/Rollup.sol";
import {MockVerifier, RollupFixture} from "./RollupFixture.sol";

/// @notice Batches of other chains, branches of a chain, numbers and roots: each comparison is of all bits.
contract RollupAttackTest is RollupFixture {
    /// @dev The rollup at the same address of another chain, as deployment by the same key leads to.
    function test_refusesABatchOfAnotherChain() public {
        uint256[4] memory chains = [block.chainid + 1, block.chainid | 1 << 40, block.chainid | 1 << 63, 1];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 other = chains[i] << 160 | uint160(address(rollup));
            uint256[] memory words = batch(2, 7);
            words[3] = other;
            prove(words);
            refuse(words, abi.encodeWithSelector(Rollup.WrongDomain.selector, other, rollup.domain()));
        }
    }

    function test_comparesAllBits() public {
        uint256[] memory words = batch(2, 7);
        uint256[3] memory honest = [words[0], words[1], words[3]];
        for (uint256 bit = 0; bit < 256; ++bit) {
            refuseWord(words, 0, bit, Rollup.WrongNumber.selector, honest[0]);
            refuseWord(words, 1, bit, Rollup.WrongOldRoot.selector, honest[1]);
            refuseWord(words, 3, bit, Rollup.WrongDomain.selector, honest[2]);
        }
        prove(words);
        settle(words);
    }

    function refuseWord(uint256[] memory words, uint256 index, uint256 bit, bytes4 reason, uint256 want) private {
        words[index] = want ^ 1 << bit;
        prove(words);
        refuse(words, abi.encodeWithSelector(reason, words[index], want));
        words[index] = want;
    }

    /// @dev A batch with operations of any number is refused before its words are counted for longer than that.
    function test_refusesAnyNumberOfL1Operations() public {
        uint256 domain = rollup.domain();
        for (uint256 bit = 0; bit < 8; ++bit) {
            uint256 count = 1 << bit;
            uint256[] memory words = new uint256[](5 + 3 * count);
            (words[0], words[1], words[3], words[4]) = (1, GENESIS_ROOT, domain, count << 32);
            prove(words);
            refuse(words, abi.encodeWithSelector(Rollup.L1OperationsNotSupported.selector, count));
        }
    }

    /// @dev The chain splits, and this branch takes a new id. What was made for the other branch settles there alone,
    /// and so do transfers that were signed for it; here the rollup goes on under the domain of the new id.
    function test_afterASplitABatchSettlesOnItsOwnBranchOnly() public {
        uint256[] memory words = batch(2, 7);
        prove(words);
        uint256 before = rollup.domain();
        vm.chainId(block.chainid + 1);
        uint256 here = rollup.domain();
        assertEq(here, before + (1 << 160));
        refuse(words, abi.encodeWithSelector(Rollup.WrongDomain.selector, before, here));
        uint256[] memory own = batch(2, 8);
        assertEq(own[3], here);
        prove(own);
        settle(own);
        assertEq(rollup.root(), 8);
    }

    function test_domainIsChainAndAddress() public {
        uint64[3] memory chains = [1, 1 << 32, type(uint64).max - 1];
        for (uint256 i = 0; i < 3; ++i) {
            vm.chainId(chains[i]);
            assertEq(rollup.domain(), uint256(chains[i]) << 160 | uint160(address(rollup)));
        }
    }

    /// @dev Counts from 0 to the last number, and ends there.
    function test_theLastBatchIsTheLast() public {
        vm.store(address(rollup), bytes32(batchNumberSlot()), bytes32(uint256(type(uint32).max - 1)));
        assertEq(rollup.batchNumber(), type(uint32).max - 1);
        uint256[] memory words = batch(2, 7);
        prove(words);
        settle(words);
        assertEq(rollup.batchNumber(), type(uint32).max);
        for (uint256 number = 0; number < 2; ++number) {
            words = new uint256[](5);
            (words[0], words[1], words[2], words[3]) = (number << 32, 7, 9, rollup.domain());
            prove(words);
            refuse(words, abi.encodeWithSignature("Panic(uint256)", 0x11));
        }
        assertEq(rollup.root(), 7);
    }

    function batchNumberSlot() private returns (uint256) {
        uint256[] memory words = batch(2, 7);
        prove(words);
        bytes32[16] memory slots;
        for (uint256 i = 0; i < 16; ++i) {
            slots[i] = vm.load(address(rollup), bytes32(i));
        }
        settle(words);
        uint256 found;
        for (uint256 i = 0; i < 16; ++i) {
            if (slots[i] == 0 && vm.load(address(rollup), bytes32(i)) == bytes32(uint256(1))) found = i;
        }
        assertTrue(found != 0, "the number is nowhere");
        return found;
    }

    /// @dev The roots of genesis, up to the largest and its neighbours.
    function test_genesisRootsAreInTheField() public {
        assertEq(new Rollup(PublicData.R - 1, GENESIS_HASH, config()).root(), PublicData.R - 1);
        assertEq(new Rollup(0, GENESIS_HASH, config()).genesisRoot(), 0);
        uint256[3] memory bad = [PublicData.R, 1 << 255, type(uint256).max];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Rollup.GenesisRootNotInField.selector, bad[i]));
            new Rollup(bad[i], GENESIS_HASH, config());
        }
    }

    /// @dev An operator is one by his whole address, and entries are found by each part of their name.
    function test_onlyTheWholeAddressOperates() public {
        uint256[] memory words = batch(2, 7);
        prove(words);
        for (uint256 bit = 0; bit < 160; ++bit) {
            address near = address(uint160(OPERATOR) ^ uint160(1 << bit));
            vm.expectRevert(abi.encodeWithSelector(Rollup.NotOperator.selector, near));
            vm.prank(near);
            rollup.settle(TINY, 1, COMMITMENT, words, PROOF);
        }
    }

    function test_entriesAreFoundByTheirWholeName() public {
        uint256[] memory words = batch(2, 7);
        prove(words);
        for (uint256 bit = 0; bit < 256; ++bit) {
            refuseName(words, TINY ^ bytes32(1 << bit), 1);
            if (bit < 32) refuseName(words, TINY, uint32(1 ^ 1 << bit));
        }
    }

    /// @dev A verifier with one bit of address settles as well as any: none is missing that stands.
    function test_settlesByVerifiersOfSparseAddresses() public {
        for (uint256 bit = 4; bit < 160; ++bit) {
            MockVerifier sparse = MockVerifier(address(uint160(1 << bit)));
            if (address(sparse).code.length != 0) continue;
            vm.etch(address(sparse), address(verifier).code);
            Registry.Config memory c = config();
            c.registrations[0].verifier = sparse;
            (rollup, verifier) = (new Rollup(GENESIS_ROOT, GENESIS_HASH, c), sparse);
            uint256[] memory words = batch(2, 7);
            prove(words);
            settle(words);
        }
    }

    function refuseName(uint256[] memory words, bytes32 shape, uint32 version) private {
        vm.expectRevert(abi.encodeWithSelector(Rollup.UnknownVerifier.selector, bytes32("transition"), shape, version));
        vm.prank(OPERATOR);
        rollup.settle(shape, version, COMMITMENT, words, PROOF);
    }
}
