// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Poseidon2} from "../src/Poseidon2.sol";
import {Test} from "./Vm.sol";

/// @notice The library as a contract: gives it calldata, and shows that its code fits one.
contract AccountProofs {
    function permute(uint256[4] memory x) external pure returns (uint256[4] memory) {
        return Poseidon2.permute(x);
    }

    function node(uint256[4] memory c) external pure returns (uint256) {
        return Poseidon2.node(c[0], c[1], c[2], c[3]);
    }

    function leaf(Poseidon2.Account memory a) external pure returns (uint256) {
        return Poseidon2.leaf(a);
    }

    function verifyAccount(uint256 root, uint32 index, Poseidon2.Account memory a, uint256[48] calldata siblings)
        external
        pure
        returns (bool)
    {
        return Poseidon2.verifyAccount(root, index, a, siblings);
    }
}

contract Poseidon2Test is Test {
    uint256 private constant R = Poseidon2.R;
    uint256 private constant GAS = 300_000;

    struct Proof {
        uint256 root;
        uint32 index;
        Poseidon2.Account account;
        uint256[48] siblings;
    }

    AccountProofs private caller = new AccountProofs();
    string private json = vm.readFile("testdata/poseidon2.json");
    uint256[] private keys = vm.parseJsonUintArray(json, ".round_keys");
    uint256[] private diagonal = vm.parseJsonUintArray(json, ".diagonal_minus_one");

    function test_permutationAgreesWithGo() public view {
        uint256 n = vm.parseJsonUint(json, ".counts.permutations");
        for (uint256 i = 0; i < n; ++i) {
            string memory path = string.concat(".permutations[", vm.toString(i), "]");
            uint256[] memory input = vm.parseJsonUintArray(json, string.concat(path, ".in"));
            uint256[] memory want = vm.parseJsonUintArray(json, string.concat(path, ".out"));
            uint256[4] memory got = caller.permute([input[0], input[1], input[2], input[3]]);
            for (uint256 lane = 0; lane < 4; ++lane) {
                assertEq(got[lane], want[lane]);
            }
            uint256 node = caller.node([input[0], input[1], input[2], input[3]]);
            assertEq(node, addmod(want[0], input[0], R));
        }
    }

    function test_proofsAgreeWithGoWithinGas() public view {
        uint256 n = proofs();
        for (uint256 i = 0; i < n; ++i) {
            Proof memory p = proof(i);
            assertEq(caller.leaf(p.account), vm.parseJsonUint(json, string.concat(at(i), ".leaf")));
            uint256 before = gasleft();
            bool ok = caller.verifyAccount(p.root, p.index, p.account, p.siblings);
            uint256 used = before - gasleft();
            assertTrue(ok, "a good proof");
            assertTrue(used <= GAS, "gas of 16 levels");
        }
    }

    function test_codeFitsAContract() public view {
        assertTrue(address(caller).code.length <= 24_576, "code size");
    }

    /// @dev The permutation as its paper writes it, every step reduced.
    function testFuzz_permutationAgreesWithNaive(uint256[4] memory x, uint256 edges) public view {
        for (uint256 lane = 0; lane < 4; ++lane) {
            // A quarter of the lanes lie at the end of the field.
            x[lane] = edges >> (2 * lane) & 3 == 0 ? R - 1 - x[lane] % 3 : x[lane] % R;
        }
        uint256[4] memory got = caller.permute(x);
        uint256[4] memory want = naive(x);
        for (uint256 lane = 0; lane < 4; ++lane) {
            assertEq(got[lane], want[lane]);
        }
        assertEq(caller.node(x), addmod(want[0], x[0], R));
    }

    function testFuzz_leafIsLaneOneOfItsPackedFields(Poseidon2.Account memory a) public view {
        a.owner %= R;
        uint256 second = uint256(a.token) + uint256(a.nonce) * 2 ** 32;
        uint256[4] memory x = [a.owner, second, a.balance, uint256(uint160(a.l1))];
        uint256 got = caller.leaf(a);
        assertEq(got, addmod(naive(x)[1], second, R));
        assertTrue(got != caller.node(x), "a leaf is no node");
    }

    /// @dev A path of random siblings, folded by the naive permutation.
    function testFuzz_verifiesTheNaivePath(uint32 index, Poseidon2.Account memory a, uint256 seed) public view {
        a.owner %= R;
        uint256[48] memory siblings;
        uint256 digest = caller.leaf(a);
        for (uint256 level = 0; level < 16; ++level) {
            uint256[4] memory c;
            uint256 next = 3 * level;
            for (uint256 slot = 0; slot < 4; ++slot) {
                if (slot == (index >> (2 * level)) & 3) {
                    c[slot] = digest;
                    continue;
                }
                c[slot] = uint256(keccak256(abi.encode(seed, next))) % R;
                siblings[next++] = c[slot];
            }
            digest = addmod(naive(c)[0], c[0], R);
        }
        assertTrue(caller.verifyAccount(digest, index, a, siblings), "the naive path");
    }

    function testFuzz_refusesAnotherSibling(uint256 which, uint256 sibling, uint256 value) public view {
        Proof memory p = proof(which % proofs());
        value %= R;
        vm.assume(value != p.siblings[sibling % 48]);
        p.siblings[sibling % 48] = value;
        assertTrue(!verify(p), "another sibling");
    }

    function testFuzz_refusesSwappedSiblings(uint256 which, uint256 a, uint256 b) public view {
        Proof memory p = proof(which % proofs());
        (a, b) = (a % 48, b % 48);
        vm.assume(p.siblings[a] != p.siblings[b]);
        (p.siblings[a], p.siblings[b]) = (p.siblings[b], p.siblings[a]);
        assertTrue(!verify(p), "swapped siblings");
    }

    /// @dev The vectors' accounts all have an owner, so that no sibling is the leaf's equal.
    function testFuzz_refusesAnotherIndex(uint256 which, uint32 index) public view {
        Proof memory p = proof(which % proofs());
        vm.assume(index != p.index);
        p.index = index;
        assertTrue(!verify(p), "another index");
    }

    function test_refusesEveryFlippedBitOfTheIndex() public view {
        Proof memory p = proof(0);
        uint32 index = p.index;
        for (uint256 bit = 0; bit < 32; ++bit) {
            p.index = index ^ uint32(1 << bit);
            assertTrue(!verify(p), "a flipped bit of the index");
        }
    }

    function testFuzz_refusesAnotherAccount(uint256 which, Poseidon2.Account memory a) public view {
        Proof memory p = proof(which % proofs());
        a.owner %= R;
        vm.assume(keccak256(abi.encode(a)) != keccak256(abi.encode(p.account)));
        p.account = a;
        assertTrue(!verify(p), "another account");
    }

    function testFuzz_refusesOneChangedField(uint256 which, uint256 field) public view {
        Proof memory p = proof(which % proofs());
        field %= 5;
        if (field == 0) p.account.owner = addmod(p.account.owner, 1, R);
        else if (field == 1) p.account.token ^= 1;
        else if (field == 2) p.account.nonce ^= 1;
        else if (field == 3) p.account.balance ^= 1;
        else p.account.l1 = address(uint160(p.account.l1) ^ 1);
        assertTrue(!verify(p), "a changed field");
    }

    function testFuzz_refusesAnotherRoot(uint256 which, uint256 root) public view {
        Proof memory p = proof(which % proofs());
        root %= R;
        vm.assume(root != p.root);
        p.root = root;
        assertTrue(!verify(p), "another root");
    }

    /// @dev value + r is the same element: without the check a proof would have twins.
    function testFuzz_refusesValuesOutsideTheField(uint256 which, uint256 place) public {
        Proof memory p = proof(which % proofs());
        place %= 50;
        uint256 value;
        if (place == 48) p.root = value = p.root + R;
        else if (place == 49) p.account.owner = value = p.account.owner + R;
        else p.siblings[place] = value = p.siblings[place] + R;
        vm.expectRevert(abi.encodeWithSelector(Poseidon2.NotInField.selector, value));
        caller.verifyAccount(p.root, p.index, p.account, p.siblings);
    }

    /// @dev The order itself is another name of 0, at each place that takes an element.
    function test_refusesTheOrderAtEachPlace() public {
        uint256[2] memory bad = [R, type(uint256).max];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory reason = abi.encodeWithSelector(Poseidon2.NotInField.selector, bad[i]);
            for (uint256 lane = 0; lane < 4; ++lane) {
                uint256[4] memory x;
                x[lane] = bad[i];
                vm.expectRevert(reason);
                caller.permute(x);
            }
            for (uint256 place = 0; place < 50; ++place) {
                Proof memory p = proof(0);
                if (place == 48) p.root = bad[i];
                else if (place == 49) p.account.owner = bad[i];
                else p.siblings[place] = bad[i];
                vm.expectRevert(reason);
                caller.verifyAccount(p.root, p.index, p.account, p.siblings);
            }
        }
    }

    /// @dev A root that differs in one bit is another.
    function test_stateRootsAreComparedWhole() public view {
        Proof memory p = proof(0);
        uint256 root = p.root;
        for (uint256 bit = 0; bit < 253; ++bit) {
            p.root = root ^ 1 << bit;
            if (p.root < R) assertTrue(!verify(p), "another root");
        }
    }

    /// @dev The leaf's digest one level up, with the path shortened by one: a node passed as a leaf
    /// must not fit, nor a leaf as a node.
    function test_refusesANodeAsLeaf() public view {
        Proof memory p = proof(0);
        uint256 digest = caller.leaf(p.account);
        uint256[4] memory c = children(digest, p.index, p.siblings);
        // The children of the parent as fields of an account, as far as they fit their widths.
        p.account = Poseidon2.Account(c[0], uint32(c[1]), uint40(c[1] >> 32), uint128(c[2]), address(uint160(c[3])));
        p.index >>= 2;
        for (uint256 i = 0; i < 45; ++i) {
            p.siblings[i] = p.siblings[i + 3];
        }
        assertTrue(!verify(p), "a node as leaf");
    }

    function verify(Proof memory p) private view returns (bool) {
        return caller.verifyAccount(p.root, p.index, p.account, p.siblings);
    }

    function proofs() private view returns (uint256) {
        return vm.parseJsonUint(json, ".counts.proofs");
    }

    function at(uint256 i) private pure returns (string memory) {
        return string.concat(".proofs[", vm.toString(i), "]");
    }

    function proof(uint256 i) private view returns (Proof memory p) {
        string memory path = at(i);
        p.root = vm.parseJsonUint(json, ".root");
        p.index = uint32(vm.parseJsonUint(json, string.concat(path, ".index")));
        p.account.owner = vm.parseJsonUint(json, string.concat(path, ".owner"));
        p.account.token = uint32(vm.parseJsonUint(json, string.concat(path, ".token")));
        p.account.nonce = uint40(vm.parseJsonUint(json, string.concat(path, ".nonce")));
        p.account.balance = uint128(vm.parseJsonUint(json, string.concat(path, ".balance")));
        p.account.l1 = address(uint160(vm.parseJsonUint(json, string.concat(path, ".l1"))));
        uint256[] memory siblings = vm.parseJsonUintArray(json, string.concat(path, ".siblings"));
        for (uint256 s = 0; s < 48; ++s) {
            p.siblings[s] = siblings[s];
        }
    }

    function children(uint256 digest, uint256 position, uint256[48] memory siblings)
        private
        pure
        returns (uint256[4] memory c)
    {
        uint256 next = 0;
        for (uint256 slot = 0; slot < 4; ++slot) {
            c[slot] = slot == position & 3 ? digest : siblings[next++];
        }
    }

    function naive(uint256[4] memory input) private view returns (uint256[4] memory x) {
        uint256 key = 0;
        (x[0], x[1], x[2], x[3]) = (input[0], input[1], input[2], input[3]);
        external_(x);
        for (uint256 round = 0; round < 64; ++round) {
            bool full = round < 4 || round >= 60;
            for (uint256 lane = 0; lane < (full ? 4 : 1); ++lane) {
                x[lane] = addmod(x[lane], keys[key++], R);
                uint256 square = mulmod(x[lane], x[lane], R);
                x[lane] = mulmod(mulmod(square, square, R), x[lane], R);
            }
            if (full) {
                external_(x);
                continue;
            }
            uint256 sum = addmod(addmod(x[0], x[1], R), addmod(x[2], x[3], R), R);
            for (uint256 lane = 0; lane < 4; ++lane) {
                x[lane] = addmod(mulmod(x[lane], diagonal[lane], R), sum, R);
            }
        }
    }

    function external_(uint256[4] memory x) private pure {
        uint8[16] memory m = [5, 7, 1, 3, 4, 6, 1, 1, 1, 3, 5, 7, 1, 1, 4, 6];
        uint256[4] memory y;
        for (uint256 i = 0; i < 16; ++i) {
            y[i / 4] = addmod(y[i / 4], mulmod(m[i], x[i % 4], R), R);
        }
        (x[0], x[1], x[2], x[3]) = (y[0], y[1], y[2], y[3]);
    }
}
