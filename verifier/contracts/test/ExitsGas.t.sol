// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExitsFixture} from "./ExitsFixture.sol";

/// @notice What exits add to the gas of settling. Calldata is counted by both of L1's prices, as the dearer
/// of the two is paid for a transaction as a whole (EIP-7623). A Go test measures real transactions.
contract ExitsGasTest is ExitsFixture {
    uint256 private constant PER_EXIT = 3000;
    /// @dev Where a batch has exits at all: one new storage slot.
    uint256 private constant PER_BATCH = 22_500;

    /// @dev Each exit with its transaction stays below 1,600, and the slot of the root comes once for the batch:
    /// from 16 exits on it too is paid from 3,000 for each (from 15 on with real transactions of exits, in which
    /// the receiver's four bytes are zero).
    function test_perExit() public {
        uint256[7] memory counts = [uint256(1), 2, 6, 15, 16, 26, 86];
        for (uint256 i = 0; i < counts.length; ++i) {
            uint256 count = counts[i];
            (uint256 execution, uint256 total, uint256 floor) = measure(count, true);
            (uint256 execution0, uint256 total0, uint256 floor0) = measure(count, false);
            uint256 added = total - total0;
            emit Measured(count, (execution - execution0) / count, added / count, (floor - floor0) / count);
            assertTrue(added <= PER_BATCH + 1600 * count, "an exit costs more than 1,600");
            assertTrue(floor - floor0 <= PER_EXIT * count, "an exit's calldata costs more than 3,000");
            if (count >= 16) assertTrue(added <= PER_EXIT * count, "exits cost more than 3,000 each");
        }
    }

    event Measured(uint256 exits, uint256 executionEach, uint256 eachWithCalldata, uint256 eachByCalldataFloor);

    /// @dev Gas of a batch of `count` transactions with an exit each, or of the same batch without them.
    function measure(uint256 count, bool exits) private returns (uint256 execution, uint256 total, uint256 floor) {
        setUp();
        // A first batch, so that slots are warm or cold and zero or not as later.
        uint256[] memory words = batch(1, 7);
        prove(words);
        settle(words);
        words = exits ? exitBatch(count, 9) : batch(0, 9);
        prove(words);
        bytes memory data = abi.encodeCall(rollup.settle, (TINY, 1, COMMITMENT, words, PROOF));
        uint256 standard = 0;
        for (uint256 i = 0; i < data.length; ++i) {
            (uint256 s, uint256 f) = data[i] == 0 ? (4, 10) : (16, 40);
            standard += s;
            floor += f;
        }
        address to = address(rollup);
        vm.prank(OPERATOR);
        bool ok;
        uint256 before = gasleft();
        assembly ("memory-safe") {
            ok := call(gas(), to, 0, add(data, 0x20), mload(data), 0, 0)
        }
        execution = before - gasleft();
        assertTrue(ok, "refused");
        total = execution + standard;
    }
}
