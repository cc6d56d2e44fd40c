// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Groth16Verifier} from "../src/Groth16Verifier.sol";
import {KeyCheck} from "../src/KeyCheck.sol";
import {Test} from "./Vm.sol";

/// @notice What deployment refuses, one broken key each.
abstract contract KeyCheckCases is Test {
    uint256 private constant P = KeyCheck.P;

    uint256[] internal good;
    uint256[] internal generator;
    string internal json;

    function load(string memory path) internal {
        json = vm.readFile("testdata/groth16.json");
        good = vm.parseJsonUintArray(json, path);
        generator = vm.parseJsonUintArray(json, ".g2Generator");
    }

    /// @dev Whether γ and the commitment's base are the generator.
    function isCeremony() internal pure virtual returns (bool);

    function test_acceptsTheKey() public {
        for (uint256 i = 0; i < 4; ++i) {
            assertTrue((good[KeyCheck.GAMMA + i] == generator[i]) == isCeremony(), "gamma is not of this setup");
            assertTrue((good[KeyCheck.G + i] == generator[i]) == isCeremony(), "G is not of this setup");
        }
        new Groth16Verifier(good);
    }

    function test_refusesDeltaGamma() public {
        refuseCopies(KeyCheck.DELTA, slice(KeyCheck.GAMMA), "delta is gamma");
    }

    /// @dev Where γ is the generator, so is δ = γ.
    function test_refusesDeltaGenerator() public {
        refuseCopies(KeyCheck.DELTA, generator, isCeremony() ? "delta is gamma" : "delta is a generator");
    }

    function test_refusesBetaGenerator() public {
        refuseCopies(KeyCheck.BETA, generator, "beta is a generator");
    }

    function test_refusesBetaGamma() public {
        refuseCopies(KeyCheck.BETA, slice(KeyCheck.GAMMA), isCeremony() ? "beta is a generator" : "beta is gamma");
    }

    function test_refusesBetaDelta() public {
        refuseCopies(KeyCheck.BETA, slice(KeyCheck.DELTA), "beta is delta");
    }

    function test_refusesFreeCommitment() public {
        refuseCopies(KeyCheck.G_SIGMA_NEG, slice(KeyCheck.G), "commitment secret is one");
    }

    function test_refusesAlphaGenerator() public {
        uint256[] memory key = good;
        key[KeyCheck.ALPHA] = 1;
        key[KeyCheck.ALPHA + 1] = 2;
        refuse(key, abi.encodeWithSelector(KeyCheck.UnsafeKey.selector, "alpha is a generator"));
        key[KeyCheck.ALPHA + 1] = P - 2;
        refuse(key, abi.encodeWithSelector(KeyCheck.UnsafeKey.selector, "alpha is a generator"));
    }

    function test_refusesPointsAtInfinity() public {
        (uint256[11] memory starts, uint256[11] memory sizes) = points();
        for (uint256 i = 0; i < starts.length; ++i) {
            uint256[] memory key = good;
            for (uint256 j = 0; j < sizes[i]; ++j) {
                key[starts[i] + j] = 0;
            }
            refuse(key, abi.encodeWithSelector(KeyCheck.PointAtInfinity.selector, starts[i]));
        }
    }

    function test_refusesPointsOffTheCurve() public {
        (uint256[11] memory starts, uint256[11] memory sizes) = points();
        for (uint256 i = 0; i < starts.length; ++i) {
            uint256[] memory key = good;
            key[starts[i]] = addmod(key[starts[i]], 1, P);
            bytes4 selector = sizes[i] == 2 ? KeyCheck.PointNotOnCurve.selector : KeyCheck.PointNotInSubgroup.selector;
            refuse(key, abi.encodeWithSelector(selector, starts[i]));
        }
    }

    function test_refusesPointsOutsideTheSubgroup() public {
        uint256[] memory off = vm.parseJsonUintArray(json, ".offSubgroup");
        (uint256[11] memory starts, uint256[11] memory sizes) = points();
        for (uint256 i = 0; i < starts.length; ++i) {
            if (sizes[i] != 4) continue;
            uint256[] memory key = good;
            for (uint256 j = 0; j < 4; ++j) {
                key[starts[i] + j] = off[j];
            }
            refuse(key, abi.encodeWithSelector(KeyCheck.PointNotInSubgroup.selector, starts[i]));
        }
    }

    function test_refusesNonCanonicalCoordinates() public {
        for (uint256 i = 0; i < KeyCheck.WORDS; ++i) {
            uint256[] memory key = good;
            key[i] += P;
            refuse(key, abi.encodeWithSelector(KeyCheck.CoordinateNotInField.selector, i));
        }
    }

    function test_refusesOtherNumbersOfWords() public {
        for (uint256 n = 0; n < 40; ++n) {
            if (n == KeyCheck.WORDS) continue;
            uint256[] memory key = new uint256[](n);
            for (uint256 i = 0; i < n && i < KeyCheck.WORDS; ++i) {
                key[i] = good[i];
            }
            refuse(key, abi.encodeWithSelector(KeyCheck.WrongKeyLength.selector, n));
        }
    }

    /// @dev Puts `point` at `target`, and then its negative.
    function refuseCopies(uint256 target, uint256[] memory point, string memory reason) private {
        uint256[] memory key = good;
        for (uint256 i = 0; i < 4; ++i) {
            key[target + i] = point[i];
        }
        refuse(key, abi.encodeWithSelector(KeyCheck.UnsafeKey.selector, reason));
        key[target + 2] = P - point[2];
        key[target + 3] = P - point[3];
        refuse(key, abi.encodeWithSelector(KeyCheck.UnsafeKey.selector, reason));
    }

    function refuse(uint256[] memory key, bytes memory reason) private {
        vm.expectRevert(reason);
        new Groth16Verifier(key);
    }

    function slice(uint256 start) private view returns (uint256[] memory point) {
        point = new uint256[](4);
        for (uint256 i = 0; i < 4; ++i) {
            point[i] = good[start + i];
        }
    }

    function points() private pure returns (uint256[11] memory starts, uint256[11] memory sizes) {
        starts = [uint256(0), 2, 6, 10, 14, 16, 18, 20, 22, 24, 28];
        sizes = [uint256(2), 4, 4, 4, 2, 2, 2, 2, 2, 4, 4];
    }
}

/// @notice On a key of groth16.Setup.
contract KeyCheckSetupTest is KeyCheckCases {
    function setUp() public {
        load(".setup.key");
    }

    function isCeremony() internal pure override returns (bool) {
        return false;
    }

    /// @dev γ = generator alone is no reason to refuse a key.
    function test_acceptsGammaGenerator() public {
        uint256[] memory key = good;
        for (uint256 i = 0; i < 4; ++i) {
            key[KeyCheck.GAMMA + i] = generator[i];
        }
        new Groth16Verifier(key);
    }
}

/// @notice On a key of a ceremony with one contributor.
contract KeyCheckCeremonyTest is KeyCheckCases {
    function setUp() public {
        load(".ceremony.key");
    }

    function isCeremony() internal pure override returns (bool) {
        return true;
    }
}
