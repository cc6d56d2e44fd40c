// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The few cheatcodes that the tests use.
interface Vm {
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonUintArray(string calldata json, string calldata key) external pure returns (uint256[] memory);
    function keyExistsJson(string calldata json, string calldata key) external view returns (bool);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function toString(uint256 value) external pure returns (string memory);
    function expectRevert(bytes calldata revertData) external;
    function expectRevert(bytes4 selector) external;
    function expectCall(address callee, bytes calldata data) external;
    function expectCall(address callee, uint256 value, uint64 gas, bytes calldata data) external;
    function mockCall(address callee, bytes calldata data, bytes calldata answer) external;
    function clearMockedCalls() external;
    function store(address account, bytes32 slot, bytes32 value) external;
    function load(address account, bytes32 slot) external view returns (bytes32);
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data) external;
    function prank(address sender) external;
    function deal(address account, uint256 balance) external;
    function warp(uint256 timestamp) external;
    function etch(address target, bytes calldata code) external;
    function chainId(uint256 id) external;
    function assume(bool condition) external pure;
}

/// @notice Base of the tests: cheatcodes and assertions.
abstract contract Test {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    error NotEqual(uint256 got, uint256 want);
    error NotTrue(string what);

    function assertEq(uint256 got, uint256 want) internal pure {
        if (got != want) revert NotEqual(got, want);
    }

    function assertEq(bytes32 got, bytes32 want) internal pure {
        assertEq(uint256(got), uint256(want));
    }

    function assertEq(address got, address want) internal pure {
        assertEq(uint160(got), uint160(want));
    }

    function assertTrue(bool value, string memory what) internal pure {
        if (!value) revert NotTrue(what);
    }
}
