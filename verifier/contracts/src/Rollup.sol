// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Aggregate} from "./Aggregate.sol";
import {ExitClaims} from "./ExitClaims.sol";
import {IVerifier} from "./IVerifier.sol";
import {PublicData} from "./PublicData.sol";
import {Registry} from "./Registry.sol";

/// @title Settle: the state root of the rollup, moved on by proofs
/// @notice HOLDS NO MONEY: nothing is payable, no token is touched, there are no deposits, and a claimed exit
/// pays nothing until there is a bridge. Ether that is forced here is lost.
contract Rollup is Registry, ExitClaims {
    /// @notice A batch was proven: `newRoot` is the state root after it.
    event BatchSettled(uint32 indexed number, uint256 newRoot, uint256 commitment);

    /// @notice Only operators settle.
    error NotOperator(address sender);
    /// @notice The batch was made for another chain or contract.
    error WrongDomain(uint256 got, uint256 want);
    /// @notice The batch does not begin at the current root.
    error WrongOldRoot(uint256 got, uint256 want);
    /// @notice Batches settle in order and once.
    error WrongNumber(uint256 got, uint256 want);
    /// @notice No verifier is registered for proofs of this circuit, shape and version.
    error UnknownVerifier(bytes32 circuit, bytes32 shape, uint32 version);
    /// @notice The verifier has other code than when it was registered.
    error VerifierChanged(address verifier);
    /// @notice L1 operations have no rules yet: their count must be 0.
    error L1OperationsNotSupported(uint256 l1Operations);
    /// @notice There is no batch to settle.
    error EmptyGroup();
    /// @notice Words stand behind the last batch of the group.
    error ExcessWords(uint256 count);
    /// @notice The genesis root is not below r.
    error GenesisRootNotInField(uint256 root);
    /// @notice The chain id does not fit the 64 bits that the domain has for it.
    error ChainIdTooLarge(uint256 chainId);

    /// @notice The circuit whose proofs settle single batches.
    /// @dev Both names are fixed here, each to its route: proofs of either circuit have three public inputs.
    bytes32 public constant TRANSITION = "transition";
    /// @notice The circuit whose proofs settle groups of batches.
    bytes32 public constant AGGREGATE = "aggregate";

    /// @notice Root of the state at genesis.
    uint256 public immutable genesisRoot;
    /// @notice SHA-256 of the genesis file, for the record.
    bytes32 public immutable genesisHash;

    /// @notice Root of the state after the last settled batch.
    uint256 public root;
    /// @notice Number of the last settled batch; 0 at genesis.
    uint32 public batchNumber;

    /// @param genesisRoot_ Root of the state at genesis, below r.
    /// @param genesisHash_ SHA-256 of the genesis file.
    /// @param config Who governs, who operates, the delay and the verifiers of the first day.
    constructor(uint256 genesisRoot_, bytes32 genesisHash_, Config memory config) Registry(config) {
        if (genesisRoot_ >= PublicData.R) revert GenesisRootNotInField(genesisRoot_);
        domain(); // refuses a chain on which nothing could ever settle
        genesisRoot = genesisRoot_;
        genesisHash = genesisHash_;
        root = genesisRoot_;
    }

    /// @notice chain id · 2^160 + this contract's address; in every signature and header.
    /// @dev The chain's id of now. Had the one of deployment been stored, then after a split of the chain the branch
    /// with a new id would take the other's batches, and with them every transfer that was signed for the other alone.
    function domain() public view returns (uint256) {
        if (block.chainid > type(uint64).max) revert ChainIdTooLarge(block.chainid);
        return (block.chainid << 160) | uint160(address(this));
    }

    /// @notice Settles the next batch. How many opens and exits it may have is up to the circuit of the shape.
    /// @param shape Shape of the circuit that the proof is for.
    /// @param version Version of its registry entry.
    /// @param commitment c, to which the circuit bound D.
    /// @param words D: the public data of the batch, words below r.
    /// @param proof 384 bytes, see Groth16Verifier.
    function settle(bytes32 shape, uint32 version, uint256 commitment, uint256[] calldata words, bytes calldata proof)
        external
    {
        IVerifier verifier = _verifier(TRANSITION, shape, version);
        (uint256 zeta, uint256 value) = _advance(PublicData.parseHeader(words), commitment, words);
        verifier.verify(proof, [commitment, zeta, value]);
    }

    /// @notice Settles the next batches, as many as there are commitments, by one proof for all of them.
    /// @param shape Shape of the aggregate circuit: that of the batches and its slots, as in "demo-2".
    /// @param version Version of its registry entry.
    /// @param aggregateCommitment C, to which the circuit bound c, ζ and v of each batch.
    /// @param commitments c of each batch, in order.
    /// @param words D of each batch, one behind the other: each ends where its counts say.
    /// @param proof 384 bytes, see Groth16Verifier.
    function settleAggregate(
        bytes32 shape,
        uint32 version,
        uint256 aggregateCommitment,
        uint256[] calldata commitments,
        uint256[] calldata words,
        bytes calldata proof
    ) external {
        IVerifier verifier = _verifier(AGGREGATE, shape, version);
        uint256[3] memory inputs = _advanceAll(aggregateCommitment, commitments, words);
        verifier.verify(proof, inputs);
    }

    /// @dev Moves root and number on by a group of batches and returns (C, Z, V), for which its caller must find
    /// a proof or revert.
    function _advanceAll(uint256 aggregateCommitment, uint256[] calldata commitments, uint256[] calldata words)
        private
        returns (uint256[3] memory)
    {
        if (commitments.length == 0) revert EmptyGroup();
        uint256[] memory list = Aggregate.open(aggregateCommitment, commitments.length);
        PublicData.Header memory header;
        for (uint256 i = 0; i < commitments.length; ++i) {
            uint256[] calldata batch;
            (header, batch, words) = PublicData.takeFirst(words);
            (uint256 zeta, uint256 value) = _advance(header, commitments[i], batch);
            Aggregate.put(list, i, commitments[i], zeta, value);
        }
        if (words.length != 0) revert ExcessWords(words.length);
        return Aggregate.inputs(list);
    }

    /// @dev Moves root and number on by the batch with this header and D, stores its exits, emits, and returns
    /// ζ and v, for which its caller must find a proof or revert.
    function _advance(PublicData.Header memory header, uint256 commitment, uint256[] calldata words)
        private
        returns (uint256 zeta, uint256 value)
    {
        if (header.domain != domain()) revert WrongDomain(header.domain, domain());
        uint32 number = batchNumber + 1; // checked: reverts past 2^32 - 1
        if (header.number != number) revert WrongNumber(header.number, number);
        if (header.oldRoot != root) revert WrongOldRoot(header.oldRoot, root);
        if (header.l1Operations != 0) revert L1OperationsNotSupported(header.l1Operations);

        zeta = PublicData.challenge(commitment, words);
        value = PublicData.evaluate(words, zeta);

        root = header.newRoot;
        batchNumber = number;
        _storeExits(number, words, header.exits);
        emit BatchSettled(number, header.newRoot, commitment);
    }

    /// @dev The verifier of an entry, with the code that was registered, if the sender is an operator.
    function _verifier(bytes32 circuit, bytes32 shape, uint32 version) private view returns (IVerifier verifier) {
        if (!operators[msg.sender]) revert NotOperator(msg.sender);
        Entry storage entry = entries[entryId(circuit, shape, version)];
        verifier = entry.verifier;
        if (address(verifier) == address(0)) revert UnknownVerifier(circuit, shape, version);
        if (address(verifier).codehash != entry.codeHash) revert VerifierChanged(address(verifier));
    }
}
