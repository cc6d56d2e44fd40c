// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Groth16Verifier} from "../src/Groth16Verifier.sol";
import {KeyCheck} from "../src/KeyCheck.sol";
import {Groth16Fixture} from "./Groth16Fixture.sol";

/// @notice Keys with points that nearly are what they must be, or nearly are what they must not be.
contract KeyCheckAttackTest is Groth16Fixture {
    uint256[] private key;

    function setUp() public override {
        super.setUp();
        (key,,) = load(".ceremony");
    }

    /// @dev y² agrees with x³ + 3 in its low 160 bits, or in all but the lowest. Off the curve there is no discrete
    /// logarithm to rely on: the group of such a point can be as small as its maker likes.
    function test_theCurvesEquationIsComparedWhole() public {
        for (uint256 first = 0; first < 32; first += 2) {
            if (first != KeyCheck.ALPHA && (first < KeyCheck.K || first >= KeyCheck.G)) continue;
            uint256 x = key[first];
            uint256 right = addmod(mulmod(mulmod(x, x, P), x, P), 3, P);
            uint256 honest = key[first + 1];
            key[first + 1] = rootNear(right, 1 << 160);
            refuse(abi.encodeWithSelector(KeyCheck.PointNotOnCurve.selector, first));
            key[first + 1] = rootNear(right, 1);
            refuse(abi.encodeWithSelector(KeyCheck.PointNotOnCurve.selector, first));
            key[first + 1] = honest;
        }
        new Groth16Verifier(key);
    }

    /// @dev A root of a square that is a few steps away.
    function rootNear(uint256 square, uint256 step) private view returns (uint256) {
        for (uint256 t = square;;) {
            t = t + step < P ? t + step : square % step;
            uint256 root = power(t, (P + 1) / 4);
            if (mulmod(root, root, P) == t) return root;
        }
        return 0;
    }

    function power(uint256 a, uint256 exponent) private view returns (uint256) {
        (, bytes memory out) = address(5).staticcall(abi.encode(uint256(32), uint256(32), uint256(32), a, exponent, P));
        return abi.decode(out, (uint256));
    }

    /// @dev P is another name of 0.
    function test_theOrderOfTheBaseFieldIsNoCoordinate() public {
        for (uint256 i = 0; i < KeyCheck.WORDS; ++i) {
            uint256 honest = key[i];
            key[i] = P;
            refuse(abi.encodeWithSelector(KeyCheck.CoordinateNotInField.selector, i));
            key[i] = honest;
        }
    }

    /// @dev Only all words of 0 are the point at infinity; what has a bit anywhere is off the curve.
    function test_onlyZerosAreInfinity() public {
        for (uint256 bit = 0; bit < 253; ++bit) {
            for (uint256 i = 0; i < 6; ++i) {
                (uint256 first, uint256 size) = i < 2 ? (KeyCheck.ALPHA, uint256(2)) : (KeyCheck.BETA, uint256(4));
                uint256[] memory broken = key;
                for (uint256 j = 0; j < size; ++j) {
                    broken[first + j] = 0;
                }
                broken[i < 2 ? i : first + i - 2] = 1 << bit;
                bytes4 reason = i < 2 ? KeyCheck.PointNotOnCurve.selector : KeyCheck.PointNotInSubgroup.selector;
                vm.expectRevert(abi.encodeWithSelector(reason, first));
                this.check(broken);
            }
        }
    }

    /// @dev Only the generator and its negative are refused as α: not points with a part of its x.
    function test_aPartOfTheGeneratorIsNone() public {
        uint256[2] memory steps = [uint256(1 << 160), 1];
        for (uint256 i = 0; i < 2; ++i) {
            uint256 x = 1;
            uint256 y = 0;
            uint256 square = 1;
            while (mulmod(y, y, P) != square) {
                x += steps[i];
                square = addmod(mulmod(mulmod(x, x, P), x, P), 3, P);
                y = power(square, (P + 1) / 4);
            }
            assertTrue(x < P && x % steps[i] == 1 % steps[i], "shares nothing with the generator");
            (key[KeyCheck.ALPHA], key[KeyCheck.ALPHA + 1]) = (x, y);
            new Groth16Verifier(key);
        }
    }

    /// @dev Where the chain has no pairing, a call of it succeeds and answers nothing. There a verifier would take its own
    /// input for the answer, and A.x = 1 for a proof: it cannot be deployed. Nor where the answer is no.
    function test_refusesAChainWithoutThePairing() public {
        bytes[3] memory answers = [bytes(""), abi.encode(0), abi.encode(2)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.mockCall(address(8), "", answers[i]);
            refuse(abi.encodeWithSelector(KeyCheck.PointNotInSubgroup.selector, KeyCheck.BETA));
            vm.clearMockedCalls();
        }
        new Groth16Verifier(key);
    }

    /// @dev γ = G decides which form of the check is right; each word and bit of both counts.
    function test_pointsAreTheSameInAllBits() public view {
        assertTrue(KeyCheck.isSame(key, KeyCheck.GAMMA, KeyCheck.G), "a ceremony's key");
        for (uint256 i = 0; i < 4; ++i) {
            for (uint256 bit = 0; bit < 256; ++bit) {
                uint256[] memory other = key;
                other[KeyCheck.G + i] ^= 1 << bit;
                assertTrue(!KeyCheck.isSame(other, KeyCheck.GAMMA, KeyCheck.G), "compared in part");
            }
        }
    }

    function check(uint256[] memory words) external view {
        KeyCheck.check(words);
    }

    function refuse(bytes memory reason) private {
        vm.expectRevert(reason);
        new Groth16Verifier(key);
    }
}
